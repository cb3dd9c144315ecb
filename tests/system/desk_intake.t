#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tidemark-export pushes to a real tidemark-desk; and what strangers may try."""
import copy
import email.message
import hashlib
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from exporting import Site, sample, sign, summaries  # noqa: E402
from pushing import BATCH, PushDesk, event_of  # noqa: E402
from tap import done, ok, same  # noqa: E402

desk = PushDesk().start()

# --- a site is enrolled, and pushes ---------------------------------------------------------------
p = desk.run("site", "add", "C-1001", "osaka-1")
same((p.returncode, "C-1001 is not known" in p.stderr), (66, True), "an unknown customer is told")
for url in ("ftp://desk.example.com", "http://desk.example.com", "desk.example.com", "https://x/" + 1100 * "a"):
    p = desk.run("site", "add", "C-1001", "osaka-1", "--customer-name", "Example KK", "--url", url)
    same((p.returncode, p.stdout), (64, ""), "no site is enrolled to push to " + url[:30])
pusher = desk.add_site("C-1001", "osaka-1", "--url", desk.url, "--target", "crm")
enrolment = pusher.enrolment
same((enrolment["url"], enrolment["customer"], enrolment["target"]),
     (desk.url + "/api/v1/events", {"id": "C-1001", "name": "Example KK"}, "crm"),
     "the enrolment says whose it is and where to push")
same(desk.run("site", "add", "C-1001", "osaka-1").returncode, 65, "a site is added once")
site = Site()
for name in (site.conf, site.path("token"), site.path("secret")):
    os.unlink(name)
p = site.run("enrol", site.write("enrolment.json", json.dumps(enrolment), 0o600))
same(p.returncode, 0, "the exporter takes the enrolment")
with open(site.conf, "a") as f:
    f.write('paths { state = "%s" spool = "%s" }\nspool { free = 0 }\n' % (site.state, site.spool))
site.enable("sales", "service")
site.run("queue", "--now", "-", stdin=summaries(30))
p = site.run("push", "--once")
same((p.returncode, len(site.items("sent"))), (0, 30), "thirty summaries are pushed and receipted")
same(desk.rows("SELECT count(*) FROM summaries"), [(30,)], "... and kept")
sent = {name.split(".")[2]: name for name in site.items("sent")}
key, sha = desk.rows("SELECT event, sha256 FROM summaries ORDER BY id LIMIT 1")[0]
ok(key in sent, "under the keys that the site knows")
p = site.run("show", key)
same(hashlib.sha256(p.stdout.encode()).hexdigest(), sha, "with the hash of the bytes that it shows")
p = desk.run("site", "list")
ok("osaka-1" in p.stdout and "0 min ago" in p.stdout and "30 devices" in p.stdout,
   "the site is listed as heard of", p.stdout)
same(desk.run("site", "list", "--silent", "24h").stdout, "", "it is not silent")

# --- what was acknowledged stays --------------------------------------------------------------------
desk.kill()
desk.start()
same(desk.rows("SELECT count(*) FROM summaries"), [(30,)], "a kill -9 loses nothing")
event = event_of(dict(sample(), customer={"id": "C-1001", "site": "osaka-1", "host": "h"}))
same(pusher.push(event), ["accepted"], "a stranger's program pushes by the same rules")
same(pusher.push(event), ["duplicate"], "again is a duplicate")

# --- who it is ----------------------------------------------------------------------------------------
body = json.dumps(event).encode()
now = int(time.time())
same(pusher.request("POST", body, authorization=None)[0], 401, "without a token: 401")
same(pusher.request("POST", body, authorization="Bearer tdm_" + 64 * "0")[0], 401,
     "with another token: 401")
status, headers, _ = pusher.request("POST", body, webhook_signature="v1,AAAA")
same(status, 401, "with a wrong signature: 401")
ok(abs(time.mktime(time.strptime(headers["date"], "%a, %d %b %Y %H:%M:%S GMT")) - now) < 100,
   "... with the right time, so that nobody takes it for a wrong clock")
same(pusher.request("POST", body + b" ", webhook_signature=sign("m-1", str(now), body, pusher.secret))[0],
     401, "a changed body: 401")
status, headers, answer = pusher.request("POST", body, at=now - 310)
same((status, b" s off" in answer), (401, True), "a clock that is wrong is told")
same(pusher.request("POST", body, kind="application/json")[0], 415, "another type: 415")
same(pusher.request("POST", b"[1", kind=BATCH)[0], 400, "what is no batch: 400")
status, headers, answer = pusher.request("GET")
same((status, json.loads(answer)["results"]), (200, []), "a poll is answered")
same(headers.get("webhook-signature"),
     sign("m-1", headers.get("webhook-timestamp"), answer, pusher.secret), "... and signed")

