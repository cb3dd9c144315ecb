#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A claim: service asks for data items of a copier, the device is asked for just these, the site
answers, and the answer arrives. The copier is that of the demonstration, over real SNMP."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from exporting import *  # noqa: E402,F403
from snmpsim import Simulator  # noqa: E402
from tap import done, ok, same  # noqa: E402

PROBE = os.path.join(BUILD, "tidemark-probe")
ASKED = ["pages_total", "copies_feed", "density_black", "exposure", "density_auto", "drum_charge",
         "network_environment", "fuser_temperature"]

folder = tempfile.mkdtemp(prefix="tm-items-")
try:
    for path in glob.glob(SOURCE + "/plugins/profiles/*.json") + \
            glob.glob(SOURCE + "/contrib/profile-example/*.json"):
        shutil.copy(path, folder)
    with Simulator([os.path.join(SOURCE, "contrib/demo/devices.d")]) as simulator:
        p = subprocess.run([PROBE, "--profiles", folder, "--items", ",".join(ASKED),
                            "snmp://copier@127.0.0.1:%d" % simulator.port],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
finally:
    shutil.rmtree(folder, ignore_errors=True)
same((p.returncode, p.stderr), (0, b""), "the copier is asked")
reading = json.loads(p.stdout)
items = {i["name"]: i for i in reading["items"]}


def told(name):
    i = items.get(name, {})
    return i.get("value"), i.get("unit"), i.get("nature"), i.get("state")


total = told("pages_total")
ok(isinstance(total[0], int) and 1284300 <= total[0] < 1284400
   and total[1:] == ("pages", "counter", None), "copies in total", repr(total))
feeds = ["copies_feed-" + n for n in ("Tray_1", "Tray_2", "Manual_feed")]
same([told(n) for n in feeds],
     [(v, "sheets", "counter", None) for v in (900000, 384000, 299)],
     "copies of each of three paper feed stages")
same(told("density_black"), (1.08, "optical density", "measurement", None),
     "the image density that was measured")
same(told("exposure"), (-1, "steps", "setting", None), "the exposure that is set, below zero too")
same(told("density_auto"), ("on", None, "setting", None), "automatic density adjustment, a setting")
same(told("drum_charge"), (-620, "V", "setting", None), "drum charge adjustment, a setting")
same(told("network_environment"),
     ("Ethernet 1000BASE-T, (address), (address)", None, "measurement", None),
     "the network environment without an address")
same(told("fuser_temperature"), (None, None, None, "not-offered"),
     "what the model does not have is told as not offered")

receiver = Receiver()
with open(os.path.join(SOURCE, "contrib/schema/samples/request.json")) as f:
    request = json.load(f)
request.update(id="R-1", items=ASKED, expires_at="2099-01-01T00:00:00Z")
receiver.requests = [request, dict(request, id="R-2")]
site = Site()
site.configure(site.webhook(receiver.url, purposes='"service"', more='requests = "show"'))
site.enable("service")
site.run("push", "--once")
same(site.run("requests", "R-1", "--answer", "-", stdin=p.stdout.decode()).returncode, 0,
     "the site answers with what was read")
# A reading from elsewhere is no way round: --answer takes any file.
reading["items"] = [{"name": "network_environment", "value": "eth0 fe80::1 via 10.1.2.3",
                     "unit": None, "nature": "measurement", "state": None}]
site.run("requests", "R-2", "--answer", "-", stdin=json.dumps(reading))
receiver.requests = []
site.run("push", "--once", "--now")
documents = [json.loads(b)["data"] for b in receiver.records.values()]
answers = [d for d in documents if d["request"] == "R-1"]
same([[(i["name"], i["value"], i["unit"], i["nature"], i["state"]) for i in a["items"]] for a in answers],
     [[(n,) + told(n) for n in ["pages_total"] + feeds + ASKED[2:]]],
     "each item arrives with value, unit and nature, a setting apart from a measurement")
ok(not re.search(r"192\.0\.2\.|00:00:5e", json.dumps(documents)), "no address leaves")

same([i["value"] for d in documents if d["request"] == "R-2" for i in d["items"]
      if i["name"] == "network_environment"],
     ["eth0 (address) via (address)"], "an address in a reading from elsewhere is hidden too")
receiver.close()
done()
