#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Asking the factory, from its own stock: who can hand over what, where and when; the answer comes to who
asked; what a customer has agreed to is kept, and nobody else gets it. On both databases."""
import json
import os
import re
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ.setdefault("SOURCE", os.getcwd()), "tests/lib"))
os.environ.setdefault("BUILD", os.path.join(os.environ["SOURCE"], "build"))
from databases import on_both_databases  # noqa: E402
from desk_factory import FactoryDesk, day, event_of, furnish, summary  # noqa: E402
from tap import done, ok, same, skip  # noqa: E402
from waiting import wait_for  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None

STOCK = "OSA,DS-100,2\nFAC,DS-400,4\nOSA,DS-800,0\nNGO,NX-24,1\nOSA,SPECIAL-1,0\nNGO,ML-48,1\nOSA,PX-900,1\nOSA,PC-4,3\n"


class Stream:
    """What is told to a person while they look: server-sent events, read as they come."""

    def __init__(self, desk, login):
        self.socket = socket.create_connection(("127.0.0.1", desk.port), 20)
        self.socket.sendall(("GET /inquiries/events HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nCookie: %s\r\n\r\n" % (
            desk.port, desk.people[login])).encode())
        self.text = ""
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        try:
            while True:
                data = self.socket.recv(65536)
                if not data:
                    return
                self.text += data.decode("utf-8", "replace")
        except OSError:
            pass

    def answers(self, name, seconds=10):
        wait_for(lambda: name in self.text, seconds, 0.05)
        return [json.loads(line.split("data:", 1)[1]) for line in self.text.splitlines()
                if "data:" in line and name in line]

    def close(self):
        self.socket.close()


def unlike(desk, login, *paths):
    """Where answers are not what contrib/schema/factory-openapi.json says of them."""
    path = os.path.join(os.environ["SOURCE"], "contrib/schema/factory-openapi.json")
    with open(path, encoding="utf-8") as f:
        api = json.load(f)
    wrong = []
    for asked in paths:
        pattern = next(p for p in sorted(api["paths"]) if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", p), asked.split("?")[0]))
        schema = api["paths"][pattern]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        status, answer = desk.get(login, "/api/v1" + asked)
        checker = jsonschema.Draft202012Validator(schema, resolver=jsonschema.RefResolver("file://" + path, api))
        wrong += [(asked, status, "/".join(map(str, e.path)), e.message[:200]) for e in checker.iter_errors(answer)]
    return wrong


def ask(desk, login, item, sku, quantity=1, shop="OSA", **more):
    status, to, _ = desk.form(login, "/items/%d/inquiry" % item, sku=sku, quantity=quantity, shop=shop, **more)
    return to.rsplit("/", 1)[1] if status == 303 else status


def at(row, place="at"):
    spot = row["answer"]["lines"][0].get(place)
    return (spot["shop"], spot["on"]) if spot else None


def walk(kind, database, sql):
    def say(text):
        return "%s: %s" % (kind, text)

    desk = FactoryDesk(database).start()
    sql = sql or desk.rows
    furnish(desk, STOCK)
    site = desk.fill()
    item = desk.item()
    desk.table("customers", "id,name,shop\nC-1001,Secret Minato KK,OSA\n")
    desk.table("lead-times", "from,to,sku,days\n,FAC,DS-800,49\n,FAC,DS-100,49\n,FAC,DS-400,49\n,FAC,PX-900,49\n"
               ",FAC,ML-48,49\n,FAC,PC-4,49\nFAC,OSA,,5\nFAC,NGO,,3\nFAC,TYO,,2\nNGO,OSA,,4\n")
    number = item["id"]

    def hold_of(name):
        return desk.get("mori", "/api/v1/inquiries/" + name)[1]["hold"]

    # --- what will be needed, before anybody orders -------------------------------------------------
    def demand():
        status, head, body = desk.ask("GET", "/api/v1/demand", [("Cookie", desk.people["okada"])])
        return int(head.get("tidemark-issue", 0)), json.loads(body)
    wait_for(lambda: any(line["shop"] == "OSA" for line in demand()[1].get("lines", [])))
    issue, document = demand()
    wanted = {line["sku"]: line["quantity"] for line in desk.get("mori", "/api/v1/items/%d" % number)[1]["item"]["advice"]["lines"]}
    sums = {}
    for line in document["lines"]:
        sums[line["sku"]] = sums.get(line["sku"], 0) + line["expected"]
    same({k: round(v) for k, v in sums.items()}, wanted, say("demand per product, shop and week is what is advised, by its chances"))
    ok(issue >= 1 and document["summaries"] == 1 and all(
        line["low"] <= line["middle"] <= line["high"] and line["customers"] == 1 and "customer_ids" not in line
        and line["week"][4:6] == "-W" for line in document["lines"]), say("with low, middle and high; customers are counted, not named"), document)
    table = desk.ask("GET", "/api/v1/demand.csv", [("Cookie", desk.people["okada"])])[2].decode().split("\r\n")
    same((table[0], len(table) - 2), ('"sku","shop","week","week_start","low","middle","high","expected","customers"', len(document["lines"])),
         say("the same as a table"))
    _, page = desk.get("okada", "/factory", False)
    ok("Demand above supply within the lead time" in page and "<b>DS-800, Osaka:</b> 1 short" in page and "A new order takes 54 days" in page,
       say("an alarm where demand exceeds supply within the lead time"), page)
    ok('data-series="/factory/series?sku=DS-800&amp;shop=OSA"' in page and 'class="c-fan"' in page, say("and its picture"))
    status, series = desk.get("okada", "/factory/series?sku=DS-800&shop=OSA")
    same((status, series["unit"], series["capacity"][0][1], series["forecast"][-1][1:]), (200, "pieces", 0, [1, 1, 1]),
         say("whose numbers the script gets"))
    desk.table("stock", "shop,sku,quantity\nOSA,DS-800,1\nFAC,SHELF-20T-SSD,50\n")
    _, seen = desk.get("okada", "/factory")
    same([row["sku"] for row in seen["demand"] if "alarm" in row], [], say("no alarm where it lies there, or at the factory"))
    same(sorted((row["sku"], row["shop"], row["free"]) for row in seen["stock"]), [("DS-800", "OSA", 1), ("SHELF-20T-SSD", "FAC", 50)],
         say("stock by product and shop"))
    desk.table("stock", "shop,sku,quantity\n" + STOCK)

    # --- asking -----------------------------------------------------------------------------------
    _, page = desk.get("mori", "/items/%d/inquiry" % number, False)
    ok('value="DS-800"' in page and 'value="OSA" selected' in page and 'value="%s"' % day(60) in page,
       say("the form is filled in: the item's products, the customer's shop, the early edge of the forecast"), page)
    status, _, page = desk.form("mori", "/items/%d/inquiry" % number, sku="DS-80", quantity="1", shop="OSA")
    ok(status == 422 and "“DS-80” is not in the catalogue. Nearest: DS-800" in page and 'aria-invalid="true"' in page
       and 'value="DS-80"' in page, say("an SKU that is not in the catalogue is refused, with the nearest"), status, page)
    status, _, said = desk.form("mori", "/api/v1/items/%d/inquiry" % number, True, sku="DS-800", quantity="1", shop="Osakka")
    ok(status == 422 and json.loads(said)["field"] == "shop" and "Nearest: Osaka" in said,
       say("an unknown shop is refused, with the nearest"), said)
    same(desk.form("mori", "/api/v1/items/%d/inquiry" % number, True, sku="DS-800", quantity="many", shop="OSA")[0], 422,
         say("a quantity is a number"))
    same(desk.get("mori", "/api/v1/inquiries")[1]["inquiries"], [], say("and nothing was asked"))

    streams = {who: Stream(desk, who) for who in ("mori", "tanabe")}
    time.sleep(0.3)
    here = ask(desk, "mori", number, "DS-100", 2, wanted_on=day(60))
    there = ask(desk, "mori", number, "DS-400", 3, shop="Osaka")
    nowhere = ask(desk, "mori", number, "DS-800")
    rows = {name: desk.inquiry("mori", name) for name in (here, there, nowhere)}
    same([at(rows[n]) for n in (here, there, nowhere)], [("OSA", day(0)), ("OSA", day(5)), ("OSA", day(54))],
         say("at the shop: today; at the factory alone: after the transfer; nowhere: after supplier and transfer"))
    same(at(rows[there], "sooner"), ("TYO", day(2)), say("a sooner shop is offered beside it"))
    ok(all(r["answer"]["lines"][0]["stock"] is not None and r["answer"]["complete_on"] and r["answered_by"] == "stock"
           for r in rows.values()), say("an answer has stock and term, and who gave it"), rows)
    same(rows[nowhere]["from"]["OSA"], "supplier, 49 days, and transfer, 5 days", say("and where the goods come from"))
    same((rows[here]["item_id"], rows[here]["recommendation"]), (number, item["key"]), say("an inquiry names its item"))
    _, shown = desk.get("mori", "/api/v1/items/%d" % number)
    same([(r["inquiry"], r["answer_text"].split(";")[0]) for r in shown["factory"]["inquiries"]],
         [(nowhere, "OSA " + day(54)), (there, "OSA " + day(5)), (here, "OSA " + day(0))],
         say("and the item shows the answers"))
    _, listed = desk.get("mori", "/api/v1/inquiries?owner=mine")
    _, page = desk.get("mori", "/inquiries", False)
    same([(r["inquiry"], r["answer_text"].split(";")[0]) for r in listed["inquiries"]],
         [(nowhere, "OSA " + day(54)), (there, "OSA " + day(5)), (here, "OSA " + day(0))],
         say("three inquiries answered: three rows, right dates"))
    ok(all(r["inquiry"] in page and r["answer_text"] in page for r in listed["inquiries"]),
       say("the page says what the API says"), page)

    # --- to whom the answer goes ---------------------------------------------------------------------
    hers = ask(desk, "tanabe", number, "DS-100", 1)
    desk.inquiry("tanabe", hers)
    same([len(streams["mori"].answers(here)), len(streams["tanabe"].answers(hers))], [1, 1],
         say("each gets the answer to what they asked, without a reload"))
    same([hers in streams["mori"].text, here in streams["tanabe"].text], [False, False], say("and not the other's"))
    same([r["inquiry"] for r in desk.get("tanabe", "/api/v1/inquiries?owner=mine")[1]["inquiries"]], [hers],
         say("each has their own list"))

    # --- by hand, late, twice, and to nobody ---------------------------------------------------------
    late = ask(desk, "mori", number, "SPECIAL-1", 1)
    for _ in range(50):
        row = desk.get("mori", "/api/v1/inquiries/" + late)[1]
        if row["error"]:
            break
        time.sleep(0.1)
    ok(row["state"] == "open" and "nobody can promise it" in row["error"], say("what the tables cannot answer waits for a person"), row)
    _, at_factory = desk.get("okada", "/api/v1/inquiries?state=open")
    same([(r["inquiry"], r["lines"], r["shop"], r["by_name"]) for r in at_factory["inquiries"]],
         [(late, [{"sku": "SPECIAL-1", "quantity": 1}], "OSA", "Mori")], say("the factory sees it once, with products and shop"))
    ok("Answer " + late in desk.get("okada", "/factory", False)[1], say("and is asked to answer it on its page"))
    token = desk.token("okada")
    document = {"schema": "tidemark.answer/1", "inquiry": late, "answered_at": "2026-11-20T01:00:00Z", "by": "ERP",
                "lines": [{"sku": "SPECIAL-1", "quantity": 1, "at": {"shop": "OSA", "on": day(9), "quantity": 1}}],
                "complete_on": day(9)}

    def send(body):
        status, _, said = desk.ask("POST", "/api/v1/answers", [("Authorization", "Bearer " + token),
                                                               ("Content-Type", "application/json")], json.dumps(body).encode())
        return status, json.loads(said).get("status")
    same(send(document), (201, "stored"), say("the factory's system answers later"))
    same([a["text"]["answer"] for a in streams["mori"].answers(late)], ["OSA " + day(9)], say("and the late answer appears without a reload"))
    same(send(dict(document, lines=[dict(document["lines"][0], at={"shop": "NGO", "on": day(1), "quantity": 1})])), (200, "known"),
         say("another answer to it is not heard"))
    same([send(dict(document, inquiry="Q-9")), send(dict(document, inquiry="Q-9"))], [(200, "unknown")] * 2,
         say("an answer to what nobody asked is taken"))
    same((at(desk.inquiry("mori", late)), [a["inquiry"] for a in desk.get("okada", "/api/v1/answers/unknown")[1]["answers"]]),
         (("OSA", day(9)), ["Q-9"]), say("an answer is stored once, and one to what nobody asked is kept apart"))
    ok("inquiries that nobody made" in desk.get("okada", "/factory", False)[1], say("and shown to the factory"))
    same(send({"schema": "tidemark.answer/1"})[0], 422, say("what is no answer is refused"))
    other = ask(desk, "mori", number, "SPECIAL-1", 2)
    same(desk.form("okada", "/inquiries/%s/answer" % other, shop="OSA", on="soon")[0], 422, say("a hand answers with a day"))
    same(desk.form("okada", "/inquiries/%s/answer" % other, shop="OSA", on=day(7), sooner_shop="NGO", sooner_on=day(6))[0], 303,
         say("a person answers by hand"))
    row = desk.inquiry("mori", other)
    same((at(row), at(row, "sooner"), row["answered_by"]), (("OSA", day(7)), ("NGO", day(6)), "Okada"), say("and is heard"))
    refused = ask(desk, "mori", number, "SPECIAL-1", 3)
    why = "not made any more: " + "\u7d19" * 200
    desk.form("okada", "/inquiries/%s/answer" % refused, reason=why)
    row = desk.inquiry("mori", refused)
    same((row["state"], row["answer_text"]), ("refused", why), say("or says no, with why"))
    status, seen = desk.get("mori", "/api/v1/items/%d" % number)
    same((status, seen["life"][-1]["text"] if status == 200 else seen), (200, "%s refused: %s" % (refused, why)),
         say("which stands in the item's life as a whole"))
    link = desk.user("add", "sato@c.example", "--name", "Sato", "--role", "customer", "--customer", item["customer_id"])
    desk.people["sato"] = desk.sign_in(link[link.index("/login/"):].strip())
    told = [desk.ask("GET", path, [("Cookie", desk.people["sato"])]) for path in
            ("/api/v1/items/%d" % number, "/items/%d" % number, "/me", "/me/export")]
    same([(t[0], refused in t[2].decode(), "\u7d19\u7d19" in t[2].decode()) for t in told], [(200, False, False)] * 4,
         say("but nothing of it is told to the customer"))

    # --- as a document -------------------------------------------------------------------------------
    mine = desk.token("mori")

    def post(body):
        status, _, said = desk.ask("POST", "/api/v1/inquiries", [("Authorization", "Bearer " + mine),
                                                                 ("Content-Type", "application/json")], json.dumps(body).encode())
        return status, json.loads(said)
    body = {"schema": "tidemark.inquiry/1", "id": "CRM-7", "asked_at": "2026-11-20T01:00:00Z", "shop": "OSA",
            "recommendation": item["key"], "lines": [{"sku": "DS-100", "quantity": 1}]}
    status, row = post(body)
    same((status, row["inquiry"], row["item_id"]), (201, "CRM-7", number), say("a CRM asks by a document, with its own id"))
    same(post(body)[0], 200, say("the same again is the same inquiry"))
    same(post(dict(body, shop="NGO"))[0], 409, say("another one under its id is refused"))
    same(post(dict(body, id="CRM-8", lines=[{"sku": "DS-1000", "quantity": 1}])), (422, {
        "error": "“DS-1000” is not in the catalogue. Nearest: DS-100", "field": "sku"}), say("and so is an SKU that is none"))

    # --- killed in the middle ------------------------------------------------------------------------
    asked = [ask(desk, "mori", number, "DS-800") for _ in range(5)]
    desk.kill()
    desk.start()
    same([desk.inquiry("mori", n)["state"] for n in asked], ["answered"] * 5, say("what was asked when the desk was killed is answered"))
    for s in streams.values():
        s.close()

    # --- agreed, and kept ----------------------------------------------------------------------------
    first, second = ask(desk, "mori", number, "PX-900"), ask(desk, "tanabe", number, "PX-900")
    for name in (first, second):
        same(at(desk.inquiry("mori", name)), ("OSA", day(0)), say("one piece is offered to two"))
    same(desk.form("mori", "/api/v1/inquiries/%s/agree" % first, True, shop="OSA", on=day(0))[0], 422, say("no agreement without who"))
    same(desk.form("mori", "/api/v1/inquiries/%s/agree" % first, True, shop="OSA", who="A. Sato")[0], 422, say("and when"))
    same(desk.form("mori", "/api/v1/inquiries/%s/agree" % first, True, shop="KIX", who="A. Sato", on=day(0))[0], 422,
         say("and at a shop that was offered"))
    same(desk.item()["state"], "new", say("the item is where it was"))
    got = {}

    def agree(login, name):
        got[name] = desk.form(login, "/inquiries/%s/agree" % name, shop="OSA", who="A. Sato", on=day(0), until=day(14))
    threads = [threading.Thread(target=agree, args=a) for a in (("mori", first), ("tanabe", second))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    same(sorted(g[0] for g in got.values()), [303, 409], say("two agree at once: one gets the piece"))
    won, lost = (first, second) if got[first][0] == 303 else (second, first)
    ok("somebody else has taken it" in got[lost][2], say("the other is told so"), got[lost][2])
    row = desk.inquiry("mori", won)
    same((row["hold"], row["state_text"], row["reservations"][0]["quantity"], row["agreed_by"]), ("held", "Reserved", 1, "A. Sato"),
         say("the stock at the shop is reserved"))
    _, shown = desk.get("mori", "/api/v1/items/%d" % number)
    same((shown["item"]["state"], shown["item"]["agreed_by"]), ("agreed", "A. Sato"), say("and the item is agreed, with who"))
    third = desk.inquiry("mori", ask(desk, "mori", number, "PX-900"))
    same(at(third), ("OSA", day(54)), say("reserved stock is not offered to another inquiry"))
    same(desk.get("mori", "/inquiries/%s/note" % lost)[0], 404, say("there is no note for what is not kept"))
    status, note = desk.get("ueda", "/inquiries/%s/note" % won, False)
    ok(status == 200 and row["hold_number"] in note and "1 Umeda" in note and "PX-900" in note and "Secret Minato KK" in note,
       say("the pick-up note has shop, address, reservation and customer"), note)
    same(desk.form("mori", "/inquiries/%s/agree" % won, shop="OSA", who="A. Sato", on=day(0))[0], 409, say("nothing is kept twice"))

    if jsonschema:
        same(unlike(desk, "mori", "/inquiries", "/inquiries?owner=all&limit=2", *["/inquiries/" + n for n in (won, lost, late, refused)],
                    "/inquiries/%s/note" % won)
             + unlike(desk, "okada", "/inquiries", "/inquiries/" + won, "/answers/unknown", "/demand", "/stock?q=PX"), [],
             say("answers to programs are as factory-openapi.json says"))
    else:
        skip(say("answers to programs are as factory-openapi.json says"), "python3-jsonschema is not installed")

    # --- goods that are still to come ----------------------------------------------------------------
    two = desk.inquiry("mori", ask(desk, "mori", number, "ML-48", 3))
    spot = two["answer"]["lines"][0]["at"]
    same((spot["on"], spot["parts"]), (day(54), [{"on": day(4), "quantity": 1}, {"on": day(54), "quantity": 2}]),
         say("an answer in two parts: what another shop has comes first, the rest from the supplier"))
    same(two["from"]["OSA"], "1 from Nagoya, transfer 4 days, 2 from the supplier, 49 days, and transfer, 5 days"
         .replace("Nagoya", "NGO"), say("and where each comes from"))
    ok("1 on %s, 2 on %s" % (day(4), day(54)) in desk.get("mori", "/inquiries/" + two["inquiry"], False)[1], say("as the page says, too"))
    desk.form("mori", "/inquiries/%s/agree" % two["inquiry"], shop="OSA", who="A. Sato", on=day(0))
    two = desk.inquiry("mori", two["inquiry"])
    today = round(time.time() + 9 * 3600) // 86400
    same([(r["shop"], r["quantity"], r["from_day"] - today, r["coming_on"] and r["coming_on"] - today) for r in two["reservations"]],
         [("NGO", 1, 4, None), ("FAC", 2, 54, 49)], say("both are set aside: on the shelf, and of what comes, with their days"))
    note = desk.get("mori", "/inquiries/%s/note" % two["inquiry"], False)[1]
    ok("2 × ML-48, to come to Factory on" in note and day(54) in note, say("and stand on the note"), note)
    seen = desk.get("okada", "/api/v1/stock?q=ML-48")[1]["stock"]
    same(sorted((r["shop"], r["there"], r["kept"], r["coming"], r["free"]) for r in seen), [("FAC", 0, 0, 2, 0), ("NGO", 1, 1, 0, 0)],
         say("the factory sees what is promised of what comes"))
    desk.table("stock", "shop,sku,quantity\n" + STOCK + "FAC,ML-48,2\n")
    other = desk.inquiry("tanabe", ask(desk, "tanabe", number, "ML-48", 1))
    same(at(other), ("OSA", day(54)), say("when it has come, nobody else is promised it"))
    desk.form("tanabe", "/inquiries/%s/agree" % other["inquiry"], shop="OSA", who="A. Sato", on=day(0))
    desk.table("stock", "shop,sku,quantity\n" + STOCK + "FAC,ML-48,4\n")
    third = desk.inquiry("mori", ask(desk, "mori", number, "ML-48", 1))
    same(at(third), ("OSA", day(5)), say("what comes beyond both promises is free"))
    fourth = desk.inquiry("mori", ask(desk, "mori", number, "ML-48", 2))
    same([p["quantity"] for p in fourth["answer"]["lines"][0]["at"]["parts"]], [1, 1], say("of two one is on the shelf"))
    desk.form("tanabe", "/inquiries/%s/agree" % third["inquiry"], shop="OSA", who="A. Sato", on=day(0))
    status, _, page = desk.form("mori", "/inquiries/%s/agree" % fourth["inquiry"], shop="OSA", who="A. Sato", on=day(0))
    ok(status == 409 and "somebody else has taken it" in page, say("a first part that was taken meanwhile is not promised"), status)
    for name in (two, other, third):
        desk.form("mori", "/inquiries/%s/release" % name["inquiry"])
    same(at(desk.inquiry("mori", ask(desk, "mori", number, "ML-48", 4))), ("OSA", day(5)), say("what is given back of it is free again"))
    desk.table("stock", "shop,sku,quantity\n" + STOCK)

    # --- the end of it -------------------------------------------------------------------------------
    sql("UPDATE holds SET keep_until = keep_until - 30")
    sql("UPDATE reservations SET expires_on = expires_on - 30")
    wait_for(lambda: hold_of(won) != "held")
    same(hold_of(won), "expired", say("after the last day it expires by itself"))
    again = desk.inquiry("mori", ask(desk, "mori", number, "PX-900"))
    same(at(again), ("OSA", day(0)), say("and is offered again"))
    name = again["inquiry"]
    desk.form("mori", "/inquiries/%s/agree" % name, shop="OSA", who="A. Sato", on=day(0))
    same(desk.form("mori", "/inquiries/%s/release" % name)[0], 303, say("a person gives it back"))
    same(desk.get("mori", "/api/v1/inquiries/" + name)[1]["hold"], "released", say("which frees it at once"))
    name = ask(desk, "mori", number, "PC-4", 2)
    desk.inquiry("mori", name)
    desk.form("mori", "/inquiries/%s/agree" % name, shop="OSA", who="A. Sato", on=day(0))
    same(desk.form("okada", "/inquiries/%s/fetched" % name)[0], 303, say("what is picked up"))
    same(desk.inquiry("mori", ask(desk, "mori", number, "PC-4", 1))["answer"]["lines"][0]["stock"], 1, say("does not lie there any more"))

    # --- what the factory must not see ---------------------------------------------------------------
    seen = []
    for path in ("/inquiries", "/inquiries/" + won, "/api/v1/inquiries", "/api/v1/inquiries/" + won,
                 "/inquiries/%s/news" % won, "/api/v1/answers/unknown", "/factory", "/api/v1/demand", "/api/v1/stock",
                 "/factory/series?sku=DS-800&shop=OSA", "/inquiries?owner=all&state=answered"):
        for wanted in (True, False):
            status, text = desk.get("okada", path, wanted)
            text = json.dumps(text) if wanted else text
            if status != 200 or "Secret" in text or "C-1001" in text or "array-01" in text or "A. Sato" in text:
                seen.append((path, status))
    same(seen, [], say("the factory sees no customer, device or contact"))
    same([desk.get("okada", p)[0] for p in ("/items/%d" % number, "/devices/1", "/api/v1/devices/1/series", "/inquiries/%s/note" % won)],
         [403] * 4, say("and no chart"))

    # --- stock before proposing, and the end of the item ---------------------------------------------
    _, shown = desk.get("mori", "/api/v1/items/%d" % number)
    before = shown["factory"]["supply"][0]
    desk.table("stock", "shop,sku,quantity\nOSA,DS-800,9\nOSA,SHELF-20T-SSD,9\n")
    _, shown = desk.get("mori", "/api/v1/items/%d" % number)
    after = shown["factory"]["supply"][0]
    same((before["shop"], before["free"].split(" ")[0], after["in"], after["wished"]), ("OSA", "0", "today", True),
         say("the item shows stock and date at the customer's shop, as they are at each read"))
    kept = desk.inquiry("mori", ask(desk, "mori", number, "DS-800"))["inquiry"]
    desk.form("mori", "/inquiries/%s/agree" % kept, shop="OSA", who="A. Sato", on=day(0))
    same(desk.get("mori", "/api/v1/inquiries/" + kept)[1]["hold"], "held", say("kept for the item"))
    grown = summary("C-1001", "osaka-1", "array-01", fill=(900, 1200, 1500))
    grown["status"]["capacity_bytes"] *= 4
    grown["status"]["transfers"]["max_per_interval"] = 10
    for one in grown["history"]:
        one["transfers_max"] = one["transfers_mean"] = 1
    grown["history"][-1]["capacity_bytes"] *= 4
    same(site.push(event_of(grown)), ["accepted"], say("the customer's expansion arrives"))
    wait_for(lambda: hold_of(kept) != "held")
    row = desk.get("mori", "/api/v1/inquiries/" + kept)[1]
    same((row["item_state"], row["hold"]), ("installed", "fetched"), say("it closes the item, and what was kept is fetched"))
    wait_for(lambda: demand()[0] > issue and "DS-800" not in json.dumps(demand()[1]))
    newer, document = demand()
    ok(newer > issue and "DS-800" not in json.dumps(document), say("and a new issue of demand has it no more"), newer, document)
    ok("Nothing is needed" in desk.get("okada", "/factory?q=NOPE", False)[1], say("an empty page says what was looked at"))
    same(desk.stop(), 0, say("the desk ends well"))
    same(desk.log(), "", say("nothing went to the log"))


on_both_databases(walk)
done()
