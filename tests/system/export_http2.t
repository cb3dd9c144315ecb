#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""HTTP/2 where it is offered: nginx as a receiver that takes, and that refuses before it has read."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from exporting import *  # noqa: E402,F403
from tap import done, ok, same, skip_all  # noqa: E402
from waiting import accepts, wait_for  # noqa: E402

NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
if not NGINX:
    skip_all("needs nginx")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


site = Site()
both, cert = make_cert(site.folder)
names = {"d": site.folder, "port": free_port(), "taker": free_port(), "cert": cert, "both": both}
site.write("nginx.conf", """daemon off; worker_processes 1; pid %(d)s/pid; error_log %(d)s/error.log;
events {} http { log_format way '$server_protocol $connection'; access_log %(d)s/access.log way;
  client_body_temp_path %(d)s/body; proxy_temp_path %(d)s/p; fastcgi_temp_path %(d)s/f;
  uwsgi_temp_path %(d)s/u; scgi_temp_path %(d)s/s;
  server { listen 127.0.0.1:%(port)d ssl http2; ssl_certificate %(cert)s; ssl_certificate_key %(both)s;
    location /good { proxy_pass http://127.0.0.1:%(taker)d; }
    location /unknown { return 401; }
    location /later { add_header Retry-After 600 always; return 429; }
    location /large { return 413; } }
  server { listen 127.0.0.1:%(taker)d; access_log off; location / { return 204; } } }
""" % names)
server = subprocess.Popen([NGINX, "-c", site.path("nginx.conf")], stderr=subprocess.DEVNULL)
atexit.register(lambda: (server.terminate(), server.wait()))
wait_for(lambda: accepts(names["port"]))


def use(path):
    site.configure(site.webhook("https://127.0.0.1:%d%s" % (names["port"], path),
                                more='ca_file = "%s"' % cert))


use("/good")
site.enable("sales")
site.run("queue", "--now", "-", stdin=summaries(20))
p = site.run("push", "--once")
same((p.returncode, len(site.items("sent"))), (0, 20), "twenty events are taken")
lines = open(site.path("access.log")).read().split("\n")[:-1]
same((len(lines), len(set(lines))), (20, 1), "over one connection")
ok(lines[0].startswith("HTTP/2.0 "), "by HTTP/2", lines[0])
site.run("queue", "--now", "-", stdin=summaries(5, 100, history=[
    {"date": "%d-%02d-%02d" % (y, m, d), "used_bytes": 1e9, "capacity_bytes": 2e9}
    for y in range(2020, 2026) for m in range(1, 13) for d in range(1, 29)]))  # 130 kB each
waiting = len(site.items("new"))
use("/unknown")
p = site.run("push", "--once", "--now")
ok(p.returncode == 69 and "401" in p.stderr and len(site.items("new")) == waiting,
   "a token that is not known is told as such, before the body is read", p.stderr)
same(json.loads(site.run("status", "--json").stdout)["targets"][0]["stopped"], True,
     "... and nobody knocks again")
use("/later")
p = site.run("push", "--once", "--now")
t = json.loads(site.run("status", "--json").stdout)["targets"][0]
ok(p.returncode == 69 and t["held_until"] and len(site.items("new")) == waiting,
   "a receiver that asks to wait is heard", p.stderr, t)
use("/large")
p = site.run("push", "--once", "--now")
same((p.returncode, len(site.items("dead"))), (65, waiting), "one that refuses, too")
done()
