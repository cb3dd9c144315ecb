#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What programs ask of claims, tasks and a customer's own data: real answers fit the description, which
says of each member what it is."""
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.environ.setdefault("SOURCE", os.getcwd()), "tests/lib"))
os.environ.setdefault("BUILD", os.path.join(os.environ["SOURCE"], "build"))
import api  # noqa: E402
from pushing import event_of  # noqa: E402
from selling import SalesDesk, day, sample, summary, wait_for  # noqa: E402
from tap import done, ok, same, skip_all  # noqa: E402

if api.MISSING:
    skip_all(api.MISSING)
desk = SalesDesk().start().furnish()
check = api.Api(desk)
tokens = {}


def ask(who, method, path, body=None):
    if who not in tokens:
        login = who if "@" in who else who + "@vendor.example"
        tokens[who] = desk.user("token", login).strip().splitlines()[-1]
    check.sign_in(tokens[who])
    return check.ask(method, path, body)[:2]


# --- devices of one model, whose owners agreed to more or less ------------------------------------------
pushers = {}
for i in range(1, 9):
    s = sample()
    s["customer"].update(id="C-%d" % i, name="Peer %d KK" % i, site="site-1", host="host-1")
    s["product"].update(device="printer-1", kind="printer", vendor="Example Works", model="DC-900", serial="SN-000%d" % i)
    s["consent"] = {p: {"by": "x", "on": "2026-11-01T00:00:00Z"} for p in ["sales", "service"] + ["comparison"] * (i != 7)}
    s.update(history=[{"date": day(-n), "transfers_max": 100 + n, "transfers_mean": 50, "covered": 1} for n in range(1, 30)],
             recommendations=[])
    pushers[i] = desk.add_site("C-%d" % i, "site-1")
    same(pushers[i].push(event_of(s)), ["accepted"], "site %d reports" % i)
claim = api.load("samples/claim.json")
for key in ("device", "model", "state"):
    claim.pop(key, None)
claim.update(external_id="E-1", customer={"id": "C-1"}, serial="SN-0001", type="image too light", via="api")
same([ask("service", "POST", "/claims", claim)[0] for _ in range(2)], [201, 200], "a claim is taken, once")
same(ask("service", "POST", "/claims", dict(claim, external_id="E-2", serial="SN-404", customer={"id": "C-404"}))[1]["device"], None,
     "one of a device that nobody knows, too")
same(ask("service", "POST", "/claims", {"type": ""})[0], 422, "what is none is refused")
ask("service", "GET", "/claims/K-1")
ask("service", "GET", "/claims/K-2")
same(ask("service", "POST", "/claims/K-1/ask", {"items": "density_black exposure density_auto pages_total", "compare": "both"})[0], 204,
     "its items are asked for")
ask("service", "GET", "/claims/K-1")
for i in range(1, 9):
    for request in json.loads(pushers[i].request("GET")[2]).get("requests", []):
        items = [("density_black", 1.0 + i / 100, "optical density", "measurement"), ("exposure", i % 2, "steps", "setting"),
                 ("density_auto", "on" if i % 3 else "off", None, "setting"), ("pages_total", None, "pages", "counter")]
        answer = {"schema": "tidemark.item-values/1", "request": request["id"],
                  "customer": {"id": "C-%d" % i, "site": "site-1", "host": request["host"]}, "device": request["device"],
                  "model": "DC-900", "status": "answered", "observed_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                  "items": [dict(zip(("name", "value", "unit", "nature"), x), state=None if x[1] is not None else "not-offered")
                            for x in items]}
        if i == 6:
            answer = {k: answer[k] for k in ("schema", "request", "customer", "device")}
            answer.update(status="refused", reason="consent")
        same(pushers[i].push(event_of(answer, "item-values")), ["accepted"], "site %d answers" % i)
ok(wait_for(lambda: ask("service", "GET", "/claims/K-1")[1]["claim"]["state"] == "ready"), "the claim is ready")
same(ask("sales", "POST", "/claims/K-1/comments", {"text": "Seen."})[0], 204, "a comment is posted")
same(ask("service", "POST", "/claims/K-2/device", {"serial": "SN-0002"})[0], 204, "a device is said")
same(ask("service", "POST", "/claims/K-2/device", {"serial": "SN-999"})[0], 422, "one that is none is refused")
same(ask("service", "POST", "/claims/K-1/state", {"to": "answered", "text": "Set it back."})[0], 204, "it is answered")
same(ask("service", "POST", "/claims/K-1/state", {"to": "collecting"})[0], 422, "nobody makes it collect by hand")
same(ask("sales", "POST", "/claims/K-1/state", {"to": "closed"})[0], 403, "sales closes nothing")
for path in ("/claims", "/claims?limit=1", "/claims?state=all&model=DC-900", "/claims?state=answered", "/claims/K-1", "/claims/K-2"):
    same(ask("engineer", "GET", path)[0], 200, "GET " + path)
same(ask("service", "GET", "/claims/K-99")[0], 404, "an absent claim")
kinds = ask("service", "GET", "/claim-types")[1]["types"]
same(ask("service", "POST", "/claim-types", {"type": "noise", "items": "pages_total", "hints": "loud", "version": "0"})[0], 204,
     "a kind of claim is added")
same(ask("service", "POST", "/claim-types", {"type": "noise", "items": "x", "hints": "", "version": "0"})[0], 409, "not twice")
same(len(ask("service", "GET", "/claim-types")[1]["types"]), len(kinds) + 1, "and is there")

# --- a customer's own data, and tasks of it --------------------------------------------------------------
desk.push(desk.site(), summary(), summary("array-02"))
desk.items(2)
desk.user("add", "sato@minato.example", "--name", "Hanako Sato", "--role", "customer", "--customer", "C-1001")
me = ask("sato@minato.example", "GET", "/me")[1]
items = sorted(i["id"] for i in me["items"])
for item, body in ((items[0], {"answer": "later", "until": day(30)}), (items[1], {"answer": "elsewhere", "reason": "cheaper"})):
    same(ask("sato@minato.example", "POST", "/items/%d/answer" % item, body)[0], 204, "advice is answered: " + body["answer"])
same(ask("sato@minato.example", "POST", "/items/%d/answer" % items[0], {"answer": "maybe"})[0], 422, "but not anyhow")
same(ask("sato@minato.example", "PATCH", "/me", {"version": me["customer"]["version"], "phone": "+81 6 0000 0199"})[0], 200,
     "registered data are changed")
same(ask("sato@minato.example", "PATCH", "/me", {"version": me["customer"]["version"], "phone": "+81 6 0000 0111"})[0], 409,
     "and not twice at once")
same(ask("sato@minato.example", "PATCH", "/me", {"version": 2, "email": "none"})[0], 422, "nor anyhow")
same(ask("sato@minato.example", "GET", "/me")[0], 200, "what became of it")
lines = ask("sato@minato.example", "GET", "/me/export")[1].splitlines()
schema = check.document["components"]["schemas"]["export-line"]
wrong = [f for line in lines for f in check.faults(schema, json.loads(line))]
same((wrong, {json.loads(line)["kind"] for line in lines} >= {"customer", "site", "device", "document", "change"}), ([], True),
     "each line of the export is as it is described")
form = "name=T.+Ito&email=ito%40example.com&kind=quote&text=Please.&product=DS-200"
page = desk.ask("GET", "/products/DS-200")[2].decode()
fields = dict(re.findall(r'<input[^>]*type="hidden"[^>]*name="(\w+)"[^>]*value="([^"]*)"', page))
time.sleep(3.1)  # who is faster is no person
status, _, said = desk.ask("POST", "/products/DS-200/contact", [("Content-Type", "application/x-www-form-urlencoded")],
                           "&".join([form] + ["%s=%s" % f for f in fields.items()]).encode())
same(status, 303, "a stranger asks for a quote") or ok(False, said)
tasks = ask("admin", "GET", "/tasks?whose=all")[1]["tasks"]
ok(len(tasks) >= 3, "there are tasks of contacts, answers and changes", tasks)
for task in tasks:
    same(ask("sales", "GET", "/tasks/%d" % task["id"])[0], 200, "task %d" % task["id"])
same(ask("sales", "GET", "/tasks/999")[0], 404, "an absent task")

same(check.problems, [], "every answer fits the description")
OURS = r"/(claims|claim-types|me|tasks)\b|/items/\{id\}/answer$"
rest = [(m, p) for p, one in check.document["paths"].items() for m in one if re.match(OURS, p) and (m, p) not in check.asked]
same(rest, [], "every operation of these rooms was tried")
vague = [(m, p) for p, one in check.document["paths"].items() if re.match(OURS, p) for m, o in one.items()
         for code, r in o["responses"].items() for c in check.follow(r).get("content", {}).items()
         if c[0] == "application/json" and not set(check.follow(c[1]["schema"])) & {"properties", "items", "oneOf"}]
same(vague, [], "and none is described as any object")
same((desk.stop(), desk.log()), (0, ""), "the desk ends well")
done()
