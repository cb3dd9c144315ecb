# SPDX-License-Identifier: MIT
"""same_summaries.py WANTED SEEN: the summaries of two sources are the same within the resolution:
the same devices and days, maxima equal where they are exact, amounts within a thousandth, percentiles
near each other where rows are not as long, dates of forecasts within two hundredths of the time until then and a week."""
import datetime
import json
import sys


def load(path):
    with open(path, encoding="utf-8") as f:
        found = [json.loads(line) for line in f]
    return {(d["customer"]["host"], d["product"]["device"]): d for d in found}


def near(a, b, share):
    if a is None or b is None or isinstance(a, str):
        return a == b
    return abs(a - b) <= share * max(abs(a), abs(b))


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def differences(a, b):
    for key in ("kind", "device"):
        if a["product"][key] != b["product"][key]:
            yield "product " + key
    late = abs((when(a["status"]["observed_at"]) - when(b["status"]["observed_at"])).total_seconds())
    if late > 300:
        yield "observed_at"
    for key in ("capacity_bytes", "used_bytes", "slots_total", "slots_used"):
        if not near(a["status"].get(key), b["status"].get(key), 1e-3):
            yield key, a["status"].get(key), b["status"].get(key)
    changed = [s["status"].get("capacity_changed_on") for s in (a, b)]
    if changed[0] != changed[1]:
        yield "capacity_changed_on", *changed
    yield from transfers(a["status"]["transfers"], b["status"]["transfers"])
    if [d["date"] for d in a["history"]] != [d["date"] for d in b["history"]]:
        yield "days"
    exact = a["status"]["transfers"] is None or a["status"]["transfers"]["resolution"] != "rate"
    for x, y in zip(a["history"], b["history"]):
        for key, share in (("capacity_bytes", 1e-3), ("used_bytes", 1e-3), ("covered", 1e-2),
                           ("transfers_max", 1e-9 if exact else 0.05), ("transfers_mean", 0.01),
                           ("transfers_p95", 0.1 if exact else 0.15)):
            if not near(x.get(key), y.get(key), share):
                yield x["date"], key, x.get(key), y.get(key)
    yield from forecasts(a, b)


def transfers(a, b):
    if (a is None) != (b is None):
        yield "transfers", a, b
    elif a is not None:
        for key in ("unit", "interval_s", "resolution", "max_at"):
            if a[key] != b[key] and (key != "max_at" or a["resolution"] == "exact"):
                yield "transfers", key, a[key], b[key]


def forecasts(a, b):
    f, g = a.get("forecast"), b.get("forecast")
    if (f is None) != (g is None):
        yield "forecast", f, g
        return
    if f is None:
        return
    if f["verdict"] != g["verdict"]:
        yield "verdict", f["verdict"], g["verdict"]
    now = when(a["status"]["observed_at"])
    for key, date in f["fill"].items():
        other = g["fill"].get(key)
        if key == "probability_by_horizon":
            continue
        if date is None or other is None:
            if date != other:
                yield "fill", key, date, other
            continue
        allowed = 0.02 * abs((when(date) - now).total_seconds()) + 7 * 86400
        if abs((when(date) - when(other)).total_seconds()) > allowed:
            yield "fill", key, date, other


def main(wanted, seen):
    a, b = load(wanted), load(seen)
    bad = ["only in one: %s/%s" % k for k in sorted(set(a) ^ set(b))]
    for key in sorted(set(a) & set(b)):
        bad += ["%s/%s: %s" % (*key, d) for d in differences(a[key], b[key])]
    for line in bad[:40]:
        print(line)
    if not a or bad:
        sys.exit(1)


main(*sys.argv[1:3])
