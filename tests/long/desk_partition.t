#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# run: alone
"""A desk whose PostgreSQL is gone without a word, as behind a firewall that has forgotten the connection: what waits for it is
told so within half a minute, and everything goes on when it is back. The server is behind a network of the
test's own that then lets nothing through."""
import atexit
import http.client
import os
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ.setdefault("SOURCE", os.getcwd()), "tests/lib"))
os.environ.setdefault("BUILD", os.path.join(os.environ["SOURCE"], "build"))
from pushing import Postgresql  # noqa: E402
from selling import SalesDesk  # noqa: E402
from tap import done, note, ok, same, skip_all  # noqa: E402
from waiting import wait_for  # noqa: E402

NAME = "tmp%d" % os.getpid()
HERE, THERE, PORT = "10.77.%d.1" % (os.getpid() % 250), "10.77.%d.2" % (os.getpid() % 250), 5599
INSIDE = ["ip", "netns", "exec", NAME]
# Of nothing that is larger than a byte is anything let out.
CUT = ["tc", "qdisc", "add", "dev", "inside", "root", "tbf", "rate", "8bit", "burst", "1", "limit", "1"]
RELAY = r"""
import socket, sys, threading
def pump(a, b):
    try:
        while True:
            data = a.recv(65536)
            if not data:
                break
            b.sendall(data)
    except OSError:
        pass
    for s in (a, b):
        try:
            s.shutdown(2)
        except OSError:
            pass
listener = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("up", flush=True)
while True:
    near, _ = listener.accept()
    far = socket.socket(socket.AF_UNIX)
    far.connect(sys.argv[3])
    for pair in ((near, far), (far, near)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
"""


def run(*command):
    subprocess.run(command, check=True, stderr=subprocess.PIPE)


if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("tc"):
    skip_all("needs root, ip and tc")
server = Postgresql()
if server.url is None:
    skip_all(server.why)
try:
    run("ip", "netns", "add", NAME)
    atexit.register(subprocess.run, ["ip", "netns", "del", NAME])  # and the pair of devices with it
    run("ip", "link", "add", NAME, "type", "veth", "peer", "name", "inside", "netns", NAME)
    run("ip", "addr", "add", HERE + "/30", "dev", NAME)
    run("ip", "link", "set", NAME, "up")
    run(*INSIDE, "ip", "addr", "add", THERE + "/30", "dev", "inside")
    run(*INSIDE, "ip", "link", "set", "inside", "up")
    run(*INSIDE, *CUT)
    run(*INSIDE, "tc", "qdisc", "del", "dev", "inside", "root")
except subprocess.CalledProcessError as error:
    skip_all("needs hardware: %s: %s" % (" ".join(error.cmd), error.stderr.decode().strip()))
address, name = server.url.split("@")[1].split("/")
relay = subprocess.Popen([*INSIDE, "/usr/bin/python3", "-c", RELAY, THERE, str(PORT),
                          "%s/pg/.s.PGSQL.%s" % (server.folder, address.split(":")[1])], stdout=subprocess.PIPE, text=True)
atexit.register(relay.wait)
atexit.register(relay.kill)
relay.stdout.readline()
desk = SalesDesk(database="postgresql://desk@%s:%d/%s" % (THERE, PORT, name)).start().furnish()


def visit(into):
    """(status, seconds)"""
    begun = time.monotonic()
    c = http.client.HTTPConnection("127.0.0.1", desk.port, timeout=120)
    try:
        c.request("GET", "/opportunities", headers={"Cookie": desk.cookies["sales"]})
        status = c.getresponse().status
    except OSError as error:
        status = repr(error)
    into.append((status, time.monotonic() - begun))
    c.close()


def visits(n):
    seen = []
    threads = [threading.Thread(target=visit, args=(seen,)) for _ in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return seen


same([status for status, _ in visits(3)], [200] * 3, "pages come from a database behind a network")
run(*INSIDE, *CUT)
seen = visits(3)
note("cut: " + ", ".join("%s after %.0f s" % one for one in seen))
ok(all(status in (500, 503) and took < 40 for status, took in seen), "when nothing comes through any more, visitors are told so", seen)
run(*INSIDE, "tc", "qdisc", "del", "dev", "inside", "root")
ok(wait_for(lambda: [status for status, _ in visits(1)] == [200]), "when it is back, so are the pages")
same(desk.stop(), 0, "and the desk ends as ever")
done()
