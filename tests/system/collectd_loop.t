#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# run: quietly
# Writes that the test makes itself on a loop device are counted, exactly and only there; the device
# is unknown while it is detached.
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get("SOURCE", "."), "tests/lib"))
import collectd
from tap import done, note, ok, same, skip_all

T = 5
if collectd.program() is None:
    skip_all("needs collectd")
if os.geteuid() != 0:
    skip_all("needs hardware: loop devices, which only root may make")


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


daemon = collectd.Collectd("")
image = os.path.join(daemon.folder, "image")
with open(image, "wb") as f:
    f.truncate(8 << 20)
attached = run("losetup", "--find", "--show", image)
if attached.returncode != 0:
    skip_all("needs hardware: loop devices: " + attached.stderr.strip())
loop = attached.stdout.strip()
name = os.path.basename(loop)


def write(count):
    r = run("dd", "if=/dev/zero", "of=" + loop, "bs=4096", "count=%d" % count, "oflag=direct",
            "conv=notrunc")
    assert r.returncode == 0, r.stderr


def kernel_writes():
    for line in open("/proc/diskstats"):
        words = line.split()
        if words[2] == name:
            return int(words[7])
    return None


def counts():
    path = daemon.rrd("loop", "interval_count-transfers")
    last = collectd.last_update(path)
    if last == 0:
        return {}
    return {t: v[0] for t, v in collectd.fetch(path, begun - T, last, T).items() if t <= last}


try:
    daemon.configure("""LoadPlugin disk_array
<Plugin disk_array>
  StateDir "@STATE@"
  UnitInterval %d
  <Device "loop">
    Source "block"
    Address "%s"
  </Device>
  <Device "local">
    Source "block"
  </Device>
</Plugin>
""" % (T, loop))
    begun = time.time()
    daemon.start()
    collectd.wait_for(lambda: any(v is not None for v in counts().values()))
    # Two bursts within one interval, off its borders; again if the machine was too busy to read
    # a border in time, which is said as unknown and never as a wrong number.
    for attempt in range(5):
        border = collectd.next_border(T, 0)
        collectd.sleep_until(border + 1)
        before = kernel_writes()
        write(37)
        time.sleep(1)
        write(20)
        written = kernel_writes() - before
        collectd.wait_for(lambda: border + T in counts())
        seen = counts().get(border + T)
        if seen is not None:
            break
        note("the machine was busy: border sample late")
    same(written, 57, "the kernel saw the writes of the test")
    same(seen, 57, "the unit interval counts exactly these")
    collectd.wait_for(lambda: border + 2 * T in counts())
    ok(counts().get(border + 2 * T, -1) in (0, None), "and the next one none of them", counts())
    local = os.path.join(daemon.data, "testhost", "disk_array-local")
    names = sorted(os.listdir(local)) if os.path.isdir(local) else []
    ok(not any(name in n for n in names), "the host's own device knows nothing of it", names)
    total = collectd.fetch(daemon.rrd("loop", "capacity-total"), time.time() - 5, time.time(), 1)
    ok(any(v[0] == 8 << 20 for v in total.values()), "its capacity is that of the image", total)

    same(run("losetup", "-d", loop).returncode, 0, "it is detached")
    loop = None
    ok(collectd.wait_for(lambda: daemon.log("loop: " + name)), "one line says that it is gone")
    time.sleep(T + 2)
    ok(len(daemon.log("loop: ").splitlines()) == 1, "and only one", daemon.log())
    path = daemon.rrd("loop", "capacity-total")
    last = collectd.last_update(path)
    total = collectd.fetch(path, last - 4, last - 1, 1)
    ok(last > time.time() - 4 and all(v[0] is None for v in total.values()), "its capacity is unknown", total)
    again = run("losetup", "/dev/" + name, image)
    loop = "/dev/" + name if again.returncode == 0 else None
    ok(collectd.wait_for(lambda: daemon.log("loop: answers again")), "and one that it is back",
       again.stderr)
finally:
    daemon.stop()
    if loop:
        run("losetup", "-d", loop)
done()
