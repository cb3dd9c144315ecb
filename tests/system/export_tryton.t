#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Recommendations become leads of a real Tryton: once, never over a person's work, and won or lost
is read back."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import erp as tryton  # noqa: E402
from exporting import SOURCE, Site  # noqa: E402
from tap import done, ok, same, skip_all  # noqa: E402

if not tryton.present():
    skip_all("tryton-server is not installed")
erp = tryton.Erp()
proxy = tryton.Proxy(erp)
MODEL = "sale.opportunity"


class Vendor(Site):
    def __init__(self, url, more="", purposes='"sales"', role='role = "vendor"\n'):
        super().__init__(more=role)
        self.write("password", "Exporter-7421\n", 0o600)
        self.configure('target erp { type = "tryton" url = "%s" user = "tidemark"\n'
                       '  password_file = "%s" purposes = { %s } timeout = "20s" %s }\n' % (
                           url, self.path("password"), purposes, more))

    def offer(self, *documents, push=()):
        given = "".join(json.dumps(d) + "\n" for d in documents)
        q = self.run("queue", "--now", "-", stdin=given)
        assert q.returncode == 0, q.stderr
        return self.run("push", "--once", *push)

    def known(self):
        with open(os.path.join(self.state, "export/erp.opportunities.json"), encoding="utf-8") as f:
            return json.load(f)["opportunities"]

    def why(self):
        folder = os.path.join(self.spool, "erp", "dead")
        return "".join(open(os.path.join(folder, n), encoding="utf-8").read()
                       for n in sorted(os.listdir(folder)) if n.endswith(".why"))


def summary(customer="C-1001", device="array-01", lines=(("SHELF-20T", 2, "4800.00"),),
            amount="9600.00", currency="EUR", **changes):
    with open(os.path.join(SOURCE, "contrib/schema/samples/summary.json"), encoding="utf-8") as f:
        s = json.load(f)
    s["customer"].update(id=customer, name="Cedar Print")
    s["product"]["device"] = device
    s["consent"] = {"sales": {"by": "Hanako Sato", "on": "2026-11-01T00:00:00Z"}}
    r = s["recommendations"][0]
    r.update(key="%s/osaka-1/gw/%s/grow/2025-04-01" % (customer, device), confidence=0.87654,
             fill={"0.1": "2027-01-10", "0.5": "2027-02-06", "0.9": "2027-03-13"},
             order_by="2027-01-05", price={"amount": amount, "currency": currency},
             lines=[{"sku": k, "quantity": n, "price": {"amount": p, "currency": currency}}
                    for k, n, p in lines])
    r.update(changes)
    s["recommendations"] = [r]
    return s


def records(device="array-01", *fields):
    return erp.find(MODEL, [["reference", "like", "%%/%s/%%" % device]], "number", "state", "amount",
                    "party.code", "end_date", "conversion_probability", "description", "comment",
                    "employee", "lines", "reference", *fields)


# --- what is refused before anything is sent -----------------------------------------------------
p = Vendor(proxy.url, role="").run("push", "--once")
ok(p.returncode == 78 and "vendor" in p.stderr, "at a customer's site there is no such target", p.stderr)

# --- once ------------------------------------------------------------------------------------------
vendor = Vendor(proxy.url)
lost = []


def lose_create(method):
    """The server creates it, and the answer does not arrive."""
    if method == "model.sale.opportunity.create" and not lost:
        lost.append(method)
        return "lose"
    return None


proxy.mode = lose_create
p = vendor.offer(summary())
same((p.returncode, len(lost), len(records())), (69, 1, 1), "an answer was lost after the record was made")
same(len(vendor.items("new", "erp")), 1, "... the item waits")
p = vendor.run("push", "--once")
same((p.returncode, p.stderr), (0, ""), "the retry goes through")
vendor.run("push", "--once")
p = vendor.offer(summary())
same((p.returncode, len(records())), (0, 1), "after three pushes and a lost answer there is one lead")
o = records()[0]
same((o["party."]["code"], o["state"], o["amount"]["decimal"], tryton.text_of(o["end_date"]),
      o["conversion_probability"], o["employee"]),
     ("C-1001", "lead", "9600.00", "2027-01-05", 0.8765, None),
     "of the right customer, with amount, date and probability, and nobody's yet")
same(o["description"], "array-01 (DS-200): grow, needed about 2027-02-06: 2 × SHELF-20T",
     "its description says what and when")
