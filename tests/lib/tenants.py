# SPDX-License-Identifier: MIT
"""A desk with several customers, each of whom has a row in every table that holds customers' data, and
a secret word in every text of it. Tables are read from the store itself: one that is added is filled."""
import json
import os
import re
import sqlite3
import time

from pushing import Postgresql, PushDesk, Pusher, event_of

SOURCE = os.path.abspath(os.environ.get("SOURCE", "."))
SECRET = re.compile(rb"zq(\d+)secret")
# What a made-up text would break, or make look like something else.
VALUES = {("items", "action"): "grow", ("items", "kind"): "disk_array", ("items", "price"): "1000000",
          ("items", "currency"): "JPY", ("items", "money"): 1e6, ("items", "weight"): 5e5,
          ("items", "probability"): 0.9, ("items", "urgency"): 0.9, ("items", "order_by"): 20800,
          ("comments", "to_customer"): 1, ("reservations", "quantity"): 1,
          ("summaries", "encoding"): "plain", ("claims", "type"): "paper jam",
          ("assignments", "kind"): None, ("assignments", "role"): "sales"}
FAR = 4102444800
# Of tables that are no customer's: the key and the row that a customer's row refers to.
SHARED = {"webhooks": (901, "INSERT INTO webhooks (id, name, url, secret, what, created_at, stopped_at)"
                       " VALUES (901, 'stopped', 'http://127.0.0.1:1/', 'whsec_AAAA', 'items', 1, 1)"),
          "staff": ("S-1", "INSERT INTO staff (staff, name, role) VALUES ('S-1', 'K. Mori', 'sales')")}


def ago(days):
    return time.strftime("%Y-%m-%dT00:05:00Z", time.gmtime(time.time() - 86400 * days))


def summary(number, device, customer, site):
    """A summary of today, with two weeks of history, of a device that fills up."""
    with open(os.path.join(SOURCE, "contrib/schema/samples/summary.json"), encoding="utf-8") as f:
        s = json.load(f)
    secret = "zq%dsecret" % number
    s["customer"].update(id=customer, name="Customer " + secret, site=site, host="host-%d" % number)
    s["product"].update(device=device, serial="SN-" + secret, configuration="RAID 6 " + secret)
    s["generated_at"] = s["status"]["observed_at"] = s["period"]["to"] = ago(0)
    s["period"]["from"] = ago(7)
    s["consent"] = {p: {"by": "H. " + secret, "on": ago(60)} for p in ("sales", "factory", "service")}
    row = s["history"][0]
    row.pop("transfers_max_at", None)
    s["history"] = [dict(row, date=ago(d)[:10], used_bytes=row["used_bytes"] - d * 10**11)
                    for d in range(14, 0, -1)]
    return s


class Tenant:
    def __init__(self, number):
        self.number, self.id, self.site = number, "T-%d" % number, "site-%d" % number
        self.device = "array-of-%d" % number
        self.secret = b"zq%dsecret" % number
        self.ids = set()
        self.rows = {}  # table -> {column: value} of one row


class House:
    """A desk with so many tenants. `people` are credentials by role, of all-seeing staff."""

    def __init__(self, tenants, postgresql=None):
        self.server = postgresql
        self.desk = PushDesk(postgresql.url if postgresql else None,
                             'limits { connections_per_address = 400 }').start()
        self.tenants = [Tenant(i + 1) for i in range(tenants)]
        for table in ("devices", "summaries"):  # numbers that accounts and sessions do not have
            self.rows("SELECT setval(pg_get_serial_sequence('%s', 'id'), 100)" % table if postgresql else
                      "INSERT INTO sqlite_sequence (name, seq) VALUES ('%s', 100)" % table)
        for t in self.tenants:
            self.enrol(t)
        if postgresql:  # the words of the tables are the same; only SQLite tells its checks as text
            model = PushDesk().start()
            self.schema = read_schema(model.file)
            model.stop()
        else:
            self.schema = read_schema(self.desk.file)
        self.fill()
        self.gather()
        self.people = {role: self.sign_in(role + "@vendor.example", role)
                       for role in ("sales", "service", "factory", "engineer", "admin")}

    def enrol(self, t):
        made = self.desk.run("site", "add", t.id, t.site, "--customer-name", "Customer " + t.secret.decode())
        assert made.returncode == 0, made.stderr
        t.pusher = Pusher(self.desk, json.loads(made.stdout))
        said = t.pusher.push(event_of(summary(t.number, t.device, t.id, t.site)))
        assert said == ["accepted"], said
        t.cookie = self.sign_in("user%d@customer.example" % t.number, "customer", "--customer", t.id)

    def sign_in(self, login, role, *more):
        link = self.desk.user("add", login, "--name", login.split("@")[0], "--role", role, *more)
        cookie = self.desk.sign_in(re.search(r"/login/\S+", link)[0])
        page = self.desk.ask("GET", "/account", [("Cookie", cookie)])[2].decode()
        return cookie, re.search(r'name="csrf" value="([0-9a-f]{64})"', page)[1]

    # --- the store, looked at from outside ---

    def rows(self, sql):
        return (self.desk if self.server is None else self.server).rows(sql)

    def literal(self, value):
        if value is None:
            return "NULL"
        if isinstance(value, bytes):
            return ("'\\x%s'" if self.server else "x'%s'") % value.hex()
        return str(value) if isinstance(value, (int, float)) else "'%s'" % value.replace("'", "''")

    def insert(self, table, row):
        self.rows("INSERT INTO %s (%s) VALUES (%s)" % (
            table, ", ".join(row), ", ".join(self.literal(v) for v in row.values())))

    def fill(self):
        """One row of each tenant in each table where he has none, tenant by tenant, so that two of
        them never have the same number in a table."""
        for _, sql in SHARED.values():
            self.rows(sql)
        left, seen = list(self.schema), -1
        while left and len(left) != seen:  # tables after those that they refer to
            seen = len(left)
            for table in list(left):
                if any(ref in left and ref != table for ref in self.schema[table].refers.values()):
                    continue
                left.remove(table)
                for t in self.tenants:
                    self.fill_table(self.schema[table], t)
        assert not left, "tables that refer to one another: %s" % left

    def fill_table(self, table, t):
        where = "FROM %s WHERE customer_id = '%s'" % (table.name, t.id)
        if int(self.rows("SELECT COUNT(*) " + where)[0][0]) == 0:
            self.insert(table.name, table.row(t))
        names = list(table.columns)
        names = [n for n in names if table.columns[n][0] != "BLOB"]
        found = self.rows("SELECT %s %s LIMIT 1" % (", ".join(names), where))
        t.rows[table.name] = dict(zip(names, found[0]))

    def gather(self):
        """What in the tables of a tenant may stand in an address."""
        for t in self.tenants:
            t.ids = {t.id, t.site, t.device}
            for table in self.schema.values():
                for column in table.keys - ({"id"} if table.name == "users" else set()):
                    for (value,) in self.rows("SELECT %s FROM %s WHERE customer_id = '%s'" % (
                            column, table.name, t.id)):
                        if value not in (None, ""):
                            t.ids.add(str(value))
        for t in self.tenants:  # a number that two have, in different tables, tells nothing
            t.own = t.ids - set().union(*(o.ids for o in self.tenants if o is not t))

    def all_of(self, t):
        """All that the store has of a tenant, as text."""
        return {table: sorted(map(str, self.rows("SELECT %s FROM %s WHERE customer_id = '%s'" % (
            ", ".join(c for c, (kind, *_) in s.columns.items() if kind != "BLOB"
                      and (table, c) not in MOVING), table, t.id))))
                for table, s in self.schema.items()}


