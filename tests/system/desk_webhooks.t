#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Each change of an item is told to the vendor's own systems: signed, once, in order, tried again."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from exporting import sign  # noqa: E402
from selling import SalesDesk, summary, wait_for  # noqa: E402
from tap import done, ok, same  # noqa: E402
from web_server import Server  # noqa: E402

status = {"now": 200}
receiver = Server(lambda request: (status["now"], {}, b""))
desk = SalesDesk().start().furnish()
site = desk.site()


def messages(path="/crm"):
    return [(headers, body) for _, where, headers, body in receiver.log if where == path]


def changes(item=None, path="/crm"):
    """"what from to" of each message as it came."""
    found = [json.loads(body)["data"] for _, body in messages(path)]
    return ["%(what)s %(from)s %(to)s" % d["change"] for d in found if item in (None, d["item"]["id"])]


# --- which there are -------------------------------------------------------------------------------
url = "http://127.0.0.1:%d" % receiver.port
p = desk.run("webhook", "add", "crm", url + "/crm")
secret = p.stdout.strip()
same((p.returncode, secret.startswith("whsec_")), (0, True), "a webhook is added and its secret told, once")
same(desk.run("webhook", "add", "crm", url + "/other").returncode, 65, "a name is there once")
for bad in ("http://crm.example.com/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "https://u:p@crm.example.com/",
            "http://169.254.169.254/latest", "nonsense"):
    p = desk.run("webhook", "add", "bad", bad)
    ok(p.returncode == 65 and p.stderr, "%s is refused" % bad, p.stderr)
same(desk.run("webhook", "sing").returncode, 64, "an action that is none is refused")
same(desk.run("webhook", "stop", "nobody").returncode, 66, "so is one that is not there")
ok(secret not in desk.run("webhook", "list").stdout, "the list shows no secret")
for method, path in (("POST", "/api/v1/webhooks"), ("POST", "/webhooks")):
    same(desk.post("admin", path)[0], 404,
         "nobody adds one at %s" % path)

# --- one message for each change -----------------------------------------------------------------------
desk.push(site, summary())
desk.items(1)
same((bool(wait_for(messages)), changes()), (True, ["advice None new"]), "a new item is told")
headers, body = messages()[0]
h = {k.lower(): v for k, v in headers.items()}
same(h["webhook-signature"], sign(h["webhook-id"], h["webhook-timestamp"], body, secret[len("whsec_"):]),
     "signed with the secret")
ok(abs(int(h["webhook-timestamp"]) - time.time()) < 60, "at the time of sending", h)
message = json.loads(body)
same((message["type"], message["id"], h["content-type"]),
     ("tidemark.item.v1", h["webhook-id"], "application/json"), "it says what it is")
item = message["data"]["item"]
shown = desk.api("sales", "/items")["items"][0]
same([item[k] for k in ("id", "key", "state", "customer", "customer_id", "device", "owner", "version", "price")],
     [shown[k] for k in ("id", "key", "state", "customer", "customer_id", "device", "owner", "version", "price")],
     "the item is told as the API shows it")
ok([line["sku"] for line in item["lines"]] == ["SHELF-20T", "SHELF-40T"] and item["open"] is True, "with its lines", item)
desk.post("sales", "/items/1/state", {"to": "contacted"})
desk.post("sales", "/items/1/owner", {"staff": "tanabe"})
desk.post("sales", "/items/1/state", {"to": "agreed", "who": "H. Sato", "on": "2026-01-02"})
ok(wait_for(lambda: len(messages()) == 4), "each change is one message", changes())
same(changes(), ["advice None new", "state new contacted", "owner None None", "state contacted agreed"],
     "in their order")
same(json.loads(messages()[-1][1])["data"]["change"]["by"], "K. Mori", "with who did it")
desk.push(site, summary(used=82e12, at=60))
ok(wait_for(lambda: changes()[4:] == ["advice agreed agreed"]), "other figures of the same need are told too",
   changes())

# --- a receiver that fails ------------------------------------------------------------------------------
status["now"] = 503
before = len(messages())
desk.post("sales", "/items/1/state", {"to": "ordered"})
desk.post("sales", "/items/1/state", {"to": "delivered"})
ok(wait_for(lambda: len(messages()) > before), "a failing one is asked")
failed_id = {k.lower(): v for k, v in messages()[-1][0].items()}["webhook-id"]
listed = wait_for(lambda: "503" in desk.run("webhook", "list").stdout)
ok(listed and "2 waiting" in desk.run("webhook", "list").stdout, "what failed is shown, and how much waits",
   desk.run("webhook", "list").stdout)
time.sleep(2)
same(len(messages()), before + 1, "it is left alone for a while, and nothing newer of the item passes")
status["now"] = 200
ok(wait_for(lambda: len(messages()) == before + 3), "then it gets both", changes())
same(changes()[before:], ["state agreed ordered"] * 2 + ["state ordered delivered"], "the older one first")
same({k.lower(): v for k, v in messages()[before + 1][0].items()}["webhook-id"], failed_id,
     "under the same id as before")
ok(wait_for(lambda: "0 waiting" in desk.run("webhook", "list").stdout) and
   "503" not in desk.run("webhook", "list").stdout, "and the trouble is over", desk.run("webhook", "list").stdout)
ok("webhook crm: waits: http://127.0.0.1" in desk.log() and "takes messages again" in desk.log(),
   "the log says so once", desk.log())
same(desk.log().count("waits:"), 1, "... and once only")

# --- a desk that is killed ------------------------------------------------------------------------------
status["now"] = 500
before = len(messages())
desk.post("sales", "/items/1/feedback", {"text": "too many"})
wait_for(lambda: len(messages()) > before)
desk.kill()
status["now"] = 200
desk.rows("UPDATE webhook_queue SET due_at = 0")
desk.start()
ok(wait_for(lambda: len(messages()) >= before + 2), "a kill -9 loses no message", changes())

# --- the end of one ------------------------------------------------------------------------------------
desk.run("webhook", "add", "second", url + "/second")
status["now"] = 410
desk.post("sales", "/items/1/comments", {"text": "only talk"})
desk.post("sales", "/items/1/owner", {"staff": "mori"})
ok(wait_for(lambda: desk.run("webhook", "list").stdout.count("stopped") == 2), "an answer of 410 stops a webhook",
   desk.run("webhook", "list").stdout)
before = len(receiver.log)
status["now"] = 200
desk.post("sales", "/items/1/owner", {"staff": "tanabe"})
time.sleep(2)
same(len(receiver.log), before, "and nothing goes there any more")
same((desk.run("webhook", "stop", "crm").returncode, desk.run("webhook", "add", "crm", url + "/crm").returncode), (0, 0),
     "its name can be taken again")
p = desk.run("webhook", "add", "third", url + "/third")
same(desk.run("webhook", "stop", "third").stdout, "third: stopped\n", "one is stopped by hand")
same(desk.run("webhook", "add", "third", url + "/third").returncode, 0, "and may be added anew")
same(desk.stop(), 0, "the desk ends well")
done()
