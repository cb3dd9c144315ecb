#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Inquiries against the stock of a real Tryton: at the shop, at the factory, nowhere; answered once;
reserved when agreed and released when lost."""
import datetime
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import erp as tryton  # noqa: E402
from exporting import SOURCE, Site  # noqa: E402
from tap import done, ok, same, skip_all  # noqa: E402

try:
    import jsonschema
except ImportError:
    skip_all("python3-jsonschema is not installed")
if not tryton.present():
    skip_all("tryton-server is not installed")
erp = tryton.Erp()
TODAY = datetime.datetime.now(datetime.timezone.utc).date()
with open(os.path.join(SOURCE, "contrib/schema/answer.schema.json"), encoding="utf-8") as f:
    SCHEMA = json.load(f)


def vendor(more="", purposes='"factory"', role='role = "vendor"\n'):
    site = Site(more=role)
    site.write("password", "Exporter-7421\n", 0o600)
    with open(site.conf, encoding="utf-8") as conf:
        text = conf.read().replace("Asia/Tokyo", "UTC")
    site.write("t.conf", text + 'target erp { type = "tryton" url = "%s" user = "tidemark"\n'
               '  password_file = "%s" purposes = { %s } timeout = "20s" %s }\n' % (
                   erp.url, site.path("password"), purposes, more))
    return site


def inquiry(identity, shop, *lines, **more):
    return json.dumps({"schema": "tidemark.inquiry/1", "id": identity, "by": "K. Mori",
                       "asked_at": "2026-11-20T02:04:00Z", "shop": shop,
                       "lines": [{"sku": k, "quantity": n} for k, n in lines], **more}) + "\n"


def day(n):
    return (TODAY + datetime.timedelta(days=n)).isoformat()


v = vendor()


def ask(*text):
    p = v.run("inquire", "-", stdin="".join(text))
    return p, [json.loads(line) for line in p.stdout.splitlines()]


def said(answer, i=0):
    line = answer["lines"][i]
    return (line["at"]["shop"], line["at"]["on"], line["at"]["quantity"],
            line["sooner"]["shop"] if "sooner" in line else None, line["stock"])


# --- where it is, and where not ----------------------------------------------------------------------
p, answers = ask(inquiry("Q-1", "RN", ("SHELF-20T", 2)), inquiry("Q-2", "RN", ("SHELF-20T", 3)),
                 inquiry("Q-3", "RN", ("SHELF-40T", 4)), inquiry("Q-4", "RS", ("SHELF-20T", 2)),
                 inquiry("Q-5", "Retail South", ("CACHE-64G", 1), ("TRAY-500", 30)))
same((p.returncode, p.stderr, len(answers)), (0, "", 5), "five inquiries, five answers")
for a in answers:
    jsonschema.validate(a, SCHEMA)
same(said(answers[0]), ("RN", day(0), 2, None, 2), "in stock at the shop: today")
same(said(answers[1]), ("RN", day(2), 3, None, 2), "at the factory: the days of the transfer")
same(said(answers[2]), ("RN", day(23), 4, None, 0), "nowhere: lead time and transfer")
same(said(answers[3]), ("RS", day(4), 2, "RN", 0), "another shop has it sooner")
same([said(answers[4], i) for i in (0, 1)],
     [("Retail South", day(0), 1, None, 1), ("Retail South", day(7), 30, "Retail North", 0)],
     "several lines; a shop is named as it was asked for")
same(answers[4]["complete_on"], day(7), "the last of them says when all are there")

# --- what is refused ------------------------------------------------------------------------------------
for name, text, word in (
        ("a shop that is not there", inquiry("Q-6", "RX", ("SHELF-20T", 1)), "did you mean"),
        ("an unknown SKU", inquiry("Q-7", "RN", ("SHELF-99T", 1)), "SHELF-99T"),
        ("no pieces", inquiry("Q-8", "RN", ("SHELF-20T", 0)), "lines[0]"),
        ("an id with a path", inquiry("../Q-9", "RN", ("SHELF-20T", 1)), "id"),
        ("another inquiry of the same id", inquiry("Q-1", "RS", ("SHELF-20T", 2)), "Q-1")):
    p, answers = ask(text, inquiry("Q-2", "RN", ("SHELF-20T", 3)))
    ok(p.returncode == 65 and word in p.stderr and p.stderr.count("\n") == 1 and len(answers) == 1,
       "%s is refused, and the next one answered" % name, p.returncode, p.stderr, p.stdout)

# --- once -----------------------------------------------------------------------------------------------
out = erp.find("stock.location", [["code", "=", "RN-OUT"]], "id")[0]["id"]
storage = erp.seed["warehouses"]["RN"]["storage"]


def move_away(sku, quantity):
    """Goods leave the shop's shelf."""
    product = erp.seed["products"][sku]
    made = erp.call("model.stock.shipment.internal.create", [{
        "company": 1, "from_location": storage, "to_location": out, "moves": [["create", [{
            "product": product, "uom": 1, "quantity": quantity, "from_location": storage,
            "to_location": out, "company": 1}]]]}])
    erp.press("stock.shipment.internal", "wait", *made)
    assert erp.press("stock.shipment.internal", "assign_try", *made)
    return made


before = ask(inquiry("Q-10", "RN", ("TRAY-500", 6)))[1][0]
taken = move_away("TRAY-500", 6.0)
again = ask(inquiry("Q-10", "RN", ("TRAY-500", 6)))[1][0]
same(again, before, "the same inquiry again gets the answer that is stored")
same(said(ask(inquiry("Q-11", "RN", ("TRAY-500", 6)))[1][0]), ("RN", day(2), 6, None, 0),
     "a new one sees that the goods are gone")
