#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A vendor's commands of tidemark-export towards an ERP and CRMs, and the scripts that are installed, under every fault
(tests/lib/faults.py). The servers are stand-ins of ours that answer at once and can be put back to where they were
(tests/lib/tryton_server.py, crm_servers.py): a real Tryton takes minutes for what is asked here in seconds.

What a server was told before a fault stays there; it must be whole, and in the end just what it would be without one."""
import contextlib
import copy
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import crm_servers  # noqa: E402
import faults  # noqa: E402
import summaries as made  # noqa: E402
import tap  # noqa: E402
from exporting import SECRET, sample  # noqa: E402
from tryton_server import Tryton, seed  # noqa: E402

if not faults.preloads() or not faults.can_trace():
    tap.skip_all("needs hardware: the faults are for programs without a sanitizer or counters")
X, CONTRIB = "tidemark-export", os.path.join(faults.SOURCE, "contrib")
erp = Tryton()
crms = {"odoo": crm_servers.Odoo(), "salesforce": crm_servers.Salesforce(), "hubspot": crm_servers.HubSpot()}


class Scene(faults.Scene):
    """The servers begin where the scene began, as its folder does. A lead may lack its picture where that is told."""

    def __init__(self, name, command, prepare, **more):
        self.servers = {}

        def remember(folder):
            self.begin({"erp": seed(), **{crm: [] for crm in crms}})
            prepare(folder)
            self.servers = copy.deepcopy({"erp": erp.tables, **{crm: c.records for crm, c in crms.items()}})
        self.pictures = 0
        super().__init__(name, command, remember, view=self.servers_hold, **more)
        self.restore()
        self.run()
        self.pictures = erp.pictures()

    @staticmethod
    def begin(servers):
        erp.tables = copy.deepcopy(servers["erp"])
        for name, crm in crms.items():
            crm.records[:] = copy.deepcopy(servers[name])

    @staticmethod
    def servers_hold(_):
        return {**erp.state(), **{"erp/" + name: "".join(json.dumps(r) + "\n" for r in crm.records).encode()
                                  for name, crm in crms.items()}}

    def restore(self):
        super().restore()
        self.begin(self.servers)

    def judge(self, result, reason, killed=False, told=""):
        wrong = super().judge(result, reason, killed, told)
        if isinstance(wrong, str) and "prints something else" in wrong and "without a chart" in result.err and result.status in self.good:
            lines = [line for line in self.first.out.splitlines() if b"evidence.png" not in line]
            return None if result.out.splitlines() == lines else wrong
        if self.program == "sh" and isinstance(wrong, str):
            wrong = self.judge_shell(wrong, told)
        if not wrong and not killed and result.status in self.good and erp.pictures() < self.pictures and \
                "without a chart" not in result.err:
            return "a picture is not there, and nobody is told"
        return wrong

    def judge_shell(self, wrong, told):
        """What dash does, and dd in the place of sendmail: of that it failed who sends the mail is told by the status."""
        if told.startswith("read ") and wrong.startswith("says that all is well"):
            return ["dash (takes a script that it cannot read for an empty one)"]
        return None if "hook" in self.name and wrong.startswith(("no reason is told", "dies: -11 ")) else wrong

    def recovers(self):
        if self.program == "sh":  # the next run is an hour later, when an ERP that did not answer is asked again
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.folder + "/state/export/erp.health.json")
        wrong = super().recovers()
        now = self.files()
        other = sorted(p for p in now if p.startswith("erp/") and now[p] not in (self.after[p], self.again[p]))
        return wrong or (other and "afterwards: other records: %s: %s" % (other[0], faults.difference(
            self.after[other[0]], now[other[0]]))) or None


# --- folders -------------------------------------------------------------------------------------------
def write(folder, name, text, mode=0o600):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def offered(quantity=2):
    """A summary with a recommendation."""
    s = sample()
    s["consent"] = {"sales": {"by": "Hanako Sato", "on": "2026-09-01T02:00:00Z"}}
    s["history"] = []
    s["recommendations"][0].update(
        price={"amount": "960000", "currency": "JPY"}, order_by="2027-01-11",
        lines=[{"sku": "SHELF-20T", "quantity": quantity, "price": {"amount": "480000", "currency": "JPY"}}])
    return json.dumps(s) + "\n"


def vendor(folder, target=None):
    """A vendor with the ERP, or with another target."""
    write(folder, "password", "Exporter-7421\n")
    write(folder, "crm.token", crm_servers.TOKEN + "\n")
    write(folder, "conf", (
        'role = "vendor"\ncustomer { id = "V" }\nsite { name = "hq" timezone = "UTC" }\n'
        'paths { data = "%s/rrd" state = "%s/state" spool = "%s/spool" }\nspool { free = "0" }\n' % ((folder,) * 3)) + (
        target or 'target erp { type = "tryton" url = "%s" user = "tidemark" password_file = "%s/password"\n'
        'purposes = { "sales", "factory" } timeout = "20s" }\n' % (erp.url, folder)))
    write(folder, "given", offered())
    with open(CONTRIB + "/schema/samples/demand.json") as f:
        demand = json.load(f)
    for line in demand["lines"]:
        line["shop"] = "RN"
    write(folder, "demand", json.dumps(demand) + "\n")
    write(folder, "inquiry", "".join(json.dumps({
        "schema": "tidemark.inquiry/1", "id": "Q-%d" % i, "by": "K. Mori", "asked_at": "2026-11-19T02:04:00Z",
        "shop": "RN", "lines": [{"sku": "SHELF-20T", "quantity": 3}]}) + "\n" for i in (1, 2)))


def export(folder, command, *words):
    return faults.step(folder, X, command, "-c", "{}/conf", *words)


def queued(folder, target=None):
    vendor(folder, target)
    export(folder, "queue", "--now", "{}/given")


def through(crm):
    """A queue for a CRM by its mapping."""
    def prepare(folder):
        queued(folder, 'target crm { type = "webhook" url = "%s/" mapping = "%s/mapping/%s.json" purposes = { "sales" }\n'
               'timeout = "5s" token_file = "%s/crm.token" }\n' % (crms[crm].url, CONTRIB, crm, folder))
    return prepare


def led(folder):
    """There is a lead."""
    queued(folder)
    export(folder, "push", "--once")


def changed(folder):
    """... and the advice is another by now."""
    led(folder)
    write(folder, "given", offered(3).replace("2026-11-20T00", "2026-11-20T01"))
    export(folder, "queue", "--now", "{}/given")


def issued(folder):
    """Demand that was told before, of a week more and of other pieces."""
    vendor(folder)
    with open(folder + "/demand") as f:
        demand = json.load(f)
    demand["generated_at"] = "2026-11-19T00:10:00Z"
    demand["lines"].append(dict(demand["lines"][0], week="2027-W04", week_start="2027-01-25"))
    demand["lines"][0]["expected"] = 3
    write(folder, "before", json.dumps(demand) + "\n")
    export(folder, "demand", "{}/before")


def answered(folder):
    vendor(folder)
    export(folder, "inquire", "{}/inquiry")


def elsewhere(folder):
    """An answer that came by another way."""
    answered(folder)
    answer = json.loads(export(folder, "inquire", "{}/inquiry").splitlines()[0])
    write(folder, "answer", json.dumps(dict(answer, answered_at="2026-11-20T05:00:00Z", by="F. Okada")) + "\n")


def agreed(folder):
    answered(folder)
    export(folder, "inquire", "--agree", "Q-1")


def dropped(folder):
    """What a site has dropped for the vendor."""
    site = folder + "/site"
    os.mkdir(site)
    os.mkdir(folder + "/drop")
    os.mkdir(folder + "/run")
    write(folder, "run/open", offered(9))  # what an earlier run had in hand
    write(folder, "secret", "whsec_" + SECRET + "\n")
    write(site, "conf", 'customer { id = "C-1001" name = "Example KK" }\nsite { name = "osaka-1" timezone = "Asia/Tokyo" }\n'
          'paths { data = "%s/rrd" state = "%s/state" spool = "%s/spool" }\nspool { free = "0" }\n'
          'target box { type = "file" directory = "%s/drop" secret_file = "%s/secret" purposes = { "sales" } }\n' % (
              (site,) * 3 + (folder,) * 2))
    made.write(site + "/given", [made.summary(used=110, growth=0.3, fill=(20, 30, 40), days=2)])
    export(site, "enable", "sales", "--by", "Hanako Sato")
    export(site, "queue", "--now", "{}/given")
    export(site, "push", "--once")
    vendor(folder)
    write(folder, "shops.json", json.dumps({"schema": "tidemark.shops/1", "otherwise": "RN", "shops": {}}))
    with open(folder + "/conf", "a") as f:
        f.write('catalogue = "%s/schema/samples/catalogue.json"\nsource one { directory = "%s/drop" '
                'secret_file = "%s/secret" customer = "C-1001" site = "osaka-1" }\n' % (CONTRIB, folder, folder))
    export(folder, "preview", "{}/given")  # the key of its pseudonyms is thrown by dice


def bare(folder):
    """Nothing."""


def triggered(folder):
    write(folder, "trigger", "x")


def by_key(path, data):
    """As in faults_export.t. The clock of what a script starts runs; what it has in hand is its own, and a mail goes
    its way whatever becomes of the trigger."""
    words = os.path.basename(path).split(".")
    if path.startswith("state/"):
        data = re.sub(rb'"(at|polled_at)":("[^"]*"|\d+)', rb'"\1":0', data)
    if path.startswith("spool/") and len(words) == 4 and len(words[2]) == 64:
        path = os.path.join(os.path.dirname(path), words[2])
    return path, None if path.startswith(("run/", "trigger")) or path.endswith(("lock", "pseudonym.key", ".why")) else data


def sent_by_key(path, data):
    """What a script that ended early has queued waits for the next."""
    path, data = by_key(path, data)
    return path, None if "/new/" in path else data


# --- scenes --------------------------------------------------------------------------------------------
C = ["-c", "{}/conf"]
VENDOR = [
    ("push to Tryton", ["push", *C, "--once"], queued),
    ("push to Tryton again", ["push", *C, "--once"], changed),
    ("push to Odoo", ["push", *C, "--once"], through("odoo")),
    ("push to Salesforce", ["push", *C, "--once"], through("salesforce")),
    ("push to HubSpot", ["push", *C, "--once"], through("hubspot")),
    ("preview for Tryton", ["preview", *C, "--target", "erp", "{}/given"], queued),
    ("opportunities", ["opportunities", *C], led),
    ("opportunities --open", ["opportunities", *C, "--open", "{}/given"], led),
    ("demand", ["demand", *C, "{}/demand"], vendor),
    ("demand again", ["demand", *C, "{}/demand"], issued),
    ("inquire", ["inquire", *C, "{}/inquiry"], vendor),
    ("inquire --list", ["inquire", *C, "--list"], answered),
    ("inquire --agree", ["inquire", *C, "--agree", "Q-1"], answered),
    ("inquire --release", ["inquire", *C, "--release", "Q-1"], agreed),
    ("inquire --answer", ["inquire", *C, "--answer", "{}/answer"], elsewhere),
]
SENDMAIL = ["of={}/mail", "status=none"]  # of dd, which takes a mail whole, or says by its status that it did not
SCRIPTS = [
    ("vendor-run", ["vendor-run"], dropped, None),
    ("mail-hook", ["mail-hook", *SENDMAIL], bare, "From: a@b.example\n\nx\n"),
    ("mail-hook with a trigger", ["mail-hook", *SENDMAIL], triggered, "From: a@b.example\n\nx\n"),
    ("link-hook", ["link-hook", "eth0", "up"], bare, None),
]
SETTINGS = ["RUNTIME_DIRECTORY={}/run", "STATE_DIRECTORY={}/state", "TIDEMARK_CONFIG={}/conf",
            "TIDEMARK_SHOPS={}/shops.json", "TIDEMARK_SENDMAIL=/bin/dd", "TIDEMARK_TRIGGER={}/trigger",
            "TIDEMARK_ANALYZE=%s/tidemark-analyze" % faults.BUILD]
PARTIAL = ("erp/", "state/")
SHORT = ("push to Tryton", "demand", "inquire --agree", "push to Odoo")  # what `make check` has time for
faults.Scene = Scene
short = faults.is_short()
faults.main([faults.Case(name, [X, *words], prepare, tidy=by_key, partial=PARTIAL)
             for name, words, prepare in VENDOR if name in SHORT or not short], share=0.8, end=short)
if not short:
    faults.main([faults.Case(name, ["/usr/bin/env", *SETTINGS, "TIDEMARK_EXPORT=" + (
        os.path.join(faults.BUILD, X) if name == "vendor-run" else "/bin/true"), os.path.join(CONTRIB, words[0]), *words[1:]],
        prepare, stdin=stdin, program="sh", statuses=(1, 2, 126, 127), tidy=sent_by_key, partial=PARTIAL, scratch=("mail",))
        for name, words, prepare, stdin in SCRIPTS], kinds=("memory", "calls", "disks"))
