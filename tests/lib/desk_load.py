# SPDX-License-Identifier: MIT
"""Sites by the hundred that push to desks for a while, say things twice, and do not give up when a
desk is killed; then every event that was acknowledged must be there, once."""
import hashlib
import hmac
import base64
import json
import multiprocessing
import os
import random
import socket
import threading
import time

SAMPLE = os.path.join(os.path.abspath(os.environ.get("SOURCE", ".")),
                      "contrib/schema/samples/summary.json")


def template(customer, site, days):
    """The event of a device in parts, between which its key, its name and its hour stand."""
    with open(SAMPLE, encoding="utf-8") as f:
        s = json.load(f)
    day = s["history"][0]
    s["id"], s["product"]["device"], s["generated_at"] = "@KEY@", "@DEVICE@", "@TIME@"
    s["period"] = {"from": None, "to": "@TIME@"}
    s["customer"] = {"id": customer, "name": "Example KK", "site": site, "host": "h.example.com"}
    s["history"] = [dict(day, date=time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400 * d)),
                         used_bytes=day["used_bytes"] - d * 10**11) for d in range(days, 0, -1)]
    event = {"specversion": "1.0", "id": "@KEY@",
             "source": "/customers/%s/sites/%s" % (customer, site), "type": "tidemark.summary.v1",
             "time": "@TIME@", "datacontenttype": "application/json", "data": s}
    text = json.dumps(event, separators=(",", ":"))
    parts, rest = [], text
    while "@" in rest:
        before, name, rest = rest.split("@", 2)
        parts += [before, name]
    return parts + [rest]


class Site:
    """One site: posts, waits for the answer, posts the next; the same again where none came."""

    def __init__(self, ports, enrolment, number, options):
        self.ports, self.o, self.number = ports, options, number
        self.random = random.Random(number)
        self.token, self.secret = enrolment["token"], base64.b64decode(enrolment["secret"][6:])
        self.parts = template(enrolment["customer"]["id"], enrolment["site"], options["days"])
        self.sent = self.repeated = self.failures = self.wrong = 0
        self.acked, self.old, self.times = [], [], []
        self.socket = None

    def event(self):
        self.sent += 1
        device = "d%d" % (self.sent % self.o["devices"])
        hour = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time()))
        key = hashlib.sha256(b"%d %d" % (self.number, self.sent)).hexdigest()
        names = {"KEY": key, "DEVICE": device, "TIME": hour}
        p = self.parts
        return key, "".join(names[x] if i % 2 else x for i, x in enumerate(p))

    def exchange(self, data):
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.random.choice(self.ports)), 60)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(data)
        got = b""
        while b"\r\n\r\n" not in got:
            more = self.socket.recv(65536)
            if not more:
                raise OSError("closed")
            got += more
        head, _, body = got.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(body) < length:
            more = self.socket.recv(65536)
            if not more:
                raise OSError("closed")
            body += more
        return int(head.split()[1]), body

    def request(self, body, batch):
        kind = "application/cloudevents%s+json" % ("-batch" if batch else "")
        at = str(int(time.time()))
        mac = hmac.new(self.secret, ("m.%s." % at).encode() + body, hashlib.sha256).digest()
        head = ("POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
                "Content-Type: %s\r\nwebhook-id: m\r\nwebhook-timestamp: %s\r\n"
                "webhook-signature: v1,%s\r\nContent-Length: %d\r\n\r\n" % (
                    self.token, kind, at, base64.b64encode(mac).decode(), len(body)))
        return head.encode() + body

    def push(self, events, batch, known):
        body = ",".join(text for _, text in events).encode()
        body = b"[" + body + b"]" if batch else body
        again = False
        while True:
            begun = time.monotonic()
            try:
                status, answer = self.exchange(self.request(body, batch))
                if status == 200:
                    break
                self.failures += 1
                if status not in (429, 500, 502, 503, 504):
                    self.wrong += 1
                    return
            except (OSError, IndexError, ValueError):
                self.failures += 1
            again = True
            if self.socket is not None:
                self.socket.close()
                self.socket = None
            time.sleep(0.05 + self.random.random() * 0.1)
        self.times.append((time.monotonic() - begun, again))
        for r in json.loads(answer)["results"]:
            if r["status"] == "accepted" and not known:
                self.acked.append(r["id"])
            elif r["status"] == "duplicate" and (known or again):
                if not known:
                    self.acked.append(r["id"])
            else:
                self.wrong += 1

    def run(self, until):
        batch = self.o["batch"] > 1
        while time.monotonic() < until:
            events = [self.event() for _ in range(self.o["batch"])]
            self.push(events, batch, False)
            if self.random.random() < self.o["repeats"]:
                self.repeated += len(events)
                self.push(events, batch, True)


def work(ports, enrolments, first, options, seconds, results):
    sites = [Site(ports, e, first + i, options) for i, e in enumerate(enrolments)]
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=s.run, args=(until,)) for s in sites]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    results.put({"acked": [k for s in sites for k in s.acked],
                 "times": [t for s in sites for t in s.times],
                 "repeated": sum(s.repeated for s in sites),
                 "failures": sum(s.failures for s in sites), "wrong": sum(s.wrong for s in sites),
                 "bytes": len("".join(sites[0].parts))})


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))] if values else float("nan")


def load(ports, enrolments, seconds, meanwhile=None, batch=1, repeats=0.05, devices=20, days=14,
         processes=2):
    """Runs for so long, and `meanwhile` beside it; what was seen, as a dictionary."""
    options = {"batch": batch, "repeats": repeats, "devices": devices, "days": days}
    results, children = multiprocessing.Queue(), []
    begun = time.monotonic()
    for i in range(processes):
        share = enrolments[i::processes]
        children.append(multiprocessing.Process(
            target=work, args=(ports, share, i * 10000, options, seconds, results)))
        children[-1].start()
    if meanwhile is not None:
        meanwhile()
    parts = [results.get() for _ in children]
    for child in children:
        child.join()
    took = time.monotonic() - begun
    acked = [k for p in parts for k in p["acked"]]
    times = [t for p in parts for t, again in p["times"] if not again]
    return {"acked": acked, "took": took, "posts": len(times) / took,
            "summaries_per_s": len(acked) / took, "p50": quantile(times, 0.5),
            "p99": quantile(times, 0.99), "longest": max(times, default=float("nan")),
            **{k: sum(p[k] for p in parts) for k in ("repeated", "failures", "wrong")},
            "bytes": parts[0]["bytes"]}
