#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Service asks for data items, at a site where a person decides: shown, answered or refused, never by
itself."""
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


def request(identity, **changes):
    with open(os.path.join(SOURCE, "contrib/schema/samples/request.json")) as f:
        r = json.load(f)
    r.update(id=identity, expires_at="2099-01-01T00:00:00Z", items=["pages_total", "density"])
    r.update(changes)
    return r


receiver = Receiver()
receiver.requests = [
    request("R-1"), request("R-2"), request("R-3", purpose="comparison"),
    request("R-4", expires_at="2020-01-01T00:00:00Z"), request("R-5", purpose="sales"),
    request("R-6", items=["../etc"]), request("R 7"), request("R-8", items=[])]
site = Site()
site.configure(site.webhook(receiver.url, purposes='"sales", "service", "comparison"',
                            more='requests = "show"'))
site.enable("service")
p = site.run("push", "--once")
same(sorted(os.listdir(os.path.join(site.state, "requests"))),
     ["R-1.json", "R-2.json", "R-3.json", "R-4.json"], "sound requests are kept, others are not")
p = site.run("requests")
ok("R-1  asked  crm  print-gw.example.com/printer-03  service: pages_total density" in p.stdout,
   "they are shown to the site", p.stdout)
ok("R-4  expired" in p.stdout, "... an expired one as such", p.stdout)
same(site.items("new"), [], "nothing is answered by itself")

reading = {"kind": "printer", "serial": "S-1", "observed_at": "2026-11-20T01:12:00Z", "items": [
    {"name": "pages_total", "value": 1284300, "unit": "impressions", "nature": "counter",
     "state": None, "user": "Taro Yamada"},
    {"name": "density-black", "value": "1.08", "unit": None, "nature": "Taro Yamada", "state": None},
    {"name": "owner", "value": "Taro Yamada", "unit": None, "nature": "setting", "state": None}]}
p = site.run("requests", "R-1", "--answer", "-", stdin=json.dumps(reading))
same(p.returncode, 0, "a request is answered with what the probe printed")
key = p.stdout.split()[1]
p = site.run("requests", "R-1", "--answer", "-", stdin=json.dumps(reading))
ok(p.returncode != 0 and "already" in p.stderr, "it is answered once", p.stderr)
p = site.run("requests", "R-3", "--answer", "-", stdin=json.dumps(reading))
ok(p.returncode != 0 and "comparison is off" in p.stderr, "without consent it is not answered",
   p.stderr)
p = site.run("requests", "R-4", "--refuse", "too late")
ok(p.returncode != 0 and "expired" in p.stderr, "an expired one cannot be decided any more", p.stderr)
p = site.run("requests", "R-3", "--refuse", "we do not take part")
same(p.returncode, 0, "a refusal needs no consent")
same(site.run("requests", "../R-1", "--refuse", "x").returncode, 65, "an id is no path")
same(site.run("requests", "R-2").returncode, 64, "one must say what is to become of it")
receiver.requests = []
site.run("push", "--once", "--now")
documents = {}
for body in receiver.records.values():
    event = json.loads(body)
    same(event["type"], "tidemark.item-values.v1", "it travels as an event of its own type")
    documents[event["data"]["request"]] = event["data"]
same(sorted(documents), ["R-1", "R-3"], "answer and refusal arrive")
same([(i["name"], i["value"]) for i in documents["R-1"]["items"]],
     [("pages_total", 1284300), ("density-black", "1.08")], "the items that were asked for, no other")
ok("Yamada" not in json.dumps(documents), "nothing else of the reading leaves")
same((documents["R-3"]["status"], documents["R-3"]["reason"], "items" in documents["R-3"]),
     ("refused", "we do not take part", False), "the refusal says why, and nothing more")
if jsonschema:
    with open(os.path.join(SOURCE, "contrib/schema/item-values.schema.json")) as f:
        validator = jsonschema.Draft202012Validator(json.load(f))
    same([e.message for d in documents.values() for e in validator.iter_errors(d)], [],
         "both fit their schema")

# --- withdrawn before it is sent ---------------------------------------------------------------------
site.run("requests", "R-2", "--answer", "-", stdin=json.dumps(reading))
p = site.run("disable", "service")
ok("1 unsent" in p.stdout, "withdrawal takes an answer that waits", p.stdout)

# --- a note that cannot be read ----------------------------------------------------------------------
before = site.run("requests").stdout
with open(os.path.join(site.state, "requests/R-0.json"), "w") as f:
    f.write('{"request":')
p = site.run("requests")
same((p.returncode, p.stdout), (65, before), "a damaged note keeps no other back")
ok("requests/R-0.json" in p.stderr and len(p.stderr.splitlines()) == 1, "and is told by its name", p.stderr)
receiver.close()
done()
