#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The schedule, long outages, and clocks that jump, under a simulated clock."""
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from exporting import *  # noqa: E402,F403
from tap import done, ok, same, skip, skip_all  # noqa: E402

if not shutil.which("faketime"):
    skip_all("faketime is not installed")


def at(time_utc):
    """The words that make a program believe this time, as '2027-01-31 10:00:00'."""
    return ["env", "TZ=UTC", "faketime", "-f", "@" + time_utc]


def trusting(receiver, request):
    """Does not look at the clock."""
    return receiver.reply(request, receiver.accept(request), secret=SECRET)[0], {}, \
        json.dumps({"results": [{"id": json.loads(request.body)["id"],
                                 "status": "accepted"}]}).encode()


def stamped(day, device=1):
    """A summary as it was on that day."""
    s = json.loads(summaries(1, device))
    s["generated_at"] = s["period"]["to"] = s["status"]["observed_at"] = day + "T00:00:00Z"
    return json.dumps(s) + "\n"


receiver = Receiver()

# --- set dates ------------------------------------------------------------------------------------
site = Site(more='schedule { monthday = 31 at = "02:00" }\n')
site.configure(site.webhook(receiver.url))
site.run("enable", "sales", "--by", "x", wrap=at("2027-12-30 00:00:00"))
made = {}
for day in ("2027-12-31 10:00:00", "2028-01-15 00:00:00", "2028-01-31 18:00:00",
            "2028-02-28 10:00:00", "2028-02-28 18:00:00", "2028-03-30 00:00:00",
            "2028-04-05 00:00:00", "2028-04-05 00:10:00", "2028-04-04 00:00:00",
            "2028-03-20 00:00:00"):
    p = site.run("queue", "-", stdin=stamped(day[:10]), wrap=at(day))
    made[day] = (p.stdout.count("queued"), p.stderr)
same([d for d, (n, _) in made.items() if n],
     ["2027-12-31 10:00:00", "2028-01-31 18:00:00", "2028-02-28 18:00:00", "2028-04-05 00:00:00"],
     "records on the last days of the months (29 February in Japan), 31 March made up for in April")
same(made["2028-04-05 00:10:00"][0], 0, "one record a set date")
ok("set back" in made["2028-03-20 00:00:00"][1], "a clock set back is noted, and no record is made",
   made["2028-03-20 00:00:00"])
ok(any('"clock-went-back"' in line for line in open(os.path.join(site.state, "history.ndjson"))),
   "... in the history too")
p = site.run("queue", "-", stdin="not a summary\n", wrap=at("2028-05-01 00:00:00"))
same(p.returncode, 65, "a set date whose input is refused ends with 65")

# --- thirty days without a server -------------------------------------------------------------------
site = Site(more='schedule { every = "1d" }\n')
site.configure(site.webhook(receiver.url))
site.run("enable", "sales", "--by", "x", wrap=at("2027-01-01 00:00:00"))
receiver.mode = close_early
wanted = []
for day in range(1, 31):
    date = "2027-01-%02d" % day
    p = site.run("queue", "-", stdin=stamped(date), wrap=at(date + " 12:00:00"))
    wanted += [line.split()[1] for line in p.stdout.splitlines() if line.startswith("queued")]
    site.run("push", "--trigger", "timer", "--once", wrap=at(date + " 12:05:00"))
same(len(wanted), 30, "thirty records wait")
receiver.mode = trusting
receiver.order.clear()
p = site.run("push", "--trigger", "timer", "--once", wrap=at("2027-01-30 20:00:00"))
p = site.run("push", "--trigger", "timer", "--once", wrap=at("2027-01-31 23:00:00"))
same(receiver.order, wanted, "the server is back: thirty records, in order")
dates = [json.loads(receiver.records[k])["data"]["period"]["to"][:10] for k in receiver.order]
same(dates, ["2027-01-%02d" % d for d in range(1, 31)], "... with the right dates")

