#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The factory in a real Chromium: an answer appears while one looks, the forms work without script, and
the pages fit a telephone."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.environ.setdefault("SOURCE", os.getcwd()), "tests/lib"))
os.environ.setdefault("BUILD", os.path.join(os.environ["SOURCE"], "build"))
import browser  # noqa: E402
from desk_factory import FactoryDesk, day, furnish  # noqa: E402
from tap import done, ok, same, skip_all  # noqa: E402
from waiting import wait_for  # noqa: E402

if browser.missing():
    skip_all(browser.missing() + " is not installed")

desk = FactoryDesk().start()
furnish(desk, "OSA,DS-800,1\nOSA,SPECIAL-1,0\n")
desk.fill()
number = desk.item()["id"]
desk.table("customers", "id,name,shop\nC-1001,Minato Imaging KK,OSA\n")
desk.table("lead-times", "from,to,sku,days\n,FAC,DS-800,49\nFAC,OSA,,5\n")


def open_as(login, path, **more):
    b = browser.Browser(**more)
    b.get(desk.url + "/login")
    name, value = desk.people[login].split("=", 1)
    b.call("POST", "/cookie", {"cookie": {"name": name, "value": value, "path": "/"}})
    b.get(desk.url + path)
    return b


def shows(b, text):
    """Whether the page says so; not while another one takes its place."""
    try:
        return text in b.text()
    except browser.WebError:
        return False


def ask(sku):
    return desk.form("mori", "/items/%d/inquiry" % number, sku=sku, quantity="1", shop="OSA")[1].rsplit("/", 1)[1]


# --- without a reload ----------------------------------------------------------------------------------
name = ask("SPECIAL-1")
b = open_as("mori", "/inquiries/" + name)
b.wait(lambda: shows(b, "None yet"), "the page says that there is no answer yet")
time.sleep(0.5)
desk.form("okada", "/inquiries/%s/answer" % name, shop="OSA", on=day(3))
b.wait(lambda: shows(b, "OSA " + day(3)), "the answer appears")
same((b.find("[data-field=answer]").text, b.run("return document.getElementById('live-status').textContent")),
     ("OSA " + day(3), "%s is answered: OSA %s." % (name, day(3))), "an answer appears while one looks, and is said aloud")
same(b.console(), [], "without a complaint of the browser")
b.close()

# --- without script ------------------------------------------------------------------------------------
b = open_as("mori", "/items/%d/inquiry" % number, script=False)
b.find("button.btn-primary").click()
b.wait(lambda: "/inquiries/Q-" in b.url, "the form leads to the inquiry")
name = b.url.rsplit("/", 1)[1]
desk.inquiry("mori", name)
b.get(b.url)
b.find("#who").type("A. Sato")
b.find("button.btn-primary").click()
b.wait(lambda: shows(b, "Reservation R-"), "it is reserved")
ok(shows(b, "A. Sato"), "without script the factory is asked, and what it says agreed to")
b.close()

# --- on a telephone ------------------------------------------------------------------------------------
wait_for(lambda: desk.get("okada", "/api/v1/demand")[0] == 200)
for login, path, what in (
        ("mori", "/inquiries", "the list"), ("mori", "/inquiries/" + name, "an inquiry"),
        ("mori", "/inquiries/%s/note" % name, "the pick-up note"), ("mori", "/items/%d/inquiry" % number, "the form"),
        ("mori", "/items/%d" % number, "the item"), ("okada", "/factory", "the factory"),
        ("okada", "/inquiries/" + name, "an inquiry at the factory")):
    for width in (1280, 375):
        b = open_as(login, path, width=width)
        time.sleep(0.3)
        same((max(0, b.overflow()), b.console()), (0, []), "%s at %d px fits, without a complaint" % (what, width))
        b.close()
same(desk.stop(), 0, "the desk ends well")
same(desk.log(), "", "nothing went to the log")
done()