# What the desk itself writes whenever it likes: when somebody was here, and what it computes behind.
MOVING = {("users", "last_login_at"), ("sites", "last_seen_at"), ("credentials", "last_used_at"),
          ("credentials", "first_used_at"), ("devices", "advise_at"), ("devices", "advised_at"),
          ("devices", "advice_error"), ("tasks", "leased_until"), ("tasks", "tries"), ("tasks", "error")}


class Table:
    def __init__(self, db, name, sql):
        self.name = name
        self.columns, self.keys, self.refers, self.allowed = {}, set(), {}, {}
        for _, column, kind, notnull, default, pk in db.execute("PRAGMA table_info(%s)" % name):
            self.columns[column] = (kind, bool(notnull), default, pk)
            if pk and column != "customer_id":
                self.keys.add(column)
        for index in db.execute("PRAGMA index_list(%s)" % name).fetchall():
            if index[2]:
                self.keys |= {r[2] for r in db.execute("PRAGMA index_info(%s)" % index[1])} - {"customer_id"}
        for row in db.execute("PRAGMA foreign_key_list(%s)" % name):
            if row[3] != "customer_id" and row[3] != "site":
                self.refers[row[3]] = row[2]
        self.keys -= set(self.refers) | {"month"}
        for column, words in re.findall(r"CHECK \((\w+) IN \(([^)]*)\)", sql):
            self.allowed[column] = re.findall(r"'([^']*)'", words)[0]

    def value(self, column, t):
        kind, notnull, default, pk = self.columns[column]
        if (self.name, column) in VALUES:
            return VALUES[self.name, column]
        if column in ("customer_id", "site"):
            return {"customer_id": t.id, "site": t.site}[column]
        if column in self.refers:
            row = t.rows.get(self.refers[column])
            if row is None and notnull:
                return SHARED[self.refers[column]][0]
            return row.get("id", row.get(column)) if row else None
        if column in self.allowed:
            return self.allowed[column]
        if kind == "BLOB":
            return b'{"text":"%s"}' % t.secret
        if kind == "TEXT" and column.endswith("_json"):
            return '{"text":"%s"}' % t.secret.decode()
        if kind == "TEXT" and column in self.keys:
            return "%s-%d-%s" % (self.name, t.number, column)
        if kind == "TEXT":
            return "%s of %s" % (t.secret.decode(), column)
        if column in ("due_at", "next_try_at") and notnull:
            return FAR
        if column == "device_id" and "devices" in t.rows:
            return t.rows["devices"]["id"]
        if notnull and default is None:
            return 1 if kind == "REAL" or not column.endswith("_at") else int(time.time()) - 3600
        return None

    def row(self, t):
        row = {}
        for column, (kind, notnull, default, pk) in self.columns.items():
            if pk and kind == "INTEGER" and column == "id":
                row[column] = 1000 + t.number  # beyond what the store itself counts up to meanwhile
                continue
            value = self.value(column, t)
            if value is not None or (notnull and default is None):
                row[column] = value
        return row


def read_schema(path):
    """The tables that hold customers' data, as the store has them."""
    db = sqlite3.connect(path)
    try:
        tables = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
        found = {name: Table(db, name, sql) for name, sql in tables
                 if re.search(r"\bcustomer_id\b", sql) and name != "customers"}
        return found
    finally:
        db.close()


__all__ = ["House", "Postgresql", "SECRET"]
