#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""After installation nothing is done by hand: the timers' own commands for two simulated days, with
a vendor for sales and a factory that each have their own address and key."""
import json
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from exporting import *  # noqa: E402,F403
import sanitizer  # noqa: E402
from tap import done, ok, same, skip_all  # noqa: E402

if not shutil.which("faketime"):
    skip_all("needs faketime")

HOURS = 48
sales, factory = Receiver(token=TOKEN), Receiver(token="token-of-the-factory")
for receiver in (sales, factory):  # their clocks are not the sites': no signed answers
    receiver.mode = lambda r, request: "ok" if request.headers["Authorization"] != \
        "Bearer " + r.token else (200, {}, json.dumps({"results": r.accept(request)}).encode())

site = Site()
types = ["--types", "/usr/share/collectd/types.db", "--types", SOURCE + "/plugins/types.db"]
end = int(time.time()) // 3600 * 3600
fleet = site.path("fleet")
subprocess.run([BUILD + "/tidemark-demo", *types, "--end", "@%d" % end, fleet], check=True)
site.write("token2", factory.token + "\n", 0o600)
site.more = 'schedule { every = "1d" }\nproducts = "%s/C-1001/products.d"\n' % fleet
site.configure(site.webhook(sales.url) +
               site.webhook(factory.url, "plant", '"factory"', token="token2"))
with open(site.conf) as f:
    conf = f.read().replace(site.path("rrd"), fleet + "/C-1001/rrd")
with open(site.conf, "w") as f:
    f.write(conf)
site.run("enable", "sales", "--by", "Hanako Sato")
site.run("enable", "factory", "--by", "Hanako Sato")


def unit(name):
    """The commands of a unit as they stand in it, with this build and this site."""
    with open(os.path.join(SOURCE, "contrib/systemd", name + ".service")) as f:
        for line in f:
            command = re.match(r"ExecStart=/usr/bin/(\S+) (.*)", line)
            if command:
                words = command[2].split()
                yield [os.path.join(BUILD, command[1]), words[0], "--config", site.conf, *words[1:]]


# The fleet is recorded already, so the analyzer is told the hour; the exporter believes its clock.
failed = []
for hour in range(HOURS):
    now = end - (HOURS - 1 - hour) * 3600
    for command in [*unit("tidemark-analyze"), *unit("tidemark-export")]:
        wrap = []
        if command[0].endswith("analyze"):
            command += ["--as-of", "@%d" % now]
            if hour % 24 != 0:
                continue  # its timer is daily
        else:
            stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now + 60))
            wrap = ["env", "TZ=UTC", "faketime", "-f", "@" + stamp, *sanitizer.first(EXPORT)]
        p = subprocess.run([*wrap, *command], capture_output=True, text=True)
        if p.returncode != 0:
            failed.append((command, p.returncode, p.stderr))
same(failed, [], "two simulated days of the timers' own commands end well")


def of_kind(receiver, kind):
    return [json.loads(body) for body in receiver.records.values()
            if json.loads(body)["type"] == "tidemark.%s.v1" % kind]


days = {}
for event in of_kind(sales, "summary"):
    days.setdefault(event["data"]["product"]["device"], set()).add(
        event["data"]["status"]["observed_at"][:10])
ok(len(days) == 4 and all(len(d) == 2 for d in days.values()),
   "summaries of each device have arrived each day, without a hand step", days)
same(sales.problems + factory.problems, [], "the receivers have no complaint about keys")
ok(of_kind(factory, "summary") and not any("status" in e["data"] or "history" in e["data"]
                                           for e in of_kind(factory, "summary")),
   "the factory has its own address and key, and gets what is meant for it")

# The key of one is none at the other.
site.write("token2", TOKEN + "\n", 0o600)
before = len(factory.records)
site.run("queue", "--now", "-", stdin=summaries(1, product={
    **sample()["product"], "device": "array-99"}))
p = site.run("push", "--once")
ok(len(factory.records) == before and "token" in factory.problems and "plant" in p.stderr,
   "the key of sales is refused at the factory, and that is told by the target's name", p.stderr)
done()