erp.press("stock.shipment.internal", "cancel", *taken)

# --- a factory that is away ---------------------------------------------------------------------------------
erp.stop()
p, answers = ask(inquiry("Q-12", "RN", ("SHELF-20T", 1)), inquiry("Q-13", "RN", ("SHELF-20T", 1)))
ok(p.returncode == 69 and answers == [] and "Q-12: stays open" in p.stderr, "the ERP is away: told",
   p.stderr)
erp.start()
p = v.run("inquire")
same((p.returncode, [json.loads(x)["inquiry"] for x in p.stdout.splitlines()]),
     (0, ["Q-12", "Q-13"]), "when it is back, those that were open are answered")

# --- answers from elsewhere -----------------------------------------------------------------------------------
late = dict(before, answered_at="2999-01-01T00:00:00Z", by="F. Okada")
p = v.run("inquire", "--answer", "-", stdin=json.dumps(late) + "\n")
same((p.returncode, p.stdout), (0, "answered Q-10\n"), "a later answer of the factory's people stands")
p = v.run("inquire", "--answer", "-", stdin=json.dumps(late) + "\n" + json.dumps(before) + "\n")
same((p.returncode, p.stdout), (0, "known Q-10\nknown Q-10\n"), "repeated, or older: stored once")
p = v.run("inquire", "--answer", "-", stdin=json.dumps(dict(late, inquiry="Q-99")) + "\n")
ok(p.returncode == 65 and "Q-99" in p.stderr
   and os.path.exists(os.path.join(v.state, "inquiries/strange/Q-99.json")),
   "an answer that nobody asked for is kept apart and told", p.stderr)

# --- reservation ------------------------------------------------------------------------------------------------
key = "C-1001/osaka-1/gw/array-01/grow/2025-04-01"
ask(inquiry("Q-20", "RN", ("SHELF-20T", 5), recommendation=key))
p = v.run("inquire", "--agree", "Q-20")
same((p.returncode, p.stdout), (0, "reserved Q-20 until %s\n" % day(14)), "agreed: reserved")
ships = erp.find("stock.shipment.internal", [["reference", "=", "tidemark:inquiry:Q-20"]], "state",
                 "from_location", "to_location")
same([x["state"] for x in ships], ["assigned", "assigned"],
     "what is at the shop and what is at the factory is assigned")
same(said(ask(inquiry("Q-21", "RN", ("SHELF-20T", 1)))[1][0]), ("RN", day(2), 1, None, 0),
     "no other inquiry gets it")
v.run("inquire", "--agree", "Q-20")
same(len(erp.find("stock.shipment.internal", [["reference", "=", "tidemark:inquiry:Q-20"]], "id")), 2,
     "agreed twice is reserved once")
p = v.run("inquire", "--agree", "Q-3")
ok(p.returncode == 75 and "cannot be reserved" in p.stderr
   and not erp.find("stock.shipment.internal", [["reference", "=", "tidemark:inquiry:Q-3"],
                                                ["state", "!=", "cancelled"]], "id"),
   "what is not in stock is not reserved, and nothing of it", p.stderr)
p = v.run("inquire", "--list")
ok(p.returncode == 0 and "reserved  Q-20" in p.stdout and "refused   Q-6" in p.stdout
   and "sooner: RN" in p.stdout, "all of it can be listed", p.stdout)
p = v.run("inquire", "--release", "Q-20")
same((p.returncode, p.stdout), (0, "released Q-20: lost\n"), "lost: released")
same(said(ask(inquiry("Q-22", "RN", ("SHELF-20T", 2)))[1][0]), ("RN", day(0), 2, None, 2),
     "... and others get it again")
p = v.run("inquire", "--answer", "-", stdin=json.dumps(dict(late, inquiry="Q-20")) + "\n")
ok("late" in p.stdout, "an answer after that is called late", p.stdout)

# What the CRM knows ends a reservation too; and its day.
ask(inquiry("Q-30", "RN", ("SHELF-20T", 1), recommendation=key), inquiry("Q-31", "RN", ("CACHE-64G", 1)))
v.run("inquire", "--agree", "Q-30")
p = v.run("inquire", "--agree", "Q-31", "--until", day(-1))
os.makedirs(os.path.join(v.state, "export"), exist_ok=True)
with open(os.path.join(v.state, "export/erp.opportunities.json"), "w", encoding="utf-8") as f:
    json.dump({"opportunities": {key: {"id": 1, "state": "lost"}}}, f)
p = v.run("inquire")
same((p.returncode, p.stdout), (0, "released Q-30: lost\nreleased Q-31: expired\n"),
     "a lost opportunity, and a day that is over, release what was reserved")
same(erp.find("stock.shipment.internal", [["reference", "like", "tidemark:%"],
                                          ["state", "!=", "cancelled"]], "id"), [],
     "nothing stays behind in Tryton")

# --- roles -------------------------------------------------------------------------------------------------------
p = Site().run("inquire", "-", stdin=inquiry("Q-1", "RN", ("SHELF-20T", 1)))
same(p.returncode, 78, "a customer's site has no ERP to ask")
v = vendor(purposes='"sales"')
same(ask(inquiry("Q-1", "RN", ("SHELF-20T", 1)))[0].returncode, 78, "nor has a target without factory")
v = vendor(more='factory = "FAX"')
p = ask(inquiry("Q-1", "RN", ("SHELF-20T", 1)))[0]
ok(p.returncode == 65 and "FAC" in p.stderr, "a factory that is not there is named", p.stderr)
erp.stop()
done()
