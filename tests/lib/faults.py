# SPDX-License-Identifier: MIT
"""One command line under every fault: memory that runs out, system calls that fail or are the last
ones, disks that are full or read-only, a clock that jumps. fault_scene.py says what is right then.

EACH is how many points of a kind are tried in a scene (spread from the first to the last), SECONDS
how long a test file may take about: beyond it points are left out, and it says how many."""
import collections
import itertools
import os
import re
import signal
import subprocess
import sys
import time
import zlib

import tap
from fault_scene import (  # noqa: F401: a test names them as of here
    BUILD, EXCEPT, FOLDER, NOW, SOURCE, Page, Scene, culprit, difference, explain, preloads, step, whole)

EACH = int(os.environ.get("EACH", "4"))
SECONDS = float(os.environ.get("SECONDS", "8"))
_began = time.monotonic()

# What goes wrong with a call, by its name. Those that are not here fail with EIO.
ERRORS = {
    "openat": ("EMFILE", "EACCES", "EIO"), "read": ("EIO", "EINTR"), "write": ("ENOSPC", "EIO", "EINTR"),
    "pwrite64": ("ENOSPC", "EIO"), "writev": ("ENOSPC",), "fsync": ("EIO", "ENOSPC"), "fdatasync": ("EIO",),
    "rename": ("ENOSPC", "EROFS"), "mkdir": ("ENOSPC", "EROFS"), "unlink": ("EIO", "EROFS"),
    "ftruncate": ("ENOSPC",), "flock": ("EINTR", "ENOLCK"), "fcntl": ("EAGAIN", "ENOLCK"),
    "mmap": ("ENOMEM",), "mremap": ("ENOMEM",), "mprotect": ("ENOMEM",),
    "clone": ("EAGAIN",), "clone3": ("EAGAIN",), "vfork": ("EAGAIN",), "fork": ("EAGAIN",),
    "socket": ("EMFILE",), "socketpair": ("EMFILE",), "pipe2": ("EMFILE",), "poll": ("EINTR", "ENOMEM"),
    "epoll_create1": ("EMFILE",), "eventfd2": ("EMFILE",), "connect": ("ETIMEDOUT", "EINTR"),
    "epoll_ctl": ("ENOMEM",), "epoll_wait": ("EINTR",), "accept4": ("EMFILE", "ECONNABORTED"), "rt_sigtimedwait": ("EINTR",),
    "sendto": ("ECONNRESET", "EINTR"), "recvfrom": ("ECONNRESET", "EINTR"),
    "sendmsg": ("ECONNRESET",), "recvmsg": ("ECONNRESET",), "wait4": ("EINTR",), "getrandom": ("ENOSYS",)}
# Of the loader, of the end, or of what the C library does for itself and cannot tell.
NEVER = {"brk", "exit_group", "exit", "futex", "execve", "access", "munmap", "madvise", "rt_sigreturn", "rseq",
         "rt_sigaction", "rt_sigprocmask", "set_robust_list", "set_tid_address", "arch_prctl", "gettid",
         "getpid", "getppid", "sched_yield", "restart_syscall", "sigaltstack", "prlimit64", "tgkill"}


