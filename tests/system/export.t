#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Consent, preview, queue and push, against a real HTTPS receiver and a drop folder."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from exporting import *  # noqa: E402,F403
from tap import done, ok, same  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None

# --- nothing before consent ---------------------------------------------------------------------
site = Site()
both, cert = make_cert(site.folder)
receiver = Receiver(both)
site.configure(site.webhook(receiver.url, more='ca_file = "%s"' % cert,
                            purposes='"sales", "service", "factory"'))
source = site.write("summaries.ndjson", json.dumps(sample()) + "\n")

p = site.run("queue", "--now", source)
same(p.returncode, 0, "queue without consent succeeds")
same(p.stdout, "", "... and queues nothing")
ok("enable" in p.stderr, "... and says how to agree", p.stderr)
p = site.run("preview", "--target", "crm", source)
ok("nothing would leave" in p.stdout, "preview says that nothing would leave", p.stdout)
same(site.run("push").returncode, 0, "push has nothing to do")
same(len(receiver.log), 0, "the receiver saw no request")

p = site.run("enable", "sales")
same(p.returncode, 64, "consent without a name is refused")
p = site.run("enable", "sails", "--by", "x")
same(p.returncode, 64, "an unknown purpose is refused")
p = site.run("enable", "sales", "--by", " ")
ok(p.returncode == 64 and "--by" in p.stderr, "a name of blanks is no name", (p.returncode, p.stderr))
p = site.run("enable", "sales", "--by", "n" * 201)
ok(p.returncode == 64 and "--by" in p.stderr and "200 characters" in p.stderr,
   "a name that no document could carry is refused", (p.returncode, p.stderr[-80:]))
p = site.run("disable", "sales", "--by", "\t")
same(p.returncode, 64, "... with disable too")
same((site.run("status").returncode, os.path.exists(os.path.join(site.state, "consent.log"))),
     (0, False), "none of them is on record")

# --- with consent -------------------------------------------------------------------------------
p = site.run("enable", "sales", "--by", "Hanako Sato")
same(p.returncode, 0, "consent is given by name")
ok("+ product.price.amount" in p.stdout, "... and the fields are shown that it opens", p.stdout)
preview = site.run("preview", "--target", "crm", "--output", site.path("previewed"), source).stdout
heads = [line.split() for line in preview.splitlines() if line.startswith("#") and "sha256" in line]
hashes = {h[h.index("key") + 1]: h[h.index("sha256") + 1].rstrip(",") for h in heads}
same(len(hashes), 2, "preview shows the summary and the history")
ok("# not sent: product.serial: not in clear" in preview, "... and that the serial is not in clear",
   preview)

aside = Site(targets=site.webhook(receiver.url, purposes='"sales"'))
aside.enable("sales")
p = subprocess.run(["sh", "-c", 'exec "$0" queue --now -c "$1" "$2" >&-', EXPORT, aside.conf, source],
                   stderr=subprocess.PIPE, text=True)
same((p.returncode, p.stderr.count("standard output")), (74, 1),
     "a standard output that is closed is told: nobody was promised anything")
same([n for n in os.listdir(os.path.join(aside.spool, "crm")) if n.endswith(".lock")
      and os.path.getsize(os.path.join(aside.spool, "crm", n)) > 0], [],
     "... and no file of the spool stands in for it")
folder = os.open(site.folder, os.O_RDONLY)  # read(2) fails on it
p = subprocess.run([EXPORT, "queue", "-c", site.conf, "-"], stdin=folder, stdout=subprocess.PIPE,
                   stderr=subprocess.PIPE, text=True)
os.close(folder)
same((p.returncode, p.stderr), (75, "tidemark-export: standard input: read error\n"),
     "input that cannot be read to its end is for another time")
same(json.loads(site.run("status", "--json").stdout)["last_record"], None,
     "... and the period's record is not made yet")