line, = erp.find(MODEL + ".line", [["opportunity", "=", o["id"]]], "product.code", "quantity")
same((line["product."]["code"], line["quantity"]), ("SHELF-20T", 2.0), "its line is the product")
on = "%s,%d" % (MODEL, o["id"])
notes = erp.find("ir.note", [["resource", "=", on]], "message")
ok(len(notes) == 1 and summary()["recommendations"][0]["reason"] in notes[0]["message"]
   and "used_fraction: 0.81" in notes[0]["message"], "one note holds reasons and figures", notes)
files = erp.find("ir.attachment", [["resource", "=", on]], "name", "data_size")
same(sorted(f["name"] for f in files), ["evidence.png", "summary.json"],
     "chart and summary are attached, once each")
ok(all(f["data_size"] > 1000 for f in files), "... and are not empty", files)
same(vendor.known()[o["reference"]]["state"], "lead", "the vendor's state knows it")

# --- what would be done --------------------------------------------------------------------------------
def preview(*documents):
    given = "".join(json.dumps(d) + "\n" for d in documents)
    p = vendor.run("preview", "--target", "erp", "-", stdin=given)
    calls = [line.partition(" ") for line in p.stdout.splitlines() if line.startswith("model.")]
    return p, [(method, json.loads(text)) for method, _, text in calls]


proxy.calls.clear()
with open(os.path.join(vendor.state, "export/erp.opportunities.json"), encoding="utf-8") as f:
    kept = f.read()
p, calls = preview(summary(device="array-40"), summary(customer="C-9009", device="array-41"))
same((p.returncode, p.stderr, [method for method, _ in calls]),
     (0, "", ["model.sale.opportunity.create", "model.ir.note.create", "model.ir.attachment.create",
              "model.ir.attachment.create", "model.party.party.create", "model.sale.opportunity.create",
              "model.ir.note.create", "model.ir.attachment.create", "model.ir.attachment.create"]),
     "preview shows what would be created: lead, note, attachments, and a customer that is not there")
values = calls[0][1][0][0]
same((values["reference"], values["party"], values["lines"][0][1][0]["quantity"]),
     ("C-1001/osaka-1/gw/array-40/grow/2025-04-01", o["party."]["id"], 2.0), "... with its very values")
ok("/array-40 for erp: summary" in p.stdout and calls[2][1][0][0]["data"]["base64"].endswith("characters)"),
   "... by device, files by their length", p.stdout)
p, calls = preview(summary(lines=(("SHELF-20T", 3, "4800.00"),)))
same([(method, data[0]) for method, data in calls if method.endswith("opportunity.write")],
     [("model.sale.opportunity.write", [o["id"]])], "what is there already would be brought up to date")
with open(os.path.join(vendor.state, "export/erp.opportunities.json"), encoding="utf-8") as f:
    same((f.read(), records("array-40"), len(records()[0]["lines"]), vendor.items("new", "erp")),
         (kept, [], 1, []), "... and nothing is done or noted")
same([m for m in proxy.calls if not m.endswith((".search_read", ".login", ".logout", ".get_preferences"))], [],
     "the server is asked for nothing but what is there")
p = vendor.run("preview", "-", stdin=json.dumps(summary(device="array-40")) + "\n")
ok(p.returncode == 0 and not p.stdout, "unless its target is named, it is not asked at all", p.stdout)

# --- changes -----------------------------------------------------------------------------------------
p = vendor.offer(summary(lines=(("SHELF-40T", 3, "4800"),), amount="14400.005"))
o = records()[0]
same((p.returncode, o["amount"]["decimal"], len(o["lines"])), (0, "14400.01", 1),
     "a lead that nobody touched follows the newer advice, in the currency's digits")
line, = erp.find(MODEL + ".line", [["opportunity", "=", o["id"]]], "product.code", "quantity")
same((line["product."]["code"], line["quantity"]), ("SHELF-40T", 3.0), "... with its lines")
same(len(erp.find("ir.attachment", [["resource", "=", on]], "name")), len(files),
     "... and no second attachment")
erp.call("model.sale.opportunity.write", [o["id"]],
         {"amount": {"__class__": "Decimal", "decimal": "15000.00"}}, user="rep1")
p = vendor.offer(summary(amount="14000.00"))
same((p.returncode, records()[0]["amount"]["decimal"]), (0, "15000.00"),
     "what a person has changed is not rewritten")
