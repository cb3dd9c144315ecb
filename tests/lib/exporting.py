# SPDX-License-Identifier: MIT
"""A site for the exporter's tests, and a receiver of the protocol that can be told to misbehave."""
import atexit
import base64
import hashlib
import hmac
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sanitizer  # noqa: E402
import web_server  # noqa: E402

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
SOURCE = os.path.abspath(os.environ.get("SOURCE", "."))
EXPORT = os.path.join(BUILD, "tidemark-export")
SECRET = base64.b64encode(bytes(range(32))).decode()
TOKEN = "token-of-this-site"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def sign(identity, timestamp, body, secret=SECRET):
    text = ("%s.%s." % (identity, timestamp)).encode() + body
    mac = hmac.new(base64.b64decode(secret), text, hashlib.sha256).digest()
    return "v1," + base64.b64encode(mac).decode()


class Receiver:
    """Keeps what it accepts by id, as the protocol wants. `mode` is a function of this receiver and
    the request that returns (status, headers, body), None (nothing is answered), or "ok"."""

    def __init__(self, cert=None, client_ca=None, token=None):
        self.token = token    # None: TOKEN, as it stands when it is asked
        self.records = {}     # id -> bytes of the event
        self.order = []       # ids as they were first accepted
        self.doubles = 0      # events that came again
        self.problems = []    # what a stranger would have complained about
        self.requests = []    # for data items, given with each answer
        self.mode = None
        self.skew = 0
        self.lock = threading.Lock()
        self.server = web_server.Server(self.answer, cert)
        if client_ca:
            self.server.http.socket.context.load_verify_locations(client_ca)
            self.server.http.socket.context.verify_mode = ssl.CERT_REQUIRED
        self.port = self.server.port
        self.scheme = "https" if cert else "http"
        self.url = "%s://127.0.0.1:%d/api/v1/events" % (self.scheme, self.port)

    @property
    def log(self):
        return self.server.log

    def close(self):
        self.server.http.shutdown()
        self.server.http.server_close()

    def check(self, request):
        """The headers that every request must have."""
        h = {k.lower(): v for k, v in request.headers.items()}
        identity, at = h.get("webhook-id", ""), h.get("webhook-timestamp", "")
        if h.get("authorization") != "Bearer " + (self.token or TOKEN):
            return "token"
        if not hmac.compare_digest(h.get("webhook-signature", ""),
                                   sign(identity, at, request.body)):
            return "signature"
        if abs(int(at) - (time.time() + self.skew)) > 300:
            return "time"
        return None

    def split(self, request):
        """The events of a request with the bytes of each."""
        kind = request.headers.get("Content-Type", "").split(";")[0]
        if kind == "application/cloudevents+json":
            return [(json.loads(request.body), request.body)]
        if kind != "application/cloudevents-batch+json":
            self.problems.append("content type " + kind)
            return []
        text, events, decoder = request.body.decode(), [], json.JSONDecoder()
        at = 1
        while text[at - 1] != "]":
            event, end = decoder.raw_decode(text, at)
            events.append((event, text[at:end].encode()))
            at = end + 1
        return events

    def accept(self, request):
        results = []
        events = self.split(request)
        with self.lock:
            for event, body in events:
                known = event["id"] in self.records
                if known:
                    self.doubles += 1
                    if self.records[event["id"]] != body:
                        self.problems.append("other bytes under the same id")
                else:
                    self.records[event["id"]] = body
                    self.order.append(event["id"])
                results.append({"id": event["id"], "status": "duplicate" if known else "accepted",
                                "sha256": sha256(body)})
        return results

    def reply(self, request, results, status=200, secret=SECRET):
        document = {"results": results}
        if self.requests:
            document["requests"] = self.requests
        body = json.dumps(document).encode()
        at = str(int(time.time()))
        identity = request.headers.get("webhook-id", "")
        return status, {"Content-Type": "application/json", "webhook-id": identity,
                        "webhook-timestamp": at,
                        "webhook-signature": sign(identity, at, body, secret)}, body

    def answer(self, request):
        out = self.mode(self, request) if self.mode else "ok"
        if out != "ok":
            return out
        wrong = self.check(request)
        if wrong == "time":
            return 401, {}, b'{"error":"timestamp"}'
        if wrong:
            self.problems.append(wrong)
            return 401, {}, b'{"error":"credentials"}'
        return self.reply(request, self.accept(request) if request.command == "POST" else [])


# --- ways to misbehave ------------------------------------------------------------------------

def status(code, body=b"", **headers):
    names = {k.replace("_", "-"): v for k, v in headers.items()}
    return lambda receiver, request: (code, names, body)


def close_early(receiver, request):
    return None


def hang(receiver, request):
    time.sleep(4)
    return None


def drop_answer(receiver, request):
    """Takes the events, then the line is cut."""
    receiver.accept(request)
    return None


