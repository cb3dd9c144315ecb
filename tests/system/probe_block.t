#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# tidemark-probe block: on this machine's own mounts: the same bytes are counted once, what is no
# capacity is left out, and a dead mount cannot hold it up. Everything is mounted in a namespace of
# its own, which goes with the test.
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ.get("SOURCE", "."), "tests/lib"))
from tap import done, ok, same, skip, skip_all

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
PROBE = os.path.join(BUILD, "tidemark-probe")

if os.geteuid() != 0:
    skip_all("needs hardware: mounts, which only root may make")
libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_REC, MS_PRIVATE, MS_BIND = 0x20000, 0x4000, 1 << 18, 0x1000
MNT_DETACH = 2


def mount(source, target, fstype=None, flags=0, data=None):
    enc = [x.encode() if x is not None else None for x in (source, target, fstype, data)]
    if libc.mount(enc[0], enc[1], enc[2], ctypes.c_ulong(flags), enc[3]) != 0:
        return os.strerror(ctypes.get_errno())
    return None


if libc.unshare(CLONE_NEWNS) != 0 or mount("none", "/", None, MS_REC | MS_PRIVATE) is not None:
    skip_all("needs hardware: mount namespaces: " + os.strerror(ctypes.get_errno()))


def run(*command, **kw):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kw)


def probe(*args):
    r = run(PROBE, *args, timeout=20)
    return [json.loads(line) for line in r.stdout.splitlines()], r.returncode, r.stderr


folder = tempfile.mkdtemp(prefix="tidemark-probe-")
mounted, loops = [], []


def place(name):
    path = os.path.join(folder, name)
    os.mkdir(path)
    return path


def attach(size):
    image = os.path.join(folder, "image%d" % len(loops))
    with open(image, "wb") as f:
        f.truncate(size)
    r = run("losetup", "--find", "--show", image)
    if r.returncode != 0:
        return None
    loops.append(r.stdout.strip())
    return loops[-1]


def names(reading):
    return sorted(v["name"] for v in reading["volumes"])