vendor.offer(summary(device="array-02", lines=(("CACHE-64G", 1, "950"),), amount="950.00"))
two = records("array-02")[0]
erp.call("model.sale.opportunity.line.write", two["lines"], {"quantity": 4.0}, user="rep1")
vendor.offer(summary(device="array-02", lines=(("CACHE-64G", 2, "950"),), amount="1900.00"))
same(records("array-02")[0]["amount"]["decimal"], "950.00", "... nor one whose line a person changed")


def interfere(method):
    """A person writes between our reading and our writing."""
    if method == "model.sale.opportunity.write" and not interfered:
        interfered.append(erp.call("model.sale.opportunity.write", [three["id"]],
                                   {"description": "mine"}, user="rep1"))
    return None


interfered = []
vendor.offer(summary(device="array-03"))
three = records("array-03")[0]
import time  # noqa: E402
time.sleep(1.1)  # a record's timestamp counts seconds
proxy.mode = interfere
p = vendor.offer(summary(device="array-03", amount="1.00"))
same((p.returncode, len(interfered), records("array-03")[0]["description"],
      records("array-03")[0]["amount"]["decimal"]), (0, 1, "mine", "9600.00"),
     "a person who is faster than we are wins")
proxy.mode = None

# --- won and lost ------------------------------------------------------------------------------------
erp.call("model.sale.opportunity.write", [o["id"]], {"employee": 1}, user="rep1")
erp.press(MODEL, "opportunity", o["id"], user="rep1")
erp.press(MODEL, "convert", o["id"], user="rep1")
sale, = erp.find("sale.sale", [["origin", "=", on]], "id", user="rep1")
erp.call("model.sale.sale.write", [sale["id"]],
         {"warehouse": erp.seed["warehouses"]["FAC"]["warehouse"]}, user="rep1")
erp.press("sale.sale", "quote", sale["id"], user="rep1")
erp.press("sale.sale", "confirm", sale["id"], user="rep1")
erp.call("model.sale.opportunity.write", [two["id"]], {"lost_reason": "bought elsewhere"},
         user="rep1")
erp.press(MODEL, "lost", two["id"], user="rep1")
same(vendor.run("push", "--once").returncode, 0, "a push without items reads states back")
known = vendor.known()
same([(known[x["reference"]]["state"], known[x["reference"]]["lost_reason"]) for x in (o, two)],
     [("won", None), ("lost", "bought elsewhere")], "converted, quoted and confirmed: won; and lost")
p = vendor.run("opportunities")
ok(p.returncode == 0 and "bought elsewhere" in p.stdout and "won" in p.stdout,
   "the vendor can list them", p.stdout, p.stderr)
both = ("array-01", "array-02")
before = [records(d) for d in both]
vendor.offer(summary(amount="1.00"), summary(device="array-02", amount="2.00"))
same([records(d) for d in both], before, "what was won or lost is not offered again")
erp.call("model.sale.opportunity.delete", [three["id"]], user="admin")
vendor.offer(summary(device="array-03", amount="3.00"))
same((records("array-03"), vendor.known()[three["reference"]]["state"]), ([], "deleted"),
     "nor what a person has deleted")

# --- what is no longer advised -------------------------------------------------------------------------


def later(days, advised=(), device="array-30", other=None, **changes):
    s = summary(device=device, **changes)
    s["generated_at"] = "2026-12-%02dT00:00:00Z" % days
    s["status"]["used_bytes"] += days  # else it would be the same document again
    s["recommendations"] = [dict(s["recommendations"][0], key=s["recommendations"][0]["key"].replace(
        "grow", action), action=action) for action in advised]
    return s


def shown(action, device="array-30"):
    o, = [r for r in records(device) if "/%s/" % action in r["reference"]]
    return o["description"].startswith("no longer advised: "), o["conversion_probability"], len(o["lines"])


vendor.offer(later(1, ("grow", "cache")), later(1, ("grow",), "array-31"))
p = vendor.offer(later(2, ("cache",)))
same((p.returncode, shown("grow"), shown("cache")), (0, (True, 0.0, 1), (False, 0.8765, 1)),
     "a lead that is no longer advised says so, at a chance of nothing, and its neighbour does not")
same(shown("grow", "array-31"), (False, 0.8765, 1), "... nor that of another device")
gone, = [r for r in records("array-30") if "/grow/" in r["reference"]]
at = [["resource", "=", "%s,%d" % (MODEL, gone["id"])]]
ok(gone["comment"].startswith("As of 2026-12-02 Tidemark no longer advises this.\n\n")
   and summary()["recommendations"][0]["reason"] in gone["comment"] and gone["state"] == "lead"
   and [n["message"] for n in erp.find("ir.note", at, "message")] == ["Tidemark, 2026-12-02: no longer advised."],
   "... with the day, in its text above the reasons and in our note", gone)
