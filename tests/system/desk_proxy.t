#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Two desks on one PostgreSQL behind a real nginx, with the configuration that is shipped: one visitor is
answered by either, an answer that one desk takes appears at the other without a reload, a site is known
by its client certificate, and one desk that is killed is not missed."""
import http.client
import json
import os
import re
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.environ.setdefault("SOURCE", os.getcwd()), "tests/lib"))
os.environ.setdefault("BUILD", os.path.join(os.environ["SOURCE"], "build"))
import nginx  # noqa: E402
from desk_factory import FactoryDesk, day, event_of, furnish, summary  # noqa: E402
from exporting import Site, make_cert, sign, summaries  # noqa: E402
from pushing import SINGLE, Postgresql  # noqa: E402
from tap import done, note, ok, same, skip_all  # noqa: E402
from waiting import wait_for  # noqa: E402

if nginx.PROGRAM is None:
    skip_all("nginx is not installed")
server = Postgresql()
if server.url is None:
    skip_all(server.why)

PROXY = 'trusted_proxies = { "127.0.0.1" }'
desks = [FactoryDesk(server.url, PROXY).start() for _ in range(2)]
first, second = desks
site_of = first.folder  # certificates lie there, too
make_cert(site_of, "authority", "sites.example.com")
make_cert(site_of, "server")
make_cert(site_of, "osaka", "osaka.example.com", authority="authority")
make_cert(site_of, "unknown", "unknown.example.com", authority="authority")
make_cert(site_of, "stranger", "stranger.example.com")


def path(name):
    return os.path.join(site_of, name)


front = nginx.Nginx(os.environ["SOURCE"], [d.port for d in desks], path("server.crt"), path("server.key"), path("authority.crt"))


def ask(method, where, headers=(), body=None, cert=None):
    """(status, headers in lower case, body) by TLS through nginx."""
    context = ssl.create_default_context(cafile=path("server.crt"))
    if cert:
        context.load_cert_chain(path(cert + ".crt"), path(cert + ".key"))
    c = http.client.HTTPSConnection("127.0.0.1", front.port, timeout=60, context=context)
    try:
        c.request(method, where, body, dict(headers))
        r = c.getresponse()
        return r.status, {k.lower(): v for k, v in r.getheaders()}, r.read()
    except (ssl.SSLError, ConnectionError) as e:
        return 0, {}, str(e).encode()
    finally:
        c.close()


def served():
    """Requests that each desk has answered."""
    out = []
    for d in desks:
        metrics = http.client.HTTPConnection(d.admin.split("//")[1], timeout=20)
        metrics.request("GET", "/metrics")
        out.append(int(re.search(rb"^tidemark_desk_requests_total(?:\{[^}]*\})? (\d+)", metrics.getresponse().read(), re.M)[1]))
        metrics.close()
    return out


# --- one visitor, two desks -----------------------------------------------------------------------
furnish(first, "OSA,DS-100,2\nOSA,SPECIAL-1,0\n")
status, head, _ = ask("POST", re.search(r"/login/\S+", first.user("add", "kimura@vendor.example", "--name", "Kimura", "--role", "sales"))[0])
cookie = head.get("set-cookie", "")
ok(status == 303 and cookie.startswith("__Host-tidemark=") and "; Secure" in cookie, "a sign-in through the proxy has a secure cookie", status, head)
cookie = cookie.split(";")[0]
ok(head.get("strict-transport-security", "").startswith("max-age="), "and https is asked for from now on")
before = served()
seen = [ask("GET", "/opportunities", [("Cookie", cookie)])[0] for _ in range(12)]
after = served()
same(set(seen), {200}, "one session is good at either desk")
ok(all(b > a for a, b in zip(before, after)), "and both of them answered", before, after)
same(ask("GET", "/account", [("Cookie", cookie), ("X-Forwarded-For", "203.0.113.9")])[2].count(b"203.0.113.9"), 0,
     "nobody says for himself where he comes from")

# --- what one desk is told appears at the other -----------------------------------------------------
first.table("lead-times", "from,to,sku,days\n,FAC,DS-100,49\nFAC,OSA,,5\n")  # of SPECIAL-1 a person must answer
first.fill()
number = first.item()["id"]
second.people = first.people


def hold_stream(login, desk, into):
    c = http.client.HTTPConnection("127.0.0.1", desk.port, timeout=60)
    c.request("GET", "/inquiries/events", headers={"Cookie": desk.people[login]})
    r = c.getresponse()
    into["status"] = r.status
    try:
        while True:
            line = r.readline()
            if not line:
                break
            into["text"] += line.decode()
    except OSError:
        pass
    into["ended"] = time.monotonic()


streams = [{"text": "", "status": 0, "ended": None} for _ in desks]
for desk, into in zip(desks, streams):
    threading.Thread(target=hold_stream, args=("mori", desk, into), daemon=True).start()
ok(wait_for(lambda: all(s["text"] for s in streams)), "a stream is open at each desk", streams)
time.sleep(1)
_, to, _ = first.form("mori", "/items/%d/inquiry" % number, sku="SPECIAL-1", quantity="1", shop="OSA")
late = to.rsplit("/", 1)[1]
same(first.form("okada", "/inquiries/%s/answer" % late, shop="OSA", on=day(7))[0], 303, "the factory answers at the first desk")
ok(wait_for(lambda: late in streams[1]["text"]), "and the answer appears at the second, without a reload", streams)
told = [json.loads(line.split(":", 1)[1]) for line in streams[1]["text"].splitlines() if line.startswith("data:")]
same([(t["inquiry"], t["text"]["answer"]) for t in told], [(late, "OSA " + day(7))], "with its words, once")
wait_for(lambda: late in streams[0]["text"])
same(streams[0]["text"].count("event: answer"), 1, "at the first it is said once, too")
first.form("okada", "/logout")
same([s["ended"] for s in streams], [None, None], "another person's sign-out ends nothing")
ears = subprocess.Popen(["psql", "-qAt", server.run("admin"), "-c", "LISTEN tidemark_desk", "-c", "SELECT pg_sleep(3)"], stdout=subprocess.PIPE, text=True)
wait_for(lambda: server.rows("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"))
first.form("mori", "/logout")
ok(wait_for(lambda: all(s["ended"] for s in streams)), "a sign-out at one desk ends the person's streams at both")
said = [line for line in ears.communicate()[0].splitlines() if '"topic":""' in line]
same(len(said), 1, "which is said once, and not to and fro")
for login, role in (("mori", "sales"), ("okada", "factory")):
    first.people[login] = first.sign_in(re.search(r"/login/\S+", first.user("link", login + "@vendor.example"))[0])

# --- a site that is known by its certificate ---------------------------------------------------------
made = first.add_site("C-2001", "kobe-1", "--certificate", path("osaka.crt"))


def push(cert=None, secret=None, **more):
    event = event_of(dict(summary("C-2001", "kobe-1", "array-%d" % len(pushed)), recommendations=[]))
    body, at = json.dumps(event).encode(), str(int(time.time()))
    pushed.append(event["id"])
    headers = {"Content-Type": SINGLE, "webhook-id": "m-%d" % len(pushed), "webhook-timestamp": at,
               "webhook-signature": sign("m-%d" % len(pushed), at, body, secret or made.secret)}
    headers.update({k.replace("_", "-"): v for k, v in more.items()})
    status, _, answer = ask("POST", "/api/v1/events", headers.items(), body, cert)
    return (status, json.loads(answer)["results"][0]["status"]) if status == 200 else status


pushed = []
same(push("osaka"), (200, "accepted"), "a site pushes by its certificate, without a token")
same(server.rows("SELECT d.customer_id, d.site FROM summaries s JOIN devices d ON d.id = s.device_id WHERE s.event = '%s'" % pushed[0]), [("C-2001", "kobe-1")],
     "and what came is that site's")
same(push(), 401, "without either nobody comes in")
same(push("unknown"), 401, "nor by a certificate of the same authority that no site has")
same(push("stranger"), 400, "one of another authority ends at the proxy")
same(push("osaka", "A" * 43 + "="), 401, "a signature by another secret is refused, whatever the certificate")
with open(path("osaka.crt"), encoding="ascii") as f:
    forged = {"X_SSL_Client_Verify": "SUCCESS", "X_SSL_Client_Cert": urllib.parse.quote(f.read())}
same(push(**forged), 401, "headers that a visitor writes are not the proxy's")
exporter = Site(customer="C-2001", site="kobe-1")
exporter.write("secret", "whsec_" + made.secret + "\n", 0o600)
os.chmod(path("osaka.key"), 0o600)
exporter.configure('target crm { type = "webhook" url = "https://127.0.0.1:%d/api/v1/events" secret_file = "%s" ca_file = "%s"\n'
                   '  client_cert_file = "%s" client_key_file = "%s" purposes = { "sales" } }\n' % (
                       front.port, exporter.path("secret"), path("server.crt"), path("osaka.crt"), path("osaka.key")))
exporter.enable()
queued = exporter.run("queue", "--now", "-", stdin=summaries(1).replace("C-1001", "C-2001").replace("osaka-1", "kobe-1"))
p = exporter.run("push", "--once")
same((p.returncode, len(exporter.items("sent"))), (0, 1), "tidemark-export pushes by certificate alone") or note(queued.stderr, p.stderr)
p = subprocess.run([os.environ["BUILD"] + "/tidemark-desk", "site", "revoke", "C-2001", "kobe-1", "-c", first.conf], capture_output=True, text=True)
same((p.returncode, push("osaka")), (0, 401), "a site that is revoked is out, certificate and all")

# --- one of them is killed -----------------------------------------------------------------------
second.kill()
seen = [ask("GET", "/opportunities", [("Cookie", cookie)])[0] for _ in range(12)]
same(set(seen), {200}, "a desk that is killed is not missed")
second.start()
ok(wait_for(lambda: ask("GET", "/login")[0] == 200 and served()[1] > 0), "and is asked again when it is back", front.log())

# --- the database goes and comes -------------------------------------------------------------------
streams = [{"text": "", "status": 0, "ended": None} for _ in desks]
threading.Thread(target=hold_stream, args=("mori", second, streams[1]), daemon=True).start()
wait_for(lambda: streams[1]["text"])
server.run("crash")
_, to, _ = first.form("mori", "/items/%d/inquiry" % number, sku="SPECIAL-1", quantity="2", shop="OSA")
again = to.rsplit("/", 1)[1]
wait_for(lambda: "heard again" in second.log())
first.form("okada", "/inquiries/%s/answer" % again, shop="OSA", on=day(8))
ok(wait_for(lambda: again in streams[1]["text"]), "after a crash of the database the desks hear one another again", second.log())
same([d.stop() for d in desks], [0, 0], "the desks end well")
done()