p = site.run("queue", "--now", source)
queued = [line.split()[1] for line in p.stdout.splitlines()]
same(sorted(queued), sorted(hashes), "queue makes what preview has shown, under the same keys")
p = site.run("queue", "--now", source)
ok(p.stdout.startswith("known ") and len(site.items("new")) == 2,
   "the same content again makes no second item", p.stdout)
preview2 = site.run("preview", source).stdout
ok(all(h in preview2 for h in hashes.values()), "preview shows what waits, with the same hashes",
   preview2)

p = site.run("push")
same(p.returncode, 0, "push sends them", )
same(sorted(receiver.records), sorted(hashes), "the receiver has both")
same({k: sha256(v) for k, v in receiver.records.items()}, hashes,
     "what was received has the hashes of the preview")
for key in hashes:
    with open(site.path("previewed", key + ".json"), "rb") as f:
        ok(f.read() == receiver.records.get(key), "preview --output wrote the very bytes")
same(receiver.problems, [], "the receiver has no complaint about signatures, token and types")
same((len(site.items("new")), len(site.items("sent"))), (0, 2), "both lie in sent/")
ok(len(receiver.log) == 2, "one request for each of the two", len(receiver.log))
status = json.loads(site.run("status", "--json").stdout)
last = status["targets"][0]["last_sent"]
ok(last["receipt"] == last["sha256"] and last["receipt"] in hashes.values(),
   "status shows the hash and the receipt's", last)
shown = site.run("show", last["key"][:12])
same(sha256(shown.stdout.encode()), last["sha256"], "show prints the very bytes")
ok(all(k[:12] in site.run("history").stdout for k in hashes), "history lists both")
log = site.path("state", "history.ndjson")
lines = open(log, "rb").read().splitlines(True)
open(log, "wb").write(b"".join([lines[0], b'{"at":"2026-\n', b"\xff\n"] + lines[1:]))
found = site.run("history")
same((found.returncode, len(found.stdout.splitlines()), found.stderr.count("history.ndjson"),
      log + ":2: " in found.stderr), (0, len(lines), 1, True),
     "a damaged line of the history is named once, and the others are shown")
told = site.run("status").stderr
same((told.count("history.ndjson"), log + ":2: " in told), (1, True), "status names it, too")
open(log, "wb").write(b"".join(lines))
same(site.run("queue", "--now", source).stdout.split()[:1], ["known"],
     "what was sent is not queued again")
requests = len(receiver.log)
same(site.run("push", "--trigger", "mail").returncode, 0, "push with an empty spool succeeds")
same(len(receiver.log), requests, "... and connects to nobody")

# --- what a purpose opens -----------------------------------------------------------------------
event = next(json.loads(v) for v in receiver.records.values()
             if json.loads(v)["type"] == "tidemark.summary.v1")
same((event["specversion"], event["source"]), ("1.0", "/customers/C-1001/sites/osaka-1"),
     "the envelope is a CloudEvent of this site")
data = event["data"]
ok(data["product"]["serial"].startswith("p-"), "without service the serial is a pseudonym")
same(data["consent"], {"sales": {"by": "Hanako Sato", "on": data["consent"]["sales"]["on"]}},
     "the document says what was agreed to")
if jsonschema:
    for kind in ("summary", "history"):
        with open(os.path.join(SOURCE, "contrib/schema/%s.schema.json" % kind)) as f:
            validator = jsonschema.Draft202012Validator(json.load(f))
        for value in receiver.records.values():
            event = json.loads(value)
            if event["type"] == "tidemark.%s.v1" % kind:
                problems = [e.message for e in validator.iter_errors(event["data"])]
                same(problems, [], "the %s that was received fits its schema" % kind)


def received(*purposes, changes=None):
    """The data of the one summary that a fresh site with these purposes sends."""
    s = Site(more=(changes or {}).pop("more", "") if changes else "")
    r = Receiver()
    s.configure(s.webhook(r.url, purposes='"sales","service","factory","comparison"'))
    s.enable(*purposes)
    document = sample()
    document.update(changes or {})
    s.run("queue", "--now", "-", stdin=json.dumps(document) + "\n")
    s.run("push", "--once")
    r.close()
    found = [json.loads(v)["data"] for v in r.records.values()]
    found = [d for d in found if d["schema"] == "tidemark.summary/1"]
    return found[0] if found else None


