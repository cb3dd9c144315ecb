#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# run: alone
"""A complaint at the desk, end to end: taken in by each way, the device found, its items asked for through
the answers to the sites' own pushes, read from a printer that snmpsimd plays, and shown beside peers of
other customers, who stay unnamed."""
import atexit
import calendar
import email.message
import glob
import json
import os
import re
import shutil
import statistics
import sys
import time
from urllib.parse import urlencode

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import browser  # noqa: E402
import collectd  # noqa: E402
from aiosmtpd.controller import Controller  # noqa: E402
from exporting import SOURCE, Site, sample  # noqa: E402
from pushing import Postgresql, PushDesk, event_of  # noqa: E402
from smtp_sink import MISSING, Mailbox, Sink  # noqa: E402
from snmpsim import Simulator  # noqa: E402
from tap import done, ok, same, skip, skip_all  # noqa: E402

if MISSING:
    skip_all(MISSING)
if collectd.program() is None:
    skip_all("needs collectd")
if not shutil.which("snmpsimd"):
    skip_all("needs snmpsimd")


def wait_for(what, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = what()
        if value:
            return value
        time.sleep(0.1)
    return what()


mailbox = Mailbox()
sink = Sink(mailbox)
desk = PushDesk(None, 'mail { url = "smtp://127.0.0.1:%d" from = "desk@vendor.example" starttls = false }'
                % sink.port).start()


def table(kind, text):
    path = os.path.join(desk.folder, kind + ".csv")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    p = desk.run("import", kind, path)
    assert p.returncode == 0, p.stderr


# --- who is there ---------------------------------------------------------------------------------------
NAMES = {"C-%d" % i: "Peer%d Secretname KK" % i for i in range(1, 8)}
NAMES["C-9"] = "Aozora Print Works KK"
table("customers", "id,name,region\n" + "".join("%s,%s,kanto\n" % i for i in NAMES.items()))
table("staff", "staff,name,role,team,email,stand_in\n"
      "ueda,S. Ueda,service,east,ueda@vendor.example,ito\nito,K. Ito,service,east,ito@vendor.example,\n"
      "mori,K. Mori,sales,east,mori@vendor.example,\n")
table("assignments", "staff,role,customer,site,region,kind\nueda,service,C-9,,,\n")
today = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 9 * 3600))
table("absences", "staff,from,to,stand_in\nueda,%s,%s,\n" % (today, today))


def account(login, role, *more):
    link = re.search(r"/login/\S+", desk.user("add", login, "--name", login.split("@")[0], "--role", role, *more))[0]
    return [("Cookie", desk.sign_in(link))]


service = account("ueda@vendor.example", "service", "--staff", "ueda")
sales = account("mori@vendor.example", "sales", "--staff", "mori")
factory = account("fab@vendor.example", "factory")
customer = account("aoki@aozora.example", "customer", "--customer", "C-9")


def page(path, who=service):
    status, _, body = desk.ask("GET", path, who)
    return status, body.decode()


def ask(path, who=service):
    status, _, body = desk.ask("GET", path, who + [("Accept", "application/json")])
    return status, json.loads(body)


def csrf(who):
    return re.search(r'name="csrf" value="(\w+)"', page("/account", who)[1])[1]


def post(path, who=service, **fields):
    body = urlencode(dict(fields, csrf=csrf(who)), doseq=True).encode()
    status, headers, answer = desk.ask("POST", path, who + [("Content-Type", "application/x-www-form-urlencoded")],
                                       body)
    return status, headers.get("location"), answer.decode()


token = re.search(r"tmd_\S+", desk.user("token", "ueda@vendor.example", "--name", "crm"))[0]


def api(method, path, document=None):
    headers = [("Authorization", "Bearer " + token), ("Content-Type", "application/json")]
    status, _, body = desk.ask(method, path, headers, json.dumps(document).encode() if document else None)
    return status, json.loads(body) if body.strip() else None


