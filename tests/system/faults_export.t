#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tidemark-export under every fault (tests/lib/faults.py). Kills and errors of queue and push at every
call are export_spool.t's as well; here each subcommand is tried by the same rules."""
import json
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import faults  # noqa: E402
from exporting import SECRET, SOURCE, sha256, sign, summaries  # noqa: E402
from tap import note, skip_all  # noqa: E402
from smtp_sink import MISSING, Sink  # noqa: E402
from web_server import Server, reply  # noqa: E402

if not faults.preloads() or not faults.can_trace():
    skip_all("needs hardware: the faults are for programs without a sanitizer or counters")
X = "tidemark-export"


def export(folder, command, *args):
    return faults.step(folder, X, command, "-c", folder + "/conf", *args)


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


def item_of(folder, state="new"):
    return sorted(n for n in os.listdir(folder + "/spool/box/" + state) if "why" not in n)[0]


def given_up(folder):
    """The first item is dead."""
    queued(folder)
    name = item_of(folder)
    os.makedirs(folder + "/spool/box/dead", exist_ok=True)
    os.rename(folder + "/spool/box/new/" + name, folder + "/spool/box/dead/" + name)
    with open(folder + "/spool/box/dead/" + name + ".why", "w") as f:
        f.write("refused: no\n")


def enrolment(folder):
    shutil.copy(os.path.join(SOURCE, "contrib/schema/samples/enrolment.json"), folder + "/enrolment.json")
    os.chmod(folder + "/enrolment.json", 0o600)


def renewed(folder):
    """An enrolled site that is given another token."""
    enrolment(folder)
    export(folder, "enrol", folder + "/enrolment.json")
    with open(folder + "/enrolment.json") as f:
        document = json.load(f)
    with open(folder + "/enrolment.json", "w") as f:
        json.dump(dict(document, token=document["token"] + "x"), f)


def signed(folder):
    site(folder)
    with open(folder + "/headers", "w") as f:
        f.write(export(folder, "sign", "--secret-file", folder + "/secret", "--at", "@%d" % faults.NOW, "--id", "m-1",
                       folder + "/given"))


# --- targets that answer -------------------------------------------------------------------------------
class Arrived:
    """A receiver of events and a mail server; `keys` are of the events that came whole."""

    def __init__(self):
        self.keys = set()
        self.http = Server(self.take)
        self.smtp = None if MISSING else Sink(self)

    def take(self, request):
        results, identity = [], request.headers["webhook-id"]
        if request.command == "POST":
            key = json.loads(request.body)["id"]
            results.append({"id": key, "status": "duplicate" if key in self.keys else "accepted",
                            "sha256": sha256(request.body)})
            self.keys.add(key)
        status, headers, body = reply({"results": results})
        headers.update({"webhook-id": identity, "webhook-timestamp": str(faults.NOW),
                        "webhook-signature": sign(identity, str(faults.NOW), body)})
        return status, headers, body

    async def handle_DATA(self, server, session, envelope):
        self.keys.update(re.findall(r"([0-9a-f]{64})\.json", envelope.original_content.decode(errors="replace")))
        return "250 taken"

    def lacks(self, folder):
        """What is said to be sent, and did not come."""
        there = os.listdir(folder + "/spool/box/sent") if os.path.isdir(folder + "/spool/box/sent") else []
        return {"sent, but not there": sorted(n.split(".")[2] for n in there if n.count(".") == 3 and
                                              n.split(".")[2] not in self.keys)}


arrived = Arrived()


def sending(kind):
    """A queued site whose target is the receiver."""
    def prepare(folder):
        queued(folder)
        with open(folder + "/conf") as f:
            text = f.read()
        to = ('type = "webhook" url = "http://127.0.0.1:%d/" token_file = "%s/token" batch = 1' % (arrived.http.port, folder)
              if kind == "webhook" else 'type = "smtp" url = "smtp://127.0.0.1:%d" from = "a@b.example" '
              'to = "c@d.example" starttls = "no"' % arrived.smtp.port)
        with open(folder + "/conf", "w") as f:
            f.write(re.sub(r'type = "file" directory = "\S*"', to + ' timeout = "5s"', text))
    return prepare


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


def read(folder):
    """What the probe said of what was asked."""
    asked(folder)
    with open(os.path.join(SOURCE, "contrib/schema/samples/request.json")) as f:
        request = json.load(f)
    with open(folder + "/reading", "w") as f:
        json.dump({"schema": "tidemark.reading/1", "target": "ipp://h/", "source": "ipp", "model": request.get("model"),
                   "observed_at": "2026-11-20T00:00:00Z", "error": None,
                   "items": [{"name": request["items"][0], "value": 7, "unit": "pages", "nature": "counter"}]}, f)


