#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tidemark-export under every fault (tests/lib/faults.py). Kills and errors of queue and push at every
call are export_spool.t's as well; here each subcommand is tried by the same rules."""
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import faults  # noqa: E402
from exporting import EXPORT, SECRET, SOURCE, summaries  # noqa: E402
from tap import skip_all  # noqa: E402

if not faults.preloads() or not faults.can_trace():
    skip_all("needs hardware: nothing can be loaded before a program that a sanitizer is in")
X = "tidemark-export"


def export(folder, *args, stdin=None, good=(0,)):
    """A step of the preparation, at the time at which the scenes stand."""
    page = faults.Page()
    page.set(stopped_s=faults.NOW)
    p = subprocess.run([EXPORT, args[0], "-c", folder + "/conf", *args[1:]], input=stdin, text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=page.env(X))
    assert p.returncode in good, (args, p.returncode, p.stderr)
    return p.stdout


def site(folder):
    """A site with a folder as its target, which agreed to sales and service."""
    os.mkdir(folder + "/drop")
    for name, text in (("secret", "whsec_" + SECRET + "\n"), ("token", "token\n")):
        with open(os.path.join(folder, name), "w") as f:
            f.write(text)
        os.chmod(os.path.join(folder, name), 0o600)
    with open(folder + "/conf", "w") as f:
        f.write('customer { id = "C-1001" name = "Example KK" }\n'
                'site { name = "osaka-1" timezone = "Asia/Tokyo" }\n'
                'paths { data = "%s/rrd" state = "%s/state" spool = "%s/spool" }\nspool { free = "0" }\n'
                'target box { type = "file" directory = "%s/drop" secret_file = "%s/secret" '
                'purposes = { "sales", "service" } }\n' % ((folder,) * 5))
    for name, n in (("given", 2), ("one", 1)):
        with open(os.path.join(folder, name), "w") as f:
            f.write(summaries(n))


def agreed(folder):
    site(folder)
    export(folder, "enable", "sales", "--by", "Hanako Sato")
    export(folder, "enable", "service", "--by", "Hanako Sato")


def queued(folder):
    agreed(folder)
    export(folder, "queue", "--now", folder + "/given")


def sent(folder):
    queued(folder)
    export(folder, "push", "--once")


def key_of(folder, state="new"):
    return sorted(n for n in os.listdir(folder + "/spool/box/" + state) if "why" not in n)[0].split(".")[2]


def enrolment(folder):
    shutil.copy(os.path.join(SOURCE, "contrib/schema/samples/enrolment.json"), folder + "/enrolment.json")


def vendor(folder):
    """A vendor whose source is the folder that a site dropped its documents in."""
    one = folder + "/site"
    os.mkdir(one)
    sent(one)
    os.rename(one + "/drop", folder + "/drop")
    os.rename(one + "/secret", folder + "/secret")
    shutil.rmtree(one)
    with open(folder + "/conf", "w") as f:
        f.write('role = "vendor"\ncustomer { id = "V" }\nsite { name = "hq" timezone = "UTC" }\n'
                'paths { state = "%s/state" spool = "%s/spool" }\nspool { free = "0" }\n'
                'source one { directory = "%s/drop" secret_file = "%s/secret" customer = "C-1001" '
                'site = "osaka-1" }\n' % ((folder,) * 4))


def asked(folder):
    agreed(folder)
    with open(os.path.join(SOURCE, "contrib/schema/samples/request.json")) as f:
        request = json.load(f)
    request.update(id="R-1", expires_at="2099-01-01T00:00:00Z")
    os.makedirs(folder + "/state/requests")
    with open(folder + "/state/requests/R-1.json", "w") as f:
        json.dump({"request": request, "target": "box", "state": "asked",
                   "received_at": "2026-11-19T00:00:00Z"}, f)


def by_key(path, data):
    """An item under its key alone: its place in the line depends on what else could be queued. The key of
    the pseudonyms is thrown by dice."""
    m = re.match(r"(spool/.*/)\d+\.\d+\.([0-9a-f]{64})\.\d+$", path)
    return (m[1] + m[2] if m else path), None if path.endswith(("lock", "pseudonym.key")) else data


CASES = [
    ("enable", ["enable", "sales", "-c", "{}/conf", "--by", "Hanako Sato"], site),
    ("disable", ["disable", "sales", "-c", "{}/conf"], queued),
    ("queue", ["queue", "-c", "{}/conf", "--now", "{}/given"], agreed),
    ("push", ["push", "-c", "{}/conf", "--once"], queued),
    ("preview", ["preview", "-c", "{}/conf", "--target", "box", "{}/given"], agreed),
    ("preview -o", ["preview", "-c", "{}/conf", "--target", "box", "-o", "{}/seen", "{}/given"], agreed),
    ("status", ["status", "-c", "{}/conf"], queued),
    ("status --json", ["status", "-c", "{}/conf", "--json"], queued),
    ("history", ["history", "-c", "{}/conf"], sent),
    ("purge", ["purge", "-c", "{}/conf", "--all"], sent),
    ("delete-request", ["delete-request", "-c", "{}/conf", "--by", "Hanako Sato"], sent),
    ("export-all", ["export-all", "-c", "{}/conf", "-o", "{}/all"], sent),
    ("requests", ["requests", "-c", "{}/conf"], asked),
    ("requests --refuse", ["requests", "-c", "{}/conf", "R-1", "--refuse", "no"], asked),
    ("receive", ["receive", "-c", "{}/conf"], vendor),
    ("check", ["check", "-c", "{}/conf"], agreed),
    ("sign", ["sign", "--secret-file", "{}/secret", "--at", "@1795132800", "--id", "m-1", "{}/given"], site),
    ("key", ["key", "--target", "box", "{}/one"], site),
]
AGAIN = {"export-all": (0, 64), "requests --refuse": (0, 65)}  # done once, it is refused
faults.main([faults.Case(name, [X, *command], prepare, tidy=by_key, scratch=("all/",),
                         partial=("state/history.ndjson", "state/export/", "state/accepted/"),
                         good=AGAIN.get(name, (0,)))
             for name, command, prepare in CASES])
