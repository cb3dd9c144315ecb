#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""From a product page without login to the person in charge: a task at the desk and one right mail,
through a real SMTP server; also while that is down and the desk is killed. Spam is held off."""
import hashlib
import hmac
import base64
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.environ.setdefault("SOURCE", os.getcwd()), "tests/lib"))
os.environ.setdefault("BUILD", os.path.join(os.environ["SOURCE"], "build"))
import browser  # noqa: E402
import smtp_sink  # noqa: E402
from desk import BUILD, SOURCE, Desk  # noqa: E402
from tap import done, note, ok, same, skip, skip_all  # noqa: E402

if smtp_sink.MISSING:
    skip_all(smtp_sink.MISSING)

box = smtp_sink.Mailbox()
sink = smtp_sink.Sink(box)
PORT = sink.port
desk = Desk('public_url = "http://127.0.0.1:1"',
            'mail { url = "smtp://127.0.0.1:%d" from = "desk@vendor.example" starttls = no team = "team@vendor.example" }' % PORT,
            'public { stock = yes }', 'limits { contacts = 40 }')


def tell(kind, text):
    path = os.path.join(desk.folder, kind + ".csv")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    subprocess.run([BUILD + "/tidemark-desk", "import", kind, path, "--config", desk.conf], check=True,
                   stdout=subprocess.DEVNULL)


def run(*args):
    subprocess.run([BUILD + "/tidemark-desk", *args, "--config", desk.conf], check=True, stdout=subprocess.DEVNULL)


def sql(statement, *values):
    with sqlite3.connect(desk.folder + "/desk.db", timeout=20) as db:
        return db.execute(statement, values).fetchall()


today = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 9 * 3600))
tell("shops", "shop,name,kind\nNGO,Nagoya,shop\nOSA,Osaka,shop\nFAC,Factory,factory\n")
tell("stock", "shop,sku,quantity\nNGO,SHELF-20T,5\nOSA,SHELF-20T,1\nFAC,SHELF-20T,90\n")
customers = ["id,name,region,emails,phones,numbers",
             "C-1001,Minato Imaging 株式会社,Kansai,a.sato@minato.example;shared@group.example,+81600000102,1001",
             "C-2002,Kita Print KK,Kansai,shared@group.example,,2002", "C-3003,Lone KK,Kyushu,lone@lone.example,,"]
customers += ["C-9%03d,Customer %d KK,Kanto,mail%d@many.example,,9%03d" % (i, i, i, i) for i in range(97)]
tell("customers", "\n".join(customers) + "\n")
tell("staff", "staff,name,role,email,stand_in\nmori,K. Mōri,sales,k.mori@vendor.example,\n"
     "tanabe,R. Tanabe,sales,r.tanabe@vendor.example,\nabe,N. Abe,sales,,\n")
tell("assignments", "staff,role,customer,site,region,kind\nmori,sales,C-1001,,,\nabe,sales,C-2002,,,\n")
with open(SOURCE + "/contrib/schema/samples/catalogue.json", encoding="utf-8") as f:
    catalogue = json.load(f)
shelf = [e for e in catalogue["expansions"] if e["sku"] == "SHELF-20T"][0]
pictured = os.path.join(desk.folder, "catalogue.json")
for image in ("http://pictures.vendor.example/shelf.png", "https://pictures.vendor.example/shelf 20.png", 7,
              "https://pictures.vendor.example/shelf.png?a=1&b=2"):
    shelf["image"] = image
    with open(pictured, "w", encoding="utf-8") as f:
        json.dump(catalogue, f, indent=1)
    p = subprocess.run([BUILD + "/tidemark-desk", "import", "catalogue", pictured, "--config", desk.conf],
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if image != 7 and image.endswith("b=2"):
        same((p.returncode, p.stderr), (0, ""), "a product may have a picture that the vendor has put up")
    else:
        ok(p.returncode == 65 and "image" in p.stderr, "%r is no address of one" % image, p.stderr)
desk.start()
sql("INSERT INTO devices (customer_id, site, host, device, kind, model, used_fraction, fill_early, fill_middle,"
    " fill_late, first_seen_at, last_seen_at) VALUES ('C-1001', 'osaka-1', 'h', 'array-01', 'disk_array', 'DS-200',"
    " 0.81, 20828, 20850, 20890, 1, 1)")
same(sql("SELECT COUNT(*) FROM customers")[0][0], 100, "100 customers are imported")


def plain(text):
    """With blanks for the no-break spaces between a number and its unit."""
    return text.replace("\u00a0", " ")


def page(path="/products/SHELF-20T", headers=()):
    return desk.ask("GET", path, headers)


def form_of(body):
    return {name: re.search(r'name="%s" value="([^"]*)"' % name, body.decode())[1] for name in ("at", "seal")}


def send(fields, headers=(), sku="SHELF-20T", wait=True, form=None):
    form = form or form_of(page(headers=headers)[2])
    if wait:
        time.sleep(3.1)
    body = urllib.parse.urlencode({**form, **fields}).encode()
    return desk.ask("POST", "/products/%s/contact" % sku,
                    [("Content-Type", "application/x-www-form-urlencoded"), *headers], body)


# --- pages -------------------------------------------------------------------------------------------
skus = [row[0] for row in sql("SELECT sku FROM catalogue_items")]
same({page("/products/" + urllib.parse.quote(sku))[0] for sku in skus}, {200}, "every product has a page without login")
unknown = {desk.ask("GET", "/products/" + sku)[0] for sku in ("NO-SUCH", "%27%20OR%201=1", "shelf-20t")}
same(unknown, {404}, "an unknown SKU is 404, all alike")
status, headers, body = desk.ask("GET", "/api/v1/products/SHELF-20T")
product = json.loads(body)
same((product["price"], product["in_stock"], [(s["name"], s["quantity"]) for s in product["stock"]],
      product["lead_time_days"]), ({"amount": "2430000", "currency": "JPY"}, 6, [("Nagoya", 5), ("Osaka", 1)], 40),
     "the same product as JSON, with price, stock and lead time")
same(desk.ask("GET", "/api/v1/products/NO-SUCH")[0], 404, "an unknown SKU is 404 as JSON too")
html = page()[2].decode()
ok('property="og:title" content="Shelf of 20 TiB, spinning disks"' in html
   and 'rel="canonical" href="http://127.0.0.1:1/products/SHELF-20T"' in html, "a shared link has a preview", html[:1500])
ok('property="og:image" content="https://pictures.vendor.example/shelf.png?a=1&amp;b=2"' in html and "og:image" not in page("/products/SHELF-40T")[2].decode(),
   "with its picture, where it has one", html[:1500])
same(product["image"], "https://pictures.vendor.example/shelf.png?a=1&b=2", "which programs are told, too")
ok(all(x in html for x in ('itemtype="https://schema.org/Product"', 'itemprop="price" content="2430000"',
                           'href="https://schema.org/InStock"')), "structured data says price and stock", html)
status, headers, body = desk.ask("GET", "/sitemap.xml")
same((status, body.count(b"<loc>http://127.0.0.1:1/products/")), (200, len(skus)), "the sitemap has every product")
ok(b"Sitemap: http://127.0.0.1:1/sitemap.xml" in desk.ask("GET", "/robots.txt")[2], "robots.txt names it")
ok("<script" not in re.sub(r'<script (type="module"|defer) src="[^"]+"></script>', "", html), "no script stands in the page")

# --- one contact, one mail ---------------------------------------------------------------------------
words = "How many fit?\nAnd: <b>when</b>?"
first = form_of(page()[2])
status, headers, _ = send({"kind": "quote", "name": "佐藤 Ōno", "email": "A.Sato@Minato.example", "text": words,
                           "phone": "+81 6 0000 0102"}, form=first)
number = re.search(r"sent=(R-[A-Z2-9]{8})", headers.get("location", ""))
ok(status == 303 and number, "a contact is taken and gets a number", status, headers)
number = number[1]
row = sql("SELECT number, customer_id, found_by, kind, sku, page_at, text FROM product_contacts")[0]
same(row, (number, "C-1001", "email", "quote", "SHELF-20T", int(first["at"]), words),
     "it keeps the product, the page's time, the words and whose it is")
mails = box.wait(1)
time.sleep(1.5)
same(len(box.raw), 1, "there is one mail")
mail = mails[0]
same((mail["to"].addresses[0].addr_spec, mail["to"].addresses[0].display_name, box.recipients[0]),
     ("k.mori@vendor.example", "K. Mōri", ["k.mori@vendor.example"]), "it goes to the responsible person's address")
text = plain(mail.get_body().get_content())
for part in ("佐藤 Ōno", "A.Sato@Minato.example", "> How many fit?", "> And: <b>when</b>?", "Minato Imaging 株式会社 (C-1001)",
             "array-01 (DS-200 disk array, osaka-1): 81 % used, full between 2027-01-10 and 2027-03-13", number):
    if part not in text:
        ok(False, "the mail has " + part, text)
ok(True, "the mail has contact, customer and devices with their fill dates")
stock_then = "Nagoya 5; Osaka 1;"
ok("¥ 2,430,000" in text and stock_then in text and "40 days, about " in text,
   "the mail's price, stock and lead time are the product's as of then", text)
ok("株式会社" in str(mail["subject"]) and mail["subject"].startswith("A quote: SHELF-20T, Minato Imaging"),
   "names in the subject are right", str(mail["subject"]))
same(mail["reply-to"].addresses[0].addr_spec, "A.Sato@Minato.example", "an answer goes to the visitor")
same(send({"kind": "quote", "name": "佐藤 Ōno", "email": "A.Sato@Minato.example", "text": words,
           "phone": "+81 6 0000 0102"}, form=first, wait=False)[1]["location"].split("sent=")[1].split("#")[0], number,
     "the same form sent twice is the same contact")

# --- the task ----------------------------------------------------------------------------------------
link = re.search(r"/login/\S+", desk.user("add", "k.mori@vendor.example", "--name", "K. Mori", "--role", "sales",
                                          "--staff", "mori"))[0]
staff = [("Cookie", desk.sign_in(link))]
csrf = re.search(r'name="csrf" value="([0-9a-f]+)"', desk.ask("GET", "/account", staff)[2].decode())[1]


def post(path, headers=staff, **fields):
    body = urllib.parse.urlencode({"csrf": csrf, **fields}).encode()
    return desk.ask("POST", path, [("Content-Type", "application/x-www-form-urlencoded"), *headers], body)


tasks = json.loads(desk.ask("GET", "/api/v1/tasks?whose=mine", staff)[2])["tasks"]
same(len(tasks), 1, "the person has a task at the desk")
task = plain(desk.ask("GET", "/tasks/%d" % tasks[0]["id"], staff)[2].decode())
ok(all(x in task for x in ("佐藤 Ōno", "Minato Imaging 株式会社", "array-01", "2027-01-10", "¥ 2,430,000", "Nagoya",
                           "And: &lt;b&gt;when&lt;/b&gt;?")),
   "which shows customer, devices, contact and product in one place", task)
same(post("/tasks/%d/done" % tasks[0]["id"])[0], 303, "it is marked as done")
same((sql("SELECT done_by FROM todos")[0][0], json.loads(desk.ask("GET", "/api/v1/tasks", staff)[2])["tasks"]),
     ("K. Mori", []), "and leaves the list")
mark = re.search(r"\?me=([^\"&]+)\"", task)
ok(mark, "a link for the customer stands beside it", task)
mark = urllib.parse.unquote(mark[1])

# --- whose it is -------------------------------------------------------------------------------------


def last_of(column):
    return sql("SELECT %s FROM product_contacts ORDER BY id DESC LIMIT 1" % column)[0][0]


forms = [form_of(page()[2]) for _ in range(12)]
time.sleep(3.1)


def quick(**fields):
    answer = send(fields, form=forms.pop(), wait=False)
    if answer[0] != 303:
        note(answer[2].decode()[:3000])
    return answer[0]


quick(kind="material", email="x@elsewhere.example", number="1001")
same((last_of("customer_id"), last_of("found_by"), last_of("kind")), ("C-1001", "number", "material"),
     "a customer number finds the customer")
quick(kind="question", email="x@elsewhere.example", text="by link", me=mark)
same((last_of("customer_id"), last_of("found_by")), ("C-1001", "link"), "so does a signed link")
quick(kind="question", email="x@elsewhere.example", text="by a broken link", me=mark.replace("C-1001", "C-2002"))
same(last_of("customer_id"), None, "a link that was changed finds nobody")
quick(kind="question", email="shared@group.example", text="two")
same((last_of("customer_id"), sql("SELECT kind, staff FROM todos ORDER BY id DESC LIMIT 1")), (None, [("whose", None)]),
     "two matches: nobody is guessed, a person has to decide")
two = sql("SELECT MAX(id) FROM todos")[0][0]
quick(kind="call", phone="+81 3 0000 0000")
same((last_of("customer_id"), sql("SELECT kind FROM todos ORDER BY id DESC LIMIT 1")), (None, [("whose",)]),
     "no match: a person has to decide")
quick(kind="quote", email="a.sato@minato.example", number="2002")
same(last_of("customer_id"), None, "number and address of two customers: a person has to decide")
same(sorted({r[0] for r in sql("SELECT kind FROM product_contacts")}), ["call", "material", "question", "quote"],
     "quote, material, call and question are items of their own")
mails = box.wait(7)
same([m["to"].addresses[0].addr_spec for m in mails[3:7]], ["team@vendor.example"] * 4, "what is nobody's goes to the team")
ok("whose is this?" in mails[3]["subject"], "and says so")
page_two = desk.ask("GET", "/tasks/%d" % two, staff)[2].decode()
ok("C-1001" in page_two and "C-2002" in page_two, "the task shows who it could be", page_two)
same(post("/tasks/%d/customer" % two, customer="C-404")[0], 422, "a customer that is none is refused")
same((post("/tasks/%d/customer" % two, customer="C-2002")[0], sql("SELECT customer_id, kind, staff FROM todos WHERE id = ?", two)),
     (303, [("C-2002", "contact", "abe")]), "a person decides, and the task goes to the one in charge")
same(box.wait(8)[7]["to"].addresses[0].addr_spec, "team@vendor.example", "who has no address: the mail goes to the team's")
same(post("/tasks/%d/customer" % two, customer="C-1001")[0], 409, "who decides the second is told so")
quick(kind="quote", email="lone@lone.example")
same((last_of("customer_id"), sql("SELECT staff FROM todos ORDER BY id DESC LIMIT 1"), len(box.wait(9)),
      box.mails[8]["to"].addresses[0].addr_spec), ("C-3003", [(None,)], 9, "team@vendor.example"),
     "nobody is in charge: the team gets it")
tell("absences", "staff,from,to,stand_in\nmori,%s,%s,tanabe\n" % (today, today))
quick(kind="quote", email="a.sato@minato.example", text="absent")
ok(len(box.wait(10)) == 10 and box.mails[9]["to"].addresses[0].addr_spec == "r.tanabe@vendor.example"
   and "stands in for K. Mōri" in box.mails[9].get_body().get_content(), "absent: the stand-in gets it", box.mails[-1])
tell("absences", "staff,from,to,stand_in\n")
tell("staff", "staff,name,role,email,stand_in\nmori,K. Mōri,sales,k.mori.new@vendor.example,\n")
quick(kind="quote", email="a.sato@minato.example", text="moved")
same((len(box.wait(11)), box.mails[10]["to"].addresses[0].addr_spec), (11, "k.mori.new@vendor.example"),
     "a changed address is used from the next mail on")
login = re.search(r"/login/\S+", desk.user("add", "sato@minato.example", "--name", "A. Sato", "--role", "customer",
                                           "--customer", "C-1001"))[0]
customer = [("Cookie", desk.sign_in(login))]
status, _, body = send({"kind": "quote", "text": "signed in"}, headers=customer)
same((status, last_of("customer_id"), last_of("found_by")), (303, "C-1001", "login"), "who is signed in is known")
box.wait(12)

# --- what is tried -----------------------------------------------------------------------------------
before = len(box.raw)
quick(kind="question", name="Eve\r\nBcc: victim@example.com", email="eve@evil.example",
      text="x\r\n.\r\nMAIL FROM:<a@b>\r\nBcc: other@example.com", number="1001\r\nTo: z@z.example")
mail = box.wait(before + 1)[-1]
same((mail["bcc"], [str(t) for t in mail.get_all("to")], box.recipients[-1]),
     (None, ["team@vendor.example"], ["team@vendor.example"]), "a name, number or text cannot become a header or recipient")
for bad in ("eve@evil.example\r\nBcc: v@example.com", "a@b> v", "no address"):
    status, _, body = send({"kind": "quote", "email": bad}, form=form_of(page()[2]))
    same((status, b'id="email-err"' in body), (422, True), "an address that is none is refused at its field")
count = sql("SELECT COUNT(*) FROM product_contacts")[0][0]
form = form_of(page()[2])
status, _, body = send({"kind": "quote", "email": "bot@bot.example"}, form=form, wait=False)
same((status, b"too quick for a person" in body), (422, True), "a form that comes back at once is not taken")
time.sleep(3.1)
status, headers, _ = send({"kind": "quote", "email": "bot@bot.example", "web": "http://spam.example"}, form=form, wait=False)
same((status, sql("SELECT COUNT(*) FROM product_contacts")[0][0]), (303, count), "who fills in the hidden field is told nothing, and nothing is kept")
status, _, body = send({"kind": "quote", "email": "bot@bot.example"}, form={**form, "at": str(int(form["at"]) - 60)}, wait=False)
same(status, 422, "a form time that was changed is not taken")
secret = base64.b64decode(sql("SELECT value FROM settings WHERE name = 'seal_key'")[0][0].split("_")[1])
old = str(int(time.time()) - 86401)
seal = hmac.new(secret, ("page\n%s SHELF-20T" % old).encode(), hashlib.sha256).hexdigest()
status, _, body = send({"kind": "quote", "email": "late@late.example", "text": "kept words"}, form={"at": old, "seal": seal}, wait=False)
ok(status == 422 and b"open for more than a day" in body and b"kept words" in body,
   "a page that was open for more than a day is shown again, with the words", status)
again = form_of(body)
time.sleep(3.1)
same(send({"kind": "quote", "email": "late@late.example", "text": "kept words"}, form=again, wait=False)[0], 303,
     "and then taken")
status, _, body = send({"kind": "quote", "email": "x@y.example"}, form=first, sku="DS-200", wait=False)
same(status, 422, "the form of one product is none of another")
box.wait(before + 2)

# --- SMTP down, the desk killed ----------------------------------------------------------------------
sink.stop()
sent = len(box.raw)
status, headers, _ = send({"kind": "quote", "email": "a.sato@minato.example", "text": "while the mail is down"})
same(status, 303, "with the mail server down a contact is taken all the same")
number = headers["location"].split("sent=")[1].split("#")[0]
desk.process.kill()
desk.process.wait()
desk.process.stdout.close()
same(sql("SELECT text FROM product_contacts WHERE number = ?", number), [("while the mail is down",)],
     "the desk is killed: the contact is safe")
desk.start()
time.sleep(2)
sink = smtp_sink.Sink(box, PORT)
# The next try would be some minutes away: an hour goes by.
sql("UPDATE letters SET due_at = 1 WHERE due_at IS NOT NULL")
box.wait(sent + 1, 30)
time.sleep(3)
same((len(box.raw) - sent, box.mails[-1]["to"].addresses[0].addr_spec, number in box.mails[-1].get_body().get_content()),
     (1, "k.mori.new@vendor.example", True), "it is up again: exactly one mail")

# --- in a browser ------------------------------------------------------------------------------------
lines = ["contact to mail, from end to end, in a browser", "request to mail, from end to end, without script",
         "no page is wider than a telephone, and none complains"]
if browser.missing():
    for line in lines:
        skip(line, browser.missing() + " is not installed")
else:
    shots = os.environ.get("SCREENSHOTS")
    complaints, wide = [], []

    def walk(b, kind, width, name):
        b.get(desk.url + "/products")
        wide.append(b.overflow())
        b.get(desk.url + b.link("SHELF-20T").attribute("href").replace(desk.url, ""))
        b.run("document.documentElement.style.scrollBehavior = 'auto'")
        b.find("#email").type("a.sato@minato.example")
        b.find("#k-" + kind).click()
        b.find("#txt").type("from a browser: " + name)
        b.find("#phone").type("+81 6 0000 0102")
        if shots:
            b.screenshot("%s/product-%d.png" % (shots, width))
        time.sleep(3.1)
        b.find("button[type=submit].btn-primary").click()
        text = b.text("#contact")
        if shots:
            b.screenshot("%s/product-sent-%d.png" % (shots, width))
        wide.append(b.overflow())
        complaints.extend(b.console())
        return re.search(r"R-[A-Z2-9]{8}", text)[0]

    for script, width, kind, line in ((True, 1280, "quote", lines[0]), (False, 375, "call", lines[1])):
        sent = len(box.raw)
        b = browser.Browser(width=width, script=script)
        number = walk(b, kind, width, line)
        mail = box.wait(sent + 1)[-1]
        ok(len(box.raw) == sent + 1 and number in mail["subject"] and line in mail.get_body().get_content(), line, mail)
        if not script:
            name, value = staff[0][1].split("=", 1)
            b.call("POST", "/cookie", {"cookie": {"name": name, "value": value, "path": "/"}})
            newest = sql("SELECT MAX(id) FROM todos")[0][0]
            for path in ("/tasks", "/tasks/%d" % newest):
                b.get(desk.url + path)
                wide.append(b.call("POST", "/goog/cdp/execute", {"cmd": "Page.getLayoutMetrics", "params": {}})
                            ["cssContentSize"]["width"] - width)
                if shots:
                    b.screenshot("%s/task%d-%d.png" % (shots, len(wide), width))
            complaints.extend(b.console())
        b.close()
    same(([c for c in complaints if "favicon" not in c], [w for w in wide if w and w > 0]), ([], []), lines[2])

sink.stop()
same(desk.stop(), 0, "the desk ends")
done()
