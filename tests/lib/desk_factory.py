# SPDX-License-Identifier: MIT
"""A desk with a customer that will need something, people of each role, shops and a catalogue: for
the tests of inquiries."""
import json
import os
import re
import time
import urllib.parse

from desk import SOURCE
from pushing import PushDesk, event_of
from waiting import wait_for

DAY = 86400
TIB = 2**40


def day(ahead=0):
    """The desk's date, so many days from today."""
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + 9 * 3600 + ahead * DAY))


def summary(customer, site, device, fill=(60, 90, 140)):
    """A full array whose forecast says when: its customer has agreed to sales and factory."""
    with open(SOURCE + "/contrib/schema/samples/summary.json", encoding="utf-8") as f:
        s = json.load(f)
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    s["generated_at"] = at
    s["period"] = {"from": None, "to": at}
    s["customer"] = {"id": customer, "name": "Secret %s KK" % customer, "site": site,
                     "host": "h.example.com"}
    s["consent"] = {p: {"by": "A. Sato", "on": "2026-11-01T00:00:00Z"} for p in ("sales", "factory")}
    s["product"]["device"] = device
    s["status"]["observed_at"] = at
    days = [dict(s["history"][0], date=day(-d), used_bytes=int((97 - d * 0.29) * TIB), capacity_bytes=120 * TIB)
            for d in range(34, -1, -1)]
    s["history"] = days
    s["status"]["capacity_bytes"] = 120 * TIB
    s["status"]["used_bytes"] = days[-1]["used_bytes"]
    s["forecast"]["fill"] = {q: day(d) + "T00:00:00Z" for q, d in zip(("0.1", "0.5", "0.9"), fill)}
    s["recommendations"] = []
    return s


class FactoryDesk(PushDesk):
    """Started, with everything in it; .people are cookies by login."""

    def __init__(self, database=None, *extra):
        super().__init__(database, *extra)
        self.people = {}

    def table(self, kind, text):
        path = os.path.join(self.folder, "table.csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        p = self.run("import", kind, path)
        assert p.returncode == 0, p.stderr

    def person(self, login, role):
        link = re.search(r"/login/\S+", self.user("add", login + "@vendor.example", "--name", login.title(),
                                                  "--role", role))[0]
        self.people[login] = self.sign_in(link)

    def token(self, login):
        """An API token of theirs."""
        _, _, page = self.form(login, "/account/tokens", name="test")
        return re.search(r"tmd_[A-Za-z0-9_-]+|[a-z]+_[A-Za-z0-9_-]{30,}", page)[0]

    def fill(self, customer="C-1001", device="array-01", **more):
        site = self.add_site(customer, "osaka-1")
        got = site.push(event_of(summary(customer, "osaka-1", device, **more)))
        assert got == ["accepted"], got
        return site

    def get(self, login, path, json_wanted=True):
        headers = [("Cookie", self.people[login])]
        if json_wanted:
            headers.append(("Accept", "application/json"))
        status, _, body = self.ask("GET", path, headers)
        text = body.decode()
        return status, json.loads(text) if json_wanted and text else text

    def form(self, login, path, json_wanted=False, **fields):
        """(status, where it leads, body) of a form posted with the session's token."""
        cookie = self.people[login]
        page = self.ask("GET", "/account", [("Cookie", cookie)])[2].decode()
        pairs = [("csrf", re.search(r'name="csrf" value="([0-9a-f]+)"', page)[1])]
        for name, value in fields.items():
            pairs += [(name, v) for v in (value if isinstance(value, list) else [value])]
        headers = [("Cookie", cookie), ("Content-Type", "application/x-www-form-urlencoded")]
        if json_wanted:
            headers.append(("Accept", "application/json"))
        status, head, body = self.ask("POST", path, headers, urllib.parse.urlencode(pairs).encode())
        return status, head.get("location"), body.decode()

    def item(self, login="mori"):
        """The first open item, once the desk has advised it."""
        items = wait_for(lambda: self.get(login, "/api/v1/items")[1]["items"])
        if not items:
            raise RuntimeError("no item: " + self.log())
        return items[0]

    def inquiry(self, login, name, wait="waiting"):
        """One inquiry, once `wait` is not true of it any more."""
        def come():
            status, row = self.get(login, "/api/v1/inquiries/" + name)
            return row if status != 200 or not row.get(wait) else None
        return wait_for(come) or self.get(login, "/api/v1/inquiries/" + name)[1]


def furnish(desk, stock=""):
    """Three shops and a factory: what lies in Nagoya is today's, what lies at the factory comes by
    transfer, and what lies nowhere by the supplier and a transfer."""
    for login, role in (("mori", "sales"), ("tanabe", "sales"), ("okada", "factory"), ("ueda", "service")):
        desk.person(login, role)
    desk.table("shops", "shop,name,kind,address,phone\nOSA,Osaka,shop,1 Umeda,06-1\nNGO,Nagoya,shop,,\n"
                        "TYO,Tokyo,shop,,\nFAC,Factory,factory,,\n")
    desk.table("lead-times", "from,to,sku,days\n,FAC,,49\nFAC,OSA,,5\nFAC,NGO,,3\nFAC,TYO,,2\nNGO,OSA,,4\n")
    desk.table("stock", "shop,sku,quantity\n" + stock)
    desk.run("import", "catalogue", SOURCE + "/contrib/schema/samples/catalogue.json")
