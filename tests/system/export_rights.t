#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A customer's own data back, and the request to delete what was sent."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from exporting import *  # noqa: E402,F403
from tap import done, ok, same  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None

receiver = Receiver()
site = Site()
site.configure(site.webhook(receiver.url))
site.enable("sales")
rrd = os.path.join(site.path("rrd"), "host", "disk_array-a")
os.makedirs(rrd)
with open(os.path.join(rrd, "capacity-used.rrd"), "wb") as f:
    f.write(bytes(range(256)) * 16)
os.symlink("/etc/passwd", os.path.join(rrd, "link.rrd"))
os.mkfifo(os.path.join(rrd, "fifo.rrd"))
site.run("queue", "--now", "-", stdin=summaries(2))
site.run("push", "--once")
site.run("queue", "--now", "-", stdin=summaries(1, 5))

out = site.path("all")
p = site.run("export-all", "--output", out)
same((p.returncode, sorted(p.stderr.splitlines())), (0, ["tidemark-export: warning: %s: is no regular file, and is left out" %
                                                         os.path.join(rrd, n) for n in ("fifo.rrd", "link.rrd")]),
     "all raw data is copied, and what is none is told")
manifest = json.load(open(os.path.join(out, "manifest.json")))
files = {f["path"]: f for f in manifest["files"]}
ok("rrd/host/disk_array-a/capacity-used.rrd" in files and "state/consent.json" in files and
   "state/history.ndjson" in files, "RRDs, consent and history are in it", sorted(files))
same(sum(n.startswith("events/crm/sent/") for n in files), 2, "... what was sent")
same(sum(n.startswith("events/crm/new/") for n in files), 1, "... and what waits")
bad = [n for n, f in files.items()
       if sha256(open(os.path.join(out, n), "rb").read()) != f["sha256"]]
same(bad, [], "the manifest's hashes are right")
found = [os.path.relpath(os.path.join(d, n), out) for d, _, names in os.walk(out) for n in names]
same(sorted(found), sorted([*files, "manifest.json"]), "nothing else is there, no link was followed")
everything = b"".join(open(os.path.join(out, n), "rb").read() for n in found)
ok(SECRET.encode() not in everything and TOKEN.encode() not in everything and
   not any("pseudonym.key" in n for n in found), "no secret is in it")
same(site.run("export-all", "--output", out).returncode, 64, "a folder that is there is not written over")

deep = site.path("rrd", *["d"] * 20)
os.makedirs(deep)
with open(deep + "/x.rrd", "w"):
    pass
p = site.run("export-all", "--output", site.path("again"))
ok(p.returncode == 65 and "is deeper than 16 folders" in p.stderr and os.path.exists(site.path("again/manifest.json")),
   "what lies too deep is told, and the rest is there", p.stderr)

# --- deletion -------------------------------------------------------------------------------------
same(site.run("delete-request").returncode, 64, "a request for deletion says whose it is")
same([site.run("delete-request", "--by", by).returncode for by in ("", " ", "n" * 201)], [64] * 3,
     "... by a name that its schema knows")
same([site.run("delete-request", "--by", "x", "--device", d).returncode
      for d in ("array-01", "nas-gw.example.com/", "/array-01", "/")], [64] * 4,
     "a device without host or name is refused: it is not the whole site")
p = site.run("delete-request", "--by", "Hanako Sato", "--device", "nas-gw.example.com/array-01")
same(p.returncode, 0, "deletion of one device's data is asked for")
site.run("disable", "sales")
p = site.run("delete-request", "--by", "Hanako Sato")
same(p.returncode, 0, "deletion of everything can be asked for without any consent")
before = set(receiver.records)
same(site.run("push", "--once").returncode, 0, "both are sent")
events = [json.loads(receiver.records[k]) for k in receiver.order if k not in before]
same([e["type"] for e in events], ["tidemark.delete-request.v1"] * 2, "they are events of their own")
same([e["data"].get("product") for e in events], [{"device": "array-01"}, None],
     "the one names its device, the other none")
if jsonschema:
    with open(os.path.join(SOURCE, "contrib/schema/delete-request.schema.json")) as f:
        validator = jsonschema.Draft202012Validator(json.load(f))
    same([e.message for d in events for e in validator.iter_errors(d["data"])], [],
         "both fit their schema")

# --- by hand, as root --------------------------------------------------------------------------------
if os.geteuid() == 0:
    s = Site()
    s.configure(s.webhook(receiver.url))
    os.chmod(s.folder, 0o755)
    os.chmod(s.conf, 0o644)
    for folder in (s.state, s.spool):
        os.mkdir(folder)
        os.chown(folder, 65534, 65534)
    s.enable("sales")
    p = s.run("queue", "--now", "-", stdin=summaries(1))
    same(p.returncode, 0, "root can do by hand what the service does")
    made = [os.path.join(d, n) for top in (s.state, s.spool)
            for d, folders, names in os.walk(top) for n in folders + names]
    same({os.lstat(n).st_uid for n in made}, {65534}, "... and all of it is the service's")
    p = s.run("push", "--once")
    ok(p.returncode != 0 and s.path("secret") in p.stderr, "a secret that the service cannot read is "
       "named", p.stderr)
receiver.close()
done()
