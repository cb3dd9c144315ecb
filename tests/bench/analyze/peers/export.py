#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The rows the others read, as samples for the time-series databases.

   export.py openmetrics|prom DIR END LOAD_DAYS CAP_DAYS > FILE

openmetrics: seconds, families apart, # EOF (promtool tsdb create-blocks-from)
prom:        milliseconds (VictoriaMetrics /api/v1/import/prometheus)
"""
import glob
import os
import sys

import rrdtool

fmt, d, end, ld, cd = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
mul = 1000 if fmt == "prom" else 1
w = sys.stdout.write
arrays = sorted(glob.glob(os.path.join(d, "*", "disk_array-*")))
for name, f, cf, days in (("capacity_total", "capacity-total", "AVERAGE", cd),
                          ("capacity_used", "capacity-used", "AVERAGE", cd),
                          ("transfers_max", "transfers-completed", "MAX", ld)):
    if fmt == "openmetrics":
        w("# TYPE %s gauge\n" % name)
    start = end - days * 86400
    for p in arrays:
        (s, e, step), _, data = rrdtool.fetch("%s/%s.rrd" % (p, f), cf, "-s", str(start), "-e", str(end))
        label = '%s{array="%s"} ' % (name, os.path.relpath(p, d))
        t = s
        for (v,) in data:
            t += step
            if v is not None and start < t <= end:
                w("%s%.10g %d\n" % (label, v, t * mul))
if fmt == "openmetrics":
    w("# EOF\n")
