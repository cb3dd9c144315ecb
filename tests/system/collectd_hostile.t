#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# run: quietly
"""In a real collectd (under ASan in `make asan`): agents that mean harm cost their own slots only,
each is named once, and ten thousand readings leave memory flat."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time

SOURCE = os.environ.get("SOURCE", os.getcwd())
sys.path.insert(0, os.path.join(SOURCE, "tests", "lib"))
import collectd  # noqa: E402
from tap import done, note, ok, same, skip, skip_all  # noqa: E402

if collectd.program() is None:
    skip_all("needs collectd")
AGENT = os.path.join(SOURCE, "tests", "lib", "hostile_agent")
READINGS = 10000


def device(name, port, community, version="2c"):
    return ('  <Device "%s">\n    Source "snmp"\n    Address "127.0.0.1"\n    Port "%d"\n'
            '    Community "%s"\n    Version "%s"\n  </Device>\n' % (name, port, community, version))


def last_value(daemon, plugin, name, value):
    for path in glob.glob(daemon.data + "/testhost/%s-%s/%s-20*" % (plugin, name, value)):
        with open(path) as f:
            return f.read().split()[-1].split(",")[1]
    return None


def resident_kib(daemon):
    with open("/proc/%d/status" % daemon.process.pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def harm():
    harms = subprocess.run([AGENT, "--list"], stdout=subprocess.PIPE, text=True,
                           check=True).stdout.split()
    agent = subprocess.Popen([AGENT, "0"], stdout=subprocess.PIPE, text=True)
    try:
        port = int(agent.stdout.readline().split()[1])
        blocks = "".join(device(h, port, h) + device(h + "-v1", port, h, "1") for h in harms)
        daemon = collectd.Collectd(
            'LoadPlugin printer\n<Plugin printer>\n  StateDir "@STATE@"\n  UnitInterval 5\n'
            '  Profiles "%s/plugins/profiles"\n%s</Plugin>\n' % (SOURCE, blocks), interval=5,
            write="csv")
        daemon.start()
        honest = collectd.wait_for(
            lambda: last_value(daemon, "printer", "honest", "page_count-total"), 15)
        time.sleep(12)
        alive = daemon.process.poll() is None
        status = daemon.stop()
    finally:
        agent.kill()
        agent.wait()
    ok(alive, "collectd lives among %d hostile devices" % (2 * len(harms)),
       *daemon.stderr().splitlines()[-3:])
    same(status, 0, "and ends in order")
    ok("Sanitizer" not in daemon.stderr(), "nothing is reported by a sanitizer",
       *[l for l in daemon.stderr().splitlines() if "type re" not in l][-40:])
    same(honest and float(honest), 4711.0, "the honest one among them is read")
    wrong = [p for h in ("wrong_types", "odd_lengths", "wrong_id", "silent", "noise", "truncated")
             for p in glob.glob(daemon.data + "/testhost/printer-" + h + "*/*")
             if "page_count" in p or "supply_" in p]
    ok(not wrong, "no value is taken from a wrong type", *wrong)
    for name in ("silent", "dribble", "wrong_id"):
        same(len([line for line in daemon.log(name + ":").splitlines() if "no answer" in line]), 1,
             name + ": named once, with how long it took")


def memory():
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        skip("memory stays flat", "needs a compiler for the agent")
        return
    folder = tempfile.mkdtemp(prefix="tm-agent-")
    agent = None
    try:
        subprocess.run([compiler, "-O2", "-D_GNU_SOURCE", "-o", folder + "/agent",
                        SOURCE + "/tests/bench/collect/agent.c", "-lpthread"], check=True)
        port = 20000 + os.getpid() % 20000
        log = open(folder + "/log", "w+")
        agent = subprocess.Popen([folder + "/agent", str(port), "1", "1"], stdout=log)
        # As many devices as answer; a tenth of them does not, for its errors must not grow either.
        blocks = "".join(device("d%03d" % i, port if i % 10 else 1, "public") for i in range(100))
        daemon = collectd.Collectd(
            'LoadPlugin disk_array\n<Plugin disk_array>\n  StateDir "@STATE@"\n  UnitInterval 10\n'
            '  Profiles "%s/tests/bench/collect/profiles"\n%s</Plugin>\n' % (SOURCE, blocks),
            interval=0.2, write="csv")
        daemon.start()
        time.sleep(10)
        early = resident_kib(daemon)

        def answered():
            with open(folder + "/log") as f:
                lines = f.read().split("\n")
            return int(lines[-2].split()[0]) if len(lines) > 1 else 0
        enough = collectd.wait_for(lambda: answered() >= READINGS + 5000, 45, 0.5)
        late = resident_kib(daemon)
        daemon.stop()
        note("%d readings, %d KiB after 10 s, %d KiB at the end" % (answered(), early, late))
        ok(enough, "more than %d readings" % READINGS, "%d" % answered())
        # An allocator under a sanitizer keeps what was freed for a while.
        slack = 512 if collectd.sanitizer() is None else 65536
        ok(late - early <= slack, "memory stays flat", "%d KiB, then %d KiB" % (early, late))
    finally:
        if agent is not None:
            agent.kill()
            agent.wait()
        shutil.rmtree(folder, ignore_errors=True)


harm()
memory()
done()
