#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tidemark-analyze, and the programs that it starts, under every fault (tests/lib/faults.py)."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import faults  # noqa: E402
import summaries as made  # noqa: E402
from tap import skip_all  # noqa: E402

if not faults.preloads() or not faults.can_trace():
    skip_all("needs hardware: nothing can be loaded before a program that a sanitizer is in")
CATALOGUE = os.path.join(faults.SOURCE, "contrib/schema/samples/catalogue.json")
END = faults.NOW
DAYS = 40


def rrd(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    subprocess.run(["rrdtool", "create", path, "--start", str(END - (DAYS + 2) * 86400), "--step", "3600",
                    "DS:value:GAUGE:100000:0:U", "RRA:AVERAGE:0.1:1:1200", "RRA:MAX:0.1:1:1200"], check=True)
    subprocess.run(["rrdtool", "update", path] + [
        "%d:%d" % (END - (DAYS - 1 - i) * 86400, value(i)) for i in range(DAYS)], check=True)


def fleet(folder):
    """Two file systems, a ledger and a configuration."""
    data = os.path.join(folder, "rrd")
    if not os.path.exists(KEPT):
        for name, growth in (("root", 2), ("srv", 0)):
            rrd(KEPT + "/web/df-%s/df_complex-used.rrd" % name, lambda i: (50 + growth * i) * 10**9)
            rrd(KEPT + "/web/df-%s/df_complex-free.rrd" % name, lambda i: (150 - growth * i) * 10**9)
    shutil.copytree(KEPT, data)
    with open(folder + "/conf", "w") as f:
        f.write('customer { id = "C-1001" name = "Example KK" }\nsite { name = "osaka-1" timezone = "Asia/Tokyo" }\n'
                'paths { data = "%s" state = "%s/state" }\n' % (data, folder))


def scored(folder):
    fleet(folder)
    for ago in (20, 10):
        subprocess.run([os.path.join(faults.BUILD, "tidemark-analyze"), "run", "-c", folder + "/conf", "--record",
                        "-o", "/dev/null", "--as-of", "@%d" % (END - ago * 86400)], check=True)


def table(folder):
    with open(folder + "/site.csv", "w") as f:
        f.write("series,time,used,capacity\n")
        for i in range(120):
            f.write("gw/disk_array-a,%d,%d,%d\n" % (END - (120 - i) * 86400, 3e12 + 1e10 * i, 5e12))


def papers(folder):
    made.write(folder + "/given", [made.summary(customer="C-%d" % i, used=110, growth=0.2, fill=(50, 55, 60))
                                   for i in range(2)])
    with open(folder + "/conf", "w") as f:
        f.write('customer { id = "V" }\nsite { name = "vendor" timezone = "UTC" }\n')


def advised(folder):
    papers(folder)
    out = subprocess.run([os.path.join(faults.BUILD, "tidemark-analyze"), "recommend", "-c", folder + "/conf",
                          "--catalogue", CATALOGUE, "--format", "summaries", folder + "/given"],
                         stdout=subprocess.PIPE, check=True).stdout
    with open(folder + "/given", "wb") as f:
        f.write(out)


def bare(path, data):
    """An RRD holds the time at which it was made, by a helper's clock."""
    return path, b"%d bytes" % len(data) if path.endswith(".rrd") else data


KEPT = os.path.join(faults._folder, "rrds")
A = "tidemark-analyze"
RUN = ["run", "-c", "{}/conf", "-j", "1"]
faults.main([
    faults.Case("run", [A, *RUN], fleet),
    faults.Case("run as JSON", [A, *RUN, "-f", "json"], fleet),
    faults.Case("run as HTML", [A, *RUN, "-f", "html", "-o", "{}/out.html"], fleet),
    faults.Case("run as OpenMetrics", [A, *RUN, "-f", "openmetrics", "-o", "{}/out.prom"], fleet),
    faults.Case("run as nagios", [A, *RUN, "-f", "nagios"], fleet, good=(0, 1, 2), statuses=(3,)),
    faults.Case("run --record", [A, *RUN, "--record", "-o", "/dev/null"], scored,
                partial=("state/summaries.ndjson",)),
    faults.Case("run --catalogue", [A, *RUN, "-f", "json", "--catalogue", CATALOGUE], fleet),
    faults.Case("run from CSV", [A, "run", "--source", "csv:{}/site.csv", "-f", "json"], table),
    faults.Case("forecast", [A, "forecast", "{}/site.csv", "-j", "1"], table),
    faults.Case("recommend", [A, "recommend", "-c", "{}/conf", "--catalogue", CATALOGUE, "{}/given"], papers),
    faults.Case("demand", [A, "demand", "-c", "{}/conf", "{}/given", "-o", "{}/demand.json"], advised),
    faults.Case("check", [A, "check", "-c", "{}/conf"], fleet, good=(0, 65)),
    faults.Case("score", [A, "score", "-c", "{}/conf", "--keep", "15d"], scored),
    faults.Case("graph", [A, "graph", "df-root", "-c", "{}/conf", "-o", "{}/out.svg"], fleet),
    faults.Case("graph's helper", [A, "graph", "df-root", "-c", "{}/conf", "-o", "{}/out.svg"], fleet,
                program="tidemark-graph", loose=True, scratch=("out.svg",)),
    faults.Case("--forecast-rrd", [A, *RUN, "--forecast-rrd", "{}/ahead"], fleet, tidy=bare),
    faults.Case("tidemark-rrd", [A, *RUN, "--forecast-rrd", "{}/ahead"], fleet, program="tidemark-rrd",
                tidy=bare),
])
