# SPDX-License-Identifier: MIT
"""A vendor's service with claims about a copier: who works there, the copier's peers at other customers, and
what these answer when they are asked."""
import json
import os
import re
import statistics
import time
from urllib.parse import urlencode

from exporting import SOURCE, sample
from pushing import PushDesk, event_of

NAMES = {"C-%d" % i: "Peer%d Secretname KK" % i for i in range(1, 8)}
NAMES["C-9"] = "Aozora Print Works KK"
# What 'image too light' asks for.
LIGHT = ["pages_total", "copies_feed", "density_black", "exposure", "density_auto", "drum_charge",
         "network_environment"]
# What the peers answer.
DENSITY, EXPOSURE, PAGES = [1.36, 1.40, 1.42, 1.44, 1.43], [0, 0, 1, -1, 0], [900100, 1011800, 1200300, 988400, 7000]
DRUM, TRAY2 = [-600, -610, -590, -620, -600], [100, 200, 300, 400]
SAID = {"type": "image too light", "text": "Prints are too light since last week.", "serial": "SIMULATED",
        "by": "T. Aoki", "external_id": "COMP-7"}


def printer(owner, at, host, device, serial, consent):
    s = sample()
    s["customer"].update(id=owner, name=NAMES[owner], site=at, host=host)
    s["product"].update(device=device, kind="printer", vendor="Example Works", model="DC-900", serial=serial)
    s["consent"] = {p: {"by": "x", "on": "2026-11-01T00:00:00Z"} for p in consent}
    s.update(history=[], recommendations=[])
    return s


def answer_of(i, request, density=None):
    items = [("pages_total", PAGES[i - 1], "pages", "counter"), ("exposure", EXPOSURE[i - 1], "steps", "setting"),
             ("density_black", density or DENSITY[i - 1], "optical density", "measurement"),
             ("density_auto", "off" if i == 5 else "on", None, "setting"),
             ("drum_charge", DRUM[i - 1], "V", "setting"),
             ("network_environment", "Peer%d Secretname net (address)" % i, None, "measurement")]
    if i < 5:
        items += [("copies_feed-Tray_2", TRAY2[i - 1], "sheets", "counter"),
                  ("copies_feed-Secretname_tray", 5, "sheets", "counter")]
    return {"schema": "tidemark.item-values/1", "request": request["id"],
            "customer": {"id": "C-%d" % i, "site": "secret-site-%d" % i, "host": request["host"]},
            "device": request["device"], "model": "DC-900", "status": "answered",
            "observed_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "items": [dict(zip(("name", "value", "unit", "nature"), x), state=None) for x in items]}


def claim_document():
    """SAID as a document, without how it came."""
    with open(os.path.join(SOURCE, "contrib/schema/samples/claim.json"), encoding="utf-8") as f:
        claim = json.load(f)
    claim.update(SAID, customer={"id": "C-9"}, claimed_at="2026-11-19T07:48:00Z")
    for key in ("device", "model", "state"):
        claim.pop(key)
    return claim


def told(item):
    return [item[k] for k in ("value", "unit", "nature", "peers")] + [round(item[k], 9) for k in ("mean", "median", "spread")]


def golden(values):
    """What told() says of the peers, by other means."""
    return [5] + [round(float(x), 9) for x in (statistics.fmean(values), statistics.median(values),
                                               statistics.stdev(values))]


class ClaimsDesk(PushDesk):
    def __init__(self, sink, database=None):
        super().__init__(database, 'mail { url = "smtp://127.0.0.1:%d" from = "desk@vendor.example" starttls = false }'
                         % sink.port)
        self.peers = {}

    def table(self, kind, text):
        path = os.path.join(self.folder, kind + ".csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        p = self.run("import", kind, path)
        assert p.returncode == 0, p.stderr

    def furnish(self):
        """Ueda of service looks after C-9, is away today, and Ito stands in."""
        self.table("customers", "id,name,region\n" + "".join("%s,%s,kanto\n" % i for i in NAMES.items()))
        self.table("staff", "staff,name,role,team,email,stand_in\n"
                   "ueda,S. Ueda,service,east,ueda@vendor.example,ito\nito,K. Ito,service,east,ito@vendor.example,\n"
                   "mori,K. Mori,sales,east,mori@vendor.example,\n")
        self.table("assignments", "staff,role,customer,site,region,kind\nueda,service,C-9,,,\n")
        today = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 9 * 3600))
        self.table("absences", "staff,from,to,stand_in\nueda,%s,%s,\n" % (today, today))
        self.open_service("--staff", "ueda")
        self.sales = self.account("mori@vendor.example", "sales", "--staff", "mori")
        self.factory = self.account("fab@vendor.example", "factory")
        return self

    def account(self, login, role, *more):
        link = re.search(r"/login/\S+", self.user("add", login, "--name", login.split("@")[0], "--role", role, *more))[0]
        return [("Cookie", self.sign_in(link))]

    def open_service(self, *more):
        """Ueda's account, who asks unless another one is named, and the token that api() has."""
        self.service = self.account("ueda@vendor.example", "service", *more)
        self.token = re.search(r"tmd_\S+", self.user("token", "ueda@vendor.example", "--name", "crm"))[0]

    def add_peers(self, numbers=range(1, 8)):
        """Sites of the copier's model at other customers; 6 and 7 do not agree to comparison."""
        for i in numbers:
            self.peers[i] = self.add_site("C-%d" % i, "secret-site-%d" % i)
            agreed = ["sales", "service"] + ["comparison"] * (i <= 5)
            s = printer("C-%d" % i, "secret-site-%d" % i, "secret-host-%d" % i, "secret-printer-%d" % i,
                        "SECRET-%04d" % i, agreed)
            assert self.peers[i].push(event_of(s)) == ["accepted"]

    def poll(self, i):
        return json.loads(self.peers[i].request("GET")[2]).get("requests", [])

    def page(self, path, who=None):
        status, _, body = self.ask("GET", path, who or self.service)
        return status, body.decode()

    def look(self, path, who=None):
        """(status, the JSON behind a page)"""
        status, _, body = self.ask("GET", path, (who or self.service) + [("Accept", "application/json")])
        return status, json.loads(body)

    def csrf(self, who):
        return re.search(r'name="csrf" value="(\w+)"', self.page("/account", who)[1])[1]

    def post(self, path, who=None, **fields):
        """(status, where it leads, text) of a form."""
        who = who or self.service
        body = urlencode(dict(fields, csrf=self.csrf(who)), doseq=True).encode()
        status, headers, answer = self.ask("POST", path, who + [("Content-Type", "application/x-www-form-urlencoded")],
                                           body)
        return status, headers.get("location"), answer.decode()

    def api(self, method, path, document=None):
        headers = [("Authorization", "Bearer " + self.token), ("Content-Type", "application/json")]
        status, _, body = self.ask(method, path, headers, json.dumps(document).encode() if document else None)
        return status, json.loads(body) if body.strip() else None
