#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# run: alone
"""Every recording, read over SNMP by the three plugins in one collectd, leaves the numbers of its
NAME.expected.json in the RRDs."""
import glob
import json
import math
import os
import re
import subprocess
import sys

SOURCE = os.environ.get("SOURCE", os.getcwd())
sys.path.insert(0, os.path.join(SOURCE, "tests", "lib"))
import collectd  # noqa: E402
from snmpsim import Simulator  # noqa: E402
from tap import done, note, ok, skip, skip_all  # noqa: E402

if collectd.program() is None:
    skip_all("needs collectd")
SHARED = os.path.join(SOURCE, "..", "shared", "recordings")
PLUGINS = ("disk_array", "media_library", "printer")

folders = [os.path.join(SOURCE, "tests", "data", "snmp")]
shared = [os.path.join(SHARED, d) for d in ("printers", "arrays", "libraries")]
present = all(os.path.isdir(d) for d in shared)
folders += shared if present else []
expected = {}
for folder in folders:
    for path in sorted(glob.glob(folder + "/*.expected.json")):
        with open(path, encoding="utf-8") as f:
            expected[os.path.basename(path)[:-len(".expected.json")]] = json.load(f)


def configuration(port):
    text = ""
    for kind in PLUGINS:
        text += 'LoadPlugin %s\n<Plugin %s>\n  StateDir "@STATE@"\n  UnitInterval 3600\n' % (kind, kind)
        text += '  Profiles "%s/plugins/profiles"\n' % SOURCE
        for name, wanted in expected.items():
            if wanted["kind"] == kind:
                # One simulator serves them all, one request after the other: it may take its time.
                text += ('  <Device "%s">\n    Source "snmp"\n    Address "127.0.0.1"\n    Port "%d"\n'
                         '    Community "%s"\n    Timeout "20"\n  </Device>\n' % (name, port, name))
        text += "</Plugin>\n"
    return text


def in_rrd(daemon, kind, device, value):
    """The newest value that came; None when there is no file."""
    path = daemon.rrd(device, value, kind)
    nameless = re.fullmatch(r"(.*-)#(\d+)", value)
    if nameless and os.path.isdir(os.path.dirname(path)):
        begin, place = nameless.groups()
        names = os.listdir(os.path.dirname(path))
        rows = sorted(int(n[len(begin):-4]) for n in names
                      if n.startswith(begin) and n[len(begin):-4].isdigit())
        if int(place) < len(rows):
            path = daemon.rrd(device, begin + str(rows[int(place)]), kind)
    if not os.path.exists(path):
        return None
    r = subprocess.run(["rrdtool", "lastupdate", path], stdout=subprocess.PIPE, text=True)
    return float(r.stdout.split()[-1]) if r.returncode == 0 else None


def instance(name, i, suffix=""):
    # Parts without a name are called by their rows in the device: the i-th number that there is.
    name = name if name else "#%d" % i
    while name.startswith("/") and len(name) > 1:
        name = name[1:]
    return ("root" if name == "/" else name.replace("/", "_")) + suffix


def values(wanted):
    """File name -> number, or list of numbers that are right."""
    kind, out = wanted["kind"], {}
    accept = wanted.get("accept", {})

    def put(value, number, key=None):
        if number is not None:
            out[value] = accept.get(key, [number])
    if kind == "disk_array":
        put("capacity-total", wanted["capacity_bytes"], "capacity_bytes")
        put("capacity-used", wanted["used_bytes"], "used_bytes")
        for i, v in enumerate(wanted["volumes"]):
            put("capacity-" + instance(v["name"], i, "_total"), v["capacity_bytes"])
            put("capacity-" + instance(v["name"], i, "_used"), v["used_bytes"])
    elif kind == "media_library":
        put("slots-total", wanted["slots_total"])
        put("slots-used", wanted["slots_used"])
        put("drives-total", wanted["drives"])
    else:
        put("page_count-total", wanted["pages_total"])
        put("pages-total", wanted["pages_total"])
        put("page_count-color", wanted["pages_color"])
        for i, s in enumerate(wanted["supplies"]):
            put("supply_level-" + instance(s["name"], i), s["level"])
            put("supply_max-" + instance(s["name"], i), s["max"])
        for i, t in enumerate(wanted["trays"]):
            put("tray_level-" + instance(t["name"], i), t["level"])
    return out


def compare(daemon, name, wanted):
    differences = []
    cleaned = {a["decoded"]: " ".join(a["raw"].split()) for a in wanted.get("recording_artefacts", [])}
    for s in wanted.get("supplies", []):
        s["name"] = cleaned.get(s["name"], s["name"])
    for value, numbers in values(wanted).items():
        seen = in_rrd(daemon, wanted["kind"], name, value)
        near = [n for n in numbers if seen is not None and abs(n - seen) <= max(1, n * 1e-9)]
        if not near:
            differences.append("%s: %s wanted, %s seen" % (value, numbers, seen))
    for value, key in (("capacity-total", "capacity_bytes"), ("page_count-total", "pages_total"),
                       ("slots-total", "slots_total"), ("drives-total", "drives")):
        if key in wanted and wanted[key] is None:
            seen = in_rrd(daemon, wanted["kind"], name, value)
            if seen is not None and not math.isnan(seen):
                differences.append("%s: unknown wanted, %s seen" % (value, seen))
    return differences


with Simulator([f for f in folders if glob.glob(f + "/*.snmprec")]) as simulator:
    daemon = collectd.Collectd(configuration(simulator.port), interval=40)
    daemon.start()

    def all_came():
        with_inventory = glob.glob(daemon.state + "/inventory/testhost/*.json")
        return len(with_inventory) >= len(expected) or not daemon.process.poll() is None
    came = collectd.wait_for(all_came, step=0.5)
    # A daemon that is stopped drops what its write threads have not come to.
    unwritten = dict(expected)

    def all_written():
        for device in [d for d, what in unwritten.items() if not compare(daemon, d, what)]:
            del unwritten[device]
        return not unwritten
    if came:
        collectd.wait_for(all_written, step=0.5)
    daemon.stop()
    if not ok(came, "all %d devices were read" % len(expected)):
        note(daemon.log(), daemon.stderr())
    for device, what in expected.items():
        faults = compare(daemon, device, what)
        ok(not faults, device + ": the RRDs hold its numbers", *faults[:20])
    if daemon.log("plugin: ") and "no answer" in daemon.log():
        note(daemon.log("no answer"))
    if not present:
        skip("recordings of real devices", "needs ../shared/recordings")
done()
