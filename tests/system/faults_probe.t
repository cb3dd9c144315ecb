#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tidemark-probe and the plugins in a real collectd under every fault (tests/lib/faults.py): a host's
own disks from a recorded tree, an SNMP agent, a Redfish service and a printer."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import block_tree  # noqa: E402
import collectd  # noqa: E402
import faults  # noqa: E402
import tap  # noqa: E402
from snmpsim import Simulator  # noqa: E402
from web_server import Server, documents  # noqa: E402

if not faults.preloads() or not faults.can_trace():
    tap.skip_all("needs hardware: the faults are for programs without a sanitizer or counters")
SOURCE = faults.SOURCE
# All of them would be nine tenths of what a run does.
FEW = os.path.join(faults.FOLDER, "profiles")
os.mkdir(FEW)
for name in os.listdir(SOURCE + "/plugins/profiles"):
    if name.startswith(("synology", "host", "ucd", "printer", "snia")):
        shutil.copy(os.path.join(SOURCE, "plugins/profiles", name), FEW)
PROFILES = ["--profiles", FEW, "--timeout", "5"]



class Reading(faults.Scene):
    """A device whose reading lacks something, or has none, says so on standard error and in its status.
    The fill of the disk below a tree, and what is asked of the line, may differ."""

    def run(self, *args, **more):
        r = super().run(*args, **more)
        return r._replace(out=re.sub(rb'"used_bytes":\d+', b'"used_bytes":0', r.out))


def daemon(urls, library):
    """Fills a folder with a collectd's configuration, by which its values are written there, too."""
    blocks = {"disk_array": [("own", "block"), ("nas", urls["snmp"]), ("array", urls["redfish"])],
              "media_library": [("tapes", library)],
              "printer": [("paper", urls["ipp"])]}
    text = "".join('LoadPlugin %s\n<Plugin %s>\nStateDir "@STATE@"\nProfiles "%s"\nHelper "%s/tidemark-probe"\n%s</Plugin>\n' % (
        plugin, plugin, FEW, faults.BUILD, "".join(
            '<Device "%s">\nSource "%s"\n</Device>\n' % device for device in devices))
        for plugin, devices in blocks.items())
    conf = collectd.Collectd(text, write="csv")

    def fill(folder):
        with open(conf.conf) as f, open(folder + "/collectd.conf", "w") as out:
            out.write(f.read().replace(conf.folder, folder))
    return fill


def values_in(folder):
    """{(value's name, value)} of what collectd wrote whole, but of the disks of this host, which are what
    they are at the moment."""
    found = set()
    for path in glob.glob(folder + "/rrd/*/*/*"):
        if "disk_array-own" in path:
            continue
        with open(path, errors="replace") as f:
            found.update((path[len(folder):-len("-2026-11-20")], line.split(",", 1)[-1])
                         for line in f if line.endswith("\n") and "epoch" not in line)
    return found


def unknown_values(folder, known):
    """What is written is what the devices said, or nothing: collectd itself drops what still waits at its end."""
    return {"values that no device has": sorted(values_in(folder) - known)}


def inventory(path, data):
    """Of an inventory: what the device is."""
    if path.startswith("state/") and data and faults.whole(data) and not path.endswith("own.json"):
        known = json.loads(data)
        return path, repr([known.get(k) for k in ("kind", "vendor", "model", "serial", "volumes", "supplies",
                                                  "slots_total", "drives")]).encode()
    return path, None if path in ("log", "pid") or path.startswith("rrd/") or path.endswith("own.json") else data


printer = open(os.path.join(SOURCE, "tests/data/ipp/markers_of_unequal_length.bin"), "rb").read()
array = documents(os.path.join(SOURCE, "tests/data/redfish/two_controllers.json"))
faults.Scene = Reading
P = "tidemark-probe"
with Simulator([os.path.join(SOURCE, "tests/data/snmp")]) as snmp, Server(array) as redfish, \
        Server(lambda request: (200, {}, printer)) as ipp:
    urls = {"snmp": "snmp://synology_plain_hand@127.0.0.1:%d" % snmp.port,
            "redfish": "redfish://127.0.0.1:%d" % redfish.port,
            "ipp": "ipp://127.0.0.1:%d/ipp/print" % ipp.port}
    cases = [faults.Case("probe of a tree", [P, *PROFILES, "--proc", "{}/proc", "--sys", "{}/sys", "--root",
                                            "{}/root", "block:"],
                     lambda folder: block_tree.unpack("md", folder), unknown=True)]
    cases += [faults.Case("probe by " + name, [P, *PROFILES, url], unknown=True) for name, url in urls.items()]
    cases += [faults.Case("probe of items", [P, *PROFILES, "--items", "drives,model", "--explain", urls["redfish"]],
                          unknown=True)]
    here = collectd.program() is not None
    faults.main(cases, kinds=("memory", "calls", "clock"), share=0.4 if here else 1.0, end=not here)
    if here:
        conf = daemon(urls, "snmp://library_unknown_maker@127.0.0.1:%d" % snmp.port)
        read = [collectd.program(), "-T", "-C", "{}/collectd.conf"]
        known = set()
        for n in range(3):
            once = os.path.join(faults.FOLDER, "once-%d" % n)
            os.mkdir(once)
            conf(once)
            subprocess.run([w.replace("{}", once) for w in read], check=True, stdout=subprocess.DEVNULL)
            known |= values_in(once)
        faults.main([faults.Case(name, read, conf, tidy=inventory, view=lambda f: unknown_values(f, known),
                                 clock=False, good=(0, 1), loose=True, **more)
                     for name, more in (("disk_array in collectd", {"module": "disk_array.so"}),
                                        ("media_library in collectd", {"module": "media_library.so"}),
                                        ("printer in collectd", {"module": "printer.so"}),
                                        ("the plugins' helper process", {"program": P}))],
                    kinds=("memory", "calls", "disks", *(() if faults.is_short() else ("clock",))))
