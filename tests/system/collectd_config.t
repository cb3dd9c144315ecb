#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# The configuration of the plugins: what is refused and how it is said, and that collectd -t asks no
# device and writes nothing.
import ctypes
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get("SOURCE", "."), "tests/lib"))
import collectd
from tap import done, ok, same, skip_all

if collectd.program() is None:
    skip_all("needs collectd")

REFUSED = [
    ('Intervall 10', ["<Plugin disk_array>", "'Intervall'", "'Interval'"]),
    ('<Device "a">\nSource "block"\nAdress "sda"\n</Device>',
     ['<Device "a">', "'Adress'", "'Address'"]),
    ('<Device "a">\nSource "blok"\n</Device>', ['<Device "a">', "'blok'", "block"]),
    ('<Device "a">\nAddress "sda"\n</Device>', ['<Device "a">', "no Source"]),
    ('<Device>\nSource "block"\n</Device>', ["<Device>", "name"]),
    ('<Device "a/b">\nSource "block"\n</Device>', ["a/b", "'/'"]),
    ('<Device "..">\nSource "block"\n</Device>', ["dot"]),
    ('<Device "">\nSource "block"\n</Device>', ["name"]),
    ('<Device "a">\nSource "block"\n</Device>\n<Device "a">\nSource "block"\n</Device>',
     ['<Device "a">', "twice"]),
    ('<Device "a">\nSource "block"\nInterval 0\n</Device>', ["Interval '0'", "0.01"]),
    ('<Device "a">\nSource "block"\nUnitInterval 2.5\n</Device>', ["UnitInterval '2.5'", "whole"]),
    ('UnitInterval -300', ["UnitInterval '-300'"]),
    ('<Device "a">\nSource "block" "x"\n</Device>', ["Source", "one value"]),
    ('<Device "a">\nSource "block"\nAddress "../../etc/passwd"\n</Device>', ["../../etc/passwd"]),
    ('<Device "a">\nSource "block:../x"\n</Device>', ["../x"]),
    ('<Device "%s">\nSource "block"\n</Device>' % ("n" * 101), ["100"]),
]

daemon = collectd.Collectd("")
for block, words in REFUSED:
    daemon.configure("LoadPlugin disk_array\n<Plugin disk_array>\nStateDir \"@STATE@\"\n%s\n</Plugin>\n"
                     % block, write=None)
    if os.path.exists(daemon.log_path):
        os.unlink(daemon.log_path)
    status, said = daemon.run("-f")
    ok(status != 0 and all(w in said for w in words), "refused by name: " + " ".join(words)[:60],
       "status %d" % status, said, "wanted words: %r" % words)


class Watch:
    """Every access below some folders (inotify)."""

    def __init__(self, *folders):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_NONBLOCK)
        for folder in folders:
            assert self.libc.inotify_add_watch(self.fd, folder.encode(), 0x00000fff) >= 0

    def seen(self):
        try:
            return len(os.read(self.fd, 65536)) > 0
        except BlockingIOError:
            return False


good = """LoadPlugin disk_array
<Plugin disk_array>
  StateDir "@STATE@"
  ProcPath "@FOLDER@/proc"
  SysPath "@FOLDER@/sys"
  <Device "one">
    Source "block"
    Address "sda"
  </Device>
  <Device "two">
    Source "block:md0"
    Host "other"
    Interval 0.5
    UnitInterval 60
  </Device>
</Plugin>
"""
daemon.configure(good, write="csv")
proc, sysfs = os.path.join(daemon.folder, "proc"), os.path.join(daemon.folder, "sys")
os.makedirs(proc + "/self")
os.makedirs(sysfs + "/block/sda")
with open(proc + "/diskstats", "w") as f:
    f.write("   8 0 sda 10 0 80 0 20 0 160 0 0 0 0\n   9 0 md0 1 0 8 0 2 0 16 0 0 0 0\n")
with open(proc + "/self/mountinfo", "w") as f:
    f.write("22 1 8:0 / %s rw - ext4 /dev/sda rw\n" % daemon.folder)
