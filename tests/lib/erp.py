# SPDX-License-Identifier: MIT
"""A real Tryton for the tests: made once below BUILD/tryton, copied and served for each test; and a
proxy before it that can lose answers."""
import atexit
import base64
import datetime
import fcntl
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tryton")
START = os.path.join(HERE, "start")
USERS = {"tidemark": "Exporter-7421", "factory": "Factory-6284", "rep1": "Salesrep-8305",
         "admin": "tidemark-admin"}


def present():
    return shutil.which("trytond") is not None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def serve(folder, port):
    """Runs `start` until it says READY. The process leads a group of its own."""
    p = subprocess.Popen([START, folder, str(port)], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, start_new_session=True)
    line = ""
    try:
        line = p.stdout.readline()
    finally: # also when this test is told to stop meanwhile
        if line.strip() != "READY":
            os.killpg(p.pid, signal.SIGTERM)
            said = p.stderr.read()
            end(p)
    if line.strip() != "READY":
        raise RuntimeError("tryton: " + line + said)
    return p


def end(p):
    if p.poll() is None:
        os.killpg(p.pid, signal.SIGTERM)
        try:
            p.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            p.wait()
    p.stdout.close()
    p.stderr.close()


def made():
    """The folder that is copied: made anew when its maker changes, and each day, as its stock and
    fiscal year are of a day."""
    folder = os.path.join(BUILD, "tryton")
    os.makedirs(folder, exist_ok=True)
    stamp = [datetime.date.today().isoformat()]
    for name in ("start", "seed.py"):
        with open(os.path.join(HERE, name), encoding="utf-8") as f:
            stamp.append(f.read())
    mark, data = os.path.join(folder, "stamp.json"), os.path.join(folder, "made")
    with open(os.path.join(folder, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            with open(mark, encoding="utf-8") as f:
                if json.load(f) == stamp:
                    return data
        except (OSError, ValueError):
            pass
        shutil.rmtree(data, ignore_errors=True)
        end(serve(data, free_port()))
        with open(mark, "w", encoding="utf-8") as f:
            json.dump(stamp, f)
    return data


class Erp:
    """A server of one's own; ended and removed at the end."""

    def __init__(self):
        room = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = tempfile.mkdtemp(prefix="tidemark-tryton-", dir=room)
        atexit.register(shutil.rmtree, self.folder, True)
        shutil.copytree(made(), self.folder, dirs_exist_ok=True)
        with open(os.path.join(self.folder, "seed.json"), encoding="utf-8") as f:
            self.seed = json.load(f)
        self.port = free_port()
        self.url = "http://127.0.0.1:%d/crm/" % self.port
        self.sessions = {}
        self.process = None
        atexit.register(self.stop)
        self.start()

    def start(self):
        self.process = serve(self.folder, self.port)
        self.sessions = {}

    def stop(self):
        if self.process is not None:
            end(self.process)
            self.process = None

    def post(self, method, params, headers=()):
        body = json.dumps({"id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(
            self.url, body, {"Content-Type": "application/json", **dict(headers)})
        with urllib.request.urlopen(request, timeout=60) as f:
            answer = json.load(f)
        if answer.get("error"):
            raise RuntimeError("%s: %s" % (method, answer["error"]))
        return answer["result"]

    def call(self, method, *params, user="tidemark", **context):
        """As this user; the context is the company's."""
        if user not in self.sessions:
            number, key = self.post("common.db.login", [user, {"password": USERS[user]}, "en"])
            self.sessions[user] = base64.b64encode(
                ("%s:%d:%s" % (user, number, key)).encode()).decode()
        context = {"company": 1, **({"employee": 1} if user == "rep1" else {}), **context}
        return self.post(method, [*params, context],
                         [("Authorization", "Session " + self.sessions[user])])

    def find(self, model, domain, *fields, user="tidemark", **context):
        return self.call("model.%s.search_read" % model, domain, 0, None, [["id", "ASC"]],
                         list(fields), user=user, **context)

    def press(self, model, button, *ids, user="tidemark"):
        return self.call("model.%s.%s" % (model, button), list(ids), user=user)


def date(text):
    y, m, d = (int(x) for x in text.split("-"))
    return {"__class__": "date", "year": y, "month": m, "day": d}


def text_of(value):
    return "%(year)04d-%(month)02d-%(day)02d" % value if value else None


class Proxy:
    """Hands requests on to a Tryton. `mode(method, path_body)` may return "lose" (the server gets
    it, the answer does not come back), "refuse" (nothing is handed on), or a status."""

    def __init__(self, erp):
        outer = self
        self.mode = None
        self.calls = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                method = json.loads(body)["method"]
                outer.calls.append(method)
                how = outer.mode(method) if outer.mode else None
                self.close_connection = True
                if how == "refuse":
                    return
                if isinstance(how, tuple):
                    status, data = how
                else:
                    status, data = outer.hand_on(self.headers, body)
                if how == "lose":
                    return
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Connection", "close")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, address):
                pass

        self.target = erp.url
        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/crm/" % self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def hand_on(self, headers, body):
        names = ("Content-Type", "Authorization")
        request = urllib.request.Request(
            self.target, body, {n: headers[n] for n in names if headers[n]})
        try:
            with urllib.request.urlopen(request, timeout=60) as f:
                return f.status, f.read()
        except urllib.error.HTTPError as e:
            return e.code, e.read()

    def close(self):
        self.http.shutdown()
        self.http.server_close()
