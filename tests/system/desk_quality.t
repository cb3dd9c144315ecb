#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Complaints that cluster on a model: quality gets one letter for each cluster, which names no customer.
On both databases."""
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.environ.setdefault("SOURCE", os.getcwd()), "tests/lib"))
os.environ.setdefault("BUILD", os.path.join(os.environ["SOURCE"], "build"))
from databases import on_both_databases  # noqa: E402
from exporting import SOURCE, sample  # noqa: E402
from pushing import PushDesk, event_of  # noqa: E402
from smtp_sink import MISSING, Mailbox, Sink  # noqa: E402
from tap import done, ok, same, skip_all  # noqa: E402

if MISSING:
    skip_all(MISSING)
DAY = 86400


def moment(ago):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago * DAY))


def walk(name, database, sql):
    def say(text):
        return "%s: %s" % (name, text)

    mailbox = Mailbox()
    sink = Sink(mailbox)
    desk = PushDesk(database, 'mail { url = "smtp://127.0.0.1:%d" from = "desk@vendor.example" starttls = false\n'
                    '  quality = "quality@vendor.example" }' % sink.port).start()
    sql = sql or desk.rows
    desk.user("add", "ueda@vendor.example", "--name", "Ueda", "--role", "service")
    token = re.search(r"tmd_\S+", desk.user("token", "ueda@vendor.example", "--name", "crm"))[0]
    for i in range(1, 6):
        s = sample()
        s["customer"].update(id="C-%d" % i, name="Secretname %d KK" % i, site="secret-site", host="secret-host")
        s["product"].update(device="secret-device", kind="printer", vendor="Example Works",
                            model="DC-900" if i < 5 else "DC-100", serial="SN-000%d" % i)
        s["consent"] = {p: {"by": "x", "on": "2026-11-01T00:00:00Z"} for p in ("sales", "service")}
        s.update(history=[], recommendations=[])
        assert desk.add_site("C-%d" % i, "secret-site").push(event_of(s)) == ["accepted"]
    with open(SOURCE + "/contrib/schema/samples/claim.json", encoding="utf-8") as f:
        form = json.load(f)
    for key in ("device", "model", "state", "serial"):
        form.pop(key, None)
    number = [0]

    def claim(i, kind="image too light", ago=1.0, **more):
        number[0] += 1
        document = dict(form, via="api", external_id="E-%d" % number[0], customer={"id": "C-%d" % i}, type=kind,
                        claimed_at=moment(ago), **{"serial": "SN-000%d" % i, **more})
        document = {k: v for k, v in document.items() if v is not None}
        status, _, body = desk.ask("POST", "/api/v1/claims", [("Authorization", "Bearer " + token),
                                                             ("Content-Type", "application/json")], json.dumps(document).encode())
        assert status == 201, body
        return json.loads(body)["id"]

    def letters():
        """Those to quality that are in the queue or gone, whether they have arrived or not."""
        return [r[0] for r in sql("SELECT key FROM letters WHERE key LIKE 'claim-cluster/%'")]

    claim(1, ago=100)
    claim(1)
    claim(2, "Image TOO light", ago=2)
    claim(3, "paper jam")
    claim(5)
    same(letters(), [], say("two of a kind on one model, an old one, another kind, another model: nobody is told"))
    ids = [claim(4, ago=3)]
    same(len(letters()), 1, say("the third within 90 days is told"))
    mail = mailbox.wait(1)[0]
    text = mail.get_body().get_content()
    same((mail["To"], mail["Subject"]), ("quality@vendor.example", "3 claims of one kind on DC-900 within 90 days"),
         say("to the address that desk.conf names"))
    ok(ids[0] in text and len(re.findall(r"^K-\d+, ", text, re.M)) == 3 and "/claims?state=all&model=DC-900" in text
       and "ago" not in text, say("with the claims and a link"), text)
    ok("ecret" not in str(mail) and "SN-000" not in str(mail), say("and no customer's name or device"))
    claim(1, ago=0.5)
    claim(2)
    same(len(letters()), 1, say("the fourth and fifth are not told again"))
    claim(3, "paper jam")
    late = claim(4, "paper jam", serial=None, text="no number")
    same(len(letters()), 1, say("two of another kind, and one whose device is not known"))
    status, _, body = desk.ask("POST", "/api/v1/claims/%s/device" % late, [("Authorization", "Bearer " + token), (
        "Content-Type", "application/json")], json.dumps({"serial": "SN-0004"}).encode())
    same((status, len(letters())), (204, 2), say("which a person finds: that makes three of it"))
    sql("UPDATE claims SET claimed_at = claimed_at - %d" % (200 * DAY))
    sql("UPDATE claim_clusters SET last_at = last_at - %d" % (200 * DAY))
    for i in (1, 2):
        claim(i)
    same(len(letters()), 2, say("after a quiet time two are none"))
    claim(3)
    same(len(letters()), 3, say("and the third is a cluster of its own"))
    same(len(mailbox.wait(3)), 3, say("each is one letter"))
    same((desk.stop(), desk.log()), (0, ""), say("the desk ends well"))
    sink.stop()


on_both_databases(walk)
done()
