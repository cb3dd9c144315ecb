#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A desk whose factory is a real Tryton: inquiries answered from its stock, kept while it is down, goods
assigned there when the customer has agreed, and given back when the item is lost."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.environ.setdefault("SOURCE", os.getcwd()), "tests/lib"))
os.environ.setdefault("BUILD", os.path.join(os.environ["SOURCE"], "build"))
import erp as tryton  # noqa: E402
from desk_factory import FactoryDesk, day, furnish  # noqa: E402
from tap import done, ok, same, skip_all  # noqa: E402
from waiting import wait_for  # noqa: E402

if not tryton.present():
    skip_all("tryton-server is not installed")
erp = tryton.Erp()
password = os.path.join(erp.folder, "password")
with open(password, "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as f:
    f.write("Exporter-7421\n")
desk = FactoryDesk(None, 'factory { backend = "tryton" url = "%s" user = "tidemark" password_file = "%s" }' % (
    erp.url, password)).start()
furnish(desk)
desk.table("shops", "shop,name,kind\nRN,Retail North,shop\nRS,Retail South,shop\n")
desk.table("stock", "shop,sku,quantity\nRN,SHELF-20T,0\nRN,SHELF-40T,0\nRN,CACHE-64G,0\n")
desk.fill()
number = desk.item()["id"]


def ask(sku, quantity=1, shop="RN"):
    status, to, page = desk.form("mori", "/items/%d/inquiry" % number, sku=sku, quantity=quantity, shop=shop)
    return to.rsplit("/", 1)[1] if status == 303 else page


def said(row):
    line = row["answer"]["lines"][0]
    return (line["at"]["shop"], line["at"]["on"], line["sooner"]["shop"] if "sooner" in line else None)


def hold(name, wanted, seconds=30):
    until = time.monotonic() + seconds
    while True:
        row = desk.get("mori", "/api/v1/inquiries/" + name)[1]
        if row["hold"] == wanted or time.monotonic() > until:
            return row
        time.sleep(0.2)


def shipments(name, *states):
    return [s["number"] for s in erp.find("stock.shipment.internal", [
        ["reference", "=", "tidemark:inquiry:" + name], ["state", "in", list(states)]], "number")]


# --- where it is ------------------------------------------------------------------------------------
first = desk.inquiry("mori", ask("SHELF-20T", 2))
same((said(first), first["answered_by"], first["from"]), (("RN", day(0), None), "Tryton", {"RN": "stock: 2 free there"}),
     "in stock at the shop: Tryton answers today")
same(said(desk.inquiry("mori", ask("SHELF-20T", 3))), ("RN", day(2), None), "at the factory: the days of the transfer")
same(said(desk.inquiry("mori", ask("SHELF-40T", 4))), ("RN", day(23), None), "nowhere: lead time and transfer")
same(said(desk.inquiry("mori", ask("SHELF-20T", 2, "RS"))), ("RS", day(4), "RN"), "another shop has it sooner")

# --- down, and killed ----------------------------------------------------------------------------------
erp.stop()
waits = [ask("SHELF-20T"), ask("CACHE-64G", 1, "RS")]


def asked():
    return [desk.get("mori", "/api/v1/inquiries/" + n)[1] for n in waits]


wait_for(lambda: all(r["error"] for r in asked()))
rows = asked()
ok(all(r["state"] == "open" and r["error"] for r in rows), "a factory that is down: the inquiries wait, and say why", rows)
desk.kill()
erp.start()
desk.start()
wait_for(lambda: all(r["state"] == "answered" for r in asked()))
same([r["state"] for r in asked()], ["answered"] * 2, "an inquiry during the factory's restart, and the desk's own, is not lost")

# --- agreed --------------------------------------------------------------------------------------------
name = first["inquiry"]
same(desk.form("mori", "/inquiries/%s/agree" % name, shop="RN", who="A. Sato", on=day(0))[0], 303, "the customer agrees")
row = hold(name, "held")
same((row["hold"], row["shipments"], row["item_state"]), ("held", ", ".join(shipments(name, "assigned")), "agreed"),
     "after agreed the goods are assigned in Tryton, under its numbers")
same(said(desk.inquiry("mori", ask("SHELF-20T"))), ("RN", day(2), None), "and no other inquiry gets them")
status, note = desk.get("mori", "/inquiries/%s/note" % name, False)
ok(status == 200 and row["shipments"] in note and row["hold_number"] in note, "the pick-up note has both numbers", note)
other = desk.inquiry("mori", ask("SHELF-40T", 4))["inquiry"]
desk.form("mori", "/inquiries/%s/agree" % other, shop="RN", who="A. Sato", on=day(0))
row = hold(other, "refused")
ok(row["hold"] == "refused" and "cannot be reserved" in row["hold_error"] and not shipments(other, "assigned"),
   "what is not in stock is agreed, but not reserved, and the page says so", row)
ok("agree again when they have come" in desk.get("mori", "/inquiries/" + other, False)[1], "... with what to do about it")
planner = desk.get("okada", "/factory", False)[1]
ok("1 agreed sale is not reserved" in planner and " of 4 are in stock" in planner, "the planner sees it, with what lacks",
   planner)

# --- given back ----------------------------------------------------------------------------------------
desk.form("mori", "/inquiries/%s/release" % name)
row = hold(name, "released")
same((row["hold"], shipments(name, "assigned"), len(shipments(name, "cancelled"))), ("released", [], 1), "given back: cancelled in Tryton")
again = desk.inquiry("mori", ask("SHELF-20T", 2))
same(said(again), ("RN", day(0), None), "and offered again")
name = again["inquiry"]
desk.form("mori", "/inquiries/%s/agree" % name, shop="RN", who="A. Sato", on=day(0))
hold(name, "held")
version = desk.get("mori", "/api/v1/items/%d" % number)[1]["item"]["version"]
same(desk.form("mori", "/items/%d/state" % number, to="lost", reason="too dear", version=version)[0], 303, "the item is lost")
row = hold(name, "released")
same((row["hold"], shipments(name, "assigned")), ("released", []), "which gives back what was kept for it, in Tryton too")
ok("not reserved" not in desk.get("okada", "/factory", False)[1].lower().split("</h1>")[1].split("</p>")[0],
   "and the planner is not told of it any more")
same(desk.stop(), 0, "the desk ends well")
log = [line for line in desk.log().splitlines() if "does not answer" not in line and "answers again" not in line]
same(log, [], "nothing else went to the log")
done()