# --- sites: the claimed one with the real exporter, peers by the protocol alone -----------------------------
simulator = Simulator([os.path.join(SOURCE, "contrib/demo/devices.d")])
atexit.register(simulator.stop)


def printer(owner, at, host, device, serial, consent):
    s = sample()
    s["customer"].update(id=owner, name=NAMES[owner], site=at, host=host)
    s["product"].update(device=device, kind="printer", vendor="Example Works", model="DC-900", serial=serial)
    s["consent"] = {p: {"by": "x", "on": "2026-11-01T00:00:00Z"} for p in consent}
    s.update(history=[], recommendations=[])
    return s


peers = {}
for i in range(1, 8):
    peers[i] = desk.add_site("C-%d" % i, "secret-site-%d" % i)
    agreed = ["sales", "service", "comparison"] if i <= 5 else ["sales", "service"]
    s = printer("C-%d" % i, "secret-site-%d" % i, "secret-host-%d" % i, "secret-printer-%d" % i,
                "SECRET-%04d" % i, agreed)
    if peers[i].push(event_of(s)) != ["accepted"]:
        ok(False, "peer %d reports" % i)
pusher = desk.add_site("C-9", "tokyo-1", "--url", desk.url, "--target", "crm")
site = Site(customer="C-9", site="tokyo-1")
for name in (site.conf, site.path("token"), site.path("secret")):
    os.unlink(name)
same(site.run("enrol", site.write("enrolment.json", json.dumps(pusher.enrolment), 0o600)).returncode, 0,
     "the site is enrolled")
with open(site.conf, "a", encoding="utf-8") as f:
    f.write('paths { state = "%s" spool = "%s" }\nspool { free = 0 }\n' % (site.state, site.spool))
part = site.path("t.conf.d", os.listdir(site.path("t.conf.d"))[0])
with open(part, encoding="utf-8") as f:
    text = f.read()
with open(part, "w", encoding="utf-8") as f:
    f.write(text.replace('purposes = {', 'poll = "1s"\n  purposes = {'))
site.enable("sales", "service")

# The plugin finds the copier, so that the site knows how it is asked.
profiles = os.path.join(desk.folder, "profiles")
shutil.copytree(os.path.join(SOURCE, "plugins/profiles"), profiles)
for path in glob.glob(SOURCE + "/contrib/profile-example/*.json"):
    shutil.copy(path, profiles)
site.write("credentials", 'device "127.0.0.1:%d" { community = "copier" }\n' % simulator.port, 0o600)
daemon = collectd.Collectd("""LoadPlugin printer
<Plugin printer>
  StateDir "%s"
  Profiles "%s"
  UnitInterval 3600
  <Device "printer-03">
    Source "snmp"
    Address "127.0.0.1"
    Port "%d"
    Credentials "%s"
  </Device>
</Plugin>
""" % (site.state, profiles, simulator.port, site.path("credentials"))).start()
inventory = os.path.join(site.state, "inventory/testhost/printer-03.json")
came = collectd.wait_for(lambda: os.path.exists(inventory), 30)
daemon.stop()
ok(came, "the plugin has found the copier", daemon.log())


def push(*more):
    time.sleep(1.1)  # of poll
    return site.run("push", "--once", *more)


site.run("queue", "--now", "-", stdin=json.dumps(
    printer("C-9", "tokyo-1", "testhost", "printer-03", "SIMULATED", ())) + "\n")
same((push().returncode, desk.rows("SELECT count(*) FROM devices WHERE model = 'DC-900'")), (0, [(8,)]),
     "eight printers of the model are known")

# --- four ways in ------------------------------------------------------------------------------------------
said = {"type": "image too light", "text": "Prints are too light since last week.", "serial": "SIMULATED",
        "by": "T. Aoki", "external_id": "COMP-7"}
status, where, _ = post("/claims", **said)
same((status, where), (303, "/claims/K-1"), "a claim is taken by the form")
with open(os.path.join(SOURCE, "contrib/schema/samples/claim.json"), encoding="utf-8") as f:
    claim = json.load(f)
