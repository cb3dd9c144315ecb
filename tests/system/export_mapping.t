#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Recommendations become records of CRMs by mapping files alone. The CRMs are stand-ins of ours
(tests/lib/crm_servers.py) that behave as the public documents say."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import crm_servers  # noqa: E402
from exporting import *  # noqa: E402,F403
from tap import done, ok, same  # noqa: E402
from web_server import reply  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None
FOLDER = os.path.join(SOURCE, "contrib/mapping")
KEY = "C-1001/osaka-1/nas-gw.example.com/array-01/grow/2025-04-01"


def summary(price="960000", order_by="2027-01-11", reason='81 % used; "full" <soon> & so', **changes):
    s = sample()
    r = s["recommendations"][0]
    r.update(price={"amount": price, "currency": "JPY"}, order_by=order_by, reason=reason)
    r["key"] = KEY
    s["consent"] = {"sales": {"by": "Hanako Sato", "on": "2026-09-01T02:00:00Z"}}
    s.update(changes)
    return s


class Desk(Site):
    """A vendor, with one target by a mapping."""

    def __init__(self, crm, mapping, role="vendor", more=""):
        super().__init__(more='role = "%s"\n' % role + more)
        self.write("crm.token", crm_servers.TOKEN + "\n", 0o600)
        self.crm, self.mapping = crm, mapping
        self.use(mapping)

    def use(self, mapping, more="", token=True):
        self.configure(
            'target crm { type = "webhook" url = "%s/" mapping = "%s" purposes = { "sales" }\n'
            '  timeout = "2s" %s %s }\n' % (
                self.crm.url, mapping, 'token_file = "%s"' % self.path("crm.token") if token else "",
                more))

    def offer(self, *documents):
        self.run("queue", "--now", "-", stdin="".join(json.dumps(d) + "\n" for d in documents))
        return self.run("push", "--once", "--now")

    def why(self):
        return "".join(open(os.path.join(self.spool, "crm/dead", n + ".why")).read()
                       for n in self.items("dead"))


def drop_after(word):
    """The answer to the first request that writes is lost."""
    lost = []

    def mode(request):
        if not lost and any(w in request.path for w in word) and request.command != "GET":
            lost.append(request.path)
            return "drop"
        return None
    return mode


WAYS = {
    "odoo": (crm_servers.Odoo, ("/create",), {
        "x_tidemark_key": KEY, "type": "lead", "name": "Capacity for array-01, Example KK",
        "partner_id": 7, "partner_name": "Example KK", "expected_revenue": 960000, "probability": 80,
        "date_deadline": "2027-01-11",
        "description": "81 % used; &quot;full&quot; &lt;soon&gt; &amp; so"},
        "expected_revenue", 1200000, ("type", "opportunity"), ("x_tidemark_key", KEY)),
    "salesforce": (crm_servers.Salesforce, ("/sobjects/",), {
        "Tidemark_Key__c": KEY.replace("/", ":"), "Name": "grow DS-200 array-01",
        "StageName": "Prospecting", "CloseDate": "2027-01-11", "Amount": 960000, "Probability": 80,
        "AccountId": "001A", "Description": '81 % used; "full" <soon> & so'},
        "Amount", 1200000, ("StageName", "Closed Won"), ("Tidemark_Key__c", KEY.replace("/", ":"))),
    "hubspot": (crm_servers.HubSpot, ("/upsert",), {
        "tidemark_key": KEY, "dealname": "grow array-01, Example KK", "pipeline": "default",
        "dealstage": "appointmentscheduled", "amount": "960000",
        "closedate": "2027-01-11T00:00:00Z", "tidemark_company": "55",
        "description": '81 % used; "full" <soon> & so'},
        "amount", "1200000", ("dealstage", "closedlost"), ("tidemark_key", KEY)),
}
for name, (kind, writes, wanted, field, later, taken, key) in WAYS.items():
    crm = kind()
    vendor = Desk(crm, os.path.join(FOLDER, name + ".json"))
    p = vendor.run("check")
    ok(p.returncode == 0 and "crm: in order" in p.stdout, name + ": the sample is in order", p.stderr)

    preview = vendor.run("preview", "-", stdin=json.dumps(summary()) + "\n")
    same(len(crm.log), 0, name + ": preview asks nobody")
    crm.mode = drop_after(writes)
    p = vendor.offer(summary())
    ok(p.returncode == 69 and len(crm.records) == 1 and len(vendor.items("new")) == 1,
       name + ": the answer to the making is lost: the item stays", p.stderr)
    crm.mode = None
    p = vendor.run("push", "--once", "--now")
    same((p.returncode, len(crm.records), vendor.items("new")), (0, 1, []),
         name + ": it is tried again, and there is one record")
    record = {k: v for k, v in crm.records[0].items() if k not in ("id", "Id", "active")}
    same(record, wanted, name + ": the record is what the mapping says")
    # What a lookup tells is not known before; all else is there byte for byte, in this order.
    shown = [line for line in preview.stdout.splitlines() if not line.startswith("#")]
    sent = [body.decode() for _, _, _, body in crm.log if body]
    made = next(b for b in sent if '"DS-200' in b or "array-01" in b and "domain" not in b)
    same([s.replace('"<lookup partner>"', "7").replace("<lookup company>", "55") for s in shown
          if "<record" not in s and made[:60] in s], [made], name + ": preview has shown the very bytes")
    urls = re.findall(r": (GET|POST|PATCH) (\S+?),? ", preview.stdout.replace("\n", " "))
    mine = ["/%s" % crm.records[0].get(i) for i in ("id", "Id")]  # known by an answer alone
    ok(all((method, crm.url + path) in urls for method, path, _, _ in crm.log
           if not path.endswith(tuple(mine))), name + ": ... and where they go", urls)
    ok("crm-token" not in preview.stdout + preview.stderr, name + ": ... without the token")

    vendor.offer(summary(price="1200000", generated_at="2026-11-27T00:05:00Z"))
    same((len(crm.records), crm.records[0][field]), (1, later), name + ": news change the record")
    crm.records[0][taken[0]] = taken[1]
    vendor.offer(summary(price="999", generated_at="2026-12-04T00:05:00Z"))
    same((len(crm.records), crm.records[0][field], vendor.items("new")), (1, later, []),
         name + ": a record that a person has taken in hand stays as it is")

    crm.records.append(dict(crm.records[0], id="twin", Id="twin"))
    if name != "hubspot":  # its property is unique
        p = vendor.offer(summary(price="5", generated_at="2026-12-11T00:05:00Z"))
        ok(p.returncode == 65 and len(vendor.items("dead")) == 1, name + ": two of one key are refused",
           p.stderr, vendor.why())
    crm.close()

