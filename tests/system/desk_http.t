#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The desk's listener against those who do not speak HTTP as they should, or take their time."""
import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
import urllib.request

sys.path.insert(0, os.path.join(os.environ.setdefault("SOURCE", os.getcwd()), "tests/lib"))
os.environ.setdefault("BUILD", os.path.join(os.environ["SOURCE"], "build"))
from desk import Desk, read_answer, status_of  # noqa: E402
from tap import done, note, ok, same  # noqa: E402

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
SLOW = 5 if "asan" in os.environ["BUILD"] else 1  # a sanitizer takes its time

desk = Desk('limits { request = "3s" }').start()
HOST = b"Host: desk\r\n"

# --- what two servers would read differently ----------------------------------------------------
REFUSED = [
    ("both lengths", b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /account HTTP/1.1\r\n\r\n", 400),
    ("both lengths, the other order", b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400),
    ("two lengths", b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400),
    ("the same length twice", b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400),
    ("a length with a sign", b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: +5\r\n\r\nhello", 400),
    ("a list of lengths", b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 5, 5\r\n\r\nhello", 400),
    ("a length in hexadecimal", b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 0x5\r\n\r\nhello", 400),
    ("a length beyond all numbers", b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999999999\r\n\r\n", (400, 413)),
    ("a length with a blank before its colon", b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length : 5\r\n\r\nhello", 400),
    ("another coding", b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    ("a coding after a control byte", b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
    ("the coding twice", b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("chunks in HTTP/1.0", b"POST /login HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("a trailer that is announced", b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n0\r\nX: y\r\n\r\n", 400),
    ("a trailer that is not", b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nHost: other\r\n\r\n", 400),
    ("two hosts", b"GET /login HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    ("no host", b"GET /login HTTP/1.1\r\n\r\n", 400),
    ("a host that is none", b"GET /login HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    ("an upgrade", b"GET /login HTTP/1.1\r\n" + HOST + b"Upgrade: h2c\r\nConnection: upgrade\r\n\r\n", 400),
    ("an expectation", b"POST /login HTTP/1.1\r\n" + HOST + b"Expect: more\r\nContent-Length: 1\r\n\r\nx", 417),
    ("a control byte in a header", b"GET /login HTTP/1.1\r\n" + HOST + b"X: a\x01b\r\n\r\n", 400),
    ("bad UTF-8 in a header", b"GET /login HTTP/1.1\r\n" + HOST + b"X: \xff\xfe\r\n\r\n", 400),
    ("bad UTF-8 in the address", b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("bad UTF-8 behind percent signs", b"GET /%ff HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("a NUL behind a percent sign", b"GET /static/style.css%00.png HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("half a percent sign", b"GET /login?next=%2 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("climbing", b"GET /static/../conf.c HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("climbing behind percent signs", b"GET /static/%2e%2e/conf.c HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("climbing in one segment", b"GET /static/..%2fconf.c HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("another server's address", b"GET http://evil.example/ HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("a doubled slash", b"GET //evil.example/ HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("too many headers", b"GET /login HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: y\r\n" % i for i in range(80)) + b"\r\n", 431),
    ("a header that is too long", b"GET /login HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 20000 + b"\r\n\r\n", 431),
    ("an address that is too long", b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
]
for name, data, want in REFUSED:
    answer = desk.raw(data)
    status = status_of(answer)
    ok(status in (want if isinstance(want, tuple) else (want,)), "refused: " + name,
       "want %s, got %r" % (want, answer[:300]))
    # libmicrohttpd's own refusals say their head twice; what must not be is an answer to what follows.
    if len(set(re.findall(rb"HTTP/1.1 (\d+)", answer))) > 1:
        ok(False, name + ": is not taken for two requests", answer)
# What libmicrohttpd itself takes for no HTTP is closed or refused, never answered as if it were.
for name, data in [("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 400 + b"\r\n\r\n"),
                   ("HTTP/0.9", b"GET /login\r\n\r\n"),
                   ("another version", b"GET /login HTTP/3.0\r\n" + HOST + b"\r\n"),
                   ("a bad chunk", b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"),
                   ("a chunk longer than all memory", b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello\r\n0\r\n\r\n")]:
    answer = desk.raw(data)
    ok(status_of(answer) not in (200, 303), "closed or refused: " + name, answer[:300])

# --- bodies -------------------------------------------------------------------------------------
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
same(desk.ask("POST", "/login", FORM, b"login=a&password=b")[0], 401, "a form is read")
chunked = b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
same(status_of(desk.raw(chunked + b"7\r\nlogin=a\r\nb\r\n&password=b\r\n0\r\n\r\n")), 401, "so is one in chunks")
same(desk.ask("POST", "/login", FORM, b"login=" + b"a" * 5000)[0], 413, "a body over the route's limit")
same(desk.ask("POST", "/login", FORM, b"login=" + b"a" * 900000)[0], 413, "one far over it")
same(status_of(desk.raw(chunked + b"2000\r\n" + b"a" * 0x2000 + b"\r\n0\r\n\r\n")), 413, "chunks are counted")
same(status_of(desk.raw(b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 999999999999\r\n\r\n")), 413,
     "a giant is refused before its first byte")
endless = desk.connect()
endless.sendall(chunked)
sent = 0
try:
    while sent < 64 << 20:
        endless.sendall(b"10000\r\n" + b"a" * 0x10000 + b"\r\n")
        sent += 0x10000
except OSError:
    pass
ok(sent < 16 << 20, "chunks without an end are cut", "%d bytes were taken" % sent)
endless.close()
same(desk.ask("POST", "/login", FORM, b"login=%ff&password=b")[0], 400, "bad UTF-8 in a form")
same(desk.ask("POST", "/login", FORM, b"login=a%00&password=b")[0], 400, "a NUL in a form")
same(desk.ask("POST", "/login", FORM, b"&".join(b"a%d=b" % i for i in range(600)))[0], 400, "too many fields")
same(desk.ask("POST", "/login", (("Content-Type", "multipart/form-data; boundary=x"),), b"--x--")[0], 415,
     "a form with files")
same(desk.ask("GET", "/login", (), b"x")[0], 413, "a body where none is taken")

# --- methods, absent things, headers ------------------------------------------------------------
status, headers, body = desk.ask("GET", "/login")
same(status, 200, "a page")
for name, want in [("content-security-policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
                   ("x-content-type-options", "nosniff"), ("referrer-policy", "same-origin"),
                   ("cache-control", "no-store"), ("cross-origin-opener-policy", "same-origin"),
                   ("content-type", "text/html; charset=utf-8")]:
    same(headers.get(name), want, "its header " + name)
ok("strict-transport-security" not in headers, "no HSTS on plain http")
ok(b"style=" not in body and b"<script>" not in body and b" on" not in body.split(b"<body")[0], "nothing inline")
status, head_headers, body = desk.ask("HEAD", "/login")
same((status, body, head_headers["content-length"]), (200, b"", headers["content-length"]), "HEAD is GET without its body")
status, headers, _ = desk.ask("DELETE", "/login")
same((status, headers.get("allow")), (405, "GET, HEAD, POST"), "another method is told the right ones")
JSON = (("Accept", "application/json"),)
absent = [desk.ask("GET", p, JSON)[2] for p in ("/nothing", "/api/v1/nothing", "/static/nothing.css", "/vendor/a/b/c", "/login/a/b")]
same(set(absent), {b'{"error":"There is nothing here"}\n'}, "all that is absent answers alike")
same(desk.ask("GET", "/nothing")[1]["content-type"], "text/html; charset=utf-8", "as a page for people")

_, headers, page = desk.ask("GET", "/login")
for path in sorted(set(re.findall(rb'(?:href|src)="(/(?:static|vendor)/[^"]+)"', page))):
    path = path.decode()
    status, headers, body = desk.ask("GET", path)
    same((status, headers["cache-control"]), (200, "public, max-age=31536000, immutable"), "kept for long: " + path)
    same(desk.ask("GET", path, (("If-None-Match", headers["etag"]),))[0], 304, "known already: " + path)
    same(desk.ask("GET", path.split("?")[0])[1]["cache-control"], "no-cache", "asked anew without its version: " + path)

# --- one connection, several requests -----------------------------------------------------------
with desk.connect() as s:
    s.sendall(b"GET /nothing HTTP/1.1\r\n" + HOST + b"\r\nGET /login HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    data = b""
    while True:
        more = s.recv(65536)
        if not more:
            break
        data += more
same([int(x) for x in re.findall(rb"HTTP/1.1 (\d+)", data)], [404, 200], "two requests sent at once are answered in their order")

# --- trusted proxies ----------------------------------------------------------------------------
same("Set-Cookie: __Host-" in desk.raw(b"POST " + desk.link.encode() + b" HTTP/1.1\r\n" + HOST + b"X-Forwarded-Proto: https\r\nContent-Length: 0\r\n\r\n").decode(), False,
     "nobody but a trusted proxy says that this is https")
proxied = Desk('trusted_proxies = { "127.0.0.0/8" }').start()
_, headers, _ = proxied.ask("POST", proxied.link, (("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "203.0.113.9")))
ok(headers.get("set-cookie", "").startswith("__Host-tidemark=") and headers["set-cookie"].endswith("; Secure"),
   "a trusted proxy's https makes the cookie secure", headers)
ok(headers.get("strict-transport-security", "").startswith("max-age="), "and HSTS is said")
cookie = headers["set-cookie"].split(";")[0]
_, _, body = proxied.ask("GET", "/account", (("X-Forwarded-Proto", "https"), ("Cookie", cookie)))
ok(b"203.0.113.9" in body, "the address is the one that the proxy saw")
same(proxied.stop(), 0, "it ends well")

# --- those who take their time ------------------------------------------------------------------
def drip(kind):
    """How long a connection lives that sends one byte each quarter of a second."""
    data = {"head": b"GET /login HTTP/1.1\r\nX-Slow: " + b"a" * 10000,
            "body": b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 4000\r\n\r\n" + b"a" * 4000,
            "silent": b""}[kind]
    begun = time.monotonic()
    with desk.connect(timeout=0.25) as s:
        at = 0
        while time.monotonic() - begun < 30:
            try:
                if at < len(data):
                    s.send(data[at:at + 1] if kind != "body" or at else data[:60])
                    at += 1 if kind != "body" or at else 60
                if s.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    return time.monotonic() - begun


for kind in ("head", "body", "silent"):
    lived = drip(kind)
    ok(2 < lived < 5 + SLOW, "cut at the end of its time: " + kind, "%.1f s" % lived)
with desk.connect() as s:
    s.sendall(b"GET /nothing HTTP/1.1\r\n" + HOST + b"\r\n")
    same(status_of(read_answer(s)), 404, "a request")
    time.sleep(2)
    s.sendall(b"GET /nothing HTTP/1.1\r\n" + HOST + b"\r\n")
    time.sleep(2)
    same(status_of(read_answer(s)), 404, "another later on the same connection has its own time")

# --- many of them -------------------------------------------------------------------------------
# As many as the house holds, from eight addresses, each with half a request; visitors come meanwhile.
crowd = []
for i in range(1000):
    s = desk.connect(source="127.0.1.%d" % (i % 8 + 1))
    if i % 3:
        s.send(b"GET /login HTTP/1.1\r\nHost: desk\r\nX: "[:10 + i % 30])
    crowd.append(s)
times = []
for i in range(100):
    begun = time.monotonic()
    status = desk.ask("GET", "/login")[0]
    times.append(time.monotonic() - begun if status == 200 else 99)
    for s in crowd[i * 10:i * 10 + 10]:
        try:
            s.send(b"a")
        except OSError:
            pass
times.sort()
ok(times[94] <= 0.2 * SLOW, "visitors beside 1,000 lazy connections: p95 at most 200 ms", "%.0f ms" % (times[94] * 1000))
note("p50 %.1f ms, p95 %.1f ms, worst %.1f ms" % (times[49] * 1000, times[94] * 1000, times[-1] * 1000))
for s in crowd:
    s.close()

few = Desk("limits { connections_per_address = \"20\" connections = \"100\" }").start()
held = [few.connect(source="127.0.2.1") for _ in range(20)]
time.sleep(0.3)
with few.connect(source="127.0.2.1") as s:
    s.sendall(b"GET /login HTTP/1.1\r\n" + HOST + b"\r\n")
    same(read_answer(s), b"", "one address does not get more than its share")
same(few.ask("GET", "/login")[0], 200, "others do")
held += [few.connect(source="127.0.2.%d" % (i // 15 + 2)) for i in range(75)]
time.sleep(0.3)
begun = time.monotonic()
same(few.ask("GET", "/login")[0], 200, "when connections get few, a visitor is still served")
held += [few.connect(source="127.0.3.1") for i in range(10)]
status = few.ask("GET", "/login")[0]
waited = time.monotonic() - begun
ok(status == 200 and waited < 12 + SLOW, "when there are none, those who say nothing are cut sooner", "%s after %.1f s" % (status, waited))
for s in held:
    s.close()
same(few.stop(), 0, "it ends well")

# --- the administrator's own listener -----------------------------------------------------------
health = json.load(urllib.request.urlopen(desk.admin + "/healthz", timeout=20))
same((health["status"], health["store"]), ("ok", "ok"), "healthz")
metrics = urllib.request.urlopen(desk.admin + "/metrics", timeout=20).read()
# promtool reads OpenMetrics from files only, and there wants times.
timed = re.sub(rb"^(tidemark\S+ \d+)$", rb"\1 1795143900", metrics, flags=re.M)
with open(desk.folder + "/metrics", "wb") as f:
    f.write(timed)
checked = subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", desk.folder + "/metrics", desk.folder + "/tsdb"],
                         capture_output=True, check=False)
same((checked.returncode, checked.stderr), (0, b""), "promtool accepts the metrics as OpenMetrics")
count = dict(line.rsplit(" ", 1) for line in metrics.decode().splitlines() if not line.startswith("#"))
ok(int(count["tidemark_desk_refused_total"]) >= 20 and int(count["tidemark_desk_cut_total"]) >= 3, "which count what was refused and cut", count)
same(desk.ask("GET", "/metrics")[0], 404, "the visitors' listener has none of it")

# --- the end ------------------------------------------------------------------------------------
answers = []
threads = [threading.Thread(target=lambda: answers.append(desk.ask("POST", "/login", FORM, b"login=a@b&password=wrong-guess")[0])) for _ in range(3)]
for t in threads:
    t.start()
time.sleep(0.05)
waiting = desk.connect()
desk.process.send_signal(signal.SIGTERM)
for t in threads:
    t.join()
same(set(answers) - {401, 503}, set(), "requests that are under way are answered before the end")
same(desk.process.wait(40), 0, "it ends well")
waiting.close()
same(desk.log(), "", "nothing went to the log")
desk.process.stdout.close()
desk.process = None
done()
