#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""python3-rrdtool and numpy: peer_python.py DIR END LOAD_DAYS CAP_DAYS CSV"""
import glob
import os
import sys

import numpy as np
import rrdtool

d, end, ld, cd, csv = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5]


def rows(path, cf, days):
    start = end - days * 86400
    (s, e, step), _, data = rrdtool.fetch(path, cf, "-s", str(start), "-e", str(end))
    v = np.array(data, dtype=float)[:, 0]
    t = s + step * np.arange(1, len(v) + 1)
    k = (t > start) & (t <= end) & ~np.isnan(v)
    return t[k], v[k]


with open(csv, "w") as out:
    for p in glob.iglob(os.path.join(d, "*", "disk_array-*")):
        _, total = rows(p + "/capacity-total.rrd", "AVERAGE", cd)
        t, used = rows(p + "/capacity-used.rrd", "AVERAGE", cd)
        m, b = np.polyfit((t - end) / 86400.0, used, 1)
        fill = end + (total[-1] - b) / m * 86400.0
        t, load = rows(p + "/transfers-completed.rrd", "MAX", ld)
        mx = np.full(ld, -np.inf)
        np.maximum.at(mx, (t - (end - ld * 86400) - 1) // 86400, load)
        mx[np.isinf(mx)] = np.nan
        out.write("%s,%.10g,%.10g,%s\n" % (os.path.relpath(p, d), m, fill,
                                           ",".join("%.10g" % x for x in mx)))
