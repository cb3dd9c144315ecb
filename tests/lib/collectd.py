# SPDX-License-Identifier: MIT
"""A private collectd: its own folder, nothing of the system touched, ended by its own pid."""
import atexit
import math
import os
import shutil
import signal
import subprocess
import tempfile
import time

import sanitizer as built
from waiting import PATIENCE, wait_for  # noqa: F401: tests name it as of here

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
SOURCE = os.path.abspath(os.environ.get("SOURCE", "."))
PLUGIN = os.path.join(BUILD, "plugins", "disk_array.so")
STOCK_TYPES = "/usr/share/collectd/types.db"
STOCK_PLUGINS = "/usr/lib/collectd"


def program():
    """collectd's path, or None."""
    return shutil.which("collectd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def sanitizer():
    """What must be loaded first when the plugins were built with a sanitizer; None."""
    return built.runtime(PLUGIN)


def instrumented():
    """Whether the plugins were built so that memory and processor time are not their own."""
    return built.instrumented(PLUGIN)


class Collectd:
    """One daemon. `plugins` is configuration text: LoadPlugin lines and blocks of our plugins."""

    def __init__(self, plugins, interval=1, rrd="  CacheTimeout 0\n", write="rrdtool", env=None):
        self.folder = tempfile.mkdtemp(prefix="tidemark-collectd-")
        self.conf = os.path.join(self.folder, "collectd.conf")
        self.data = os.path.join(self.folder, "rrd")
        self.state = os.path.join(self.folder, "state")
        self.log_path = os.path.join(self.folder, "log")
        self.process = None
        self.env = built.loading(PLUGIN, dict(os.environ, **(env or {})))
        self.configure(plugins, interval, rrd, write)
        atexit.register(self.close)

    def configure(self, plugins, interval=1, rrd="  CacheTimeout 0\n", write="rrdtool"):
        """Writes the configuration. @STATE@ and @FOLDER@ become the private ones."""
        text = (
            'Hostname "testhost"\nFQDNLookup false\nBaseDir "%s"\nPIDFile "%s/pid"\n'
            'TypesDB "%s" "%s/plugins/types.db"\nInterval %s\n' % (
                self.folder, self.folder, STOCK_TYPES, SOURCE, interval))
        text += 'PluginDir "%s"\nLoadPlugin logfile\n<Plugin logfile>\n  LogLevel info\n' % STOCK_PLUGINS
        text += '  File "%s"\n  Timestamp true\n</Plugin>\n' % self.log_path
        if write:
            text += "LoadPlugin %s\n<Plugin %s>\n  DataDir \"%s\"\n%s</Plugin>\n" % (
                write, write, self.data, rrd if write == "rrdtool" else "")
        text += 'PluginDir "%s/plugins"\n' % BUILD
        text += plugins.replace("@STATE@", self.state).replace("@FOLDER@", self.folder)
        with open(self.conf, "w") as f:
            f.write(text)

    def run(self, option):
        """collectd with -t, or -f for a start that fails: (exit status, what it said)."""
        r = subprocess.run([program(), option, "-C", self.conf], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, timeout=30 * PATIENCE, env=self.env)
        return r.returncode, r.stdout + self.log()

    def start(self, wrapper=()):
        self.process = subprocess.Popen(
            list(wrapper) + [program(), "-f", "-C", self.conf], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=open(os.path.join(self.folder, "stderr"), "a"),
            env=self.env)
        return self

    def stop(self, sig=signal.SIGTERM, wait=20):
        """Ends it; the exit status, None when it had to be killed."""
        if self.process is None:
            return 0
        p, self.process = self.process, None
        if p.poll() is None:
            p.send_signal(sig)
        try:
            return p.wait(wait * PATIENCE)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
            return None

    def log(self, word=""):
        """The lines of the log that hold this word."""
        try:
            with open(self.log_path, errors="replace") as f:
                return "".join(line for line in f if word in line)
        except FileNotFoundError:
            return ""

    def stderr(self):
        with open(os.path.join(self.folder, "stderr"), errors="replace") as f:
            return f.read()

    def rrd(self, device, value, plugin="disk_array"):
        return os.path.join(self.data, "testhost", "%s-%s" % (plugin, device), value + ".rrd")

    def close(self):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def fetch(path, start, end, resolution, cf="MAX"):
    """{row time: [values]} of rrdtool fetch; unknown is None."""
    command = ["rrdtool", "fetch", path, cf, "-s", str(int(start)), "-e", str(int(end)), "-r",
               str(resolution)]
    for _ in range(200):  # it gives up at once where collectd is writing just then
        out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if "could not lock" not in out.stderr:
            break
        time.sleep(0.05)
    if out.returncode != 0:
        raise RuntimeError("%s: %s" % (" ".join(command), out.stderr))
    rows = {}
    for line in out.stdout.splitlines():
        stamp, colon, values = line.partition(":")
        if colon and stamp.isdigit():
            numbers = [float(v) for v in values.split()]
            rows[int(stamp)] = [None if math.isnan(v) else v for v in numbers]
    return rows


def last_update(path):
    """The time of the newest value in an RRD; 0 when there is no file."""
    if not os.path.exists(path):
        return 0
    r = subprocess.run(["rrdtool", "last", path], stdout=subprocess.PIPE, text=True)
    return int(r.stdout) if r.returncode == 0 else 0


def sleep_until(wall):
    """Sleeps until the wall clock shows this time."""
    while True:
        left = wall - time.time()
        if left <= 0:
            return
        time.sleep(min(left, 0.5))


def next_border(t, at_least):
    """The first multiple of t that is `at_least` seconds away."""
    return (int(time.time() + at_least) // t + 1) * t
