#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The agent for a device's own Linux: what `make agent` builds is small and stripped, and the whole
chain (collectd with the plugin and RRDs, the analysis of two years, the export) runs in 64 MiB of
memory: within a memory cgroup of that size where one can be made here, and by the peaks of the
processes in any case."""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.environ.get("SOURCE", "."), "tests/lib"))
import tap
from collectd import BUILD, SOURCE, STOCK_TYPES, Collectd, program, sanitizer, wait_for

LIMIT = 64 << 20
MOST_BYTES = 2 << 20  # of the installed files

if sanitizer():
    tap.skip_all("sizes are those of a build without a sanitizer")
if program() is None or shutil.which("rrdtool") is None:
    tap.skip_all("collectd or rrdtool is not installed")


# --- the installed tree -----------------------------------------------------------------------

def build(*words):
    """Runs make; the root of the agent's tree."""
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(["make", "-C", SOURCE, "agent", "B=" + BUILD, "PREFIX=/usr",
                           "PLUGINDIR=/usr/lib/collectd", *words], env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        tap.note(done.stdout[-4000:])
    return os.path.join(BUILD, "agent-host" if "HOST_ONLY=1" in words else "agent", "root")


def files_of(root):
    return {os.path.relpath(path, root): os.path.getsize(path)
            for path in glob.glob(root + "/**", recursive=True) if os.path.isfile(path)}


def libraries(path):
    out = subprocess.run(["readelf", "-d", path], stdout=subprocess.PIPE, text=True).stdout
    return {line.split("[")[1].split("]")[0].split(".so")[0] for line in out.splitlines()
            if "(NEEDED)" in line}


def is_stripped(path):
    out = subprocess.run(["readelf", "-SW", path], stdout=subprocess.PIPE, text=True).stdout
    return ".dynsym" in out and ".symtab" not in out and ".debug" not in out


def check_tree():
    root = build()
    files = files_of(root)
    binaries = {f for f in files if "/profiles/" not in f and not f.endswith("types.db")}
    tap.same(sorted(binaries), ["usr/bin/tidemark-analyze", "usr/bin/tidemark-export",
                                "usr/bin/tidemark-probe", "usr/lib/collectd/disk_array.so",
                                "usr/lib/collectd/media_library.so", "usr/lib/collectd/printer.so"],
             "the agent is the plugins, probe, analyzer and exporter, and no more")
    shipped = {os.path.basename(f) for f in glob.glob(SOURCE + "/plugins/profiles/*.json")}
    tap.same({os.path.basename(f) for f in files if "/profiles/" in f}, shipped,
             "every profile is in it")
    tap.ok(all(is_stripped(os.path.join(root, f)) for f in binaries), "all of it is stripped")
    total = sum(files.values())
    tap.note("%d bytes in %d files" % (total, len(files)),
             *("%8d %s" % (files[f], f) for f in sorted(binaries)))
    tap.ok(total <= MOST_BYTES, "it takes at most 2 MiB", total)
    return root


def check_host_only():
    # The analyzer and the exporter are the same in both.
    root = build("HOST_ONLY=1", "AGENT_PROGRAMS=tidemark-probe")
    files = files_of(root)
    tap.note("host only: plugins and probe have %d bytes" % sum(files.values()))
    tap.ok("usr/lib/collectd/disk_array.so" in files and not any("printer" in f for f in files),
           "HOST_ONLY leaves out what asks other devices")
    needed = set().union(*(libraries(os.path.join(root, f)) for f in files
                           if f.startswith(("usr/lib", "usr/bin/tidemark-probe"))))
    tap.same(needed & {"libnetsnmp", "libcups", "libssl", "libcrypto", "libcurl-gnutls"}, set(),
             "and with it their libraries")
    done = subprocess.run([os.path.join(root, "usr/bin/tidemark-probe"), "block:"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    tap.same((done.returncode, json.loads(done.stdout or "{}").get("kind")), (0, "disk_array"),
             "it reports the device itself")


# --- 64 MiB -----------------------------------------------------------------------------------

class Cage:
    """A memory cgroup of LIMIT for what is started in it (of version 1 or 2); where none can be made
    it only watches. The peaks of all its processes are kept by their names."""

    def __init__(self):
        self.folder = self.why = None
        self.peaks = {}  # name -> (greatest peak of one, how many there were)
        self.seen = {}
        self.roots = []
        self.most = 0
        self.stopped = threading.Event()
        for place, limit, swap in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes", None),
                                   ("/sys/fs/cgroup", "memory.max", "memory.swap.max")):
            if self.make(place, limit, swap):
                break
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def make(self, place, limit, swap):
        folder = "%s/tidemark-test-%d" % (place, os.getpid())
        if not os.path.exists(place + "/cgroup.procs"):
            return False
        try:
            os.mkdir(folder)
        except OSError as e:
            self.why = str(e)
            return False
        try:
            for name, value in ((limit, LIMIT), (swap, 0)):
                if name:
                    with open(os.path.join(folder, name), "w") as f:
                        f.write(str(value))
        except OSError as e:
            self.why = str(e)
            os.rmdir(folder)
            return False
        self.folder = folder
        return True

    def wrapper(self):
        """Words before a command that put it into the cgroup."""
        if not self.folder:
            return []
        return ["sh", "-c", 'echo $$ >"$0" && exec "$@"', self.folder + "/cgroup.procs"]

    def run(self, *command, **how):
        process = subprocess.Popen([*self.wrapper(), *command], text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, **how)
        self.roots.append(process.pid)
        out, errors = process.communicate(timeout=300)
        return process.returncode, out, errors

    def pids(self):
        """The processes started here and all below them."""
        if self.folder:
            return [int(word) for word in self.value("cgroup.procs") or []]
        children = {}
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(path) as f:
                    head, _, tail = f.read().rpartition(")")
            except OSError:
                continue
            children.setdefault(int(tail.split()[1]), []).append(int(head.split()[0]))
        found, queue = [], list(self.roots)
        while queue:
            pid = queue.pop()
            found.append(pid)
            queue += children.get(pid, [])
        return found

    def watch(self):
        while not self.stopped.wait(0.001):
            now = 0
            for pid in self.pids():
                try:
                    with open("/proc/%d/status" % pid) as f:
                        status = dict(line.split(":", 1) for line in f)
                except OSError:
                    continue
                name, peak = status["Name"].strip(), status.get("VmHWM", "0").split()[0]
                if name in ("sh", "python3", "agent.t"):  # not yet what was started
                    continue
                self.seen[pid] = (name, max(int(peak) << 10, self.seen.get(pid, ("", 0))[1]))
                now += self.seen[pid][1]
            self.most = max(self.most, now)

    def report(self):
        self.stopped.set()
        self.thread.join()
        names = {}
        for name, peak in self.seen.values():
            greatest, count = names.get(name, (0, 0))
            names[name] = (max(greatest, peak), count + 1)
        return ["%6.1f MiB at most in one of %d %s" % (peak / 2**20, count, name)
                for name, (peak, count) in sorted(names.items())]

    def value(self, name):
        try:
            with open(os.path.join(self.folder or "", name)) as f:
                return f.read().split()
        except OSError:
            return None

    def killed(self):
        """How many processes the kernel ended for want of memory."""
        words = self.value("memory.oom_control") or self.value("memory.events") or []
        return int(words[words.index("oom_kill") + 1]) if "oom_kill" in words else 0

    def remove(self):
        if self.folder:
            wait_for(lambda: not self.value("cgroup.procs"), 10)
            os.rmdir(self.folder)


def site(folder):
    """Two years of a site's devices, a configuration that exports to a folder."""
    demo = os.path.join(folder, "demo")
    os.mkdir(demo)
    subprocess.run([os.path.join(BUILD, "tidemark-demo"), "-t", STOCK_TYPES, "-t",
                    SOURCE + "/plugins/types.db", demo], check=True, stdout=subprocess.DEVNULL)
    data = os.path.join(demo, "C-1001/rrd")
    conf = os.path.join(folder, "tidemark.conf")
    with open(conf, "w") as f:
        f.write("""customer {{ id = "C-1001"  name = "Example KK" }}
site {{ name = "osaka-1"  timezone = "Asia/Tokyo" }}
paths {{ data = "{0}"  state = "{1}/state"  spool = "{1}/spool" }}
spool {{ free = "0" }}
target box {{ type = "file"  directory = "{1}/outbox"  secret_file = "{1}/secret"
  purposes = {{ "sales" }} }}
""".format(data, folder))
    os.mkdir(os.path.join(folder, "outbox"))
    secret = os.path.join(folder, "secret")
    with open(secret, "w") as f:
        f.write("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")
    os.chmod(secret, 0o600)
    return conf, data


def daemon(root, data):
    c = Collectd("", interval=1)
    c.data = data
    c.configure("", rrd="  CacheTimeout 0\n  RRARows 17664\n  RRATimespan 3600\n"
                "  RRATimespan 5299200\n  RRATimespan 63590400\n")
    with open(c.conf) as f:
        text = f.read().replace('PluginDir "%s/plugins"' % BUILD,
                                'PluginDir "%s/usr/lib/collectd"' % root)
    text = text.replace(SOURCE + "/plugins/types.db", root + "/usr/share/tidemark/types.db")
    with open(c.conf, "w") as f:
        f.write(text + 'LoadPlugin disk_array\n<Plugin disk_array>\n  StateDir "%s"\n'
                '  UnitInterval 2\n</Plugin>\n' % c.state)
    return c


def has_count(c):
    path = c.rrd("local", "interval_count-transfers")
    if not os.path.exists(path):
        return False
    out = subprocess.run(["rrdtool", "fetch", path, "MAX", "-s", "-20"], stdout=subprocess.PIPE,
                         text=True).stdout
    return any(line.split(":")[1].strip()[:1].isdigit() for line in out.splitlines() if ": " in line)


def check_chain(root, folder):
    bin_ = os.path.join(root, "usr/bin")
    conf, data = site(folder)
    cage = Cage()
    c = daemon(root, data)
    try:
        c.start(cage.wrapper())
        cage.roots.append(c.process.pid)
        tap.ok(wait_for(lambda: has_count(c), 30), "collectd counts transfers into an RRD", c.log())
        code, out, errors = cage.run(bin_ + "/tidemark-probe", "block:")
        live = json.loads(out or "{}")
        tap.same((code, live.get("kind")), (0, "disk_array"), "the probe reports the device")
        code, _, errors = cage.run(bin_ + "/tidemark-analyze", "run", "-c", conf, "--record",
                                   "--format", "json", "-o", folder + "/out")
        tap.same(code, 0, "two years of all devices are analysed")
        tap.note(errors)
        for words in (("enable", "sales", "--by", "Hanako Sato"), ("queue", "--now"),
                      ("push", "--once")):
            code, out, errors = cage.run(bin_ + "/tidemark-export", words[0], "-c", conf, *words[1:])
            tap.ok(code == 0, "tidemark-export " + words[0], out, errors)
        tap.ok(c.process.poll() is None, "collectd is still there", c.log())
        devices = {}
        for path in glob.glob(folder + "/outbox/*.json"):
            with open(path) as f:
                event = json.load(f)
            if event["type"] == "tidemark.summary.v1":
                devices[event["data"]["product"]["device"]] = event["data"]
        tap.ok(len(devices) >= 4 and "array-01" in devices, "summaries have left", sorted(devices))
        local = devices.get("local", {}).get("status", {})
        tap.same(local.get("capacity_bytes"), live.get("capacity_bytes"),
                 "that of the device itself has its capacity")
        tap.ok("fill" in devices.get("array-01", {}).get("forecast", {}), "and a forecast is in them")
    finally:
        c.stop()
        figures = cage.report()
        tap.note(*figures)
        tap.note("%.1f MiB: the greatest sum of peaks of processes side by side" % (cage.most / 2**20))
        if cage.folder:
            peak = cage.value("memory.max_usage_in_bytes") or cage.value("memory.peak") or ["0"]
            tap.same(cage.killed(), 0, "all within a cgroup of 64 MiB, and nothing was ended by it")
            tap.note("%.1f MiB: the cgroup's own peak, files in memory included" % (int(peak[0]) / 2**20))
        else:
            tap.skip("all within a cgroup of 64 MiB", "no memory cgroup can be made: %s" % cage.why)
        cage.remove()
    tap.ok(cage.most <= LIMIT, "the peaks of the processes are together at most 64 MiB", cage.most)


def main():
    root = check_tree()
    check_host_only()
    with tempfile.TemporaryDirectory(prefix="tidemark-agent-") as folder:
        check_chain(root, folder)
    tap.done()


main()
