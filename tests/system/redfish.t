#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Redfish and Swordfish services of all kinds, asked by tidemark-probe over real HTTP."""
import base64
import glob
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ.get("SOURCE", "."), "tests/lib"))
from probing import *
from web_server import POOL, ROOT, SMALL, Server, reply, tree_or_documents


def hold_trees(folder):
    names = sorted(glob.glob(os.path.join(folder, "*.expected.json")))
    assert names, f"no expectations in {folder}"
    for file in names:
        with open(file) as f:
            want = json.load(f)
        with Server(tree_or_documents(file[:-len(".expected.json")])) as server:
            readings, _, _ = probe(f"redfish://127.0.0.1:{server.port}", status=None)
        name = os.path.basename(file)
        hold(readings[0], want, name)
        for key in ("kind", "vendor", "serial", "capacity_bytes", "used_bytes", "volumes"):
            assert key in readings[0], f"{name}: no {key}"
        assert readings[0]["observed_at"], f"{name}: no time"
        same(readings[0]["error"], None, name)


@test
def recorded_trees_are_read_as_expected():
    folder = os.path.join(RECORDINGS, "swordfish")
    if not os.path.isdir(folder):
        return "needs ../shared/recordings/swordfish"
    hold_trees(folder)


@test
def hand_made_trees_are_read_as_expected():
    hold_trees(os.path.join(SOURCE, "tests/data/redfish"))


def small(**changes):
    """The smallest service, with some documents replaced or taken away (None)."""
    known = {**SMALL, **{ROOT + key: value for key, value in changes.items()}}

    def answer(request):
        document = known.get(request.path.rstrip("/"))
        if callable(document):
            return document(request)
        return reply({}, 404) if document is None else reply(document)

    return answer


def ask(answer, *options, url="redfish", **how):
    with Server(answer, cert=how.pop("cert", None)) as server:
        readings, errors, status = probe(f"{url}://127.0.0.1:{server.port}", *options,
                                         **{"status": None, **how})
    return readings[0], errors, status, server


@test
def a_session_is_opened_once_and_ended():
    sessions = {}

    def answer(request):
        path = request.path.rstrip("/")
        token = request.headers.get("X-Auth-Token")
        if path == ROOT:
            return reply(SMALL[ROOT])
        if path == f"{ROOT}/SessionService/Sessions" and request.command == "POST":
            same(json.loads(request.body), {"UserName": "monitor", "Password": 'p"w'}, "login")
            name = f"token-{len(sessions)}"
            sessions[name] = 2  # documents until it has expired
            return reply({}, 201, **{"X-Auth-Token": name,
                                     "Location": f"{ROOT}/SessionService/Sessions/{name}"})
        if sessions.get(token, 0) <= 0:
            return reply({}, 401)
        if request.command == "GET":
            sessions[token] -= 0 if token == "token-1" else 1
        return reply(SMALL[path]) if path in SMALL else reply({}, 204)

    with secret_file('device "127.0.0.1" { user = "monitor"  password = "p\\"w" }') as file:
        reading, _, _, _ = ask(answer, "--credentials", file.name)
    # This one expired in the middle of the walk: a walk logs in once.
    same(len(sessions), 1, "sessions")
    same(reading["capacity_bytes"], None, "capacity of half a walk")
    assert "401" in reading["error"], reading["error"]
    sessions.clear()
    sessions["token-x"] = 0
    with secret_file('device "127.0.0.1" { user = "monitor"  password = "p\\"w" }') as file:
        reading, errors, status, server = ask(answer, "--credentials", file.name)
    same((reading["capacity_bytes"], status), (100, 0), errors)
    same(("DELETE", f"{ROOT}/SessionService/Sessions/token-1"), server.log[-1][:2], "the end")


