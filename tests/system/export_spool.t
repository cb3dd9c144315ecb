#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What was promised ('queued KEY') is delivered: kills, errors of the disk, a full disk.

EACH (how many calls of a kind are tried, from the last) and KILLS (at random moments) make it longer:
tests/long/export_spool.t."""
import json
import os
import random
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from exporting import *  # noqa: E402,F403
from tap import done, note, ok, same, skip  # noqa: E402

EACH = int(os.environ.get("EACH", "10"))
KILLS = int(os.environ.get("KILLS", "25"))
site = Site()
receiver = Receiver()
site.configure(site.webhook(receiver.url))
site.enable("sales")
promised = set()


def note_promises(text):
    """Only whole lines count: what was not written was not promised."""
    new = {line.split()[1] for line in text.splitlines(keepends=True)
           if line.startswith("queued ") and line.endswith("\n")}
    promised.update(new)
    return new


def places():
    return {state: site.keys(state) for state in ("new", "sent", "dead", "corrupt")}


def lost():
    found = places()
    return {k for k in promised if sum(k in keys for keys in found.values()) != 1}


def two_keys():
    """Devices whose one document came under several keys."""
    found = {}
    for key, body in receiver.records.items():
        found.setdefault(json.loads(body)["data"]["product"]["device"], set()).add(key)
    return {d: k for d, k in found.items() if len(k) > 1}


def can_trace():
    return subprocess.run(["strace", "-V"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0 and subprocess.run(
        ["strace", "-o", "/dev/null", "true"], stderr=subprocess.DEVNULL).returncode == 0


traced = can_trace()

# --- synced before it is promised ------------------------------------------------------------------
if traced:
    trace = site.path("trace")
    p = site.run("queue", "--now", "-", stdin=summaries(3), wrap=[
        "strace", "-y", "-o", trace, "-e", "trace=openat,write,fsync,rename"])
    note_promises(p.stdout)
    good, state = 0, None
    for line in open(trace):
        if re.match(r'fsync\(\d+<.*/crm/tmp/[^>]*>\) += 0', line):
            state = "file"
        elif re.match(r'rename\(".*/crm/tmp/.*", ".*/crm/new/.*"\) += 0', line):
            state = "renamed" if state == "file" else "wrong"
        elif re.match(r'fsync\(\d+<.*/crm/new>\) += 0', line):
            state = "safe" if state == "renamed" else "wrong"
        elif re.match(r'write\(1<.*"queued ', line):
            good += state == "safe"
            state = None
    same(good, 3, "file synced, renamed, folder synced, and only then promised")
    site.run("push", "--once", wrap=["strace", "-f", "-y", "-o", trace, "-e",
                                     "trace=fsync,rename,connect"])
    text = open(trace).read()
    same((text.count("/crm/sent/"), len(re.findall(r"fsync\(\d+<[^>]*/crm/sent>\)", text))), (3, 1),
         "three deliveries, one sync of their folder")
else:
    skip("file synced, renamed, folder synced, and only then promised", "needs hardware: strace cannot trace here")

# --- a kill before any system call -------------------------------------------------------------------
CALLS = ["openat", "write", "fsync", "rename", "close", "unlink", "flock", "mkdir", "read", "fstat"]
NET = ["connect", "sendto", "recvfrom", "poll"]


def count_calls(command, *args, stdin=None, calls=CALLS):
    trace = site.path("counts")
    p = site.run(command, *args, stdin=stdin,
                 wrap=["strace", "-f", "-o", trace, "-e", "trace=" + ",".join(calls)])
    note_promises(p.stdout)
    text = open(trace).read()
    return {c: len(re.findall(r"^\d+ +" + c + r"\(", text, re.M)) for c in calls}


def inject(call, when, what, command, *args, stdin=None):
    p = site.run(command, *args, stdin=stdin, wrap=[
        "strace", "-f", "-o", "/dev/null", "-e", "trace=" + call, "-e",
        "inject=%s:%s:when=%d" % (call, what, when)])
    note_promises(p.stdout)
    return p


def spread(n, most):
    """Up to `most` of 1..n, the last ones with certainty: the program's own calls come last."""
    if n <= most:
        return range(1, n + 1)
    return sorted(set(list(range(n - most // 2 + 1, n + 1)) +
                      random.sample(range(1, n + 1), most // 2)))


random.seed(11)
if traced:
    first = 100
    kills = 0
    counts = count_calls("queue", "--now", "-", stdin=summaries(2, first))
    for call in CALLS:
        for when in spread(counts[call], EACH):
            first += 2
            inject(call, when, "signal=KILL", "queue", "--now", "-", stdin=summaries(2, first))
            if when % 3 == 0:  # the same again: it has its key already, or gets that one
                note_promises(site.run("queue", "--now", "-", stdin=summaries(2, first)).stdout)
            kills += 1
    note("queue was killed before %d system calls" % kills)
    same(lost(), set(), "queue killed before its system calls: nothing promised is lost")
    whole = all(site.run("show", k).returncode == 0 for k in list(site.keys("new"))[:50])
    ok(whole and not site.items("corrupt"), "what lies in new/ is whole")
    kills = 0
    site.run("push", "--now")  # so that what is counted is a push of two
    note_promises(site.run("queue", "--now", "-", stdin=summaries(2, first + 2)).stdout)
    first += 2
    counts = count_calls("push", "--once", "--now", calls=CALLS + NET)
    for call in ("openat", "rename", "write", "fsync", "sendto", "recvfrom", "poll", "connect"):
        n = counts[call]
        if n == 0:
            continue
        for when in spread(min(n, 400), EACH if EACH > 10 else 6):
            first += 2
            note_promises(site.run("queue", "--now", "-", stdin=summaries(2, first)).stdout)
            inject(call, when, "signal=KILL", "push", "--once", "--now")
            kills += 1
    note("push was killed before %d system calls" % kills)
    same(lost(), set(), "push killed before its system calls: nothing promised is lost")
    site.run("push", "--now")
    missing = promised - set(receiver.records) - site.keys("dead")
    same(missing, set(), "... and all of it arrives")
    same((receiver.problems, two_keys()), ([], {}), "... each under one key with the same bytes")
    note("%d records, %d of them came more than once" % (len(receiver.records), receiver.doubles))

    # --- errors of the system --------------------------------------------------------------------------
    FILES = {"write": ("ENOSPC", "EIO", "EINTR"), "fsync": ("EIO", "ENOSPC"),
             "rename": ("ENOSPC", "EIO"), "openat": ("EMFILE", "ENOSPC", "EIO", "EINTR"),
             "read": ("EIO", "EINTR"), "mkdir": ("ENOSPC",), "flock": ("EINTR",),
             "fstat": ("EIO",), "unlink": ("EIO",), "close": ("EIO",)}
    SHORT = {("write", "ENOSPC"), ("write", "EIO"), ("write", "EINTR"), ("fsync", "EIO"),
             ("rename", "ENOSPC"), ("openat", "EMFILE"), ("openat", "ENOSPC")}
    wrong, tried = [], 0
    counts = count_calls("queue", "--now", "-", stdin=summaries(2, first + 2))
    first += 2
    for call, error in sorted((c, e) for c, errors in FILES.items() for e in errors):
        if EACH <= 10 and (call, error) not in SHORT:
            continue
        for when in spread(counts[call], EACH if EACH > 10 else 8):
            first += 2
            p = inject(call, when, "error=" + error, "queue", "--now", "-",
                       stdin=summaries(2, first))
            told = len(note_promises(p.stdout))
            tried += 1
            if p.returncode < 0 or (p.returncode == 0 and told < 2) or \
                    (p.returncode != 0 and p.stderr.count("\n") < 1):
                wrong.append((call, error, when, p.returncode, p.stdout, p.stderr))
    same(wrong, [], "%d errors of the disk: each is told, none ends in a crash" % tried)
    same(lost(), set(), "... and what was promised all the same is there")
    wrong, tried = [], 0
    NETWORK = {"sendto": ("ECONNRESET", "EINTR"), "recvfrom": ("ECONNRESET", "EINTR"),
               "connect": ("ETIMEDOUT", "ECONNRESET", "EINTR"), "poll": ("EINTR",),
               "socket": ("EMFILE",)}
    SHORT = {("sendto", "ECONNRESET"), ("recvfrom", "ECONNRESET"), ("connect", "ETIMEDOUT"),
             ("rename", "EIO"), ("fsync", "EIO"), ("openat", "EMFILE"), ("read", "EIO")}
    first += 2
    site.run("push", "--now")
    note_promises(site.run("queue", "--now", "-", stdin=summaries(2, first)).stdout)
    counts = count_calls("push", "--once", "--now", calls=CALLS + NET + ["socket"])
    for call, error in sorted((c, e) for table in (FILES, NETWORK) for c, errors in table.items()
                              for e in errors):
        if EACH <= 10 and (call, error) not in SHORT:
            continue
        for when in (1, 2, 3, 8, 20, 60) if EACH <= 10 else spread(counts[call], EACH):
            first += 2
            note_promises(site.run("queue", "--now", "-", stdin=summaries(2, first)).stdout)
            p = inject(call, when, "error=" + error, "push", "--once", "--now")
            tried += 1
            if p.returncode < 0:
                wrong.append((call, error, when, p.returncode))
    same(wrong, [], "%d errors of the line or the disk: push does not crash" % tried)
    same(lost(), set(), "... and nothing is lost by it")
    site.run("push", "--now")
    same(promised - set(receiver.records) - site.keys("dead"), set(), "all of it arrives later")
    same((receiver.problems, site.items("corrupt"), two_keys()), ([], [], {}),
         "nothing was damaged, nothing came under two keys")

# --- kills at random moments ---------------------------------------------------------------------------
first = 50000
for round_ in range(KILLS):
    p = subprocess.Popen([EXPORT, "queue", "-c", site.conf, "--now", "-"], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    q = subprocess.Popen([EXPORT, "push", "-c", site.conf, "--once", "--now"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    p.stdin.write(summaries(5, first))
    p.stdin.close()
    first += 5
    time.sleep(random.random() * 0.03)
    for one in (q, p) if round_ % 2 else (p, q):
        one.kill()
        time.sleep(random.random() * 0.01)
    note_promises(p.stdout.read())
    p.wait(), q.wait()
same(lost(), set(), "queue and push killed %d times at random, side by side: nothing promised is lost"
     % KILLS)
site.run("push", "--now")
same(promised - set(receiver.records) - site.keys("dead"), set(), "... and all of it arrives")
same((receiver.problems, two_keys()), ([], {}), "... under one key each")

# --- damage ----------------------------------------------------------------------------------------------
site.run("queue", "--now", "-", stdin=summaries(3, 900000))
names = site.items("new")
with open(os.path.join(site.spool, "crm/new", names[0]), "r+b") as f:
    f.seek(200)
    f.write(b"X")
with open(os.path.join(site.spool, "crm/new", "what.is.this"), "w") as f:
    f.write("x")
p = site.run("push", "--once", "--now")
ok("damaged" in p.stderr and "no items are in corrupt/" in p.stderr, "damage is told", p.stderr)
same(sorted(site.items("corrupt")), sorted([names[0], "what.is.this"]),
     "the damaged and the strange go out of the way, nothing else")
p = site.run("push", "--once", "--now")
same((p.returncode, p.stderr), (0, ""), "... and it is said once")

# --- a full disk --------------------------------------------------------------------------------------------
if os.geteuid() == 0:
    small = Site()
    small.configure(small.webhook(receiver.url))
    small.enable("sales")
    os.makedirs(small.spool)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs",
                              small.spool], stderr=subprocess.PIPE, text=True)
    if mounted.returncode == 0:
        try:
            p = small.run("queue", "--now", "-", stdin=summaries(200))
            told = [line.split()[1] for line in p.stdout.splitlines()]
            ok(p.returncode in (73, 75) and small.spool in p.stderr,
               "a full disk is told with its path", p.returncode, p.stderr)
            same(set(told), small.keys("new"), "what was promised is there, nothing else is")
            same(os.listdir(os.path.join(small.spool, "crm/tmp")), [], "nothing half-written is left")
            p = small.run("disable", "sales")
            same((p.returncode, len(small.items("dead"))), (0, len(told)),
                 "consent can be withdrawn on a full disk")
            small.run("purge", "--dead", "--all")
            small.enable("sales")
            p = small.run("queue", "--now", "-", stdin=summaries(20, 300))
            same((p.returncode, len(small.items("new"))), (0, 20), "with room again all is queued")
            small.run("push", "--once")
            ok(small.keys("sent") <= set(receiver.records) and len(small.items("sent")) == 20,
               "... and sent")
        finally:
            subprocess.run(["umount", "-l", small.spool], check=False)
    else:
        skip("a full disk", "needs hardware: tmpfs cannot be mounted here")
else:
    skip("a full disk", "needs hardware: only root can mount")
receiver.close()
done()
