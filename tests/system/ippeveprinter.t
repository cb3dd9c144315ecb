#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Printers by IPP, asked by tidemark-probe: a live ippeveprinter, and answers replayed by a server."""
import glob
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ.get("SOURCE", "."), "tests/lib"))
from probing import *
from waiting import accepts, wait_for
from web_server import Server, reply


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Printer:
    """A live ippeveprinter. It insists on a D-Bus for DNS-SD; a private one is enough."""

    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory(prefix="tidemark-ipp-")
        self.children = []
        self.options = options

    def start(self, *command, **environment):
        child = subprocess.Popen(command, env={**os.environ, **environment}, cwd=self.folder.name,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.children.append(child)
        return child

    def wait_for(self, ready, child, what):
        wait_for(lambda: ready() or child.poll() is not None, 60, 0.05)
        assert child.poll() is None, f"{what} ended with {child.returncode}"
        assert ready(), f"{what} does not get ready"

    def __enter__(self):
        try:
            return self.run()
        except BaseException:
            self.__exit__()
            raise

    def run(self):
        bus = os.path.join(self.folder.name, "bus")
        address = f"unix:path={bus}"
        daemon = self.start("dbus-daemon", "--session", "--nofork", f"--address={address}")
        self.wait_for(lambda: os.path.exists(bus), daemon, "dbus-daemon")
        self.port = free_port()
        os.mkdir(os.path.join(self.folder.name, "spool"))
        printer = self.start("ippeveprinter", "-r", "off", "-p", str(self.port), "-n", "localhost",
                             *self.options, "-d", os.path.join(self.folder.name, "spool"),
                             "TM Printer", DBUS_SYSTEM_BUS_ADDRESS=address)

        self.wait_for(lambda: accepts(self.port), printer, "ippeveprinter")
        return self

    def __exit__(self, *args):
        for child in reversed(self.children):
            child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.folder.cleanup()


@test
def a_live_printer_tells_its_counters():
    conf = os.path.join(SOURCE, "tests/data/ipp/counters.conf")
    with Printer("-a", conf) as printer:
        readings, _, _ = probe(f"ipp://127.0.0.1:{printer.port}/ipp/print",
                               f"ipp://127.0.0.1:{printer.port}")
    hold(readings[0], {"kind": "printer", "serial": "TM0000042", "firmware": "2.0.1", "error": None,
                       "pages_total": 70211, "pages_unit": "impressions", "pages_color": 12005,
                       "profile": "ipp"})
    same({**readings[0], "observed_at": 0}, {**readings[1], "observed_at": 0}, "the usual path")


@test
def a_live_printer_without_counters_tells_its_supplies_and_trays():
    with Printer() as printer:
        readings, _, _ = probe(f"ipp://127.0.0.1:{printer.port}/ipp/print")
    reading = readings[0]
    same((reading["pages_total"], reading["pages_unit"], reading["error"]), (None, None, None), "")
    assert reading["model"], reading
    assert reading["supplies"] and reading["trays"], reading
    for supply in reading["supplies"]:
        assert supply["name"] and supply["state"], supply
        assert supply["max"] is None or supply["max"] > 0, supply
    for tray in reading["trays"]:
        assert tray["name"] and (tray["capacity"] or tray["level"] is not None), tray


@test
def a_live_printer_tells_the_items_that_it_has():
    conf = os.path.join(SOURCE, "tests/data/ipp/counters.conf")
    with Printer("-a", conf) as printer:
        readings, _, _ = probe(f"ipp://127.0.0.1:{printer.port}/ipp/print", "--items",
                               "pages_total,pages_color,sheets_total,printer_state,exposure")
    items = {i["name"]: (i["value"], i["unit"], i["nature"], i["state"])
             for i in readings[0]["items"]}
    same(items, {"pages_total": (70211, "impressions", "counter", None),
                 "pages_color": (12005, "impressions", "counter", None),
                 "sheets_total": (41000, "sheets", "counter", None),
                 "printer_state": ("idle", None, "measurement", None),
                 "exposure": (None, None, None, "not-offered")}, "items")
    same(readings[0]["pages_total"], None, "only the items are told")


# --- replayed answers ---------------------------------------------------------------------------

def replaying(body, status=200):
    return lambda request: (status, {"Content-Type": "application/ipp"}, body)


def ask(body, *options, **how):
    with Server(body if callable(body) else replaying(body)) as server:
        readings, errors, status = probe(f"ipp://127.0.0.1:{server.port}/ipp/print", *options,
                                         **{"status": None, **how})
    return readings[0], errors, status, server


def hold_answers(folder):
    names = sorted(glob.glob(os.path.join(folder, "*.bin")))
    assert names, f"no answers in {folder}"
    for file in names:
        with open(file[:-len(".bin")] + ".expected.json") as f:
            want = json.load(f)
        with open(file, "rb") as f:
            reading, _, status, _ = ask(f.read())
        hold(reading, want, os.path.basename(file))
        same((reading["error"], status), (None, 0), file)


@test
def recorded_answers_are_read_as_expected():
    folder = os.path.join(RECORDINGS, "ipp")
    if not os.path.isdir(folder):
        return "needs ../shared/recordings/ipp"
    hold_answers(folder)


@test
def hand_made_answers_are_read_as_expected():
    hold_answers(os.path.join(SOURCE, "tests/data/ipp"))


def attribute(tag, name, value):
    return struct.pack(">BH", tag, len(name)) + name + struct.pack(">H", len(value)) + value


def message(*attributes, status=0):
    return (struct.pack(">HHI", 0x0200, status, 1) + b"\x01" +
            attribute(0x47, b"attributes-charset", b"utf-8") +
            attribute(0x48, b"attributes-natural-language", b"en") + b"\x04" +
            b"".join(attributes) + b"\x03")


PAGES = attribute(0x21, b"printer-impressions-completed", struct.pack(">i", 7))


@test
def an_old_printer_is_asked_by_its_own_version():
    def answer(request):
        if request.body[:2] == b"\x02\x00":
            return replaying(message(status=0x0503))(request)
        return replaying(message(PAGES))(request)

    reading, _, status, server = ask(answer)
    same((reading["pages_total"], status, len(server.log)), (7, 0, 2), "pages")


@test
def failures_are_told():
    for body, why in ((message(PAGES, status=0x0406), "0x0406"),
                      (message(PAGES, status=0x0503), "0x0503"),
                      (replaying(message(PAGES), 426), "426"),
                      (replaying(message(PAGES), 401), "401"),
                      (b"", "no IPP message"),
                      (b"<html>hello</html>", "no IPP message"),
                      (message(PAGES)[:-1], "no IPP message"),
                      (message(attribute(0x34, b"a", b"") * 20), "no IPP message"),
                      (b"x" * (5 << 20), "larger")):
        reading, _, status, _ = ask(body)
        same((reading["pages_total"], status), (None, 69), why)
        assert why in reading["error"], reading["error"]


@test
def a_silent_printer_costs_its_deadline_only():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ipp://127.0.0.1:{silent.getsockname()[1]}/"
        started = time.monotonic()
        readings, _, _ = probe(url, url, "--timeout", "2", status=69)
        assert time.monotonic() - started < 4
    same([r["pages_total"] for r in readings], [None, None], "pages")


@test
def a_printer_behind_a_password_is_read():
    def answer(request):
        if request.headers.get("Authorization") != "Basic dTpw":
            return reply({}, 401)
        return replaying(message(PAGES))(request)

    with secret_file('device "127.0.0.1" { user = "u" password = "p" }') as file:
        reading, _, _, _ = ask(answer, "--credentials", file.name)
    same(reading["pages_total"], 7, "pages")


run()
