#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An agent that means harm costs its own slot only: no crash, no hang past the deadline, no value
taken from a wrong type, and the honest device beside it is read."""
import json
import os
import signal
import socket
import subprocess
import sys
import time

SOURCE = os.environ.get("SOURCE", os.getcwd())
PROBE = os.path.join(os.environ.get("BUILD", os.path.join(SOURCE, "build")), "tidemark-probe")
sys.path.insert(0, os.path.join(SOURCE, "tests", "lib"))
from sanitizer import patience, runtime  # noqa: E402

AGENT = os.path.join(SOURCE, "tests", "lib", "hostile_agent")
DEADLINE_S = 4 * patience(PROBE)
GRACE_S = 2 * patience(PROBE)

passed = 0
failed = 0


def check(good, name, *details):
    global passed, failed
    print("%sok %d - %s" % ("" if good else "not ", passed + failed + 1, name))
    if good:
        passed += 1
    else:
        failed += 1
        for line in details:
            print("#   %s" % (line,))


def probe(urls):
    started = time.monotonic()
    done = subprocess.run([PROBE, "--profiles", os.path.join(SOURCE, "plugins", "profiles"),
                           "--timeout", str(DEADLINE_S)] + urls,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                          timeout=60)
    return done, time.monotonic() - started


def numbers(reading):
    """Every number of a reading, wherever it stands."""
    if isinstance(reading, dict):
        return [n for v in reading.values() for n in numbers(v)]
    if isinstance(reading, list):
        return [n for v in reading for n in numbers(v)]
    return [reading] if isinstance(reading, (int, float)) and reading is not True else []


def strings(reading):
    if isinstance(reading, dict):
        return [n for v in reading.values() for n in strings(v)]
    if isinstance(reading, list):
        return [n for v in reading for n in strings(v)]
    return [reading] if isinstance(reading, str) else []


def check_reading(harm, reading):
    told = numbers(reading)
    details = json.dumps(reading)[:600]
    if harm == "honest":
        check(reading["pages_total"] == 4711 and reading["error"] is None and
              reading["supplies"][0]["level"] == 42, "the honest one is read beside them", details)
    elif harm in ("wrong_types", "odd_lengths"):
        check(not told, harm + ": no value is taken from a wrong type", details)
    elif harm == "negative":
        check(all(n >= 0 for n in told), harm + ": nothing is below nothing", details)
    elif harm in ("wrong_id", "silent", "report", "truncated", "dribble", "noise"):
        check(not told and "no answer within" in (reading["error"] or ""),
              harm + ": no answer, and the error says so", details)
    elif harm in ("endless", "backward", "same_again"):
        check(reading["error"] is not None and "walk of" in reading["error"],
              harm + ": the walk is stopped and named", details)
    elif harm == "astray":
        check(666 not in told, harm + ": what nobody asked for is not taken", details)
    elif harm == "bad_text":
        check(all(c >= " " and c not in "\u202e\x7f" for s in strings(reading) for c in s),
              harm + ": texts are clean", details)
    else:
        check("kind" in reading, harm + ": a reading or an error comes of it", details)


def check_names(port):
    """A device that is given by its name, and a name that nobody has."""
    if "libtsan" in (runtime(PROBE) or ""):
        print("# the C library looks up in threads that ThreadSanitizer does not know, and dies of")
        return
    done, took = probe(["snmp://honest@nobody.invalid:%d" % port, "snmp://honest@localhost:%d" % port])
    nobody, named = [json.loads(line) for line in done.stdout.decode().splitlines()]
    check("nobody.invalid" in (nobody["error"] or "") and nobody["serial"] is None,
          "a name that nobody has is told", nobody["error"])
    check(took < DEADLINE_S + GRACE_S, "by the deadline", "%.1f s" % took)
    if socket.getaddrinfo("localhost", None, type=socket.SOCK_DGRAM)[0][4][0] != "127.0.0.1":
        print("# localhost is not 127.0.0.1 here")
        return
    check(named["error"] is None and named["pages_total"] == 4711, "a device is found by its name",
          json.dumps(named)[:600])


def main():
    harms = subprocess.run([AGENT, "--list"], stdout=subprocess.PIPE, check=True,
                           universal_newlines=True).stdout.split()
    agent = subprocess.Popen([AGENT, "0"], stdout=subprocess.PIPE, universal_newlines=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        port = int(agent.stdout.readline().split()[1])
        urls = ["%s://%s@127.0.0.1:%d" % (scheme, h, port)
                for scheme in ("snmp", "snmp1") for h in harms]
        done, took = probe(urls)
        check(done.returncode in (0, 69), "the probe ends in order",
              "status %d" % done.returncode, done.stderr.decode(errors="replace")[-3000:])
        check(took < DEADLINE_S + GRACE_S, "all of them end by the deadline", "%.1f s" % took)
        lines = done.stdout.decode().splitlines()
        check(len(lines) == len(urls), "every one of %d devices is told of" % len(urls),
              "%d lines" % len(lines))
        for url, line in zip(urls, lines):
            scheme, rest = url.split("://")
            print("# %s" % scheme)
            check_reading(rest.split("@")[0], json.loads(line))
        check_names(port)
    finally:
        agent.kill()
        agent.wait()
    print("1..%d" % (passed + failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