claim.update(said, customer={"id": "C-9"}, claimed_at="2026-11-19T07:48:00Z")
for key in ("device", "model", "state"):
    claim.pop(key)
same(api("POST", "/api/v1/claims", dict(claim, via="api")),
     (201, {"id": "K-2", "status": "accepted", "external_id": "COMP-7", "device": "printer-03",
            "owner": "ito", "state": "open"}), "a claim is taken by the API")
same(api("POST", "/api/v1/claims", dict(claim, via="api"))[1]["status"], "duplicate",
     "the same external id again is the same claim")
box = os.path.join(desk.folder, "claims")
os.mkdir(box)
for name, changes in (("a", {}), ("b", {"type": None}), ("c", {"external_id": "COMP-8", "serial": "NONE-1"})):
    with open(os.path.join(box, name + ".json"), "w", encoding="utf-8") as f:
        json.dump(dict(claim, via="mail", **changes), f)
p = desk.run("claims", box)
same((p.returncode, p.stdout.count(": accepted, K-"), "b.json: refused: type" in p.stderr), (65, 2, True),
     "claims are taken as files, and one that is none is refused by its field")
same(sorted(os.listdir(box + "/taken") + os.listdir(box + "/refused")), ["a.json", "b.json", "c.json"],
     "... each put where it belongs")
mail = email.message.EmailMessage()
mail["Subject"], mail["From"], mail["To"] = "A complaint", "aoki@aozora.example", "claims@vendor.example"
mail.set_content("See the attachment.\n")
mail.add_attachment(json.dumps(dict(claim, via="mail", external_id="COMP-9")).encode(), "application", "json",
                    filename="claim.json")
p = desk.run("claims", "-", stdin=mail.as_string())
same((p.returncode, p.stdout), (0, "claim.json: accepted, K-5\n"), "a claim is taken by mail")
FIELDS = ("external_id, type, text, by_name, device_id, customer_id, compare, state, model, vendor")
rows = dict((r[0], r[1:]) for r in desk.rows("SELECT via || ' ' || source, %s FROM claims WHERE id IN (1, 2, 3)"
                                             % FIELDS))
same(list(rows), ["form form", "api api/2", "mail mail"], "by each way: one record each")
same(len(set(rows.values())), 1, "... with the same fields")
same(rows["form form"][0], "COMP-7", "the external id is kept")
device = desk.rows("SELECT id FROM devices WHERE serial = 'SIMULATED'")[0][0]
same(rows["form form"][4], device, "the device is found by its serial number")
same(desk.rows("SELECT device_id FROM claims WHERE id = 4"), [(None,)],
     "a serial number that nobody has finds none, whatever the customer")
same(post("/claims", **dict(said, type=""))[0], 422, "a form without a type comes back")
ok('<p class="error-text" id="f-type-err">' in post("/claims", **dict(said, type=""))[2]
   and "too light since" in post("/claims", **dict(said, type=""))[2], "... as it was typed, with the fault")
same(api("POST", "/api/v1/claims", dict(claim, surprise=1))[0], 422, "a document that is none is refused")

# --- which items ---------------------------------------------------------------------------------------------
LIGHT = ["pages_total", "copies_feed", "density_black", "exposure", "density_auto", "drum_charge",
         "network_environment"]
same(ask("/api/v1/claims/K-1")[1]["would_ask"],
     {"type": "image too light", "version": 1, "how": "type", "items": LIGHT, "models": 7, "peers": 5},
     "'image too light' gives density, exposure, automatic adjustment and drum charge")
api("POST", "/api/v1/claims", dict(claim, external_id="X-1", type="something else\nBcc: evil@example.com",
                                    text="It smells.\n.\nMAIL FROM:<evil@example.com>", by="<script>alert(1)</script>"))
