#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The worked example of contrib/doc/profiles.md is true: the copier is recognised, its numbers and
data items are read, and profiles fit their schema."""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("SOURCE", os.getcwd())
sys.path.insert(0, os.path.join(SOURCE, "tests", "lib"))
from snmpsim import Simulator  # noqa: E402
from tap import done, ok, same, skip  # noqa: E402

PROBE = os.path.join(os.environ.get("BUILD", os.path.join(SOURCE, "build")), "tidemark-probe")
EXAMPLE = os.path.join(SOURCE, "contrib", "profile-example")
SHIPPED = os.path.join(SOURCE, "plugins", "profiles")


def probe(profiles, *arguments):
    done_ = subprocess.run([PROBE, "--profiles", profiles] + list(arguments),
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    try:
        return json.loads(done_.stdout)
    except ValueError:
        return {"error": done_.stderr.decode(errors="replace")}


try:
    import jsonschema
except ImportError:
    skip("profiles fit their schema", "needs python3-jsonschema")
else:
    with open(SOURCE + "/contrib/schema/profile.schema.json", encoding="utf-8") as f:
        checker = jsonschema.Draft202012Validator(json.load(f))
    faults = []
    for path in sorted(glob.glob(SHIPPED + "/*.json") + glob.glob(EXAMPLE + "/*.json")):
        with open(path, encoding="utf-8") as f:
            faults += ["%s: %s: %s" % (os.path.basename(path), e.json_path, e.message[:200])
                       for e in checker.iter_errors(json.load(f))]
    ok(not faults, "profiles fit their schema", *faults)

folder = tempfile.mkdtemp(prefix="tm-profiles-")
try:
    with Simulator([EXAMPLE]) as simulator:
        url = "snmp://example-copier@127.0.0.1:%d" % simulator.port
        # Without its profile it is a printer like any other.
        plain = probe(SHIPPED, url)
        same((plain.get("profile"), plain.get("pages_total"), plain.get("pages_color")),
             ("printer", 1284300, None), "the generic profile serves it")

        for path in glob.glob(SHIPPED + "/*.json") + glob.glob(EXAMPLE + "/*.json"):
            shutil.copy(path, folder)
        got = probe(folder, "--explain", url)
        for key, want in (("profile", "example-copier"), ("vendor", "Example Works"),
                          ("model", "DC-900"), ("firmware", "3.1.7"), ("serial", "EW-000123"),
                          ("pages_total", 1284300), ("pages_color", 400021), ("error", None)):
            same(got.get(key), want, "its own profile tells " + key)
        same(got.get("explain", {}).get("pages_color"),
             "1.3.6.1.4.1.32473.1.2.1.0 1.3.6.1.4.1.32473.1.2.2.0",
             "--explain names the objects of a sum")

        names = "pages_total,copies_feed,density_black,exposure,density_auto,drum_charge,network_environment"
        items = probe(folder, "--items", names, url).get("items", [])
        rows = [(i["name"], i["value"], i["unit"], i["nature"], i["state"]) for i in items]
        same(rows, [
            ("pages_total", 1284300, "pages", "counter", None),
            ("copies_feed-Tray_1", 900000, "sheets", "counter", None),
            ("copies_feed-Tray_2", 384000, "sheets", "counter", None),
            ("copies_feed-Manual_feed", 299, "sheets", "counter", None),
            ("density_black", 1.08, "optical density", "measurement", None),
            ("exposure", -1, "steps", "setting", None),
            ("density_auto", "off", None, "setting", None),
            ("drum_charge", None, None, None, "not-offered"),
            ("network_environment", "Ethernet 1000BASE-T", None, "measurement", None),
        ], "data items come with unit and nature, or as not offered")
finally:
    shutil.rmtree(folder, ignore_errors=True)
done()
