# SPDX-License-Identifier: MIT
"""Summaries of made-up customers for the tests of recommend and demand."""
import datetime
import json

TIB = 2**40
NOW = datetime.datetime(2026, 11, 20, 0, 5, tzinfo=datetime.timezone.utc)


def when(days):
    if days is None:
        return None
    return (NOW + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def summary(customer="C-1001", device="array-01", used=60, growth=0.0, fill=(None, None, None),
            model="DS-200", firmware="4.4.2", load=(9000, 9000), days=35, capacity=120,
            generated_at=None, kind="disk_array", vendor="Example Storage", cache=32 * 2**30,
            recommendations=None, site="osaka-1"):
    history = []
    for i in range(days):
        share = i / (days - 1)
        history.append({
            "date": (NOW - datetime.timedelta(days=days - 1 - i)).strftime("%Y-%m-%d"),
            "capacity_bytes": capacity * TIB, "used_bytes": int((used - (days - 1 - i) * growth) * TIB),
            "transfers_max": load[0] + share * (load[1] - load[0]), "transfers_max_at": None,
            "transfers_mean": 1000, "transfers_p95": 3000, "covered": 1})
    return {
        "schema": "tidemark.summary/1", "generated_at": generated_at or when(0),
        "period": {"from": when(-days), "to": when(0)},
        "customer": {"id": customer, "name": "Example %s KK" % customer, "site": site,
                     "host": "nas-gw.example.com"},
        "product": {"device": device, "kind": kind, "vendor": vendor, "model": model,
                    "serial": "S-" + device, "sold_on": "2025-04-01", "cache_bytes": cache,
                    "software": [{"name": "firmware", "version": firmware}]},
        "status": {"observed_at": when(0), "capacity_bytes": capacity * TIB,
                   "used_bytes": int(used * TIB),
                   "transfers": {"unit": "transfers", "interval_s": 300,
                                 "max_per_interval": max(load), "max_at": None,
                                 "mean_per_interval": 1000, "resolution": "exact"}},
        "history": history,
        "forecast": {"model": "test", "verdict": "growing" if fill[0] else "flat", "reason": "",
                     "growth_bytes_per_day": int(growth * TIB),
                     "fill": {"0.1": when(fill[0]), "0.5": when(fill[1]), "0.9": when(fill[2]),
                              "probability_by_horizon": {} if fill[0] else {"365d": 0.01}},
                     "backtest": {"mase": None, "record": None}},
        "recommendations": recommendations or []}


def write(path, summaries):
    with open(path, "w", encoding="utf-8") as f:
        for s in summaries:
            f.write(json.dumps(s, ensure_ascii=False) + "\n")


def fleet(customers=20):
    """Of every 20 customers exactly three need something: the 4th, 11th and 18th."""
    out = []
    for i in range(customers):
        needy = i % 20 in (3, 10, 17)
        out.append(summary(
            customer="C-%04d" % i, used=110 if needy else 20 + 4 * (i % 20),
            growth=0.3 if needy else 0.01 * (i % 3),
            fill=(20 + i % 20, 30 + i % 20, 40 + i % 20) if needy else (None, None, None)))
    return out
