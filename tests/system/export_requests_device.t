#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# run: quietly
"""From the answer to a push to the values of a device: a printer that snmpsimd plays, read by the
plugin in collectd, asked for items by tidemark-export as the site has agreed to it."""
import glob
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import collectd  # noqa: E402
from exporting import *  # noqa: E402,F403
from snmpsim import Simulator  # noqa: E402
from tap import done, ok, same, skip_all  # noqa: E402

if collectd.program() is None:
    skip_all("needs collectd")
if not shutil.which("snmpsimd"):
    skip_all("needs snmpsimd")
try:
    import jsonschema
except ImportError:
    jsonschema = None

DATA = os.path.join(SOURCE, "tests", "data", "snmp")
PRINTER = "printer-requests"
recording = tempfile.mkdtemp(prefix="tidemark-recording-")
atexit.register(shutil.rmtree, recording, True)
with open(os.path.join(recording, PRINTER + ".snmprec"), "w") as f:
    f.write("""1.3.6.1.2.1.1.1.0|4|Example Printer 5
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.99999.1
1.3.6.1.2.1.1.3.0|67|100000
1.3.6.1.2.1.1.4.0|4|Taro Yamada
1.3.6.1.2.1.1.5.0|4|printer-of-yamada
1.3.6.1.2.1.25.3.2.1.2.1|6|1.3.6.1.2.1.25.3.1.5
1.3.6.1.2.1.25.3.2.1.3.1|4|Example Printer 5
1.3.6.1.2.1.43.5.1.1.16.1|4|Example Printer 5
1.3.6.1.2.1.43.5.1.1.17.1|4|SN-0815
1.3.6.1.2.1.43.10.2.1.2.1.1|2|4
1.3.6.1.2.1.43.10.2.1.3.1.1|2|7
1.3.6.1.2.1.43.10.2.1.4.1.1|65|1284300
1.3.6.1.2.1.43.10.2.1.5.1.1|65|42
""")

site = Site()
simulator = Simulator([recording])
atexit.register(simulator.stop)
site.write("credentials", 'device "127.0.0.1:%d" { community = "%s" }\n' % (simulator.port, PRINTER),
           0o600)
silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
silent.bind(("127.0.0.1", 0))
daemon = collectd.Collectd("""LoadPlugin printer
<Plugin printer>
  StateDir "%s"
  Profiles "%s/plugins/profiles"
  UnitInterval 3600
  <Device "printer-03">
    Source "snmp"
    Address "127.0.0.1"
    Port "%d"
    Credentials "%s"
  </Device>
  <Device "printer-04">
    Source "snmp"
    Address "127.0.0.1"
    Port "%d"
    Community "%s"
  </Device>
</Plugin>
""" % (site.state, SOURCE, simulator.port, site.path("credentials"), simulator.port, PRINTER)).start()
inventory = os.path.join(site.state, "inventory", "testhost")
came = collectd.wait_for(lambda: len(glob.glob(inventory + "/printer-0[34].json")) == 2)
daemon.stop()
ok(came, "the plugin has found both printers", daemon.log())


def asked(name):
    with open(os.path.join(inventory, name + ".json")) as f:
        return json.load(f)["asked"]


same(asked("printer-03"),
     {"url": "snmp://127.0.0.1:%d" % simulator.port, "credentials": site.path("credentials"),
      "profiles": SOURCE + "/plugins/profiles"}, "how it is asked is known, and no secret with it")
same(asked("printer-04").get("withheld"), "community", "a community of collectd's own is withheld")
ok(PRINTER not in open(inventory + "/printer-04.json").read(), "... indeed")

receiver = Receiver()
ITEMS = ["pages_total", "pages_since_power_on", "density"]


def request(identity, **changes):
    r = {"schema": "tidemark.request/1", "id": identity, "host": "testhost", "device": "printer-03",
         "items": ITEMS, "purpose": "service", "expires_at": "2099-01-01T00:00:00Z"}
    r.update(changes)
    return r


def configure(more=""):
    site.configure(site.webhook(receiver.url, purposes='"sales", "service", "comparison"',
                                more='poll = "1s" ' + more))


def answers():
    """Of what has come since the last call, by the request's id."""
    found = {}
    for key in receiver.order[answers.seen:]:
        event = json.loads(receiver.records[key])
        if event["type"] == "tidemark.item-values.v1":
            found[event["data"]["request"]] = event["data"]
    answers.seen = len(receiver.order)
    return found


answers.seen = 0


def push(*requests):
    receiver.requests = list(requests)
    time.sleep(1.1)  # of poll
    p = site.run("push", "--once")
    receiver.requests = []
    return p


# --- consent decides --------------------------------------------------------------------------------------
configure()
site.enable("service")
p = push(request("R-1"))
came = answers()
same((p.returncode, list(came)), (0, ["R-1"]), "asked for in one answer, told within the same push")
values = {i["name"].split("-")[0]: (i["value"], i.get("unit"), i.get("nature"), i.get("state"))
          for i in came["R-1"]["items"]}
