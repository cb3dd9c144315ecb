#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A desk that serves (tests/lib/faults.py): request after request it is told which call for memory or of the
system fails, which is its last, and what its clock shows; then a PostgreSQL below it goes. What it
said that it has taken it has, no answer is another than without a fault, and it goes on."""
import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import faults  # noqa: E402
import tap  # noqa: E402
from pushing import DESK, Postgresql, event_of  # noqa: E402
from selling import SalesDesk, summary  # noqa: E402
from waiting import wait_for  # noqa: E402

if not faults.preloads() or not faults.can_trace():
    tap.skip_all("needs hardware: the faults are for programs without a sanitizer or counters")
SLOW = 15  # seconds; an answer that takes longer hangs
FORM = ("Content-Type", "application/x-www-form-urlencoded")
# Where what was promised is looked for.
KEPT = {"event": "SELECT event FROM summaries", "claim": "SELECT external_id FROM claims",
        "comment": "SELECT text FROM comments", "inquiry": "SELECT inquiry FROM inquiries",
        "person": "SELECT replace(login, '@vendor.example', '') FROM users"}


class Served(SalesDesk):
    """A furnished desk with the faults of its own page, and what it has promised so far."""

    def __init__(self, postgresql=None):
        super().__init__(database=postgresql.url if postgresql else None)
        self.page, self.postgresql = faults.Page(), postgresql
        self.page.set()
        self.made, self.promised = 0, {kind: set() for kind in KEPT}
        self.start().furnish()
        self.pusher = self.add_site()
        self.push_one()
        if not wait_for(lambda: self.api("sales", "/items")["items"]):
            raise RuntimeError("no item: " + self.log())
        self.item = self.api("sales", "/items")["items"][0]["id"]

    def start(self, seconds=60):
        """What it calls later has no faults."""
        more = {k: v for k, v in self.page.env("tidemark-desk").items() if k not in os.environ}
        os.environ.update(more)
        try:
            return super().start(seconds)
        finally:
            for name in more:
                del os.environ[name]

    def rows(self, sql, *values):
        return self.postgresql.rows(sql) if self.postgresql else super().rows(sql, *values)

    def next(self, kind):
        self.made += 1
        return "%s-%d" % (kind, self.made)

    def lost(self):
        """What was promised and is not there."""
        promised = {kind: set(names) for kind, names in self.promised.items()}  # before it is looked
        return sorted(x for kind, names in promised.items()
                      for x in names - {str(row[0]) for row in self.rows(KEPT[kind])})

    def told(self):
        return ", ".join("%d times %s" % (len(names), kind) for kind, names in self.promised.items())

    # --- what is promised ------------------------------------------------------------------------

    def push_one(self):
        document = summary(self.next("array"), at=self.made)
        document["customer"] = {"id": "C-1001", "site": "osaka-1", "host": "h"}
        document["consent"] = {p: {"by": "x", "on": "2026-11-01T00:00:00Z"} for p in ("sales", "service")}
        event = event_of(document)
        status, _, answer = self.pusher.request("POST", json.dumps(event).encode())
        if status == 200 and json.loads(answer)["results"][0]["status"] == "accepted":
            self.promised["event"].add(event["id"])
            return status, b"accepted"
        return status, answer

    def post_one(self, kind, path, good, fields, as_json=True, who="service"):
        """A document of which `fields(name)` makes the members."""
        name = self.next(kind)
        status, headers, text = self.post(who, path, fields(name), as_json)
        if status == good:
            self.promised[kind].add(headers["location"].rsplit("/", 1)[1] if kind == "inquiry" else name)
        return status, b"" if status == good else text.encode()


def requests_of(desk, pages=True):
    """[(name, function without arguments that returns (status, body))], what writes first."""
    claim = {"schema": "tidemark.claim/1", "id": "K-318", "claimed_at": "2026-11-19T07:48:00Z", "by": "T. Aoki",
             "via": "api", "customer": {"id": "C-1001"}, "type": "image too light", "text": "Too light."}
    desk.give("shops", "shops.csv", "shop,name,kind,address,phone\nOSA,Osaka,shop,,\nFAC,Factory,factory,,\n")

    def claimed():
        return desk.post_one("claim", "/api/v1/claims", 201, lambda n: dict(claim, external_id=n))
    claimed()

    def get(path, who="sales"):
        return lambda: desk.ask("GET", path, [("Cookie", desk.cookies[who])])[::2]

    def whose(path):
        return next((w for w in ("sales", "factory", "service", "admin") if get(path, w)()[0] != 403), "admin")

    writing = [
        ("an event is pushed", desk.push_one),
        ("a claim is given", claimed),
        ("a comment is posted", lambda: desk.post_one(
            "comment", "/items/%d/comments" % desk.item, 303, lambda n: {"text": n}, False)),
        ("an inquiry is asked", lambda: desk.post_one(
            "inquiry", "/items/%d/inquiry" % desk.item, 303,
            lambda n: {"sku": "DS-800", "quantity": "1", "shop": "OSA"}, False, "sales")),
        ("a person is added", lambda: desk.post_one(
            "person", "/people", 200, lambda n: {"login": n + "@vendor.example", "name": n, "role": "service"}, False, "admin")),
    ]
    if not pages:
        return writing
    told = subprocess.run([DESK, "routes", "--format", "json"], stdout=subprocess.PIPE, check=True).stdout
    routes = [r["pattern"] for r in json.loads(told)
              if r["method"] == "GET" and not r["pattern"].endswith("/events")]  # a stream has no end
    known = {"/devices/{id}": 1, "/customers/{id}": "C-1001", "/items/{id}": desk.item, "/claims/{id}": "K-1"}
    paths = sorted(p for p in routes if "{" not in p)
    for pattern, value in known.items():
        paths += [p.replace("{id}", str(value)) for p in routes if re.match(
            "(/api/v1)?" + re.escape(pattern), p)]
    return writing + [
        ("what is not there", get("/nothing/here")),
        ("a wrong password", lambda: desk.ask("POST", "/login", [FORM], b"login=x&password=yyyyyyyy")[::2]),
        ("a form without its token", lambda: desk.ask(
            "POST", "/account/password", [FORM, ("Cookie", desk.cookies["sales"])], b"password=abc")[::2]),
        ("a file", get("/static/style.css"))] + [(p, get(p, whose(p))) for p in paths]


# --- one request under one fault ---------------------------------------------------------------------------

def ask(request):
    """(status, body); a status of 0 where the connection was cut, "hangs" where nothing came."""
    began = time.monotonic()
    try:
        status, body = request()
    except (OSError, ValueError, IndexError, KeyError):
        status, body = 0, b""
    return (status if time.monotonic() - began < SLOW else "hangs"), body


def alike(body):
    """Of two bodies that nothing happened between: without what tells the time."""
    return re.sub(rb"\d+", b"0", body)


def ended(process, seconds):
    """The status of a process, or None where it lives on."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def judge(desk, before, during, after):
    """What is wrong with an answer under a fault, by those before and after it; or None."""
    good, (status, body) = before[0], during
    if "hangs" in (status, after[0]):
        return "hangs" if status == "hangs" else "afterwards: hangs"
    if status not in (good, 0, 429) and status < 500:
        return "status %s instead of %s or 5xx: %s" % (status, good, body[:200])
    if after[0] not in (good, 429):
        return "afterwards: status %s: %s" % (after[0], desk.log()[-300:])
    if status == good and alike(body) != alike(after[1]) == alike(before[1]):
        return "says that all is well, and something else: " + faults.difference(before[1], body)
    return None


