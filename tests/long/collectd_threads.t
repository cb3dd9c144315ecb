#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Under ThreadSanitizer: the plugin within collectd, reads and borders of many devices at once, and
# the helper process with its batches of questions.
import glob
import os
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.abspath(os.environ.get("SOURCE", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests/lib"))


def sanitized(build):
    """Whether this folder was built so: then make is not asked, others may be using it."""
    try:
        with open(os.path.join(build, ".flags")) as f:
            return "-fsanitize=thread" in f.read()
    except OSError:
        return False


BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
READY = sanitized(BUILD)
if not READY:
    BUILD = os.path.join(SOURCE, "build/tsan")
os.environ["BUILD"] = BUILD
import collectd  # noqa: E402
from tap import done, ok, same, skip_all  # noqa: E402

if collectd.program() is None:
    skip_all("needs collectd")
made = subprocess.run(["true"] if READY else [
    "make", "-C", SOURCE, "B=" + BUILD, "CFLAGS=-O1 -g", "SAN=-fsanitize=thread", BUILD + "/plugins/disk_array.so",
    BUILD + "/tidemark-probe"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
ok(made.returncode == 0, "the plugin and the helper are built with it", made.stdout[-2000:])
ok(collectd.sanitizer() is not None, "and load it")


def found(logs):
    return "".join(open(p, errors="replace").read() for p in glob.glob(logs + "/log*"))


with tempfile.TemporaryDirectory(prefix="tidemark-tsan-") as logs:
    devices = "".join(
        '<Device "d%d">\nSource "block"\nInterval %s\nUnitInterval %d\n</Device>\n' % (
            n, (0.05, 0.1, 1)[n % 3], 1 + n % 2) for n in range(12))
    daemon = collectd.Collectd(
        'LoadPlugin disk_array\n<Plugin disk_array>\nStateDir "@STATE@"\n'
        'Profiles "%s/plugins/profiles"\n%s<Device "silent">\nSource "snmp://public@127.0.0.1:9"\n'
        'UnitInterval 1\n</Device>\n</Plugin>\n' % (SOURCE, devices), interval=0.1, write="csv",
        env={"TSAN_OPTIONS": "log_path=" + logs + "/log"})
    daemon.start()
    time.sleep(40)
    same(daemon.stop(wait=60), 0, "it runs and ends with status 0")
    ok("SUMMARY" not in found(logs), "no race is found", found(logs)[-4000:])
with tempfile.TemporaryDirectory(prefix="tidemark-tsan-") as logs:
    helper = subprocess.run([os.path.join(SOURCE, "tests/system/probe_serve.t")], stdout=subprocess.PIPE,
                            env=dict(os.environ, TSAN_OPTIONS="log_path=" + logs + "/log"), text=True)
    ok(helper.returncode == 0, "the helper process does its work", helper.stdout)
    ok("SUMMARY" not in found(logs), "and no race is found in it", found(logs)[-4000:])
done()