same(came["R-1"]["status"], "answered", "the device has answered")
same(values["pages_total"][:3], (1284300, "pages", "counter"), "its value is that of the device")
same(values["pages_since_power_on"][0], 42, "... and so is the other one's")
same(values["density"], (None, None, None, "not-offered"), "what it does not offer is told as such")
ok("Yamada" not in json.dumps(came) and "SN-0815" not in json.dumps(came),
   "nothing else of the device leaves")
p = push(request("R-2", purpose="comparison"), request("R-3", device="printer-99"))
came = answers()
same({k: v["status"] for k, v in came.items()}, {"R-2": "refused", "R-3": "unavailable"},
     "what is not agreed to is refused, what is not there is unavailable")
same((came["R-2"]["reason"], "items" in came["R-2"]), ("comparison is not agreed to", False),
     "... with the reason, and nothing else")
site.run("disable", "service", "--device", "printer-03", "--by", "x")
push(request("R-4"))
same(answers()["R-4"]["status"], "refused", "a device for which it is off is not asked")
site.run("enable", "service", "--device", "printer-03", "--by", "x")
p = push(request("R-5", device="printer-04"))
same(answers(), {}, "a device whose community is not known here waits for somebody")
ok("put it into a file of credentials" in p.stderr, "... who is told what to do", p.stderr)
p = push()
ok("credentials" not in p.stderr, "... once", p.stderr)
ok("put it into a file" in site.run("requests").stdout, "... and by the list", site.run("requests").stdout)
p = site.run("requests", "R-5", "--ask")
same(p.returncode, 77, "asking by hand says the same")

# --- a device that does not answer ------------------------------------------------------------------------
path = os.path.join(inventory, "printer-03.json")
document = json.load(open(path))
document["asked"]["url"] = "snmp://127.0.0.1:%d" % silent.getsockname()[1]
site.write("credentials", 'device "127.0.0.1" { community = "x" }\n', 0o600)
shutil.copy(path, path + ".kept")
json.dump(document, open(path, "w"))
push(request("R-6", items=["pages_total"]))
same(answers(), {}, "it is asked again at the next push")
ok("R-6  asked" in site.run("requests").stdout, "... and waits")
push()
push()
same({k: v["status"] for k, v in answers().items()}, {"R-6": "unavailable"},
     "after the third time, that is the answer")

# --- a person decides -------------------------------------------------------------------------------------
os.rename(path + ".kept", path)
site.write("credentials", 'device "127.0.0.1" { community = "%s" }\n' % PRINTER, 0o600)
configure('requests = "show"')
push(request("R-7"), request("R-8", purpose="comparison"))
same(answers(), {}, "with requests = show nothing is asked or told by itself")
p = site.run("requests", "R-8", "--ask")
ok(p.returncode == 77 and "comparison is off" in p.stderr, "nor against the consent", p.stderr)
same(site.run("requests", "R-7", "--ask").returncode, 0, "somebody lets it be asked")
push()
same(answers()["R-7"]["items"][0]["value"], 1284300, "... and it is told")

# --- names that are hidden --------------------------------------------------------------------------------
site.more = 'privacy { names = "pseudonym" }\n'
configure()
site.run("queue", "--now", "-", stdin=summaries(1).replace("nas-gw.example.com", "testhost")
         .replace("array-01", "printer-03"))
push()
summary = [json.loads(b)["data"] for b in receiver.records.values()
           if json.loads(b)["type"] == "tidemark.summary.v1"][-1]
host, device = summary["customer"]["host"], summary["product"]["device"]
ok(host.startswith("p-") and device.startswith("p-"), "names leave as pseudonyms", host, device)
push(request("R-9", host=host, device=device), request("R-10"))
came = answers()
same((came["R-9"]["status"], came["R-9"]["customer"]["host"], came["R-9"]["device"]),
     ("answered", host, device), "the device behind the pseudonym is found, and named by it")
same(came["R-10"]["status"], "unavailable", "its own name does not reach it")
site.run("disable", "service", "--device", "printer-03", "--by", "x")
push(request("R-11", host=host, device=device))
same(answers()["R-11"]["status"], "refused", "its own consent holds behind the pseudonym too")
if jsonschema:
    with open(os.path.join(SOURCE, "contrib/schema/item-values.schema.json")) as f:
        validator = jsonschema.Draft202012Validator(json.load(f))
    same([e.message for b in receiver.records.values()
          if json.loads(b)["type"] == "tidemark.item-values.v1"
          for e in validator.iter_errors(json.loads(b)["data"])], [], "all answers fit their schema")
    with open(os.path.join(SOURCE, "contrib/schema/inventory.schema.json")) as f:
        validator = jsonschema.Draft202012Validator(json.load(f))
    same([e.message for n in ("printer-03", "printer-04")
          for e in validator.iter_errors(json.load(open(os.path.join(inventory, n + ".json"))))], [],
         "the inventory fits its schema")
same(receiver.problems, [], "the receiver has nothing to complain about")
receiver.close()
done()