def points(n, each):
    """At most `each` of 1..n, each far from those before it: whoever stops early has seen all parts."""
    out = list(range(1, n + 1)) if n <= each else sorted(
        {1 + i * (n - 1) // (each - 1) for i in range(each)}) if each > 1 else [n]
    size = 1 << (len(out) - 1).bit_length()
    turned = (int(format(i, "0%db" % (size.bit_length() - 1 or 1))[::-1], 2) for i in range(size))
    return [out[i] for i in turned if i < len(out)]


def is_short():
    """As `make check` calls it."""
    return EACH <= 10 and len(sys.argv) == 1


# --- the figures -----------------------------------------------------------------------------------

class Figures:
    """What was tried of one kind, over all scenes of a test."""

    def __init__(self, what):
        self.what, self.tried, self.left, self.spared, self.wrong = what, 0, 0, 0, []
        self.missed = 0  # points that a run did not come to
        self.libraries = collections.Counter()

    def add(self, outcome):
        self.tried += 1
        if isinstance(outcome, list):
            self.libraries.update(outcome)
        elif outcome:
            self.wrong.append(outcome)

    def of(self, todo, until, name="", least=1):
        """What is to be tried, until the time is over; so many whatever the time, and in the short form just
        so many: it must not depend on the machine what `make check` meets. Which one is the first is another in
        each scene, so that those who have no time see many kinds of points together."""
        first = zlib.crc32((self.what + name).encode()) % len(todo) if todo else 0
        for i in range(len(todo)):
            if i >= least and (is_short() or time.monotonic() > until):
                self.left += len(todo) - i
                return
            yield todo[(first + i) % len(todo)]

    def tell(self):
        tap.note("%s: %d tried, %d wrong%s%s%s%s" % (
            self.what, self.tried, len(self.wrong),
            "; died in a library that is not ours: " + ", ".join(
                "%s %d" % item for item in sorted(self.libraries.items())) if self.libraries else "",
            "; %d spared in %s" % (self.spared, EXCEPT.split(".")[0]) if self.spared else "",
            "; %d not reached" % self.missed if self.missed else "",
            "; %d left out for time" % self.left if self.left else ""))
        alike = collections.OrderedDict()  # of many that differ by their number, one is shown
        for text in self.wrong:
            key = re.sub(r"\d+|[^ ,:]+$", "", text.split("\n")[0].split(",", 1)[-1])[:120] + "".join(
                re.findall(r" (\w+ \w+\.c:\d+)", text)[:1])
            alike.setdefault(key, []).append(text)
        if not self.tried:
            self.wrong.append("nothing was tried")
        tap.ok(not self.wrong, self.what + ": told or survived, nothing lost, nothing half",
               *["%d times: %s" % (len(texts), texts[0]) for texts in alike.values()])


# --- the kinds -------------------------------------------------------------------------------------

def shared(scenes, until):
    """Each scene, with the end of its share of the time."""
    for i, scene in enumerate(scenes):
        now = time.monotonic()
        yield scene, now + (until - now) / (len(scenes) - i)


def memory(scenes, until, each=EACH):
    """The n-th call for memory fails, once, and from then on."""
    f = Figures("memory runs out")
    for scene, end in shared(scenes, until):
        todo = [(n, on) for n in points(scene.calls, each) for on in (0, 1)]
        for n, on in f.of(todo, end, scene.name, 4):
            f.add(scene.try_one("call %d of %d%s" % (n, scene.calls, " and on" if on else ""),
                                "memory|out of space|thread failed to start|ended before (its|their) time|resolve host|temporarily unavailable|allocat|duplication", at=n, on=on))
            f.spared += scene.spared
    f.tell()


def clock(scenes, until, each=EACH):
    """The clock jumps at the n-th look: an hour, a day back, to 1970, ten and forty years on."""
    f = Figures("the clock jumps")
    for scene, end in shared(scenes, until):
        if not scene.looks:
            continue
        todo = [(n, jump) for n in points(scene.looks, each)
                for jump in (3600, -86400, -NOW, 10 * 365 * 86400, 40 * 365 * 86400)]
        for n, jump in f.of(todo, end, scene.name):
            scene.restore()
            r = scene.run(clock_at=n, jump_s=jump)
            wrong = None
            if not isinstance(r.status, int) or r.status < 0:
                wrong = "%s %s" % (r.status, explain(r.story))
            elif r.status not in scene.good and (r.status not in range(64, 79) or not r.err):
                wrong = "%d %s" % (r.status, r.err[-200:])
            else:
                back = scene.run()
                if back.status not in scene.good:
                    wrong = "afterwards: %s %s" % (back.status, back.err[-200:])
            f.add(wrong and "%s, look %d jumps by %d s: %s" % (scene.name, n, jump, wrong))
    f.tell()


def count_calls(scene):
    """{call: (first of the program itself, behind the loader, last of any of its processes)}: strace
    counts in each process and thread for itself."""
    trace = os.path.join(FOLDER, "trace")
    scene.restore()
    scene.run(wrap=["strace", "-f", "-qq", "-o", trace, "-e", "trace=all"])
    with open(trace, errors="replace") as lines:
        return spans(lines)


def spans(lines):
    """As count_calls(), of what strace wrote."""
    seen, begun = collections.defaultdict(collections.Counter), {}
    for line in lines:
        m = re.match(r"(\d+) +(\w+)\(", line)
        if not m:
            continue
        if m[2] == "access" and "/tidemark/begins" in line:
            begun[m[1]] = dict(seen[m[1]])
        seen[m[1]][m[2]] += 1
    loader = max(begun.values(), key=len, default={})
    out = {}
    for counts in seen.values():
        for call, n in counts.items():
            out[call] = (loader.get(call, 0) + 1, max(out.get(call, (0, 0))[1], n))
    return {c: span for c, span in sorted(out.items()) if c not in NEVER and span[0] <= span[1]}


def tries(spans_of, each):
    """[(call, n-th, error)] of the calls of count_calls(), those far from each other first; error None: a kill."""
    todo = []
    for call, (low, high) in spans_of.items():
        whens = [low - 1 + p for p in points(high - low + 1, each)]
        todo += [(call, w, e, i) for i, w in enumerate(whens) for e in (*ERRORS.get(call, ("EIO",)), None)]
    todo.sort(key=lambda point: point[3])
    return [t[:3] for t in todo]


def by_turns(failing, killing, todo, until, name=""):
    """(figures, point) of tries(), a failure and a kill by turns: also who stops early has seen both."""
    of_each = (f.of([point for point in todo if bool(point[2]) == (f is failing)], until, name)
               for f in (failing, killing))
    for pair in itertools.zip_longest(*of_each):
        yield from ((f, point) for f, point in zip((failing, killing), pair) if point)


def injected(call, when, error, on=False):
    """strace's options for that."""
    return ["-e", "trace=" + call, "-e", "inject=%s:%s:when=%d%s" % (
        call, "error=" + error if error else "signal=KILL", when, "+" if on else "")]


def _strace(call, when, error):
    return ["strace", "-f", "-qq", "-o", "/dev/null", *injected(call, when, error)]


class Attached:
    """strace with these options on all threads of a process that runs already, while a block runs;
    .lines are what it wrote."""

    def __init__(self, pid, *options):
        self.pid, self.options = pid, options
        self.path, self.lines = os.path.join(FOLDER, "attached"), []

    def __enter__(self):
        self.strace = subprocess.Popen(["strace", "-f", "-o", self.path, *self.options, "-p", str(self.pid)],
                                       stderr=subprocess.PIPE, text=True)
        said = self.strace.stderr.readline()
        if "attached" not in said:
            raise RuntimeError("strace: " + said)
        return self

    def __exit__(self, *_):
        self.strace.send_signal(signal.SIGINT)
        try:
            self.strace.communicate(timeout=0.2 if "signal=KILL" in " ".join(self.options) else 5)
        except subprocess.TimeoutExpired:  # it may wait for ever for the threads of one that was killed
            self.strace.kill()
            self.strace.communicate()
        with open(self.path, errors="replace") as f:
            self.lines = f.readlines()

    @property
    def missed(self):
        """True where the call that was to fail was not made."""
        return not any("(INJECTED)" in line for line in self.lines)


def can_trace():
    return subprocess.run(["strace", "-o", "/dev/null", "true"], stderr=subprocess.DEVNULL).returncode == 0


def calls(scenes, until, each=EACH):
    """Each system call fails, and each is the last before a kill."""
    failing, killing = Figures("a system call fails"), Figures("a kill before a system call")
    for scene, end in shared(scenes, until):
        for f, (call, when, error) in by_turns(failing, killing, tries(count_calls(scene), each), end, scene.name):
            f.add(scene.try_one("%s %d %s" % (call, when, error or "SIGKILL"), ".", killed=not error,
                                wrap=_strace(call, when, error)))
    failing.tell()
    killing.tell()


def disks(scenes, until, each=EACH):
    """The disk is read-only, or full after so many pages."""
    f = Figures("a disk that is full or read-only")
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode:
        tap.skip(f.what, "needs hardware: only root can mount")
        return
    for scene, end in shared(scenes, until):
        pages = sum((len(open(os.path.join(w, n), "rb").read()) + 4095) // 4096
                    for w, _, ns in os.walk(scene.kept) for n in ns)
        grown = pages + sum(1 for p, d in scene.after.items() if scene.before.get(p) != d) * 2 + 8
        todo = ["ro"] + [str(k) for k in points(grown, each * 2)]
        for room in f.of(todo, end, scene.name):
            outcome = scene.try_one("read-only" if room == "ro" else room + " pages free", ".",
                                    wrap=["unshare", "-m", "sh", "-c", DISK, room, scene.kept, scene.folder])
            f.add(outcome)
    f.tell()


# Of these only what the programs themselves read back is promised.
NO_PROMISE = (".lock", "-shm", "-wal", "-journal", "history.ndjson", "/lock", "/fill", "/send")


def power(scenes, until, each=EACH):
    """Before a power cut: a file's bytes are on the disk before it gets its name, the folder is before
    the program says that it is done, and nothing that was written waits for somebody else."""
    f = Figures("what a power cut finds")
    trace = os.path.join(FOLDER, "power")
    for scene in scenes:
        scene.restore()
        scene.run(wrap=["strace", "-f", "-y", "-qq", "-s", "512", "-o", trace, "-e",
                        "trace=write,writev,pwrite64,fsync,fdatasync,sync_file_range,rename,renameat,renameat2,unlink"])
        dirty, early, named, steps = set(), set(), {}, 0
        with open(trace, errors="replace") as lines:
            for line in lines:
                at = re.search(r" (\w+)\(\d+<([^>]*)>", line)
                if at and at[2].startswith(scene.folder):
                    steps += 1
                    if "sync" not in at[1]:
                        dirty.add(at[2])
                    elif "= -1" not in line and at[1] != "sync_file_range":
                        dirty.discard(at[2])
                        named.pop(at[2], None)
                m = re.search(r' rename\w*\((?:AT_FDCWD\S*, )?"([^"]*)", (?:AT_FDCWD\S*, )?"([^"]*)"', line)
                if m and "= -1" not in line and m[2].startswith(scene.folder):
                    steps += 1
                    early.discard(m[1])  # that was no final name
                    if m[1] in dirty:
                        dirty.discard(m[1])
                        dirty.add(m[2])
                        early.add(m[2])
                    if "/taken/" not in m[2]:  # lost, it is taken once more: a duplicate
                        named[os.path.dirname(m[2])] = m[2]
                m = re.search(r' unlink\("([^"]*)"', line)
                dirty.discard(m[1] if m else "")
        wrong = ["%s gets its name before its bytes are safe" % p for p in early]
        wrong += ["the folder of %s is not synced" % p for p in named.values()]
        wrong += ["%s is not synced" % p for p in dirty if not p.endswith(NO_PROMISE)]
        f.tried += steps
        f.wrong += ["%s: %s" % (scene.name, w.replace(scene.folder, "")) for w in wrong]
    f.tell()


# In a mount namespace of its own: the scene's folder on a memory disk that is then filled but for so
# many pages. What stands there at the end is copied back, for who looks at it outside.
DISK = r'''
room=$0; kept=$1; folder=$2; shift 2
real=$(mktemp -d "$kept.XXXXXX") && mount --bind "$folder" "$real" &&
mount -t tmpfs -o size=64m tmpfs "$folder" && cp -a "$kept/." "$folder/" && cd "$folder" || exit 99
if [ "$room" = ro ]; then mount -o remount,ro "$folder"
else
  head -c "$((room * 4096))" /dev/zero >.room
  dd if=/dev/zero of=.full bs=4096 2>/dev/null
  rm .room
fi
unset FAULT_MARK
"$@"
status=$?
cd /
[ "$room" = ro ] || rm -f "$folder/.full"
find "$real" -mindepth 1 -delete
cp -a "$folder/." "$real/"
exit $status
'''


# --- a test ------------------------------------------------------------------------------------------

SHARE = {"memory": 50, "calls": 32, "disks": 8, "clock": 8, "power": 2}  # of the time


def having(kind, scenes):
    """In the short form every other scene has calls and power, and those between them disks and clock."""
    if not is_short():
        return scenes
    return [s for i, s in enumerate(scenes) if kind == "memory" or (i % 2 == 1) == (kind in ("disks", "clock"))]


def Case(*args, **more):
    """A Scene to be made when its turn comes."""
    return args, more


def main(cases, kinds=("memory", "calls", "disks", "clock", "power"), share=1.0, end=True):
    """A whole test, in this share of its time. In the call, for who looks for one: a part of a scene's name, and kinds."""
    if len(sys.argv) > 1 and sys.argv[1]:
        cases = [c for c in cases if sys.argv[1] in c[0][0]]
    scenes = []
    for args, more in cases:
        scenes.append(Scene(*args, **more))
        tap.note("%s: status %d, then %d; %d calls for memory, %d looks at the clock" % (
            args[0], scenes[-1].first.status, scenes[-1].second.status, scenes[-1].calls, scenes[-1].looks))
    chosen = [k for k in kinds if k in sys.argv[2:]] or kinds
    if not scenes:
        return tap.done() if end else None
    total = sum(SHARE[k] for k in chosen)
    began, spent = time.monotonic(), 0
    for kind in chosen:
        spent += SHARE[kind]
        {"memory": memory, "calls": calls, "disks": disks, "clock": clock, "power": power}[kind](
            having(kind, scenes), began + (_began + share * SECONDS - began) * spent / total)
    if end:
        tap.done()
