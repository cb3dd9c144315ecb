#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tidemark-analyze, and the programs that it starts, under every fault (tests/lib/faults.py)."""
import atexit
import io
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import faults  # noqa: E402
import prometheus_samples  # noqa: E402
import summaries as made  # noqa: E402
import tap  # noqa: E402

if not faults.preloads() or not faults.can_trace():
    tap.skip_all("needs hardware: the faults are for programs without a sanitizer or counters")
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


def unseen(folder):
    """Nobody's device is risked: what is taken for a file here is put in the place of the link."""
    scored(folder)
    os.symlink("/dev/null", folder + "/null")


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


def undrawn():
    """A copy of the program whose helper gives back what it is to draw."""
    folder = os.path.join(faults.FOLDER, "bin")
    os.makedirs(folder)
    os.symlink(shutil.which("cat"), folder + "/tidemark-graph")
    return shutil.copy(os.path.join(faults.BUILD, A), folder)


def drawn(path, data):
    """What the libraries that draw go on without, a font or a thread, is seen in a picture: it is one, or not."""
    return path, b"a picture" if path == "out.svg" and data.rstrip().endswith(b"</svg>") else data


def metrics():
    """The same fleet in a VictoriaMetrics of this test's own: its URL, or None where there is no such program."""
    if not shutil.which("victoria-metrics"):
        tap.note("no run from Prometheus: needs victoria-metrics")
        return None
    fleet(os.path.join(faults.FOLDER, "for-metrics"))
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        url = "127.0.0.1:%d" % s.getsockname()[1]
    server = subprocess.Popen(["victoria-metrics", "-storageDataPath=" + faults.FOLDER + "/metrics", "-retentionPeriod=100y",
                               "-httpListenAddr=" + url, "-memory.allowedBytes=256MB"], stderr=subprocess.DEVNULL)
    atexit.register(server.wait)
    atexit.register(server.terminate)  # before that
    lines = io.StringIO()
    prometheus_samples.as_import(KEPT, lines)
    until = time.monotonic() + 60
    for path, body in (("/api/v1/import", lines.getvalue().encode()), ("/internal/force_flush", None)):
        while True:
            try:
                urllib.request.urlopen("http://%s%s" % (url, path), body, 60).close()
                break
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
    return "prometheus:http://" + url


def unmeasured(folder):
    """A configuration without data."""
    fleet(folder)
    shutil.rmtree(folder + "/rrd")


KEPT = os.path.join(faults.FOLDER, "rrds")
A = "tidemark-analyze"
RUN = ["run", "-c", "{}/conf", "-j", "1"]
CASES = [
    faults.Case("run", [A, *RUN], fleet),
    faults.Case("run as JSON", [A, *RUN, "-f", "json"], fleet),
    faults.Case("run as HTML", [A, *RUN, "-f", "html", "-o", "{}/out.html"], fleet, partial=("out.html",)),
    faults.Case("run as OpenMetrics", [A, *RUN, "-f", "openmetrics", "-o", "{}/out.prom"], fleet, partial=("out.prom",)),
    faults.Case("run as nagios", [A, *RUN, "-f", "nagios"], fleet, good=(0, 1, 2), statuses=(3,),
                says=r"; \d+ could not be read"),
    faults.Case("run --record", [A, *RUN, "--record", "-o", "{}/null"], unseen,
                partial=("state/summaries",)),
    faults.Case("run --catalogue", [A, *RUN, "-f", "json", "--catalogue", CATALOGUE], fleet),
    faults.Case("run from CSV", [A, "run", "--source", "csv:{}/site.csv", "-f", "json"], table),
    faults.Case("forecast", [A, "forecast", "{}/site.csv", "-j", "1"], table),
    faults.Case("recommend", [A, "recommend", "-c", "{}/conf", "--catalogue", CATALOGUE, "{}/given"], papers),
    faults.Case("demand", [A, "demand", "-c", "{}/conf", "{}/given", "-o", "{}/demand.json"], advised),
    faults.Case("check", [A, "check", "-c", "{}/conf"], fleet, statuses=(65,), says=r"^/\S+: \S"),
    faults.Case("score", [A, "score", "-c", "{}/conf", "--keep", "15d"], scored, partial=("state/ledger",)),
    faults.Case("graph", [undrawn(), "graph", "df-root", "-c", "{}/conf", "-o", "{}/out.svg"], fleet, partial=("out.svg",)),
    faults.Case("graph's helper", [A, "graph", "df-root", "-c", "{}/conf", "-o", "{}/out.svg"], fleet,
                program="tidemark-graph", loose=True, tidy=drawn),
    faults.Case("--forecast-rrd", [A, *RUN, "--forecast-rrd", "{}/ahead"], fleet, tidy=bare),
    faults.Case("tidemark-rrd", [A, *RUN, "--forecast-rrd", "{}/ahead"], fleet, program="tidemark-rrd",
                tidy=bare),
]
URL = metrics()
if URL:
    RUN += ["--source", URL, "-f", "json"]
    CASES += [faults.Case("run from Prometheus", [A, *RUN], unmeasured),
              faults.Case("tidemark-fetch", [A, *RUN], unmeasured, program="tidemark-fetch")]
faults.main(CASES)
