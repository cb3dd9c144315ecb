# SPDX-License-Identifier: MIT
"""Three small CRMs of our own, that answer as the public documents of Odoo, Salesforce and HubSpot
say that those do: their paths, keys, statuses and errors. They stand in for systems that cannot be
installed here, and are no proof that those behave so."""
import json
import threading
import urllib.parse

from web_server import Server, reply

TOKEN = "crm-token"


class Crm:
    """`records` is a list of dictionaries. `mode(request)` may return an answer instead, or "drop":
    the request takes effect and its answer is lost."""

    def __init__(self):
        self.records, self.problems, self.mode = [], [], None
        self.lock = threading.Lock()
        self.server = Server(self.answer)
        self.url = "http://127.0.0.1:%d" % self.server.port

    def close(self):
        self.server.http.shutdown()
        self.server.http.server_close()

    @property
    def log(self):
        return self.server.log

    def answer(self, request):
        way = self.mode(request) if self.mode else None
        if isinstance(way, tuple):
            return way
        if request.headers.get("Authorization") not in ("Bearer " + TOKEN, "bearer " + TOKEN):
            return self.fault(401, "the token is not known")
        try:
            body = json.loads(request.body) if request.body else None
        except ValueError:
            return self.fault(400, "no JSON")
        url = urllib.parse.urlsplit(request.path)
        parts = [urllib.parse.unquote(p) for p in url.path.split("/")[1:]]
        query = dict(urllib.parse.parse_qsl(url.query))
        with self.lock:
            out = self.handle(request.command, parts, query, body)
        return None if way == "drop" else out

    def by(self, name, value):
        return [r for r in self.records if r.get(name) == value]


class Odoo(Crm):
    """JSON-2: POST /json/2/MODEL/METHOD with named arguments, one transaction a call."""
    FIELDS = {"x_tidemark_key", "type", "name", "partner_id", "partner_name", "expected_revenue",
              "probability", "date_deadline", "description", "active", "id"}

    def __init__(self):
        self.partners = [{"id": 7, "ref": "C-1001"}]
        super().__init__()

    def fault(self, status, message):
        return reply({"name": "odoo.exceptions.UserError", "message": message, "arguments": [message],
                      "context": {}, "debug": ""}, status)

    def matches(self, table, domain):
        return [r for r in table if all(op == "=" and r.get(f) == v for f, op, v in domain)]

    def handle(self, command, parts, query, body):
        if command != "POST" or parts[:2] != ["json", "2"]:
            return self.fault(404, "no such page")
        model, method = parts[2:4]
        table = {"crm.lead": self.records, "res.partner": self.partners}[model]
        if method in ("search", "search_read"):
            found = self.matches(table, body["domain"])[:body.get("limit", 80)]
            if not body.get("context", {}).get("active_test", True) is False:
                found = [r for r in found if r.get("active", True)]
            if method == "search":
                return reply([r["id"] for r in found])
            return reply([{k: r.get(k) for k in ["id"] + body["fields"]} for r in found])
        values = body["vals_list"] if method == "create" else [body["vals"]]
        for v in values:
            unknown = set(v) - self.FIELDS
            if unknown:
                return self.fault(422, "Invalid field %r on model 'crm.lead'" % sorted(unknown)[0])
        if method == "create":
            for v in values:
                table.append(dict(v, id=len(table) + 1, active=True))
            return reply([r["id"] for r in table[-len(values):]])
        if method == "write":
            for r in table:
                if r["id"] in body["ids"]:
                    r.update(values[0])
            return reply(True)
        return self.fault(404, "no such method")


class Salesforce(Crm):
    """sobjects by an external id: PATCH creates (201) or changes (200), 300 when two have it."""

    def __init__(self):
        self.accounts = {"C-1001": "001A"}
        super().__init__()

    def fault(self, status, message, code="ERROR"):
        return reply([{"message": message, "errorCode": code}], status)

    def handle(self, command, parts, query, body):
        if parts[:3] != ["services", "data", "v60.0"] or parts[3:5] != ["sobjects", "Opportunity"]:
            return self.fault(404, "The requested resource does not exist", "NOT_FOUND")
        if len(parts) == 6:
            found, key = self.by("Id", parts[5]), None
        else:
            found, key = self.by(parts[5], parts[6]), parts[6]
        if len(found) > 1:
            return reply(["/services/data/v60.0/sobjects/Opportunity/" + r["Id"] for r in found], 300)
        if command == "GET":
            if not found:
                return self.fault(404, "The requested resource does not exist", "NOT_FOUND")
            return reply({k: found[0].get(k) for k in query["fields"].split(",")})
        if command != "PATCH":
            return self.fault(405, "HTTP Method not allowed", "METHOD_NOT_ALLOWED")
        values = dict(body)
        if "Account" in values:
            tag = values.pop("Account")["Tidemark_Tag__c"]
            if tag not in self.accounts:
                return self.fault(400, "Foreign key external ID: %s not found for field "
                                  "Tidemark_Tag__c in entity Account" % tag, "INVALID_FIELD")
            values["AccountId"] = self.accounts[tag]
        if found:
            found[0].update(values)
            return 204, {}, b""
        if key is None:
            return self.fault(404, "The requested resource does not exist", "NOT_FOUND")
        missing = [f for f in ("Name", "StageName", "CloseDate") if not values.get(f)]
        if missing:
            return self.fault(400, "Required fields are missing: [%s]" % ", ".join(missing),
                              "REQUIRED_FIELD_MISSING")
        values.update({parts[5]: key, "Id": "006%03d" % len(self.records)})
        self.records.append(values)
        return reply({"id": values["Id"], "success": True, "errors": [], "created": True}, 201)


class HubSpot(Crm):
    """Deals by a unique property; batch/upsert answers 200, or 207 with errors."""
    STAGES = {"appointmentscheduled", "qualifiedtobuy", "closedwon", "closedlost"}

    def fault(self, status, message, category="VALIDATION_ERROR"):
        return reply({"status": "error", "message": message, "correlationId": "x",
                      "category": category}, status)

    def upsert(self, one):
        properties = one["properties"]
        if properties.get("dealstage", "closedwon") not in self.STAGES:
            return None
        found = self.by(one["idProperty"], one["id"])
        if found:
            found[0].update(properties)
            return {"id": found[0]["id"], "new": False, "properties": found[0]}
        self.records.append(dict(properties, id=str(100 + len(self.records))))
        return {"id": self.records[-1]["id"], "new": True, "properties": self.records[-1]}

    def handle(self, command, parts, query, body):
        if parts[:3] != ["crm", "v3", "objects"]:
            return self.fault(404, "no such resource", "OBJECT_NOT_FOUND")
        if parts[3:] == ["companies", "search"]:
            wanted = body["filterGroups"][0]["filters"][0]["value"]
            hits = [{"id": "55", "properties": {}}] if wanted == "C-1001" else []
            return reply({"total": len(hits), "results": hits})
        if parts[3:] == ["deals", "batch", "upsert"] and command == "POST":
            results = [self.upsert(one) for one in body["inputs"]]
            if None in results:
                return reply({"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [
                    {"status": "error", "category": "VALIDATION_ERROR",
                     "message": "the stage is not known"}]}, 207)
            return reply({"status": "COMPLETE", "results": results})
        found = self.by(query.get("idProperty", "id"), parts[4])
        if not found:
            return self.fault(404, "resource not found", "OBJECT_NOT_FOUND")
        if command == "PATCH":
            found[0].update(body["properties"])
        return reply({"id": found[0]["id"], "properties": found[0]})
