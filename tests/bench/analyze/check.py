#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""check.py REFERENCE.csv OTHER.csv...: do the answers agree?"""
import math
import sys


def load(p):
    return {r[0]: [float(x) for x in r[1:]] for r in
            (line.rstrip("\n").split(",") for line in open(p))}


ref = load(sys.argv[1])
bad = 0
for p in sys.argv[2:]:
    o = load(p)
    worst, gap = 0.0, 0
    for k, a in ref.items():
        b = o.get(k)
        if b is None or len(a) != len(b):
            gap += 1
            continue
        for x, y in zip(a, b):
            if math.isnan(x) != math.isnan(y):
                gap += 1
            elif not math.isnan(x) and x != y:
                worst = max(worst, abs(x - y) / max(abs(x), abs(y)))
    ok = gap == 0 and worst < 1e-5 and len(o) == len(ref)
    bad += not ok
    print("%-28s %d arrays, largest relative difference %.1e, %d missing: %s"
          % (p.rsplit("/", 1)[-1], len(o), worst, gap, "same" if ok else "DIFFERENT"))
sys.exit(bad > 0)