# --- whose it is --------------------------------------------------------------------------------------
other = desk.add_site("C-2002", "kobe-1")
same(other.push(event), ["refused customer.id: another customer than the credential's"],
     "another's document is refused")
moved = copy.deepcopy(event)
moved["data"]["customer"]["id"] = "C-2002"
moved["data"]["customer"]["site"] = "kobe-1"
same(other.push(moved), ["refused source: another one than the credential's"], "so is another source")
same(desk.rows("SELECT kind, subject, times FROM alarms"), [("foreign", "C-2002/kobe-1", 2)],
     "... and an administrator hears of it")
same(desk.rows("SELECT customer_id, count(*) FROM quarantine GROUP BY 1"), [("C-2002", 2)],
     "both lie in quarantine")
moved["source"] = "/customers/C-2002/sites/kobe-1"
same(other.push(moved), ["accepted"], "the same id from another tenant is another event")
batch = [event_of(dict(sample(), customer={"id": "C-1001", "site": "osaka-1", "host": "b%d" % i}))
         for i in range(50)]
batch[7]["data"]["status"]["used_bytes"] = -1
batch[9]["data"]["product"]["device"] = 5
results = pusher.push(*batch)
same((results[7], results[9]),
     ("refused status.used_bytes: less than 0", "refused product.device: text is wanted"),
     "bad events of a batch are refused by their fields")
same(results.count("accepted"), 48, "... and the good ones kept")

# --- what service asks for ----------------------------------------------------------------------------
desk.rows("INSERT INTO requests (request, customer_id, site, purpose, asked_at, expires_at,"
          " document_json) VALUES ('R-1', 'C-1001', 'osaka-1', 'service', ?, ?, ?)", now, now + 86400,
          json.dumps({"schema": "tidemark.request/1", "id": "R-1", "host": "nas-gw.example.com",
                      "device": "array-01", "purpose": "service", "items": ["pages_total"],
                      "asked_at": "2026-11-20T00:00:00Z", "expires_at": "2026-12-22T09:00:00Z",
                      "reason": "Claim K-1"}))
site.run("queue", "--now", "-", stdin=summaries(1, 90))
site.run("push", "--once")
p = site.run("requests")
ok("R-1" in p.stdout + p.stderr, "a request rides along with the next answer", p.stdout, p.stderr)
site.run("push", "--once")
same(desk.rows("SELECT r.status, r.answered_at IS NULL FROM requests r JOIN item_values v"
               " ON v.request = r.request AND v.status = r.status"), [("unavailable", 0)],
     "that the device does not answer is an answer, and closes it")

# --- by file and by mail ------------------------------------------------------------------------------
box = os.path.join(site.folder, "box")
os.mkdir(box)
with open(site.path("t.conf.d", "box.conf"), "w") as f:
    f.write('target box { type = "file" directory = "%s" secret_file = "%s" purposes = { "sales" } }\n'
            % (box, site.path("crm.secret")))
site.run("queue", "--now", "-", stdin=summaries(3, 60))
p = site.run("push", "--once")
dropped = sorted(n for n in os.listdir(box) if n.endswith(".json"))
same(len(dropped), 3, "a site without a line drops files")
with open(os.path.join(box, dropped[1]), "a") as f:
    f.write(" ")
with open(os.path.join(box, "on-its-way.json"), "w") as f:
    f.write("{")
p = desk.run("intake", box)
same((p.returncode, p.stdout.count(": accepted, C-1001/osaka-1")), (65, 2), "what is sound is taken")
ok(dropped[1] + ": refused: not signed by C-1001/osaka-1" in p.stderr, "a changed byte is refused",
   p.stderr)
same((sorted(os.listdir(box)), len(os.listdir(box + "/taken"))),
     (["on-its-way.json", "refused", "taken"], 4), "each is put where it belongs")
ok("not signed" in open(os.path.join(box, "refused", dropped[1][:-5] + ".why")).read(),
   "with the reason beside it")
same(desk.run("intake", box).returncode, 66, "then there is nothing left")
with open(box + "/loop.json", "w", encoding="utf-8") as f:
    f.write("{}")
