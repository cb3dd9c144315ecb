#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What push makes of receivers that fail, lie, stall and come back."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from exporting import *  # noqa: E402,F403
from tap import done, ok, same  # noqa: E402

site = Site()
receiver = Receiver()
site.configure(site.webhook(receiver.url))
site.enable("sales")
# The history comes before the first summaries; it is out of the way for what follows.
receiver_log = receiver.log


def fill(n, first):
    p = site.run("queue", "--now", "-", stdin=summaries(n, first))
    assert p.returncode == 0, p.stderr
    return {line.split()[1] for line in p.stdout.splitlines() if line.startswith("queued")}


def push(*args):
    return site.run("push", "--once", *args)


def timed():
    return push("--trigger", "timer")


# --- an item stays until it was taken -------------------------------------------------------------
faults = [
    ("500", status(500), 69), ("503", status(503), 69), ("502", status(502), 69),
    ("408", status(408), 69), ("429", status(429), 69),
    ("a closed connection", close_early, 69), ("no answer in time", hang, 69),
    ("a redirect", status(302, Location="http://127.0.0.1:1/"), 69),
    ("200 and garbage", status(200, b"<html>welcome</html>"), 69),
    ("200 that names other items", status(200, b'{"results":[]}'), 69),
]
key = fill(1, 1)
for name, mode, code in faults:
    receiver.mode = mode
    p = push("--now")
    ok(site.keys("new") == key and p.returncode == code, "%s: the item stays" % name,
       "status %d" % p.returncode, p.stderr, site.items("new"))
same(len(receiver.records), 0, "nothing was recorded so far")
receiver.mode = lambda r, q: (200, {**r.reply(q, [])[1], "webhook-signature": "v1,AAAA"},
                              json.dumps({"results": [{"id": list(key)[0],
                                                       "status": "accepted"}]}).encode())
p = push("--now")
ok(site.keys("new") == key and "signature" in p.stderr, "an answer signed by a stranger is not heard",
   p.stderr)
receiver.mode = lambda r, q: r.reply(q, [{"id": list(key)[0], "status": "accepted",
                                          "sha256": "0" * 64}])
p = push("--now")
ok(site.keys("new") == key and "other bytes" in p.stderr, "a receipt for other bytes is no receipt",
   p.stderr)

receiver.mode = drop_answer
push("--now")
same(site.keys("new"), key, "the answer was lost: the item stays")
receiver.mode = cut_answer
push("--now")
same(site.keys("new"), key, "half an answer came: the item stays")
receiver.mode = None
same(push("--now").returncode, 0, "it is sent again")
same((site.keys("sent"), set(receiver.records), receiver.doubles >= 2), (key, key, True),
     "one record at the receiver, whatever was lost")
same(receiver.problems, [], "the bytes were the same each time")

