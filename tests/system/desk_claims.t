#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# run: quietly
"""A complaint at the desk, from its first day to its last: the device's items are asked for through the answers to
the sites' own pushes, read from a printer that snmpsimd plays, and shown beside peers of other customers, who
stay unnamed. How complaints come in: desk_claims_intake.t."""
import atexit
import calendar
import glob
import json
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import browser  # noqa: E402
import collectd  # noqa: E402
from claiming import (DENSITY, DRUM, EXPOSURE, LIGHT, PAGES, SAID, ClaimsDesk, answer_of, claim_document,  # noqa: E402
                      golden, printer, told)
from exporting import SOURCE, Site  # noqa: E402
from pushing import Postgresql, event_of  # noqa: E402
from selling import wait_for  # noqa: E402
from smtp_sink import MISSING, Mailbox, Sink  # noqa: E402
from snmpsim import Simulator  # noqa: E402
from tap import done, ok, same, skip, skip_all  # noqa: E402

if MISSING:
    skip_all(MISSING)
if collectd.program() is None:
    skip_all("needs collectd")
if not shutil.which("snmpsimd"):
    skip_all("needs snmpsimd")

mailbox = Mailbox()
sink = Sink(mailbox)
desk = ClaimsDesk(sink).start().furnish()
page, ask, post, api, poll, peers = desk.page, desk.look, desk.post, desk.api, desk.poll, desk.peers
customer = desk.account("aoki@aozora.example", "customer", "--customer", "C-9")

# --- sites: the claimed one with the real exporter, peers by the protocol alone -----------------------------
simulator = Simulator([os.path.join(SOURCE, "contrib/demo/devices.d")])
atexit.register(simulator.stop)
desk.add_peers()
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
came = wait_for(lambda: os.path.exists(inventory))
daemon.stop()
ok(came, "the plugin has found the copier", daemon.log())


def push(*more):
    time.sleep(1.1)  # of poll
    return site.run("push", "--once", *more)


site.run("queue", "--now", "-", stdin=json.dumps(
    printer("C-9", "tokyo-1", "testhost", "printer-03", "SIMULATED", ())) + "\n")
same((push().returncode, desk.rows("SELECT count(*) FROM devices WHERE model = 'DC-900'")), (0, [(8,)]),
     "eight printers of the model are known")

# --- what is complained about ----------------------------------------------------------------------------------
same(post("/claims", **SAID)[:2], (303, "/claims/K-1"), "a claim is typed")
claim = claim_document()
same([api("POST", "/api/v1/claims", dict(claim, via="api", external_id="COMP-%d" % n, serial=serial))[1]["device"]
      for n, serial in ((8, "SIMULATED"), (9, "SIMULATED"), (10, "NONE-1"))], ["printer-03", "printer-03", None],
     "two more of that device come, and one of a device that nobody knows")
device = desk.rows("SELECT id FROM devices WHERE serial = 'SIMULATED'")[0][0]

# --- whom to ask ---------------------------------------------------------------------------------------------
same(post("/claims/K-4/ask")[0], 422, "nothing is asked of a device that is not known")
mailbox.wait(3)  # of those that nobody typed
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
same(told(items["density_black"]), [1.08, "optical density", "measurement"] + golden(DENSITY),
     "mean, median and spread of the image density are right")
same([round(items["density_black"][k], 9) for k in ("mean", "median", "spread")], [1.41, 1.42, 0.031622777],
     "... by hand, too")
same(told(items["exposure"]), [-1, "steps", "setting"] + golden(EXPOSURE), "exposure is a setting beside its peers")
same(told(items["drum_charge"]), [-620, "V", "setting"] + golden(DRUM), "drum charge is a setting beside its peers")
same((items["density_auto"]["value"], items["density_auto"]["nature"], items["density_auto"]["most"],
      items["density_auto"]["most_peers"]), ("on", "setting", "on", 4),
     "automatic density adjustment stands beside what most have")