# --- what CRMs say no to --------------------------------------------------------------------------------
crm = crm_servers.Salesforce()
vendor = Desk(crm, os.path.join(FOLDER, "salesforce.json"))
unknown = summary()
unknown["customer"]["id"] = "C-9999"
p = vendor.offer(unknown, summary())
ok(p.returncode == 65 and "C-9999 not found" in vendor.why(), "a refusal is told in the CRM's words",
   vendor.why())
same(len(crm.records), 1, "... and those behind it are sent")
two = summary(generated_at="2027-01-01T00:05:00Z")
first, second = json.loads(json.dumps([two["recommendations"][0]] * 2))
first.update(order_by=None, key=KEY + "/a")
second["key"] = KEY + "/b"
two["recommendations"] = [first, second]
p = vendor.offer(two)
ok("/fill/0.5: is wanted there, and missing" in p.stderr, "a missing field is named", p.stderr)
same({r["Tidemark_Key__c"] for r in crm.records},
     {(KEY + k).replace("/", ":") for k in ("", "/b")}, "the device's other needs are offered")
for code, status, word in ((401, 69, "401"), (403, 69, "403"), (503, 69, "503"), (500, 69, "500")):
    crm.mode = lambda r, code=code: reply([{"message": "no"}], code, **{"Retry-After": "600"})
    p = vendor.offer(summary(generated_at="2027-02-%02dT00:00:00Z" % (code % 28 + 1),
                             price=str(code)))
    ok(p.returncode == status and word in p.stderr and len(vendor.items("new")) == 1,
       "%d: the item stays" % code, p.returncode, p.stderr)
    if code in (403, 503):
        held = json.loads(vendor.run("status", "--json").stdout)["targets"][0]["held_until"]
        ok(held is not None, "%d: come again later is honoured" % code, held)
    crm.mode = None
    vendor.run("push", "--once", "--now")
    same(vendor.items("new"), [], "%d: ... and is taken later" % code)
crm.mode = lambda r: reply({}, 302, Location="http://127.0.0.1:1/")
p = vendor.offer(summary(price="77"))
ok(p.returncode == 69 and len(vendor.items("new")) == 1, "no redirect is followed", p.stderr)
crm.mode = None
vendor.run("push", "--once", "--now")
hostile = summary(reason="x" * 9, generated_at="2027-03-01T00:00:00Z")
hostile["product"]["device"] = "a/../../b?x=1#y%00\u5927"
hostile["recommendations"][0]["key"] = "C-1001/../?a=b#c%2f {key}\u5927"
vendor.offer(hostile)
same(crm.records[-1]["Tidemark_Key__c"], "C-1001:..:?a=b#c%2f {key}\u5927",
     "what stands in a name stays a name in the URL")

# --- at a site, and without recommendations ---------------------------------------------------------------
site = Desk(crm, os.path.join(FOLDER, "salesforce.json"), role="site")
n = len(crm.log)
p = site.offer(summary())
same((len(crm.log), site.items("new")), (n, []), "at a site without consent nothing leaves")
site.enable("sales")
site.offer(summary(generated_at="2027-04-01T00:00:00Z", price="12"))
ok(len(crm.log) > n and crm.records[0]["Amount"] == 12, "with consent it goes by the mapping",
   crm.log[n:])
