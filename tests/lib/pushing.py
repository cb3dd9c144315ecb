# SPDX-License-Identifier: MIT
"""Sites that push to a desk of the test's own, which lies on SQLite or on a PostgreSQL of its own."""
import atexit
import hashlib
import http.client
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time

import desk
from exporting import sign

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
SOURCE = os.path.abspath(os.environ.get("SOURCE", "."))
DESK = os.path.join(BUILD, "tidemark-desk")
SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


class Postgresql:
    """A server of the test's own; skip where there is none: .url is None then."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="tidemark-pg-")
        atexit.register(shutil.rmtree, self.folder, True)
        os.chmod(self.folder, 0o755)
        self.url = self.run("start")
        atexit.register(self.run, "stop")

    def run(self, command, *more):
        p = subprocess.run([os.path.join(SOURCE, "tests/lib/postgresql"), command,
                            os.path.join(self.folder, "pg"), *more],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.why = p.stderr
        return p.stdout.strip() if p.returncode == 0 else None

    def rows(self, sql):
        out = subprocess.run(["psql", "-qAt", "-F", "|", self.run("admin"), "-c", sql], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
        return [tuple(line.split("|")) for line in out.splitlines()]


class PushDesk(desk.Desk):
    """A desk that sites push to; killed and started again, it is found where it was."""

    def __init__(self, database=None, *extra):
        if database:
            os.environ["DESK_DATABASE"] = database
        super().__init__('public_url = "http://127.0.0.1"', *extra)
        os.environ.pop("DESK_DATABASE", None)
        self.file = os.path.join(self.folder, "desk.db")

    def start(self, seconds=60):
        super().start(seconds)
        with open(self.conf, encoding="utf-8") as f:
            text = f.read()
        if text.startswith('listen = "127.0.0.1:0"'):
            with open(self.conf, "w", encoding="utf-8") as f:
                f.write(text.replace(":0", ":%d" % self.port, 1))
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def run(self, *args, stdin=None):
        return subprocess.run([DESK, *args, "-c", self.conf], input=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120)

    def rows(self, sql, *values):
        """Of SQLite, looked at from outside."""
        db = sqlite3.connect(self.file, timeout=30)
        try:
            rows = db.execute(sql, values).fetchall()
            db.commit()
            return rows
        finally:
            db.close()

    def add_site(self, customer="C-1001", site="osaka-1", *more):
        p = self.run("site", "add", customer, site, "--customer-name", "Example KK", *more)
        assert p.returncode == 0, p.stderr
        return Pusher(self, json.loads(p.stdout))


def event_of(document, kind="summary"):
    """The event of a document, whose id is the hash of what it says."""
    key = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    document = dict(document, id=key) if kind == "summary" else document
    customer = document["customer"]
    return {"specversion": "1.0", "id": key,
            "source": "/customers/%s/sites/%s" % (customer["id"], customer["site"]),
            "type": "tidemark.%s.v1" % kind, "time": document.get("generated_at"),
            "datacontenttype": "application/json", "data": document}


class Pusher:
    """A site that pushes without tidemark-export: what it sends can be wrong in any way."""

    def __init__(self, to, enrolment):
        self.desk, self.enrolment = to, enrolment
        self.token, self.secret = enrolment["token"], enrolment["secret"][len("whsec_"):]

    def request(self, method, body=b"", kind=SINGLE, at=None, identity="m-1", **changed):
        """(status, headers in lower case, body). Headers are changed by name, None leaves one out."""
        at = str(int(at if at is not None else time.time()))
        headers = {"authorization": "Bearer " + self.token, "content-type": kind,
                   "webhook-id": identity, "webhook-timestamp": at,
                   "webhook-signature": sign(identity, at, body, self.secret)}
        headers.update({k.replace("_", "-"): v for k, v in changed.items()})
        c = http.client.HTTPConnection("127.0.0.1", self.desk.port, timeout=60)
        try:
            c.request(method, "/api/v1/events", body if method == "POST" else None,
                      {k: v for k, v in headers.items() if v is not None})
            r = c.getresponse()
            return r.status, {k.lower(): v for k, v in r.getheaders()}, r.read()
        finally:
            c.close()

    def push(self, *events):
        """Results of events, each "accepted", "duplicate" or "refused FIELD: WHY"."""
        body = json.dumps(events[0] if len(events) == 1 else list(events)).encode()
        status, _, answer = self.request("POST", body, SINGLE if len(events) == 1 else BATCH)
        if status != 200:
            return [status]
        return [r["status"] + (" %s: %s" % (r["field"], r["error"]) if "error" in r else "")
                for r in json.loads(answer)["results"]]
