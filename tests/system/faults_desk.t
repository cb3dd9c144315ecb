#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tidemark-desk under every fault (tests/lib/faults.py): its commands from the beginning to the end, and
then one that serves and is told, request after request, which call for memory fails."""
import json
import os
import re
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import faults  # noqa: E402
import tap  # noqa: E402
from exporting import sample  # noqa: E402
from pushing import PushDesk, event_of  # noqa: E402

if not faults.preloads() or not faults.can_trace():
    tap.skip_all("needs hardware: nothing can be loaded before a program that a sanitizer is in")
D = "tidemark-desk"
SOURCE, BUILD = faults.SOURCE, faults.BUILD
TABLES = "contrib/demo/desk.d/"


def run(folder, *args):
    page = faults.Page()
    page.set(stopped_s=faults.NOW)
    p = subprocess.run([os.path.join(BUILD, D), *args, "-c", folder + "/desk.conf"], text=True, env=page.env(D),
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert p.returncode == 0, p.stderr
    return p.stdout


def empty(folder):
    with open(folder + "/desk.conf", "w") as f:
        f.write('listen = "127.0.0.1:0"\nadmin_listen = "127.0.0.1:0"\ndatabase = "sqlite:%s/desk.db"\n'
                'timezone = "Asia/Tokyo"\npublic_url = "http://127.0.0.1"\n'
                'paths { state = "%s" data = "%s/contrib/desk" }\n' % (folder, folder, SOURCE))


def furnished(folder):
    empty(folder)
    for kind in ("shops", "customers", "staff", "assignments"):
        run(folder, "import", kind, SOURCE + "/" + TABLES + kind + ".csv")
    run(folder, "import", "catalogue", SOURCE + "/contrib/demo/catalogue.json")


def enrolled(folder):
    furnished(folder)
    run(folder, "site", "add", CUSTOMER, "osaka-9", "-o", folder + "/enrolment.json")


def dropped(folder):
    """A document of a site and its signature, in a folder."""
    from exporting import sign
    enrolled(folder)
    with open(folder + "/enrolment.json") as f:
        enrolment = json.load(f)
    document = dict(sample(), customer={"id": CUSTOMER, "site": "osaka-9", "host": "h"})
    event = event_of(document)
    body = json.dumps(event).encode()
    os.mkdir(folder + "/in")
    with open(folder + "/in/%s.json" % event["id"], "wb") as f:
        f.write(body)
    with open(folder + "/in/%s.sig" % event["id"], "w") as f:
        f.write("webhook-id: %s\nwebhook-timestamp: %d\nwebhook-signature: %s\n" % (
            event["id"], faults.NOW, sign(event["id"], str(faults.NOW), body, enrolment["secret"][len("whsec_"):])))


# What a throw of dice decides, or the time of the machine.
CHANCE = re.compile("hash|secret|token|digest|salt|prefix|key|nonce|_at$|^id$|data|sealed")


def rows(folder):
    """Every table, without what is different each time. An unsound database is a finding of its own."""
    path = folder + "/desk.db"
    if not os.path.exists(path):
        return {"desk.db": []}
    db = sqlite3.connect(path, timeout=30)
    found = {}
    try:
        sound = db.execute("PRAGMA quick_check").fetchall()
        if sound != [("ok",)]:
            found["quick_check"] = sound
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall():
            if table in ("leases", "audit", "buckets") or table.startswith("sqlite_"):
                continue
            columns = [c[1] for c in db.execute("PRAGMA table_info(%s)" % table) if not CHANCE.search(c[1])]
            if columns:
                found["table " + table] = sorted(map(repr, db.execute(
                    "SELECT %s FROM %s" % (", ".join(columns), table)).fetchall()))
    finally:
        db.close()
    return {k: v for k, v in found.items() if v}


def no_database(path, data):
    return path, None if path.startswith(("desk.db", "copy.db", "all.json", "enrolment.json")) else data


def with_copy(folder):
    """The copy of the store has all that the store has."""
    out = rows(folder)
    if os.path.exists(folder + "/copy.db"):
        os.makedirs(folder + "/.look", exist_ok=True)
        db = sqlite3.connect(folder + "/copy.db")
        out["copy"] = repr(db.execute("SELECT count(*) FROM customers").fetchall())
        db.close()
        os.rmdir(folder + "/.look")
    return out


with open(os.path.join(SOURCE, TABLES, "customers.csv")) as f:
    f.readline()
    CUSTOMER = f.readline().split(",")[0]
BEGUN = ["-c", "{}/desk.conf"]
CASES = [
    ("import into nothing", ["import", "shops", os.path.join(SOURCE, TABLES, "shops.csv"), *BEGUN], empty, (0,)),
    ("import customers", ["import", "customers", os.path.join(SOURCE, TABLES, "customers.csv"), *BEGUN], furnished, (0,)),
    ("import catalogue", ["import", "catalogue", os.path.join(SOURCE, "contrib/demo/catalogue.json"), *BEGUN],
     furnished, (0,)),
    ("user add", ["user", "add", "mori", "--role", "sales", "-n", "K. Mori", *BEGUN], furnished, (0, 65)),
    ("user list", ["user", "list", *BEGUN], furnished, (0,)),
    ("site add", ["site", "add", CUSTOMER, "osaka-9", "-o", "{}/all.json", *BEGUN], furnished, (0, 65)),
    ("site rotate", ["site", "rotate", CUSTOMER, "osaka-9", "-o", "{}/all.json", *BEGUN], enrolled, (0,)),
    ("site list", ["site", "list", *BEGUN], enrolled, (0,)),
    ("intake", ["intake", "{}/in", *BEGUN], dropped, (0, 66)),
    ("nightly", ["nightly", *BEGUN], dropped, (0,)),
    ("backup", ["backup", "{}/copy.db", *BEGUN], enrolled, (0,)),
    ("routes", ["routes", "--format", "json"], None, (0,)),
]


class Scene(faults.Scene):
    """A link or an enrolment is another each time: only that it was printed is compared."""

    def run(self, *args, **more):
        r = super().run(*args, **more)
        return r._replace(out=re.sub(rb"[0-9a-zA-Z_-]{20,}", b"X", r.out))


# --- serving -----------------------------------------------------------------------------------------------

def faulty_desk(page):
    """A desk that serves with the faults of this page; what it calls later has none."""
    desk = PushDesk()
    os.environ.update({k: v for k, v in page.env(D).items() if k not in os.environ})
    desk.start()
    for name in ("LD_PRELOAD", "FAULT_PAGE", "FAULT_PROGRAM"):
        os.environ.pop(name, None)
    return desk


def serving():
    """Every kind of request, with each call for memory within it failing."""
    figures = faults.Figures("memory runs out in a desk that serves")
    page = faults.Page()
    page.set()
    desk = faulty_desk(page)
    for kind in ("shops", "customers", "staff", "assignments"):
        desk.run("import", kind, os.path.join(SOURCE, TABLES, kind + ".csv"))
    pusher = desk.add_site(CUSTOMER, "osaka-9")
    cookie = ("Cookie", desk.sign_in())
    pushed, promised = [0], set()

    def push():
        pushed[0] += 1
        document = dict(sample(), customer={"id": CUSTOMER, "site": "osaka-9", "host": "h"})
        document["product"] = dict(document["product"], device="array-%d" % pushed[0])
        event = event_of(document)
        status, _, answer = pusher.request("POST", json.dumps(event).encode())
        if status == 200 and json.loads(answer)["results"][0]["status"] == "accepted":
            promised.add(event["id"])
            return status, b"accepted"
        return status, answer

    def ask(method, path, body=None, *headers):
        status, _, answer = desk.ask(method, path, [cookie, *headers], body)
        return status, answer

    others = [("Cookie", desk.sign_in("/login/" + desk.user(
        "add", role + "@vendor.example", "--role", role, "-n", role).split("/login/")[-1].strip()))
        for role in ("sales", "factory", "service")]

    def whose(path):
        return next((c for c in [cookie, *others] if desk.ask("GET", path, [c])[0] != 403), cookie)

    form = ("Content-Type", "application/x-www-form-urlencoded")
    push()
    routes = subprocess.run([os.path.join(BUILD, D), "routes", "--format", "json"], stdout=subprocess.PIPE,
                            check=True).stdout
    paths = ["/devices/1", "/devices/1/series", "/devices/1/history", "/customers/" + CUSTOMER] + sorted(
        r["pattern"] for r in json.loads(routes)
        if r["method"] == "GET" and "{" not in r["pattern"]
        and not r["pattern"].endswith("/events"))  # a stream has no end
    requests = [
        ("an event is pushed", push),
        ("a page", lambda: ask("GET", "/")),
        ("a list as JSON", lambda: ask("GET", "/api/v1/customers")),
        ("what is not there", lambda: ask("GET", "/nothing/here")),
        ("the page for signing in", lambda: desk.ask("GET", "/login")[::2]),
        ("a wrong password", lambda: desk.ask("POST", "/login", [form], b"login=x&password=yyyyyyyy")[::2]),
        ("a form without its token", lambda: ask("POST", "/account/password", b"password=abc", form)),
        ("a file", lambda: ask("GET", "/static/style.css")),
    ] + [(path, lambda path=path, who=whose(path): desk.ask("GET", path, [who])[::2]) for path in paths]
    for (name, request), end in faults.shared(requests, time.monotonic() + 0.4 * faults.SECONDS):
        page.arm(0)
        good = request()[0]
        calls = page.get("calls")
        tap.note("%s: status %d, %d calls for memory" % (name, good, calls), *desk.log().splitlines()[-1:])
        todo = [(n, on) for n in faults.points(calls, faults.EACH) for on in (0, 1)]
        for n, on in figures.of(todo, end):
            page.arm(n, on)
            try:
                status = request()[0]
            except (OSError, ValueError, IndexError) as e:
                status = repr(e)
            who = faults.explain(page.story("fault"))
            page.arm(0)
            wrong = None
            if desk.process.poll() is not None:
                library = faults.culprit(page.story("crash"))
                figures.add([library] if library else "%s, call %d of %d: the desk dies: %s\n   the fault: %s" % (
                    name, n, calls, faults.explain(page.story("crash")) or desk.log()[-300:], who))
                page.set()
                os.environ.update({k: v for k, v in page.env(D).items() if k not in os.environ})
                desk.start()
                for gone in ("LD_PRELOAD", "FAULT_PAGE", "FAULT_PROGRAM"):
                    os.environ.pop(gone, None)
                continue
            if isinstance(status, int) and status != good and status < 500 and status not in (0, 429):
                wrong = "status %s instead of %s or 5xx" % (status, good)
            if wrong is None:
                again = request()[0]
                if again != good and again != 429:
                    wrong = "afterwards: status %s" % again
            figures.add(wrong and "%s, call %d of %d%s: %s\n   the fault: %s" % (
                name, n, calls, " and on" if on else "", wrong, who))
            page.set()
    page.set()
    kept = {e for (e,) in desk.rows("SELECT event FROM summaries")}
    if promised - kept:
        figures.wrong.append("%d accepted events are lost" % len(promised - kept))
    figures.tell()
    tap.same((desk.stop(), len(promised - kept)), (0, 0), "what a starved desk accepted it has (%s)" % (
        "events"))


def clock_while_serving():
    """The clock jumps under a desk that serves; then it is right again, and all is as it was."""
    figures = faults.Figures("the clock jumps under a desk that serves")
    page = faults.Page()
    page.set()
    desk = faulty_desk(page)
    cookie = ("Cookie", desk.sign_in())
    before = desk.ask("GET", "/account", [cookie])[0]
    for jump in (3600, -3600, -86400 * 400, 86400 * 3650, -int(time.time()), 86400 * 365 * 60):
        page.set(clock_at=1, jump_s=jump)
        seen = [desk.ask("GET", path, [cookie])[0] for path in ("/account", "/login", "/healthz", "/")]
        page.set()
        wrong = None
        if desk.process.poll() is not None or any(s >= 500 or s == 0 for s in seen):
            wrong = "%r %s" % (seen, desk.log()[-200:])
        figures.add(wrong and "%d s: %s" % (jump, wrong))
    cookie = ("Cookie", desk.sign_in("/login/" + desk.user("add", "again@vendor.example", "--role", "admin", "-n", "Again").split("/login/")[-1].strip()))
    if desk.ask("GET", "/account", [cookie])[0] != before:
        figures.wrong.append("afterwards nobody can sign in: " + desk.log()[-300:])
    desk.stop()
    figures.tell()


if len(sys.argv) < 2 or sys.argv[1] != "serve":
    faults.Scene = Scene
    faults.main([faults.Case(name, [D, *command], prepare, tidy=no_database, good=good,
                             view=with_copy if name == "backup" else rows)
                 for name, command, prepare, good in CASES], share=0.55, end=len(sys.argv) > 1)
serving()
clock_while_serving()
tap.done()