n = len(crm.log)
p = site.offer(summary(recommendations=[], generated_at="2027-04-02T00:00:00Z"))
same((p.returncode, len(crm.log), site.items("new")), (0, n, []), "without a need nobody is asked")

# --- from a drop folder -----------------------------------------------------------------------------------
os.mkdir(vendor.path("box"))
for i in range(2):
    one = summary(generated_at="2027-05-01T00:00:00Z")
    one["product"]["device"] = "array-9%d" % i
    one["recommendations"][0]["key"] = KEY + "/box%d" % i
    vendor.write("box/%064d.json" % i, json.dumps({"specversion": "1.0", "id": "x", "data": one}))
    vendor.write("box/%064d.sig" % i, "webhook-id: x\n")
p = vendor.run("queue", "--now", vendor.path("box"))
same((p.returncode, p.stdout.count("queued ")), (0, 2), "a drop folder is read as a whole")
vendor.run("push", "--once", "--now")
same(len([r for r in crm.records if ":box" in r["Tidemark_Key__c"]]), 2, "... and becomes records")

# --- what is wrong with a file -----------------------------------------------------------------------------
good = json.load(open(os.path.join(FOLDER, "odoo.json")))


def checked(change):
    m = json.loads(json.dumps(good))
    change(m)
    site.write("m.json", json.dumps(m, indent=1))
    p = site.run("check", site.path("m.json"))
    return p.returncode, p.stderr


def at(path, value):
    def change(m):
        for step in path[:-1]:
            m = m[step]
        if value is None:
            del m[path[-1]]
        else:
            m[path[-1]] = value
    return change


vals = ["create", "body", "vals_list", 0]
for what, change, words in (
        ("no key", at(["key"], None), ["key"]),
        ("an unknown member", at(["finds"], {}), ["finds", 'is "find" meant']),
        ("no create", at(["create"], None), ["find and create"]),
        ("upsert beside find", at(["upsert"], good["create"]), ["upsert alone"]),
        ("a method that is none", at(["find", "method"], "DELETE"), ["DELETE", "PATCH"]),
        ("a path of another server", at(["find", "path"], "//evil.example/x"), ["one '/'"]),
        ("an open placeholder", at(["find", "path"], "/x/{key"), ["not closed"]),
        ("a placeholder that is none", at(["find", "path"], "/x/{keys}"), ["keys"]),
        ("a field that no opportunity has", at([*vals, "partner_name"], {"$from": "/custmer/name"}),
         ["/custmer/name", "did you mean 'customer'"]),
        ("a field deep down", at([*vals, "partner_name"], {"$from": "/product/modl"}),
         ["/product/modl", "did you mean 'model'"]),
        ("a format that is none", at([*vals, "expected_revenue"], {"$from": "/key", "format": "numbr"}),
         ["numbr", "did you mean 'number'"]),
        ("a value that is none", at([*vals, "name"], {"$fron": "/key"}), ["$fron", "did you mean '$from'"]),
        ("a lookup that is not there", at([*vals, "partner_id"], {"$lookup": "owner"}), ["owner"]),
        ("a record before one is found", at([*vals, "id"], {"$record": "/id"}), ["only an update"]),
        ("an element outside of $each", at([*vals, "name"], {"$from": "./sku"}), ["outside of $each"]),
        ("$each of what is no array", at([*vals, "name"], {"$each": "/key", "item": 1}), ["no array"]),
        ("a header that splits", at(["headers", "X"], "a\r\nB: c"), ["X"]),
        ("a header of ours", at(["headers", "Host"], "x"), ["Host"]),
        ("a relative secret", at(["headers", "X"], {"file": "x"}), ["absolute"]),
        ("a status that is none", at(["later"], [99]), ["200 to 599"]),
        ("a list that is none", at(["update", "if"], [{"record": "/a", "in": []}]), ["in"])):
    code, told = checked(change)
    ok(code == 65 and re.search(r"m\.json:\d+: ", told) and all(w in told for w in words),
       what + " is named with its line", code, told)
code, told = checked(at([*vals, "lines"], {"$each": "/lines", "item": {"sku": {"$from": "./sku"}}}))
same((code, told), (0, ""), "lines can be mapped one by one")
site.use(site.path("m.json"), token=False)
p = site.run("check")
ok(p.returncode == 78 and "token_file" in p.stderr and "Authorization" in p.stderr,
   "a secret that is not given is named", p.stderr)
site.use(site.path("m.json"), more='batch = 3')
p = site.run("check")
ok(p.returncode == 78 and "batch means nothing beside mapping" in p.stderr, "keys of events are refused",
   p.stderr)

if jsonschema:
    with open(os.path.join(SOURCE, "contrib/schema/mapping.schema.json")) as f:
        validator = jsonschema.Draft202012Validator(json.load(f))
    for name in WAYS:
        with open(os.path.join(FOLDER, name + ".json")) as f:
            same([e.message for e in validator.iter_errors(json.load(f))], [], name + ": fits the schema")
crm.close()
done()
