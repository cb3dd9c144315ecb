#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fit_pool.py OUT.h: fits the numbers of analyzer/forecast/pool.c (run `make` first).

Data: the bench's own histories and lines (series.py), and, where ../shared/bench/forecast is present, its
generator with seeds that its sets do not use, its real histories of the development set, cut at random, and sums
of two real histories of different projects (a volume holds more than one thing, and a network that has seen mixtures
does not know a project by its looks). What was shipped is the mean of three fits (--seeds 3,4,5, the default) with all
present. The loss is CRPS in log time; --folds K shows what is lost on real projects that were left out of the fit.

The network: log-odds(chance) = u^2 x + sum_j v_j^2 tanh(W_j^2 x + G_j s + g_j) + c s + b, with x the members'
log-odds and s the shape of the history and the horizon: squares, so that no chance can fall when a member's rises.
"""
import argparse, gzip, os, subprocess, sys, tempfile
sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.path.join(HERE, "../../.."))
SHARED = os.path.abspath(os.path.join(TOP, "../shared/bench/forecast"))
sys.path.insert(0, HERE)
import numpy as np
import series
tasks = None
if os.path.isdir(SHARED):
    sys.path.insert(0, SHARED)
    import tasks

MOST = 730                                                # days: pool.c's DAYS_MOST
DAYS = np.unique(np.round(np.exp(np.linspace(0, np.log(MOST), 48))).astype(int))
WEIGHT = np.zeros(len(DAYS))
for day in range(1, MOST + 1):
    WEIGHT[np.argmin(np.abs(np.log(DAYS) - np.log(day)))] += np.log1p(1 / day)
LATE = 0.5 * np.log(DAYS / 90)
MEMBERS, ODDEST, HALF = 5, 2.5, 0.003                     # as in pool.c


def members(ts):
    """Chances [n, days, members] and shapes [n, shapes] of the tasks that have a curve; which these are."""
    with tempfile.TemporaryDirectory() as d:
        tool, path = os.path.join(d, "members"), os.path.join(d, "in.csv")
        sources = [os.path.join(HERE, "members.c"), "build/libanalyzer.a", "build/libcommon.a"]
        subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-ffp-contract=off", "-I.", "-o", tool, *sources, "-ljansson", "-lcsv",
                        "-lm"], cwd=TOP, check=True)
        series.write_csv([dict(k, name=str(i)) for i, k in enumerate(ts)], path)
        out = subprocess.run([tool, path, *map(str, DAYS)], stdout=subprocess.PIPE, check=True, text=True).stdout
    rows = np.array([l.split() for l in out.splitlines()], float)
    n = rows.shape[1] - 1 - len(DAYS) * MEMBERS
    F = np.maximum.accumulate(rows[:, 1 + n:].reshape(-1, len(DAYS), MEMBERS), 1)
    return F, rows[:, 1:1 + n], rows[:, 0].astype(int)


class Data:
    def __init__(self, ts, weight):
        F, self.shape, kept = members(ts)
        p = np.clip(F, HALF, 1 - HALF)
        self.x = np.log(p / (1 - p)).astype(np.float32)
        ts = [ts[i] for i in kept]
        t, known = np.array([k["ttf"] for k in ts]), np.array([k.get("W", 365.0) for k in ts])
        self.hit = (DAYS[None] >= t[:, None] - 1e-9).astype(float)
        self.q = (DAYS[None] <= known[:, None]) * WEIGHT[None]
        self.weight = weight
        self.group = np.array([project(k["name"]) for k in ts])

    def condition(self, mean, sd):
        z = np.clip((self.shape - mean) / sd, -ODDEST, ODDEST)
        z = np.broadcast_to(z[:, None], (len(z), len(DAYS), z.shape[1]))
        self.s = np.concatenate([z, np.broadcast_to(LATE[None, :, None], z.shape[:2] + (1,))], 2).astype(np.float32)


class Net:
    def __init__(self, n_shape, hidden, seed):
        r = np.random.default_rng(seed)
        self.p = dict(u=np.full(MEMBERS, np.sqrt(0.7 / MEMBERS)), W=r.normal(0, 0.3, (hidden, MEMBERS)),
                      G=r.normal(0, 0.2, (hidden, n_shape)), g=np.zeros(hidden), v=np.abs(r.normal(0, 0.3, hidden)) + 0.2,
                      c=np.zeros(n_shape), b=np.zeros(1))
        self.p = {k: v.astype(np.float32) for k, v in self.p.items()}
        self.m = {k: np.zeros_like(v) for k, v in self.p.items()}
        self.v = {k: np.zeros_like(v) for k, v in self.p.items()}
        self.t = 0

    def chance(self, x, s):
        p = self.p
        a = np.tanh(x @ (p["W"] ** 2).T + s @ p["G"].T + p["g"])
        return 1 / (1 + np.exp(-(x @ p["u"] ** 2 + a @ p["v"] ** 2 + s @ p["c"] + p["b"][0]))), a

    def gradient(self, d, ix, days):
        p, x, s = self.p, d.x[ix][:, days], d.s[ix][:, days]
        F, a = self.chance(x, s)
        weight = 2 * d.weight / len(ix) * len(DAYS) / len(days)
        e = (weight * d.q[ix][:, days] * (F - d.hit[ix][:, days]) * F * (1 - F)).reshape(-1).astype(np.float32)
        a, x, s = a.reshape(len(e), -1), x.reshape(len(e), -1), s.reshape(len(e), -1)
        z = e[:, None] * (1 - a * a) * p["v"] ** 2
        return dict(u=2 * p["u"] * (e @ x), v=2 * p["v"] * (e @ a), c=e @ s, b=np.array([e.sum()]), W=2 * p["W"] * (z.T @ x),
                    G=z.T @ s, g=z.sum(0))

    def step(self, grad, rate, decay):                    # Adam
        self.t += 1
        for k in self.p:
            g = grad[k] + (0 if k in "bg" else decay) * self.p[k]
            self.m[k] = 0.9 * self.m[k] + 0.1 * g
            self.v[k] = 0.99 * self.v[k] + 0.01 * g * g
            step = rate * self.m[k] / (1 - 0.9 ** self.t) / (np.sqrt(self.v[k] / (1 - 0.99 ** self.t)) + 1e-9)
            self.p[k] = (self.p[k] - step).astype(np.float32)


def fit(sets, seed, hidden=20, epochs=24, batch=512, decay=2e-3, stride=3):
    net, r = Net(sets[0][0].s.shape[2], hidden, seed), np.random.default_rng(seed + 5)
    steps = max(1, sum(len(ix) for _, ix in sets) // batch)
    for e in range(epochs):
        rate = 0.01 * (1 + np.cos(np.pi * e / epochs)) + 1e-4
        mixed = [(d, r.permutation(ix)) for d, ix in sets]
        for i in range(steps):
            total, days = {}, np.arange(r.integers(stride), len(DAYS), stride)
            for d, ix in mixed:
                part = ix[len(ix) * i // steps:len(ix) * (i + 1) // steps]
                if len(part):
                    for k, g in net.gradient(d, part, days).items():
                        total[k] = total.get(k, 0) + g
            net.step(total, rate, decay)
    return net


def loss(net, d, ix):
    F = np.maximum.accumulate(net.chance(d.x[ix], d.s[ix])[0], 1)
    return ((F - d.hit[ix]) ** 2 * d.q[ix]).sum(1)


def write(path, nets, mean, sd):
    k, P = len(nets), [n.p for n in nets]
    cat = lambda f: np.concatenate([f(p) for p in P])
    avg = lambda f: sum(f(p) for p in P) / k
    row = lambda v: "{" + ", ".join("%.5g" % x for x in v) + "}"
    table = lambda m: "{" + ", ".join(row(v) for v in m) + "}"
    v = cat(lambda p: p["v"] ** 2) / k
    alive = v > 1e-5                                      # the decay puts units to sleep
    W, G, c = cat(lambda p: p["W"] ** 2)[alive], cat(lambda p: p["G"])[alive], avg(lambda p: p["c"])
    W = np.where(W > 1e-9, W, 0)
    lines = ["/* SPDX-License-Identifier: MIT */", "/* Written by tests/bench/forecast/fit_pool.py: the numbers of pool.c. */",
             "#ifndef TM_FORECAST_POOL_FIT_H", "#define TM_FORECAST_POOL_FIT_H", "", "#define FIT_HIDDEN %d" % len(W), ""]
    for name, value in (("fit_shape_mean[FC_SHAPES]", row(mean)), ("fit_shape_sd[FC_SHAPES]", row(sd)),
                        ("fit_constant", "%.5g" % avg(lambda p: p["b"][0])), ("fit_late", "%.5g" % c[-1]),
                        ("fit_member[FC_MEMBERS]", row(avg(lambda p: p["u"] ** 2))), ("fit_shape[FC_SHAPES]", row(c[:-1])),
                        ("fit_hidden[FIT_HIDDEN]", row(v[alive])),
                        ("fit_hidden_constant[FIT_HIDDEN]", row(cat(lambda p: p["g"])[alive])),
                        ("fit_hidden_late[FIT_HIDDEN]", row(G[:, -1])),
                        ("fit_hidden_member[FC_MEMBERS][FIT_HIDDEN]", table(W.T)),
                        ("fit_hidden_shape[FC_SHAPES][FIT_HIDDEN]", table(G[:, :-1].T))):
        lines.append("static const double %s = %s;" % (name, value))
    with open(path, "w") as f:
        f.write("\n".join(lines + ["", "#endif", ""]))


def project(name):
    return name.split(":")[-1].split("/")[0].split("@")[0]


def mixtures(dev, folds, times=2):
    """Tasks on sums of two real histories; both come from projects of one fold."""
    with gzip.open(os.path.join(dev, "real-daily.txt.gz"), "rt") as f:
        lines = [l.rstrip("\n").split(",") for l in f]
    long = [(n, int(d), np.array(v.split(), float)) for n, d, v in lines]
    long = [(n, d, y) for n, d, y in long if len(y) >= 400]
    r = np.random.default_rng(5)
    with tempfile.TemporaryDirectory() as tmp:
        with gzip.open(os.path.join(tmp, "real-daily.txt.gz"), "wt") as f:
            for i, (n, d, y) in enumerate(long * times):
                others = [z for m, _, z in long if project(m) != project(n) and folds[project(m)] == folds[project(n)]]
                if not others:
                    continue
                z = others[r.integers(len(others))]
                k = min(len(y), len(z))
                a, b = (v[at:at + k] for v, at in ((y, r.integers(len(y) - k + 1)), (z, r.integers(len(z) - k + 1))))
                if a[-1] > 0 and b[-1] > 0:
                    both = 1e9 * (a / a[-1] + np.exp(r.normal(0, 0.7)) * b / b[-1])
                    f.write("mix:%s/%d,%d,%s\n" % (project(n), i, d, " ".join("%d" % v for v in both)))
        return sum((tasks.real(dict(path=tmp, seed=s, real_per=8)) for s in range(11, 17)), [])


def gather(folds):
    sets = [Data(sum((series.tasks(s, 600) for s in (1, 2, 3)), []), 0.25 / 0.2), Data(series.lines(2, 300), 0.1)]
    if tasks is not None:
        dev = os.path.join(SHARED, "sets/dev")
        sets.append(Data(sum((tasks.synth(dict(path=dev, seed=s, synth=1000)) for s in range(12, 24)), []), 1 / 0.14))
        real = sum((tasks.real(dict(path=dev, seed=s, real_per=8, weekly_per=2)) for s in range(11, 25)), [])
        fold = {g: i % max(folds, 1) for i, g in enumerate(sorted(set(project(k["name"]) for k in real)))}
        sets.append(Data(mixtures(dev, fold), 1 / 1.0))
        sets.append(Data(real, 1 / 0.5))
        for d in sets[-2:]:
            d.fold = np.array([fold[g] for g in d.group])
    shape = np.concatenate([d.shape for d in sets if d.weight != 0.1 and d.weight != 1.0])
    mean, sd = shape.mean(0), shape.std(0) + 1e-6
    for d in sets:
        d.condition(mean, sd)
    return sets, mean, sd


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("out")
    ap.add_argument("--seeds", default="3,4,5")
    ap.add_argument("--folds", type=int, default=0)
    a = ap.parse_args()
    if a.folds and tasks is None:
        ap.error("--folds leaves out real projects: there are none without ../shared/bench/forecast")
    seeds = [int(s) for s in a.seeds.split(",")]
    sets, mean, sd = gather(a.folds)
    if a.folds:
        left = []
        for f in range(a.folds):
            part = [(d, np.flatnonzero(d.fold != f) if hasattr(d, "fold") else np.arange(len(d.x))) for d in sets]
            left.append(loss(fit(part, seeds[0]), sets[-1], np.flatnonzero(sets[-1].fold == f)))
        print("crpsl of projects left out: %.4f" % np.concatenate(left).mean())
    everything = [(d, np.arange(len(d.x))) for d in sets]
    nets = [fit(everything, s) for s in seeds]
    for d, ix in everything:
        print("%6d tasks, crpsl of the first fit %.4f" % (len(ix), loss(nets[0], d, ix).mean()))
    write(a.out, nets, mean, sd)


if __name__ == "__main__":
    main()