@test
def basic_login_is_used_where_it_is_told_or_nothing_else_is_offered():
    def answer(request):
        if request.path.rstrip("/") == ROOT:
            return reply(SMALL[ROOT])
        if request.headers.get("Authorization") != "Basic bW9uaXRvcjpzZWNyZXQ=":
            return reply({}, 404 if "Session" in request.path else 401)
        return small()(request)

    for login in ("", 'login = "basic"'):
        text = 'device "127.0.0.1" { user = "monitor" password = "secret" %s }' % login
        with secret_file(text) as file:
            reading, errors, status, server = ask(answer, "--credentials", file.name)
        same((reading["used_bytes"], status), (7, 0), errors)
        posts = [entry for entry in server.log if entry[0] == "POST"]
        same(len(posts), 0 if login else 1, "attempts of a session")


@test
def a_refused_login_is_told_without_the_password():
    def answer(request):
        return small()(request) if request.path.rstrip("/") == ROOT else reply({}, 401)

    with secret_file('device "*" { user = "monitor" password = "hunter2" }') as file:
        reading, errors, status, server = ask(answer, "--credentials", file.name)
    same(status, 69, "status")
    assert 'refused the login of user "monitor"' in reading["error"], reading["error"]
    assert "hunter2" not in errors + json.dumps(reading)
    same(len([entry for entry in server.log if entry[0] == "POST"]), 1, "attempts")
    reading, errors, status, _ = ask(answer)
    same(status, 69, "status")
    assert "wants a login" in reading["error"], reading["error"]


def make_certificate(folder):
    file = os.path.join(folder, "cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=array",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", file + ".key",
                    "-out", file + ".crt"], check=True, capture_output=True)
    with open(file, "w") as out:
        for part in (".key", ".crt"):
            with open(file + part) as f:
                out.write(f.read())
    return file, file + ".crt"


def pin_of(certificate):
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-pubkey", "-noout"], check=True,
                         capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=key, check=True,
                         capture_output=True).stdout
    return "sha256//" + base64.b64encode(hashlib.sha256(der).digest()).decode()


@test
def certificates_are_verified_or_pinned():
    with tempfile.TemporaryDirectory(prefix="tidemark-test-") as folder:
        both, certificate = make_certificate(folder)
        os.mkdir(os.path.join(folder, "other"))
        _, stranger = make_certificate(os.path.join(folder, "other"))
        pin = pin_of(certificate)
        for options, trusted in (((), False),
                                 (("--cacert", certificate), True),
                                 (("--cacert", stranger), False),
                                 (("--pinned-key", pin), True),
                                 (("--pinned-key", pin_of(stranger)), False)):
            reading, errors, status, server = ask(small(), *options, url="redfishs", cert=both)
            same((reading["capacity_bytes"], status), (100, 0) if trusted else (None, 69),
                 f"{options} {errors}")
            same(len(server.log) > 0, trusted, "something was asked of a stranger")


@test
def what_drives_do_not_answer_leaves_the_totals_as_they_are():
    def broken(request):
        return reply({}, 500)

    def slow(request):
        time.sleep(5)
        return reply({})

    drive = {"@odata.id": f"{ROOT}/Storage/s/Drives/1"}
    other = {"@odata.id": f"{ROOT}/Storage/s/Drives/2"}
    subsystem = {**SMALL[f"{ROOT}/Storage/s"], "Drives": [drive, other]}
    good = {"Id": "2", "Name": "two", "CapacityBytes": 50}
    counts = {**good, "IOStatistics": {"WriteIORequests": 5}}
    for one, two, names, transfers in ((broken, good, [], 12),
                                       (None, good, ["two"], 12),  # a link that leads nowhere
                                       (slow, good, [], 12),
                                       (broken, counts, [], None),
                                       (counts, counts, ["s / two", "s / two"], 10)):
        reading, errors, status, _ = ask(small(**{"/Storage/s": subsystem, "/Storage/s/Drives/1": one,
                                                  "/Storage/s/Drives/2": two}), "--timeout", "2")
        same((reading["capacity_bytes"], reading["error"], status), (100, None, 0), errors)
        same([d["name"] for d in reading["drive_list"]], names, "drives")
        same(reading["transfers"], transfers, "transfers")


