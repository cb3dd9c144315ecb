#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The helper process, tidemark-probe --serve, asked over a socket pair as the plugins do it."""
import importlib.machinery
import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ.get("SOURCE", "."), "tests/lib"))
from probing import *
from web_server import POOL, ROOT, SMALL, Server, reply


def answer(request):
    document = SMALL.get(request.path.rstrip("/"))
    return reply({}, 404) if document is None else reply(document)


class Helper:
    def __enter__(self):
        self.socket, other = socket.socketpair()
        self.process = subprocess.Popen([PROBE, "--serve"], stdin=other, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        other.close()
        self.socket.settimeout(20)
        self.lines = self.socket.makefile("r")
        self.id = 0
        return self

    def __exit__(self, *args):
        self.lines.close()
        self.socket.close()
        try:
            self.process.wait(10)
        finally:
            self.process.kill()
            self.errors = self.process.stderr.read()
            self.process.stderr.close()
            self.process.wait()

    def send(self, text):
        self.socket.sendall(text.encode() + b"\n")

    def ask(self, device, port, part="everything", source="redfish", more=False, timeout=5, **settings):
        self.id += 1
        self.send(json.dumps({
            "id": self.id, "device": device, "source": source, "part": part, "items": ["copies"],
            "timeout": timeout, "explain": True, "more": more,
            "settings": {"Address": "127.0.0.1", "Port": str(port), "TLS": "false", **settings}}))
        return self.id

    def read(self):
        return json.loads(self.lines.readline())


@test
def a_device_keeps_its_connection_and_counters_are_asked_for_alone():
    with Server(answer) as server, Helper() as helper:
        helper.ask(1, server.port)
        first = helper.read()
        same(first["reading"]["capacity_bytes"], 100, first)
        assert first["explain"]["transfers"], first
        walked = len(server.log)
        helper.ask(1, server.port, "counters")
        second = helper.read()
        same(second["reading"]["counters"], [{"name": POOL, "value": 12, "bits": 64, "epoch": 0}], "")
        assert second["asked_at"] <= second["answered_at"] < second["asked_at"] + 5, second
        same(server.paths()[walked:], [POOL], "documents of a counter")
        SMALL[POOL]["IOStatistics"]["WriteIORequests"] = 15
        helper.ask(1, server.port, "counters")
        same(helper.read()["reading"]["transfers"], 15, "moved")
        helper.ask(1, server.port, "items")
        same([i["state"] for i in helper.read()["reading"]["items"]], ["not-offered"], "items")


def with_drives(*metrics):
    """The same array with a drive for each Metrics document (None: it has none)."""
    links = [{"@odata.id": f"{ROOT}/Storage/s/Drives/{i}"} for i in range(len(metrics))]
    known = {**SMALL, f"{ROOT}/Storage/s": {**SMALL[f"{ROOT}/Storage/s"], "Drives": links}}
    for link, document in zip(links, metrics):
        path = link["@odata.id"]
        known[path] = {"Id": "1", "Name": path[-1], "CapacityBytes": 50}
        if document is not None:
            known[path]["Metrics"] = {"@odata.id": path + "/Metrics"}
            known[path + "/Metrics"] = {"Id": "DriveMetrics", **document}

    def answer(request):
        document = known.get(request.path.rstrip("/"))
        return reply({}, 404) if document is None else reply(document)

    return answer


@test
def drives_without_counters_are_not_read_at_every_reading():
    writes = SMALL[POOL]["IOStatistics"]["WriteIORequests"]
    with Server(with_drives(None, None)) as server, Helper() as helper:
        for turn in (1, 2, 3):
            helper.ask(1, server.port)
            reading = helper.read()["reading"]
            same([d["name"] for d in reading["drive_list"]], ["0", "1"], f"reading {turn}")
            same((reading["capacity_bytes"], reading["transfers"]), (100, writes), f"reading {turn}")
        same(len([p for p in server.paths() if "Drives" in p]), 2, server.paths())


@test
def counters_of_drives_are_asked_for_alone():
    smart = [{"NVMeSMART": {"HostWriteCommands": n}} for n in (3, 4)]
    with Server(with_drives(*smart)) as server, Helper() as helper:
        helper.ask(1, server.port)
        first = helper.read()["reading"]
        same(first["transfers"], 7, first)
        walked = len(server.log)
        helper.ask(1, server.port, "counters")
        second = helper.read()["reading"]
        metrics = [f"{ROOT}/Storage/s/Drives/{i}/Metrics" for i in (0, 1)]
        same(server.paths()[walked:], metrics, "asked for")
        same((second["transfers"], second["counters"]), (7, first["counters"]), second)
        helper.ask(1, server.port)  # these change, so they are read each time
        same(helper.read()["reading"]["transfers"], 7, "the third reading")
        same(len([p for p in server.paths() if "Drives" in p]), 10, server.paths())


@test
def counters_of_many_drives_are_asked_for_side_by_side():
    quick = with_drives(*({"NVMeSMART": {"HostWriteCommands": n}} for n in range(24)))
    slow, broken, logins, token, inside, most = [], [], [], [], [], []

    def answer(request):
        path = request.path.rstrip("/")
        if request.command == "POST":
            logins.append(path)
            token[:] = ["t%d" % len(logins)]
            return reply({}, 201, **{"X-Auth-Token": token[0], "Location": path + "/1"})
        if request.command != "GET":
            return reply({}, 204)
        if path != ROOT and request.headers.get("X-Auth-Token") not in token:
            return reply({}, 401)
        if slow:
            inside.append(path)
            most.append(len(inside))
            time.sleep(0.1)
            inside.remove(path)
        return reply({}, 500) if path in broken else quick(request)

    with secret_file('device "127.0.0.1" { user = "monitor"  password = "secret" }') as file, \
         Server(answer) as server, Helper() as helper:
        helper.ask(1, server.port, Credentials=file.name)
        first = helper.read()["reading"]
        same((first["transfers"], len(first["counters"])), (276, 24), "the whole walk")
        slow.append(True)
        for turn in range(3):
            most.clear()
            helper.ask(1, server.port, "counters", Credentials=file.name)
            reading = helper.read()["reading"]
            same(sorted(reading["counters"], key=lambda c: c["name"]),
                 sorted(first["counters"], key=lambda c: c["name"]), f"counters {turn}")
            assert len(most) >= 24 and max(most) > 1, most
            if turn == 1:
                token.clear()  # the session has expired
        same(len(logins), 3, "one login for each part of a question, and a new one")
        broken.append(f"{ROOT}/Storage/s/Drives/17/Metrics")
        helper.ask(1, server.port, "counters", Credentials=file.name)
        reading = helper.read()["reading"]
        same((reading["transfers"] if "transfers" in reading else None,
              reading.get("counters", [])), (None, []), "a part is no sum")
        assert "500" in reading["error"], reading


@test
def a_session_that_expired_is_renewed_at_the_next_question():
    tokens = []

    def guarded(request):
        if request.path.endswith("/Sessions") and request.command == "POST":
            tokens.append(f"t{len(tokens)}")
            return reply({"@odata.id": f"{ROOT}/SessionService/Sessions/{tokens[-1]}"}, 201,
                         **{"X-Auth-Token": tokens[-1]})
        if request.path.rstrip("/") != ROOT and request.headers.get("X-Auth-Token") != tokens[-1:][0]:
            return reply({}, 401)
        return answer(request) if request.command == "GET" else reply({}, 204)

    def check(request):
        if not tokens and request.command == "GET" and request.path.rstrip("/") != ROOT:
            return reply({}, 401)
        return guarded(request)

    with secret_file('device "127.0.0.1" { user = "u" password = "p" }') as file, \
            Server(check) as server:
        with Helper() as helper:
            for expired in (False, False, True, False):
                if expired:
                    tokens.append("revoked")
                helper.ask(1, server.port, Credentials=file.name)
                same(helper.read()["reading"]["used_bytes"], 7, f"expired: {expired}")
        posts = [entry for entry in server.log if entry[0] == "POST"]
        same(len(posts), 2, "logins")
        same(("DELETE", f"{ROOT}/SessionService/Sessions/t2"), server.log[-1][:2], "the end")


def snmp_agent():
    """The honest printer of tests/lib/hostile_agent, in this process."""
    loader = importlib.machinery.SourceFileLoader("agent", os.path.join(SOURCE, "tests/lib/hostile_agent"))
    agent = importlib.util.module_from_spec(importlib.util.spec_from_loader("agent", loader))
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loader.exec_module(agent)
    sys.dont_write_bytecode = written
    return agent


@test
def both_sessions_of_an_agent_count_its_restarts_alike():
    agent = snmp_agent()
    clock = agent.dotted("1.3.6.1.2.1.1.3.0")
    up = {"s": 300000}

    def serve(at):
        while up["s"] is not None:
            data, peer = at.recvfrom(65536)
            if data:
                q = agent.Question(data)
                at.sendto(agent.pdu(q, agent.honest_bindings(
                    q, lambda n, v: agent.number(up["s"] * 100, agent.TICKS) if n == clock else v)), peer)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as at, Helper() as helper:
        at.bind(("127.0.0.1", 0))
        port = at.getsockname()[1]
        thread = threading.Thread(target=serve, args=(at,))
        thread.start()

        def epochs(*parts):
            for part in parts:
                helper.ask(1, port, part, source="snmp", Community="honest",
                           Profiles=os.path.join(SOURCE, "plugins/profiles"))
                got = helper.read()["reading"]
                assert got.get("counters"), got
                yield got["counters"][0]["epoch"]

        try:
            same(list(epochs("everything", "counters")), [0, 0], "before")
            # Two restarts between two borders, which the reads in between see one by one.
            up["s"] = 1000
            list(epochs("everything"))
            up["s"] = 10
            read, border = epochs("everything", "counters")
            same((read, border), (2, 2), "after two restarts")
        finally:
            up["s"] = None
            at.sendto(b"", at.getsockname())
            thread.join()


@test
def a_batch_is_asked_side_by_side():
    def slow(request):
        time.sleep(0.2)
        return answer(request)

    with Server(slow) as server, Helper() as helper, socket.create_server(("127.0.0.1", 0)) as dead:
        started = time.monotonic()
        for device in range(20):
            helper.ask(device, server.port, more=True)
        silent = helper.ask(99, dead.getsockname()[1], more=False, timeout=4)
        got = [helper.read() for _ in range(21)]
        took = time.monotonic() - started
    assert took < 6, took
    same(got[-1]["id"], silent, "the silent one comes last")
    same(sorted(g["id"] for g in got), list(range(1, 22)), "ids")
    same([g["reading"].get("capacity_bytes") for g in got[:-1]], [100] * 20, "capacity")
    same(got[-1]["reading"]["error_code"], -110, got[-1])


@test
def requests_that_cannot_be_done_are_refused_one_by_one():
    with Server(answer) as server, Helper() as helper:
        for fields, why in (({"source": "nfs"}, "no such source"), ({"part": "all"}, "cannot be read"),
                            ({"device": -1}, "too many"), ({"device": "1"}, "cannot be read"),
                            ({"timeout": None}, "cannot be read"), ({"source": 3}, "without source"),
                            ({"settings": {"Address": "127.0.0.1", "Port": "0"}}, "Port"),
                            ({"settings": {}}, "Address"), ({"settings": [1]}, "Address")):
            helper.send(json.dumps({"id": 5, "device": 7, "source": "redfish", "part": "counters",
                                    "timeout": 1, "settings": {"Address": "127.0.0.1"}, **fields}))
            got = helper.read()
            same(got["id"], 5, fields)
            assert why in got["reading"]["error"], (fields, got)
        helper.ask(1, server.port)
        same(helper.read()["reading"]["capacity_bytes"], 100, "and the next is answered")
        with socket.create_server(("127.0.0.1", 0)) as dead:
            one = helper.ask(2, dead.getsockname()[1], timeout=1.5)
            two = helper.ask(2, dead.getsockname()[1], timeout=1.5)
            first, second = helper.read(), helper.read()
        same((first["id"], second["id"]), (two, one), "order")
        assert "under way" in first["reading"]["error"], first


@test
def it_ends_with_its_socket_and_at_garbage():
    with Helper() as helper:
        pass
    same(helper.process.returncode, 0, helper.errors)
    with Helper() as helper:
        helper.send("hello")
        same(helper.lines.readline(), "", "answer")
    same(helper.process.returncode, 76, helper.errors)
    with Helper() as helper:
        try:
            helper.socket.sendall(b"x" * (2 << 20))
        except BrokenPipeError:
            pass  # it did not read to the end
    same(helper.process.returncode, 76, helper.errors)
    with socket.create_server(("127.0.0.1", 0)) as dead, Helper() as helper:
        helper.ask(2, dead.getsockname()[1], timeout=60)
        started = time.monotonic()
        helper.socket.shutdown(socket.SHUT_WR)
        same(helper.lines.readline(), "", "answer")
        assert time.monotonic() - started < 5, "it waited for a dead device"
    done = subprocess.run([PROBE, "--serve"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    same(done.returncode, 64, done.stderr)


@test
def two_thousand_questions_leave_its_memory_flat():
    def pages():
        with open(f"/proc/{helper.process.pid}/statm") as f:
            return int(f.read().split()[1]) * 4

    with Server(answer) as server, Helper() as helper:
        sizes = []
        for round in range(4):
            for _ in range(500):
                helper.ask(1, server.port, "counters" if round % 2 else "everything")
                assert helper.read()["reading"]["transfers"], "transfers"
            sizes.append(pages())
    with open(PROBE, "rb") as f:
        if b"__asan_init" in f.read():
            return  # it keeps what was freed, and looks for leaks by itself
    assert sizes[-1] - sizes[1] < 1024, f"KiB after each round: {sizes}"


run()