# --- clocks that jump ---------------------------------------------------------------------------------
for name, later in (("400 days on", "2028-02-07 00:00:00"), ("2 days back", "2026-12-30 00:00:00"),
                    ("in 2038", "2038-02-01 00:00:00")):
    s = Site()
    s.configure(s.webhook(receiver.url))
    s.run("enable", "sales", "--by", "x", wrap=at("2026-12-01 00:00:00"))
    receiver.mode = status(503)
    p = s.run("queue", "--now", "-", stdin=summaries(2, 50), wrap=at("2027-01-01 00:00:00"))
    keys = {line.split()[1] for line in p.stdout.splitlines()}
    s.run("push", "--once", wrap=at("2027-01-01 00:00:00"))
    n = len(receiver.log)
    receiver.mode = trusting
    for _ in range(3):
        s.run("push", "--trigger", "timer", "--once", wrap=at(later))
    ok(len(receiver.log) - n <= 4, "%s: no hot loop" % name, len(receiver.log) - n)
    for key in s.keys("dead"):
        s.run("requeue", key, wrap=at(later))
    s.run("push", "--once", "--now", wrap=at(later))
    ok(s.keys("sent") == keys, "%s: nothing is lost" % name,
       s.items("new"), s.items("dead"), s.items("sent"))

s = Site()
s.configure(s.webhook(receiver.url))
s.run("enable", "sales", "--by", "x", wrap=at("2026-12-01 00:00:00"))
s.run("queue", "--now", "-", stdin=summaries(1, 70), wrap=at("2027-01-01 00:00:00"))
receiver.mode = status(503)
s.run("push", "--once", wrap=at("2027-01-30 00:00:00"))
same(len(s.items("new")), 1, "an item waits for 30 days")
p = s.run("push", "--once", wrap=at("2027-02-02 00:00:00"))
why = [open(os.path.join(s.spool, "crm/dead", n + ".why")).read() for n in s.items("dead")]
ok(len(why) == 1 and why[0].startswith("expired") and "expired" in p.stderr,
   "then it is given up, with the reason, and that is told", why, p.stderr)
receiver.mode = trusting

# --- quiet hours ----------------------------------------------------------------------------------------
s = Site(more='schedule { quiet = "08:00-18:00" }\n')
s.configure(s.webhook(receiver.url))
s.run("enable", "sales", "--by", "x", wrap=at("2027-01-01 00:00:00"))
s.run("queue", "--now", "-", stdin=summaries(1, 90), wrap=at("2027-01-01 00:00:00"))
n = len(receiver.log)
p = s.run("push", "--once", wrap=at("2027-01-01 03:00:00"))  # noon in Japan
same((p.returncode, len(receiver.log)), (75, n), "nothing goes in quiet hours of the site")
p = s.run("push", "--once", wrap=at("2027-01-01 09:30:00"))
same((p.returncode, len(receiver.log)), (0, n + 1), "... and all after them")

# --- a day without consent --------------------------------------------------------------------------------
if subprocess.run(["strace", "-o", "/dev/null", "true"], stderr=subprocess.DEVNULL).returncode == 0:
    s = Site()
    s.configure(s.webhook(receiver.url, purposes='"sales","service","factory","comparison"',
                          more='poll = "1h"'))
    n, packets = len(receiver.log), 0
    for half_hour in range(48):
        clock = "2027-03-01 %02d:%02d:00" % (half_hour // 2, half_hour % 2 * 30)
        trace = s.path("trace")
        traced = ["strace", "-f", "-o", trace, "-e", "trace=network"] + at(clock)
        for command, given in ((["queue", "--now", "-"], summaries(1)), (["push", "--once"], None)):
            s.run(*command, stdin=given, wrap=traced)
            packets += len(re.findall(r"(AF_INET|connect|sendto|sendmsg)", open(trace).read()))
    same((packets, len(receiver.log)), (0, n), "24 simulated hours without consent: no socket, no packet")
else:
    skip("24 simulated hours without consent", "needs hardware: strace cannot trace here")
receiver.close()
done()
