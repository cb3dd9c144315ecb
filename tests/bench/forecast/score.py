#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""score.py BINARY [--series N] [--seed S]: how right the dates are on the bench's own histories, beside the
straight lines of today's tools, and how many series a second one core forecasts.

crpsl: CRPS of the fill date in log time over the known future (proper under censoring), less is better;
in15: p50 within 15 %; covgap: share inside p10-p90 against what is due; brier90: 'full within 90 days'.
Exit 1 when the binary is not ahead of every line, or its intervals do not hold.
"""
import argparse, datetime, json, os, subprocess, sys, tempfile, time
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import numpy as np
import series

GRID = np.arange(1.0, series.FUTURE + 1)


def line(ts, days):
    """Least squares over the newest days; end to end over everything when days is None."""
    T = []
    for k in ts:
        ok = np.isfinite(k["used"]) & (k["used"] > 0)
        t, y = (k["time"][ok] - k["time"][-1]) / 86400, k["used"][ok]
        if days:
            t, y = t[t >= -days], y[t >= -days]
            rate, at = np.polyfit(t, y, 1) if len(t) > 1 else (0, y[-1])
        else:
            rate, at = (y[-1] - y[0]) / max(t[-1] - t[0], 1), y[-1]
        T.append(max((k["capnow"] - at) / rate, 0) if rate > 0 else np.inf)
    T = np.array(T)
    return (GRID[None] >= T[:, None]).astype(float), np.repeat(T[:, None], 3, 1)


def run(binary, ts, *options):
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "in.csv")
        series.write_csv(ts, path)
        began = time.time()
        out = subprocess.run([binary, "forecast", "--steps", "30", "--quantiles", "0.025,0.1,0.5,0.9,0.975", *options, path],
                             stdout=subprocess.PIPE, check=True).stdout
        return [json.loads(l) for l in out.splitlines()], time.time() - began


def curves(ts, lines):
    F, q = np.zeros((len(ts), len(GRID))), np.full((len(ts), 3), np.inf)
    for i, (k, o) in enumerate(zip(ts, lines)):
        fill = o["fill"]
        days = lambda p: (datetime.datetime.fromisoformat(fill[p].replace("Z", "+00:00")).timestamp() - k["time"][-1]) / 86400
        known = [(days(p), float(p)) for p in fill if p[0] == "0" and fill[p]]
        known += [(float(h[:-1]), p) for h, p in fill["probability_by_horizon"].items()]
        x, y = zip(*sorted([(0.0, 0.0)] + known))
        F[i] = np.interp(GRID, x, np.maximum.accumulate(y))
        for j, p in enumerate(("0.1", "0.5", "0.9")):
            if fill[p]:
                q[i, j] = days(p)
    return F, q


def score(ts, F, q):
    t = np.array([k["ttf"] for k in ts])
    D = (F - (GRID[None] >= t[:, None])) ** 2
    fills, judged = np.isfinite(t), q[:, 0] <= series.FUTURE
    inside = (t >= q[:, 0] - 1) & ((t <= q[:, 2] + 1) | (q[:, 2] > series.FUTURE))
    due = np.where(q[:, 2] <= series.FUTURE, 0.8, 0.9)
    return dict(crpsl=(D * np.log1p(1 / GRID)).sum(1).mean(),
                in15=(np.abs(q[fills, 1] - t[fills]) <= np.maximum(0.15 * t[fills], 1)).mean(),
                covgap=abs(inside[judged].mean() - due[judged].mean()), brier90=((F[:, 89] - (t <= 90)) ** 2).mean())


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("binary")
    ap.add_argument("--series", type=int, default=1000)
    ap.add_argument("--seed", type=int, default=777)
    a = ap.parse_args()
    ts = series.tasks(a.seed, a.series)
    rows = [("line of 30 days", score(ts, *line(ts, 30))), ("line of 90 days", score(ts, *line(ts, 90))),
            ("end to end", score(ts, *line(ts, None)))]
    rows.append(("tidemark", score(ts, *curves(ts, run(a.binary, ts)[0]))))
    print("%-18s" % "" + "".join("%10s" % c for c in rows[0][1]))
    for name, r in rows:
        print("%-18s" % name + "".join("%10.3f" % v for v in r.values()))
    rng = np.random.default_rng(7)
    many = [dict(name="v%05d" % i, time=1700006400 + 86400 * np.arange(365), cap=np.full(365, 1e12),
                 used=np.round(1e12 * (0.5 + 0.001 * np.arange(365) * rng.random()) + rng.normal(0, 1e9, 365))) for i in range(1500)]
    for jobs in ("1", "2"):
        print("%6.0f series of 365 rows a second with --jobs %s" % (len(many) / run(a.binary, many, "--jobs", jobs)[1], jobs))
    own = rows.pop()[1]
    bad = own["covgap"] > 0.06 or any(own[c] >= r[c] for _, r in rows for c in ("crpsl", "brier90"))
    print("not ahead of the lines, or the intervals do not hold" if bad else "ahead of every line")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