d = received("service")
same(d["product"]["serial"], "DS200-000123", "service opens the serial in clear")
ok("price" not in d["product"] and "recommendations" not in d, "... but no price and no offers")
ok("status" in d and "history" in d, "... and status and history")
d = received("factory")
same(sorted(d["product"]), ["device"], "factory opens nothing of the product but its name")
same(d["recommendations"], [{"lines": [{"sku": "SHELF-20T", "quantity": 2}],
                             "order_by": "2027-01-11"}], "... the lines without their price")
same(list(d["forecast"]), ["fill"], "... and the date, nothing else of the forecast")
ok("status" not in d and "history" not in d, "... no status, no history")
same(received("comparison"), None, "comparison alone sends no summary")
d = received("sales", changes={"more": 'privacy { names = "pseudonym" }\n'})
text = json.dumps(d)
ok("array-01" not in text and "nas-gw" not in text, "names leave as pseudonyms where asked", text)
ok(d["recommendations"][0]["key"].split("/")[3] == d["product"]["device"],
   "... the same one in the key of an offer")

# --- the days since ------------------------------------------------------------------------------
s = Site()
r = Receiver()
s.configure(s.webhook(r.url))
s.enable("sales")
grown = sample()
known = [day["date"] for day in grown["history"]]
s.run("queue", "--now", "-", stdin=json.dumps(grown) + "\n")
s.run("push", "--once")
before = set(r.records)
grown["history"][-1] = dict(grown["history"][-1], covered=1, transfers_max=777777)
grown["history"].append(dict(grown["history"][-1], date="2026-12-31", covered=0.01))
s.run("queue", "--now", "-", stdin=json.dumps(grown) + "\n")
s.run("push", "--once")
r.close()
d = [json.loads(v)["data"] for k, v in r.records.items() if k not in before]
same([[(day["date"], day["transfers_max"], day["covered"]) for day in e["history"]] for e in d],
     [[(known[-1], 777777, 1), ("2026-12-31", 777777, 0.01)]],
     "the day that was not over when it was sent is sent again, and then the days after it")

# --- what is not in the schema ------------------------------------------------------------------
planted = sample()
planted["sysContact"] = "Taro Yamada"
planted["product"]["sysLocation"] = "Taro Yamada"
planted["status"]["volumes"] = [{"name": "Taro Yamada"}]
planted["status"]["transfers"]["user"] = "Taro Yamada"
planted["history"][0]["job"] = "Taro Yamada"
planted["recommendations"][0]["evidence"]["x y"] = "Taro Yamada"
s = Site()
r = Receiver()
s.configure(s.webhook(r.url, purposes='"sales","service","factory","comparison"'))
s.enable("sales", "service", "factory", "comparison")
p = s.run("preview", "-", stdin=json.dumps(planted) + "\n")
ok("# not sent: status.volumes: not in the schema" in p.stdout, "preview names what is unknown",
   p.stdout)
p = s.run("queue", "--now", "-", stdin=json.dumps(planted) + "\n")
s.run("push", "--once")
everything = b"".join(r.records.values())
ok(len(r.records) == 2 and b"Yamada" not in everything, "what the schema does not list never leaves")
hidden = sum(b"Yamada" in open(os.path.join(s.spool, "crm/sent", n), "rb").read()
             for n in s.items("sent"))
same(hidden, 0, "... nor lies in the spool")
wrong = sample()
wrong["status"]["used_bytes"] = "Taro Yamada"
p = s.run("queue", "--now", "-", stdin=json.dumps(wrong) + "\n" + summaries(1, first=7))
same(p.returncode, 65, "a field of a wrong type is refused")
ok("status.used_bytes: of a type that is not allowed" in p.stderr, "... by its name", p.stderr)
same(p.stdout.count("queued "), 1, "... and the next summary is queued all the same")
foreign = sample()
foreign["customer"]["id"] = "C-2002"
p = s.run("queue", "--now", "-", stdin=json.dumps(foreign) + "\n")
ok(p.returncode == 65 and "not this site's customer" in p.stderr,
   "another customer's summary is refused", p.stderr)