@test
def metrics_that_do_not_answer_leave_transfers_unknown():
    pool = {key: value for key, value in SMALL[POOL].items() if key != "IOStatistics"}
    pool["Metrics"] = {"@odata.id": POOL + "/Metrics"}
    for document, transfers in ((lambda request: reply({}, 500), None), (None, None),
                                ({"IOStatistics": {"WriteIORequests": 8}}, 8)):
        reading, errors, status, _ = ask(small(**{POOL[len(ROOT):]: pool,
                                                  POOL[len(ROOT):] + "/Metrics": document}))
        same((reading["capacity_bytes"], reading["transfers"], reading["error"], status),
             (100, transfers, None, 0), errors)


@test
def pools_under_the_older_name_too_are_counted_once():
    older = f"{ROOT}/StorageServices"
    both = {**SMALL[ROOT], "StorageServices": {"@odata.id": older}}
    service = {"": {"Members": [{"@odata.id": f"{older}/s"}]},
               "/s": {"StoragePools": {"@odata.id": f"{older}/s/StoragePools"}},
               "/s/StoragePools": {"Members": [{"@odata.id": f"{older}/s/StoragePools/1"}]},
               "/s/StoragePools/1": SMALL[POOL]}
    documents = {"/StorageServices" + path: document for path, document in service.items()}
    reading, errors, _, _ = ask(small(**{"": both, **documents}))
    same((reading["capacity_bytes"], reading["transfers"]), (100, 12), errors)
    empty = {"/Storage/s": {"Volumes": {"@odata.id": f"{ROOT}/none"}}}
    reading, errors, _, _ = ask(small(**{"": both, **documents, **empty}))
    same(reading["capacity_bytes"], 100, errors)


@test
def a_page_that_is_named_and_not_there_leaves_the_totals_unknown():
    pools = f"{ROOT}/Storage/s/StoragePools"
    for where in ("page", "within"):
        first = {"Members": [{"@odata.id": POOL}], "Members@odata.nextLink": pools + "/page2"}
        subsystem = {**SMALL[f"{ROOT}/Storage/s"], "StoragePools": first}
        changes = {"/Storage/s/StoragePools": first} if where == "page" else {"/Storage/s": subsystem}
        reading, errors, status, _ = ask(small(**changes))
        same((reading["capacity_bytes"], reading["transfers"]), (None, None), errors)
        assert "answered 404" in (reading["error"] or ""), reading["error"]


# --- hostile services ---------------------------------------------------------------------------

@test
def endless_pages_end():
    def pages(request):
        n = int(request.path.split("=")[1]) if "=" in request.path else 0
        return reply({"Members": [], "Members@odata.nextLink": f"{ROOT}/Storage?page={n + 1}"})

    def answer(request):
        return pages(request) if request.path.startswith(f"{ROOT}/Storage") else small()(request)

    reading, _, _, server = ask(answer, "--timeout", "30")
    assert len(server.log) <= 1010, len(server.log)
    same(reading["capacity_bytes"], None, "capacity")
    assert "more than 1000 pages" in reading["error"], reading["error"]


@test
def too_many_members_end_at_the_limit():
    def answer(request):
        path = request.path.rstrip("/")
        if path == f"{ROOT}/Storage":
            return reply({"Members": [{"@odata.id": f"{ROOT}/Storage/{n}"} for n in range(30000)]})
        if path.startswith(f"{ROOT}/Storage/"):
            return reply({"Volumes": {"@odata.id": path + "/v"}})
        return small()(request)

    reading, _, status, server = ask(answer, "--timeout", "50")
    assert len(server.log) <= 5010, len(server.log)
    assert "more than 5000 documents" in reading["error"], reading["error"]
    same((reading["capacity_bytes"], status), (None, 69), "capacity and status")


