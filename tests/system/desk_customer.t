#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A customer at the desk: signs in by a mailed link, sees own data and nobody else's, answers advice,
changes what is registered, takes everything along, and has it deleted; with a real SMTP server, and
with a real Tryton where there is one."""
import concurrent.futures
import glob
import hashlib
import json
import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ.setdefault("SOURCE", os.getcwd()), "tests/lib"))
os.environ.setdefault("BUILD", os.path.join(os.environ["SOURCE"], "build"))
import browser  # noqa: E402
import erp as tryton  # noqa: E402
from selling import SalesDesk, day, summary, wait_for  # noqa: E402
from smtp_sink import MISSING, Mailbox, Sink  # noqa: E402
from tap import done, ok, same, skip, skip_all  # noqa: E402

if MISSING:
    skip_all(MISSING)

erp = tryton.Erp() if tryton.present() else None
box = Mailbox()
sink = Sink(box)
desk = SalesDesk(mail=sink)
if erp:
    with open(desk.conf, "a", encoding="utf-8") as f:
        f.write('factory { backend = "tryton" url = "%s" user = "tidemark" password_file = "%s/erp-password" }\n'
                % (erp.url, desk.folder))
    with open(desk.folder + "/erp-password", "w", encoding="utf-8") as f:
        f.write(tryton.USERS["tidemark"] + "\n")
    os.chmod(desk.folder + "/erp-password", 0o600)
desk.start()
desk.furnish()
ours, theirs = desk.site(), desk.site("C-2002", "kyoto-1")
documents = [summary(), summary("array-02"), summary("array-03", fill=None)]
desk.push(ours, *documents)
desk.push(theirs, summary("array-01"), summary("array-09"))
ok(desk.items(4), "both customers' sites have reported", desk.rows("SELECT state, customer_id FROM items"))


def mails(text, n=1):
    wait_for(lambda: len(box.about(text)) >= n)
    return [m.get_body().get_content() for m in box.about(text)]


# --- signing in by mail ------------------------------------------------------------------------------
desk.user("add", "sato@minato.example", "--name", "Hanako Sato", "--role", "customer", "--customer", "C-1001")
desk.account("kita", "abe@sakura.example", "T. Abe", "--role", "customer", "--customer", "C-2002")
FORM = [("Content-Type", "application/x-www-form-urlencoded")]


def ask_link(email):
    status, _, body = desk.ask("POST", "/login/mail", FORM, b"email=" + email.encode())
    return status, re.sub(rb"[0-9:]{5} JST|T[0-9:]{8}", b"", body)


known, unknown = ask_link("sato%40minato.example"), ask_link("nobody%40minato.example")
same(known, unknown, "asking for a link is answered alike, whether the address is known or not")
letter = mails("Your sign-in link")[0]
time.sleep(1.5)
same(len(box.about("Your sign-in link")), 1, "one link is mailed, and none to a stranger")
link = re.search(r"/login/[A-Za-z0-9_-]{43}", letter)[0]
status, headers, _ = desk.ask("POST", link)
desk.cookies["sato"] = headers["set-cookie"].split(";")[0]
desk.csrf["sato"] = re.search(r'name="csrf" value="([0-9a-f]{64})"', desk.get("sato", "/account")[1])[1]
same((status, desk.ask("POST", link)[0]), (303, 401), "it signs in, once")
ask_link("sato%40minato.example")
mails("Your sign-in link", 2)
desk.rows("UPDATE login_links SET expires_at = expires_at - 901 WHERE used_at IS NULL")
late = re.search(r"/login/[A-Za-z0-9_-]{43}", box.about("Your sign-in link")[1].get_body().get_content())[0]
same(desk.ask("POST", late)[0], 401, "and not after a quarter of an hour")
same({ask_link("sato%40minato.example")[0] for _ in range(6)}, {200, 429}, "too many links are refused for a while")

# --- own data, and nobody else's ---------------------------------------------------------------------
me = desk.api("sato", "/me")
same((me["customer"]["name"], me["customer"]["phone"], me["customer"]["email"], me["person"]["name"],
      sorted(d["device"] for d in me["devices"]), [s["site"] for s in me["sites"]]),
     ("Minato Imaging KK", "0612345678", "buying@minato.example;sato@minato.example", "K. Mori",
      ["array-01", "array-02", "array-03"], ["osaka-1"]), "a customer sees own contacts, devices and sites")
same({c["purpose"]: c["devices"] for c in me["consent"]}, {"sales": 3, "factory": 0, "service": 3, "comparison": 0},
     "and the consents of the newest reports")
sent = {d["sha256"]: d["id"] for d in me["sent"]}
raw = [desk.ask("GET", "/documents/%d" % i, [("Cookie", desk.cookies["sato"])])[2] for i in sent.values()]
same((len(raw) >= 3, {hashlib.sha256(b).hexdigest() for b in raw}), (True, set(sent)),
     "everything ever sent comes back byte for byte")
item = [i for i in me["items"] if i["device"] == "array-01"][0]
staff, own = desk.api("sales", "/items/%d" % item["id"]), desk.api("sato", "/items/%d" % item["id"])
same([own["item"][k] for k in ("advice", "state", "price", "order_by", "reason")] + [own["summary"], own["life"]],
     [staff["item"][k] for k in ("advice", "state", "price", "order_by", "reason")] + [staff["summary"], staff["life"]],
     "the customer sees the same evidence, advice and state as the sales person")
desk.post("sales", "/items/%d/comments" % item["id"], {"text": "between us"})
desk.post("sales", "/items/%d/comments" % item["id"], {"text": "for you", "to_customer": "1"})
desk.post("sales", "/items/%d/contacts" % item["id"], {"way": "phone", "text": "they hesitate"})
pages = [desk.get("sato", path)[1] for path in ("/items/%d" % item["id"], "/devices/%d" % item["device_id"],
                                               "/api/v1/items/%d" % item["id"], "/api/v1/devices/%d" % item["device_id"])]
ok(all("for you" in p and "between us" not in p and "they hesitate" not in p for p in pages),
   "of what is said a customer sees what is meant for him")
foreign = {"devices": desk.rows("SELECT id FROM devices WHERE customer_id = 'C-2002'"),
           "items": desk.rows("SELECT id FROM items WHERE customer_id = 'C-2002'"),
           "documents": desk.rows("SELECT id FROM summaries WHERE customer_id = 'C-2002'")}
answers = {path % row[0]: desk.get("sato", path % row[0])[0]
           for kind, rows in foreign.items() for row in rows
           for path in ("/%s/%%d" % kind, "/api/v1/%s/%%d" % kind)}
theirs_item = foreign["items"][0][0]
answers["answer"] = desk.post("sato", "/me/items/%d/answer" % theirs_item, {"answer": "no"})[0]
answers["erase"] = desk.post("sato", "/me/erase", {"confirm": "C-1001", "device": foreign["devices"][0][0]})[0]
same((set(answers.values()), len(answers) >= 12), ({404}, True), "direct ids of another customer are 404")
same(desk.rows("SELECT state FROM items WHERE id = ?", theirs_item), [("new",)], "and nothing of theirs was changed")
ok("Sakura" not in desk.get("sato", "/me")[1] and "Minato" not in desk.get("kita", "/me")[1],
   "login A sees only A")

# --- both at the same time ---------------------------------------------------------------------------
together = threading.Barrier(50)


def visit(n):
    who, path, mine, not_mine = (("sato", "/me", "Minato", "Sakura"), ("sales", "/opportunities?owner=all", "Minato", "\0"))[n % 2]
    together.wait()
    seen = [desk.get(who, path) for _ in range(3)]
    return all(status == 200 and mine in text and not_mine not in text for status, text in seen)


with concurrent.futures.ThreadPoolExecutor(50) as pool:
    same(list(pool.map(visit, range(50))), [True] * 50, "customers and staff work at the same time, over 50 connections")

# --- answers to advice -------------------------------------------------------------------------------
other = [i for i in me["items"] if i["device"] == "array-02"][0]["id"]
name = "x" + "\u7d19" * 60
desk.rows("UPDATE devices SET device = ? WHERE device = 'array-01'", name)
status = desk.post("sato", "/me/items/%d/answer" % item["id"], {"answer": "quote", "reason": "two shelves only"})[0]
desk.rows("UPDATE devices SET device = 'array-01' WHERE device = ?", name)
same(desk.rows("SELECT title FROM todos WHERE kind = 'answer'"), [("Hanako Sato asks for a quote: " + name,)],
     "the task names the device as a whole")
same((status, desk.api("sales", "/items/%d" % item["id"])["life"][-1]["text"]), (303, "two shelves only"),
     "a customer asks for a quote, and sales sees it with the item")
status = desk.post("sato", "/me/items/%d/answer" % item["id"], {"answer": "later", "until": day(30)})[0]
same((status, desk.api("sales", "/items/%d" % item["id"])["item"]["state"]), (303, "snoozed"), "'later' puts it to sleep")
status = desk.post("sato", "/me/items/%d/answer" % item["id"], {"answer": "later", "until": day(40)})[0]
same((status, day(40) in desk.api("sales", "/items/%d" % item["id"])["life"][-1]["text"]), (303, True),
     "and again, until another day")
same(desk.post("sato", "/me/items/%d/answer" % other, {"answer": "later", "until": "2020-01-01"})[0], 422,
     "a day that is over is refused")
desk.post("sato", "/me/items/%d/answer" % other, {"answer": "elsewhere", "reason": "cheaper"})
same(desk.rows("SELECT state, lost_reason FROM items WHERE id = ?", other), [("lost", "bought elsewhere: cheaper")],
     "'bought elsewhere' ends it, with the reason")
same(desk.post("sato", "/me/items/%d/answer" % item["id"], {"answer": "maybe"})[0], 422, "another answer is refused")
same(sorted((i["device"], i["state"]) for i in desk.api("sato", "/me")["past_items"]),
     [("array-01", "snoozed"), ("array-02", "lost")], "the customer sees what became of it")
told = mails("Hanako Sato", 4)
same((len(told), {m["To"].addresses[0].addr_spec for m in box.about("Hanako Sato")}), (4, {"mori@vendor.example"}),
     "the person in charge is told of each")
same(len(desk.api("sales", "/tasks?whose=mine")["tasks"]), 4, "and has them as tasks")

# --- what is registered ------------------------------------------------------------------------------
version = me["customer"]["version"]
for phone in ("12345", "+81 6 0000 01x", "+81", "0612345678;6-0000-019"):
    status, _, text = desk.post("sato", "/me/data", {"version": version, "phone": phone})
    ok(status == 422 and 'id="phone-err"' in text and "+81 6 0000 0199" in text,
       "the telephone '%s' is refused at its field" % phone, status, text[:3000])
status, _, body = desk.ask("PATCH", "/api/v1/me", [
    ("Cookie", desk.cookies["sato"]), ("Content-Type", "application/json"), ("X-CSRF-Token", desk.csrf["sato"])],
    json.dumps({"version": version, "email": "no address"}).encode())
same((status, json.loads(body).get("field")), (422, "email"), "a bad value is 422 with the field")
same(desk.rows("SELECT COUNT(*) FROM customer_changes"), [(0,)], "and nothing was stored")
first = desk.post("sato", "/me/data", {"version": version, "phone": "+81 6 0000 0199", "contact": "Hanako Sato"})
second = desk.post("sato", "/me/data", {"version": version, "phone": "+81 6 0000 0111"})
same((first[0], second[0], "changed by somebody else" in second[2]), (303, 409, True), "two edits at once: the second is told")
now = desk.api("sato", "/me")
same((now["customer"]["phone"], now["customer"]["version"]), ("+81600000199", version + 1), "a changed telephone is shown")
ok("+81600000199" in desk.get("sales", "/customers/C-1001")[1] or
   desk.rows("SELECT address FROM addresses WHERE customer_id = 'C-1001' AND kind = 'phone'") == [("+81600000199",)],
   "staff has the new number")
same([(c["field"], c["old_value"], c["new_value"], c["by_name"]) for c in now["changes"]],
     [("phone", "0612345678", "+81600000199", "Hanako Sato")], "the history has old, new, who and when")
letters = mails("registered data changed")
time.sleep(1.5)
ok(len(box.about("registered data changed")) == 1 and "was: 0612345678" in letters[0] and "now: +81600000199" in letters[0]
   and box.about("registered data changed")[0]["To"].addresses[0].addr_spec == "mori@vendor.example",
   "one change is one mail to the person in charge, with old and new", letters)

# --- the CRM -----------------------------------------------------------------------------------------
CRM = ["the CRM's party has the new telephone number", "a change is not lost while the CRM is away",
       "what is deleted loses its charts and notes in the CRM", "the CRM's party has the person and the language, too",
       "a language that the CRM does not have is no reason to try for ever",
       "a later change does not overtake one that waits"]
if erp:
    def reached():
        return [m["value"].replace(" ", "") for m in erp.find(
            "party.contact_mechanism", [["party.code", "=", "C-1001"], ["type", "in", ["phone", "mobile"]]], "value")]

    desk.run("nightly")
    same((reached(), desk.rows("SELECT error FROM crm_jobs")), (["+81600000199"], []), CRM[0])
    erp.stop()
    desk.post("sato", "/me/data", {"version": version + 1, "phone": "+81 6 0000 0155"})
    desk.run("nightly")
    waits = desk.rows("SELECT tries FROM crm_jobs")
    erp.start()
    desk.rows("UPDATE crm_jobs SET due_at = 1")
    desk.run("nightly")
    same((len(waits) == 1 and waits[0][0] >= 1, reached(), desk.rows("SELECT error FROM crm_jobs")),
         (True, ["+81600000155"], []), CRM[1])
    erp.stop()
    desk.post("sato", "/me/data", {"version": version + 2, "phone": "+81 6 0000 0166", "contact": "Jiro Ono"})
    desk.run("nightly")
    desk.rows("UPDATE crm_jobs SET due_at = due_at + 3600")
    desk.post("sato", "/me/data", {"version": version + 3, "phone": "+81 6 0000 0188"})
    erp.start()
    desk.run("nightly")
    same((reached(), desk.rows("SELECT error FROM crm_jobs")), (["+81600000188"], []), CRM[5])
    version += 2
    mails("registered data changed", 4)

    def party():
        one = erp.find("party.party", [["code", "=", "C-1001"]], "lang")[0]
        code = erp.find("ir.lang", [["id", "=", one["lang"]]], "code")[0]["code"] if one["lang"] else None
        names = {m["name"] for m in erp.find("party.contact_mechanism", [["party.code", "=", "C-1001"], ["type", "in", ["phone", "mobile"]]], "name")}
        return code, names, desk.rows("SELECT error FROM crm_jobs")

    desk.post("sato", "/me/data", {"version": version + 2, "contact": "Ichiro Ueda", "language": "de"})
    desk.run("nightly")
    same(party(), ("de", {"Ichiro Ueda"}, []), CRM[3])
    desk.post("sato", "/me/data", {"version": version + 3, "contact": "Hanako Sato", "language": "xx"})
    desk.run("nightly")
    same(party(), ("de", {"Hanako Sato"}, []), CRM[4])
    mails("registered data changed", 6)

    def lead(reference):
        number = erp.call("model.sale.opportunity.create", [{
            "party": erp.find("party.party", [["code", "=", "C-1001"]], "id")[0]["id"], "reference": reference,
            "description": reference}])[0]
        where = "sale.opportunity,%d" % number
        erp.call("model.ir.attachment.create", [{"resource": where, "name": "chart.svg", "type": "data",
                                                 "data": {"__class__": "bytes", "base64": "PHN2Zy8+"}}])
        erp.call("model.ir.note.create", [{"resource": where, "message": "why " + reference}])
        erp.call("model.ir.attachment.create", [{"resource": where, "name": "own.txt", "type": "data",
                                                 "data": {"__class__": "bytes", "base64": "b3du"}}], user="rep1")
        return where

    first_lead, other_lead = lead("C-1001/osaka-1/gw/array-01/grow/x"), lead("C-10011/osaka-1/gw/array-01/grow/x")
else:
    for line in CRM:
        skip(line, "tryton-server is not installed")

# --- taking it along ---------------------------------------------------------------------------------
me_now = desk.api("sato", "/me")
version = desk.api("sales", "/items/%d" % item["id"])["item"]["version"]
desk.post("sales", "/items/%d/state" % item["id"], {"to": "new", "version": version})
version = desk.api("sales", "/items/%d" % item["id"])["item"]["version"]
status = desk.post("sales", "/items/%d/state" % item["id"], {"to": "lost", "reason": "he cannot pay, I think", "version": version})[0]
same(status, 303, "sales says why a sale was lost")
status, headers, body = desk.ask("GET", "/me/export", [("Cookie", desk.cookies["sato"])])
lines = [json.loads(line) for line in body.decode().splitlines()]
kinds = {k: [x for x in lines if x["kind"] == k] for k in {x["kind"] for x in lines}}
same((status, len(kinds["document"]) - len(raw), len(kinds["device"]), kinds["customer"][0]["phone"], len(kinds["change"])),
     (200, 0, 3, me_now["customer"]["phone"], len(me_now["changes"])), "the export has registered data, devices, documents and changes")
ok(all(hashlib.sha256(d["event"].encode()).hexdigest() == d["sha256"] for d in kinds["document"]),
   "its documents have their hashes")
wrong = []
points = 0
for device in kinds["device"]:
    series = desk.api("sato", "/devices/%d/series" % device["id"])
    days = {d["date"]: d for d in device["days"]}
    for date, value in series["used"]:
        points += 1
        if value is not None and days.get(date, {}).get("used_bytes") != value:
            wrong.append((device["device"], date, value))
    for date, value in series["maxima"]["days"]:
        points += 1
        if value is not None and days.get(date, {}).get("transfers_max") != value:
            wrong.append((device["device"], date, value))
ok(points > 3 * 200, "the charts have their points", points)
same(wrong, [], "every point of the charts is rebuilt from the export")
ok("C-2002" not in body.decode() and "Sakura" not in body.decode() and "between us" not in body.decode()
   and "cannot pay" not in body.decode(),
   "nothing of another customer is in it, nor what staff said among themselves")
same(({i["id"]: i["state"] for i in kinds["item"]}[item["id"]], [(a["item_id"], a["text"]) for a in kinds["answer"]][-1]),
     ("lost", (other, "cheaper")), "what became of an item is, and what the customer said to it himself")

# --- in a browser ------------------------------------------------------------------------------------
line = "a customer changes the telephone number in a browser, from end to end"
look = "the customer's pages fit a telephone, and none complains"
if browser.missing():
    skip(line, browser.missing() + " is not installed")
    skip(look, browser.missing() + " is not installed")
else:
    shots = os.environ.get("SCREENSHOTS")
    complaints, wide = [], []
    for width, script in ((1280, True), (375, False)):
        b = browser.Browser(width=width, script=script)
        b.get(desk.url + "/login")
        name, value = desk.cookies["sato"].split("=", 1)
        b.call("POST", "/cookie", {"cookie": {"name": name, "value": value, "path": "/"}})
        for path in ("/me", "/items/%d" % item["id"], "/devices/%d" % item["device_id"]):
            b.get(desk.url + path)
            wide.append(b.overflow())
            if shots:
                b.screenshot("%s/%s-%d.png" % (shots, path.split("/")[1], width))
        if not script:
            b.get(desk.url + "/me")
            b.run("document.documentElement.style.scrollBehavior = 'auto'")
            b.find("#phone").type("+81 6 0000 0177")
            b.find("#data button[type=submit]").click()
            ok("Saved." in b.text("#data") and "+81600000177" in mails("registered data changed", len(desk.api("sato", "/me")["changes"]))[-1], line, b.text("#data"))
        complaints += b.console()
        b.close()
    same(([c for c in complaints if "favicon" not in c], [w for w in wide if w > 0]), ([], []), look)

# --- deletion ----------------------------------------------------------------------------------------
same(desk.post("sato", "/me/erase", {"confirm": "yes"})[0], 422, "without the customer number nothing is deleted")
status, _, page = desk.post("sato", "/me/erase", {"confirm": "C-1001", "device": kinds["device"][2]["id"]})
receipt = re.search(r"E-[0-9a-f]{32}", page)
ok(status == 200 and receipt, "a device is deleted, with a receipt", status, page)
ok(receipt[0] in desk.get("sato", "/me")[1] and len(desk.api("sato", "/me")["devices"]) == 2,
   "which the customer sees again")
desk.post("sato", "/me/data", {"version": desk.api("sato", "/me")["customer"]["version"], "contact": "Somebody Else"})
status, _, page = desk.post("sato", "/me/erase", {"confirm": "C-1001"})
receipt = re.search(r"E-[0-9a-f]{32}", page)
ok(status == 200 and receipt, "everything is deleted, with a receipt", status, page)
same((desk.ask("GET", "/erasures/" + receipt[0])[0], desk.ask("GET", "/erasures/E-0")[0]), (200, 404),
     "the receipt stays, and tells nothing of whom")
same((desk.get("sato", "/me")[0], desk.get("kita", "/me")[0]), (303, 200), "the account is gone, others are not")
if erp:
    desk.rows("UPDATE crm_jobs SET due_at = 1")
    desk.run("nightly")

    def beside(where):
        return (sorted(a["name"] for a in erp.find("ir.attachment", [["resource", "=", where]], "name", user="admin")),
                len(erp.find("ir.note", [["resource", "=", where]], "id", user="admin")))

    same((beside(first_lead), beside(other_lead), desk.rows("SELECT error FROM crm_jobs")),
         ((["own.txt"], 0), (["chart.svg", "own.txt"], 1), []), CRM[2])
tables = [r[0] for r in desk.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")]
left = {(t, row) for t in tables for row in desk.rows("SELECT * FROM %s" % t)
        if any(isinstance(v, str) and ("C-1001" in v or "Minato" in v or "minato" in v) for v in row)}
same(left, set(), "no row has the customer's tag, the mail queue neither")
files = [path for path in glob.glob(desk.folder + "/desk.db*") if b"Minato" in open(path, "rb").read()
         or b"minato.example" in open(path, "rb").read()]
same(files, [], "nor do the store's files")
same(desk.stop(), 0, "the desk ends")
sink.stop()
done()