api("POST", "/api/v1/claims", dict(claim, external_id="X-2", type="complaint", text="All is FAINT, sorry."))
would = [ask("/api/v1/claims/K-%d" % i)[1]["would_ask"] for i in (6, 7)]
same((would[0]["how"], would[0]["items"][0], "density_black" in would[0]["items"]), ("common", "pages_total", False),
     "an unknown type gives the common set")
same((would[1]["how"], would[1]["type"]), ("hint", "image too light"), "a free text hints at its type")
shown = page("/claims/K-1")[1]
ok("What would be asked" in shown and "drum_charge" in shown and "5 others of its model" in shown
   and desk.rows("SELECT count(*) FROM requests") == [(0,)], "the list is shown before anything is asked")
same(post("/claim-types", type="image too light", version="1", items=" ".join(LIGHT + ["resolution"]),
          hints="too light, faint")[0], 303, "the list is edited")
same(post("/claim-types", type="image too light", version="1", items="x", hints="")[0], 409,
     "two edits at once are told apart")
would = ask("/api/v1/claims/K-1")[1]["would_ask"]
same((would["version"], would["items"]), (2, LIGHT + ["resolution"]), "... and is a new version")
same([post("/claim-types", type="noise", version=v, items=i, hints="")[0]
      for v, i in (("0", "pages_total"), ("0", "pages_total"), ("1", ""), ("0", "pages_total"))], [303, 409, 303, 303],
     "a type is added, taken away and added again")
same([post("/claim-types", who=w, type="x", items="a", hints="")[0] for w in (sales, factory)], [403, 403],
     "only service keeps it")

# --- whom to ask ---------------------------------------------------------------------------------------------
same(post("/claims/K-4/ask")[0], 422, "nothing is asked of a device that is not known")
came = mailbox.wait(6)
same((mailbox.recipients, {m["Subject"][:10] for m in came}), ([["ito@vendor.example"]] * 6, {"New claim "}),
     "of each claim that nobody typed the one in charge hears")
ok(not any(m["Bcc"] for m in came) and any("MAIL FROM:<evil" in m.get_body().get_content() for m in came)
   and "<script>alert" not in page("/claims/K-6")[1] and "&lt;script&gt;" in page("/claims/K-6")[1],
   "what a claim says becomes no header, no command and no tag")
mailbox.raw.clear()
mailbox.recipients.clear()
status, where, _ = post("/claims/K-1/ask", items=" ".join(LIGHT + ["fuser_temperature"]), compare="both")
same((status, where), (303, "/claims/K-1"), "service asks")
asked = desk.rows("SELECT customer_id, purpose, device_id, document_json FROM requests ORDER BY customer_id")
same([(r[0], r[1]) for r in asked], [("C-%d" % i, "comparison") for i in range(1, 6)] + [("C-9", "service")],
     "peers without consent to comparison are not asked")
own = json.loads(asked[5][3])
same((asked[5][2], own["host"], own["device"], own["claim"]), (device, "testhost", "printer-03", "K-1"),
     "the order goes to the claimed device's host only")
week = 7 * 86400
until = [json.loads(r[3])["expires_at"] for r in asked]
ok(all(abs(calendar.timegm(time.strptime(u, "%Y-%m-%dT%H:%M:%SZ")) - time.time() - week) < 60 for u in until),
   "each carries when it expires", until)
ok(not any("K-1" in r[3] or "Aozora" in r[3] or '"C-9"' in r[3] for r in asked[:5]),
   "a peer is told of no claim and no customer")
same(ask("/api/v1/claims/K-1")[1]["claim"]["state"], "collecting", "the claim collects")
same(push().returncode, 0, "the site's exporter pushes")
progress = ask("/api/v1/claims/K-1")[1]["progress"]
same((progress["wanted"], progress["here"], progress["own"]["status"]), (6, 1, "answered"),
     "the claimed device has answered with the site's own push: 1 of 6")