@test
def links_to_other_hosts_and_redirects_are_not_followed():
    with Server(small()) as other:
        away = f"http://127.0.0.1:{other.port}{POOL}"

        def redirect(request):
            return 302, {"Location": away}, b""

        for pool in ({"Members": [{"@odata.id": away}]},
                     {"Members": [{"@odata.id": f"//localhost:{other.port}{POOL}"}]},
                     {"Members": [{"@odata.id": f"http://u:p@127.0.0.1:{other.port}/"}]},
                     {"Members": [{"@odata.id": "file:///etc/passwd"}]},
                     redirect):
            reading, _, status, _ = ask(small(**{"/Storage/s/StoragePools": pool}))
            same((reading["capacity_bytes"], status), (None, 69), pool)
            assert reading["error"], pool
        same(other.log, [], "requests to the other host")


@test
def loops_end():
    loop = {"Members": [{"@odata.id": f"{ROOT}/Storage"}, {"@odata.id": f"{ROOT}/Storage/s"}],
            "Members@odata.nextLink": f"{ROOT}/Storage"}
    reading, _, _, server = ask(small(**{"/Storage": loop}))
    same(reading["capacity_bytes"], 100, "capacity")
    assert len(server.log) < 12, server.paths()


@test
def bad_bodies_are_told_and_leave_the_totals_unknown():
    def drip(request):
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(600):
            request.wfile.write(b" ")
            request.wfile.flush()
            time.sleep(0.1)

    def endless(request):
        request.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(1000):
            request.wfile.write(b"[" * 65536)

    def cut(request):
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"a\":")

    def headers(request):
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(100000):
            request.wfile.write(b"X: y\r\n")

    def bytes_of(body):
        return lambda request: (200, {}, body)

    cases = {
        "drip": (drip, "time"),
        "endless": (endless, "larger"),
        "cut": (cut, ""),
        "headers": (headers, "headers are larger"),
        "deep": (bytes_of(b"[" * 100000), "nested deeper"),
        "no JSON": (bytes_of(b"<html>"), "not valid JSON"),
        "no object": (bytes_of(b"[]"), "not a JSON object"),
        "empty": (bytes_of(b""), "not a JSON object"),
        "twice": (bytes_of(b'{"Id":"1","Id":"2"}'), "duplicate"),
        "NUL": (bytes_of(b'{"Id":"1\\u0000"}'), "NUL"),
        "not UTF-8": (bytes_of(b'{"Id":"\xff"}'), "decode byte"),
        "500": (lambda request: reply({}, 500), "answered 500"),
        "no HTTP": (lambda request: request.wfile.write(b"hello\r\n\r\n"), ""),
    }
    for name, (body, why) in cases.items():
        started = time.monotonic()
        reading, _, status, _ = ask(small(**{"/Storage/s/StoragePools/1": body}), "--timeout", "3")
        took = time.monotonic() - started
        assert took < 8, f"{name} took {took} s"
        same((reading["capacity_bytes"], reading["transfers"], status), (None, None, 69), name)
        assert why.lower() in reading["error"].lower(), f"{name}: {reading['error']}"


@test
def a_dead_service_costs_its_deadline_only():
    with socket.create_server(("127.0.0.1", 0)) as silent, Server(small()) as good:
        started = time.monotonic()
        readings, _, status = probe(f"redfish://127.0.0.1:{silent.getsockname()[1]}",
                                    f"redfish://127.0.0.1:{good.port}",
                                    "redfish://127.0.0.1:1", "--timeout", "2", status=69)
        took = time.monotonic() - started
    assert took < 5, took
    same([r["capacity_bytes"] for r in readings], [None, 100, None], "capacity")
    assert "127.0.0.1:1" in readings[2]["error"]


@test
def wrong_addresses_are_refused_as_usage():
    for url in ("redfish://", "redfish://user@host", "redfish://host/path", "redfish://host:0"):
        _, errors, _ = probe(url, status=64)
        assert errors.startswith("tidemark-probe: "), errors


run()
