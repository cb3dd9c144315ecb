#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# run: alone
"""The three plugins in a real collectd under valgrind, and the helper process that asks Redfish and
IPP for them: a short run and one of ten thousand readings leave the same few blocks behind, none of
ours lost, and no access is invalid. CYCLES=500 for a look."""
import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml

sys.path.insert(0, os.path.join(os.environ.get("SOURCE", "."), "tests/lib"))
import collectd
from probing import PROBE, SOURCE
from snmpsim import Simulator
from tap import done, note, ok, same, skip_all
from web_server import Server, documents

CYCLES = int(os.environ.get("CYCLES", "10000"))
FEW = min(500, CYCLES // 10)
LIMIT_S = float(os.environ.get("LIMIT_S", "2000"))  # of each long run
SLACK_BLOCKS = 50  # what the two runs may differ by: answers in flight at the end

if collectd.program() is None or shutil.which("valgrind") is None:
    skip_all("needs collectd and valgrind")
if collectd.instrumented():
    skip_all("needs hardware: valgrind runs what carries neither a sanitizer nor counters")

# Every device, the value that tells how often it was read, and whether it must have been each time:
# the others are slower, or asked by the helper.
DEVICES = (("disk_array", "host", "capacity-total", True), ("disk_array", "array", "capacity-total", True),
           ("media_library", "library", "slots-total", True), ("disk_array", "shelf", "capacity-total", False),
           ("printer", "office", "page_count-total", False), ("printer", "paper", "page_count-total", False))


def configuration(agent, simulator, shelf, paper):
    def device(name, url, *more):
        return '<Device "%s">\nSource "%s"\n%s</Device>\n' % (name, url, "".join(m + "\n" for m in more))

    def block(plugin, profiles, devices):
        return ('LoadPlugin %s\n<Plugin %s>\nStateDir "@STATE@"\nUnitInterval 1\nInterval 0.01\n'
                'Helper "%s"\nProfiles "%s/%s"\n%s</Plugin>\n' % (
                    plugin, plugin, PROBE, SOURCE, profiles, devices))

    return (block("disk_array", "tests/bench/collect/profiles",
                  device("host", "block", 'ProcPath "@FOLDER@/proc"', 'SysPath "@FOLDER@/sys"') +
                  device("silent", "block:nosuchdisk") +
                  device("array", "snmp://public@127.0.0.1:%d" % agent) +
                  device("dead", "snmp://public@127.0.0.1:9") +
                  device("shelf", "redfish://127.0.0.1:%d" % shelf, "Interval 1")) +
            block("media_library", "plugins/profiles",
                  device("library", "snmp://hpe_msl_hand@127.0.0.1:%d" % simulator, "Interval 0.05")) +
            block("printer", "plugins/profiles",
                  device("paper", "ipp://127.0.0.1:%d" % paper, "Interval 1") +
                  device("office", "snmp://printer_unknown_maker@127.0.0.1:%d" % simulator, "Interval 1")))


def recorded_host(folder):
    os.makedirs(folder + "/proc/self")
    os.makedirs(folder + "/sys/block/sda/device")
    with open(folder + "/proc/self/mountinfo", "w") as f:
        f.writelines("%d 1 8:%d / %s rw - ext4 /dev/sda%d rw\n" % (22 + n, n, folder, n) for n in range(5))
    with open(folder + "/proc/diskstats", "w") as f:
        f.writelines("   8 %d sda%s 10 0 80 0 20 0 160 0 0 0 0\n" % (n, n or "") for n in range(5))


def readings(daemon):
    """How often each device was read: lines of its file."""
    counts = {}
    for plugin, device, value, _ in DEVICES:
        counts[device] = 0
        for path in glob.glob("%s/testhost/%s-%s/%s-20*" % (daemon.data, plugin, device, value)):
            with open(path, "rb") as f:
                counts[device] += sum(part.count(b"\n") for part in iter(lambda: f.read(1 << 20), b""))
    return counts


def enough(daemon, cycles):
    counts = readings(daemon)
    return all(counts[device] >= (cycles if each else 5) for _, device, _, each in DEVICES)


def ours(frame):
    return (frame.findtext("obj") or "").startswith(collectd.BUILD)


def of_net_snmp(stack):
    """It fills its globals at the first session; collectd unloads it, and the pointers with it."""
    return any(f.findtext("fn") == "snmp_sess_init" for f in stack)


def found(path):
    """What valgrind says of our code: {kind: [bytes, blocks]}, and where, but for what is left reachable."""
    kinds, stacks = {}, []
    for error in xml.parse(path).getroot().iter("error"):
        stack = error.find("stack")
        if not any(map(ours, stack)):
            continue
        kind = "globals of net-snmp" if of_net_snmp(stack) else error.findtext("kind")
        seen = kinds.setdefault(kind, [0, 0])
        seen[0] += int(error.findtext("xwhat/leakedbytes") or 0)
        seen[1] += int(error.findtext("xwhat/leakedblocks") or 1)
        if kind.startswith(("Leak_Definitely", "Leak_Indirectly", "Leak_Possibly")) or "Leak" not in kind:
            stacks.append(kind + ": " + " < ".join(
                "%s:%s" % (f.findtext("fn"), f.findtext("line") or "?") for f in stack))
    return kinds, [s for s in stacks if not s.startswith("globals")]


def valgrind(path):
    return ["valgrind", "--tool=memcheck", "--leak-check=full", "--show-leak-kinds=all", "--keep-debuginfo=yes",
            "--fair-sched=yes", "--num-callers=30", "--xml=yes", "--xml-file=" + path]


def judge(path, what):
    """Blocks of ours that are left."""
    kinds, stacks = found(path)
    note("%s: of ours at the end: %s" % (what, ", ".join(
        "%s %d bytes in %d blocks" % (k, *v) for k, v in sorted(kinds.items())) or "nothing"))
    ok(not stacks, what + ": nothing of ours is lost, and no access is invalid", *stacks[:20])
    return sum(blocks for _, blocks in kinds.values())


def run_daemon(cycles, seconds, ports):
    what = "collectd, %d readings" % cycles
    daemon = collectd.Collectd("")
    try:
        recorded_host(daemon.folder)
        daemon.configure(configuration(*ports), interval=0.01, write="csv")
        report = daemon.folder + "/valgrind.xml"
        daemon.start(valgrind(report))
        begun = time.monotonic()
        came = collectd.wait_for(lambda: enough(daemon, cycles), seconds, 2)
        took, counts = time.monotonic() - begun, readings(daemon)
        note("%s: %.0f s; %s" % (what, took, counts))
        same(daemon.stop(wait=300), 0, what + ": it ends with status 0")
        ok(came, what + ": were made", counts, daemon.log()[-2000:])
        return judge(report, what)
    finally:
        daemon.close()


def run_helper(cycles, seconds, ports):
    kinds = ((1, "redfish", ports[2]), (2, "ipp", ports[3]), (3, "redfish", 9))
    rounds, what = cycles // len(kinds) + 1, "helper, %d questions" % cycles
    with tempfile.TemporaryDirectory(prefix="tidemark-valgrind-") as folder:
        ours, theirs = socket.socketpair()
        process = subprocess.Popen(valgrind(folder + "/valgrind.xml") + [PROBE, "--serve"], stdin=theirs,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        theirs.close()
        ours.settimeout(120)
        begun, wrong, asked = time.monotonic(), [], 0
        try:
            lines = ours.makefile("r")
            while asked < rounds and time.monotonic() - begun < seconds:
                for device, source, port in kinds:
                    ours.sendall(json.dumps({
                        "id": len(kinds) * asked + device, "device": device, "source": source, "part": "everything",
                        "items": [], "timeout": 60, "explain": False, "more": False,
                        "settings": {"Address": "127.0.0.1", "Port": str(port), "TLS": "false"}}).encode() + b"\n")
                    reply = json.loads(lines.readline())
                    if (reply["reading"].get("error") is None) != (port != 9):
                        wrong.append(reply)
                asked += 1
            note("%s: %d of each kind in %.0f s" % (what, asked, time.monotonic() - begun))
            lines.close()
            ours.close()
            same(process.wait(300), 0, what + ": it ends with status 0")
        finally:
            ours.close()
            process.kill()
            process.wait()
            process.stderr.close()
        ok(asked == rounds and not wrong, what + ": were asked, and answered rightly", asked, *wrong[:3])
        return judge(folder + "/valgrind.xml", what)


with open(SOURCE + "/tests/data/ipp/supplies_and_trays.bin", "rb") as f:
    pages = f.read()
answers = documents(SOURCE + "/tests/data/redfish/two_controllers.json")


def forgetting(server, answer):
    """Ten thousand readings are not to be kept here either."""
    def one(request):
        server[0].log.clear()
        return answer(request)
    return one


folder = tempfile.mkdtemp(prefix="tidemark-agent-")
agent = None
try:
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-D_GNU_SOURCE", "-o", folder + "/agent",
                    SOURCE + "/tests/bench/collect/agent.c", "-lpthread"], check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    agent = subprocess.Popen([folder + "/agent", str(port), "1", "1"], stdout=subprocess.DEVNULL)
    shelf, paper = [], []
    shelf.append(Server(forgetting(shelf, answers)))
    paper.append(Server(forgetting(paper, lambda request: (200, {}, pages))))
    with Simulator([SOURCE + "/tests/data/snmp"]) as simulator, shelf[0], paper[0]:
        ports = (port, simulator.port, shelf[0].port, paper[0].port)
        for name, run in (("collectd", run_daemon), ("the helper", run_helper)):
            few, many = run(FEW, 600, ports), run(CYCLES, LIMIT_S, ports)
            ok(many <= few + SLACK_BLOCKS, name + ": twenty times the readings leave no more behind", few, many)
finally:
    if agent is not None:
        agent.kill()
        agent.wait()
    shutil.rmtree(folder, ignore_errors=True)
done()