# --- peers answer --------------------------------------------------------------------------------------------
DENSITY, EXPOSURE, PAGES = [1.36, 1.40, 1.42, 1.44, 1.43], [0, 0, 1, -1, 0], [900100, 1011800, 1200300, 988400, 7000]
DRUM, TRAY2 = [-600, -610, -590, -620, -600], [100, 200, 300, 400]


def answer_of(i, request, density=None):
    items = [("pages_total", PAGES[i - 1], "pages", "counter"), ("exposure", EXPOSURE[i - 1], "steps", "setting"),
             ("density_black", density or DENSITY[i - 1], "optical density", "measurement"),
             ("density_auto", "off" if i == 5 else "on", None, "setting"),
             ("drum_charge", DRUM[i - 1], "V", "setting"),
             ("network_environment", "Peer%d Secretname net (address)" % i, None, "measurement")]
    if i < 5:
        items += [("copies_feed-Tray_2", TRAY2[i - 1], "sheets", "counter"),
                  ("copies_feed-Secretname_tray", 5, "sheets", "counter")]
    return {"schema": "tidemark.item-values/1", "request": request["id"],
            "customer": {"id": "C-%d" % i, "site": "secret-site-%d" % i, "host": request["host"]},
            "device": request["device"], "model": "DC-900", "status": "answered",
            "observed_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "items": [dict(zip(("name", "value", "unit", "nature"), x), state=None) for x in items]}


def poll(i):
    return json.loads(peers[i].request("GET")[2]).get("requests", [])


for i in range(1, 6):
    [request] = poll(i)
    ok("claim" not in request and request["purpose"] == "comparison", "peer %d is asked by the answer to its poll" % i)
    if i == 1:
        stolen = dict(answer_of(1, request), request=own["id"])
        peers[1].push(event_of(stolen, "item-values"))
    same(peers[i].push(event_of(answer_of(i, request), "item-values")), ["accepted"], "... and answers")
same([poll(6), poll(7)], [[], []], "the two without consent are never asked")
ok(wait_for(lambda: ask("/api/v1/claims/K-1")[1]["claim"]["state"] == "ready"), "the claim is ready")
status, k1 = ask("/api/v1/claims/K-1")
items = {i["name"]: i for i in k1["items"]}
same((k1["progress"]["models"], k1["progress"]["without_consent"], k1["progress"]["peers"]["answered"]), (7, 2, 5),
     "peers without consent are not counted")


def told(name):
    i = items[name]
    return [i["value"], i["unit"], i["nature"], i["peers"]] + [round(i[k], 9) for k in ("mean", "median", "spread")]


def golden(values):
    return [5] + [round(float(x), 9) for x in (statistics.fmean(values), statistics.median(values),
                                               statistics.stdev(values))]


same(told("density_black"), [1.08, "optical density", "measurement"] + golden(DENSITY),
     "mean, median and spread of the image density are right")
same([round(items["density_black"][k], 9) for k in ("mean", "median", "spread")], [1.41, 1.42, 0.031622777],
     "... by hand, too")
same(told("exposure"), [-1, "steps", "setting"] + golden(EXPOSURE), "exposure is a setting beside its peers")
same(told("drum_charge"), [-620, "V", "setting"] + golden(DRUM), "drum charge is a setting beside its peers")
same((items["density_auto"]["value"], items["density_auto"]["nature"], items["density_auto"]["most"],
      items["density_auto"]["most_peers"]), ("on", "setting", "on", 4),
     "automatic density adjustment stands beside what most have")
ok(items["pages_total"]["value"] >= 1284300 and told("pages_total")[3:] == golden(PAGES)
   and items["pages_total"]["nature"] == "counter", "copies in total stand beside those of the peers")
same([items["copies_feed-" + t]["value"] for t in ("Tray_1", "Tray_2", "Manual_feed")], [900000, 384000, 299],
     "three paper feeds: three numbers, beside the total")
same(items["network_environment"]["value"], "Ethernet 1000BASE-T, (address), (address)",
     "addresses of the network environment are masked")
same((items["fuser_temperature"]["value"], items["fuser_temperature"]["state"]), (None, "not-offered"),
     "what the device does not offer is an answer too")
same((items["copies_feed-Tray_2"]["peers"], items["copies_feed-Tray_2"]["shown"],
      "mean" in items["copies_feed-Tray_2"]), (4, False, False), "a group under five is not shown")
same((items["density_black"]["outlier"], items["density_black"]["percentile"], items["exposure"]["outlier"]),
     (True, 0, False), "the claimed device is marked where it lies outside")
natures = [i["nature"] for i in k1["items"] if i["nature"]]
same(natures, sorted(natures, key=["measurement", "setting", "counter"].index),
     "settings and measurements are kept apart")
rooms = [page("/claims/K-1")[1], json.dumps(k1), page("/claims")[1], page("/devices/%d" % device)[1]]
ok(not any("ecretname" in r or "secret-" in r or "SECRET-" in r for r in rooms), "no other customer's name is anywhere")
ok("not shown: 4 values, and a group needs at least 5" in rooms[0], "... and a small group is said to be one")
ok(rooms[0].count('class="peer"') >= 15 and 'class="out"' in rooms[0], "a strip shows where the device lies")

# --- who hears of it -----------------------------------------------------------------------------------------
mails = mailbox.wait(1)
time.sleep(1.5)
same(mailbox.recipients, [["ito@vendor.example"]], "one mail goes to who stands in for the one in charge")
body = mails[0].get_body().get_content()
ok("1.08" in body and "mean 1.41, median 1.42, spread 0.03" in body and "OUTLIER" in body
   and "http://127.0.0.1/claims/K-1" in body, "... with the values and a link", body)
ok("ecretname" not in str(mails[0]) and "secret-" not in str(mails[0]), "... and no other customer's name")
same(mails[0]["Subject"], "Claim K-1: image too light on printer-03 (DC-900)", "... under a plain subject")

# --- life and comments ---------------------------------------------------------------------------------------
same(post("/claims/K-1/comments", text="Same training as <b>last</b> time?")[0], 303, "service comments")
same(post("/claims/K-1/comments", who=sales, text="They want a new one anyway.")[0], 303, "so does sales")
shown = page("/devices/%d" % device, sales)[1]
ok("Same training as &lt;b&gt;last" in shown and "K-1: image too light" in shown,
   "sales sees claim and comments on the device's page")
same(page("/claims/K-1", sales)[0], 200, "sales may read a claim")
same([page("/claims/K-1", factory)[0], page("/claims/K-1", customer)[0]], [403, 403], "others may not")
ok("Same training" not in json.dumps(ask("/api/v1/devices/%d" % device, customer)[1]),
   "the customer does not see what colleagues say")
same([post("/claims/K-1/ask", who=sales)[0], post("/claims/K-1/state", who=sales, to="closed")[0]], [403, 403],
     "sales asks nothing and closes nothing")
same(post("/claims/K-1/state", to="answered")[0], 422, "an answer needs its words")
same(post("/claims/K-1/state", to="answered", text="Please set exposure back.")[0], 303, "the claim is answered")
same(post("/claims/K-1/state", to="collecting")[0], 422, "nobody makes it collect by hand")
same(post("/claims/K-1/state", to="closed")[0], 303, "and closed")
events = ask("/api/v1/claims/K-1")[1]["events"]
same([e["to_state"] for e in events if e["to_state"]], ["open", "collecting", "ready", "answered", "closed"],
     "its life is open, collecting, ready, answered, closed")

# --- an absurd value -----------------------------------------------------------------------------------------
same(api("POST", "/api/v1/claims/K-2/ask", {"items": "density_black", "compare": "both"})[0], 204,
     "service asks by the API")
request = json.loads(pusher.request("GET")[2])["requests"][0]
absurd = {"schema": "tidemark.item-values/1", "request": request["id"],
          "customer": {"id": "C-9", "site": "tokyo-1", "host": "testhost"}, "device": "printer-03",
          "status": "answered", "observed_at": "2026-11-20T00:00:00Z",
          "items": [{"name": "density_black", "value": 1e12, "unit": "optical density", "nature": "measurement",
                     "state": None}]}
same(pusher.push(event_of(absurd, "item-values")), ["accepted"], "the claimed device tells an absurd value")
for i in range(1, 6):
    [request] = poll(i)
    peers[i].push(event_of(answer_of(i, request), "item-values"))
k2 = wait_for(lambda: [c for c in [ask("/api/v1/claims/K-2")[1]] if c["claim"]["state"] == "ready"])[0]
items = {i["name"]: i for i in k2["items"]}
same(told("density_black")[3:], golden(DENSITY), "it moves no mean")
same((items["density_black"]["value"], items["density_black"]["outlier"]), (1e12, True),
     "... and is marked as an outlier")
ok(len([d for d in k2["before_after"] if any(c["text"] for c in d["cells"])]) >= 1,
   "what the device said before stands beside it", k2["before_after"])

# --- the site says no ----------------------------------------------------------------------------------------
site.run("disable", "service", "--by", "x")
same(api("POST", "/api/v1/claims/K-3/ask", {"compare": "device"})[0], 204, "a site that agrees no more is asked")
again = printer("C-9", "tokyo-1", "testhost", "printer-03", "SIMULATED", ())
again["status"]["used_bytes"] = 1
site.run("queue", "--now", "-", stdin=json.dumps(again) + "\n")
push()
rows = desk.rows("SELECT v.status, v.document_json FROM item_values v JOIN requests r ON r.request = v.request"
                 " WHERE r.claim = 'K-3'")
same([r[0] for r in rows], ["refused"], "a refusal comes back")
same(sorted(json.loads(rows[0][1])), ["customer", "device", "generated_at", "reason", "request", "schema", "status"],
     "... and nothing else")
ok(wait_for(lambda: ask("/api/v1/claims/K-3")[1]["claim"]["state"] == "ready"), "which makes the claim ready")
ok("its site refused" in page("/claims/K-3")[1], "... and is said")

# --- which device it is, by hand; often the same ---------------------------------------------------------------
same(post("/claims/K-4/device", serial="NOBODY")[0], 422, "an unknown serial number is told")
same(post("/claims/K-4/device", customer="C-9", device="printer-03")[0], 303, "a person says which device it is")
same(ask("/api/v1/claims/K-4")[1]["claim"]["device"], "printer-03", "... and it is that one")
ok("This complaint comes often" in page("/claims/K-1")[1], "a model's claims that cluster are told to quality")
same(len(ask("/api/v1/claims?state=closed")[1]["claims"]), 1, "the list is filtered by state")
same([c["id_text"] for c in ask("/api/v1/claims?q=comp-9")[1]["claims"]], ["K-5"], "... and by words")
same(page("/claims/K-99")[0], 404, "a claim that is not there is not there")

# --- as people see it ------------------------------------------------------------------------------------------
PATHS = ("/claims", "/claims/K-1", "/claims/K-4", "/claims/new", "/claim-types")


def look(width, script=True):
    """(what the console said, pages wider than their window, pages without their heading)"""
    b = browser.Browser(width=width, script=script)
    b.get(desk.url + "/login")
    b.call("POST", "/cookie", {"cookie": {"name": "tidemark", "value": service[0][1].split("=", 1)[1]}})
    wide, bare = [], []
    for path in PATHS:
        b.get(desk.url + path)
        wide += [path] if b.overflow() > 0 else []
        bare += [] if b.all("h1") else [path]
        if os.environ.get("SHOTS"):
            b.screenshot(os.path.join(os.environ["SHOTS"], "%d%s.png" % (width, path.replace("/", "-"))))
    said = b.console() if script else []
    b.close()
    return said, wide, bare


def by_form_alone():
    """A claim that is typed and asked for in a browser without script."""
    b = browser.Browser(height=2400, script=False)
    b.get(desk.url + "/login")
    b.call("POST", "/cookie", {"cookie": {"name": "tidemark", "value": service[0][1].split("=", 1)[1]}})
    b.get(desk.url + "/claims/new")
    b.fill({"#f-type": "paper jam", "#f-text": "It jams in tray 2.", "#f-customer": "C-9", "#f-device": "printer-03"})
    b.find("form[action='/claims'] button").click()
    b.wait(lambda: "/claims/K-" in b.url, "the claim's page")
    b.find("#ask button").click()
    b.wait(lambda: b.all("#pr-h"), "the collection")
    text = b.text()
    b.close()
    return text


if browser.missing():
    skip("the pages in a browser", "needs " + browser.missing())
else:
    same([look(1280), look(375)], [([], [], [])] * 2, "the pages fit 1280 and 375 pixels, and the console is silent")
    ok("Claimed device\nwaits for its site" in by_form_alone(), "a claim is typed and asked for without script")
same(desk.stop(), 0, "the desk ends when it is told to")
same(desk.log(), "", "and had nothing to complain about")

# --- the other database -----------------------------------------------------------------------------------------
pg = Postgresql()
if pg.url is None:
    skip("a claim on PostgreSQL", pg.why.strip())
else:
    desk = PushDesk(pg.url, 'mail { url = "smtp://127.0.0.1:%d" from = "desk@vendor.example" starttls = false }'
                    % sink.port).start()
    service = account("ueda@vendor.example", "service")
    token = re.search(r"tmd_\S+", desk.user("token", "ueda@vendor.example", "--name", "crm"))[0]
    for i in [1, 2, 3, 4, 5, 6, 9]:
        peers[i] = desk.add_site("C-%d" % i, "secret-site-%d" % i)
        peers[i].push(event_of(printer("C-%d" % i, "secret-site-%d" % i, "h", "d%d" % i, "SN-%04d" % i,
                                       ["service"] + ["comparison"] * (i < 6))))
    taken = [api("POST", "/api/v1/claims", dict(claim, customer={"id": "C-9"}, serial="SN-0009", via="api"))
             for _ in range(2)]
    same([(a, b["id"], b["status"], b["device"]) for a, b in taken],
         [(201, "K-1", "accepted", "d9"), (200, "K-1", "duplicate", "d9")], "on PostgreSQL a claim is taken once")
    same(api("POST", "/api/v1/claims/K-1/ask", {"items": "density_black exposure"})[0], 204, "... and asked for")
    same([len(poll(i)) for i in (1, 2, 3, 4, 5, 6, 9)], [1, 1, 1, 1, 1, 0, 1], "... of those who have agreed")
    for i in (1, 2, 3, 4, 5, 9):
        answer = answer_of(min(i, 5), poll(i)[0], 1.08 if i == 9 else None)
        answer["customer"].update(id="C-%d" % i, site="secret-site-%d" % i)
        peers[i].push(event_of(answer, "item-values"))
    ok(wait_for(lambda: ask("/api/v1/claims/K-1", service)[1]["claim"]["state"] == "ready"), "... until it is ready")
    items = {i["name"]: i for i in ask("/api/v1/claims/K-1", service)[1]["items"]}
    same(told("density_black"), [1.08, "optical density", "measurement"] + golden(DENSITY), "... with the same means")
    same([post("/claims/K-1/comments", service, text="x")[0], post("/claims/K-1/state", service, to="closed")[0],
          post("/claims/K-1/state", service, to="open")[0], page("/claims/K-1", service)[0],
          page("/claims?q=k-1&state=all&model=DC-900", service)[0]], [303, 303, 303, 200, 200], "... and the same life")
    same((desk.stop(), desk.log()), (0, ""), "... and no complaint")
done()
