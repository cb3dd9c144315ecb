# SPDX-License-Identifier: MIT
"""A desk that sells: staff, customers, a catalogue, accounts, and sites that report to it."""
import datetime
import json
import os
import re
import urllib.parse

from desk import SOURCE
from exporting import Site, sample
from pushing import PushDesk
from waiting import wait_for  # noqa: F401: tests name it as of here

ROLES = {"sales": "K. Mori", "service": "Y. Kato", "engineer": "E. Noda", "factory": "F. Ueda",
         "admin": "A. Hara"}


def day(n=0):
    """The date n days from today, in the desk's and the sites' zone."""
    tokyo = datetime.timezone(datetime.timedelta(hours=9))
    return (datetime.datetime.now(tokyo) + datetime.timedelta(days=n)).date().isoformat()


def chance(days, fill):
    """That it is full by then: the lines between the dates of the forecast."""
    points = [(0, 0), (fill[0], 0.1), (fill[1], 0.5), (fill[2], 0.9), (2 * fill[2], 1)]
    for (a, low), (b, high) in zip(points, points[1:]):
        if days <= b:
            return round(low + (high - low) * (days - a) / (b - a), 4)
    return 1


def summary(device="array-01", fill=(40, 60, 90), days=120, capacity=100e12, used=81e12, at=0):
    """A device that fills up so many days from today, with its history until yesterday."""
    s = sample()
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=at)
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    s["generated_at"] = s["period"]["to"] = s["status"]["observed_at"] = stamp
    s["period"]["from"] = day(-days) + "T00:00:00Z"
    s["product"].update(device=device, serial="DS200-" + device, sold_on=day(-600),
                        capacity_bytes_sold=int(100e12), software=[])
    s["status"].update(capacity_bytes=int(capacity), used_bytes=int(used))
    s["status"]["transfers"]["max_at"] = day(-3) + "T05:05:00Z"
    s["history"] = [{"date": day(n), "capacity_bytes": int(100e12),
                     "used_bytes": int(max(used - 2e11 * -n, 1e12)), "transfers_max": 1000 + 7 * -n,
                     "transfers_mean": 500.5, "covered": 1} for n in range(-days, 0)]
    s["recommendations"] = []
    if fill:
        s["forecast"].update(fill={"0.1": day(fill[0]) + "T00:00:00Z", "0.5": day(fill[1]) + "T00:00:00Z",
                                   "0.9": day(fill[2]) + "T00:00:00Z",
                                   "probability_by_horizon": {"%dd" % n: chance(n, fill)
                                                              for n in (30, 90, 180, 365)}})
    else:
        s["forecast"] = None
    s["status"]["transfers"].update(max_per_interval=2000, mean_per_interval=500.5)
    return s


class SalesDesk(PushDesk):
    def __init__(self, *extra, mail=None, database=None):
        if mail:
            extra += ('mail { url = "smtp://127.0.0.1:%d" from = "desk@vendor.example"'
                      ' team = "team@vendor.example" starttls = no }' % mail.port,)
        super().__init__(database, 'vendor = "Example Storage KK"',
                         'vendor_address = "1-2-3 Chuo, Osaka 540-0001"', *extra)
        self.cookies, self.csrf = {}, {}
        self.pushers = {}

    def give(self, kind, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        done = self.run("import", kind, path)
        assert done.returncode == 0, done.stderr

    def furnish(self):
        """Customers, staff with their assignments, the catalogue, an account for each role."""
        self.give("customers", "customers.csv",
                  "id,name,region,contact,address,phones,emails\n"
                  "C-1001,Minato Imaging KK,Kansai,Hanako Sato,\"2-1 Minato, Osaka 552-0021\",06-1234-5678,"
                  "sato@minato.example;buying@minato.example\n"
                  "C-2002,Sakura Clinic Group,Kansai,T. Abe,,,abe@sakura.example\n"
                  "C-3003,Aozora Print Works KK,Kanto,,,,\n")
        self.give("staff", "staff.csv",
                  "staff,name,role,team,region,email,stand_in\n"
                  "mori,K. Mori,sales,west,Kansai,mori@vendor.example,tanabe\n"
                  "tanabe,R. Tanabe,sales,west,Kansai,tanabe@vendor.example,\n")
        self.give("assignments", "assignments.csv",
                  "staff,role,customer,site,region,kind\nmori,sales,C-1001,,,\n")
        done = self.run("import", "catalogue", os.path.join(SOURCE, "contrib/schema/samples/catalogue.json"))
        assert done.returncode == 0, done.stderr
        for role, name in ROLES.items():
            self.account(role, role + "@vendor.example", name, *(["--staff", "mori"] if role == "sales" else []))
        return self

    def account(self, key, login, name, *more):
        role = [] if "--role" in more else ["--role", key]
        link = re.search(r"/login/\S+", self.user("add", login, "--name", name, *role, *more))[0]
        self.cookies[key] = self.sign_in(link)
        page = self.get(key, "/account")[1]
        self.csrf[key] = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)[1]
        return link

    def get(self, who, path, *headers):
        """(status, text)"""
        status, _, body = self.ask("GET", path, [("Cookie", self.cookies.get(who, ""))] + list(headers))
        return status, body.decode()

    def api(self, who, path):
        """The JSON of a route below /api/v1, or its status."""
        status, text = self.get(who, "/api/v1" + path)
        return json.loads(text) if status == 200 else status

    def post(self, who, path, fields=(), as_json=False):
        """(status, headers, text) of a form, or of a JSON object with the session's token."""
        pairs = list(fields.items()) if isinstance(fields, dict) else list(fields)
        if as_json:
            kind, body = "application/json", json.dumps(dict(pairs))
        else:
            kind, body = "application/x-www-form-urlencoded", urllib.parse.urlencode(pairs)
        status, headers, text = self.ask("POST", path, [
            ("Cookie", self.cookies[who]), ("Content-Type", kind), ("X-CSRF-Token", self.csrf[who])],
            body.encode())
        return status, headers, text.decode()

    def site(self, customer="C-1001", name="osaka-1"):
        """A site of tidemark-export's, enrolled here."""
        p = self.run("site", "add", customer, name, "--url", self.url, "--target", "crm")
        assert p.returncode == 0, p.stderr
        site = Site(customer=customer, site=name)
        for path in (site.conf, site.path("token"), site.path("secret")):
            os.unlink(path)
        done = site.run("enrol", site.write("enrolment.json", p.stdout, 0o600))
        assert done.returncode == 0, done.stderr
        with open(site.conf, "a", encoding="utf-8") as f:
            f.write('paths { state = "%s" spool = "%s" }\nspool { free = 0 }\n' % (site.state, site.spool))
        site.enable("sales", "service")
        return site

    def push(self, site, *documents):
        """Through the exporter's spool, as at a customer's."""
        lines = []
        for d in documents:
            d["customer"].update(id=site.customer, site=site.site_name)
            lines.append(json.dumps(d))
        done = site.run("queue", "--now", "-", stdin="\n".join(lines) + "\n")
        assert done.returncode == 0, done.stderr
        done = site.run("push", "--once")
        assert done.returncode == 0, done.stderr

    def items(self, n, seconds=30, where="open = 1"):
        """Waits until so many items are there."""
        count = "SELECT count(*) FROM items WHERE " + where
        return wait_for(lambda: self.rows(count)[0][0] == n, seconds)
