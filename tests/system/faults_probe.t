#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tidemark-probe and the plugins in a real collectd under every fault (tests/lib/faults.py): a host's
own disks from a recorded tree, an SNMP agent, a Redfish service and a printer."""
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import block_tree  # noqa: E402
import collectd  # noqa: E402
import faults  # noqa: E402
import tap  # noqa: E402
from snmpsim import Simulator  # noqa: E402
from web_server import Server, documents  # noqa: E402

if not faults.preloads() or not faults.can_trace():
    tap.skip_all("needs hardware: nothing can be loaded before a program that a sanitizer is in")
SOURCE = faults.SOURCE
# All of them would be nine tenths of what a run does.
FEW = os.path.join(faults._folder, "profiles")
os.mkdir(FEW)
for name in os.listdir(SOURCE + "/plugins/profiles"):
    if name.startswith(("synology", "host", "ucd", "printer")):
        shutil.copy(os.path.join(SOURCE, "plugins/profiles", name), FEW)
PROFILES = ["--profiles", FEW, "--timeout", "5"]



class Reading(faults.Scene):
    """A device whose reading lacks something, or has none, says so on standard error and in its status.
    The fill of the disk below a tree, and what is asked of the line, may differ."""

    def run(self, *args, **more):
        r = super().run(*args, **more)
        return r._replace(out=re.sub(rb'"used_bytes":\d+', b'"used_bytes":0', r.out))


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
    if collectd.program():
        conf = collectd.Collectd(
            'LoadPlugin disk_array\n<Plugin disk_array>\nStateDir "@STATE@"\nProfiles "%s"\nHelper "%s/tidemark-probe"\n'
            '<Device "own">\nSource "block"\n</Device>\n<Device "nas">\nSource "%s"\n</Device>\n'
            '<Device "array">\nSource "%s"\n</Device>\n</Plugin>\n' % (FEW, faults.BUILD, urls["snmp"], urls["redfish"]),
            write=None)
        read = [collectd.program(), "-T", "-C", conf.conf]
        cases += [faults.Case("the plugin in collectd", read, module="disk_array.so", good=(0, 1), clock=False,
                              loose=True),
                  faults.Case("the plugin's helper process", read, program=P, good=(0, 1), clock=False, loose=True)]
    faults.main(cases, kinds=("memory", "calls", "clock"))
