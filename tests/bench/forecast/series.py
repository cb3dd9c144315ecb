# SPDX-License-Identifier: MIT
"""Histories with a known future, of kinds that storage shows: the bench's own data, seeded, numpy only.

tasks(seed, n) gives dicts: name, kind, time [s], used, cap, capnow, ttf [days until the true use reaches
the capacity; inf when not within FUTURE days], step [s]. The capacity never knows the future.
lines(seed, n) gives straight lines, some with a gap or a trace of noise: what cannot be doubted.
"""
import numpy as np

FUTURE = 365
DAY = 86400


def _noise(rng, t, g, y):
    y = y + np.cumsum(rng.normal(0, 1, len(t))) * max(g, 2e-4) * np.exp(rng.normal(-0.6, 0.8))
    return y + rng.normal(0, 1, len(t)) * np.exp(rng.normal(-6.5, 0.9))


def ramp(rng, t, g):
    """Retention fills up, then stands."""
    start, length = t[0] + rng.uniform(-200, 500), rng.uniform(60, 700)
    on = (t > start) & (t < start + length)
    return _noise(rng, t, g, np.cumsum(np.where(on, g * rng.uniform(1.5, 3), g * rng.uniform(0, 0.4))))


def scurve(rng, t, g):
    x = (t - rng.uniform(-400, 300)) / rng.uniform(30, 150)
    return _noise(rng, t, g, np.cumsum(4 * g * rng.uniform(0.7, 2) / (np.exp(x) + 2 + np.exp(-x)) + 0.15 * g))


def annual(rng, t, g):
    rate = g * (1 + rng.uniform(0.3, 1.1) * np.cos(2 * np.pi * t / 365.25 + rng.uniform(0, 2 * np.pi)))
    return _noise(rng, t, g, np.cumsum(rate))


def heavy(rng, t, g):
    """Rare lumps of very unequal size."""
    often = rng.uniform(0.02, 0.4)
    lump = (rng.random(len(t)) < often) * np.minimum(rng.pareto(rng.uniform(1.1, 1.8), len(t)) + 0.1, 60)
    return np.cumsum(lump) * g / (often * 1.2) + rng.normal(0, 1e-5, len(t))


def batches(rng, t, g):
    """Month-end, quarter-end, half-year."""
    p = rng.choice([30.4, 91.3, 182.6])
    k = np.floor((t + rng.uniform(0, p)) / p)
    return _noise(rng, t, g, (k - k[0]) * p * g * rng.uniform(0.4, 1) + np.arange(len(t)) * 0.3 * g)


def rotation(rng, t, g):
    """Logs kept for days while the rate itself grows."""
    rate = g * np.exp(np.clip(rng.uniform(0.2, 1.2) / 365 * t, -3, 3))
    saw = (t / rng.choice([3, 10, 14, 21]) + rng.random()) % 1
    return _noise(rng, t, g, np.cumsum(rate) + np.exp(rng.normal(-4, 0.6)) * saw)


def memory(rng, t, g):
    """The rate wanders with a long memory."""
    k = np.arange(1, 200) ** (rng.uniform(0.6, 0.9) - 1.5)
    x = np.convolve(rng.normal(0, 1, len(t)), k)[:len(t)]
    return np.cumsum(g + g * rng.uniform(0.5, 2.5) * x / (x.std() + 1e-9))


def purge(rng, t, g):
    drop = (rng.random(len(t)) < rng.uniform(1, 6) / 365) * rng.uniform(0.03, 0.2, len(t)) * rng.uniform(0.3, 1)
    return _noise(rng, t, g, np.arange(len(t)) * g * rng.uniform(1.2, 2) - np.cumsum(drop))


def episodes(rng, t, g):
    on, at = np.zeros(len(t)), t[0]
    while at < t[-1]:
        at += rng.exponential(90)
        length = rng.exponential(40)
        on[(t > at) & (t < at + length)] = 1
        at += length
    return np.cumsum(on * g * 3.2) + rng.normal(0, 1, len(t)) * np.exp(rng.normal(-8, 1))


def steady(rng, t, g):
    week = np.where(np.floor(t + rng.integers(7)) % 7 >= 5, rng.uniform(0, 0.5), 1.2)
    return _noise(rng, t, g, np.cumsum(g * week))


KINDS = [ramp, scurve, annual, heavy, batches, rotation, memory, purge, episodes, steady]


def _task(rng, i):
    kind = KINDS[rng.integers(len(KINDS))]
    rows = int(rng.uniform(45, 180) if rng.random() < 0.2 else rng.uniform(180, 730))
    t = np.arange(rows + FUTURE) - (rows - 1.0)
    y = kind(rng, t, np.exp(rng.normal(np.log(0.35), 0.9)) / 365)
    y = np.maximum(1 + y - y[rows - 1], 0.02)
    cap = max(max(1.0, y[rows - 1]) / np.clip(rng.beta(5, 1.6), 0.35, 0.985), y[max(0, rows - 45):rows].max() * 1.004)
    hit = y[rows:] >= cap
    unit = np.exp(rng.uniform(np.log(2e11), np.log(4e14)))
    used = np.round(y[:rows] / cap * unit)
    used[:-1][rng.random(rows - 1) < (rng.uniform(0, 0.1) if rng.random() < 0.2 else 0)] = np.nan
    if rng.random() < 0.12:
        used[rng.integers(0, rows - 2, rng.integers(1, 4))] = 0
    return dict(name="%s%05d" % (kind.__name__, i), kind=kind.__name__, time=(1795132800 + t[:rows] * DAY).astype(int),
                used=used, cap=np.full(rows, np.round(unit)), capnow=np.round(unit), step=DAY,
                ttf=1.0 + int(np.argmax(hit)) if hit.any() else np.inf)


def tasks(seed, n):
    return [_task(np.random.default_rng([seed, i]), i) for i in range(n)]


def lines(seed, n):
    out = []
    for i in range(n):
        rng = np.random.default_rng([seed, 99, i])
        rows = int(np.exp(rng.uniform(np.log(15), np.log(700))))
        left, g = np.exp(rng.uniform(np.log(5), np.log(360))), np.exp(rng.normal(0, 1))
        day = np.arange(rows)
        used = g * rows * np.exp(rng.normal(0, 1)) + g * day + rng.normal(0, 1, rows) * g * rng.choice([0, 0.01, 0.1])
        if rng.random() < 0.4 and rows > 40:
            day = day + int(rng.integers(5, 60)) * (day > rng.integers(rows // 4, rows))
        cap = used[-1] + g * left
        out.append(dict(name="line%05d" % i, kind="line", time=1700006400 + DAY * day, used=used, cap=np.full(rows, cap),
                        capnow=cap, step=DAY, ttf=float(np.ceil(left))))
    return out


def write_csv(ts, path):
    with open(path, "w") as f:
        f.write("series,time,used,capacity\n")
        for k in ts:
            for a, b, c in zip(k["time"], k["used"], k["cap"]):
                f.write("%s,%d,%s,%.12g\n" % (k["name"], a, "" if b != b else "%.12g" % b, c))