r.close()

# --- withdrawal ---------------------------------------------------------------------------------
s = Site()
r = Receiver()
s.configure(s.webhook(r.url, purposes='"sales", "service"'))
s.enable("sales")
s.run("queue", "--now", "-", stdin=summaries(3))
same(len(s.items("new")), 3, "three items wait")
p = s.run("disable", "sales", "--device", "array-02")
ok("1 unsent items" in p.stdout, "withdrawal for one device takes its item", p.stdout)
p = s.run("disable", "sales")
ok("2 unsent items" in p.stdout, "withdrawal for all takes the rest", p.stdout)
same((len(s.items("new")), len(s.items("dead"))), (0, 3), "they lie in dead/ before it returns")
why = open(os.path.join(s.spool, "crm/dead", s.items("dead")[0] + ".why")).read()
ok("withdrawn" in why, "... with the reason beside them", why)
s.run("requeue", s.items("dead")[0].split(".")[2])
p = s.run("push", "--once")
ok(len(r.log) == 0 and len(s.items("dead")) == 3, "what was withdrawn is not sent by hand either",
   p.stderr)
for device in (b"array-0\xff", b"array\t01"):
    p = s.run("disable", "sales", "--device", device)
    ok(p.returncode == 64 and "--device" in p.stderr, "a device whose name cannot be kept is refused",
       (p.returncode, p.stdout, p.stderr))
log = [json.loads(line) for line in open(os.path.join(s.state, "consent.log"))]
same([e["action"] for e in log], ["enable", "disable", "disable"], "every change is on record")
r.close()

# --- consent is for the fields that were there ----------------------------------------------------
s = Site()
r = Receiver()
s.configure(s.webhook(r.url))
s.enable("sales")
path = os.path.join(s.state, "consent.json")
consent = json.load(open(path))
consent["purposes"]["sales"]["all"]["fields"].remove("product.price.amount")
json.dump(consent, open(path, "w"))
p = s.run("preview", "-", stdin=json.dumps(sample()) + "\n")
ok("product.price.amount: new since consent was given" in p.stdout,
   "a field that came later is held back", p.stdout)
p = s.run("status")
ok("until 'enable sales' is said again:\n    + product.price.amount\n" in p.stdout,
   "status asks for it", p.stdout)
same(json.loads(s.run("status", "--json").stdout)["held_back"], {"sales": ["product.price.amount"]},
     "... as JSON too")
p = s.run("enable", "sales", "--by", "Hanako Sato")
ok("+ product.price.amount" in p.stdout and p.stdout.count("+") == 1,
   "agreeing anew shows the difference", p.stdout)
ok("held back" not in s.run("status").stdout, "... and then nothing is held back")
json.dump({"schema": "x"}, open(path, "w"))
p = s.run("queue", "--now", "-", stdin=json.dumps(sample()) + "\n")
ok(p.returncode != 0 and p.stdout == "", "a damaged record of consent opens nothing", p.stderr)
r.close()

# --- a vendor's exporter obeys the consent that a summary carries ------------------------------------
s = Site()
r = Receiver()
with open(s.conf) as f:
    text = f.read().split("\n", 2)[2]  # without customer and site
s.write("t.conf", 'role = "vendor"\n' + text + s.webhook(r.url, purposes='"sales", "service"'))
lines = []
for number, consent in ((1, {"sales": {"by": "x", "on": "2026-09-01T00:00:00Z"}}), (2, {}),
                        (3, {"service": {"by": "x", "on": "2026-09-01T00:00:00Z"}})):
    summary = json.loads(summaries(1, number))
    summary["customer"]["id"] = "C-%d" % number
    summary["consent"] = consent
    lines.append(json.dumps({"specversion": "1.0", "id": "x", "data": summary}))
