#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Complaints of a real Tryton become claims at the desk, and what the device said is attached to the
complaint; a CRM that is away stops nothing."""
import base64
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import erp as tryton  # noqa: E402
from exporting import sample  # noqa: E402
from pushing import PushDesk, event_of  # noqa: E402
from tap import done, ok, same, skip_all  # noqa: E402
from waiting import wait_for  # noqa: E402

if not tryton.present():
    skip_all("tryton-server is not installed")
erp = tryton.Erp()
customer = erp.seed["customers"]["C-1001"]


def complain(text, **more):
    return erp.call("model.sale.complaint.create", [dict({
        "customer": customer, "company": 1, "type": erp.seed["complaint_types"]["image-density"],
        "date": tryton.date("2026-11-19"), "description": text}, **more)])[0]


first = complain("Prints are too light. Serial number PX-000815.")
desk = PushDesk(None)
with open(os.path.join(desk.folder, "password"), "w", encoding="utf-8") as f:
    f.write(tryton.USERS["tidemark"] + "\n")
os.chmod(os.path.join(desk.folder, "password"), 0o600)
with open(desk.conf, "a", encoding="utf-8") as f:
    f.write('factory { backend = "tryton" url = "%s" user = "tidemark" password_file = "%s/password" }\n'
            % (erp.url, desk.folder))


def come(sql):
    """Rows, once there are some."""
    return wait_for(lambda: desk.rows(sql), 90, 0.2)


desk.start()
come("SELECT 1 FROM claims")
pusher = desk.add_site("C-1001", "osaka-1")
s = sample()
s["customer"].update(id="C-1001", site="osaka-1", host="gw")
s["product"].update(device="printer-03", kind="printer", vendor="Example Works", model="DC-900", serial="PX-000815")
s["consent"] = {p: {"by": "x", "on": "2026-11-01T00:00:00Z"} for p in ("sales", "service")}
s.update(history=[], recommendations=[])
same(pusher.push(event_of(s)), ["accepted"], "the device reports")
rows = desk.rows("SELECT via, source, external_id, type, text, by_name FROM claims")
same(rows, [("crm", "crm", str(first), "image-density", "Prints are too light. Serial number PX-000815.",
             erp.find("party.party", [["id", "=", customer]], "name")[0]["name"])],
     "a complaint of the CRM is one claim, its id kept")
# The device came later than the complaint: the next complaint finds it by the number in its text.
desk.stop()
second = complain("Again! S/N PX-000815, much too light.")
desk.start()
rows = come("SELECT c.id, d.device FROM claims c JOIN devices d ON d.id = c.device_id")
same(rows, [(2, "printer-03")], "the device is found by the serial number that the text names")
same(desk.rows("SELECT count(*) FROM claims"), [(2,)], "what was taken is not taken twice")

# --- asked, answered, attached ------------------------------------------------------------------------------
link = desk.user("add", "ueda@vendor.example", "--name", "S. Ueda", "--role", "service")
desk.sign_in("/login/" + link.strip().rsplit("/", 1)[1])
token = desk.user("token", "ueda@vendor.example", "--name", "t").split("tmd_")[1].split()[0]
headers = [("Authorization", "Bearer tmd_" + token), ("Content-Type", "application/json")]
status = desk.ask("POST", "/api/v1/claims/K-2/ask", headers, b'{"compare": "device", "items": "density_black"}')[0]
same(status, 204, "service asks the device")
[request] = json.loads(pusher.request("GET")[2])["requests"]
answer = {"schema": "tidemark.item-values/1", "request": request["id"],
          "customer": {"id": "C-1001", "site": "osaka-1", "host": "gw"}, "device": "printer-03",
          "status": "answered", "observed_at": "2026-11-20T00:00:00Z",
          "items": [{"name": "density_black", "value": 1.08, "unit": "optical density", "nature": "measurement",
                     "state": None}]}
same(pusher.push(event_of(answer, "item-values")), ["accepted"], "it answers")
come("SELECT 1 FROM claims WHERE state = 'ready'")
# The CRM is looked at each minute; a start looks at once.
desk.stop()
desk.start()
come("SELECT 1 FROM claims WHERE attached_at IS NOT NULL")
files = erp.find("ir.attachment", [["resource", "=", "sale.complaint,%d" % second]], "name", "data")
same([f["name"] for f in files], ["tidemark-K-2.json"], "the result is attached to the complaint")
values = json.loads(base64.b64decode(files[0]["data"]["base64"])) if files else {"items": []}
same([(i["name"], i["value"]) for i in values["items"]], [("density_black", 1.08)], "... with the values")
same(erp.find("ir.attachment", [["resource", "=", "sale.complaint,%d" % first]], "name"), [],
     "... and to no other one")

same(desk.stop(), 0, "the desk ends when it is told to")
same(desk.log(), "", "and had nothing to complain about")

# --- more than can be attached -------------------------------------------------------------------------------
device = desk.rows("SELECT id FROM devices")[0][0]
items = [{"name": "item_%d" % i, "value": "x" * 200, "nature": None, "state": None}
         for i in range(100)]
for n in range(20):
    request = "R-long-%d" % n
    for i in items:
        i["unit"] = "%s%d" % ("\u5358" * 190, n)
    desk.rows("INSERT INTO requests (request, customer_id, device_id, site, purpose, claim, asked_at, expires_at, status,"
              " document_json) VALUES (?, 'C-1001', ?, 'osaka-1', 'service', 'K-1', 1, 2, 'answered', '{}')",
              request, device)
    desk.rows("INSERT INTO item_values (event, customer_id, request, device_id, arrived_at, status, document_json)"
              " VALUES (?, 'C-1001', ?, ?, 1, 'answered', ?)", "e" + request, request, device,
              json.dumps({"items": items}, ensure_ascii=False))
desk.rows("UPDATE claims SET attach_at = id, attached_at = NULL WHERE id IN (1, 2)")
desk.start()
come("SELECT 1 FROM claims WHERE id = 2 AND attached_at IS NOT NULL")
same((desk.rows("SELECT id, attach_at, attached_at IS NULL FROM claims WHERE id < 3 ORDER BY id"),
      desk.log().count("K-1: not attached to complaint")), ([(1, None, 1), (2, None, 0)], 1),
     "a claim with more than can be attached is told, and in no other's way")

# --- the CRM is away ----------------------------------------------------------------------------------------
desk.stop()
# Those of today come first.
erp.call("model.sale.complaint.create", [{
    "customer": customer, "company": 1, "type": erp.seed["complaint_types"]["image-density"],
    "date": tryton.date("2026-11-20"), "description": "too long " * 1200}] * 100)
third = complain("The last one.")
desk.start()
same([r[0] for r in come("SELECT external_id FROM claims WHERE text = 'The last one.'")], [str(third)],
     "complaints that are no claims are in nobody's way")
same((desk.stop(), desk.log().count("not taken: text: ")), (0, 100), "... and each is told")
erp.stop()
desk.start()
wait_for(lambda: "complaints:" in desk.log())
ok("asked again each 10 min" in desk.log(), "a CRM that is away is said once", desk.log())
same(desk.ask("GET", "/api/v1/claims/K-2", headers)[0], 200, "... and everything else goes on")
desk.stop()
done()