ok(items["pages_total"]["value"] >= 1284300 and told(items["pages_total"])[3:] == golden(PAGES)
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
same(post("/claims/K-1/comments", who=desk.sales, text="They want a new one anyway.")[0], 303, "so does sales")
shown = page("/devices/%d" % device, desk.sales)[1]
ok("Same training as &lt;b&gt;last" in shown and "K-1: image too light" in shown,
   "sales sees claim and comments on the device's page")
same(page("/claims/K-1", desk.sales)[0], 200, "sales may read a claim")
same([page("/claims/K-1", desk.factory)[0], page("/claims/K-1", customer)[0]], [403, 403], "others may not")
ok("Same training" not in json.dumps(ask("/api/v1/devices/%d" % device, customer)[1]),
   "the customer does not see what colleagues say")
same([post("/claims/K-1/ask", who=desk.sales)[0], post("/claims/K-1/state", who=desk.sales, to="closed")[0]], [403, 403],
     "sales asks nothing and closes nothing")
same(post("/claims/K-1/state", to="answered")[0], 422, "an answer needs its words")
same(post("/claims/K-1/state", to="answered", text="Please set exposure back.")[0], 303, "the claim is answered")
same(post("/claims/K-1/state", to="collecting")[0], 422, "nobody makes it collect by hand")
same(post("/claims/K-1/state", to="closed")[0], 303, "and closed")
events = ask("/api/v1/claims/K-1")[1]["events"]
same([e["to_state"] for e in events if e["to_state"]], ["open", "collecting", "ready", "answered", "closed"],
     "its life is open, collecting, ready, answered, closed")

# --- the customer sees what was told ---------------------------------------------------------------------------
status, mine = ask("/me", customer)
told_items = {i["name"]: (i["value"], i["text"], i["unit"]) for i in mine["told"][0]["items"]}
same((status, len(mine["told"]), mine["told"][0]["purpose"], mine["told"][0]["status"], mine["told"][0]["device"],
      told_items["density_black"]), (200, 1, "service", "answered", "printer-03", (1.08, "1.08", "optical density")),
     "the customer sees what his site has told service")
ok("What service was told" in page("/me", customer)[1] and "drum_charge" not in page("/me", customer)[1]
   and "Drum charge adjustment" in page("/me", customer)[1], "... on his page in words")
rows = [json.loads(line) for line in page("/me/export", customer)[1].splitlines()]
same([(r["request"], {i["name"]: i["value"] for i in r["document"]["items"]}["density_black"])
      for r in rows if r["kind"] == "item_values"], [(mine["told"][0]["request"], 1.08)], "... and takes it along")
same([(r["purpose"], r["document"]["claim"]) for r in rows if r["kind"] == "request"], [("service", "K-1")],
     "... with what was asked")
same([(r["id"], r["state"], r["type"], r["text"], r["by_name"], r["device_id"], r["answer"], r["external_id"])
      for r in rows if r["kind"] == "claim"][:1],
     [(1, "closed", SAID["type"], SAID["text"], SAID["by"], device, "Please set exposure back.", SAID["external_id"])],
     "... with each claim, in the customer's words, and what was answered")
same((len([r for r in rows if r["kind"] == "claim"]),
      [r for r in rows if any(w in json.dumps(r) for w in ("Same training", "They want a new one"))]),
     (desk.rows("SELECT count(*) FROM claims WHERE customer_id = 'C-9'")[0][0], []),
     "... with no claim of others', and nothing that service says to colleagues")
ok("Secretname" not in json.dumps(rows) + json.dumps(mine), "... and nothing of a peer's")

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
same(told(items["density_black"])[3:], golden(DENSITY), "it moves no mean")
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
mails = mailbox.wait(3)
body = mails[-1].get_body().get_content() if len(mails) == 3 else ""
ok("The claimed device: refused" in body and "nothing to compare it with" in body and "items compared" not in body
   and "Of 0 others" not in body, "... also in the letter, which speaks of no peers where none were asked", body)
ok("nobody else was asked" in page("/claims/K-3")[1] and "a group needs at least 5" not in page("/claims/K-3")[1],
   "... nor does the page")

# --- texts as long as a site may send them ---------------------------------------------------------------------
same(api("POST", "/api/v1/claims/K-2/ask", {"items": "message", "compare": "both"})[0], 204, "messages are asked for")
UNIT, LONG = "x" + "\u8a9e" * 199, "x" + "\u7d19" * 199


def said(text):
    return [{"name": "message-%d" % n, "value": text, "unit": UNIT, "nature": "measurement", "state": None}
            for n in range(8)]


request = json.loads(pusher.request("GET")[2])["requests"][0]
same(pusher.push(event_of(dict(absurd, request=request["id"], items=said(LONG)), "item-values")), ["accepted"],
     "the device says long texts, which are not ASCII")
for i in range(1, 6):
    [request] = poll(i)
    peers[i].push(event_of(dict(answer_of(i, request), items=said("y" + LONG[1:])), "item-values"))
ok(wait_for(lambda: ask("/api/v1/claims/K-2")[1]["claim"]["state"] == "ready"), "which makes the claim ready")
items = {i["name"]: i for i in ask("/api/v1/claims/K-2")[1]["items"]}
same({(i["text"]["value"], i["unit"], i["most"]) for n, i in items.items() if n.startswith("message-")},
     {(LONG, UNIT, "y" + LONG[1:])}, "... with each of them whole")
same(page("/claims/K-2")[1].count("is " + LONG + " ("), 2 * 8, "... and a sentence for each, drafted as the answer, too")
same({i["text"] for i in ask("/me", customer)[1]["told"][0]["items"]}, {LONG}, "... also on the customer's own page")

same(len(ask("/api/v1/claims?state=closed")[1]["claims"]), 1, "the list is filtered by state")
same(page("/claims/K-99")[0], 404, "a claim that is not there is not there")

# --- as people see it ------------------------------------------------------------------------------------------
PATHS = ("/claims", "/claims/K-1", "/claims/K-4", "/claims/new", "/claim-types")


def look(width, script=True):
    """(what the console said, pages wider than their window, pages without their heading)"""
    b = browser.Browser(width=width, script=script)
    b.get(desk.url + "/login")
    b.call("POST", "/cookie", {"cookie": {"name": "tidemark", "value": desk.service[0][1].split("=", 1)[1]}})
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
    b.call("POST", "/cookie", {"cookie": {"name": "tidemark", "value": desk.service[0][1].split("=", 1)[1]}})
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
    desk = ClaimsDesk(sink, pg.url).start()
    desk.open_service()
    page, ask, post, api, poll, peers = desk.page, desk.look, desk.post, desk.api, desk.poll, desk.peers
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
    ok(wait_for(lambda: ask("/api/v1/claims/K-1")[1]["claim"]["state"] == "ready"), "... until it is ready")
    items = {i["name"]: i for i in ask("/api/v1/claims/K-1")[1]["items"]}
    same(told(items["density_black"]), [1.08, "optical density", "measurement"] + golden(DENSITY), "... with the same means")
    same([post("/claims/K-1/comments", text="x")[0], post("/claims/K-1/state", to="closed")[0],
          post("/claims/K-1/state", to="open")[0], page("/claims/K-1")[0],
          page("/claims?q=k-1&state=all&model=DC-900")[0]], [303, 303, 303, 200, 200], "... and the same life")
    same((desk.stop(), desk.log()), (0, ""), "... and no complaint")
done()