def cut_answer(receiver, request):
    """Takes the events; half of the answer comes."""
    code, headers, body = receiver.reply(request, receiver.accept(request))
    request.send_response(code)
    for key, value in headers.items():
        request.send_header(key, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body[:len(body) // 2])
    request.wfile.flush()
    request.connection.shutdown(socket.SHUT_RDWR)
    return None


class Site:
    """A folder with configuration, state and spool; removed at the end."""

    def __init__(self, targets="", customer="C-1001", site="osaka-1", more=""):
        self.folder = tempfile.mkdtemp(prefix="tidemark-export-")
        atexit.register(shutil.rmtree, self.folder, True)
        self.spool = self.path("spool")
        self.state = self.path("state")
        self.conf = self.path("t.conf")
        self.write("secret", "whsec_" + SECRET + "\n", 0o600)
        self.write("token", TOKEN + "\n", 0o600)
        self.customer, self.site_name, self.more = customer, site, more
        self.configure(targets)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w") as f:
            f.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def configure(self, targets):
        text = 'customer { id = "%s" name = "Example KK" }\n' % self.customer
        text += 'site { name = "%s" timezone = "Asia/Tokyo" }\n' % self.site_name
        text += 'paths { data = "%s" state = "%s" spool = "%s" }\n' % (
            self.path("rrd"), self.state, self.spool)
        if "spool {" not in self.more:
            text += 'spool { free = "0" }\n'
        self.write("t.conf", text + self.more + targets)

    def webhook(self, url, name="crm", purposes='"sales"', more="", token="token"):
        return ('target %s { type = "webhook" url = "%s" token_file = "%s" secret_file = "%s"\n'
                '  purposes = { %s } timeout = "2s" %s }\n' % (
                    name, url, self.path(token), self.path("secret"), purposes, more))

    def run(self, command, *args, stdin=None, wrap=(), timeout=60, env=None):
        env = dict(os.environ, **(env or {}))
        if "strace" in wrap:
            env = sanitizer.without_leaks(env)
        if "faketime" in wrap:
            wrap = [*wrap, *sanitizer.first(EXPORT)]
        return subprocess.run(
            [*wrap, EXPORT, command, "-c", self.conf, *args], input=stdin, timeout=timeout,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", env=env)

    def enable(self, *purposes):
        for purpose in purposes or ("sales",):
            assert self.run("enable", purpose, "--by", "Hanako Sato").returncode == 0

    def items(self, state, target="crm"):
        folder = os.path.join(self.spool, target, state)
        if not os.path.isdir(folder):
            return []
        return sorted(n for n in os.listdir(folder) if not n.endswith(".why"))

    def keys(self, state, target="crm"):
        return {name.split(".")[2] for name in self.items(state, target)}


def without_override():
    """A prefix for commands that keeps root, too, from files whose mode forbids them."""
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()


def sample():
    with open(os.path.join(SOURCE, "contrib/schema/samples/summary.json")) as f:
        summary = json.load(f)
    del summary["id"], summary["consent"]
    return summary


def summaries(n, first=1, **changes):
    """NDJSON of n devices, array-01 and so on, without history."""
    lines = []
    for i in range(first, first + n):
        s = sample()
        s["product"]["device"] = "array-%02d" % i
        s["product"]["serial"] = "DS200-%06d" % i
        s["history"] = []
        s["recommendations"] = []
        s.update(changes)
        lines.append(json.dumps(s))
    return "\n".join(lines) + "\n"


def make_cert(folder, name="server", subject="127.0.0.1", at=None, authority=None):
    """A certificate for two days from now (or from `at`, "2020-01-01"), self-signed or signed by an
    authority that this made before, by its name; returns (PEM with key, PEM of the certificate)."""
    key, cert, both = (os.path.join(folder, name + e) for e in (".key", ".crt", ".pem"))
    then = ["faketime", at] if at else []
    named = "subjectAltName=" + ("IP:" if subject[0].isdigit() else "DNS:") + subject
    make = [*then, "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-subj", "/CN=" + subject, "-keyout", key]
    if authority:
        request, by = key + ".req", os.path.join(folder, authority)
        with open(key + ".ext", "w") as f:
            f.write(named + "\n")
        subprocess.run([*make, "-out", request], check=True, stderr=subprocess.DEVNULL)
        subprocess.run([*then, "openssl", "x509", "-req", "-in", request, "-days", "2", "-CA",
                        by + ".crt", "-CAkey", by + ".key", "-CAcreateserial", "-extfile",
                        key + ".ext", "-out", cert], check=True, stderr=subprocess.DEVNULL)
    else:
        subprocess.run([*make, "-x509", "-days", "2", "-addext", named, "-out", cert], check=True,
                       stderr=subprocess.DEVNULL)
    with open(both, "wb") as f:
        for part in (key, cert):
            with open(part, "rb") as g:
                f.write(g.read())
    return both, cert
