# SPDX-License-Identifier: MIT
"""One command line under every fault: memory that runs out, system calls that fail or are the last
ones, disks that are full or read-only, a clock that jumps.

A Scene is a command and the folder that it starts from. It is run once without a fault, and once
again; each of its runs with a fault starts from the same folder, and must end in one of two ways: as
if there had been none, with the same bytes; or with a status of sysexits.h and a message that says
why. Either way every file is the old or the new one, and the same command afterwards, without a
fault, gets to where it would have been. What dies in a library of others is counted apart, by its
name; what dies in code of ours is a failure, and so is what hangs.

EACH is how many points of a kind are tried in a scene (spread from the first to the last), SECONDS
how long a test file may take about: beyond it points are left out, and it says how many."""
import atexit
import collections
import hashlib
import json
import mmap
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

import sanitizer
import tap

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
SOURCE = os.path.abspath(os.environ.get("SOURCE", "."))
LIBRARY = os.path.join(BUILD, "tests/lib/fault.so")
EACH = int(os.environ.get("EACH", "4"))
SECONDS = float(os.environ.get("SECONDS", "8"))
NOW = 1795132800  # 2026-11-20T00:00:00Z, where a scene's clock stands
PATIENCE = 100    # a run that takes longer hangs
STORY = 4096
NUMBERS = struct.Struct("=QQQQQqQqQ")  # as struct page of fault.c has them
_began = time.monotonic()
_folder = tempfile.mkdtemp(prefix="tidemark-faults-")
atexit.register(shutil.rmtree, _folder, True)

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
    "sendto": ("ECONNRESET", "EINTR"), "recvfrom": ("ECONNRESET", "EINTR"),
    "sendmsg": ("ECONNRESET",), "recvmsg": ("ECONNRESET",), "wait4": ("EINTR",), "getrandom": ("ENOSYS",)}
# Of the loader, of the end, or of what the C library does for itself and cannot tell.
NEVER = {"brk", "exit_group", "exit", "futex", "execve", "access", "munmap", "madvise", "rt_sigreturn", "rseq",
         "rt_sigaction", "rt_sigprocmask", "set_robust_list", "set_tid_address", "arch_prctl", "gettid",
         "getpid", "getppid", "sched_yield", "restart_syscall", "sigaltstack", "prlimit64", "tgkill"}
# libseccomp 2.5.4 never returns from seccomp_load() when memory runs out in it (its worker is ended and
# replaced after a minute), or frees twice: what it asks for is given to it, and counted.
EXCEPT = "libseccomp.so.2"
OURS = ("tidemark-", "disk_array.so", "media_library.so", "printer.so")
BELOW = ("libc.so", "fault.so", "libpthread", "ld-linux")  # where what others did wrong ends


def preloads():
    """True where a program can be loaded behind fault.so."""
    return sanitizer.runtime(os.path.join(BUILD, "tidemark-probe")) is None


class Page:
    """What fault.so and this side both see. Every number can be changed while the program runs."""
    NAMES = ("at", "on", "calls", "failed", "clock_at", "jump_s", "looks", "stopped_s",
             "spared")

    def __init__(self):
        self.path = os.path.join(_folder, "page-%d" % time.monotonic_ns())
        self.size = NUMBERS.size + 128 + 2 * STORY
        with open(self.path, "wb") as f:
            f.truncate(self.size)
        self.file = open(self.path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), self.size)

    def set(self, module="", **numbers):
        """Anew: what is not given is 0."""
        self.map[:] = bytes(self.size)
        for at, name in ((0, module), (64, EXCEPT)):
            self.map[NUMBERS.size + at:NUMBERS.size + at + len(name)] = name.encode()
        self.map[:NUMBERS.size] = NUMBERS.pack(*(numbers.get(n, 0) for n in self.NAMES))

    def get(self, name):
        return NUMBERS.unpack(self.map[:NUMBERS.size])[self.NAMES.index(name)]

    def arm(self, at, on=0):
        """The at-th call for memory from here on fails; 0: none."""
        self.map[:24] = struct.pack("=QQQ", at, on, 0)
        self.map[24:32] = bytes(8)

    def story(self, which):
        start = NUMBERS.size + 128 + (STORY if which == "crash" else 0)
        return self.map[start:start + STORY].split(b"\0")[0].decode(errors="replace")

    def env(self, program, **more):
        return dict(os.environ, LD_PRELOAD=LIBRARY, FAULT_PAGE=self.path, FAULT_PROGRAM=program, **more)


