# SPDX-License-Identifier: MIT
"""A real nginx of a test's own, with contrib/nginx/tidemark-desk.conf as it is shipped but for names,
ports and files."""
import atexit
import os
import re
import shutil
import socket
import subprocess
import tempfile

from waiting import accepts, wait_for

PROGRAM = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Nginx:
    """Before the desks that listen on these ports; `cert` and `key` are the server's, `sites_ca` has
    signed the sites' certificates. .port speaks TLS."""

    def __init__(self, source, ports, cert, key, sites_ca):
        self.folder = tempfile.mkdtemp(prefix="tidemark-nginx-")
        atexit.register(shutil.rmtree, self.folder, True)
        self.port, self.plain = free_port(), free_port()
        with open(source + "/contrib/nginx/tidemark-desk.conf", encoding="utf-8") as f:
            site = f.read()
        server = re.search(r" *server 127\.0\.0\.1:8080 (.*)\n", site)[1]
        site, n = re.subn(r"( *server 127\.0\.0\.1:808\d .*\n)+",
                          "".join("server 127.0.0.1:%d %s\n" % (p, server) for p in ports), site)
        changes = [("listen 80;", "listen 127.0.0.1:%d;" % self.plain), ("listen 443 ", "listen 127.0.0.1:%d " % self.port),
                   ("/etc/ssl/certs/desk.example.com.pem", cert), ("/etc/ssl/private/desk.example.com.key", key),
                   ("/etc/tidemark/sites-ca.pem", sites_ca)]
        for old, new in changes:
            n += site.count(old)
            site = site.replace(old, new)
        assert n == 1 + len(changes), site
        os.chmod(self.folder, 0o755)  # its workers are another user's where root runs the test
        temporary = "".join("%s_temp_path %s/%s;\n" % (name, self.folder, name)
                            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        self.conf = self.folder + "/nginx.conf"
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write("worker_processes 1;\npid %s/pid;\nerror_log %s/err;\nevents {}\nhttp {\n%s%s}\n" % (
                self.folder, self.folder, temporary, site))
        with open(self.folder + "/out", "wb") as out:
            self.process = subprocess.Popen([PROGRAM, "-g", "daemon off;", "-c", self.conf], stdout=out, stderr=out)
        atexit.register(self.stop)
        wait_for(lambda: accepts(self.port) or self.process.poll() is not None, step=0.05)
        if not accepts(self.port):
            raise RuntimeError("nginx does not start: " + self.log())

    def log(self):
        text = ""
        for name in ("out", "err"):
            if os.path.exists(os.path.join(self.folder, name)):
                with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as f:
                    text += f.read()
        return text

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