with open(os.path.join(SOURCE, "tests/data/ipp/supplies_and_trays.bin"), "rb") as answer:
    printer = Server(lambda request, told=answer.read(): (200, {}, told))


def askable(folder):
    """The plugin has written down how the device that is asked for is asked."""
    asked(folder)
    with open(folder + "/state/requests/R-1.json") as f:
        request = json.load(f)["request"]
    os.makedirs(folder + "/state/inventory/" + request["host"])
    with open("%s/state/inventory/%s/%s.json" % (folder, request["host"], request["device"]), "w") as f:
        json.dump({"schema": "tidemark.inventory/1", "kind": "printer", "since": "2026-11-01T00:00:00Z",
                   "asked": {"url": "ipp://127.0.0.1:%d/ipp/print" % printer.port}}, f)


class Scene(faults.Scene):
    """What a device said has the time at which tidemark-probe asked it, and a key by that."""

    def run(self, *args, **more):
        r = super().run(*args, **more)
        return r._replace(out=re.sub(rb"queued \w+", b"queued", r.out)) if "--ask" in self.command else r


def mapped(folder):
    for crm in ("odoo", "salesforce"):
        shutil.copy("%s/contrib/mapping/%s.json" % (SOURCE, crm), folder)


def by_key(path, data):
    """An item under its key alone: its place in the line depends on what else could be queued. The key of
    the pseudonyms is thrown by dice. Why an item was given up is a note beside it: without room the item goes alone,
    with a warning."""
    m = re.match(r"(spool/.*/)\d+\.\d+\.([0-9a-f]{64})\.\d+$", path)
    if b"item-values" in data or path.startswith("state/requests/"):
        data = re.sub(rb'"observed_at":"[^"]*|[0-9a-f]{64}', b"-", data)  # the clock of tidemark-probe runs
        m = m and (None, m[1], "item-values")
    return (m[1] + m[2] if m else path), None if path.endswith(("lock", "pseudonym.key", ".why")) else data


def key_of_first():
    """The key of the first item, which is the same in each site."""
    folder = os.path.join(faults.FOLDER, "first")
    os.mkdir(folder)
    queued(folder)
    return item_of(folder).split(".")[2]


FIRST = key_of_first()
CASES = [
    ("enrol", ["enrol", "-c", "{}/conf", "{}/enrolment.json"], enrolment),
    ("enrol again", ["enrol", "-c", "{}/conf", "{}/enrolment.json"], renewed),
    ("enable", ["enable", "sales", "-c", "{}/conf", "--by", "Hanako Sato"], site),
    ("disable", ["disable", "sales", "-c", "{}/conf"], queued),
    ("queue", ["queue", "-c", "{}/conf", "--now", "{}/given"], agreed),
    ("push", ["push", "-c", "{}/conf", "--once"], queued),
    ("show", ["show", "-c", "{}/conf", FIRST], queued),
    ("requeue", ["requeue", "-c", "{}/conf", FIRST], given_up),
    ("push by webhook", ["push", "-c", "{}/conf", "--once"], sending("webhook")),
    ("push by mail", ["push", "-c", "{}/conf", "--once"], sending("smtp")),
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
    ("requests --answer", ["requests", "-c", "{}/conf", "R-1", "--answer", "{}/reading"], read),
    ("requests --ask", ["requests", "-c", "{}/conf", "R-1", "--ask"], askable),
    ("receive", ["receive", "-c", "{}/conf"], vendor),
    ("check", ["check", "-c", "{}/conf"], agreed),
    ("check of mappings", ["check", "{}/odoo.json", "{}/salesforce.json"], mapped),
    ("sign", ["sign", "--secret-file", "{}/secret", "--at", "@1795132800", "--id", "m-1", "{}/given"], site),
    ("verify", ["verify", "--secret-file", "{}/secret", "--id", "m-1", "--at", "@1795132800", "{}/given",
                "{}/headers"], signed),
    ("key", ["key", "--target", "box", "{}/one"], site),
]
faults.Scene = Scene
AGAIN = {"export-all": (0, 64), "requests --refuse": (0, 65), "requests --answer": (0, 65), "requests --ask": (0, 65),
         "requeue": (0, 66)}  # done once, it is refused
if MISSING:
    note("no push by mail: " + MISSING)
    CASES = [case for case in CASES if case[0] != "push by mail"]
faults.main([faults.Case(name, [X, *command], prepare, tidy=by_key, scratch=("all/",),
                         partial=("state/history.ndjson", "state/consent.log", "state/export/", "state/accepted/"),
                         view=arrived.lacks if name.startswith("push by") else None,
                         good=AGAIN.get(name, (0,)))
             for name, command, prepare in CASES])
