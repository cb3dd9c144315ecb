# SPDX-License-Identifier: MIT
"""What a program asks of a desk, and every answer held against an OpenAPI description."""
import glob
import json
import os
import re

from desk import SOURCE

try:
    import jsonschema
except ImportError:
    MISSING = "python3-jsonschema is not installed"
else:
    MISSING = None
FOLDER = os.path.join(SOURCE, "contrib/schema")


def load(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as f:
        return json.load(f)


class Api:
    """`description` is a file of contrib/schema. .asked are the operations that were tried, .problems
    what did not fit it."""

    def __init__(self, desk=None, description="desk-openapi.json"):
        self.desk, self.asked, self.problems = desk, set(), []
        self.url = "file://" + os.path.join(FOLDER, description)
        self.document = load(description)
        self.store = {self.url: self.document}
        for path in glob.glob(FOLDER + "/*.schema.json"):
            schema = load(os.path.basename(path))
            self.store[schema["$id"]] = self.store["file://" + path] = schema
        self.bearer = []

    def sign_in(self, token):
        self.bearer = [("Authorization", "Bearer " + token)]

    def faults(self, schema, value):
        resolver = jsonschema.RefResolver(self.url, self.document, store=self.store)
        checker = jsonschema.Draft202012Validator(schema, resolver=resolver)
        return ["%s: %s" % ("/".join(map(str, e.path)), e.message[:200]) for e in checker.iter_errors(value)]

    def follow(self, thing):
        if not (isinstance(thing, dict) and "$ref" in thing):
            return thing
        if not thing["$ref"].startswith("#"):
            return load(thing["$ref"])
        root = self.document
        for step in thing["$ref"].split("/")[1:]:
            root = root[step]
        return self.follow(root)

    def operation(self, method, path):
        """(pattern, what is said of it)"""
        plain = path.split("?")[0]
        fits = [p for p, item in self.document["paths"].items()
                if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", p), plain) and method.lower() in item]
        pattern = min(fits, key=lambda p: p.count("{"))
        return pattern, self.document["paths"][pattern][method.lower()]

    def ask(self, method, path, body=None, *headers):
        """(status, document or None, headers)"""
        data = None if body is None else json.dumps(body).encode()
        kind = [("Content-Type", "application/json")] if body is not None else []
        status, head, text = self.desk.ask(method, "/api/v1" + path, self.bearer + kind + list(headers), data)
        pattern, operation = self.operation(method, path)
        self.asked.add((method.lower(), pattern))
        where = "%s %s: " % (method, path)
        if body is not None and status < 300:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            self.problems += [where + "the body: " + f for f in self.faults(schema, body)]
        responses = operation["responses"]
        response = self.follow(responses.get(str(status), {}))
        if not response:
            self.problems.append("%s%d is not described: %s" % (where, status, text[:300]))
            return status, None, head
        content = response.get("content", {})
        kind = head.get("content-type", "").split(";")[0]
        if not content:
            self.problems += [where + "a body that is not described"] if text else []
            return status, None, head
        if kind not in content:
            self.problems.append(where + kind + " is not described")
            return status, None, head
        if not kind.endswith("json") or "ndjson" in kind:
            return status, text.decode(), head
        document = json.loads(text)
        self.problems += [where + f for f in self.faults(content[kind]["schema"], document)]
        return status, document, head