def try_one(desk, figures, named, what, before, fault, killed=False):
    """One request under one fault, and the same without; returns what it answers now."""
    name, request = named
    with fault:
        during = ask(request)
    desk.page.arm(0)
    end = ended(desk.process, 1 if killed else 0)
    wrong = library = None
    if end is not None:
        crash, told = desk.page.story("crash"), desk.log()[-300:]
        library = None if killed else faults.culprit(crash)
        if not killed and not library and end not in range(64, 79):
            wrong = "the desk dies: %s %s" % (end, faults.explain(crash) or told)
        desk.page.set()
        desk.start()
    elif killed or getattr(fault, "missed", False):
        figures.missed += 1
        return before
    after = ask(request)
    wrong = wrong or judge(desk, before, during, after)
    if not wrong and killed and desk.lost():
        wrong = "lost: %s" % desk.lost()[:3]
        for names in desk.promised.values():
            names.clear()  # told once
    figures.add([library] if library else wrong and "%s, %s: %s\n   the fault: %s" % (
        name, what, wrong, faults.explain(desk.page.story("fault"))))
    desk.page.set()
    return after if after[0] == before[0] else before


@contextlib.contextmanager
def starved(page, n, on):
    page.arm(n, on)
    yield
    page.arm(0)


def memory(desk, requests, until):
    """Each call for memory within a request fails, once, and from then on."""
    figures = faults.Figures("memory runs out in a desk that serves")
    for (name, request), end in faults.shared(requests, until):
        desk.page.arm(0)
        before = ask(request)
        calls = desk.page.get("calls")
        tap.note("%s: status %s, %d calls for memory" % (name, before[0], calls))
        todo = [(n, on) for n in faults.points(calls, faults.EACH) for on in (0, 1)]
        for n, on in figures.of(todo, end, name):
            before = try_one(desk, figures, (name, request), "call %d of %d%s" % (
                n, calls, " and on" if on else ""), before, starved(desk.page, n, on))
    figures.tell()


# These stay so: a disk that is full or ill.
LASTING = {("pwrite64", "ENOSPC"), ("pwrite64", "EIO"), ("fdatasync", "EIO"), ("fsync", "EIO"), ("pread64", "EIO"),
           ("mmap", "ENOMEM"), ("openat", "EMFILE")}


