#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# tidemark-probe block: on trees of /proc and /sys: md, LVM with a thin pool and a snapshot, ZFS, a
# tape drive, and a host where only the counters can be seen.
import json
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("SOURCE", ".")
sys.path.insert(0, os.path.join(SOURCE, "tests/lib"))
import block_tree
from tap import done, ok, same

PROBE = os.path.join(os.path.abspath(os.environ.get("BUILD", "build")), "tidemark-probe")
folder = tempfile.mkdtemp(prefix="tidemark-trees-")


def unpack(name):
    top = os.path.join(folder, name)
    shutil.rmtree(top, ignore_errors=True)
    block_tree.unpack(name, top)
    return top


def probe(top, *urls):
    r = subprocess.run([PROBE, "--proc", top + "/proc", "--sys", top + "/sys", "--root",
                        top + "/root"] + list(urls), stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, timeout=30)
    return [json.loads(line) for line in r.stdout.splitlines()]


def pick(reading, *keys):
    return tuple(reading[k] for k in keys)


def near(seen, wanted):
    """The disk that holds the trees is in use by others too: its fill moves a little."""
    return seen is not None and abs(seen - wanted) < 0.02 * size


def loop_in_place_of(path):
    """What cannot be opened, by root neither, and is there all the same."""
    shutil.rmtree(path)
    os.symlink(os.path.basename(path), path)


st = os.statvfs(folder)
size, free = st.f_blocks * st.f_frsize, st.f_bfree * st.f_frsize
try:
    top = unpack("md")
    host, md, sda, loop = probe(top, "block:", "block:md0", "block:sda", "block:loop0")
    same(host["transfers"], 14100, "md: the host's writes are those of its two disks, once")
    same(sorted(v["name"] for v in host["volumes"]), ["/", "/exports"],
         "md: two mounts of one file system are one volume, images and NFS are none")
    same(host["capacity_bytes"], 2 * size, "md: the capacity is their sum")
    same(pick(host, "vendor", "model", "serial", "firmware"),
         ("Example Systems", "Rack 2", None, "1.4.2"), "md: the host's name, no placeholder for it")
    same((md["transfers"], md["capacity_bytes"], md["model"]), (6500, size, "md raid1 of 2"),
         "md: the array alone has its own writes and what lies on it")
    same(pick(sda, "transfers", "capacity_bytes", "model", "serial", "firmware"),
         (7000, size, "EXAMPLE HD1000", "WX123456", "AB12"),
         "md: one disk has what lies on it alone, and its identity")
    same([v["name"] for v in sda["volumes"]], ["/"], "md: not the array that spans two")
    same((loop["transfers"], loop["capacity_bytes"]), (99, 512000), "md: a loop device only by name")

    loop_in_place_of(top + "/root/exports")
    loop_in_place_of(top + "/root/srv/data one")
    host, md = probe(top, "block:", "block:md0")
    same((pick(host, "capacity_bytes", "used_bytes"), [v["name"] for v in host["volumes"]]),
         ((None, None), ["/"]), "md: what is known of the rest is no sum where one cannot be asked")
    same(pick(md, "capacity_bytes", "used_bytes", "transfers"), (None, None, 6500),
         "md: nor is the array as large as its device all at once")
    ok("/exports: " in (md["error"] or ""), "md: and why is said", md["error"])

    top = unpack("lvm")
    host, disk = probe(top, "block:", "block:nvme0n1")
    same(sorted(v["name"] for v in host["volumes"]), ["/", "vg0-thin"],
         "lvm: a thin pool stands for its volumes, a snapshot adds nothing")
    pool = [v for v in host["volumes"] if v["name"] == "vg0-thin"][0]
    same((pool["capacity_bytes"], pool["used_bytes"]), (2097152 * 512, None),
         "lvm: the pool's size is known, its fill is not told here")
    same((host["capacity_bytes"], host["used_bytes"]), (2097152 * 512 + size, None),
         "lvm: what is not wholly known is not summed up")
    ok("dm-2" in host["error"], "lvm: and why is said", host["error"])
    same(host["transfers"], 200, "lvm: mapped devices are not counted again")
    same(pick(disk, "model", "serial", "firmware", "transfers"),
         ("EXAMPLE NVMe 2TB", "S1234567", "FW10", 200), "lvm: the disk alone")
    same(len(disk["volumes"]), 2, "lvm: and all that lies on it through the mappings")

    for folder_below, asked, why in (("sys/block/dm-3/slaves", "block:", "what a mapping is built of"),
                                     ("sys/block/dm-2/slaves", "block:nvme0n1", "what a pool is built of")):
        loop_in_place_of(os.path.join(top, folder_below))
        host = probe(top, asked)[0]
        same(pick(host, "capacity_bytes", "used_bytes", "transfers"), (None, None, 200),
             "lvm: where it cannot be read %s, no sum is told" % why)
        ok("symbolic links" in (host["error"] or ""), "lvm: and why is said", host["error"])
        top = unpack("lvm")

    top = unpack("zfs")
    host = probe(top, "block:")[0]
    volumes = {v["name"]: v for v in host["volumes"]}
    same(sorted(volumes), ["rpool", "tank"], "zfs: data sets of one pool are one volume")
    ok(near(volumes["tank"]["used_bytes"], 3 * (size - free)) and
       near(volumes["tank"]["capacity_bytes"], 3 * (size - free) + free),
       "zfs: the pool holds what its data sets hold, and is free once", volumes)
    same(host["transfers"], 50, "zfs: volumes of the pool are no disks")

    top = unpack("tape")
    tape, rewinding, old, none = probe(top, "block:st0", "block:nst0", "block:st1", "block:st2")
    same(pick(tape, "kind", "vendor", "model", "firmware", "drives", "error"),
         ("media_library", "EXAMPLE", "ULT3580-TD8", "P371", 1, None), "tape: a drive is known")
    same((old["error"], old["drives"]), (None, 1), "tape: also one whose kernel keeps no statistics")
    same((none["error"], none["drives"]), ("st2: no such tape drive", None),
         "tape: one that is not there is said so")

    top = unpack("bare")
    host = probe(top, "block:")[0]
    same(host["transfers"], 5423, "bare: by their names alone, whole disks are told from the rest")
    same((host["capacity_bytes"], host["used_bytes"], host["volumes"]), (None, None, []),
         "bare: what cannot be seen is not known")
    ok("mountinfo" in host["error"], "bare: and which file is missing is said", host["error"])
    os.unlink(top + "/proc/diskstats")
    os.mkfifo(top + "/proc/diskstats")
    host = probe(top, "block:")[0]
    ok(host["transfers"] is None and "FIFO" in host["error"],
       "a FIFO in place of a file is refused and does not hold it up", host["error"])
finally:
    shutil.rmtree(folder, ignore_errors=True)
done()
