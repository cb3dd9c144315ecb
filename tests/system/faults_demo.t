#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tidemark-demo under every fault (tests/lib/faults.py): into an empty folder, and into one in which a
run before it was ended half way. It promises nothing for a power cut: it is run once more then."""
import glob
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import faults  # noqa: E402
import tap  # noqa: E402

if not faults.preloads() or not faults.can_trace():
    tap.skip_all("needs hardware: the faults are for programs without a sanitizer or counters")
USED = ("capacity", "transfers", "interval_count", "df_complex")


def types(folder):
    """Those that its devices have: most of what a run would ask memory for are the others."""
    with open(folder + "/types.db", "w") as out:
        for path in ("/usr/share/collectd/types.db", os.path.join(faults.SOURCE, "plugins/types.db")):
            with open(path) as f:
                out.writelines(line for line in f if line.startswith(USED))


def half(folder):
    """Files that were cut, files that are not there yet, and what librrd leaves when it is killed."""
    types(folder)
    faults.step(folder, PROGRAM, *WORDS)
    for i, path in enumerate(sorted(glob.glob(folder + "/fleet/*/**/*.*", recursive=True))):
        if os.path.isdir(path):
            continue
        if i % 3 == 0:
            os.truncate(path, os.path.getsize(path) // 2)
        elif i % 3 == 1:
            os.rename(path, path + "Ab12cD")


def named(path, data):
    """What librrd had in hand at a kill has a name of its own."""
    return re.sub(r"\.rrd\w{6}$", ".rrdXXXXXX", path), data


PROGRAM = "tidemark-demo"
WORDS = ["--end", "2026-11-20T00:00:00Z", "--days", "2", "--site", "C-1003", "--types", "{}/types.db", "{}/fleet"]
faults.main([faults.Case(name, [PROGRAM, *WORDS], prepare, tidy=named, scratch=("fleet/",))
             for name, prepare in (("demo", types), ("demo over half a fleet", half))],
            kinds=("memory", "calls", "disks", "clock"))
