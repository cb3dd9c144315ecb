#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the vendor delivered and what the plugins found meet in the summary of `run`."""
import json
import os
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("SOURCE", os.getcwd())
sys.path.insert(0, os.path.join(SOURCE, "tests/lib"))
from tap import done, ok, same  # noqa: E402

ANALYZE = os.path.join(os.environ.get("BUILD", "build"), "tidemark-analyze")
TIB = 2**40
END = 1795132800  # 2026-11-20T00:00:00Z
DAYS = 60


def rrd(path, values):
    """A gauge of one reading every six hours, the last one at END."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    start = END - len(values) * 21600
    subprocess.run(["rrdtool", "create", path, "--start", str(start - 21600), "--step", "21600",
                    "DS:value:GAUGE:43200:0:U", "RRA:AVERAGE:0.5:1:4000"], check=True)
    subprocess.run(["rrdtool", "update", path] +
                   ["%d:%d" % (start + (i + 1) * 21600, v) for i, v in enumerate(values)], check=True)


def put(path, document):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(document if isinstance(document, str) else json.dumps(document))


def run():
    p = subprocess.run([ANALYZE, "run", "--config", T + "/tidemark.conf", "--format", "json",
                        "--jobs", "1"], capture_output=True, text=True, timeout=60, check=False)
    return p.returncode, [json.loads(x) for x in p.stdout.splitlines()], p.stderr


PAPER = {"schema": "tidemark.registration/1", "host": "gw", "device": "array-01",
         "kind": "disk_array", "vendor": "Example Storage", "model": "DS-200",
         "product_number": "DS-200", "serial": "DS2-1", "sold_on": "2025-04-01",
         "price": {"amount": "3200000", "currency": "JPY"}, "configuration": "1 x SHELF-20T",
         "capacity_bytes_sold": 60 * TIB, "cache_bytes": 2**35,
         "software": [{"name": "firmware", "version": "4.3.0"}]}

with tempfile.TemporaryDirectory() as T:
    n = DAYS * 4
    used = [(75 + 20 * i / n) * TIB for i in range(n)]
    # Expanded from 100 to 120 TiB 40 days ago.
    capacity = [(100 if i < n - 160 else 120) * TIB for i in range(n)]
    for name, values in (("used", used), ("total", capacity)):
        rrd(T + "/rrd/gw/disk_array-array-01/capacity-%s.rrd" % name, values)
    put(T + "/tidemark.conf",
        'customer { id = "C-1" }\nsite { name = "osaka-1"  timezone = "UTC" }\n'
        'paths { data = "%s/rrd"  state = "%s/state"  spool = "%s/spool" }\n'
        'products = "%s/products.d"\ncatalogue = "%s/contrib/schema/samples/catalogue.json"\n'
        % (T, T, T, T, SOURCE))
    put(T + "/products.d/gw/array-01.json", PAPER)

    status, found, err = run()
    same((status, len(found), err), (0, 1, ""), "one device is told")
    product = found[0]["product"]
    wanted = {k: v for k, v in PAPER.items() if k not in ("schema", "host")}
    same({k: product.get(k) for k in wanted}, wanted, "what is registered comes out the same")
    same(found[0]["status"].get("capacity_changed_on"), "2026-10-11",
         "the summary tells since when the capacity holds")
    advice = found[0]["recommendations"]
    same([(r["action"], r["key"]) for r in advice],
         [("grow", "C-1/osaka-1/gw/array-01/grow/2026-10-11")],
         "the site's own catalogue gives advice under a key of that day")
    vendor = subprocess.run([ANALYZE, "recommend", "--config", T + "/tidemark.conf"],
                            input=json.dumps(found[0]), capture_output=True, text=True, timeout=60,
                            check=False)
    same(json.loads(vendor.stdout)["key"], advice[0]["key"], "the vendor finds the same key")
    ok(any(x["sku"] == "FW-DS200-4.4.2" for x in advice[0]["lines"]),
       "the registered firmware is behind", advice)

    # The device itself says that its firmware is newer than its paper.
    put(T + "/state/inventory/gw/array-01.json",
        {"schema": "tidemark.inventory/1", "kind": "disk_array", "vendor": "EXAMPLE", "model": "X",
         "serial": "DS2-1", "firmware": "4.4.2", "since": "2026-11-01T09:00:00Z",
         "changes": [{"on": "2026-11-01T09:00:00Z", "what": "firmware", "from": "4.3.0",
                      "to": "4.4.2"}]})
    status, found, err = run()
    same(found[0]["product"]["software"],
         [{"name": "firmware", "version": "4.4.2", "registered": "4.3.0", "since": "2026-11-01"}],
         "the firmware that was found wins, and the change is kept with its date")
    same(found[0]["product"]["model"], "DS-200", "the paper's name of the model stands")
    ok(not any(x["sku"] == "FW-DS200-4.4.2" for r in found[0]["recommendations"] for x in r["lines"]),
       "and no software is advised", found[0]["recommendations"])

    del PAPER["price"], PAPER["cache_bytes"]
    put(T + "/products.d/gw/array-01.json", PAPER)
    product = run()[1][0]["product"]
    ok("price" not in product and "cache_bytes" not in product,
       "what the paper leaves out is absent, not null or 0", product)

    put(T + "/products.d/wrong.json", '{"schema": "tidemark.registration/1",\n"kind": "disc"}')
    status, found, err = run()
    same((status, len(found)), (65, 1), "a wrong registration costs itself alone")
    ok(err.startswith("tidemark-analyze: %s/products.d/wrong.json:2: \"kind\" is \"disc\"" % T),
       "and is named with its line", err)
done()
