# SPDX-License-Identifier: MIT
"""A desk of its own for a system test in Python, and raw requests to it."""
import atexit
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
SOURCE = os.path.abspath(os.environ.get("SOURCE", "."))


class Desk:
    """Serves from a folder of its own; `extra` are further lines of desk.conf."""

    def __init__(self, *extra):
        self.folder = tempfile.mkdtemp(prefix="tidemark-desk-")
        self.conf = os.path.join(self.folder, "desk.conf")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write('listen = "127.0.0.1:0"\nadmin_listen = "127.0.0.1:0"\n'
                    'database = "%s"\ntimezone = "Asia/Tokyo"\n'
                    'paths { state = "%s" data = "%s/contrib/desk" }\n'
                    % (os.environ.get("DESK_DATABASE", "sqlite:%s/desk.db" % self.folder),
                       self.folder, SOURCE))
            f.write("\n".join(extra) + "\n")
        self.process = None
        atexit.register(self.close)

    def start(self, seconds=30):
        self.err = open(os.path.join(self.folder, "err"), "ab")
        self.process = subprocess.Popen([BUILD + "/tidemark-desk", "serve", "--config", self.conf],
                                        stdout=subprocess.PIPE, stderr=self.err, text=True)
        text = ""
        until = time.monotonic() + seconds
        while "serving at" not in text:
            line = self.process.stdout.readline()
            text += line
            if not line or time.monotonic() > until:
                raise RuntimeError("the desk does not start: " + text + self.log())
        self.url = re.search(r"serving at (\S+)", text)[1]
        self.admin = re.search(r"metrics at (\S+)", text)[1]
        self.port = int(self.url.rsplit(":", 1)[1])
        link = re.search(r"first administrator.*: \S+?(/login/\S+)", text)
        self.link = link[1] if link else None
        return self

    def log(self):
        with open(os.path.join(self.folder, "err"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self):
        """Ends it; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        self.process.stdout.close()
        self.err.close()
        self.process = None
        return status

    def close(self):
        """Ends it, in order where it can: what a sanitizer or a counter has to say comes at the end."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, source=None, timeout=20):
        return socket.create_connection(("127.0.0.1", self.port), timeout,
                                        (source, 0) if source else None)

    def raw(self, data, timeout=20):
        """Sends bytes and reads until the desk closes, or has answered one request."""
        with self.connect(timeout=timeout) as s:
            try:
                s.sendall(data)
            except OSError:
                pass
            return read_answer(s)

    def ask(self, method, path, headers=(), body=None):
        """(status, headers in lower case, body) of one whole request."""
        lines = ["%s %s HTTP/1.1" % (method, path), "Host: 127.0.0.1:%d" % self.port]
        lines += ["%s: %s" % h for h in headers]
        if body is not None:
            lines.append("Content-Length: %d" % len(body))
        data = ("\r\n".join(lines) + "\r\nConnection: close\r\n\r\n").encode()
        return split_answer(self.raw(data + (body or b"")), method)

    def sign_in(self, link=None):
        """The session's cookie, by a one-time link."""
        _, headers, _ = self.ask("POST", link or self.link)
        return headers["set-cookie"].split(";")[0]

    def user(self, *args):
        done = subprocess.run([BUILD + "/tidemark-desk", "user", *args, "--config", self.conf],
                              stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout


def read_answer(s):
    """Until the end of one answer, or of the connection. b"" when nothing came."""
    data = b""
    while True:
        head, sep, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
        if sep and length and len(body) >= int(length[1]):
            return data
        if sep and b"text/event-stream" in head:  # has no end
            return data
        try:
            more = s.recv(65536)
        except OSError:
            return data
        if not more:
            return data
        data += more


def split_answer(data, method="GET"):
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    status = int(lines[0].split(" ")[1]) if " " in lines[0] else 0
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return status, headers, b"" if method == "HEAD" else body


def status_of(data):
    return split_answer(data)[0]
