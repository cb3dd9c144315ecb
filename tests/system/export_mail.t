#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Summaries by mail, through a real SMTP server with STARTTLS."""
import email
import email.policy
import json
import os
import ssl
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import png  # noqa: E402
from exporting import *  # noqa: E402,F403
from revoking import Authority  # noqa: E402
from tap import done, ok, same, skip_all  # noqa: E402

try:
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import SMTP, AuthResult
except ImportError:
    skip_all("python3-aiosmtpd is not installed")


class Mailbox:
    """Keeps whole mails; `refuse` is an answer to DATA instead of taking them."""

    def __init__(self):
        self.mails, self.encrypted, self.refuse = [], [], None

    async def handle_DATA(self, server, session, envelope):
        if self.refuse:
            return self.refuse
        self.mails.append(envelope.original_content)
        self.encrypted.append(session.ssl is not None)
        return "250 taken"


class Server(Controller):
    def __init__(self, mailbox, tls, login=False):
        self.tls, self.login = tls, login
        super().__init__(mailbox, hostname="127.0.0.1", port=0)
        self.start()

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]  # instead of 0: any free one
        super()._trigger_server()

    def factory(self):
        def authenticator(server, session, envelope, mechanism, data):
            good = (data.login, data.password) == (b"site-1", b"mail-password")
            return AuthResult(success=good, handled=False)
        return SMTP(self.handler, tls_context=self.tls, require_starttls=self.tls is not None,
                    auth_required=self.login, auth_require_tls=True,
                    authenticator=authenticator if self.login else None)


site = Site()
both, cert = make_cert(site.folder)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(both)


def target(port, more=""):
    return ('target post { type = "smtp" url = "smtp://127.0.0.1:%d" from = "site@example.com"\n'
            '  to = "intake@example.net" secret_file = "%s" purposes = { "sales" }\n'
            '  timeout = "5s" ca_file = "%s" %s }\n' % (port, site.path("secret"), cert, more))


box = Mailbox()
server = Server(box, tls)
site.configure(target(server.port))
site.enable("sales")
summary = sample()
summary["history"] = []
summary["product"]["device"] = "大阪の配列\r\nBcc: thief@example.org"
p = site.run("queue", "--now", "-", stdin=json.dumps(summary) + "\n")
same(p.returncode, 65, "a device's name with a line break is refused before any mail")
summary["product"]["device"] = "大阪の配列-その一番長い名前の装置で見出しが一行に収まらないもの"
p = site.run("queue", "--now", "-", stdin=json.dumps(summary) + "\n")
key = p.stdout.split()[1]
preview = site.run("preview", "-", stdin="").stdout
p = site.run("push", "--once")
same((p.returncode, len(box.mails)), (0, 1), "one mail is sent")
same(box.encrypted, [True], "it went by STARTTLS")
mail = email.message_from_bytes(box.mails[0], policy=email.policy.default)
same((str(mail["From"]), str(mail["To"])), ("site@example.com", "intake@example.net"),
     "sender and receiver are right")
same(str(mail["Subject"]),
     "Tidemark summary nas-gw.example.com/" + summary["product"]["device"],
     "the subject has the device's name in UTF-8")
ok(all(len(line) <= 998 for line in box.mails[0].split(b"\r\n")) and
   max(len(line) for line in box.mails[0].split(b"\r\n\r\n")[0].split(b"\r\n")) <= 110,
   "no header line is too long")
same([h for h in mail.keys() if h.lower() in ("bcc", "cc")], [], "no header came in by a name")
parts = {part.get_filename(): part.get_payload(decode=True) for part in mail.iter_attachments()}
same(sorted(parts), [key + ".json", key + ".png", key + ".sig"],
     "event, signature and chart are attached")
with open(site.path("chart.png"), "wb") as f:
    f.write(parts[key + ".png"])
width, height, rows = png.read(site.path("chart.png"))
accent = sum(p == (0x0f, 0x76, 0x6e) for row in rows for p in row)
ok(width >= 800 and height >= 350 and accent > 100, "the chart shows the forecast", width, height,
   accent)
types = {part.get_filename(): part.get_content_type() for part in mail.iter_attachments()}
same([types[key + "." + e] for e in ("json", "sig", "png")],
     ["application/cloudevents+json", "text/plain", "image/png"], "... each as what it is")
