#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Many sites push while a desk is killed: nothing is lost, nothing counted twice. On SQLite, and with
two desks on one PostgreSQL; tests/bench/desk does it with more of everything, and measures."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from desk_load import load  # noqa: E402
from pushing import Postgresql, PushDesk  # noqa: E402
from sanitizer import patience  # noqa: E402
from tap import done, note, ok, same, skip  # noqa: E402

SLOWER = patience(os.environ["BUILD"] + "/tidemark-desk")
SITES, SECONDS = 20, 6 * SLOWER


def enrol(desk):
    return [desk.add_site("C-%d" % (i % 5), "site-%d" % i).enrolment for i in range(SITES)]


def judge(seen, stored, what):
    note("%s: %d events of %d bytes, %.0f posts/s, p50 %.0f ms, p99 %.0f ms, %d failures" % (
        what, len(seen["acked"]), seen["bytes"], seen["posts_per_s"], seen["p50"] * 1e3,
        seen["p99"] * 1e3, seen["failures"]))
    ok(len(seen["acked"]) > 100 and seen["failures"] > 0, what + ": there was work, and a failure")
    same(len(set(seen["acked"]) - set(stored)), 0, what + ": 0 lost")
    same(len(stored) - len(set(stored)), 0, what + ": 0 counted twice")
    same(len(set(stored) - set(seen["acked"])), 0, what + ": and nothing that nobody sent")
    same(seen["wrong"], 0, what + ": every answer was right")


desk = PushDesk(None, 'limits { connections_per_address = 500 }').start()


def kill():
    time.sleep(SECONDS / 2)
    desk.kill()
    desk.start()


seen = load([desk.port], enrol(desk), SECONDS, kill)
judge(seen, [e for (e,) in desk.rows("SELECT event FROM summaries")], "SQLite")
ok(seen["posts_per_s"] * 60 * SLOWER >= 1000, "SQLite: a thousand devices are taken in within a minute",
   seen["posts_per_s"])
same(desk.stop(), 0, "SQLite: the desk ends well")

server = Postgresql()
if server.url is None:
    skip("two desks on one PostgreSQL", server.why)
    done()
desks = [PushDesk(server.url, 'limits { connections_per_address = 500 }').start() for _ in range(2)]


def kill_one():
    time.sleep(SECONDS / 2)
    desks[1].kill()
    desks[1].start()


seen = load([d.port for d in desks], enrol(desks[0]), SECONDS, kill_one)
judge(seen, [e for (e,) in server.rows("SELECT event FROM summaries")], "PostgreSQL")
same([d.stop() for d in desks], [0, 0], "PostgreSQL: the desks end well")
for d in desks + [desk]:
    ok(d.log() == "", "... without a complaint", d.log())
done()
