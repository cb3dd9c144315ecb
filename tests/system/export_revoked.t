#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Certificates that their authority took back: found by its list (crl_file) and by its word that the
server must bring (ocsp_stapling). Nothing is sent to such a server, and the items stay."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from exporting import *  # noqa: E402,F403
from revoking import Authority  # noqa: E402
from tap import done, ok, same, skip_all  # noqa: E402
from waiting import accepts, wait_for  # noqa: E402

NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
if not NGINX or not shutil.which("faketime"):
    skip_all("needs nginx and faketime")

folder = Site().folder
ours, stranger = Authority(folder), Authority(folder, "stranger")
good, bad = ours.issue("good"), ours.issue("bad")
none, one, old = ours.revoke(), ours.revoke("bad"), ours.revoke("bad", at="2025-01-01")
receivers = {"good": Receiver(good), "bad": Receiver(bad)}


def site_of(target):
    s = Site()
    s.configure(target(s))
    s.enable("sales")
    assert s.run("queue", "--now", "-", stdin=summaries(1)).returncode == 0
    return s


def webhook(url, **keys):
    more = " ".join('%s = %s' % (k, v if v in ("yes", "no") else '"%s"' % v) for k, v in keys.items())
    return site_of(lambda s: s.webhook(url, more='ca_file = "%s" %s' % (ours.cert, more)))


def is_sent(s, name, what):
    p = s.run("push", "--once")
    same((p.returncode, len(s.items("sent")), len(receivers[name].records)), (0, 1, 1), what)
    receivers[name].records.clear()


def is_kept(s, name, what, why, target="crm", status=69):
    n = len(receivers[name].log) if name else 0
    p = s.run("push", "--once")
    ok(p.returncode == status and len(s.items("new", target)) == 1 and why in p.stderr
       and (not name or len(receivers[name].log) == n), what, p.returncode, p.stderr)
    return p


# --- the list -----------------------------------------------------------------------------------------
url = {name: r.url for name, r in receivers.items()}
is_sent(webhook(url["bad"]), "bad", "without a list nobody knows")
s = webhook(url["bad"], crl_file=one)
is_kept(s, "bad", "a revoked certificate: not one byte is sent, the item stays", one)
shutil.copy(none, one)
is_sent(s, "bad", "... until the list lets it pass")
one = ours.revoke("bad")
is_sent(webhook(url["good"], crl_file=one), "good", "one that is not on the list is good")
is_kept(webhook(url["bad"], crl_file=old), "bad", "a list whose time is over still holds", old)
gone = os.path.join(folder, "gone.crl")
s = webhook(url["good"], crl_file=gone)
is_kept(s, "good", "a list that is not there neither, and is named", gone + ": No such file", status=74)
p = s.run("check")
ok(p.returncode == 78 and gone in p.stderr, "... by check too, before anything is sent", p.stderr)
with open(gone, "w", encoding="ascii") as f:
    f.write("no list\n")
is_kept(s, "good", "nor what is no list", gone)

# --- the other targets ----------------------------------------------------------------------------------
mapping = os.path.join(SOURCE, "contrib/mapping/salesforce.json")
s = site_of(lambda s: 'target crm { type = "webhook" url = "%s" mapping = "%s" purposes = { "sales" }\n'
            'ca_file = "%s" crl_file = "%s" token_file = "%s" }\n' % (
                url["bad"], mapping, ours.cert, one, s.path("token")))
advised = json.dumps(dict(sample(), history=[])) + "\n"
s.run("queue", "--now", "-", stdin=advised)
n = len(receivers["bad"].log)
p = s.run("push", "--once")
ok(p.returncode == 69 and one in p.stderr and len(receivers["bad"].log) == n,
   "a CRM by a mapping file: nothing is sent", p.stderr)
vendor = Site(more='role = "vendor"\n')
vendor.write("password", "Exporter-7421\n", 0o600)
vendor.configure('target erp { type = "tryton" url = "%s" user = "tidemark" password_file = "%s"\n'
                 'purposes = { "sales" } ca_file = "%s" crl_file = "%s" }\n' % (
                     url["bad"].replace("api/v1/events", "crm/"), vendor.path("password"), ours.cert, one))
consented = dict(sample(), history=[], consent={"sales": {"by": "H", "on": "2026-11-01T00:00:00Z"}})
vendor.run("queue", "--now", "-", stdin=json.dumps(consented) + "\n")
is_kept(vendor, "bad", "a Tryton: neither the password nor a lead is sent", one, "erp")

# --- the server's own proof --------------------------------------------------------------------------------
places = (("stapled", "good", ours.staple("good")), ("bare", "good", None),
          ("revoked", "bad", ours.staple("bad", ("bad",))),
          ("stale", "good", ours.staple("good", at="2025-01-01")),
          ("other", "good", ours.staple("bad")))
ports, servers = {}, ""
with socket.socket() as a, socket.socket() as b, socket.socket() as c, socket.socket() as d, socket.socket() as e:
    for (name, _, _), holder in zip(places, (a, b, c, d, e)):
        holder.bind(("127.0.0.1", 0))
        ports[name] = holder.getsockname()[1]
for name, cert, staple in places:
    chain = os.path.join(folder, cert + ".chain")
    with open(chain, "w", encoding="ascii") as f:
        for part in (os.path.join(folder, cert + ".crt"), ours.cert):
            with open(part, encoding="ascii") as g:
                f.write(g.read())
    stapling = "ssl_stapling on; ssl_stapling_file %s;" % staple if staple else ""
    servers += ("server { listen 127.0.0.1:%d ssl; ssl_certificate %s; ssl_certificate_key %s;\n"
                "  %s access_log %s/%s.log; location / { return 204; } }\n" % (
                    ports[name], chain, os.path.join(folder, cert + ".pem"), stapling, folder, name))
conf = os.path.join(folder, "nginx.conf")
with open(conf, "w", encoding="ascii") as f:
    f.write("daemon off; worker_processes 1; pid %(d)s/pid; error_log %(d)s/error.log; events {} http {\n"
            "client_body_temp_path %(d)s/b; proxy_temp_path %(d)s/p; fastcgi_temp_path %(d)s/f;\n"
            "uwsgi_temp_path %(d)s/u; scgi_temp_path %(d)s/s;\n%(s)s}\n" % {"d": folder, "s": servers})
nginx = subprocess.Popen([NGINX, "-c", conf], stderr=subprocess.DEVNULL)
atexit.register(lambda: (nginx.terminate(), nginx.wait()))
for port in ports.values():
    wait_for(lambda port=port: accepts(port))


def ask(place):
    s = webhook("https://127.0.0.1:%d/" % ports[place], ocsp_stapling="yes")
    p = s.run("push", "--once")
    with open(os.path.join(folder, place + ".log"), encoding="ascii") as log:
        return p.returncode, len(s.items("sent")), len(s.items("new")), len(log.readlines())


same(ask("stapled"), (0, 1, 0, 1), "a server that brings its authority's word is believed")
same(ask("bare"), (69, 0, 1, 0), "one that brings none is not: nothing is sent, the item stays")
same(ask("revoked"), (69, 0, 1, 0), "... nor one of whom the authority says that it was revoked")
same(ask("stale"), (69, 0, 1, 0), "... nor one whose proof is old")
same(ask("other"), (69, 0, 1, 0), "... nor one with the proof of another")
for r in receivers.values():
    r.close()
done()
