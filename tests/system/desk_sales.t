#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a sales person does with the desk: sites push, items are found, their evidence is read, a quote is
mailed, an agreement is written down, and the expansion that the data shows closes the item."""
import hashlib
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import browser  # noqa: E402
import png  # noqa: E402
from pushing import Pusher, event_of  # noqa: E402
from selling import SalesDesk, day, summary, wait_for  # noqa: E402
from smtp_sink import MISSING, Mailbox, Sink  # noqa: E402
from tap import done, ok, same, skip, skip_all  # noqa: E402

if MISSING:
    skip_all(MISSING)

box = Mailbox()
sink = Sink(box)
desk = SalesDesk(mail=sink).start().furnish()
minato, sakura = desk.site(), desk.site("C-2002", "kobe-1")
full = summary("array-01")
desk.push(minato, full, summary("array-02", None, used=10e12), summary("array-03", (80, 100, 130)))
other = summary("tape-77", (60, 80, 110))
other["customer"]["host"] = "tape-gw.sakura.example"
desk.push(sakura, other)
ok(desk.items(3), "three devices need something", desk.rows("SELECT key FROM items"))


def listed(query=""):
    return [i["device"] for i in desk.api("sales", "/items?" + query)["items"]]


def item_of(device):
    return desk.rows("SELECT i.id FROM items i JOIN devices d ON d.id = i.device_id WHERE d.device = ?", device)[0][0]


# --- the list ---------------------------------------------------------------------------------------------
weights = [i["weight"] for i in desk.api("sales", "/items?owner=all")["items"]]
same((listed("owner=all"), weights), (["array-01", "tape-77", "array-03"], sorted(weights, reverse=True)),
     "the most urgent and valuable comes first")
ok("array-02" not in desk.get("sales", "/opportunities?owner=all")[1], "what needs nothing is not listed")
page = desk.get("sales", "/opportunities")[1]
same((listed("owner=mine"), "tape-77" in page, "array-01" in page), (["array-01", "array-03"], False, True),
     "mine are those of the customers that I look after")
same([listed("owner=all&" + q) for q in ("q=sakura", "q=TAPE-77", "q=DS200-array-03", "kind=printer", "action=grow&region=Kansai",
                                         "region=Kanto", "state=agreed", "customer=C-2002", "q=%25")],
     [["tape-77"], ["tape-77"], ["array-03"], [], ["array-01", "tape-77", "array-03"], [], [], ["tape-77"], []],
     "search and filters find what they name")
first = desk.get("sales", "/opportunities?owner=all&limit=2")[1]
after = re.search(r'href="(/opportunities\?[^"]*after=[^"]*)"', first)[1].replace("&amp;", "&")
second = desk.get("sales", after)[1]
ok("array-03" not in first and "array-03" in second and "array-01" not in second, "the next page goes on where the first ended")

# --- one device: the page, the API and the document tell the same -----------------------------------------------
view = desk.api("sales", "/items/%d" % item_of("array-01"))
document = {k: v for k, v in view["summary"].items() if k not in ("id", "consent")}
same({k: document[k] for k in ("product", "status", "history", "forecast")},
     {"product": full["product"], "status": full["status"], "history": full["history"][-len(document["history"]):],
      "forecast": full["forecast"]}, "specification, status, history and forecast come out as the site sent them")
page = desk.get("sales", "/items/%d" % item_of("array-01"))[1]
shown = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page)).replace("\u00a0", " ")
status = view["summary"]["status"]
texts = ["%.1f TiB" % (status["used_bytes"] / 2 ** 40), "of %.1f TiB, 81 %%" % (status["capacity_bytes"] / 2 ** 40),
         "Busiest 300 s2,000", "Full between %s and %s" % (day(40), day(90)), "191 GiB", "DS200-array-01", "12 x 10 TB, RAID 6",
         "specification of " + view["summary"]["product"]["sold_on"]]
same([t for t in texts if t not in shown], [], "the page tells the numbers of the summary, as the API does")
series = desk.api("sales", "/devices/%d/series" % view["device"]["id"])
same((series["used"], [d for d in series["maxima"]["days"]]),
     ([[d["date"], d["used_bytes"]] for d in full["history"]], [[d["date"], d["transfers_max"]] for d in full["history"]]),
     "the chart's points are those of the summary")
same((series["capacity"][0][1], series["fill"], series["order_by"]),
     (100e12, {"low": day(40), "mid": day(60), "high": day(90)}, view["item"]["advice"]["order_by"]),
     "with its capacity, the range in which it is full, and the day to order")
ok(series["forecast"][-1][0] >= series["fill"]["high"] and 'class="c-fan"' in page and 'class="c-range"' in page and
   'class="c-barline"' in page and 'class="c-used"' in page,
   "the drawing shows used, capacity, load and forecast, until after the fill date")

# --- what was received, byte for byte -------------------------------------------------------------------------------
desk.push(minato, summary("array-01", used=81.2e12, at=5))
rows = desk.api("sales", "/devices/%d" % view["device"]["id"])["documents"]
same(([r["kind"] for r in rows].count("summary"), rows[0]["period_to"] > rows[-1]["period_to"]), (2, True),
     "past summaries are listed, the newest first")
two = [r["id"] for r in rows if r["kind"] == "summary"]
stood = [desk.rows("SELECT period_to, arrived_at, id FROM summaries WHERE id = ?", n)[0] for n in two]
# In Tokyo the first one came after a midnight, the second did not; in UTC it is the other way round.
at = {two[0]: 20700 * 86400 + 15 * 3600, two[1]: 20699 * 86400}
for n, midnight in at.items():
    desk.rows("UPDATE summaries SET period_to = ?, arrived_at = ? WHERE id = ?", midnight - 1800, midnight + 1800, n)
same(re.findall(r'<span class="sub">(same day|[^<]* later)</span></td><td>summary<', desk.get("sales", "/devices/%d" % view["device"]["id"])[1]),
     ["a day later", "same day"], "how late they came is told in days of the desk's own zone, as the times beside it")
for row in stood:
    desk.rows("UPDATE summaries SET period_to = ?, arrived_at = ? WHERE id = ?", *row)
right = []
for row in rows:
    status_, head, body = desk.ask("GET", "/documents/%d" % row["id"], [("Cookie", desk.cookies["sales"])])
    key = re.search(r'filename="(\w+)\.json"', head["content-disposition"])[1]
    right.append((status_, hashlib.sha256(body).hexdigest() == row["sha256"], minato.run("show", key).stdout.encode() == body))
same((right, [desk.get("sales", p)[0] for p in ("/documents/999", "/customers/C-9999", "/devices/999", "/documents/x")]),
     ([(200, True, True)] * len(rows), [404] * 4),
     "the newest and the older ones are had byte for byte as the site keeps them, with their hash; what is not there is 404")
late = summary("array-05", None, used=20e12, days=5)
older = summary("array-05", None, used=19e12, days=5, at=-10 * 86400)
older["period"]["from"] = day(-20) + "T00:00:00Z"
older["history"] = [dict(d, date=day(n - 10)) for d, n in zip(older["history"], range(-5, 0))]
straight = Pusher(desk, json.loads(desk.run("site", "add", "C-1001", "osaka-2").stdout))
for d in (late, older):
    d["customer"].update(id="C-1001", site="osaka-2")
    d["consent"] = {"sales": {"by": "Hanako Sato", "on": day(-100) + "T00:00:00Z"}}
same(straight.push(event_of(late)) + straight.push(event_of(older)), ["accepted"] * 2, "the later one first, then the older one")
number = desk.rows("SELECT id FROM devices WHERE device = 'array-05'")[0][0]
days = desk.api("sales", "/devices/%d/history" % number)["days"]
same(([d["date"] for d in days], {d["arrived_on"] for d in days}),
     ([day(n) for n in range(-1, -6, -1)] + [day(n) for n in range(-11, -16, -1)], {day(0)}),
     "what came out of order is in the order of its days, each with the day on which it came")
ok(all(d["date"] in desk.get("sales", "/devices/%d/history" % number)[1] for d in days), "on the page too")

# --- people: who sees what, and may do what --------------------------------------------------------------------------------
item = "/items/%d" % item_of("array-01")
same(([desk.get(who, "/customers/C-1001")[0] for who in ("sales", "service", "engineer", "admin", "factory", "nobody")],
      [desk.post(who, item + "/comments", {"text": "Firmware 4.4 first, says " + who})[0]
       for who in ("sales", "service", "engineer", "factory")],
      [desk.post(who, item + "/state", {"to": "contacted"})[0] for who in ("service", "engineer", "factory", "admin", "sales")]),
     ([200, 200, 200, 200, 403, 303], [303, 303, 303, 403], [403, 403, 403, 403, 303]),
     "sales, service and engineers see the customer and comment; sales alone moves an item on; the factory does neither")
same(([desk.get("nobody", "/api/v1/" + p)[0] for p in ("items", "devices/1", "customers")],
      [desk.get("factory", "/api/v1/" + p)[0] for p in ("items", "devices/1", "customers")]), ([401] * 3, [403] * 3),
     "without credentials 401, with a role that may not see it 403")
comment = next(c for c in desk.api("sales", item)["comments"] if c["by_role"] == "service")
page = desk.get("sales", item)[1]
ok(comment["by_name"] == "Y. Kato" and comment["at"] > 1e9 and re.search(r"<b>Y\. Kato</b>, service · <time datetime=\"%s" % day(0), page) and
   "Firmware 4.4 first, says service" in page, "a comment by service is seen by sales, with name and time")
desk.account("customer", "abe@sakura.example", "T. Abe", "--customer", "C-2002")
leaks = [p for p in ("/api/v1/devices", "/devices/%d" % desk.rows("SELECT id FROM devices WHERE device = 'tape-77'")[0][0],
                     "/api/v1/devices/%d" % desk.rows("SELECT id FROM devices WHERE device = 'tape-77'")[0][0])
         if desk.get("customer", p)[0] != 200 or re.search("C-1001|Minato|array-0|osaka-1", desk.get("customer", p)[1])]
same(leaks, [], "of two customers on one desk nothing of the other is in what one sees")
same([desk.get("customer", p)[0] for p in ("/devices/1", "/documents/1", "/api/v1/devices/1/series")], [404] * 3, "... and its addresses are as absent ones")

# --- life --------------------------------------------------------------------------------------------------------------------
without = ({"to": "agreed"}, {"to": "ordered"}, {"to": "agreed", "who": "Hanako Sato"}, {"to": "installed", "on": day(0)})
same(([desk.post("sales", item + "/state", fields)[0] for fields in without], desk.api("sales", item)["item"]["state"]),
     ([422] * 4, "contacted"), "no item passes agreed without who and when")

# --- the quote ---------------------------------------------------------------------------------------------------------------------
# The summary that was pushed since may have changed the advice, at a time of the worker's own.
form = desk.get("sales", item + "/quote")[1]
lines = desk.api("sales", item)["item"]["advice"]["lines"]
written = [str(v) for line in lines for v in (line["sku"], line["quantity"], line["price"]["amount"])]
same((re.findall(r'name="(?:sku|quantity|price)" value="([^"]+)"', form), len(lines) > 0), (written, True),
     "a quote begins with the lines and prices of the item")
bad = desk.post("sales", item + "/quote", [("sku", "SHELF-40T"), ("quantity", "none"), ("price", "1"), ("currency", "JPY")])
ok(bad[0] == 422 and "line 1: a quantity from 1" in bad[2] and 'value="SHELF-40T"' in bad[2], "a wrong line is told, and what was typed stays", bad[2])
made = desk.post("sales", item + "/quote", [("sku", "SHELF-40T"), ("quantity", "2"), ("price", "4400000"), ("sku", "INSTALL"), ("quantity", "1"),
                                            ("price", "180000"), ("sku", ""), ("quantity", ""), ("price", ""), ("currency", "JPY"),
                                            ("valid_until", day(30)), ("remarks", "Delivery within 40 days.\n<b>Thank you.</b>")])
same((made[0], made[1]["location"]), (303, "/quotes/Q-%s-0001" % day(0)[:4]), "with changed lines it is made, under a number")
quote = made[1]["location"]
letter = re.sub(r"\s+", " ", desk.get("sales", quote)[1])
same([t for t in ("1-2-3 Chuo", "Minato Imaging KK", "2-1 Minato", "SHELF-40T", "8,800,000", "8,980,000", "valid until", day(30), "Hanako Sato",
                  "&lt;b&gt;Thank you.&lt;/b&gt;", 'class="c-fan"', "TiB of 90.9 TiB used") if t not in letter], [],
     "the letter has both addresses, lines, sums, validity and the chart")
same(desk.api("sales", item)["item"]["state"], "proposed", "the item is proposed")
same(desk.post("sales", quote + "/send", {"to": "thief@example.org"})[0], 422, "it goes to an address of the customer and nowhere else")
same([desk.post("sales", quote + "/send", {"to": "sato@minato.example"})[0] for _ in range(3)], [303] * 3, "it is mailed, and twice more")
ok(wait_for(lambda: box.about("Quote")), "the mail comes")
mail = box.about("Quote")[0]
pictures = [p for p in mail.walk() if p.get_content_type() == "image/png"]
colours = len(set(png.pixels(pictures[0].get_content())[2])) if pictures and hasattr(png, "pixels") else 9
same((mail["To"].addresses[0].addr_spec, mail["Reply-To"], len(pictures), "8,980,000" in mail.get_body().get_content().replace("\u00a0", " ")),
     ("sato@minato.example", "mori@vendor.example", 1, True), "a quote is mailed with its chart and sums, for answers to who made it")
ok(colours > 4 and pictures[0].get_content()[:8] == b"\x89PNG\r\n\x1a\n" and len(pictures[0].get_content()) > 5000, "the chart is a picture with something in it")
desk.post("sales", item + "/contacts", {"way": "visit", "with_whom": "Hanako Sato", "text": "Wants it before March"})
same([(c["way"], c["with_whom"], c["by_name"]) for c in desk.api("sales", item)["contacts"]],
     [("visit", "Hanako Sato", "K. Mori"), ("mail", "sato@minato.example", "K. Mori")], "a quote that is mailed, once, and a visit are lines of the contact log")


def mailed():
    return [m for m in box.about("Quote") if m["To"].addresses[0].addr_spec == "buying@minato.example"]


desk.post("sales", quote + "/send", {"to": "buying@minato.example"})
ok(wait_for(mailed) and wait_for(lambda: desk.rows("SELECT 1 FROM letters WHERE key LIKE '%/buying@%' AND sent_at > 0")),
   "it is mailed to another address")
desk.rows("UPDATE letters SET sent_at = NULL, dead_at = 1, error = '552 the mailbox is full' WHERE key LIKE '%/buying@%'")
desk.post("sales", quote + "/send", {"to": "buying@minato.example"})
ok(wait_for(lambda: len(mailed()) == 2), "one that a mail server has refused is mailed once more", desk.rows("SELECT key, error FROM letters"))

# --- agreed, installed -------------------------------------------------------------------------------------------------------------
same(desk.post("sales", item + "/state", {"to": "agreed", "who": "Hanako Sato", "on": day(0)})[0], 303, "with who and when an item is agreed")
life = [e for e in desk.api("sales", item)["life"] if e["to_state"] == "agreed"]
same([(e["by_name"], e["text"]) for e in life], [("K. Mori", "agreed by Hanako Sato on " + day(0))], "which its life tells")
desk.post("sales", item + "/state", {"to": "ordered"})
grown = summary("array-01", (500, 700, 900), capacity=260e12, used=81.5e12, at=10)
for d in grown["history"][-2:]:
    d["capacity_bytes"] = int(260e12)
grown["forecast"]["fill"]["probability_by_horizon"] = {"30d": 0.0, "90d": 0.0, "365d": 0.05}
desk.push(minato, grown)
ok(wait_for(lambda: desk.rows("SELECT state FROM items WHERE id = ?", int(item[7:]))[0][0] == "installed"), "an expansion that the data shows closes the item")
closed = desk.api("sales", item)["item"]
same((closed["closed_reason"], listed("owner=all").count("array-01")), ("expansion seen on " + day(-1), 0), "it says when, and is listed no more")
series = desk.api("sales", "/devices/%d/series" % view["device"]["id"])
same((series["capacity"][-1], [(e["date"], e["what"]) for e in series["events"]]),
     ([day(-1), 260e12], [(day(-1), "installed; the forecast starts anew here")]), "the chart marks the day")
ok(series["forecast"][0][0] >= day(-1) and series["fill"]["low"] == day(500), "and the forecast begins anew", series["fill"])

# --- what is not for the customer ------------------------------------------------------------------------------
tape = "/items/%d" % item_of("tape-77")
for what, fields in (("comments", {"text": "PRIVATE-1"}), ("feedback", {"text": "PRIVATE-2"}),
                     ("contacts", {"way": "phone", "text": "PRIVATE-3"}), ("state", {"to": "lost", "reason": "PRIVATE-4"}),
                     ("comments", {"text": "SHOWN-1", "to_customer": "1"})):
    same(desk.post("sales", "%s/%s" % (tape, what), fields)[0], 303, "colleagues say something: " + what)
seen = [desk.get("customer", p)[1] for p in ("/api/v1" + tape, "/devices/%d" % desk.rows("SELECT id FROM devices WHERE device = 'tape-77'")[0][0])]
same(([re.findall("PRIVATE-.", t) for t in seen], ["SHOWN-1" in t for t in seen]), ([[], []], [True, True]),
     "the customer sees what is said to him, and nothing else that colleagues say")
same(desk.post("sales", tape + "/state", {"to": "new"})[0], 303, "it is taken up again")
why = "x" + "\u7d19" * 1000
desk.post("sales", tape + "/state", {"to": "lost", "reason": why})
same((desk.get("sales", tape)[0], desk.api("sales", tape)["life"][-1]["text"]), (200, why),
     "a long reason stands in the item's life as it was typed, whatever its letters")
same(desk.post("sales", tape + "/state", {"to": "new"})[0], 303, "and it is taken up once more")

# --- letters -----------------------------------------------------------------------------------------------------------------------
desk.rows("UPDATE items SET order_by = 1, told_late_at = NULL, owner = NULL WHERE id = ?", item_of("tape-77"))
box.raw.clear()
desk.run("nightly")
desk.run("nightly")
ok(wait_for(lambda: box.about("tape-77: past its order date")), "an item that is late is told by mail")
same([m["To"] for m in box.about("past its")], ["team@vendor.example"], "once, to the team where nobody is assigned")
same(desk.post("sales", "/items/%d/owner" % item_of("tape-77"), {"staff": "tanabe"})[0], 303, "it is given to a person")
same((desk.api("sales", "/items/%d" % item_of("tape-77"))["item"]["owner_name"],
      desk.rows("SELECT by_name, subject, text FROM audit WHERE what = 'owner'")),
     ("R. Tanabe", [("K. Mori", "item %d" % item_of("tape-77"), "looked after by R. Tanabe")]), "which stands in the audit log")
same(desk.post("sales", "/items/%d/owner" % item_of("tape-77"), {"staff": "nobody"})[0], 422, "a person that is none is refused")

# --- silent sites --------------------------------------------------------------------------------------------------------------------
desk.run("site", "add", "C-3003", "tokyo-1")
desk.rows("UPDATE sites SET last_seen_at = last_seen_at - 8 * 86400, last_summary_at = 5 WHERE site = 'kobe-1'")
silent = [desk.api("sales", "/sites?silent=" + s)["sites"] for s in ("24h", "7d", "60d", "never", "all")]
same([[s["site"] for s in rows][:2] for rows in silent], [["kobe-1"], ["kobe-1"], [], ["tokyo-1"], ["tokyo-1", "kobe-1"]],
     "silent sites are listed by how long, and those that never reported")
ok("not heard of" in silent[0][0]["reason"] and "nothing ever came" in silent[3][0]["reason"] and silent[4][2]["reason"] is None,
   "with the likely reason", silent)
desk.run("site", "revoke", "C-2002", "kobe-1")
ok("no valid credentials" in desk.get("sales", "/sites?silent=7d")[1], "a revoked one is told on the page")

# --- as people see it ---------------------------------------------------------------------------------------------------------------
missing = browser.missing()
if missing:
    skip("pages in a browser", missing)
else:
    for width in (1280, 375):
        b = browser.Browser(width)
        b.get(desk.url + re.search(r"/login/\S+", desk.user("link", "sales@vendor.example"))[0])
        b.find("main button").click()
        b.wait(lambda: b.all(".who-am-i"), "the sign-in")
        faults = []
        for path in ("/opportunities", "/customers", "/customers/C-1001", "/sites?silent=all", "/quality", item, item + "/quote", quote,
                     "/devices/1/history"):
            b.get(desk.url + path)
            b.find("h1")
            faults += [(path, b.overflow())] if b.overflow() > 0 else []
            faults += [(path, line) for line in b.console()]
        same(faults, [], "no page is wider than %d px, and none complains" % width)
        if width == 1280:
            b.get(desk.url + quote)
            b.pdf(os.path.join(desk.folder, "quote.pdf"))
            with open(os.path.join(desk.folder, "quote.pdf"), "rb") as f:
                pdf = f.read()
            same(len(re.findall(rb"/Type\s*/Page\b", pdf)), 1, "a quote prints on one sheet")
            b.get(desk.url + "/opportunities?owner=all")
            b.link("Sakura Clinic Group").click()
            b.wait(lambda: "tape-77" in b.text("h1"), "the item")
            ok("Order by" in b.text(".lead-line"), "a click on the list leads to the item with its evidence", b.text(".lead-line"))
        b.close()
sink.stop()
same(desk.stop(), 0, "the desk ends well")
same(desk.log(), "", "and had nothing to complain about")
done()
