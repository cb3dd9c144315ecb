# SPDX-License-Identifier: MIT
"""A command, the folder that it starts from, and what is right after it met a fault: faults.py makes the
faults, fault.so (fault.c) those that lie inside of the program.

A Scene is run once without a fault, and once again; each of its runs with a fault starts from the same
folder, and must end in one of two ways: as if there had been none, with the same bytes; or with a status
of sysexits.h and a message that says why. Either way every file is the old or the new one, and the same
command afterwards, without a fault, gets to where it would have been. What dies in a library of others
is counted apart, by its name; what dies in code of ours is a failure, and so is what hangs."""
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
import tempfile
import time

import sanitizer

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
SOURCE = os.path.abspath(os.environ.get("SOURCE", "."))
LIBRARY = os.path.join(BUILD, "tests/lib/fault.so")
NOW = 1795132800  # 2026-11-20T00:00:00Z, where a scene's clock stands
PATIENCE = 100    # a run that takes longer hangs
STORY = 4096
NUMBERS = struct.Struct("=QQQQQqQqQ")  # as struct page of fault.c has them
FOLDER = tempfile.mkdtemp(prefix="tidemark-faults-")
atexit.register(shutil.rmtree, FOLDER, True)
os.environ["TMPDIR"] = os.path.join(FOLDER, "tmp")  # what a kill leaves there goes with the rest
os.mkdir(os.environ["TMPDIR"])

# libseccomp 2.5.4 never returns from seccomp_load() when memory runs out in it (its worker is ended and
# replaced after a minute), or frees twice: what it asks for is given to it, and counted.
EXCEPT = "libseccomp.so.2"
OURS = ("tidemark-", "disk_array.so", "media_library.so", "printer.so")
BELOW = ("libc.so", "fault.so", "libpthread", "ld-linux")  # where what others did wrong ends


def preloads():
    """True where a program can be loaded behind fault.so, and has only its own calls for memory."""
    return not sanitizer.instrumented(os.path.join(BUILD, "tidemark-probe"))


class Page:
    """What fault.so and this side both see. Every number can be changed while the program runs."""
    NAMES = ("at", "on", "calls", "failed", "clock_at", "jump_s", "looks", "stopped_s",
             "spared")

    def __init__(self):
        self.path = os.path.join(FOLDER, "page-%d" % time.monotonic_ns())
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


def step(folder, program, *words, good=(0,)):
    """A step of a preparation, at the time at which the scenes stand: what it printed. {} is the folder, as in a Scene."""
    page = Page()
    page.set(stopped_s=NOW)
    p = subprocess.run([os.path.join(BUILD, program), *(w.replace("{}", folder) for w in words)], text=True,
                       env=page.env(program), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert p.returncode in good, (words, p.returncode, p.stderr)
    return p.stdout


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
    """A JSON document, or lines of such, a page, or metrics, and not half of one."""
    if data.startswith(b"<!doctype html>"):
        return data.endswith(b"</html>\n")
    if data.startswith(b"# "):
        return (b"\n" + data).endswith(b"\n# EOF\n")
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


Result = collections.namedtuple("Result", "status out err story")


class Scene:
    """`command` is a list whose first word is a program in the build folder; {} in a word is the
    scene's folder. prepare(folder) fills the folder. program: whose memory and clock it is, where a
    child is meant. good: statuses of a run without a fault; statuses: others that a fault may have. tidy:
    see files(). view(folder): what else is compared, {name: value}. module: only calls by this library. partial: files
    (the beginnings of their names) that may tell of a part of the documents, where the program says so. scratch: what
    begins so is made anew by every run and left half by one that fails. says: what its answer has
    where it is the answer that tells what could not be read. unknown: a reading, in which what
    cannot be read is null. loose: a program that is not ours, which may go on
    as it likes, but not die or hang."""

    def __init__(self, name, command, prepare=None, stdin=None, program=None, good=(0,), tidy=None,
                 statuses=(), clock=True, env=None, partial=("\0",),
                 view=None, module="", loose=False,
                 scratch=("\0",), unknown=False, says=None):
        self.name, self.stdin, self.good, self.tidy = name, stdin, good, tidy
        self.statuses, self.extra, self.partial, self.view = statuses, env or {}, partial, view
        self.module, self.loose, self.scratch, self.unknown = module, loose, scratch, unknown
        self.says = re.compile(says.encode(), re.M) if says else None
        self.program = program or os.path.basename(command[0])
        self.folder = os.path.join(FOLDER, re.sub(r"\W+", "-", name))
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
        if "No URL set" in result.err:
            return ["libcurl (has no memory for the URL that it was given)"]
        if "A NULL argument was passed to PCRE" in result.err:
            return ["libglib (matches nothing where it has no memory to match)"]
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
        if self.says and self.says.search(result.out) and not self.says.search(self.first.out):
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
