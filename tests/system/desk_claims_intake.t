#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Complaints come to the desk by each way, as one record each: the device is found, the type tells what would be
asked for, and the one in charge hears of it."""
import email.message
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from claiming import LIGHT, SAID, ClaimsDesk, claim_document, printer  # noqa: E402
from pushing import event_of  # noqa: E402
from smtp_sink import MISSING, Mailbox, Sink  # noqa: E402
from tap import done, ok, same, skip_all  # noqa: E402

if MISSING:
    skip_all(MISSING)
mailbox = Mailbox()
sink = Sink(mailbox)
desk = ClaimsDesk(sink).start().furnish()
page, ask, post, api = desk.page, desk.look, desk.post, desk.api
desk.add_peers()
same(desk.add_site("C-9", "tokyo-1").push(event_of(printer("C-9", "tokyo-1", "testhost", "printer-03", "SIMULATED",
                                                           ["sales", "service"]))), ["accepted"], "the copier reports")

# --- four ways in ------------------------------------------------------------------------------------------
status, where, _ = post("/claims", **SAID)
same((status, where), (303, "/claims/K-1"), "a claim is taken by the form")
claim = claim_document()
same(api("POST", "/api/v1/claims", dict(claim, via="api")),
     (201, {"id": "K-2", "status": "accepted", "external_id": "COMP-7", "device": "printer-03",
            "owner": "ito", "state": "open"}), "a claim is taken by the API")
same(api("POST", "/api/v1/claims", dict(claim, via="api"))[1]["status"], "duplicate",
     "the same external id again is the same claim")
box = os.path.join(desk.folder, "claims")
os.mkdir(box)
for name, changes in (("a", {}), ("b", {"type": None}), ("c", {"external_id": "COMP-8", "serial": "NONE-1"})):
    with open(os.path.join(box, name + ".json"), "w", encoding="utf-8") as f:
        json.dump(dict(claim, via="mail", **changes), f)
p = desk.run("claims", box)
same((p.returncode, p.stdout.count(": accepted, K-"), "b.json: refused: type" in p.stderr), (65, 2, True),
     "claims are taken as files, and one that is none is refused by its field")
same(sorted(os.listdir(box + "/taken") + os.listdir(box + "/refused")), ["a.json", "b.json", "c.json"],
     "... each put where it belongs")
mail = email.message.EmailMessage()
mail["Subject"], mail["From"], mail["To"] = "A complaint", "aoki@aozora.example", "claims@vendor.example"
mail.set_content("See the attachment.\n")
mail.add_attachment(json.dumps(dict(claim, via="mail", external_id="COMP-9")).encode(), "application", "json",
                    filename="claim.json")
p = desk.run("claims", "-", stdin=mail.as_string())
same((p.returncode, p.stdout), (0, "claim.json: accepted, K-5\n"), "a claim is taken by mail")
FIELDS = ("external_id, type, text, by_name, device_id, customer_id, compare, state, model, vendor")
rows = dict((r[0], r[1:]) for r in desk.rows("SELECT via || ' ' || source, %s FROM claims WHERE id IN (1, 2, 3)"
                                             % FIELDS))
same(list(rows), ["form form", "api api/2", "mail mail"], "by each way: one record each")
same(len(set(rows.values())), 1, "... with the same fields")
same(rows["form form"][0], "COMP-7", "the external id is kept")
device = desk.rows("SELECT id FROM devices WHERE serial = 'SIMULATED'")[0][0]
same(rows["form form"][4], device, "the device is found by its serial number")
same(desk.rows("SELECT device_id FROM claims WHERE id = 4"), [(None,)],
     "a serial number that nobody has finds none, whatever the customer")
same(post("/claims", **dict(SAID, type=""))[0], 422, "a form without a type comes back")
ok('<p class="error-text" id="f-type-err">' in post("/claims", **dict(SAID, type=""))[2]
   and "too light since" in post("/claims", **dict(SAID, type=""))[2], "... as it was typed, with the fault")
same(api("POST", "/api/v1/claims", dict(claim, surprise=1))[0], 422, "a document that is none is refused")

# --- which items ---------------------------------------------------------------------------------------------
same(ask("/api/v1/claims/K-1")[1]["would_ask"],
     {"type": "image too light", "version": 1, "how": "type", "items": LIGHT, "models": 7, "peers": 5},
     "'image too light' gives density, exposure, automatic adjustment and drum charge")
api("POST", "/api/v1/claims", dict(claim, external_id="X-1", type="something else\nBcc: evil@example.com",
                                    text="It smells.\n.\nMAIL FROM:<evil@example.com>", by="<script>alert(1)</script>"))
api("POST", "/api/v1/claims", dict(claim, external_id="X-2", type="complaint", text="All is FAINT, sorry."))
would = [ask("/api/v1/claims/K-%d" % i)[1]["would_ask"] for i in (6, 7)]
same((would[0]["how"], would[0]["items"][0], "density_black" in would[0]["items"]), ("common", "pages_total", False),
     "an unknown type gives the common set")
same((would[1]["how"], would[1]["type"]), ("hint", "image too light"), "a free text hints at its type")
shown = page("/claims/K-1")[1]
ok("What would be asked" in shown and "drum_charge" in shown and "5 others of its model" in shown
   and desk.rows("SELECT count(*) FROM requests") == [(0,)], "the list is shown before anything is asked")
same(post("/claim-types", type="image too light", version="1", items=" ".join(LIGHT + ["resolution"]),
          hints="too light, faint")[0], 303, "the list is edited")
same(post("/claim-types", type="image too light", version="1", items="x", hints="")[0], 409,
     "two edits at once are told apart")
would = ask("/api/v1/claims/K-1")[1]["would_ask"]
same((would["version"], would["items"]), (2, LIGHT + ["resolution"]), "... and is a new version")
same([post("/claim-types", type="noise", version=v, items=i, hints="")[0]
      for v, i in (("0", "pages_total"), ("0", "pages_total"), ("1", ""), ("0", "pages_total"))], [303, 409, 303, 303],
     "a type is added, taken away and added again")
same([post("/claim-types", who=w, type="x", items="a", hints="")[0] for w in (desk.sales, desk.factory)], [403, 403],
     "only service keeps it")

# --- who hears of it -----------------------------------------------------------------------------------------
came = mailbox.wait(6)
same((mailbox.recipients, {m["Subject"][:10] for m in came}), ([["ito@vendor.example"]] * 6, {"New claim "}),
     "of each claim that nobody typed the one in charge hears")
ok(not any(m["Bcc"] for m in came) and any("MAIL FROM:<evil" in m.get_body().get_content() for m in came)
   and "<script>alert" not in page("/claims/K-6")[1] and "&lt;script&gt;" in page("/claims/K-6")[1],
   "what a claim says becomes no header, no command and no tag")

# --- which device it is, by hand; often the same ---------------------------------------------------------------
same(post("/claims/K-4/device", serial="NOBODY")[0], 422, "an unknown serial number is told")
same(post("/claims/K-4/device", customer="C-9", device="printer-03")[0], 303, "a person says which device it is")
same(ask("/api/v1/claims/K-4")[1]["claim"]["device"], "printer-03", "... and it is that one")
ok("This complaint comes often" in page("/claims/K-1")[1], "a model's claims that cluster are told to quality")
same([c["id_text"] for c in ask("/api/v1/claims?q=comp-9")[1]["claims"]], ["K-5"], "the list is filtered by words")
same(page("/claims/K-99")[0], 404, "a claim that is not there is not there")

# --- letters that are not ASCII ----------------------------------------------------------------------------------
WATER = "x" + "\u6c34" * 199
said = [post("/claims/K-1/ask", items=WATER), post("/claims/K-1/state", to=WATER),
        post("/claim-types", type="water", version="0", items=WATER, hints="")]
same([(s[0], "x\u6c34\u6c34" in s[2]) for s in said], [(422, True)] * 3, "what is wrong is told with its own letters")
same(api("POST", "/api/v1/claims/K-1/ask", {"items": WATER}),
     (422, {"error": "x" + "\u6c34" * 21 + ": not the name of a data item", "field": "items"}), "also to a program")
kind = api("POST", "/api/v1/claims", dict(claim, external_id="X-3", type=WATER))[1]["id"]
same(api("POST", "/api/v1/claims/%s/ask" % kind, {"items": "pages_total"})[0], 204, "a claim of a long kind is asked for, too")
same(desk.rows("SELECT document_json FROM requests WHERE claim = ? AND purpose = 'service'", kind)[0][0].count(WATER), 1,
     "... and the site's administrator reads it whole")
same((desk.stop(), desk.log()), (0, ""), "the desk ends when it is told to, and had nothing to complain about")
done()