# --- waiting --------------------------------------------------------------------------------------
key = fill(1, 2)
receiver.mode = status(503)
push()
n = len(receiver.log)
p = timed()
ok(len(receiver.log) == n and p.returncode == 75, "a target that fails is not asked again at once")
push()
same(len(receiver.log), n + 1, "... but by a person's own call")
receiver.mode = status(503, Retry_After="7200")
push()
n = len(receiver.log)
p = push()
ok(len(receiver.log) == n and p.returncode == 75, "a target that asked to wait is left alone")
held = json.loads(site.run("status", "--json").stdout)["targets"][0]["held_until"]
seconds = time.mktime(time.strptime(held, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone - time.time()
ok(7100 < seconds <= 7200, "Retry-After is honoured", held, seconds)
for value, least, most in (("-5", 1, 90000), ("99999999", 86000, 86400), ("0", 1, 5),
                           ("Thu, 01 Jan 1970 00:00:00 GMT", 1, 5)):
    receiver.mode = status(503, Retry_After=value)
    push("--now")
    held = json.loads(site.run("status", "--json").stdout)["targets"][0]["held_until"]
    s = time.mktime(time.strptime(held, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone - time.time()
    ok(least - 2 <= s <= most, "Retry-After: %s waits %d to %d s" % (value, least, most), s)
receiver.mode = None
push("--now")

# --- one bad item does not stand in the way ---------------------------------------------------------
keys = fill(4, 10)
bad = sorted(site.items("new"))[0].split(".")[2]


def poison(answer):
    return lambda r, q: answer(r, q) if json.loads(q.body)["id"] == bad else "ok"


receiver.mode = poison(status(500))
p = push()
ok(site.keys("new") == {bad} and p.returncode == 75, "an item that makes the receiver fail waits alone",
   p.stderr, site.items("new"))
same(site.items("new")[0].split(".")[3], "1", "... and its tries are counted")
n = len(receiver.log)
timed()
same(len(receiver.log), n, "... by its own back-off")
receiver.mode = poison(lambda r, q: r.reply(q, [{"id": bad, "status": "refused",
                                                 "field": "status.used_bytes",
                                                 "error": "more than there is\nX"}]))
more = fill(2, 20)
p = push("--now")
ok(site.keys("dead") == {bad} and p.returncode == 65, "a refused item goes to dead/", p.returncode)
why = open(os.path.join(site.spool, "crm/dead", site.items("dead")[0] + ".why")).read()
same(why, "refused: status.used_bytes: more than there is X\n", "... with the receiver's reason")
ok(more <= set(receiver.records), "... and those behind it are sent")
receiver.mode = None
same(site.run("requeue", bad[:10]).returncode, 0, "it can be put back")
push()
ok(bad in receiver.records, "... and is sent, under its old key")

# --- turned away --------------------------------------------------------------------------------------
for code in (401, 403, 404, 410):
    key = fill(1, 100 + code)
    receiver.mode = status(code)
    p = push("--now")
    ok(p.returncode == 69 and site.keys("new") == key, "%d: the item stays" % code, p.stderr)
    same(p.stderr.count("\n"), 1, "%d: one alarm" % code)
    n = len(receiver.log)
    p = push()
    ok(len(receiver.log) == n and p.stderr == "", "%d: nobody knocks again" % code, p.stderr)
    receiver.mode = None
    time.sleep(0.01)
    site.write("token", TOKEN + "\n", 0o600)
    same(push().returncode, 0, "%d: new credentials open the way" % code)
key = fill(1, 600)
receiver.skew = 3600
receiver.mode = lambda r, q: "ok"


def dated(r, q):
    at = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3600))
    q.date_time_string = lambda timestamp=None: at
    return "ok"


receiver.mode = dated
p = push("--now")
ok("clock is 3600 s behind" in p.stderr or "clock is 3599 s behind" in p.stderr or
   "clock is 3601 s behind" in p.stderr, "a clock that is wrong is told", p.stderr)
same(site.keys("new"), key, "... and the item stays")
receiver.skew, receiver.mode = 0, None
same(push("--now").returncode, 0, "... until the clocks agree")

# --- order after an outage ----------------------------------------------------------------------------
receiver.mode = status(503)
wanted = []
for day in range(12):
    wanted += sorted(fill(1, 700 + day))
    push("--now") if day % 3 == 0 else timed()
receiver.mode = None
before = len(receiver.order)
push("--now")
same(receiver.order[before:], wanted, "after an outage all leave, in the order they were made")

# --- batches ------------------------------------------------------------------------------------------
site.configure(site.webhook(receiver.url, more='batch = 5'))
keys = fill(12, 800)
n = len(receiver.log)
same(push().returncode, 0, "batches are sent")
ok(len(receiver.log) == n + 3 and keys <= set(receiver.records), "twelve items in three requests")
batch = json.loads(receiver.log[n][3])
same(receiver.log[n][2]["webhook-id"],
     sha256("".join(e["id"] + "\n" for e in sorted(batch, key=lambda e: e["id"])).encode()),
     "a batch is named by its sorted keys")
keys = fill(5, 830)
bad = sorted(site.items("new"))[2].split(".")[2]
receiver.mode = lambda r, q: (422, {}, b'{"error":"no"}') if bad.encode() in q.body else "ok"
p = push()
ok(site.keys("dead") == {bad} and keys - {bad} <= set(receiver.records),
   "a batch that is refused whole is told apart", p.stderr)
receiver.mode = None

# --- nobody waits for a sick neighbour -------------------------------------------------------------------
sick = Receiver()
sick.mode = hang
two = Site()
two.configure(two.webhook(receiver.url, name="good", more='rate = 0') +
              two.webhook(sick.url, name="sick", more='timeout = "5s"'))
two.enable("sales")
two.run("queue", "--now", "-", stdin=summaries(30, 900))
start = time.time()
seen = []
receiver.mode = lambda r, q: seen.append(time.time()) or "ok"
two.run("push", "--once")
ok(len(seen) == 30 and seen[-1] - start < 3.5, "a healthy target does not wait for a sick one",
   len(seen), seen[-1] - start if seen else "")
same((len(two.items("new", "good")), len(two.items("new", "sick"))), (0, 30), "... which keeps its items")
receiver.mode = None

# --- TLS ---------------------------------------------------------------------------------------------------
both, cert = make_cert(site.folder)
_, other = make_cert(site.folder, "other")
named, named_cert = make_cert(site.folder, "named", "desk.example.com")
# An authority of ours, one that nobody knows, and certificates by them.
_, authority = make_cert(site.folder, "authority", "authority.example.com")
make_cert(site.folder, "stranger", "stranger.example.com")
by_authority, _ = make_cert(site.folder, "good", authority="authority")
by_stranger, _ = make_cert(site.folder, "strange", authority="stranger")
bad = [("an unknown, self-signed certificate", both, other),
       ("a self-signed certificate, and the system's authorities", both, None),
       ("a certificate for another name", named, named_cert),
       ("a certificate by an unknown authority", by_stranger, authority)]
if shutil.which("faketime"):
    for when, name in (("2020-01-01", "an expired certificate"),
                       ("2040-01-01", "a certificate that is not valid yet")):
        pem, crt = make_cert(site.folder, "at-" + when, at=when)
        bad.append((name, pem, crt))
servers = []
for name, pem, ca in bad:
    server = Receiver(pem)
    servers.append((name, server, server.url, ca))
servers.append(("plain text instead of TLS", receiver, receiver.url.replace("http:", "https:"), cert))
for name, server, url, ca in servers:
    s = Site()
    s.configure(s.webhook(url, more='ca_file = "%s"' % ca if ca else ""))
    s.enable("sales")
    s.run("queue", "--now", "-", stdin=summaries(1))
    n = len(server.log)
    p = s.run("push", "--once")
    ok(p.returncode == 69 and len(s.items("new")) == 1 and len(server.log) == n,
       "%s: not one byte of the body is sent, the item stays" % name, p.returncode, p.stderr)
    if server is not receiver:
        server.close()
signed = Receiver(by_authority)
s = Site()
s.configure(s.webhook(signed.url, more='ca_file = "%s"' % authority))
s.enable("sales")
s.run("queue", "--now", "-", stdin=summaries(1))
same((s.run("push", "--once").returncode, len(signed.records)), (0, 1),
     "a certificate by the authority that was named is good")
signed.close()

strict = Receiver(both, client_ca=other)
s = Site()
s.configure(s.webhook(strict.url, more='ca_file = "%s"' % cert))
s.enable("sales")
s.run("queue", "--now", "-", stdin=summaries(1))
p = s.run("push", "--once")
ok(p.returncode == 69 and not strict.log, "a receiver that wants a certificate is told none", p.stderr)
key_file = other.replace(".crt", ".key")
os.chmod(key_file, 0o600)
s.configure(s.webhook(strict.url, more='ca_file = "%s" client_cert_file = "%s" client_key_file = "%s"'
                      % (cert, other, key_file)))
p = s.run("push", "--once")
ok(p.returncode == 0 and len(strict.records) == 1, "... until the site has one", p.stderr)

# --- requests and polls ------------------------------------------------------------------------------------
s = Site()
asking = Receiver()
asking.requests = [{"id": "REQ-1", "host": "h", "device": "d", "items": ["copies_total"],
                    "purpose": "service", "expires_at": "2099-01-01T00:00:00Z"},
                   {"id": "../x", "host": "h", "device": "d", "items": ["a"],
                    "purpose": "service", "expires_at": "2099-01-01T00:00:00Z"}]
s.configure(s.webhook(asking.url, purposes='"sales", "service"',
                      more='poll = "1h" requests = "show"'))
s.enable("sales")
s.run("push", "--once")
same(len(asking.log), 0, "with sales alone nobody is polled")
s.enable("service")
s.run("push", "--once")
s.run("push", "--once")
same([r[0] for r in asking.log], ["GET"], "with service one poll an hour is made")
same(os.listdir(os.path.join(s.state, "requests")), ["REQ-1.json"],
     "a sound request is kept, one with a path in its id is not")
asking.mode = lambda r, q: (200, {}, json.dumps({"results": [], "requests": [
    {"id": "REQ-2", "host": "h", "device": "d", "items": ["a"], "purpose": "service",
     "expires_at": "2099-01-01T00:00:00Z"}]}).encode())
s.run("push", "--once", "--now")
s2 = Site()
s2.configure(s2.webhook(asking.url, purposes='"sales", "service"', more='poll = "1s"'))
s2.enable("service")
s2.run("push", "--once")
ok(not os.path.exists(os.path.join(s2.state, "requests")), "an unsigned request is not heard")
for r in (receiver, sick, asking, strict):
    r.close()
done()
