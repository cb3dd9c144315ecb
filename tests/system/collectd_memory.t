#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Read after read, border after border, with devices that answer, are silent or tell a part: the
# daemon's memory stays flat. CYCLES=10000 in tests/long.
import os
import sys

sys.path.insert(0, os.path.join(os.environ.get("SOURCE", "."), "tests/lib"))
import collectd
from tap import done, note, ok, same, skip_all

CYCLES = int(os.environ.get("CYCLES", "1000"))
INTERVAL = 0.01
LIMIT_KIB = 512

if collectd.program() is None:
    skip_all("needs collectd")
if collectd.instrumented():
    skip_all("needs hardware: memory is not its own with a sanitizer or counters")

daemon = collectd.Collectd("")
proc, sysfs = os.path.join(daemon.folder, "proc"), os.path.join(daemon.folder, "sys")
os.makedirs(proc + "/self")
os.makedirs(sysfs + "/block/sda/device")
with open(proc + "/self/mountinfo", "w") as f:
    for n in range(20):
        f.write("%d 1 8:%d / %s rw - ext4 /dev/sda%d rw\n" % (22 + n, n, daemon.folder, n))
with open(proc + "/diskstats", "w") as f:
    for n in range(20):
        f.write("   8 %d sda%s 10 0 80 0 20 0 160 0 0 0 0\n" % (n, n or ""))
daemon.configure("""LoadPlugin disk_array
<Plugin disk_array>
  StateDir "@STATE@"
  Interval %s
  UnitInterval 1
  <Device "whole">
    Source "block"
    ProcPath "@FOLDER@/proc"
    SysPath "@FOLDER@/sys"
  </Device>
  <Device "part">
    Source "block:sda"
    ProcPath "@FOLDER@/proc"
    SysPath "@FOLDER@/sys"
  </Device>
  <Device "this">
    Source "block"
  </Device>
  <Device "silent">
    Source "block:nosuchdisk"
  </Device>
</Plugin>
""" % INTERVAL, interval=INTERVAL, write="csv")


def rss_kib():
    with open("/proc/%d/statm" % daemon.process.pid) as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def cycles():
    folder = os.path.join(daemon.data, "testhost", "disk_array-whole")
    try:
        names = [n for n in os.listdir(folder) if n.startswith("capacity-total")]
    except FileNotFoundError:
        return 0
    n = 0
    for name in names:
        with open(os.path.join(folder, name), "rb") as f:
            n += f.read().count(b"\n")
    return n


def wait_cycles(n):
    return collectd.wait_for(lambda: cycles() >= n, n * INTERVAL * 4 + 20, 0.5)


daemon.start()
ok(wait_cycles(CYCLES // 5), "it reads")
before = rss_kib()
ok(wait_cycles(CYCLES), "%d cycles are read" % CYCLES, cycles())
after = rss_kib()
note("%d cycles: %d KiB after the first fifth, %d KiB at the end" % (cycles(), before, after))
ok(after - before < LIMIT_KIB, "memory stays flat", before, after)
same(len(daemon.log("silent:").splitlines()), 1, "a silent device is named once in all this time")
same(daemon.stop(), 0, "and it ends with status 0")
done()
