#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a hundred devices cost the machine that watches them: processor time is counted, not waited
for, so that a busy machine makes no difference."""
import importlib.machinery
import os
import subprocess
import sys
import tempfile
import time
import types

SOURCE = os.path.abspath(os.environ.get("SOURCE", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests/lib"))
import collectd
from tap import done, note, ok, skip_all

if collectd.program() is None:
    skip_all("needs collectd")
if collectd.instrumented():
    skip_all("needs hardware: processor time is not its own with a sanitizer or counters")

# The bench's agent and daemon, with 100 devices that are read every second for a quarter of a minute.
loader = importlib.machinery.SourceFileLoader("bench", SOURCE + "/tests/bench/collect/run")
bench = types.ModuleType("bench")
bench.__file__ = loader.path
sys.dont_write_bytecode = True
loader.exec_module(bench)

with tempfile.TemporaryDirectory() as folder:
    subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", folder + "/agent", SOURCE + "/tests/bench/collect/agent.c",
                    "-lpthread"], check=True)
    agent = bench.Agent(folder)
    daemon = bench.Daemon(folder, "tidemark", 100, agent.port)
    try:
        time.sleep(4)
        cpu, requests, begun = daemon.cpu_s(), agent.requests(), time.monotonic()
        time.sleep(15)
        cpu, requests = daemon.cpu_s() - cpu, agent.requests() - requests
        took = time.monotonic() - begun
    finally:
        daemon.stop()
        agent.stop()
note("%d readings in %.1f s cost %.2f s of a core" % (requests, took, cpu))
ok(requests >= 0.8 * 100 * took, "a hundred devices are read each second", requests, took)
ok(cpu / took / 10 < 0.02, "read every ten seconds they cost less than 2 % of a core", cpu, took)
done()
