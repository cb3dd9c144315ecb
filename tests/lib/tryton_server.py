# SPDX-License-Identifier: MIT
"""A Tryton of our own that answers at once, for tests that ask hundreds of times: what
tidemark-export calls, by the rules of those models that it relies on. Whether a Tryton behaves so is shown
by the tests with a real one (erp.py)."""
import copy
import json
import operator

from web_server import Server, reply

ME, NOW = 1, {"__class__": "datetime", "year": 2026, "month": 11, "day": 20, "hour": 0, "minute": 0, "second": 0,
              "microsecond": 0}
LINES = {"sale.opportunity": ("lines", "sale.opportunity.line", "opportunity"),
         "stock.forecast": ("lines", "stock.forecast.line", "forecast"),
         "stock.shipment.internal": ("moves", "stock.move", "shipment"),
         "party.party": ("addresses", "party.address", "party")}
BUTTONS = {("stock.forecast", "draft"): "draft", ("stock.forecast", "confirm"): "done",
           ("stock.shipment.internal", "wait"): "waiting", ("stock.shipment.internal", "cancel"): "cancelled"}
FIRST = {"sale.opportunity": {"state": "lead", "lost_reason": None},
         "stock.forecast": {"state": "draft"}, "stock.shipment.internal": {"state": "draft"}}


def days(n):
    return {"__class__": "timedelta", "seconds": n * 86400}


def seed():
    """A factory and a shop, two products, a customer."""
    return {
        "company.company": [{"id": 1, "currency.": {"id": 1, "code": "JPY", "digits": 0}}],
        "party.party": [{"id": 1, "code": "C-1001", "identifiers.code": None}], "party.address": [],
        "stock.location": [
            {"id": 1, "type": "warehouse", "code": "FAC", "name": "Factory", "storage_location": 3, "output_location": 4},
            {"id": 2, "type": "warehouse", "code": "RN", "name": "North", "storage_location": 5, "output_location": 6},
            {"id": 3, "type": "storage"}, {"id": 4, "type": "storage"}, {"id": 5, "type": "storage"},
            {"id": 6, "type": "storage"}, {"id": 7, "type": "customer", "code": "CUS"}],
        "stock.location.lead_time": [{"id": 1, "warehouse_from": 1, "warehouse_to": 2, "lead_time": days(2)}],
        "product.product": [{"id": i, "code": code, "default_uom": 1} for i, code in (
            (1, "SHELF-20T"), (2, "CACHE-64G"), (3, "SHELF-40T"))],
        "purchase.product_supplier": [{"id": i, "product": i, "lead_time": days(21)} for i in (1, 2, 3)],
        "production.lead_time": [], "stock.order_point": [], "ir.note": [], "ir.attachment": [],
        **{model: [] for model in FIRST}, "sale.opportunity.line": [], "stock.forecast.line": [], "stock.move": []}


def plain(value):
    """What can be compared: a date as its numbers."""
    return [value[k] for k in ("year", "month", "day")] if isinstance(value, dict) else value


def fits(record, clause):
    if not clause:
        return True
    if clause[0] == "OR":
        return any(fits(record, one) for one in clause[1:])
    if isinstance(clause[0], list):
        return all(fits(record, one) for one in clause)
    value, op, wanted = record.get(clause[0]), clause[1], clause[2]
    if op in ("in", "not in"):
        return (value in wanted) == (op == "in")
    if value is None and op not in ("=", "!="):
        return False
    return {"=": operator.eq, "!=": operator.ne, ">=": operator.ge}[op](plain(value), plain(wanted))


