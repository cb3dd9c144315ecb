#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tidemark-analyze recommend: the sales list, late ones first, and nobody else on it."""
import json
import os
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("SOURCE", os.getcwd())
sys.path.insert(0, os.path.join(SOURCE, "tests/lib"))
import summaries as made  # noqa: E402
from tap import done, note, ok, same  # noqa: E402

ANALYZE = os.path.join(os.environ.get("BUILD", "build"), "tidemark-analyze")
CATALOGUE = os.path.join(SOURCE, "contrib/schema/samples/catalogue.json")


def run(*args, given=None):
    p = subprocess.run([ANALYZE, "recommend", "--config", CONFIG, *args], input=given,
                       capture_output=True, text=True, timeout=60, check=False)
    return p.returncode, p.stdout, p.stderr


def lines(text):
    return [json.loads(x) for x in text.splitlines()]


with tempfile.TemporaryDirectory() as T:
    CONFIG = T + "/tidemark.conf"
    with open(CONFIG, "w", encoding="utf-8") as f:
        f.write('customer { id = "V" }\nsite { name = "vendor"  timezone = "UTC" }\n')
    fleet = made.fleet()
    made.write(T + "/fleet", fleet)

    status, out, err = run("--catalogue", CATALOGUE, T + "/fleet")
    found = lines(out)
    same(status, 0, "a fleet is advised")
    same(sorted(o["customer"]["id"] for o in found), ["C-0003", "C-0010", "C-0017"],
         "of 20 customers exactly the three that need something are listed")
    ok(all("110 TiB of 120 TiB used" in o["reason"] for o in found), "each says why, with its numbers",
       [o["reason"] for o in found])
    same([o["order_by"] for o in found], sorted(o["order_by"] for o in found),
         "the first to be ordered leads")
    # Full with 1 chance in 10 in 23 days; shelves take 40 days and the sale 14.
    first = found[0]
    same((first["order_by"], first["late_by_days"]), ("2026-10-20", 31),
         "nearer than the lead time: late, and by how many days")
    same(first["key"], "C-0003/osaka-1/nas-gw.example.com/array-01/grow/2025-04-01",
         "the key names customer, site, host, device, need and last change")

    again = run("--catalogue", CATALOGUE, T + "/fleet")[1]
    same(again, out, "the same input gives the same bytes")
    shuffled = T + "/shuffled"
    made.write(shuffled, fleet[::-1])
    same(run("--catalogue", CATALOGUE, shuffled)[1], out, "the order of the summaries does not matter")

    # A load that rises is seen in two months of days, and not in the week that a summary carries.
    busy = made.summary(customer="C-0100", load=(20000, 33000), days=60)
    days = busy["history"]
    week = dict(busy, history=days[-7:])
    before = dict(week, history=days[-14:-6], generated_at=made.when(-7))
    history = {k: busy[k] for k in ("generated_at", "period", "customer", "product")}
    history.update(schema="tidemark.history/1", generated_at=made.when(-14), history=days[:-13])
    wanted = run("--catalogue", CATALOGUE, "-", given=json.dumps(busy))
    same([o["action"] for o in lines(wanted[1])], ["cache"], "a load that rises is advised on")
    same(run("--catalogue", CATALOGUE, "-", given=json.dumps(week))[:2], (0, ""),
         "... not when only a week of it is told")
    given = "\n".join(json.dumps(d) for d in (history, before, week))
    same(run("--catalogue", CATALOGUE, "-", given=given), wanted,
         "... and with the history before the summaries as if it were told at once")
    status, out, err = run("--catalogue", CATALOGUE, "--format", "summaries", "-", given=given)
    same([len(s["history"]) for s in lines(out)], [8, 7], "summaries keep the days that they carry")
    same(lines(out)[1]["recommendations"][0]["key"], lines(wanted[1])[0]["key"],
         "... and get the advice of all days")

    status, out, err = run("--catalogue", CATALOGUE, "--as-of", "2026-11-30", "-",
                           given=json.dumps(fleet[3]))
    later = lines(out)[0]
    same((status, later["key"], later["late_by_days"]), (0, first["key"], 41),
         "ten days later: the same key, ten days later still")

    # The summary of today says that the shelf is in: what an older one said is closed.
    closed = [fleet[3], made.summary(customer="C-0003", used=110, capacity=200,
                                     generated_at="2026-11-20T06:00:00Z")]
    made.write(T + "/closed", closed)
    same(run("--catalogue", CATALOGUE, T + "/closed")[:2], (0, ""),
         "an expansion closes the item, whichever summary comes first")
    made.write(T + "/closed", closed[::-1])
    same(run("--catalogue", CATALOGUE, T + "/closed")[:2], (0, ""), "and in the other order")

    with open(T + "/bad", "w", encoding="utf-8") as f:
        f.write(json.dumps(fleet[3]) + "\n")
        f.write('{"schema":"tidemark.summary/1"\n')
        f.write('{"schema":"tidemark.summary/9","generated_at":"2026-11-20T00:05:00Z"}\n')
        f.write('\n{"schema":"tidemark.summary/1","generated_at":"2026-11-20T00:05:00Z","product":'
                '{"kind":"disk_array","model":"DS-200"},"history":7}\n')
        f.write("[" * 100 + "\n")
        f.write(json.dumps(fleet[10]) + "\n")
    status, out, err = run("--catalogue", CATALOGUE, T + "/bad")
    same((status, len(lines(out))), (65, 2), "bad lines cost themselves alone, exit 65")
    same([x.split(": ")[1] for x in err.splitlines()],
         ["%s/bad:%d" % (T, n) for n in (2, 3, 5, 6)], "each is named by its file and line")
    note(err)

    status, out, err = run("--catalogue", CATALOGUE, "--format", "table", T + "/fleet")
    ok(status == 0 and out.endswith("3 of 20 devices need something.\n"), "the table tells how many",
       out)
    status, out, err = run("--catalogue", CATALOGUE, "--format", "summaries", T + "/fleet")
    same([len(s["recommendations"]) for s in lines(out)], [int(i in (3, 10, 17)) for i in range(20)],
         "summaries come back with their recommendations")
    advised = {r["key"] for s in lines(out) for r in s["recommendations"]}
    same(advised, {o["key"] for o in found}, "under the same keys as the list")

    # What leaves a site for the purpose factory: lines and dates, and not of what device.
    factory = {k: v for k, v in json.loads(out.splitlines()[3]).items()
               if k in ("schema", "generated_at", "period", "customer", "product",
                        "recommendations")}
    factory["product"] = {"device": "array-01"}
    kept = lines(run("--catalogue", CATALOGUE, "--format", "summaries",
                     given=json.dumps(factory))[1])
    same(kept, [factory], "what a site recommends stands where it tells no more")

    for args, wanted, name in [
            (("--catalogue", T + "/none", T + "/fleet"), 66, "no catalogue: 66"),
            (("--catalogue", CONFIG, T + "/fleet"), 78, "a catalogue that is none: 78"),
            ((T + "/fleet",), 64, "no catalogue named: 64"),
            (("--catalogue", CATALOGUE, T + "/nothing"), 66, "no such file: 66"),
            (("--catalogue", CATALOGUE, "/dev/null"), 66, "no summary in it: 66"),
            (("--catalogue", CATALOGUE, "--as-of", "soon", T + "/fleet"), 64, "no time: 64"),
            (("--catalogue", CATALOGUE, "--format", "xml", T + "/fleet"), 64, "no format: 64")]:
        status, out, err = run(*args)
        same((status, out, len(err.splitlines())), (wanted, "", 1), name)

    refused = [subprocess.run([ANALYZE, *words, "--as-of", "soon"], capture_output=True, text=True,
                              timeout=60, check=False)
               for words in (["run"], ["graph", "array", "-o", T + "/a.svg"],
                             ["recommend", "--catalogue", CATALOGUE], ["demand"])]
    same([(p.returncode, p.stderr) for p in refused], [(64, refused[0].stderr)] * 4,
         "each command that has --as-of refuses what is no time in the same words")

    strict = T + "/strict.conf"
    with open(CONFIG, encoding="utf-8") as f, open(strict, "w", encoding="utf-8") as g:
        g.write(f.read() + "recommend { min_probability = 0.95 }\n")
    same(run("--catalogue", CATALOGUE, "--config", strict, T + "/fleet")[:2], (0, ""),
         "the configuration's thresholds hold")

    big = made.fleet(1000)
    made.write(T + "/big", big)
    status, out, err = run("--catalogue", CATALOGUE, T + "/big")
    same((status, len(lines(out))), (0, 150), "a thousand devices")
done()