same(desk.run("intake", box).returncode, 66, "an event whose signature is on its way waits")
os.symlink("loop.sig", box + "/loop.sig")
p = desk.run("intake", box)
ok(p.returncode not in (0, 66) and "/loop.sig: Too many levels" in p.stderr, "one whose signature cannot be looked at is told", p)
os.unlink(box + "/loop.sig")
os.unlink(box + "/loop.json")
os.rename(box + "/taken/" + dropped[0], box + "/" + dropped[0])
os.rename(box + "/taken/" + dropped[0][:-5] + ".sig", box + "/" + dropped[0][:-5] + ".sig")
p = desk.run("intake", box)
same((p.returncode, p.stdout.count(": duplicate")), (0, 1), "the same again is a duplicate")


def mail_of(encoding, key, body):
    mail = email.message.EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Tidemark", "a@example.com", "b@example.com"
    mail.set_content("A document is attached.\n")
    at = int(time.time())
    headers = "webhook-id: %s\nwebhook-timestamp: %d\nwebhook-signature: %s\n" % (
        key, at, sign(key, str(at), body, pusher.secret))
    mail.add_attachment(body, "application", "cloudevents+json", filename=key + ".json", cte=encoding)
    mail.add_attachment(headers.encode(), "text", "plain", filename=key + ".sig", cte="base64")
    return mail.as_string()


for n, encoding in enumerate(("base64", "quoted-printable")):
    e = event_of(dict(sample(), customer={"id": "C-1001", "site": "osaka-1", "host": "m%d" % n}))
    p = desk.run("intake", "-", stdin=mail_of(encoding, e["id"], json.dumps(e).encode()))
    same((p.returncode, p.stdout), (0, e["id"] + ".json: accepted, C-1001/osaka-1\n"),
         "a mail is taken, " + encoding)
e["data"]["customer"]["id"] = "C-2002"
e["source"] = "/customers/C-2002/sites/kobe-1"
p = desk.run("intake", "-", stdin=mail_of("base64", "other", json.dumps(e).encode()))
same((p.returncode, "not signed by C-2002/kobe-1" in p.stderr), (65, True),
     "a site cannot sign for another")
p = desk.run("intake", "-", stdin="Subject: hello\n\nno attachment\n")
same((p.returncode, p.stderr.count("no KEY.json")), (65, 1), "a mail without any is told")

# --- a copy, while it serves ------------------------------------------------------------------------
copied = os.path.join(desk.folder, "copy.db")
same((desk.run("backup", copied).returncode, oct(os.stat(copied).st_mode & 0o777)), (0, "0o600"),
     "the store is copied while it serves")
p = desk.run("backup", os.path.join(desk.folder, "none/copy.db"))
same((p.returncode, "none/copy.db: No such file" in p.stderr), (73, True), "into a folder that is not there it cannot be")
kept, desk.file = desk.file, copied
in_copy = desk.rows("SELECT count(*) FROM summaries")
desk.file = kept
same(in_copy, desk.rows("SELECT count(*) FROM summaries"), "with all that is in it")

# --- new credentials ----------------------------------------------------------------------------------
p = desk.run("site", "rotate", "C-1001", "osaka-1", "--url", desk.url, "--target", "crm")
same(p.returncode, 0, "credentials are rotated")
site.run("queue", "--now", "-", stdin=summaries(2, 100))
same(site.run("push", "--once").returncode, 0, "the old ones still work")
site.run("enrol", site.write("enrolment.json", p.stdout, 0o600))
site.run("queue", "--now", "-", stdin=summaries(2, 110))
same((site.run("push", "--once").returncode, len(site.items("new"))), (0, 0), "so do the new ones")
left = desk.rows("SELECT valid_until FROM credentials WHERE customer_id = 'C-1001' ORDER BY id")
ok(left[0][0] is not None and left[0][0] <= time.time() + 301 and left[1][0] is None,
   "whose first use ends the old ones soon", left)
same(desk.run("site", "revoke", "C-1001", "osaka-1").returncode, 0, "all are revoked")
same(pusher.push(event), [401], "then nothing is taken")
site.run("queue", "--now", "-", stdin=summaries(1, 120))
p = site.run("push", "--once")
ok("401" in p.stderr and len(site.items("new")) == 1, "the site keeps its item and tells", p.stderr)
db = b"".join(open(os.path.join(desk.folder, n), "rb").read()
              for n in os.listdir(desk.folder) if n.startswith("desk.db"))
ok(enrolment["token"].encode() not in db, "no token lies in the database")
same(desk.stop(), 0, "the desk ends when it is told to")
same(desk.log(), "", "and had nothing to complain about")
done()