p = vendor.run("opportunities")
ok("%s: no longer advised since 2026-12-02" % gone["reference"] in p.stdout, "the vendor's list has it", p.stdout)
vendor.offer(later(3, ("cache",)))
same([r for r in records("array-30") if "/grow/" in r["reference"]], [gone], "it is said once")
vendor.offer(later(4, ("grow", "cache")))
same(shown("grow"), (False, 0.8765, 1), "advised again, it is as before")
vendor.offer(later(2, ()))
same((shown("grow"), shown("cache")), ((False, 0.8765, 1),) * 2, "an older summary withdraws nothing")
erp.call("model.sale.opportunity.write", [gone["id"]], {"description": "call on Monday"}, user="rep1")
before = [r for r in records("array-30") if "/grow/" in r["reference"]]
p = vendor.offer(later(5, ("cache",)))
same((p.returncode, [r for r in records("array-30") if "/grow/" in r["reference"]]), (0, before),
     "what a person has changed is left to him")
silent = later(6)
del silent["recommendations"]
vendor.offer(silent)
same(shown("cache"), (False, 0.8765, 1), "a summary without advice says nothing")


def once_meanwhile(method):
    """A person writes between our reading and our writing."""
    if method == "model.sale.opportunity.write" and not meanwhile:
        meanwhile.append(erp.call("model.sale.opportunity.write", [mine["id"]],
                                  {"description": "mine"}, user="rep1"))
    return None


meanwhile = []
mine, = records("array-31")
time.sleep(1.1)
proxy.mode = once_meanwhile
vendor.offer(later(7, (), "array-31"))
proxy.mode = None
same((len(meanwhile), records("array-31")[0]["description"], shown("grow", "array-31")[1]),
     (1, "mine", 0.8765), "a person who is faster wins here too")

# --- customers and products ------------------------------------------------------------------------------
vendor.offer(summary(customer="acme", device="array-05"))
same(records("array-05")[0]["party."]["code"], "C-1001", "a customer is found by its identifier too")
p = vendor.offer(summary(customer="C-3003", device="array-06"),
                 summary(customer="C-3003", device="array-07"))
made = erp.find("party.party", [["code", "=", "C-3003"]], "name")
same(([x["name"] for x in made], records("array-07")[0]["party."]["code"]),
     (["Cedar Print"], "C-3003"), "an unknown customer is created, once")
p = vendor.offer(summary(device="array-08", currency="JPY", amount="13200000",
                         lines=(("SHELF-20T", 1, "1"), ("NO-SUCH", 2, "1"))))
o = records("array-08")[0]
ok(p.returncode == 0 and "NO-SUCH" in p.stderr and "NO-SUCH" in o["comment"] and len(o["lines"]) == 1,
   "an SKU that is not known is named, at both ends", p.stderr, o)
ok(o["amount"] is None and "JPY 13200000" in o["comment"],
   "an amount in another currency is told, not taken for ours", o)
strict = Vendor(proxy.url, "create_parties = no")
p = strict.offer(summary(customer="C-4004", device="array-09"))
ok(p.returncode == 65 and "C-4004" in strict.why() and len(strict.items("dead", "erp")) == 1,
   "where that is not allowed, the item is in dead/ with the reason", p.stderr)
erp.call("model.party.party.create", [{"name": "One", "identifiers": [["create", [{"code": "X-1"}]]]},
                                      {"name": "Two", "code": "X-1"}])
strict.offer(summary(customer="X-1", device="array-10"))
ok("two parties" in strict.why() and not records("array-10"), "of two parties neither is guessed",
   strict.why())

# --- what the server may say --------------------------------------------------------------------------------
proxy.mode = lambda m: ((200, b'{"id":1,"error":["UserError",["The address is wrong.","",null]]}')
                        if m == "model.sale.opportunity.create" else None)
p = strict.offer(summary(device="array-11"))
ok(p.returncode == 65 and "The address is wrong." in strict.why(),
   "an error in a 200 answer goes to dead/ with its text", p.stderr)
expired = []
proxy.mode = lambda m: ((401, b"<html>") if m == "model.sale.opportunity.create"
                        and not expired.append(m) and len(expired) == 1 else None)
p = strict.offer(summary(device="array-12"))
same((p.returncode, len(records("array-12")), proxy.calls.count("common.db.login") > 1), (0, 1, True),
     "a session that has ended is opened once more")
