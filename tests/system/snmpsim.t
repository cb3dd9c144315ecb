#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every recording of a device, served by snmpsimd, gives through tidemark-probe what stands in
NAME.expected.json beside it, in every key that the probe's schema defines. Recordings lie in
tests/data/snmp (made by hand, they say so) and, where that folder is present, ../shared/recordings."""
import glob
import json
import os
import re
import signal
import subprocess
import sys

SOURCE = os.environ.get("SOURCE", os.getcwd())
sys.path.insert(0, os.path.join(SOURCE, "tests", "lib"))
from snmpsim import Simulator  # noqa: E402
PROBE = os.path.join(os.environ.get("BUILD", os.path.join(SOURCE, "build")), "tidemark-probe")
PROFILES = os.path.join(SOURCE, "plugins", "profiles")
SHARED = os.path.join(SOURCE, "..", "shared", "recordings")

# A disk that is counted in io[] and is a layer of others: ram, loop, md, dm, a partition...
LAYER = re.compile(r"^(ram|loop|zram|md|dm-|sr|fd|cd|pass|lnv|nbd)")
PARTITION = re.compile(r"^((s|h|v|xv)d[a-z]+[0-9]+|(nvme[0-9]+n[0-9]+|mmcblk[0-9]+|sata[0-9]+)p[0-9]+|"
                       r"synoboot[0-9]*)$")
WHOLE_KEYS = {
    "disk_array": ["capacity_bytes", "used_bytes", "volumes"],
    "media_library": ["slots_total", "slots_used", "drives", "drive_list"],
    "printer": ["pages_total", "pages_unit", "pages_color", "supplies", "trays"],
}
ROW_KEYS = {
    "volumes": ["name", "capacity_bytes", "used_bytes"],
    "drive_list": ["name", "vendor", "model", "serial", "read_bytes", "written_bytes"],
    "supplies": ["name", "max", "level", "state", "unit"],
    "trays": ["name", "capacity", "level"],
}
IDENTITY = ["kind", "vendor", "model", "serial", "firmware"]


def clean(text):
    """What a device's control bytes become: blanks, runs of them one."""
    return re.sub(r"[\x00-\x20\x7f]+", " ", text).strip()


def transfers(expected):
    """The sum of completed writes over physical disks, or None where they are not told."""
    writes = [io["writes"]["value"] for io in expected.get("io", [])
              if "writes" in io and not LAYER.match(io["device"])
              and not PARTITION.match(io["device"])]
    return sum(writes) if writes else None


def same(key, want, got, accept):
    if key in accept:
        return got in accept[key]
    if isinstance(want, str) and isinstance(got, str):
        return got == want or got == clean(want)
    if isinstance(want, (int, float)) and isinstance(got, (int, float)):
        # Sizes that the device rounds differ by less than one unit of the last digit.
        return abs(want - got) <= 1
    return want == got


def compare_rows(key, want, got, artefacts):
    if len(want) != len(got):
        return ["%s: %d rows wanted, %d seen" % (key, len(want), len(got))]
    differences = []
    for i, (w, g) in enumerate(zip(want, got)):
        for k in ROW_KEYS[key]:
            if k not in w or same(k, w[k], g.get(k), {}):
                continue
            if k == "name" and any(a["decoded"] == w[k] and clean(a["raw"]) == g[k]
                                   for a in artefacts):
                continue
            differences.append("%s[%d].%s: %r wanted, %r seen" % (key, i, k, w[k], g.get(k)))
    return differences


def compare(expected, got):
    accept = expected.get("accept", {})
    kind = expected["kind"]
    differences = []
    for key in IDENTITY + WHOLE_KEYS[kind]:
        want = expected.get(key)
        if key in ROW_KEYS:
            differences += compare_rows(key, want or [], got.get(key) or [],
                                        expected.get("recording_artefacts", []))
        elif not same(key, want, got.get(key), accept):
            differences.append("%s: %r wanted, %r seen" % (key, want, got.get(key)))
    if kind == "disk_array" and got.get("transfers") != transfers(expected):
        differences.append("transfers: %r wanted, %r seen" % (transfers(expected),
                                                              got.get("transfers")))
    if got.get("error") is not None:
        differences.append("error: %r" % got["error"])
    return differences


def run_case(number, path, port):
    name = os.path.basename(path)[:-len(".expected.json")]
    with open(path, encoding="utf-8") as f:
        expected = json.load(f)
    done = subprocess.run([PROBE, "--profiles", PROFILES, "--timeout", "50",
                           "snmp://%s@127.0.0.1:%d" % (name, port)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    try:
        got = json.loads(done.stdout)
    except ValueError:
        got = {"error": done.stderr.decode(errors="replace").strip() or "nothing printed"}
    differences = compare(expected, got)
    print("%sok %d - %s (%s)" % ("not " if differences else "", number, name,
                                 got.get("profile")))
    for line in differences[:40]:
        print("#   " + line)
    return not differences


def main():
    only = sys.argv[1:]
    folders = [os.path.join(SOURCE, "tests", "data", "snmp")]
    shared = [os.path.join(SHARED, d) for d in ("printers", "arrays", "libraries")]
    present = all(os.path.isdir(d) for d in shared)
    folders += shared if present else []
    folders = [f for f in folders if glob.glob(f + "/*.expected.json")]
    cases = [p for f in folders for p in sorted(glob.glob(f + "/*.expected.json"))]
    if only:
        cases = [c for c in cases if os.path.basename(c)[:-len(".expected.json")] in only]
    if not cases:
        print("1..0 # SKIP no recordings")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    good = True
    print("1..%d" % (len(cases) + (0 if present or only else 1)))
    with Simulator(folders) as simulator:
        for i, path in enumerate(cases, 1):
            good = run_case(i, path, simulator.port) and good
            sys.stdout.flush()
    if not present and not only:
        print("ok %d # SKIP needs ../shared/recordings" % (len(cases) + 1))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