watch = Watch(proc, proc + "/self", sysfs, sysfs + "/block", sysfs + "/block/sda")
status, said = daemon.run("-t")
same(status, 0, "collectd -t accepts a sound configuration")
ok(not watch.seen(), "collectd -t reads nothing of a device")
ok(not os.path.exists(daemon.state), "collectd -t writes no state")
daemon.start()
data = os.path.join(daemon.data, "testhost", "disk_array-one")
ok(collectd.wait_for(lambda: os.path.isdir(data)), "the same configuration then collects")
ok(watch.seen(), "and reads its device (the watch works)")
ok(collectd.wait_for(lambda: os.path.isdir(os.path.join(daemon.data, "other", "disk_array-two"))),
   "Host names another host")
inventory = os.path.join(daemon.state, "inventory/testhost/one.json")
ok(collectd.wait_for(lambda: os.path.exists(inventory)), "an inventory file is written")
before = os.stat(inventory)
time.sleep(2.5)
same(os.stat(inventory).st_ino, before.st_ino, "and left alone while nothing changes")
same(daemon.stop(), 0, "it ends with status 0")

daemon.configure(good, write="csv")
blocked = os.path.join(daemon.folder, "blocked")
with open(blocked, "w"):
    pass
text = open(daemon.conf).read().replace(daemon.state, blocked)
open(daemon.conf, "w").write(text)
os.unlink(daemon.log_path)
daemon.start()
collectd.wait_for(lambda: daemon.log("one: inventory"))
time.sleep(3)
lines = daemon.log("inventory").splitlines()
ok(len([x for x in lines if "one:" in x and blocked in x]) == 1,
   "a state folder that cannot be written is named once", *lines)
daemon.stop()

# The samples, but for where they put things.
samples = os.path.join(collectd.SOURCE, "contrib/collectd")
secrets = os.path.join(daemon.folder, "credentials")
shutil.copy(os.path.join(samples, "credentials"), secrets)
os.chmod(secrets, 0o600)
for name in sorted(n for n in os.listdir(samples) if n.endswith(".conf")):
    text = open(os.path.join(samples, name)).read()
    text = text.replace("LoadPlugin rrdtool", "PluginDir \"%s\"\nLoadPlugin rrdtool" %
                        collectd.STOCK_PLUGINS)
    text = text.replace("LoadPlugin syslog", "")  # the log is the test's
    for prefix in ("/usr/local", "/usr"):
        text = text.replace(prefix + "/share/tidemark", os.path.join(collectd.SOURCE, "plugins"))
    text = text.replace("/var/lib/", daemon.folder + "/")
    text = text.replace("/etc/tidemark/credentials", secrets)
    daemon.configure(text, write=None)
    os.unlink(daemon.log_path)
    daemon.start()
    started = collectd.wait_for(lambda: daemon.log("entering read-loop"))
    status = daemon.stop()
    said = daemon.log() + daemon.stderr()
    ok(started and status == 0 and "no such option" not in said and "not found" not in said,
       "the sample %s is taken" % name, status, said)

# Two blocks, each with a state folder of its own.
shutil.rmtree(daemon.state)
other = daemon.state[:-1] + "2"  # of the same length: it takes the place of what is freed too early
daemon.configure(good.replace("</Device>\n  <Device", "</Device>\n</Plugin>\n<Plugin disk_array>\n"
                              "  StateDir \"%s\"\n  <Device" % other), write="csv")
daemon.start()
places = [os.path.join(daemon.state, "inventory/testhost/one.json"), os.path.join(other, "inventory/other/two.json")]
ok(collectd.wait_for(lambda: all(map(os.path.exists, places))), "each block has its own state folder",
   daemon.log("inventory"))
daemon.stop()

# Without any block the host itself is there, as 'local'.
daemon.configure("LoadPlugin disk_array\n<Plugin disk_array>\nStateDir \"@STATE@\"\n</Plugin>\n",
                 write="csv")
daemon.start()
local = os.path.join(daemon.data, "testhost", "disk_array-local")
ok(collectd.wait_for(lambda: os.path.isdir(local)), "without a <Device> the host is 'local'")
daemon.stop()
done()