def explain(story, most=9):
    """The frames of a story, with the lines of our own code."""
    out, skipping = [], True
    for line in story.splitlines():
        words = line.split(" ")
        if len(words) == 3 and words[1].startswith("0x") and not words[0].endswith("fault.so"):
            name = os.path.basename(words[0])
            skipping = skipping and name.startswith(BELOW) and words[2] == "?"
            if skipping:
                continue
            if name.startswith(OURS):
                at = subprocess.run(["addr2line", "-fse", words[0], hex(int(words[1], 16) - 1)],
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
                out.append(" ".join(at.split()))
            else:
                out.append("%s:%s" % (name.split(".so")[0], words[2]))
        elif line.startswith("signal"):
            out.append(line + ":")
    return " < ".join(out[:most])


def culprit(story):
    """The library in which a program died, or None where it was code of ours, or nobody knows."""
    for line in story.splitlines():
        name = os.path.basename(line.split(" ")[0])
        if name.startswith("libc.so") and line.endswith((" regcomp", " regexec")):
            return "libc's " + line.split(" ")[2]  # it frees twice
        if line.startswith("signal") or name.startswith(BELOW):
            continue
        return None if name.startswith(OURS) else name.split(".so")[0]
    return None


def files(folder, tidy=None):
    """{path: its bytes, or their hash where they are many}; tidy(path, bytes) returns
    both as they are to be compared, with None for what is not."""
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            short = os.path.relpath(path, folder)
            if not os.path.isfile(path) or os.path.islink(path):
                continue
            with open(path, "rb") as f:
                data = f.read()
            short, data = tidy(short, data) if tidy else (short, data)
            if data is not None:
                found[short] = data if len(data) < 65536 else hashlib.sha256(data).digest()
    return found


def whole(data):
    """A JSON document, or lines of such, and not half of one."""
    try:
        json.loads(data)
        return True
    except ValueError:
        pass
    try:
        return data == b"" or data.endswith(b"\n") and all(
            isinstance(json.loads(line), dict) for line in data.splitlines())
    except ValueError:
        return False


def points(n, each):
    """At most `each` of 1..n, each far from those before it: whoever stops early has seen all parts."""
    out = list(range(1, n + 1)) if n <= each else sorted(
        {1 + i * (n - 1) // (each - 1) for i in range(each)}) if each > 1 else [n]
    size = 1 << (len(out) - 1).bit_length()
    turned = (int(format(i, "0%db" % (size.bit_length() - 1 or 1))[::-1], 2) for i in range(size))
    return [out[i] for i in turned if i < len(out)]


Result = collections.namedtuple("Result", "status out err story")


class Scene:
    """`command` is a list whose first word is a program in the build folder; {} in a word is the
    scene's folder. prepare(folder) fills the folder. program: whose memory and clock it is, where a
    child is meant. good: statuses of a run without a fault; statuses: others that a fault may have. tidy:
    see files(). view(folder): what else is compared, {name: value}. module: only calls by this library. partial: files
    (the beginnings of their names) that may tell of a part of the documents, where the program says so. scratch: what
    begins so is made anew by every run and left half by one that fails. unknown: a reading, in which what
    cannot be read is null. loose: a program that is not ours, which may go on
    as it likes, but not die or hang."""

    def __init__(self, name, command, prepare=None, stdin=None, program=None, good=(0,), tidy=None,
                 statuses=(), clock=True, env=None, partial=("\0",),
                 view=None, module="", loose=False,
                 scratch=("\0",), unknown=False):
        self.name, self.stdin, self.good, self.tidy = name, stdin, good, tidy
        self.statuses, self.extra, self.partial, self.view = statuses, env or {}, partial, view
        self.module, self.loose, self.scratch, self.unknown = module, loose, scratch, unknown
        self.program = program or os.path.basename(command[0])
        self.folder = os.path.join(_folder, re.sub(r"\W+", "-", name))
        self.kept = self.folder + ".kept"
        self.command = [os.path.join(BUILD, command[0])] + [w.replace("{}", self.folder) for w in command[1:]]
        self.page = Page()
        self.stopped = NOW if clock else 0
        os.makedirs(self.folder)
        if prepare:
            prepare(self.folder)
        shutil.copytree(self.folder, self.kept, symlinks=True)
        self.before = self.files()
        self.first, self.second = self.run(), None
        self.after = self.files()
        self.calls, self.looks = self.page.get("calls"), self.page.get("looks")
        self.second = self.run()
        self.again = self.files()
        for r in (self.first, self.second):
            if r.status not in good:
                raise RuntimeError("%s does not run: %d %s" % (name, r.status, r.err))

    def files(self):
        return {**files(self.folder, self.tidy), **(self.view(self.folder) if self.view else {})}

    def restore(self):
        shutil.rmtree(self.folder)
        shutil.copytree(self.kept, self.folder, symlinks=True)

    def run(self, wrap=(), preload=True, **fault):
        self.page.set(module=self.module, stopped_s=self.stopped, **fault)
        env = dict(os.environ, **self.extra)
        if preload and preloads():
            env.update(LD_PRELOAD=LIBRARY, FAULT_PAGE=self.page.path, FAULT_PROGRAM=self.program)
        if wrap:
            env = sanitizer.without_leaks(env)
            env["FAULT_MARK"] = "1"
        p = subprocess.Popen([*wrap, *self.command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env=env, cwd=self.folder, start_new_session=True)
        try:
            out, err = p.communicate((self.stdin or "").encode(), timeout=PATIENCE)
            status = p.returncode
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)  # a session of its own: nobody else's
            out, err = p.communicate()
            status = "hangs"
        return Result(status, out, err.decode(errors="replace"), self.page.story("crash"))

    # --- what is right ---------------------------------------------------------------------------

    def judge(self, result, reason, killed=False, told=""):
        """What is wrong after a run with a fault, or None; a list where a library died."""
        if result.status == "hangs":
            return "hangs"
        if re.search(r"out of dynamic memory in \w*yy", result.err):
            return ["libconfuse's scanner (ends the program)"]
        if isinstance(result.status, int) and (result.status < 0 or result.status in (134, 139)) and not killed:
            library = culprit(result.story)
            return [library] if library else "dies: %d %s" % (result.status, explain(result.story))
        if result.story and culprit(result.story) and not killed:
            return [culprit(result.story)]  # a helper's, which the program tells
        now = self.files()
        for path, data in sorted(now.items()):
            if path.startswith(self.scratch) and (killed or result.status not in self.good):
                continue
            if path.startswith(self.partial) and (killed or result.status not in self.good) and whole(data):
                continue
            if data not in (self.before.get(path), self.after.get(path)) and not (killed and path not in self.after):
                return "%s: %s" % ("half of it stands" if path in self.after else "is left", path)
        for path in self.before:
            if path in self.after and path not in now:
                return "is lost: " + path
        if killed or self.loose:
            return None
        if reason == "." and self.unknown and result.status in self.good and lacks(self.first.out, result.out):
            return None  # what could not be read is not known, and null
        if result.status in self.good:
            several = self.partial != ("\0",)  # documents, which a second try may take in another order
            if (sorted(result.out.split(b"\n")) != sorted(self.first.out.split(b"\n")) if several
                    else result.out != self.first.out):
                return "says that all is well, and prints something else: " + difference(self.first.out, result.out)
            if now != self.after:
                return "says that all is well, and wrote something else: " + ", ".join(
                    sorted(p for p in set(now) | set(self.after) if now.get(p) != self.after.get(p))[:3])
            return None
        if result.status not in range(64, 79) and result.status not in self.statuses:
            return "status %d: %s" % (result.status, result.err[-200:])
        if not re.search(reason, result.err, re.I) and not (reason == "." and "write" in told):
            return "no reason is told (%d): %s" % (result.status, result.err[-200:])
        return None

    def recovers(self):
        """What is wrong with the next run without a fault."""
        r = self.run()
        if r.status not in self.good:
            return "afterwards: %s %s" % (r.status, r.err[-200:])
        now = {p: d for p, d in self.files().items() if p in self.again}
        if self.partial != ("\0",):  # of several documents some were done before: they are known now
            return None if all(whole(d) for p, d in now.items() if p.startswith(self.partial)) else "afterwards: half"
        now, after, again = ({p: d for p, d in found.items() if not p.startswith(self.scratch)}
                             for found in (now, self.after, self.again))
        if now not in (after, again):
            return "afterwards: other files: " + ", ".join(sorted(
                p for p in set(now) | set(after) if now.get(p) != after.get(p))[:3])
        if r.out not in (self.first.out, self.second.out) and not self.loose:
            return "afterwards: prints something else: " + difference(self.first.out, r.out)
        return None

    def try_one(self, what, reason, killed=False, **how):
        """A run with a fault from the beginning, and the one behind it: ("library", name), or
        (None or what is wrong)."""
        self.restore()
        result = self.run(**how)
        self.spared = self.page.get("spared") > 0
        # Where it is the write of the message that fails, nobody can be told.
        wrong = self.judge(result, reason, killed, what)
        if isinstance(wrong, list):
            return wrong
        wrong = wrong or self.recovers()
        if wrong is None:
            return None
        self.restore()  # once more, for who did it
        self.run(**how)
        who = explain(self.page.story("fault"))
        return "%s, %s: %s%s" % (self.name, what, wrong, "\n   the fault: " + who if who else "")


def lacks(want, got):
    """True where the lines of JSON differ in that one has null, or fewer elements."""
    def less(w, g):
        if isinstance(w, dict) and isinstance(g, dict):
            return all(less(w.get(k), g[k]) for k in g)
        if isinstance(w, list) and isinstance(g, list):
            return len(g) <= len(w)
        return g is None or g == w
    try:
        return all(less(json.loads(w), json.loads(g)) for w, g in zip(want.splitlines(), got.splitlines()))
    except ValueError:
        return False


def difference(want, got):
    a, b = want.decode(errors="replace").splitlines(), got.decode(errors="replace").splitlines()
    for x, y in zip(a, b):
        if x != y:
            at = next((i for i, (c, d) in enumerate(zip(x, y)) if c != d), min(len(x), len(y)))
            return "...%s, not ...%s" % (y[max(0, at - 40):at + 40], x[max(0, at - 40):at + 40])
    return "%d lines, not %d" % (len(b), len(a))


# --- the figures -----------------------------------------------------------------------------------

class Figures:
    """What was tried of one kind, over all scenes of a test."""

    def __init__(self, what):
        self.what, self.tried, self.left, self.spared, self.wrong = what, 0, 0, 0, []
        self.libraries = collections.Counter()

    def add(self, outcome):
        self.tried += 1
        if isinstance(outcome, list):
            self.libraries.update(outcome)
        elif outcome:
            self.wrong.append(outcome)

    def of(self, todo, until):
        """What is to be tried, until the time is over; the first two whatever the time."""
        for i, point in enumerate(todo):
            if i > 1 and time.monotonic() > until:
                self.left += len(todo) - i
                return
            yield point

    def tell(self):
        tap.note("%s: %d tried, %d wrong%s%s%s" % (
            self.what, self.tried, len(self.wrong),
            "; died in a library that is not ours: " + ", ".join(
                "%s %d" % item for item in sorted(self.libraries.items())) if self.libraries else "",
            "; %d spared in %s" % (self.spared, EXCEPT.split(".")[0]) if self.spared else "",
            "; %d left out for time" % self.left if self.left else ""))
        alike = collections.OrderedDict()  # of many that differ by their number, one is shown
        for text in self.wrong:
            key = re.sub(r"\d+|[^ ,:]+$", "", text.split("\n")[0].split(",", 1)[-1])[:120] + "".join(
                re.findall(r" (\w+ \w+\.c:\d+)", text)[:1])
            alike.setdefault(key, []).append(text)
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
        for n, on in f.of(todo, end):
            f.add(scene.try_one("call %d of %d%s" % (n, scene.calls, " and on" if on else ""),
                                "memory|ended before their time|temporarily unavailable|allocat|duplication", at=n, on=on))
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
        for n, jump in f.of(todo, end):
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
    trace = os.path.join(_folder, "trace")
    scene.restore()
    scene.run(wrap=["strace", "-f", "-qq", "-o", trace, "-e", "trace=all"])
    seen, begun = collections.defaultdict(collections.Counter), {}
    with open(trace, errors="replace") as f:
        for line in f:
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


def _strace(call, when, what):
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e",
            "inject=%s:%s:when=%d" % (call, what, when)]


def can_trace():
    return subprocess.run(["strace", "-o", "/dev/null", "true"], stderr=subprocess.DEVNULL).returncode == 0


def calls(scenes, until, each=EACH):
    """Each system call fails, and each is the last before a kill."""
    failing, killing = Figures("a system call fails"), Figures("a kill before a system call")
    for scene, end in shared(scenes, until):
        spans = count_calls(scene)
        todo = []
        for call, (low, high) in spans.items():
            whens = [low - 1 + p for p in points(high - low + 1, each)]
            todo += [(call, w, e, i) for i, w in enumerate(whens) for e in (*ERRORS.get(call, ("EIO",)), None)]
        todo.sort(key=lambda point: point[3])
        for call, when, error, _ in failing.of(todo, end):
            f = failing if error else killing
            what = "%s %d %s" % (call, when, error or "SIGKILL")
            f.add(scene.try_one(what, ".", killed=not error, wrap=_strace(
                call, when, "error=" + error if error else "signal=KILL")))
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
        for room in f.of(todo, end):
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
    trace = os.path.join(_folder, "power")
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
        tap.note("%s: %d calls for memory, %d looks at the clock" % (
            args[0], scenes[-1].calls, scenes[-1].looks))
    chosen = sys.argv[2:] or kinds
    whole = sum(SHARE[k] for k in chosen)
    began, spent = time.monotonic(), 0
    for kind in chosen:
        spent += SHARE[kind]
        {"memory": memory, "calls": calls, "disks": disks, "clock": clock, "power": power}[kind](
            scenes, began + (_began + share * SECONDS - began) * spent / whole)
    if end:
        tap.done()
