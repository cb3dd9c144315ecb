#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tidemark-analyze demand: what the factory should have ready, from what was recommended."""
import csv
import io
import json
import os
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("SOURCE", os.getcwd())
sys.path.insert(0, os.path.join(SOURCE, "tests/lib"))
import summaries as made  # noqa: E402
from tap import done, ok, same  # noqa: E402

ANALYZE = os.path.join(os.environ.get("BUILD", "build"), "tidemark-analyze")
CATALOGUE = os.path.join(SOURCE, "contrib/schema/samples/catalogue.json")


def run(command, *args, given=None):
    p = subprocess.run([ANALYZE, command, "--config", CONFIG, *args], input=given,
                       capture_output=True, text=True, timeout=60, check=False)
    return p.returncode, p.stdout, p.stderr


with tempfile.TemporaryDirectory() as T:
    CONFIG = T + "/tidemark.conf"
    with open(CONFIG, "w", encoding="utf-8") as f:
        f.write('customer { id = "V" }\nsite { name = "vendor"  timezone = "UTC" }\n')
    # Five customers whose early and late edges lie in the week from 2027-01-11.
    five = [made.summary(customer="C-%d" % i, used=110, growth=0.2, fill=(52.5, 55, 58))
            for i in range(5)]
    quiet = [made.summary(customer="D-%d" % i) for i in range(15)]
    made.write(T + "/given", five + quiet)
    advised = run("recommend", "--catalogue", CATALOGUE, "--format", "summaries", T + "/given")[1]
    status, out, err = run("demand", given=advised)
    document = json.loads(out)
    same((status, err), (0, ""), "demand follows recommend in a pipe")
    same((document["schema"], document["generated_at"], document["from"], document["summaries"]),
         ("tidemark.demand/1", "2026-11-20T00:05:00Z", "2026-11-16", 20),
         "the document says of when and of how many devices it is")
    quantity = {}
    for line in advised.splitlines():
        for r in json.loads(line)["recommendations"]:
            for x in r["lines"]:
                quantity[x["sku"]] = quantity.get(x["sku"], 0) + x["quantity"]
    week = {x["sku"]: x for x in document["lines"] if x["week"] == "2027-W02"}
    same(sorted(week), sorted(quantity), "every SKU of the advice is in the week of the need")
    total = {sku: sum(x["expected"] for x in document["lines"] if x["sku"] == sku)
             for sku in quantity}
    ok(all(abs(total[s] - 0.9 * quantity[s]) < 0.02 for s in quantity),
       "the sums are quantities weighted by probability", total, quantity)
    ok(all(x["customers"] == 5 for x in week.values()), "five customers are behind it", week)
    ok(all(x["low"] <= x["middle"] <= x["high"] for x in document["lines"]), "low, middle, high")
    ok("C-3" not in out and "Example" not in out, "no customer is named")
    named = json.loads(run("demand", "--customers", given=advised)[1])
    ok(any(x["customer_ids"] == ["C-0", "C-1", "C-2", "C-3", "C-4"] for x in named["lines"]),
       "unless that was asked for")
    table = list(csv.DictReader(io.StringIO(
        run("demand", "--customers", "--format", "csv", given=advised)[1])))
    ok(any(x["customer_ids"] == "C-0 C-1 C-2 C-3 C-4" for x in table), "in a table too", table)
    ok("customer_ids" not in run("demand", "--format", "csv", given=advised)[1],
       "where no customer is named otherwise")
    many = "".join(advised.replace('"device":"', '"device":"%d' % i).replace('"sku":"', '"sku":"%d' % i)
                   for i in range(40))
    with open("/dev/full", "w", encoding="utf-8") as full:
        p = subprocess.run([ANALYZE, "demand", "--config", CONFIG], input=many, stdout=full,
                           stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    same((p.returncode, p.stderr), (73, "tidemark-analyze: standard output: cannot write: "
                                    "No space left on device\n"), "a full disk is told, and where")
    with open("/dev/full", "w", encoding="utf-8") as full:
        p = subprocess.run([ANALYZE, "recommend", "--config", CONFIG, "--catalogue", CATALOGUE],
                           input=many, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
                           check=False)
    same((p.returncode, p.stderr), (73, "tidemark-analyze: standard output: cannot write: "
                                    "No space left on device\n"), "recommend tells it in the same words")
    long = "=" + "S" * 300
    table = list(csv.DictReader(io.StringIO(run("demand", "--format", "csv", given=advised.replace(
        '"sku":"%s"' % document["lines"][0]["sku"], '"sku":"%s"' % long))[1])))
    ok("'" + long in [x["sku"] for x in table], "a long name stands whole in the table",
       [x["sku"] for x in table])

    with open(T + "/shops", "w", encoding="utf-8") as f:
        json.dump({"schema": "tidemark.shops/1", "otherwise": "Tokyo",
                   "shops": {"C-1": "Osaka", "C-2/osaka-1": "Kobe"}}, f)
    by_shop = json.loads(run("demand", "--shops", T + "/shops", given=advised)[1])
    seen = {}
    for x in by_shop["lines"]:
        if x["week"] == "2027-W02":
            seen[x["shop"]] = x["customers"]
    same(seen, {"Osaka": 1, "Kobe": 1, "Tokyo": 3}, "customers belong to their shops")

    same(run("demand", given="\n".join(reversed(advised.splitlines())))[1], out,
         "the order of the summaries changes no byte")
    same(run("demand", given=advised + advised)[1], out, "a summary that came twice counts once")
    newer = [made.summary(customer="C-3", used=110, capacity=300,
                          generated_at="2026-11-20T00:05:00Z")]
    made.write(T + "/newer", newer)
    closed = json.loads(run("demand", "-", T + "/newer", given=advised)[1])
    same(max(x["customers"] for x in closed["lines"]), 4, "a need that was closed is taken back")

    status, out, err = run("demand", "--format", "csv", given=advised)
    rows = list(csv.DictReader(io.StringIO(out)))
    same((len(rows), rows[0]["sku"], rows[0]["shop"]),
         (len(document["lines"]), document["lines"][0]["sku"], ""), "the same as CSV")
    evil = json.loads(advised.splitlines()[0])
    evil["recommendations"][0]["lines"][0]["sku"] = '=cmd|" /C calc"!A0'
    row = list(csv.DictReader(io.StringIO(run("demand", "--format", "csv",
                                              given=json.dumps(evil))[1])))[0]
    same(row["sku"], "'=cmd|\" /C calc\"!A0", "a spreadsheet sees no formula")

    evil["recommendations"][0]["lines"][0]["quantity"] = -4
    status, out, err = run("demand", given=advised + json.dumps(evil) + "\n{\n")
    same((status, json.loads(out)["summaries"]), (65, 20), "bad lines cost themselves alone")
    same([x.split(": ")[1] for x in err.splitlines()], ["standard input:21", "standard input:22"],
         "and are named")
    same(run("demand", T + "/absent")[0], 66, "no such file: 66")
    same(run("demand", "--weeks", "0", given=advised)[0], 64, "no weeks: 64")
    same(run("demand", "--shops", CONFIG, given=advised)[0], 78, "a shop map that is none: 78")
    same(run("demand", "--shops", T + "/absent", given=advised)[0], 66, "no shop map: 66")
    same(run("demand", given="")[:2], (66, ""), "no summary: 66")
    same(run("demand", given="{\n")[:2], (65, ""), "none but a bad one: 65")
    empty = json.loads(run("demand", "--as-of", "2026-11-20", given="")[1])
    same((empty["summaries"], empty["lines"]), (0, []), "of a named day nothing may be needed")
done()