def never(call, n, error):
    """What no kernel does: fail the write to an eventfd, by which the server's threads wake each other, or
    epoll_ctl() for a socket that is known (libmicrohttpd ends the program then); and where a packet
    could not be sent for a reset, nobody waits for the answer. Nor does it refuse to give a lock back."""
    return error is not None and (call in ("write", "fcntl") or call == "epoll_ctl" and n > 1 or
                                  (call, error) == ("sendto", "ECONNRESET"))


def calls(desk, requests, until, store=""):
    """Each system call within a request fails, some from then on, and each is the last before a kill."""
    failing = faults.Figures("a system call fails in a desk that serves" + store)
    killing = faults.Figures("a kill of a desk that serves" + store)
    for (name, request), end in faults.shared(requests, until):
        with faults.Attached(desk.process.pid) as trace:
            before = ask(request)
        spans = faults.spans(trace.lines)
        todo = [(c, n, e, on) for c, n, e in faults.tries(spans, faults.EACH) if not never(c, n, e)
                for on in ((False, True) if (c, e) in LASTING else (False,))]
        for figures, (call, n, error, on) in faults.by_turns(failing, killing, todo, end, name):
            fault = faults.Attached(desk.process.pid, *faults.injected(call, n, error, on))
            before = try_one(desk, figures, (name, request), "%s %d %s%s" % (
                call, n, error or "SIGKILL", " and on" if on else ""), before, fault, not error)
    failing.tell()
    killing.tell()


def no_descriptors(desk, request):
    """Who comes while no file can be opened waits, and is served once one can."""
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(ask(request)[0]))
    with faults.Attached(desk.process.pid, *faults.injected("accept4", 1, "EMFILE", True)):
        waiting.start()
        time.sleep(0.3)
        early = list(answers)
    waiting.join()
    tap.same((early, answers), ([], [200]), "who comes while no descriptor is free waits, and is served")


def clock():
    """The clock jumps under a desk that serves; then it is right again, and all is as it was."""
    figures = faults.Figures("the clock jumps under a desk that serves")
    desk = Served()
    get = lambda path: desk.ask("GET", path, [("Cookie", desk.cookies["admin"])])[0]  # noqa: E731
    before = get("/account")
    for jump in (3600, -3600, -86400 * 400, 86400 * 3650, -int(time.time()), 86400 * 365 * 60):
        desk.page.set(clock_at=1, jump_s=jump)
        seen = [get(path) for path in ("/account", "/login", "/healthz", "/")]
        desk.page.set()
        wrong = None
        if desk.process.poll() is not None or any(s >= 500 or s == 0 for s in seen):
            wrong = "%r %s" % (seen, desk.log()[-200:])
        figures.add(wrong and "%d s: %s" % (jump, wrong))
    desk.account("admin", "again@vendor.example", "Again")
    if get("/account") != before:
        figures.wrong.append("afterwards nobody can sign in: " + desk.log()[-300:])
    desk.stop()
    figures.tell()


def server_ends(desk, postgresql, until):
    """PostgreSQL cuts every connection, or dies, while a site pushes; each time another moment of it."""
    figures = faults.Figures("a PostgreSQL that cuts connections, or dies, under a desk that serves")
    over, seen = threading.Event(), []

    def push():
        while not over.is_set():
            seen.append(ask(desk.push_one)[0])

    pusher = threading.Thread(target=push)
    pusher.start()
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'desk'"
    for n, way in figures.of([(n, way) for n in range(faults.EACH) for way in ("cut", "cut", "cut", "crash")], until):
        time.sleep(n * 7 % 50 / 1000)
        if way == "crash":
            postgresql.run("crash")
        else:
            postgresql.rows(cut)
        so_far = len(seen)
        back = wait_for(lambda: 200 in seen[so_far + 1:])
        odd = {s for s in seen[so_far:] if s not in (0, 200) and (s == "hangs" or s < 500)}
        lost = desk.lost()
        figures.add("%s, time %d: %s" % (way, n, "answers %s" % odd if odd else "lost: %s" % lost[:3])
                    if odd or lost else None if back else "%s, time %d: does not come back: %s" % (
                        way, n, desk.log()[-300:]))
    over.set()
    pusher.join()
    figures.tell()


def kept(desk, name):
    tap.same((desk.lost(), desk.stop()), ([], 0), name)


def main():
    began = time.monotonic()
    desk = Served()
    requests = requests_of(desk)
    memory(desk, requests, began + 0.4 * faults.SECONDS)
    few = requests if faults.EACH > 100 else requests[:9] + requests[9::6]
    calls(desk, few, began + 0.8 * faults.SECONDS)
    no_descriptors(desk, requests[0][1])
    kept(desk, "what a desk without memory or calls accepted it has (%s)" % desk.told())
    clock()
    postgresql = Postgresql()
    if postgresql.url is None:
        tap.skip("the same on PostgreSQL", "needs PostgreSQL: " + postgresql.why.strip())
        return
    desk = Served(postgresql)
    calls(desk, requests_of(desk, pages=False), began + 0.92 * faults.SECONDS, " on PostgreSQL")
    server_ends(desk, postgresql, began + faults.SECONDS)
    kept(desk, "what a desk on PostgreSQL accepted it has (%s)" % desk.told())


main()
tap.done()
