#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A morning at the desk in a real Chromium: sign in by a one-time link, open the most urgent item and its
live chart, ask the factory, see the answer arrive, agree, reserve, and see the expansion close it; then
every page of every role, in light and dark, wide and at 375 px: no complaint of the browser, nothing wider
than the window, nothing that keeps people out. SCREENSHOTS=FOLDER keeps a picture of each."""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ.setdefault("SOURCE", os.getcwd()), "tests/lib"))
os.environ.setdefault("BUILD", os.path.join(os.environ["SOURCE"], "build"))
import browser  # noqa: E402
from selling import ROLES, SalesDesk, day, summary, wait_for  # noqa: E402
from tap import done, note, ok, same, skip_all  # noqa: E402

if browser.missing():
    skip_all(browser.missing() + " is not installed")
SHOTS = os.environ.get("SCREENSHOTS")
with open(os.path.join(os.environ["SOURCE"], "tests/lib/accessible.js"), encoding="utf-8") as f:
    LOOK = f.read()
ROUTES = json.loads(subprocess.run([os.environ["BUILD"] + "/tidemark-desk", "routes", "--format", "json"],
                                   stdout=subprocess.PIPE, check=True).stdout)

desk = SalesDesk().start().furnish()
desk.give("shops", "shops.csv", "shop,name,kind,region\nOSA,Osaka shop,shop,Kansai\nFAC,Factory store,factory,\n")
desk.give("stock", "stock.csv", "shop,sku,quantity\nOSA,SHELF-40T,1\nFAC,SHELF-40T,9\nOSA,SHELF-20T,9\nFAC,SHELF-20T,9\n"
          "OSA,SHELF-20T-SSD,9\nOSA,INSTALL,9\n")
desk.give("lead-times", "lead.csv", "from,to,sku,days\n,FAC,,30\nFAC,OSA,,4\n")
minato = desk.site()
desk.push(minato, summary("array-01"), summary("array-02", None, used=10e12), summary("array-03", (80, 100, 130)))
ok(desk.items(2), "two devices need something", desk.rows("SELECT key FROM items"))
desk.account("customer", "sato@minato.example", "Hanako Sato", "--customer", "C-1001")
LOGINS = dict({role: role + "@vendor.example" for role in ROLES}, customer="sato@minato.example")


def enter(b, role):
    """Signs in by a one-time link, as a person who clicks on it."""
    b.get(desk.url + "/login")
    b.call("DELETE", "/cookie")
    b.get(desk.url + re.search(r"/login/\S+", desk.user("link", LOGINS[role]))[0])
    b.find("main button[type=submit]").click()
    b.wait(lambda: b.all(".who-am-i"), "the sign-in")


# --- the morning ----------------------------------------------------------------------------------
b = browser.Browser(1280)
enter(b, "sales")
ok("/opportunities" in b.url, "a sales person signs in by a link and sees the ranked list", b.url)
b.link("Open the most urgent").click()
b.wait(lambda: b.all("figure.is-live"), "the chart")
ok("array-01" in b.text("h1"), "the most urgent item opens, with its evidence in a live chart", b.text("h1"))
item = b.url.split("/items/")[1].split("?")[0]
b.link("Ask the factory").click()
b.fill({"#shop": "OSA"})
b.run("window.stays = 1")
b.find("main form[action$='/inquiry'] button[type=submit]").click()
b.wait(lambda: re.search(r"/inquiries/[^/]+$", b.url), "the inquiry")
b.run("window.stays = 1")
answered = "SELECT count(*) FROM answers"
waiting = b.all("[data-events]") != []
ok(wait_for(lambda: desk.rows(answered)[0][0] == 1), "the factory's stock answers")
if waiting:
    b.wait(lambda: b.run("const a = document.querySelector('[data-link]'); return a && !a.hidden"), "the answer")
    ok(b.run("return window.stays") == 1, "the answer arrives without reload", b.text())
    b.link("Open the answer").click()
else:
    note("the answer was there before the page")
    ok(b.all("form[action$='/agree']"), "the answer arrives without reload", b.text())
b.find("form[action$='/agree'] #who").type("Hanako Sato")
b.find("form[action$='/agree'] #on").type(day(0))
b.find("form[action$='/agree'] button[type=submit]").click()
b.wait(lambda: b.all("#hold-h"), "the reservation")
ok("Reservation" in b.text("#hold-h"), "what the customer agreed to is reserved, under a number", b.text())
inquiry = b.url.split("/inquiries/")[1]
same([s for (s,) in desk.rows("SELECT state FROM items WHERE id = ?", int(item))], ["agreed"], "the item is agreed")
grown = summary("array-01", (500, 700, 900), capacity=260e12, used=81.5e12, at=10)
for d in grown["history"][-2:]:
    d["capacity_bytes"] = int(260e12)
grown["forecast"]["fill"]["probability_by_horizon"] = {"30d": 0.0, "90d": 0.0, "365d": 0.05}
desk.push(minato, grown)
wait_for(lambda: desk.rows("SELECT state FROM items WHERE id = ?", int(item))[0][0] == "installed")
b.get(desk.url + "/items/" + item)
ok("expansion seen" in b.text() or "Installed" in b.text("ol.life .now"), "the expansion that the data show closes the item", b.text("ol.life"))
b.get(desk.url + "/opportunities")
ok("array-01" not in b.text() and "array-03" in b.text(), "it is listed no more")
same(b.console(), [], "the browser had nothing to complain about")
b.close()

# --- without script -----------------------------------------------------------------------------------
b = browser.Browser(1280, script=False)
enter(b, "sales")
b.find("th.who a, td.who a").click()
b.wait(lambda: "/items/" in b.url, "an item")
ok(b.all(".chart-static svg") and "Recommendation" in b.text(), "without script: signed in, the list leads to an item with its drawing")
b.find("#to option[value=contacted]").call("POST", "/click", {})
b.find("form[action$='/state'] button").call("POST", "/value", {"text": "\ue007"})  # Enter
number = int(b.url.split("/items/")[1].split("?")[0].split("#")[0])
ok(wait_for(lambda: desk.rows("SELECT state FROM items WHERE id = ?", number)[0][0] == "contacted"),
   "without script: its state is changed")
b.close()

# --- every page ---------------------------------------------------------------------------------------
desk.post("sales", "/items/%d/quote" % number, [("sku", "SHELF-40T"), ("quantity", "2"), ("price", "4400000"), ("currency", "JPY")])
desk.post("service", "/claims", {"customer": "C-1001", "site": "osaka-1", "device": "array-03", "by": "H. Sato", "type": "cannot be reached",
                                 "host": summary()["customer"]["host"], "text": "It was gone for an hour"})
desk.rows("INSERT INTO todos (customer_id, kind, title, text, made_at) VALUES ('C-1001', 'answer', 'Call back', 'About the offer', 1)")
KEYS = {"devices": "SELECT device_id FROM items WHERE open = 1", "items": "SELECT id FROM items WHERE open = 1",
        "quotes": "SELECT number FROM quotes", "customers": "SELECT 'C-1001'", "products": "SELECT sku FROM catalogue_items",
        "tasks": "SELECT id FROM todos", "claims": "SELECT id FROM claims", "inquiries": "SELECT inquiry FROM inquiries"}


def pages(role):
    """Each address of a page that a role may open."""
    for route in ROUTES:
        pattern = route["pattern"]
        if route["method"] != "GET" or not {role, "none"} & set(route["roles"]) or pattern == "/" or \
                ("none" in route["roles"]) != (role == "none"):
            continue
        if re.match(r"/(api|static|vendor|sitemap|robots|documents|erasures)\b", pattern) or \
                re.search(r"/(series|events|news|export)$|\.csv$", pattern):
            continue
        part = re.search(r"([a-z]+)/\{", pattern)
        if "{" not in pattern:
            yield pattern
        elif pattern.startswith("/login"):
            yield "/login/not-a-link"
        elif part and part[1] in KEYS:
            rows = desk.rows(KEYS[part[1]])
            if rows:
                yield re.sub(r"\{[a-z_]+\}", str(rows[0][0]), pattern)
            else:
                note("nothing to open for " + pattern)
        else:
            note("no page is known for " + pattern)


def look(b, role, path, width, dark):
    """What is wrong with a page as it is shown."""
    b.get(desk.url + path)
    b.find("h1")
    if SHOTS and not dark:
        os.makedirs(SHOTS, exist_ok=True)
        b.screenshot(os.path.join(SHOTS, "%s%s-%d.png" % (role, re.sub(r"\W+", "-", path), width)))
    where = "%s %s at %d%s" % (role, path, width, ", dark" if dark else "")
    wide = [where + ": %d px wider than the window" % b.overflow()] if b.overflow() > 0 else []
    return ([where + ": " + f for f in b.run(LOOK)], wide, [where + ": " + f for f in b.console()])


seen, barriers, wide, complaints = set(), [], [], []
for width in (1280, 375):
    b = browser.Browser(width)
    for role in ["none", *LOGINS]:
        if role == "none":
            b.get(desk.url + "/login")
        else:
            enter(b, role)
        b.console()
        for path in pages(role):
            for dark in (False, True):
                b.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {
                    "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]}})
                try:
                    faults = look(b, role, path, width, dark)
                except browser.WebError as error:
                    faults = (["%s %s: %s" % (role, path, error)], [], [])
                barriers += faults[0]
                wide += faults[1]
                complaints += faults[2]
            seen.add(path)
    b.close()
ok(len(seen) >= 20, "every page of every role was looked at", len(seen))
note("%d pages: %s" % (len(seen), " ".join(sorted(seen))))
for what, found in (("nothing keeps people out: names, structure, contrast, focus, size", barriers),
                    ("no page is wider than its window at 1280 and 375 px", wide),
                    ("no page makes the browser complain", complaints)):
    if not ok(not found, what, len(found)):
        told = {}
        for fault in found:  # each once, with the first place
            told.setdefault(fault.split(": ", 1)[1], fault)
        note(*list(told.values())[:60])
same(desk.stop(), 0, "the desk ends well")
same(desk.log(), "", "and had nothing to complain about")
done()
