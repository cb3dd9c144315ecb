#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the analyzer says the factory should have ready becomes a real Tryton's forecast, and its
supply run makes purchase requests of it; each issue replaces the last."""
import datetime
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import erp as tryton  # noqa: E402
import summaries as made  # noqa: E402
from exporting import BUILD, Site  # noqa: E402
from tap import done, ok, same, skip_all  # noqa: E402

if not tryton.present():
    skip_all("tryton-server is not installed")
erp = tryton.Erp()
TODAY = datetime.datetime.now(datetime.timezone.utc).date()
MONDAY = TODAY - datetime.timedelta(days=TODAY.weekday())
v = Site(more='role = "vendor"\n')
v.write("password", "Exporter-7421\n", 0o600)
v.configure('target erp { type = "tryton" url = "%s" user = "tidemark" password_file = "%s"\n'
            '  purposes = { "factory" } timeout = "20s" }\n' % (erp.url, v.path("password")))


def week(n):
    return (MONDAY + datetime.timedelta(weeks=n)).isoformat()


def demand(*lines, at=0):
    return json.dumps({
        "schema": "tidemark.demand/1", "from": week(0), "weeks": 26, "summaries": 9,
        "generated_at": (TODAY + datetime.timedelta(days=at)).isoformat() + "T00:10:00Z",
        "lines": [{"sku": sku, "shop": shop, "week": "x", "week_start": week(n), "low": 0,
                   "middle": int(q), "high": int(q) + 2, "expected": q, "customers": 3}
                  for sku, shop, n, q in lines]}) + "\n"


def give(*lines, at=0, args=()):
    return v.run("demand", *args, "-", stdin=demand(*lines, at=at))


def forecasts():
    """{(warehouse, week): (state, {sku: quantity})}"""
    found = erp.find("stock.forecast", [["to_date", ">=", tryton.date(week(0))]], "warehouse.code",
                     "from_date", "state")
    lines = erp.find("stock.forecast.line", [["forecast", "in", [f["id"] for f in found]]],
                     "forecast", "product.code", "quantity")
    return {(f["warehouse."]["code"], tryton.text_of(f["from_date"])):
            (f["state"], {x["product."]["code"]: x["quantity"] for x in lines
                          if x["forecast"] == f["id"]}) for f in found}


# --- an issue -------------------------------------------------------------------------------------------
p = give(("SHELF-20T", None, 1, 10), ("CACHE-64G", None, 1, 0.4), ("CACHE-64G", None, 2, 0.4),
         ("TRAY-500", "RN", 3, 2))
same((p.returncode, p.stdout, p.stderr),
     (0, "issue 1 erp: 3 written, 0 unchanged, 0 taken back, 0 left\n", ""), "the first issue")
same(forecasts(), {("FAC", week(1)): ("done", {"SHELF-20T": 10.0}),
                   ("FAC", week(2)): ("done", {"CACHE-64G": 1.0}),
                   ("RN", week(3)): ("done", {"TRAY-500": 2.0})},
     "is confirmed by warehouse, week and SKU, in whole pieces; who has no shop is the factory's")
note, = erp.find("ir.note", [["resource", "like", "stock.forecast,%"], ["message", "like", "%SHELF%"]],
                 "message")
ok(note["message"].startswith("Tidemark demand, issue 1 of ") and "high 12" in note["message"],
   "a note says which issue it is, and how sure", note)

# --- and what the factory makes of it --------------------------------------------------------------------
wizard, *_ = erp.call("wizard.stock.supply.create", user="factory")
erp.call("wizard.stock.supply.execute", wizard, {"start": {}}, "create_", user="factory")
requests = erp.find("purchase.request", [], "product.code", "quantity", "warehouse.code",
                    user="factory")
same([(r["product."]["code"], r["quantity"], r["warehouse."]["code"]) for r in requests
      if r["product."]["code"] == "SHELF-20T"], [("SHELF-20T", 13.0, "FAC")],
     "its supply run asks for what is missing: 12 there, 10 wanted, filled up to 15")

# --- the next ones ---------------------------------------------------------------------------------------
p = give(("SHELF-20T", None, 1, 10), ("CACHE-64G", None, 1, 0.4), ("CACHE-64G", None, 2, 0.4),
         ("TRAY-500", "RN", 3, 2), at=1)
same(p.stdout, "issue 1 erp: 0 written, 3 unchanged, 0 taken back, 0 left\n",
     "the same figures are the same issue, and nothing is written")
p = give(("SHELF-20T", None, 1, 4), ("SHELF-40T", None, 5, 1), ("TRAY-500", "RN", 3, 2), at=1)
same(p.stdout, "issue 2 erp: 2 written, 1 unchanged, 1 taken back, 0 left\n",
     "another one has the next number")
same(forecasts(), {("FAC", week(1)): ("done", {"SHELF-20T": 4.0}),
                   ("FAC", week(5)): ("done", {"SHELF-40T": 1.0}),
                   ("RN", week(3)): ("done", {"TRAY-500": 2.0})},
     "and replaces the last: changed, added, left, and taken back what was lost")
p = give(("SHELF-20T", None, 1, 99), at=0)
ok(p.returncode == 65 and "older than issue 2" in p.stderr, "an older one is refused", p.stderr)
p = give(("SHELF-20T", None, 1, 4), ("SHELF-40T", None, 5, 1), ("TRAY-500", "RN", 3, 2), at=1,
         args=("--figure", "high"))
same(forecasts()[("FAC", week(5))], ("done", {"SHELF-40T": 3.0}), "the cautious figure can be taken")

# --- what fails in the middle ------------------------------------------------------------------------------
proxy = tryton.Proxy(erp)
calls = []
proxy.mode = lambda m: "lose" if m.endswith("forecast.confirm") and not calls.append(m) \
    and len(calls) == 1 else None
with open(v.conf, encoding="utf-8") as f:
    direct = f.read()
v.write("t.conf", direct.replace(erp.url, proxy.url))
more = [("SHELF-20T", None, 1, 4), ("SHELF-20T", None, 7, 3), ("SHELF-40T", None, 8, 2)]
p = give(*more, at=2)
ok(p.returncode == 69 and p.stdout == "", "the answer to a confirmation is lost: told", p.stderr)
p = give(*more, at=2)
v.write("t.conf", direct)
proxy.close()
same((p.returncode, p.stdout.split(":")[0]), (0, "issue 4 erp"), "the same again is the same issue")
same(forecasts(), {("FAC", week(n)): ("done", {sku: float(q)}) for sku, _, n, q in more},
     "... and nothing is doubled, nothing missing")

# --- people -------------------------------------------------------------------------------------------------
mine = erp.call("model.stock.forecast.create", [{
    "warehouse": 5, "destination": 7, "company": 1, "from_date": tryton.date(week(10)),
    "to_date": tryton.date(week(11)), "lines": [["create", [
        {"product": 1, "uom": 1, "quantity": 50.0, "minimal_quantity": 1}]]]}], user="factory")
erp.press("stock.forecast", "confirm", *mine, user="factory")
p = give(*more, ("SHELF-20T", None, 10, 1), ("NO-SUCH", None, 12, 1), ("TRAY-500", "RX", 12, 1), at=3)
ok(p.returncode == 65 and "a person's forecast" in p.stderr and "NO-SUCH" in p.stderr
   and "'RX'" in p.stderr and p.stderr.count("\n") == 3,
   "a planner's own forecast stays; an unknown SKU and shop are named", p.stderr)
same((forecasts()[("FAC", week(10))], len(forecasts())), (("done", {"SHELF-20T": 50.0}), 4),
     "... and all else is given")

# --- the whole road, from summaries ----------------------------------------------------------------------------
with open(v.path("shops.json"), "w", encoding="utf-8") as f:
    json.dump({"schema": "tidemark.shops/1", "otherwise": "RN", "shops": {"C-1": "RS"}}, f)
advice = [made.summary(customer="C-%d" % i, used=110, growth=0.2, fill=(40, 50, 60),
                       recommendations=[{
                           "key": "C-%d/osaka-1/h/d/grow/2025-04-01" % i, "action": "grow",
                           "lines": [{"sku": "SHELF-20T", "quantity": 2}], "reason": "",
                           "order_by": week(2),
                           "fill": {"0.1": week(3), "0.5": week(4), "0.9": week(5)}}])
          for i in range(4)]
lost = advice[0]["recommendations"][0]["key"]
os.makedirs(os.path.join(v.state, "export"), exist_ok=True)


def analyzed(*summaries):
    text = "".join(json.dumps(s) + "\n" for s in summaries)
    p = v.run("opportunities", "--open", "-", stdin=text)
    assert p.returncode == 0, p.stderr
    q = subprocess.run([os.path.join(BUILD, "tidemark-analyze"), "demand", "-c", v.conf, "--shops",
                        v.path("shops.json"), "--as-of", (TODAY + datetime.timedelta(days=4)).isoformat()],
                       input=p.stdout, capture_output=True, text=True, check=False, timeout=60)
    assert q.returncode == 0, q.stderr
    return v.run("demand", "-", stdin=q.stdout)


def pieces():
    return sum(sum(goods.values()) for (shop, _), (_, goods) in forecasts().items() if shop != "FAC")


p = analyzed(*advice)
same((p.returncode, {s for s, _ in forecasts()}), (0, {"RN", "RS", "FAC"}),
     "summaries, demand and forecast in a pipe: the customers' shops")
before = pieces()
with open(os.path.join(v.state, "export/erp.opportunities.json"), "w", encoding="utf-8") as f:
    json.dump({"opportunities": {lost: {"id": 1, "state": "lost"}}}, f)
p = analyzed(*advice)
ok(p.returncode == 0 and 0 < pieces() < before, "what was lost is taken back", before, pieces())
same(Site().run("demand", "-", stdin=demand()).returncode, 78, "a customer's site has no ERP")
erp.stop()
done()
