#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A vendor takes what its sites drop; and the road from a site straight to a factory, without any
desk between them."""
import base64
import glob
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import erp as tryton  # noqa: E402
import summaries as made  # noqa: E402
from exporting import BUILD, SOURCE, Site, sign  # noqa: E402
from tap import done, ok, same, skip  # noqa: E402


class Customer(Site):
    """A site whose target is a folder that the vendor can see."""

    def __init__(self, customer, purposes):
        super().__init__(customer=customer)
        self.drop = self.path("drop")
        os.mkdir(self.drop)
        self.configure('target box { type = "file" directory = "%s" secret_file = "%s"\n'
                       '  purposes = { %s } }\n' % (
                           self.drop, self.path("secret"),
                           ", ".join('"%s"' % p for p in purposes)))
        self.enable(*purposes)

    def send(self, *documents):
        given = "".join(json.dumps(d) + "\n" for d in documents)
        assert self.run("queue", "--now", "-", stdin=given).returncode == 0
        assert self.run("push", "--once").returncode == 0


def source(site, name, customer=None):
    return ('source %s { directory = "%s" secret_file = "%s" customer = "%s" site = "osaka-1" }\n' % (
        name, site.drop, site.path("secret"), customer or site.customer))


def device(customer, used=60, name="array-01", **more):
    s = made.summary(customer=customer, device=name, used=used, **more)
    s["history"] = s["history"][-35:]
    return s


def files(site, folder=""):
    return sorted(n for n in os.listdir(os.path.join(site.drop, folder)) if n.endswith(".json"))


def accepted(vendor, customer="*"):
    out = []
    for path in sorted(glob.glob(vendor.path("state/accepted", customer, "*", "*.json"))):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        assert text.count("\n") == 1 and text.endswith("\n")
        out.append(json.loads(text))
    return out


one, two = Customer("C-1", ["sales"]), Customer("C-2", ["sales", "service"])
vendor = Site(more='role = "vendor"\n')
vendor.configure(source(one, "one") + source(two, "two"))

# --- before it comes 
p = vendor.run("check")
same((p.returncode, p.stdout, p.stderr), (0, "source one: in order\nsource two: in order\n", ""),
     "check looks at the sources")
os.rename(one.drop, one.drop + ".away")
os.chmod(two.path("secret"), 0o644)
p = vendor.run("check")
os.rename(one.drop + ".away", one.drop)
os.chmod(two.path("secret"), 0o600)
same((p.returncode, p.stdout, [line.split(": ")[1:3] for line in p.stderr.splitlines()]),
     (78, "", [["source one", one.drop], ["source two", two.path("secret")]]),
     "... and names the folder that is gone and the secret that all may read")

# --- what comes ----------------------------------------------------------------------------------------
one.send(device("C-1", days=100), device("C-1", name="array-02"))
two.send(device("C-2"))
p = vendor.run("receive")
same((p.returncode, p.stderr, len(p.stdout.splitlines())), (0, "", 6),
     "three summaries with their histories are taken")
ok("accepted" in p.stdout and "C-1/osaka-1/nas-gw.example.com/array-01" in p.stdout, "... and told",
   p.stdout)
same(sorted((s["customer"]["id"], s["product"]["device"]) for s in accepted(vendor)),
     [("C-1", "array-01"), ("C-1", "array-02"), ("C-2", "array-01")],
     "one summary of each device is kept, by customer and site")
same((files(one), len(files(one, "taken"))), ([], 4), "what was taken is out of the way")
p = vendor.run("receive")
same((p.returncode, p.stdout), (0, ""), "nothing new, nothing done")
newer = device("C-1", used=70, generated_at="2026-11-21T00:05:00Z", days=35)
for i, day in enumerate(newer["history"]):
    day["date"] = "2026-%02d-%02d" % ((10, i + 18) if i < 14 else (11, i - 13))
one.send(newer)
vendor.run("receive")
first = [s for s in accepted(vendor, "C-1") if s["product"]["device"] == "array-01"][0]
same((first["generated_at"], first["status"]["used_bytes"], len(first["history"]) > 35,
      [d["date"] for d in first["history"]] == sorted({d["date"] for d in first["history"]})),
     ("2026-11-21T00:05:00Z", 70 * made.TIB, True, True),
     "the newer one replaces the older, and keeps its days")
for name in files(one, "taken"):
    for suffix in (name, name.replace(".json", ".sig")):
        shutil.copy(os.path.join(one.drop, "taken", suffix), one.drop)
p = vendor.run("receive")
again = [s for s in accepted(vendor, "C-1") if s["product"]["device"] == "array-01"][0]
same((p.returncode, again), (0, first), "all of it once more, in any order, changes nothing")

# --- what is refused -------------------------------------------------------------------------------------
two.send(device("C-2", used=61, name="array-03"))
name = [n for n in files(two) if json.load(open(os.path.join(two.drop, n)))["data"]["schema"]
        == "tidemark.summary/1"][0]
path = os.path.join(two.drop, name)
body = open(path, "rb").read()
key = name[:-5]


def try_with(data, signature=None, old=True):
    """The summary of two, changed."""
    for n in os.listdir(two.drop):
        if n.endswith((".json", ".sig")):
            os.unlink(os.path.join(two.drop, n))
    with open(path, "wb") as f:
        f.write(data)
    if signature != "":
        with open(path.replace(".json", ".sig"), "w", encoding="utf-8") as f:
            f.write(signature or "webhook-id: %s\nwebhook-timestamp: 1795133100\nwebhook-signature: %s\n"
                    % (key, sign(key, "1795133100", data)))
    if old:
        os.utime(path, (time.time() - 3600,) * 2)
    p = vendor.run("receive")
    why = os.path.join(two.drop, "refused", key + ".why")
    text = open(why, encoding="utf-8").read() if os.path.exists(why) else ""
    shutil.rmtree(os.path.join(two.drop, "refused"), True)
    return p, text


def changed(**more):
    event = json.loads(body)
    for k, v in more.items():
        event["data"][k] = v
    return json.dumps(event).encode()


p, why = try_with(body.replace(b'"used_bytes"', b'"usedXbytes"'),
                  "webhook-id: %s\nwebhook-timestamp: 1795133100\nwebhook-signature: %s\n" % (
                      key, sign(key, "1795133100", body)))
ok(p.returncode == 65 and "signature is wrong" in why and key[:12] in p.stderr,
   "a document that was changed on its way", p.returncode, p.stderr)
p, why = try_with(body, "")
ok(p.returncode == 65 and "no signature" in why, "one without a signature", p.stderr)
p, why = try_with(body, "webhook-id: other\nwebhook-timestamp: 1795133100\nwebhook-signature: %s\n"
                  % sign("other", "1795133100", body))
ok(p.returncode == 65 and "another id" in why, "one under another's id", p.stderr)
for what, data, word in (
        ("of another customer, though rightly signed",
         changed(customer=dict(json.loads(body)["data"]["customer"], id="C-1")), "customer.id"),
        ("of another site", changed(customer=dict(json.loads(body)["data"]["customer"], site="x")),
         "customer.site"),
        ("with a wrong type", changed(status="full"), "status"),
        ("of no use", changed(schema="tidemark.claim/1"), "tidemark.claim/1"),
        ("that is no JSON", body[:-1], "")):
    p, why = try_with(data)
    ok(p.returncode == 65 and word in why and "array-03" not in p.stdout, "one %s" % what, p.stderr, why)
p, why = try_with(body[:100], old=False)
same((p.returncode, why, files(two)), (75, "", [name]), "what may still be on its way is left for a minute")
p, why = try_with(body)
same((p.returncode, why, len(accepted(vendor, "C-2"))), (0, "", 2), "and taken when it is whole")
# A site changes its secret; what it had dropped before is still on its way.
two.send(device("C-2", name="array-04"))
new = two.write("secret.new", "whsec_" + base64.b64encode(bytes(range(50, 82))).decode() + "\n", 0o600)
rotated = source(two, "two").replace(two.path("secret"), new)
vendor.configure(source(one, "one") + rotated)
for n in files(two):
    os.utime(os.path.join(two.drop, n), (time.time() - 3600,) * 2)
shutil.copytree(two.drop, two.path("copy"))
same(vendor.run("receive").returncode, 65, "a secret that was revoked is not taken any more")
shutil.rmtree(two.drop)
shutil.copytree(two.path("copy"), two.drop)
vendor.configure(source(one, "one") + rotated.replace(
    'customer', 'old_secret_file = "%s" customer' % two.path("secret")))
same((vendor.run("receive").returncode, files(two)), (0, []),
     "unless the vendor says that it may still come")
vendor.configure(source(one, "one") + source(two, "two"))
p = Site(more=source(one, "one")).run("receive")
ok(p.returncode == 78 and "vendor" in p.stderr, "at a customer's site there is no source", p.stderr)

# --- and goes on ---------------------------------------------------------------------------------------------
os.mkdir(vendor.path("crm"))
vendor.configure(source(one, "one") + source(two, "two") +
                 'target crm { type = "file" directory = "%s" secret_file = "%s" purposes = { "sales" } }\n'
                 % (vendor.path("crm"), vendor.path("secret")))
p = vendor.run("queue", "--now")
same((p.returncode, p.stderr), (0, ""), "without files, what was received is queued")
vendor.run("push", "--once")
sent = [json.load(open(n, encoding="utf-8"))["data"] for n in glob.glob(vendor.path("crm", "*.json"))]
sent = [s for s in sent if s["schema"] == "tidemark.summary/1"]
same(sorted((s["customer"]["id"], s["product"]["device"]) for s in sent),
     [("C-1", "array-01"), ("C-1", "array-02"), ("C-2", "array-01"), ("C-2", "array-03"), ("C-2", "array-04")],
     "... each device of each customer, though two have the same name")

# --- deletion ---------------------------------------------------------------------------------------------
assert one.run("delete-request", "--device", "nas-gw.example.com/array-02", "--by", "Hanako Sato").returncode == 0
one.run("push", "--once")
p = vendor.run("receive")
same((p.returncode, [s["product"]["device"] for s in accepted(vendor, "C-1")]), (0, ["array-01"]),
     "a request for deletion is done at once")
ok("Hanako Sato" in p.stderr and "ERP" in p.stderr, "... and told to a person", p.stderr)

# --- straight to the factory ----------------------------------------------------------------------------------
if not tryton.present():
    skip("a site's demand is in the factory's ERP", "tryton-server is not installed")
    done()
erp = tryton.Erp()
plant = Site(more='role = "vendor"\n')
third = Customer("C-3", ["factory"])
plant.write("password", "Exporter-7421\n", 0o600)
plant.configure(source(third, "three") + 'target erp { type = "tryton" url = "%s" user = "tidemark"\n'
                '  password_file = "%s" purposes = { "factory" } }\n' % (erp.url, plant.path("password")))
need = device("C-3", used=110, growth=0.2, fill=(40, 50, 60), recommendations=[{
    "key": "C-3/osaka-1/h/d/grow/2025-04-01", "action": "grow", "reason": "secret reasons",
    "lines": [{"sku": "SHELF-20T", "quantity": 3, "price": {"amount": "4800", "currency": "EUR"}}],
    "order_by": "2026-12-01", "fill": {"0.1": made.when(40)[:10], "0.5": made.when(50)[:10],
                                       "0.9": made.when(60)[:10]}}])
third.send(need)
same(plant.run("receive").returncode, 0, "the factory takes what a site dropped, without any desk")
kept, = accepted(plant)
same((kept["recommendations"][0].get("reason"), "price" in kept["recommendations"][0]["lines"][0],
      "status" in kept, kept["recommendations"][0]["lines"][0]["sku"]),
     (None, False, False, "SHELF-20T"), "it was told what and when, and nothing else")
text = "".join(json.dumps(s) + "\n" for s in accepted(plant))
q = subprocess.run([os.path.join(BUILD, "tidemark-analyze"), "demand", "-c", plant.conf], input=text,
                   capture_output=True, text=True, check=False, timeout=60)
p = plant.run("demand", "-", stdin=q.stdout)
same((q.returncode, p.returncode), (0, 0), "its demand is added up and given to the ERP")
lines = erp.find("stock.forecast.line", [], "product.code", "quantity", "forecast.state")
same((sum(x["quantity"] for x in lines), {x["product."]["code"] for x in lines},
      {x["forecast."]["state"] for x in lines}), (3.0, {"SHELF-20T"}, {"done"}),
     "a site's demand is in the factory's ERP")

# --- and to the sales people, with the vendor's own catalogue of today -----------------------------------------
fourth = Customer("C-1001", ["sales", "factory"])
plant.configure(source(fourth, "four") + 'target erp { type = "tryton" url = "%s" user = "tidemark"\n'
                '  password_file = "%s" purposes = { "sales", "factory" } }\n' % (
                    erp.url, plant.path("password")))
fourth.send(device("C-1001", used=110, growth=0.2, fill=(40, 50, 60)),
            device("C-1001", name="array-02", days=60))
plant.run("receive")
text = "".join(json.dumps(s) + "\n" for s in accepted(plant, "C-1001"))
advice = subprocess.run([os.path.join(BUILD, "tidemark-analyze"), "recommend", "-c", plant.conf,
                         "--catalogue", os.path.join(SOURCE, "contrib/schema/samples/catalogue.json"),
                         "--format", "summaries"], input=text, capture_output=True, text=True,
                        check=False, timeout=60)
plant.run("queue", "--now", "-", stdin=advice.stdout)
p = plant.run("push", "--once")
leads = erp.find("sale.opportunity", [], "reference", "party.code", "state", "description")
same((p.returncode, [(x["party."]["code"], x["state"]) for x in leads]), (0, [("C-1001", "lead")]),
     "what was dropped, advised with today's catalogue and pushed is a lead")
ok(leads and leads[0]["reference"].startswith("C-1001/osaka-1/nas-gw.example.com/array-01/grow/")
   and "SHELF" in leads[0]["description"], "... of the device that needs something", leads, advice.stderr)
erp.stop()
done()
