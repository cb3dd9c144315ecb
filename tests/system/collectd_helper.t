#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An array by Redfish and a printer by IPP in a real collectd: through the helper process into RRDs,
with the helper killed in between, and without libcurl and libcups in the daemon."""
import os
import re
import signal
import struct
import sys

sys.path.insert(0, os.path.join(os.environ.get("SOURCE", "."), "tests/lib"))
import collectd
from probing import *
from tap import done, ok, same, skip_all
from web_server import Server, documents

T = 5
if collectd.program() is None:
    skip_all("needs collectd")

tree = documents(os.path.join(SOURCE, "tests/data/redfish/two_controllers.json"))
with open(os.path.join(SOURCE, "tests/data/ipp/markers_of_unequal_length.bin"), "rb") as f:
    answer = f.read()
pages = [1000]


def printer(request):
    """The recorded answer with a counter that moves."""
    name = b"printer-impressions-completed\x00\x04"
    at = answer.index(name) + len(name)
    return 200, {}, answer[:at] + struct.pack(">i", pages[0]) + answer[at + 4:]


def helpers():
    """Processes of tidemark-probe whose parent is the daemon."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat") as f:
                words = re.sub(r"\(.*\)", "x", f.read()).split()
            with open(f"/proc/{entry}/cmdline") as f:
                command = f.read()
        except (OSError, ValueError):
            continue
        if words[3] == str(daemon.process.pid) and "--serve" in command and words[2] != "Z":
            found.append(int(entry))
    return found


def value(device, name, plugin):
    path = daemon.rrd(device, name, plugin)
    last = collectd.last_update(path)
    if last == 0:
        return None
    rows = collectd.fetch(path, last - 60, last, 1, "AVERAGE")
    known = [v[0] for _, v in sorted(rows.items()) if v[0] is not None]
    return known[-1] if known else None


array, paper = Server(tree), Server(printer)
daemon = collectd.Collectd("")
daemon.configure(f"""
LoadPlugin disk_array
<Plugin disk_array>
  StateDir "@STATE@"
  UnitInterval {T}
  Helper "{PROBE}"
  <Device "array">
    Source "redfish://127.0.0.1:{array.port}"
  </Device>
</Plugin>
LoadPlugin printer
<Plugin printer>
  StateDir "@STATE@"
  UnitInterval {T}
  Helper "{PROBE}"
  <Device "paper">
    Source "ipp"
    Address "127.0.0.1"
    Port {paper.port}
  </Device>
</Plugin>
""")
try:
    status, said = daemon.run("-t")
    same((status, array.log, paper.log), (0, [], []), "collectd -t touches no device")
    daemon.start()
    used = collectd.wait_for(lambda: value("array", "capacity-used", "disk_array"))
    same(used, 15e12, "the array's used bytes are in its RRD")
    same(value("array", "capacity-total", "disk_array"), 60e12, "and its capacity")
    level = collectd.wait_for(lambda: value("paper", "supply_level-black", "printer"))
    same(level, 50, "the printer's toner is in its RRD")

    first = helpers()
    ok(len(first) == 2, "each plugin has one helper", first)
    with open(f"/proc/{daemon.process.pid}/maps") as f:
        maps = f.read()
    ok("libcups" not in maps and "libcurl" not in maps, "neither library is loaded into collectd")

    for pid in first:
        os.kill(pid, signal.SIGKILL)
    second = collectd.wait_for(lambda: helpers() if len(helpers()) == 2 else None)
    ok(second and not set(second) & set(first), "killed helpers are started again", first, second)
    asked = len(array.log)
    ok(collectd.wait_for(lambda: len(array.log) > asked + 20), "and ask again")

    # A busy machine may read a border too late: that interval is unknown, and the next one is tried.
    path = daemon.rrd("paper", "interval_count-pages", "printer")
    for _ in range(6):
        border = collectd.next_border(T, 1)
        collectd.sleep_until(border + 1)
        pages[0] += 7
        collectd.wait_for(lambda: collectd.last_update(path) >= border + T)
        counts = collectd.fetch(path, border, border + T, T).get(border + T)
        if counts != [None]:
            break
    same(counts, [7.0], "the pages of a unit interval are counted")

    current = helpers()
    daemon.stop(signal.SIGKILL)
    gone = collectd.wait_for(lambda: not any(os.path.exists(f"/proc/{p}") for p in current))
    ok(gone, "the helpers end when collectd is killed", current)

    daemon.start()
    collectd.wait_for(lambda: len(helpers()) == 2)
    current = helpers()
    same(daemon.stop(), 0, "collectd ends in order")
    gone = collectd.wait_for(lambda: not any(os.path.exists(f"/proc/{p}") for p in current))
    ok(gone, "and its helpers with it", current)

    daemon.configure("""
LoadPlugin disk_array
<Plugin disk_array>
  <Device "array">
    Source "redfish"
    Address "127.0.0.1"
    Port 0
  </Device>
</Plugin>
""")
    status, said = daemon.run("-f")
    ok("Port: 1 to 65535" in said, "a wrong setting is told at the start", said)

    # The samples that are shipped, with their file of credentials in a place of the test's own.
    secrets = os.path.join(daemon.folder, "credentials")
    with open(os.path.join(SOURCE, "contrib/collectd/credentials")) as f:
        sample = f.read()
    with open(secrets, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
        f.write(sample)
    for name in ("redfish.conf", "printers.conf"):
        with open(os.path.join(SOURCE, "contrib/collectd", name)) as f:
            text = f.read().replace("/etc/tidemark/credentials", secrets)
        daemon.configure(re.sub(r"(?m)^TypesDB.*", "", text), write=None)
        open(daemon.log_path, "w").close()
        status, said = daemon.run("-t")
        same((status, said), (0, ""), "contrib/collectd/%s is sound" % name)
finally:
    daemon.close()
    array.__exit__()
    paper.__exit__()
done()