body = parts[key + ".json"]
ok("sha256 " + sha256(body) in preview, "the attachment has the hash of the preview", preview[:300])
headers = dict(line.split(": ") for line in parts[key + ".sig"].decode().splitlines())
same(headers["webhook-signature"], sign(headers["webhook-id"], headers["webhook-timestamp"], body),
     "the signature is right")
text = mail.get_body().get_content()
ok(sha256(body) in text and summary["product"]["device"] in text, "a person can read what it is", text)
same(site.items("new", "post"), [], "the item is sent")

# --- refusals --------------------------------------------------------------------------------------
site.run("queue", "--now", "-", stdin=summaries(1, 2))
box.refuse = "451 try later"
p = site.run("push", "--once")
ok(p.returncode == 69 and len(site.items("new", "post")) == 1, "4xx: the item stays", p.stderr)
box.refuse = None
same(site.run("push", "--once", "--now").returncode, 0, "it is sent when the server takes it")
make_cert(site.folder, "other")
site.run("queue", "--now", "-", stdin=summaries(1, 7))
site.configure(target(server.port).replace(cert, site.path("other.crt")))
n = len(box.mails)
p = site.run("push", "--once")
ok(p.returncode == 69 and len(box.mails) == n and len(site.items("new", "post")) == 1,
   "a certificate that is not trusted: no mail, the item stays", p.stderr)
site.configure(target(server.port))
site.run("push", "--once", "--now")
same(len(box.mails), n + 1, "... until it is")
ours = Authority(site.folder)
revoked_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
revoked_tls.load_cert_chain(ours.issue("revoked"))
revoked_box = Mailbox()
revoked = Server(revoked_box, revoked_tls)
site.run("queue", "--now", "-", stdin=summaries(1, 8))
listed = 'crl_file = "%s"' % ours.revoke("revoked")
site.configure(target(revoked.port, listed).replace(cert, ours.cert))
p = site.run("push", "--once")
ok(p.returncode == 69 and revoked_box.mails == [] and len(site.items("new", "post")) == 1,
   "a certificate that was revoked: no mail, the item stays", p.stderr)
site.configure(target(revoked.port, 'crl_file = "%s"' % ours.revoke()).replace(cert, ours.cert))
same((site.run("push", "--once", "--now").returncode, len(revoked_box.mails)), (0, 1),
     "... while one that is not on the list is good")
revoked.stop()
server.stop()
site.run("queue", "--now", "-", stdin=summaries(1, 3))
p = site.run("push", "--once")
ok(p.returncode == 69 and len(site.items("new", "post")) == 1, "no server: the item stays", p.stderr)

# --- a server without TLS ----------------------------------------------------------------------------
plain_box = Mailbox()
plain = Server(plain_box, None)
site.configure(target(plain.port))
p = site.run("push", "--once", "--now")
ok(p.returncode == 69 and plain_box.mails == [], "without STARTTLS nothing is sent", p.stderr)
site.configure(target(plain.port, "starttls = no"))
p = site.run("push", "--once", "--now")
same((p.returncode, len(plain_box.mails)), (0, 1), "... unless the site says otherwise, to itself")
plain.stop()

# --- without its chart ------------------------------------------------------------------------------
site.run("queue", "--now", "-", stdin=summaries(1, 6))
bare_box = Mailbox()
bare = Server(bare_box, None)
site.configure(target(bare.port, "starttls = no"))
alone = site.path("tidemark-export")
shutil.copy(EXPORT, alone)
p = subprocess.run([alone, "push", "-c", site.conf, "--once", "--now"], stderr=subprocess.PIPE,
                   text=True)
same((p.returncode, len(bare_box.mails)), (0, 1), "where nothing can draw, the document goes alone")
ok("goes without its chart" in p.stderr and "tidemark-graph" in p.stderr, "... which is told", p.stderr)
bare.stop()

# --- login ---------------------------------------------------------------------------------------------
login_box = Mailbox()
login = Server(login_box, tls, login=True)
site.run("queue", "--now", "-", stdin=summaries(1, 4))
site.write("mail.password", "mail-wrong\n", 0o600)
more = 'user = "site-1" password_file = "%s"' % site.path("mail.password")
site.configure(target(login.port, more))
p = site.run("push", "--once", "--now")
ok(p.returncode == 69 and "wrong" not in p.stderr and len(site.items("new", "post")) == 1,
   "a wrong password: the item stays, the password is not told", p.stderr)
site.write("mail.password", "mail-password\n", 0o600)
p = site.run("push", "--once")
same((p.returncode, len(login_box.mails)), (0, 1), "the right password opens the way")
login.stop()
done()
