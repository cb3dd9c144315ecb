#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A receiver that lies by the throw of dice, seed after seed: nothing is lost, nothing is followed, and
a healthy one beside it keeps its rate. SEEDS, ITEMS (of each) and ROUNDS make it longer:
tests/long/export_lying.t."""
import json
import multiprocessing
import os
import random
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from exporting import *  # noqa: E402,F403
from tap import done, note, ok, same  # noqa: E402

SEEDS = int(os.environ.get("SEEDS", "2"))
ITEMS = int(os.environ.get("ITEMS", "60"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
KEPT = float(os.environ.get("KEPT", "0.6"))  # of the rate: less, where it is measured for a moment


def accept_then(after):
    def mode(receiver, request):
        receiver.accept(request)
        return after(receiver, request)
    return mode


def reset(receiver, request):
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    request.connection.close()
    return None


def garbage(receiver, request):
    request.wfile.write(bytes(random.randrange(256) for _ in range(300)))
    return None


def headers_without_end(receiver, request):
    request.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X-Pad: " + b"x" * 70000)
    return None


def no_body(receiver, request):
    request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    return None


def half_headers(receiver, request):
    request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Len")
    return None


def other_hash(receiver, request):
    results = [{"id": json.loads(request.body)["id"], "status": "accepted", "sha256": "0" * 64}]
    return receiver.reply(request, results)


def forged(receiver, request):
    results = [{"id": json.loads(request.body)["id"], "status": "accepted"}]
    return receiver.reply(request, results, secret="A" * 43 + "=")


trap = Receiver()  # whoever follows a redirect ends here
LIES = [status(c) for c in (400 + 8, 409, 425, 429, 500, 502, 503, 504, 301, 307)] + [
    status(429, Retry_After=v) for v in ("1", "-7", "soon", "999999999999999999999", "")] + [
    status(302, Location=trap.url), status(308, Location=trap.url),
    status(200, b"{"), status(200, b"null"), status(200, b"[" * 500), status(200, b"\xff\xfe"),
    status(200, b'{"results":[{"id":"x","status":"accepted"}]}'),
    close_early, drop_answer, cut_answer, reset, garbage, headers_without_end, half_headers, no_body, other_hash, forged,
    accept_then(status(500)), accept_then(status(503)), accept_then(reset), accept_then(garbage)]

lost = doubled = 0
problems, sent, tries = [], 0, 0
for seed in range(SEEDS):
    random.seed(seed)
    dice = random.Random(seed)
    receiver = Receiver()
    receiver.mode = lambda r, q: dice.choice(LIES)(r, q) if dice.random() < 0.3 else "ok"
    site = Site()
    site.configure(site.webhook(receiver.url))
    site.enable("sales")
    p = site.run("queue", "--now", "-", stdin=summaries(ITEMS), timeout=300)
    keys = {line.split()[1] for line in p.stdout.splitlines() if line.startswith("queued")}
    if len(keys) != ITEMS:
        problems.append(p.stderr)
    for _ in range(40 * ITEMS):
        if not site.items("new"):
            break
        p = site.run("push", "--once", "--now", timeout=600)
        tries += 1
        if p.returncode not in (0, 65, 69, 75):
            problems.append("status %d: %s" % (p.returncode, p.stderr))
    sent += len(receiver.records)
    lost += len(keys - set(receiver.records))
    doubled += len(set(receiver.records) - keys)
    if site.keys("sent") != keys:
        problems.append("seed %d: %d of %d in sent/" % (seed, len(site.keys("sent")), len(keys)))
    problems += receiver.problems
    receiver.close()
note("%d items, %d seeds, %d calls of push" % (sent, SEEDS, tries))
same((lost, doubled), (0, 0), "nothing lost, nothing under two keys")
same(problems, [], "every item ends in sent/, no call of push crashes, the bytes stay the same")
same(len(trap.log), 0, "no redirect was followed")

# --- a healthy target beside a sick one ------------------------------------------------------------------


def serve(is_sick, pipe):
    """In a process of its own, so that no receiver waits for another."""
    dice, seen, receiver = random.Random(1), [], Receiver()
    lies = LIES[:12] + [hang, close_early, reset, garbage]
    receiver.mode = (lambda r, q: dice.choice(lies)(r, q)) if is_sick else \
        (lambda r, q: seen.append(time.monotonic()) or "ok")
    pipe.send(receiver.url)
    while pipe.recv() == "tell":
        pipe.send(list(seen))
        seen.clear()


def begin(is_sick=False):
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=serve, args=(is_sick, theirs), daemon=True)
    process.start()
    return ours.recv(), ours


sick_url, sick_pipe = begin(True)
goods = [begin(), begin()]


def rates():
    """Items a second that two healthy receivers get at the same time: one alone at its site, one beside
    the sick one. What else the machine does takes from both."""
    sites = [Site(), Site()]
    for s, (url, _), beside in zip(sites, goods, (False, True)):
        s.configure(s.webhook(url, name="good") +
                    (s.webhook(sick_url, name="sick", more='timeout = "1s"') if beside else ""))
        s.enable("sales")
        s.run("queue", "--now", "-", stdin=summaries(ITEMS * 4), timeout=300)
    running = [subprocess.Popen([EXPORT, "push", "-c", s.conf, "--once"], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
               for s in random.sample(sites, 2)]
    for p in running:
        p.wait(timeout=600)
    out = []
    for s, (_, pipe) in zip(sites, goods):
        shutil.rmtree(s.folder, True)
        pipe.send("tell")
        seen = pipe.recv()
        out.append((len(seen) - 1) / (seen[-1] - seen[0]) if len(seen) == ITEMS * 4 else 0)
    return out


pairs = [rates() for _ in range(ROUNDS)]
kept = statistics.median(beside / alone if alone else 0 for alone, beside in pairs)
note("items a second alone and beside a sick one: " +
     ", ".join("%.0f %.0f" % tuple(pair) for pair in pairs) + "; kept %.2f" % kept)
ok(kept >= KEPT, "a healthy target keeps its rate beside a sick one", KEPT, pairs)
for _, pipe in [(sick_url, sick_pipe), *goods]:
    pipe.send("end")
trap.close()
done()
