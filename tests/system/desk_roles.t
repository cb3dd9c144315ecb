#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Each route that the desk prints, asked by each role: nobody 401, a role that may not 403, and what is
not there 404, on both databases. A route that is added is tested by being there."""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ.setdefault("SOURCE", os.getcwd()), "tests/lib"))
os.environ.setdefault("BUILD", os.path.join(os.environ["SOURCE"], "build"))
from desk import BUILD, SOURCE, Desk  # noqa: E402
from tap import done, note, ok, same, skip  # noqa: E402

ROLES = ["sales", "service", "factory", "engineer", "admin"]

routes = json.loads(subprocess.run([BUILD + "/tidemark-desk", "routes", "--format", "json"],
                                   stdout=subprocess.PIPE, check=True).stdout)
ok(len(routes) > 10, "the desk prints its routes", routes)
for route in routes:
    if len(route["help"]) < 10 or not route["roles"]:
        ok(False, "%(method)s %(pattern)s says what it is for, and for whom" % route, route)


def walk(kind):
    desk = Desk().start()
    # An account of each role; a customer's needs a customer.
    credentials = {"none": []}
    for role in ROLES:
        link = re.search(r"/login/\S+", desk.user("add", role + "@vendor.example", "--name", role, "--role", role))[0]
        credentials[role] = [("Cookie", desk.sign_in(link))]
    subprocess.run([BUILD + "/tidemark-desk", "site", "add", "C-1", "osaka", "--customer-name", "One KK",
                    "--url", "http://127.0.0.1:1/", "--config", desk.conf, "--output", desk.folder + "/site.json"],
                   check=True, stdout=subprocess.DEVNULL)
    with open(desk.folder + "/site.json", encoding="utf-8") as f:
        credentials["site"] = [("Authorization", "Bearer " + json.load(f)["token"])]
    link = re.search(r"/login/\S+", desk.user("add", "sato@one.example", "--name", "A. Sato", "--role", "customer",
                                              "--customer", "C-1"))[0]
    credentials["customer"] = [("Cookie", desk.sign_in(link))]

    csrf = {}
    for role, headers in credentials.items():
        page = desk.ask("GET", "/account", headers)[2].decode()
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)
        csrf[role] = found[1] if found else ""
    same({r for r, c in csrf.items() if c}, set(ROLES) | {"customer"}, "people have a session, programs none")

    # What ends the session that asks, and what everybody may do.
    last = {"/logout", "/account/password"}
    probes = wrong = 0
    for route in routes:
        if route["pattern"] in last:
            continue
        path = re.sub(r"\{[a-z_]+\}", "no-such-thing", route["pattern"])
        for role, headers in credentials.items():
            wants = [("Accept", "application/json")] + headers
            body = None
            if route["method"] != "GET":
                body = b"" if role in ("none", "site") else b"csrf=" + csrf[role].encode()
                wants.append(("Content-Type", "application/x-www-form-urlencoded"))
            status = desk.ask(route["method"], path, wants, body)[0]
            probes += 1
            everybody = "none" in route["roles"]
            if role == "none" and not everybody:
                right = status == 401
            elif role not in route["roles"] and not everybody:
                right = status == 403
            else:
                right = status not in (403, 405, 500, 501) and (status != 401 or everybody or role == "site")
            # A path that names a thing which is not there.
            if right and not everybody and role in route["roles"] and path != route["pattern"] and role != "site":
                right = status in (404, 422)
            if not right:
                wrong += 1
                note("%s %s by %s: %d" % (route["method"], path, role, status))
    same(wrong, 0, "each route, asked by each role, on %s (%d probes)" % (kind, probes))

    # A form of a page is not a page's when it lacks the session's token, whatever the route.
    open_to = 0
    for route in routes:
        if route["method"] == "GET" or "none" in route["roles"] or route["roles"] == ["site"]:
            continue
        role = next(r for r in route["roles"] if r != "site")
        path = re.sub(r"\{[a-z_]+\}", "1", route["pattern"])
        status = desk.ask(route["method"], path, credentials[role] + [("Content-Type", "application/x-www-form-urlencoded")], b"")[0]
        if status != 403:
            open_to += 1
            note("%s %s: %d" % (route["method"], path, status))
    same(open_to, 0, "no route takes a form without the session's token")
    same(desk.stop(), 0, "the desk ends well")
    same(desk.log(), "", "nothing went to the log")


walk("SQLite")
SERVER = os.path.join(SOURCE, "tests/lib/postgresql")
with tempfile.TemporaryDirectory() as folder:
    started = subprocess.run([SERVER, "start", folder + "/pg"], capture_output=True, text=True, check=False)
    if started.returncode == 0:
        try:
            os.environ["DESK_DATABASE"] = started.stdout.strip()
            walk("PostgreSQL")
        finally:
            subprocess.run([SERVER, "stop", folder + "/pg"], check=False, stdout=subprocess.DEVNULL)
    else:
        skip("the same on PostgreSQL", "no PostgreSQL: " + started.stderr.strip())
done()
