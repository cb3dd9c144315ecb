#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tidemark-desk's commands under every fault (tests/lib/faults.py), from the beginning to the end;
faults_desk_serve.t has the one that serves."""
import email.message
import json
import os
import re
import shutil
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import faults  # noqa: E402
import tap  # noqa: E402
from exporting import sample  # noqa: E402
from pushing import event_of  # noqa: E402

if not faults.preloads() or not faults.can_trace():
    tap.skip_all("needs hardware: the faults are for programs without a sanitizer or counters")
D = "tidemark-desk"
LOGIN = "mori@vendor.example"
SOURCE = faults.SOURCE
TABLES = "contrib/demo/desk.d/"


def run(folder, *args):
    return faults.step(folder, D, *args, "-c", folder + "/desk.conf")


def empty(folder):
    with open(folder + "/desk.conf", "w") as f:
        f.write('listen = "127.0.0.1:0"\nadmin_listen = "127.0.0.1:0"\ndatabase = "sqlite:%s/desk.db"\n'
                'timezone = "Asia/Tokyo"\npublic_url = "http://127.0.0.1"\n'
                'paths { state = "%s" data = "%s/contrib/desk" }\n' % (folder, folder, SOURCE))


def furnished(folder):
    empty(folder)
    for kind in ("shops", "customers", "staff", "assignments"):
        run(folder, "import", kind, SOURCE + "/" + TABLES + kind + ".csv")
    run(folder, "import", "catalogue", SOURCE + "/contrib/demo/catalogue.json")


def once(prepare):
    """The same, but prepared once: the configuration alone names its folder."""
    kept = os.path.join(faults.FOLDER, "once-" + prepare.__name__)

    def copy(folder):
        if not os.path.exists(kept):
            os.mkdir(kept)
            prepare(kept)
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        empty(folder)
    return copy


furnished = once(furnished)


@once
def enrolled(folder):
    furnished(folder)
    run(folder, "site", "add", CUSTOMER, "osaka-9", "-o", folder + "/enrolment.json")


@once
def peopled(folder):
    """With an account and a webhook."""
    furnished(folder)
    run(folder, "user", "add", LOGIN, "--role", "sales", "-n", "K. Mori")
    run(folder, "webhook", "add", "crm", "http://127.0.0.1:9/crm")


def claimed(folder):
    """A claim in a folder."""
    furnished(folder)
    with open(SOURCE + "/contrib/schema/samples/claim.json") as f:
        claim = {k: v for k, v in json.load(f).items() if k not in ("device", "model", "state")}
    os.mkdir(folder + "/box")
    with open(folder + "/box/a.json", "w") as f:
        json.dump(dict(claim, via="mail", external_id="X-1", customer={"id": CUSTOMER}), f)


def mail(attachments):
    """A mail with such files."""
    message = email.message.EmailMessage()
    message["Subject"], message["From"], message["To"] = "x", "a@b.example", "c@d.example"
    message.set_content("See the attachments.\n")
    for name, data in attachments.items():
        message.add_attachment(data, "application", "json", filename=name)
    return message.as_string()


def mail_of(prepare, box):
    """What a folder of that preparation holds, as a mail."""
    folder = os.path.join(faults.FOLDER, "mail-" + box)
    os.mkdir(folder)
    prepare(folder)
    found = {}
    for name in sorted(os.listdir(os.path.join(folder, box))):
        with open(os.path.join(folder, box, name), "rb") as f:
            found[name] = f.read()
    return mail(found)


@once
def dropped(folder):
    """A document of a site and its signature, in a folder."""
    from exporting import sign
    enrolled(folder)
    with open(folder + "/enrolment.json") as f:
        enrolment = json.load(f)
    document = dict(sample(), customer={"id": CUSTOMER, "site": "osaka-9", "host": "h"})
    event = event_of(document)
    body = json.dumps(event).encode()
    os.mkdir(folder + "/in")
    with open(folder + "/in/%s.json" % event["id"], "wb") as f:
        f.write(body)
    with open(folder + "/in/%s.sig" % event["id"], "w") as f:
        f.write("webhook-id: %s\nwebhook-timestamp: %d\nwebhook-signature: %s\n" % (
            event["id"], faults.NOW, sign(event["id"], str(faults.NOW), body, enrolment["secret"][len("whsec_"):])))


# What a throw of dice decides, or the time of the machine.
CHANCE = re.compile("hash|secret|token|digest|salt|prefix|key|nonce|_at$|^id$|data|sealed")


def rows(folder):
    """Every table, without what is different each time. An unsound database is a finding of its own."""
    path = folder + "/desk.db"
    if not os.path.exists(path):
        return {"desk.db": []}
    db = sqlite3.connect(path, timeout=30)
    found = {}
    try:
        sound = db.execute("PRAGMA quick_check").fetchall()
        if sound != [("ok",)]:
            found["quick_check"] = sound
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall():
            if table in ("leases", "audit", "buckets") or table.startswith("sqlite_"):
                continue
            columns = [c[1] for c in db.execute("PRAGMA table_info(%s)" % table) if not CHANCE.search(c[1])]
            if columns:
                found["table " + table] = sorted(map(repr, db.execute(
                    "SELECT %s FROM %s" % (", ".join(columns), table)).fetchall()))
    finally:
        db.close()
    return {k: v for k, v in found.items() if v}


def no_database(path, data):
    """Nor the signature of a document: after the document it is nothing, wherever it lies."""
    return path, None if path.startswith(("desk.db", "copy.db", "all.json", "enrolment.json")) or \
        path.endswith(".sig") else data


def with_copy(folder):
    """The copy of the store has all that the store has."""
    out = rows(folder)
    if os.path.exists(folder + "/copy.db"):
        os.makedirs(folder + "/.look", exist_ok=True)
        db = sqlite3.connect(folder + "/copy.db")
        out["copy"] = repr(db.execute("SELECT count(*) FROM customers").fetchall())
        db.close()
        os.rmdir(folder + "/.look")
    return out


with open(os.path.join(SOURCE, TABLES, "customers.csv")) as f:
    f.readline()
    CUSTOMER = f.readline().split(",")[0]


def absent(folder):
    furnished(folder)
    with open(folder + "/absences.csv", "w") as f:
        f.write("staff,from,to,stand_in\nS-1,2026-11-20,2026-11-27,S-2\n")


INTAKE = mail_of(dropped, "in")
BEGUN = ["-c", "{}/desk.conf"]
CASES = [
    ("import into nothing", ["import", "shops", os.path.join(SOURCE, TABLES, "shops.csv"), *BEGUN], empty, (0,)),
    ("import customers", ["import", "customers", os.path.join(SOURCE, TABLES, "customers.csv"), *BEGUN], furnished, (0,)),
    ("import catalogue", ["import", "catalogue", os.path.join(SOURCE, "contrib/demo/catalogue.json"), *BEGUN],
     furnished, (0,)),
] + [("import " + kind, ["import", kind, os.path.join(SOURCE, TABLES, kind + ".csv"), *BEGUN], furnished, (0,))
     for kind in ("staff", "assignments", "stock", "lead-times")] + [
    ("import absences", ["import", "absences", "{}/absences.csv", *BEGUN], absent, (0,)),
    ("user add", ["user", "add", LOGIN, "--role", "sales", "-n", "K. Mori", *BEGUN], furnished, (0, 65)),
] + [("user " + " ".join(words), ["user", *words, *BEGUN], peopled, (0,)) for words in (
    ("link", LOGIN), ("disable", LOGIN), ("enable", LOGIN), ("role", LOGIN, "service"),
    ("token", LOGIN, "-n", "crm"))] + [
    ("user list", ["user", "list", *BEGUN], furnished, (0,)),
    ("site add", ["site", "add", CUSTOMER, "osaka-9", "-o", "{}/all.json", *BEGUN], furnished, (0, 65)),
    ("site rotate", ["site", "rotate", CUSTOMER, "osaka-9", "-o", "{}/all.json", *BEGUN], enrolled, (0,)),
    ("site revoke", ["site", "revoke", CUSTOMER, "osaka-9", *BEGUN], enrolled, (0,)),
    ("webhook add", ["webhook", "add", "erp", "http://127.0.0.1:9/erp", *BEGUN], peopled, (0, 65)),
    ("webhook stop", ["webhook", "stop", "crm", *BEGUN], peopled, (0, 66)),
    ("webhook list", ["webhook", "list", *BEGUN], peopled, (0,)),
    ("site list", ["site", "list", *BEGUN], enrolled, (0,)),
    ("intake", ["intake", "{}/in", *BEGUN], dropped, (0, 66)),
    ("intake by mail", ["intake", "-", *BEGUN], enrolled, (0,), INTAKE),
    ("claims", ["claims", "{}/box", *BEGUN], claimed, (0, 66)),
    ("claims by mail", ["claims", "-", *BEGUN], furnished, (0,), mail_of(claimed, "box")),
    ("nightly", ["nightly", *BEGUN], dropped, (0,)),
    ("backup", ["backup", "{}/copy.db", *BEGUN], enrolled, (0,)),
    ("routes", ["routes", "--format", "json"], None, (0,)),
]


class Scene(faults.Scene):
    """A link or an enrolment is another each time: only that it was printed is compared. What was taken
    before a kill is a duplicate after it."""

    def run(self, *args, **more):
        r = super().run(*args, **more)
        return r._replace(out=re.sub(rb"whsec_[\w+/=]+|[0-9a-zA-Z_-]{20,}", b"X", r.out.replace(
            b"duplicate, ", b"accepted, ")))


faults.Scene = Scene
faults.main([faults.Case(name, [D, *command], prepare, tidy=no_database, good=good,
                         view=with_copy if name == "backup" else rows, stdin="".join(stdin))
             for name, command, prepare, good, *stdin in CASES])
