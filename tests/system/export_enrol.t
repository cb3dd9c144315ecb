#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""One file from the vendor makes a target; new credentials replace old ones without loss."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import exporting  # noqa: E402
from exporting import *  # noqa: E402,F403
from tap import done, ok, same  # noqa: E402

receiver = Receiver()
site = Site()
os.unlink(site.conf)
for name in ("token", "secret"):
    os.unlink(site.path(name))


def enrolment(**changes):
    with open(os.path.join(SOURCE, "contrib/schema/samples/enrolment.json")) as f:
        e = json.load(f)
    e.update(url=receiver.url, token=TOKEN, secret="whsec_" + SECRET, **changes)
    return site.write("enrolment.json", json.dumps(e), 0o600)


p = site.run("enrol", enrolment())
same(p.returncode, 0, "a site without a configuration is enrolled")
ok("enable" in p.stdout, "... and told that nothing is sent yet", p.stdout)
names = sorted(n for n in os.listdir(site.folder) if n.startswith(("crm", "t.conf")))
same(names, ["crm.secret", "crm.token", "t.conf", "t.conf.d"], "token and secret have their own files")
same([oct(os.stat(site.path(n)).st_mode & 0o777) for n in names[:2]], ["0o640"] * 2,
     "... that others cannot read")
ok(TOKEN not in open(site.path("t.conf.d/crm.conf")).read() and TOKEN not in p.stdout + p.stderr,
   "no secret stands in the configuration or is told")
with open(site.conf, "a") as f:
    f.write('paths { state = "%s" spool = "%s" }\nspool { free = 0 }\n' % (site.state, site.spool))
site.run("queue", "--now", "-", stdin=summaries(1))
site.run("push", "--once")
same(len(receiver.log), 0, "nothing is sent before somebody agrees")
site.enable("sales")
site.run("queue", "--now", "-", stdin=summaries(1))
same(site.run("push", "--once").returncode, 0, "after that the enrolled target works")
same((len(receiver.records), receiver.problems), (1, []), "... with its token and its secret")

# --- rotation ---------------------------------------------------------------------------------------
site.run("queue", "--now", "-", stdin=summaries(3, 10))
exporting.TOKEN = "another-token-of-this-site"
p = site.run("push", "--once")
ok(p.returncode == 69 and len(site.items("new")) == 3, "the vendor has revoked the token: items wait",
   p.stderr)
with open(enrolment()) as f:
    e = json.load(f)
e["token"] = exporting.TOKEN
path = site.write("enrolment2.json", json.dumps(e), 0o600)
before = open(site.path("t.conf.d/crm.conf")).read()
p = site.run("enrol", path)
ok(p.returncode == 0 and "replaced" in p.stdout, "new credentials are taken", p.stdout, p.stderr)
same(open(site.path("t.conf.d/crm.conf")).read(), before, "... and nothing else is changed")
same(site.run("push", "--once").returncode, 0, "all that waited is sent with them")
same(len(receiver.records), 4, "nothing was lost")

# The signing secret too: what was queued under the old one leaves under the new one.
import base64  # noqa: E402
site.run("queue", "--now", "-", stdin=summaries(3, 20))
bodies = {k: site.run("show", k).stdout for k in site.keys("new")}
new = base64.b64encode(bytes(range(40, 72))).decode()
exporting.sign.__defaults__ = (new,)
Receiver.reply.__defaults__ = (200, new)
p = site.run("push", "--once")
ok(p.returncode == 69 and len(site.items("new")) == 3, "a secret that the vendor has revoked: items wait",
   p.stderr)
p = site.run("push", "--once", "--trigger", "timer")
same(len(site.items("new")), 3, "... and are kept while nobody has enrolled anew")
before, tries = len(receiver.records), len(receiver.log)
site.run("push", "--once", "--trigger", "timer")
same(len(receiver.log), tries, "... without asking again and again")
with open(path) as f:
    e = json.load(f)
e["secret"] = "whsec_" + new
same(site.run("enrol", site.write("enrolment3.json", json.dumps(e), 0o600)).returncode, 0,
     "a new secret is taken")
same(site.run("push", "--once", "--trigger", "timer").returncode, 0,
     "the timer's next push goes on by itself, signed with it")
same((len(receiver.records) - before, {k: receiver.records[k].decode() for k in bodies}), (3, bodies),
     "nothing was lost, and not a byte of what was queued has changed")
exporting.sign.__defaults__ = (SECRET,)
Receiver.reply.__defaults__ = (200, SECRET)

# --- what is refused ------------------------------------------------------------------------------------
for name, changes in (("another customer", {"customer": {"id": "C-2"}}),
                      ("another site", {"site": "tokyo-9"})):
    same(site.run("enrol", enrolment(**changes)).returncode, 78, "%s is refused" % name)
for name, changes in (
        ("a target's name with a path", {"target": "../x"}),
        ("a URL that ends the quotes", {"url": 'https://x/" purposes = {"'}),
        ("a name with a variable", {"customer": {"id": "C-1001", "name": "${HOME}"}}),
        ("an unknown member", {"color": "red"}),
        ("a weak secret", {"secret": "whsec_AAAA"}),
        ("an unknown purpose", {"purposes": ["sails"]})):
    with open(enrolment()) as f:
        e = json.load(f)
    e.update(changes)
    p = site.run("enrol", site.write("bad.json", json.dumps(e), 0o600))
    ok(p.returncode == 65 and p.stderr.count("\n") == 1, "%s is refused" % name, p.returncode, p.stderr)
with open(enrolment(target="second")) as f:
    e = json.load(f)
e["url"] = "http://192.0.2.1/"
p = site.run("enrol", site.write("bad.json", json.dumps(e), 0o600))
ok(p.returncode == 78 and "loopback" in p.stderr, "plain http to another machine is refused", p.stderr)
same(p.stderr.split(": ")[1:5], [site.path("bad.json"), "what is to be configured is refused",
                                 "target second", "url"], "... without a line that is not in the file")
same(sorted(os.listdir(site.path("t.conf.d"))), ["crm.conf"], "nothing was written by what was refused")
receiver.close()
done()