try:
    base, status, said = probe("block:")
    same(status, 0, "the host answers")
    base = base[0]
    ok(base["capacity_bytes"] is None or
       base["capacity_bytes"] == sum(v["capacity_bytes"] for v in base["volumes"]),
       "its capacity is the sum of its volumes", base)
    text = open("/proc/diskstats").read()
    same(base["kind"], "disk_array", "it is a disk_array")

    here = place("bind")
    trouble = mount(folder, here, None, MS_BIND)
    if trouble:
        skip("a bind mount adds nothing", "needs hardware: bind mounts: " + trouble)
    else:
        mounted.append(here)
        again = probe("block:")[0][0]
        same((names(again), again["capacity_bytes"]), (names(base), base["capacity_bytes"]),
             "a bind mount adds nothing")

    memory = place("memory")
    if mount("none", memory, "tmpfs") is None:
        mounted.append(memory)
        again = probe("block:")[0][0]
        same(names(again), names(base), "memory is no capacity")
        for layer in ("lower", "upper", "work", "merged"):
            os.mkdir(os.path.join(memory, layer))
        merged = os.path.join(memory, "merged")
        if mount("overlay", merged, "overlay", 0, "lowerdir=%s,upperdir=%s,workdir=%s" % tuple(
                os.path.join(memory, x) for x in ("lower", "upper", "work"))) is None:
            mounted.append(merged)
            same(names(probe("block:")[0][0]), names(base), "an overlay is no capacity")
        else:
            skip("an overlay is no capacity", "needs hardware: a kernel with overlayfs")

    # A file system that waits for a server that never answers, and a bind mount beside it.
    dead = place("dead")
    try:
        fuse = os.open("/dev/fuse", os.O_RDWR)
        trouble = mount("server:/export", dead, "fuse", 0,
                        "fd=%d,rootmode=40000,user_id=0,group_id=0" % fuse)
    except OSError as e:
        fuse, trouble = None, str(e)
    if trouble:
        skip("a mount whose server is dead does not hold it up", "needs hardware: FUSE: " + trouble)
    else:
        mounted.append(dead)
        started = time.monotonic()
        try:
            again, status, said = probe("block:")
        except subprocess.TimeoutExpired:
            again, status, said = [base], 1, "hung"
        seconds = time.monotonic() - started
        ok(status == 0 and seconds < 5 and names(again[0]) == names(base),
           "a mount whose server is dead does not hold it up", seconds, status, said)
        libc.umount2(dead.encode(), MNT_DETACH)
        os.close(fuse)

    ext4 = attach(32 << 20)
    if ext4 is None:
        skip("a loop device is seen when it is named", "needs hardware: loop devices")
    else:
        where = place("ext4 with blank")
        loop = "block:" + os.path.basename(ext4)
        made = run("mkfs.ext4", "-q", ext4)
        bare = probe(loop)[0][0]
        same((bare["capacity_bytes"], bare["used_bytes"], bare["volumes"]), (32 << 20, None, []),
             "without a mounted file system its size is known, and how full it is not")
        trouble = made.stderr if made.returncode else mount(ext4, where, "ext4")
        ok(trouble is None, "a file system is made on a loop device", trouble)
        mounted.append(where)
        with open(os.path.join(where, "data"), "wb") as f:
            f.write(b"x" * (5 << 20))
            f.flush()
            os.fsync(f.fileno())
        one = probe(loop)[0][0]
        st = os.statvfs(where)
        same((one["capacity_bytes"], one["used_bytes"]),
             (st.f_blocks * st.f_frsize, (st.f_blocks - st.f_bfree) * st.f_frsize),
             "a loop device that is named has the capacity of its file system")
        same(names(one), [where], "its volume is named by where it is mounted")
        ok(one["transfers"] > 0, "its writes are counted", one)
        host = probe("block:")[0][0]
        same(names(host), names(base), "and the host does not count it again")
        ro = place("over")
        # What is hidden by another mount is asked where it still can be seen, or not at all.
        mount(where, ro, None, MS_BIND)
        mounted.append(ro)
        mount("none", where, "tmpfs")
        mounted.append(where)
        one = probe(loop)[0][0]
        same((one["capacity_bytes"], names(one)), (st.f_blocks * st.f_frsize, [ro]),
             "a covered mount point is not mistaken for what covers it")

    first, second = attach(128 << 20), attach(128 << 20)
    made = run("mkfs.btrfs", "-q", "-d", "single", "-m", "single", first, second) \
        if first and second and shutil.which("mkfs.btrfs") else None
    top = place("btrfs")
    if made is None or made.returncode or mount(first, top, "btrfs"):
        skip("subvolumes of btrfs are one pool", "needs hardware: a kernel with btrfs")
    else:
        mounted.append(top)
        run("btrfs", "subvolume", "create", top + "/a")
        run("btrfs", "subvolume", "create", top + "/b")
        for sub in ("a", "b"):
            path = place("sub-" + sub)
            ok(mount(first, path, "btrfs", 0, "subvol=" + sub) is None, "subvolume %s is mounted" % sub)
            mounted.append(path)
        run(PROBE, "block:")
        st = os.statvfs(top)
        one, two = [probe("block:" + os.path.basename(x))[0][0] for x in (first, second)]
        same((one["used_bytes"], two["used_bytes"]), (None, None),
             "a file system over two devices belongs to neither alone")
        same(names(probe("block:")[0][0]), names(base), "and not to the host, as both are loops")
        for path in reversed(mounted[-3:]):
            libc.umount2(path.encode(), MNT_DETACH)
        del mounted[-3:]
        single = attach(128 << 20)
        made = run("mkfs.btrfs", "-q", single)
        mount(single, top, "btrfs")
        mounted.append(top)
        run("btrfs", "subvolume", "create", top + "/a")
        mount(single, os.path.join(folder, "sub-a"), "btrfs", 0, "subvol=a")
        mounted.append(os.path.join(folder, "sub-a"))
        st = os.statvfs(top)
        one = probe("block:" + os.path.basename(single))[0][0]
        same((one["capacity_bytes"], len(one["volumes"])), (st.f_blocks * st.f_frsize, 1),
             "subvolumes of btrfs are one pool")

    missing, status, said = probe("block:", "block:nosuchdisk")
    same(status, 69, "a disk that is not there: status 69")
    same((missing[0]["error"], missing[1]["error"], missing[1]["capacity_bytes"]),
         (None, "nosuchdisk: no such disk", None), "the others are told all the same")
    ok(said.count("nosuchdisk") == 1, "and it is said once on standard error", said)
    same([probe(x)[1] for x in ("block:a b", "block:..", "gopher://h", "x")], [64] * 4,
         "what is no URL of a device: status 64")
    told = probe("--explain", "block:")[0][0]["explain"]
    ok("diskstats" in told.get("transfers", ""), "--explain names the path of each value", told)
    items = probe("--items", "copies,density", "block:")[0][0]["items"]
    same([(i["name"], i["state"]) for i in items],
         [("copies", "not-offered"), ("density", "not-offered")], "items it has not are said so")
finally:
    for path in reversed(mounted):
        libc.umount2(path.encode(), MNT_DETACH)
    for loop in loops:
        run("losetup", "-d", loop)
    shutil.rmtree(folder, ignore_errors=True)
done()
