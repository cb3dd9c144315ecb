#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What programs ask of the desk: every route stands in its description, real answers fit it, and the
pages show the same."""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import api  # noqa: E402
from desk import BUILD  # noqa: E402
from selling import SalesDesk, day, summary  # noqa: E402
from tap import done, ok, same, skip_all  # noqa: E402

if api.MISSING:
    skip_all(api.MISSING)
check = api.Api()
API, SITES = check.document, api.load("openapi.json")
FACTORY = api.load("factory-openapi.json")  # whose answers desk_factory.t holds against it
METHODS = {"get", "post", "put", "patch", "delete"}


def walk(thing, where=""):
    yield where, thing
    for key, value in thing.items() if isinstance(thing, dict) else \
            enumerate(thing) if isinstance(thing, list) else ():
        yield from walk(value, "%s/%s" % (where, key))


# --- the description ------------------------------------------------------------------------------------
routes = [r for r in json.loads(subprocess.run([BUILD + "/tidemark-desk", "routes", "--format", "json"],
                                               stdout=subprocess.PIPE, check=True).stdout)
          if r["pattern"].startswith("/api/v1/")]
served = {(r["method"].lower(), r["pattern"][len("/api/v1"):]): r for r in routes}
told = {(m, p): o for api in (API, SITES, FACTORY) for p, item in api["paths"].items() for m, o in item.items()
        if m in METHODS}
same(sorted(set(served) - set(told)), [], "every route for programs stands in an OpenAPI file")
same(sorted(set(told) - set(served)), [], "and everything that stands there is served")
wrong = [k for k, o in told.items() if "x-roles" in o and k in served and o["x-roles"] != served[k]["roles"]]
same(wrong, [], "with the roles that may use it")
lost = []
for where, thing in walk(API):
    if isinstance(thing, dict) and "$ref" in thing:
        try:
            check.follow(thing)
        except (KeyError, TypeError):
            lost.append(where)
same(lost, [], "every reference leads somewhere")
for name, schema in API["components"]["schemas"].items():
    api.jsonschema.Draft202012Validator.check_schema(schema)
ids = [o["operationId"] for item in API["paths"].values() for o in item.values()]
same(len(ids), len(set(ids)), "every operation has an id of its own")
missing = [p for p, item in API["paths"].items() for o in item.values()
           if sorted(re.findall(r"\{(\w+)\}", p)) !=
           sorted(n["name"] for n in map(check.follow, o["parameters"]) if n["in"] == "path")]
same(missing, [], "every part of a path is a parameter")

# --- real answers ----------------------------------------------------------------------------------------
desk = SalesDesk().start().furnish()
site, other = desk.site(), desk.site("C-2002", "kobe-1")
desk.run("site", "add", "C-3003", "tokyo-1")
desk.push(site, summary(), summary("array-02", None, used=10e12), summary("array-03", (80, 100, 130)))
bare = summary("array-09", None)
del bare["product"]["serial"], bare["product"]["sold_on"]
bare["history"] = []
desk.push(other, bare, summary("array-07"))
desk.items(3)
token = desk.user("token", "sales@vendor.example").strip().splitlines()[-1]
check.desk = desk
check.sign_in(token)
ask, asked, problems = check.ask, check.asked, check.problems
same(ask("POST", "/items/1/comments", {"text": "two\nlines", "to_customer": True})[0], 204, "a comment is posted as JSON")
same(ask("POST", "/items/1/contacts", {"way": "visit", "with_whom": "H. Sato"})[0], 204, "so is a contact")
same(ask("POST", "/items/1/feedback", {"text": "too large"})[0], 204, "so is that advice is wrong")
same(ask("POST", "/items/1/owner", {"staff": "tanabe"})[0], 204, "so is who looks after it")
status, quote, _ = ask("POST", "/items/1/quotes", {
    "lines": [{"sku": "SHELF-40T", "quantity": 3, "price": "0.10"},
              {"sku": "FW", "quantity": 1, "price": {"amount": "7", "currency": "EUR"}}],
    "currency": "EUR", "valid_until": day(10), "remarks": None})
same((status, quote["total"]["amount"]), (201, "7.30"), "a quote is made, and adds up")
same(ask("POST", "/quotes/%s/send" % quote["number"], {"to": "sato@minato.example"})[:2],
     (422, {"error": "this desk sends no mail: desk.conf names no server", "field": "to"}), "what cannot be is told with its field")
item = ask("GET", "/items/1")[1]["item"]
same((item["state"], item["owner"]), ("proposed", "tanabe"), "all of it is seen")
same(ask("POST", "/items/1/state", {"to": "contacted", "version": 1})[0], 409, "who did not see the newest state is told")
same(ask("POST", "/items/1/state", {"to": "agreed"})[1]["field"], "who", "agreed needs who")
same(ask("POST", "/items/1/state", {"to": "agreed", "who": "H. Sato", "on": day(0), "version": item["version"]})[0], 204,
     "with who and when it passes")
for wrong_body in ({"to": "agreed", "who": "x", "on": "tomorrow"}, {"to": "nonsense"}, {}):
    same(ask("POST", "/items/2/state", wrong_body)[0], 422, "%s is refused" % json.dumps(wrong_body))
for body in ({"lines": [], "currency": "JPY"}, {"lines": [{"sku": "A", "quantity": 0, "price": "1"}], "currency": "JPY"},
             {"lines": [{"sku": "A", "quantity": 1, "price": "-1"}], "currency": "JPY"},
             {"lines": [{"sku": "A", "quantity": 1, "price": "1"}], "currency": "yen"},
             {"lines": ["A"], "currency": "JPY"},
             {"lines": [{"sku": "A", "quantity": 1, "price": "1"}], "currency": "JPY", "valid_until": day(-2)}):
    same(ask("POST", "/items/2/quotes", body)[0], 422, "a quote of %s is refused" % json.dumps(body)[:60])
for path in ("/items", "/items?owner=all&limit=1", "/items?state=agreed", "/items?state=closed", "/items/2", "/items/1/comments",
             "/items/1/quotes", "/quotes", "/quotes/" + quote["number"], "/devices", "/devices?q=array-09", "/devices/1",
             "/devices/2", "/devices/4", "/devices/1/series", "/devices/1/history", "/devices/1/history?after=" + day(-90),
             "/devices/4/history", "/customers", "/customers?q=minato&region=Kansai", "/customers?owner=mine",
             "/customers/C-1001", "/customers/C-2002", "/customers/C-3003", "/sites", "/sites?silent=never", "/sites?silent=24h",
             "/quality", "/products", "/products/DS-200", "/tasks", "/documents/1", "/items.csv"):
    status, document, head = ask("GET", path)
    if status != 200:
        ok(False, "%s is answered" % path, status)
same(problems, [], "every answer fits the description")
for path in ("/items/999", "/devices/x", "/quotes/Q-0", "/customers/C-9999", "/documents/77", "/items/999/comments"):
    same(ask("GET", path)[0], 404, "%s is 404" % path)
for path in ("/items?limit=0", "/items?after=x", "/devices?after=-1", "/sites?silent=5d", "/customers?limit=1000",
             "/devices/1/history?after=x"):
    same(ask("GET", path)[0], 422, "%s is 422" % path)
# Claims, tasks and own data: desk_api_claims.t; inquiries and answers: desk_factory.t.
OURS = r"/(items|devices|documents|quotes|customers|sites|quality|products)\b(?!.*/(inquiry|answer)$)"
rest = [k for k in told if k[1] in API["paths"] and k not in asked and re.match(OURS, k[1])]
same(rest, [], "every operation of these rooms was tried")

# --- paging, and what did not change --------------------------------------------------------------------
for path, member, key in (("/items?owner=all", "items", "id"), ("/devices?", "devices", "id"), ("/customers?", "customers", "id"),
                          ("/sites?", "sites", "site")):
    whole = [row[key] for row in ask("GET", path)[1][member]]
    pages, after = [], ""
    for _ in range(20):
        page = ask("GET", "%s&limit=1&after=%s" % (path, after))[1]
        pages += [row[key] for row in page[member]]
        after = page["next"]
        if not after:
            break
    same(pages, whole, "%s a row at a time is the same list" % path)
    ok(len(whole) > 1, "... which has several rows", whole)
for path in ("/items", "/customers/C-1001", "/quotes/" + quote["number"]):
    etag = ask("GET", path)[2]["etag"]
    same(ask("GET", path, None, ("If-None-Match", etag))[0], 304, "%s: what did not change is not sent again" % path)

# --- pages show the same --------------------------------------------------------------------------------
page = desk.get("sales", "/customers/C-1001")[1]
view = ask("GET", "/customers/C-1001")[1]
ok(all("/devices/%d" % d["id"] in page for d in view["devices"]) and
   all("/items/%d" % i["id"] in page for i in view["items"]) and "sato@minato.example" in page and
   view["sites"][0]["consent"][0]["by"] == "Hanako Sato" and "Hanako Sato" in page,
   "the page of a customer shows what the API says")
table = ask("GET", "/items.csv")[1]
same([line.split(",")[0] for line in table.split("\r\n")[1:-1]],
     [str(i["id"]) for i in ask("GET", "/items?owner=mine")[1]["items"]], "the table for spreadsheets has the items that are mine")
quality = ask("GET", "/quality")[1]
same([(r["action"], r["wrong"]) for r in quality["rules"]], [("grow", 1)], "wrong advice is counted by rule")
same([(m["model"], m["devices"], m["mase"]) for m in quality["models"]], [("theil-sen", 3, 0.71)],
     "and forecasts are scored by model, as sites tell")
same(desk.stop(), 0, "the desk ends well")
same(desk.log(), "", "and had nothing to complain about")
done()