class Tryton:
    """`tables` is all that it knows; a test may keep a copy and put it back."""

    def __init__(self):
        self.tables = seed()
        self.server = Server(self.answer)
        self.url = "http://127.0.0.1:%d/crm/" % self.server.port

    def answer(self, request):
        asked = json.loads(request.body)
        model, _, what = asked["method"].partition("model.")[2].rpartition(".")
        params = asked["params"]
        if asked["method"].startswith("common.db."):
            result = [ME, "session"] if asked["method"].endswith("login") else None
        elif what == "get_preferences":
            result = {"company": 1, "language": "en"}
        elif what == "search_read":
            result = self.find(model, *params)
        elif what == "create":
            result = [self.create(model, values) for values in params[0]]
        else:
            result = self.change(model, what, *params)
        return reply({"id": asked["id"], "result": result})

    def find(self, model, domain, offset, limit, order, fields, context):
        del order
        found = [r for r in self.tables[model] if fits(r, domain)]
        found = found[offset:offset + limit if limit else None]
        if "product" in context:
            found = [dict(r, quantity=self.stock(r["id"], context["product"])) for r in found]
        names = ["id"] + [f.partition(".")[0] + "." if "." in f else f for f in fields]
        return [{name: r.get(name) for name in names} for r in found]

    def stock(self, location, product):
        """Ten of all at the factory, two at the shop; what is assigned has left already."""
        gone = [m["quantity"] for m in self.tables["stock.move"] if (m["from_location"], m["product"]) == (location, product)
                and self.of("stock.shipment.internal", m["shipment"])["state"] == "assigned"]
        return {3: 10.0, 5: 2.0}.get(location, 0.0) - sum(gone)

    def of(self, model, identity):
        return next(r for r in self.tables[model] if r["id"] == identity)

    def create(self, model, values):
        table = self.tables[model]
        record = dict(FIRST.get(model, {}), id=max([r["id"] for r in table], default=0) + 1, create_uid=ME,
                      create_date=NOW, write_uid=None, write_date=None, _timestamp="1")
        record["number"] = str(record["id"])
        table.append(record)
        self.write(model, record, values)
        return record["id"]

    def write(self, model, record, values):
        name, lines, parent = LINES.get(model, (None, None, None))
        for command, given in values.get(name) or ():
            if command == "delete":
                self.tables[lines] = [r for r in self.tables[lines] if r["id"] not in given]
            else:
                for one in given:
                    self.create(lines, dict(one, **{parent: record["id"]}))
        record.update(values)
        if name:
            record[name] = [r["id"] for r in self.tables[lines] if r[parent] == record["id"]]

    def change(self, model, what, ids, *more):
        for identity in ids:
            record = self.of(model, identity)
            if what == "write":
                record.update(write_uid=ME, write_date=NOW, _timestamp=str(int(record["_timestamp"]) + 1))
                self.write(model, record, more[0])
            elif what == "delete":
                self.tables[model].remove(record)
            elif what == "assign_try":
                moves = [m for m in self.tables["stock.move"] if m["shipment"] == identity]
                if any(self.stock(m["from_location"], m["product"]) < m["quantity"] for m in moves):
                    return False
                record["state"] = "assigned"
                return True
            else:
                record["state"] = BUTTONS[model, what]
        return None

    def pictures(self):
        return sum(r["name"].endswith(".png") for r in self.tables["ir.attachment"])

    def state(self):
        """{model: its records as JSON}, without what a second try may leave otherwise: identities, and what was
        cancelled; and without pictures, which may be missing."""
        told, all_of = {}, copy.deepcopy(self.tables)
        gone = {r["id"] for r in all_of["stock.shipment.internal"] if r["state"] == "cancelled"}
        for model, records in all_of.items():
            rows = [{k: v for k, v in r.items() if k not in ("id", "number", "lines", "moves", "addresses", "shipment",
                                                             "_timestamp", "write_uid", "write_date")}
                    for r in records if not (model == "stock.shipment.internal" and r["id"] in gone
                                             or r.get("shipment") in gone or r.get("name", "").endswith(".png"))]
            told["erp/" + model] = "".join(sorted(json.dumps(r, sort_keys=True) + "\n" for r in rows)).encode()
        return told
