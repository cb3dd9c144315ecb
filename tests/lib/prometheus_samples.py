# SPDX-License-Identifier: MIT
"""What a Prometheus-compatible server would have scraped of collectd's write_prometheus, told by the
RRD files that its rrdtool plugin wrote beside it."""
import json
import os
import subprocess

FINE_DAYS = 61  # of rows of the files' own step; of an hour before them
COUNTERS = {"transfers", "pages", "if_octets", "disk_ops"}


class Rrdtool:
    """One rrdtool for many questions."""

    def __init__(self):
        self.child = subprocess.Popen(["rrdtool", "-"], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        self.child.stdin.write(" ".join(words) + "\n")
        self.child.stdin.flush()
        lines = []
        for line in self.child.stdout:
            if line.startswith("OK "):
                return lines
            if line.startswith("ERROR"):
                raise RuntimeError(line)
            lines.append(line)
        raise RuntimeError("rrdtool has ended")

    def end(self):
        self.child.stdin.close()
        self.child.wait()
        self.child.stdout.close()


def rows(tool, path, function, resolution, start, end):
    """{source: [(time, value)]} of the known rows that end in (start, end]."""
    lines = tool.ask("fetch", path, function, "-r", str(resolution), "-s", str(start), "-e", str(end))
    names = lines[0].split()
    out = {n: [] for n in names}
    for line in lines[1:]:
        time, colon, values = line.partition(":")
        if not colon or not start < int(time) <= end:
            continue
        for name, value in zip(names, values.split()):
            if "nan" not in value:
                out[name].append((int(time), float(value)))
    return out


def info(tool, path):
    out = {}
    for line in tool.ask("info", path):
        key, _, value = line.partition(" = ")
        out[key] = value.strip().strip('"')
    return out


def counter(rates):
    """(time, span, rate) as the readings of the counter that had them; it begins at 1000."""
    total = 1000.0
    out = []
    for time, span, rate in rates:
        if not out or out[-1][0] != time - span:
            out.append((time - span, total))
        total += rate * span
        out.append((time, total))
    return out


def hours_of_rates(means, peaks):
    """An hour as five minutes at its maximum and a rest that makes its mean."""
    for (time, mean), (_, peak) in zip(means, peaks):
        yield time - 300, 3300, (3600 * mean - 300 * peak) / 3300
        yield time, 300, peak


def hours(means, peaks):
    """Two counts an hour that have its mean and its maximum."""
    out = []
    for (time, mean), (_, peak) in zip(means, peaks):
        out += [(time - 300, peak), (time, 2 * mean - peak)]
    return out


def series(data, days=731):
    """(name, labels, [(time, value)]) of every data source below DATA/HOST/FOLDER/FILE.rrd."""
    tool = Rrdtool()
    for host in sorted(os.listdir(data)):
        for folder in sorted(os.listdir(os.path.join(data, host))):
            for file in sorted(os.listdir(os.path.join(data, host, folder))):
                path = os.path.join(data, host, folder, file)
                yield from of_file(tool, path, host, folder, file[:-4], days)
    tool.end()


def of_file(tool, path, host, folder, file, days):
    plugin, _, instance = folder.partition("-")
    kind, _, type_instance = file.partition("-")
    about = info(tool, path)
    last = int(about["last_update"])
    step = int(about["step"])
    seam = last // 3600 * 3600 - FINE_DAYS * 86400
    begin = seam - (days - FINE_DAYS) * 86400
    old = rows(tool, path, "AVERAGE", 3600, begin, seam) if begin < seam else {}
    peaks = rows(tool, path, "MAX", 3600, begin, seam) if begin < seam else {}
    new = rows(tool, path, "AVERAGE", step, max(seam, last - days * 86400), last)
    for source, samples in new.items():
        before, peak = old.get(source, []), peaks.get(source, [])
        name = "collectd_" + (kind if kind == plugin else plugin + "_" + kind)
        labels = {plugin: instance} if instance else {}
        if type_instance:
            labels["type" if instance else plugin] = type_instance
        labels["instance"] = host
        if source != "value":
            name += "_" + source
        if kind in COUNTERS:
            name += "_total"
            rates = list(hours_of_rates(before, peak)) + [(t, step, v) for t, v in samples]
            samples = counter(rates)
        elif kind == "interval_count":
            samples = hours(before, peak) + samples
        else:
            samples = before + samples
            reading = about["ds[%s].last_ds" % source]
            if reading != "U" and samples and samples[-1][0] < last:
                samples.append((last, float(reading)))
        yield name, labels, samples


def as_import(data, out, days=731):
    """Lines for /api/v1/import of VictoriaMetrics."""
    for name, labels, samples in series(data, days):
        out.write(json.dumps({"metric": {"__name__": name, **labels},
                              "timestamps": [t * 1000 for t, _ in samples],
                              "values": [v for _, v in samples]}) + "\n")


def as_openmetrics(data, out, days=731):
    """Text for promtool tsdb create-blocks-from openmetrics, of these days before the last one."""
    seen = {}
    for name, labels, samples in series(data, days):
        seen.setdefault(name, []).append((labels, samples))
    for name, found in sorted(seen.items()):
        family = name[:-6] if name.endswith("_total") else name
        out.write("# TYPE %s %s\n" % (family, "counter" if family != name else "gauge"))
        for labels, samples in found:
            text = ",".join('%s="%s"' % pair for pair in labels.items())
            for time, value in samples:
                out.write("%s{%s} %.17g %d\n" % (name, text, value, time))
    out.write("# EOF\n")
