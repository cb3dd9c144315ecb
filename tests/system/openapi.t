#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The OpenAPI description of the vendor's side is sound, and real exchanges fit it: single events,
batches, polls, answers, refusals."""
import glob
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from exporting import *  # noqa: E402,F403
from tap import done, ok, same, skip_all  # noqa: E402

try:
    import jsonschema
except ImportError:
    skip_all("needs python3-jsonschema")

FOLDER = os.path.join(SOURCE, "contrib/schema")
URL = "file://" + FOLDER + "/openapi.json"
with open(os.path.join(FOLDER, "openapi.json"), encoding="utf-8") as f:
    API = json.load(f)
STORE = {URL: API}
for path in glob.glob(FOLDER + "/*.schema.json"):
    with open(path, encoding="utf-8") as f:
        schema = json.load(f)
    STORE[schema["$id"]] = schema
    STORE["file://" + path] = schema


def faults(schema, value):
    resolver = jsonschema.RefResolver(URL, API, store=STORE)
    checker = jsonschema.Draft202012Validator(schema, resolver=resolver)
    return ["%s: %s" % ("/".join(map(str, e.path)), e.message[:200])
            for e in checker.iter_errors(value)]


def follow(thing):
    """What a reference within the description, or to a file beside it, leads to."""
    if not (isinstance(thing, dict) and "$ref" in thing):
        return thing
    file, _, pointer = thing["$ref"].partition("#")
    root = API if file == "" else STORE["file://" + os.path.join(FOLDER, file)]
    for step in [s for s in pointer.split("/") if s]:
        root = root[step]
    return follow(root)


def walk(thing, where=""):
    yield where, thing
    for key, value in thing.items() if isinstance(thing, dict) else \
            enumerate(thing) if isinstance(thing, list) else ():
        yield from walk(value, "%s/%s" % (where, key))


# --- the description itself ---------------------------------------------------------------------------
ok(re.match(r"3\.1\.\d+$", API["openapi"]) and API["info"]["title"] and API["info"]["version"] and
   API["servers"][0]["url"].startswith("https://"), "it is one of OpenAPI 3.1, with title and version")
lost = []
for where, thing in walk(API):
    if isinstance(thing, dict) and "$ref" in thing:
        try:
            follow(thing)
        except (KeyError, TypeError):
            lost.append(where + ": " + thing["$ref"])
same(lost, [], "every reference leads somewhere")
unsound = []
for where, thing in walk(API):
    if "/examples/" in where:
        continue
    if where.endswith("/schema") or re.match(r"/components/schemas/[^/]+$", where):
        try:
            jsonschema.Draft202012Validator.check_schema(thing)
        except jsonschema.SchemaError as e:
            unsound.append(where + ": " + e.message)
same(unsound, [], "every schema in it is one of 2020-12")
odd, ids = [], []
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
for path, item in API["paths"].items():
    for method, operation in item.items():
        ids.append(operation["operationId"])
        if method not in METHODS or not path.startswith("/") or not operation.get("summary"):
            odd.append("%s %s" % (method, path))
        for code, response in operation["responses"].items():
            if not re.match(r"[1-5](\d\d|XX)$|default$", code) or \
                    not follow(response).get("description"):
                odd.append("%s %s %s" % (method, path, code))
        for parameter in map(follow, operation["parameters"]):
            if parameter["in"] not in ("header", "query", "path", "cookie") or \
                    "schema" not in parameter or parameter["name"].lower() in (
                        "accept", "content-type", "authorization"):
                odd.append("%s %s %s" % (method, path, parameter["name"]))
same((odd, len(ids), len(set(ids))), ([], 2, 2), "paths, operations, parameters and answers are in order")
schemes = {name for need in API["security"] for name in need}
same(schemes - set(API["components"]["securitySchemes"]), set(), "the security that it names is there")
wrong = []
for where, thing in walk(API):
    if isinstance(thing, dict) and "examples" in thing and "schema" in thing:
        for name, example in thing["examples"].items():
            wrong += [where + "/" + name + ": " + f for f in faults(thing["schema"], example["value"])]
same(wrong, [], "its examples fit it")

# --- real exchanges --------------------------------------------------------------------------------------
BASE = "/api/v1"
exchanges = []
receiver = Receiver()


def noted(r, q):
    """Answers as the receiver does, and keeps what went and came."""
    if q.command == "GET":
        results = []
    else:
        fault = r.check(q)
        if fault:
            out = (401, {"Content-Type": "application/json"}, json.dumps({"error": fault}).encode())
            exchanges.append((q.command, q.path, dict(q.headers), q.body, out))
            return out
        results = r.accept(q)
    out = r.reply(q, results)
    exchanges.append((q.command, q.path, dict(q.headers), q.body, out))
    return out


def refusing(status_code, body, **headers):
    def mode(r, q):
        if q.command == "GET":
            return noted(r, q)
        out = (status_code, {"Content-Type": "application/json", **headers}, body)
        exchanges.append((q.command, q.path, dict(q.headers), q.body, out))
        return out
    return mode


def misfits(exchange):
    """What a stranger who has only the description would say of an exchange."""
    method, path, headers, body, (code, answer_headers, answer) = exchange
    headers = {k.lower(): v for k, v in headers.items()}
    operation = API["paths"].get(path[len(BASE):], {}).get(method.lower())
    if operation is None:
        return ["%s %s is not described" % (method, path)]
    found = []
    for parameter in map(follow, operation["parameters"]):
        value = headers.get(parameter["name"])
        if value is None:
            found += ["%s is missing" % parameter["name"]] if parameter.get("required") else []
        else:
            found += faults(parameter["schema"], value)
    if not headers.get("authorization", "").startswith("Bearer "):
        found.append("no bearer token")
    if "requestBody" in operation:
        kind = headers.get("content-type", "").split(";")[0]
        content = operation["requestBody"]["content"].get(kind)
        found += ["content type " + kind] if content is None else \
            faults(content["schema"], json.loads(body))
    elif body:
        found.append("a body that is not described")
    responses = operation["responses"]
    response = follow(responses.get(str(code)) or responses.get("%dXX" % (code // 100)) or {})
    if not response:
        return found + ["status %d is not described" % code]
    if answer:
        content = response["content"][answer_headers["Content-Type"]]
        found += faults(content["schema"], json.loads(answer))
    for name, header in response.get("headers", {}).items():
        if name in answer_headers:
            found += faults(follow(header)["schema"], answer_headers[name])
    return found


receiver.mode = noted
site = Site()


def configure(more=""):
    site.configure(site.webhook(receiver.url, purposes='"sales", "factory", "service", "comparison"',
                                more='poll = "1s" ' + more))


configure()
site.enable("sales", "factory", "service")
site.run("queue", "--now", "-", stdin=json.dumps(sample()) + "\n" + summaries(3, 2))
site.run("push", "--once")
configure("batch = 10")
site.run("queue", "--now", "-", stdin=summaries(4, 20))
receiver.requests = [{"schema": "tidemark.request/1", "id": "R-1", "host": "h", "device": "d",
                      "items": ["pages_total"], "purpose": "comparison",
                      "expires_at": "2099-01-01T00:00:00Z"}]
site.run("push", "--once")
receiver.requests = []
site.run("delete-request", "--by", "Hanako Sato")
time.sleep(1.1)
site.run("push", "--once")
kinds = {json.loads(b)["type"] for b in receiver.records.values()}
same(kinds, {"tidemark.%s.v1" % t for t in ("summary", "history", "item-values", "delete-request")},
     "events of every kind came")
seen = {(e[0], e[2].get("Content-Type", "").split(";")[0]) for e in exchanges}
same(seen, {("POST", "application/cloudevents+json"), ("POST", "application/cloudevents-batch+json"),
            ("GET", "")}, "... alone, in batches, and polls")
configure()
for code, body, headers in ((422, b'{"error":"the device is not known"}', {}),
                            (429, b'{"error":"later"}', {"Retry-After": "1"}), (503, b"{}", {}),
                            (500, b"{}", {}), (403, b"{}", {}), (413, b'{"error":"too large"}', {})):
    receiver.mode = refusing(code, body, **headers)
    site.run("queue", "--now", "-", stdin=summaries(1, code))
    site.run("push", "--once", "--now")
bad = {str(e[:2] + (e[4][0],)): misfits(e) for e in exchanges if misfits(e)}
same(bad, {}, "all %d exchanges fit the description" % len(exchanges))

# --- a description that nobody could fail against would be of no use -------------------------------------
posted = next(e for e in exchanges if e[0] == "POST" and e[4][0] == 200)
event = json.loads(posted[3])
broken = {
    "another path": (posted[0], "/api/v1/event", *posted[2:]),
    "no signature": (*posted[:2], {k: v for k, v in posted[2].items() if k != "webhook-signature"},
                     *posted[3:]),
    "another type": (*posted[:3], json.dumps(dict(event, type="tidemark.other.v1")).encode(), posted[4]),
    "a field that is none": (*posted[:3], json.dumps(dict(event, data=dict(
        event["data"], surprise=1))).encode(), posted[4]),
    "a receipt without results": (*posted[:4], (200, posted[4][1], b"{}")),
    "a status that is none": (*posted[:4], (700, {}, b""))}
same([name for name, e in broken.items() if not misfits(e)], [], "what is not described is noticed")
same(receiver.problems, [], "the receiver has nothing to complain about")
receiver.close()
done()