p = s.run("queue", "--now", "-", stdin="\n".join(lines))
same(p.stdout.count("queued"), 2, "role vendor: what its customer did not agree to is not sent")
s.run("push", "--once")
got = {d["customer"]["id"]: d for d in (json.loads(v)["data"] for v in r.records.values())}
ok(got["C-1"]["product"]["serial"].startswith("p-") and
   got["C-3"]["product"]["serial"] == "DS200-000003" and "price" not in got["C-3"]["product"],
   "... and each purpose opens its own fields there too", got)
r.close()

# --- a drop folder --------------------------------------------------------------------------------
s = Site()
os.mkdir(s.path("outbox"))
s.configure('target box { type = "file" directory = "%s" secret_file = "%s" '
            'purposes = { "sales" } }\n' % (s.path("outbox"), s.path("secret")))
s.enable("sales")
s.run("queue", "--now", "-", stdin=summaries(1))
same(s.run("push").returncode, 0, "push to a drop folder succeeds")
names = sorted(os.listdir(s.path("outbox")))
same([n.split(".")[1] for n in names], ["json", "sig"], "it holds KEY.json and KEY.sig")
body = open(s.path("outbox", names[0]), "rb").read()
headers = dict(line.split(": ") for line in open(s.path("outbox", names[1])).read().splitlines())
same(headers["webhook-signature"], sign(headers["webhook-id"], headers["webhook-timestamp"], body),
     "the signature is right")
os.rename(s.path("outbox"), s.path("away"))
s.run("queue", "--now", "-", stdin=summaries(1, first=2))
p = s.run("push", "--once")
ok(p.returncode != 0 and s.path("outbox") in p.stderr and len(s.items("new", "box")) == 1,
   "a folder that is gone is named, and the item stays", p.stderr)
os.rename(s.path("away"), s.path("outbox"))
same(s.run("push", "--now").returncode, 0, "it goes when the folder is back")
receiver.close()

# --- a slip of the pen ----------------------------------------------------------------------------------
s = Site()
s.configure(s.webhook("http://127.0.0.1:9/"))
told = [s.run("enable", "sales", "--by", "x", "--device", "array-01").stderr]
for folder, name in (("summaries/gw", "array-01"), ("inventory/other", "array-02")):
    os.makedirs(s.path("state", folder))
    s.write("state/%s/%s.json" % (folder, name), "{}")
for name in ("array-01", "gw/array-01", "other/array-02", "array-03", "gw/array-02", "g/array-01"):
    p = s.run("disable", "sales", "--device", name)
    told.append(p.stderr)
    assert p.returncode == 0, p.stderr
p = s.run("enable", "sales", "--by", "x", "--device", "aray-01")
told.append(p.stderr)
same([t.count("warning: --device ") for t in told], [0, 0, 0, 0, 1, 1, 1, 1],
     "a device that nobody has seen is named, where others were seen")
ok(p.returncode == 0 and "aray-01" in s.run("status").stdout, "... and consent is kept for it")

# --- what cannot be read ------------------------------------------------------------------------------
s = Site()
s.configure(s.webhook("http://127.0.0.1:9/"))
s.enable("sales")
for name in ("state/history.ndjson", "sealed"):
    s.write(name, "{}\n", 0)
os.makedirs(s.path("state/requests"), mode=0)
same([s.run(*command, wrap=without_override()).returncode for command in (
    ("history",), ("requests",), ("queue", "--now", s.path("sealed")), ("queue", "--now", s.path("gone")),
    ("queue", "--now", "/dev/null"))], [77, 77, 77, 66, 65],
     "what may not be read, is not there and is no file have each their status")
s.run("queue", "--now", "-", stdin=summaries(1))
os.chmod(s.path("state/requests"), 0o700)
os.chmod(s.path("secret"), 0o644)
same(s.run("push", "--once").returncode, 77, "and so has a secret that all may read")
done()