proxy.mode = lambda m: (503, b"") if "create" in m else None
p = strict.offer(summary(device="array-13"))
same((p.returncode, len(strict.items("new", "erp"))), (69, 1), "a server in trouble: the item waits")
proxy.mode = lambda m: (200, b'{"error":["DatabaseOperationalError","database is locked"]}') \
    if "create" in m else None
p = strict.run("push", "--once")
same((p.returncode in (69, 75), len(strict.items("new", "erp"))), (True, 1),
     "... as with a data base that is locked")
proxy.mode = None
same((strict.run("push", "--once").returncode, len(records("array-13"))), (0, 1), "and is sent then")
strict.write("password", "wrong-password\n", 0o600)
p = strict.offer(summary(device="array-14"))
ok(p.returncode == 69 and "password" in p.stderr and "wrong-password" not in p.stderr,
   "a wrong password stops it, and is not told", p.stderr)
same(len(strict.items("new", "erp")), 1, "... nothing is lost by that")
strict.write("password", "Exporter-7421\n", 0o600)
same((strict.run("push", "--once", "--trigger", "timer").returncode, len(records("array-14"))), (0, 1),
     "... and the timer goes on once it is right")
proxy.mode = lambda m: (200, b'{"error":["Database \'crm\' doesn\'t exist!",""]}')
p = strict.offer(summary(device="array-16"))
proxy.mode = None
ok(p.returncode == 69 and "doesn't exist" in p.stderr and len(strict.items("new", "erp")) == 1,
   "a data base that is away: the item waits for it", p.stderr)

# A group is taken from our user: that is nothing that the items could help.
user, = erp.find("res.user", [["login", "=", "tidemark"]], "groups", user="admin")
sales = erp.find("res.group", [["name", "in", ["Sale Opportunity", "Sales"]]], "id", user="admin")
sales = [g["id"] for g in sales if g["id"] in user["groups"]]
erp.call("model.res.user.write", [user["id"]], {"groups": [["remove", sales]]}, user="admin")
p = strict.offer(summary(device="array-17"))
ok(p.returncode == 69 and "not allowed" in p.stderr and len(strict.items("new", "erp")) == 2,
   "rights that are missing: told, and the items wait", p.stderr)
erp.call("model.res.user.write", [user["id"]], {"groups": [["add", sales]]}, user="admin")
same((strict.run("push", "--once").returncode, len(records("array-17"))), (0, 1), "... until they are given")

# --- one writer ---------------------------------------------------------------------------------------------
import threading  # noqa: E402
both = [Vendor(proxy.url) for _ in range(2)]
for v in both[1:]:
    v.state = both[0].state
    v.configure('target erp { type = "tryton" url = "%s" user = "tidemark" password_file = "%s"\n'
                'purposes = { "sales" } }\n' % (proxy.url, v.path("password")))
document = json.dumps(summary(customer="C-5005", device="array-15")) + "\n"
for v in both:
    v.run("queue", "--now", "-", stdin=document)
threads = [threading.Thread(target=v.run, args=("push", "--once")) for v in both]
for t in threads:
    t.start()
for t in threads:
    t.join()
same((len(records("array-15")), len(erp.find("party.party", [["code", "=", "C-5005"]], "id"))), (1, 1),
     "two writers at the same moment make one record")

# --- killed ---------------------------------------------------------------------------------------------------
import random  # noqa: E402
import subprocess  # noqa: E402
from exporting import EXPORT  # noqa: E402
random.seed(7)
v = Vendor(proxy.url)
v.run("queue", "--now", "-", stdin="".join(
    json.dumps(summary(customer="C-6006", device="array-2%d" % i)) + "\n" for i in range(4)))
for _ in range(8):
    push = subprocess.Popen([EXPORT, "push", "-c", v.conf, "--once"], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
    time.sleep(random.uniform(0.05, 0.5))
    push.kill()
    push.wait()
p = v.run("push", "--once")
count = [len(records("array-2%d" % i)) for i in range(4)]
on = ["%s,%d" % (MODEL, records("array-2%d" % i)[0]["id"]) for i in range(4)]
attached = erp.find("ir.attachment", [["resource", "in", on]], "name")
notes = erp.find("ir.note", [["resource", "in", on]], "id")
same((p.returncode, count, len(attached), len(notes),
      len(erp.find("party.party", [["code", "=", "C-6006"]], "id"))), (0, [1] * 4, 8, 4, 1),
     "killed at any moment: one customer, one lead, one note and each file once")
proxy.close()
erp.stop()
done()
