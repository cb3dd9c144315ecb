#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Each route that the desk prints, times every kind of id: own, another customer's, guessed, absent,
nonsense, injected; as another customer, nobody, each wrong role, a foreign site, and with credentials
that are void. A customer's secret word must come out nowhere but to that customer and to staff, and
what another has must answer as what nobody has. A route that is added is tested by being there."""
import json
import os
import re
import subprocess
import sys
from urllib.parse import quote, urlencode

sys.path.insert(0, os.path.join(os.environ.setdefault("SOURCE", os.getcwd()), "tests/lib"))
os.environ.setdefault("BUILD", os.path.join(os.environ["SOURCE"], "build"))
from tap import done, note, ok, same, skip  # noqa: E402
from tenants import SECRET, House, Postgresql  # noqa: E402
from waiting import wait_for  # noqa: E402

SOURCE = os.environ["SOURCE"]
FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Accept", "application/json")
HTML = ("Accept", "text/html")
SCRIPT = b"<script>alert(31337)"
ROUTES = json.loads(subprocess.run([os.environ["BUILD"] + "/tidemark-desk", "routes", "--format", "json"],
                                   stdout=subprocess.PIPE, check=True).stdout)
# Ends the session that asks; and what hashes passwords takes its time (desk_people.t has it).
LEFT_OUT = {"/logout", "/account/password", "/login"}


def names_asked_for():
    """Every name that a handler asks a form or a query string for."""
    found = set()
    for folder, _, files in os.walk(os.path.join(SOURCE, "contrib/desk")):
        for name in files:
            if name.endswith(".c"):
                with open(os.path.join(folder, name), encoding="utf-8") as f:
                    found |= set(re.findall(r'\b(?:request_query|request_field|request_field_nth|\w*field|field_\w+|'
                                            r'want_\w+|may_\w+|asked|find_chosen)'
                                            r'\((?:[\w>.&-]+, )*"(\w+)"', f.read()))
    return sorted(found - {"csrf"})


NAMES = names_asked_for()
# Sensible words for fields, so that a form gets as far as its id.
WORDS = {"to": "contacted", "way": "phone", "role": "sales", "text": "words", "name": "a name",
         "type": "paper jam", "compare": "both", "quantity": "1", "limit": "5", "owner": "all"}


def hostile(number):
    """Ways to write a number, and what is none."""
    n = str(number)
    return ["0", "-1", "-" + n, "+" + n, "0" + n, "%20" + n, n + "%20", n + ".0", n + "e0", "0x" + n,
            "%3" + n[0] + n[1:], n + "%0a", n + "%00", "9223372036854775807", "9223372036854775808",
            "18446744073709551616", "9" * 300, "9" * 5000, "NaN", "null", "undefined", "*", "%25", "_",
            "%27", "%27%20OR%20%271%27=%271", n + "%20OR%201=1", n + "%20OR%201=1%20--", n + ");--",
            n + "%3BDROP%20TABLE%20items", n + "%20UNION%20SELECT%20name%20FROM%20customers",
            "%22%3E%3Cscript%3Ealert(31337)%3C/script%3E", "%3Cscript%3Ealert(31337)%3C%2Fscript%3E",
            "%7B%7Bcsrf%7D%7D", "%7B%7B%7Bdesk%7D%7D%7D", "$%7B7*7%7D", "..%2f" + n, "%2e%2e", ".",
            "%EF%BC%91", "%E2%80%AE" + n, "%ff", "a%0d%0aSet-Cookie:%20x=y", "x" * 255, n + "," + n, n + "%2F1"]


INJECTED = ["' OR '1'='1", "1); DROP TABLE items; --", "%' OR 1=1 --", '"><script>alert(31337)</script>',
            "<script>alert(31337)</script>", "{{csrf}}{{{desk}}}", "\\", "%_%", "-1", "9" * 40, "NaN",
            "javascript:alert(31337)", "//evil.example/", "=1+1", "\u202e\uff11", "a" * 3000]


class Walk:
    """Probes, and what they found."""

    def __init__(self, house, kind):
        self.house, self.desk, self.kind = house, house.desk, kind
        self.probes = self.foreign = self.own_seen = 0
        self.leaks, self.differ, self.wrong, self.broken, self.raw = [], [], [], [], []

    def ask(self, who, method, path, headers, fields=None):
        """(status, headers, body), with what is wrong in any answer noted. who: the tenant whose
        secret may be in it, None: nobody's."""
        headers, body = list(headers), None
        if method != "GET":
            body = urlencode(fields or {}).encode()
            headers.append(FORM)
        status, head, text = self.desk.ask(method, path, headers, body)
        self.probes += 1
        what = "%s %s: %d" % (method, path[:150], status)
        if status >= 500 or status == 0:
            self.broken.append(what + " " + repr(text[:100]))
        if who != "staff":
            seen = set(SECRET.findall(text + repr(head).encode())) - {str(who.number).encode() if who else b""}
            if seen:
                self.leaks.append("%s says the secret of %s" % (what, seen))
            self.own_seen += who is not None and who.secret in text
        if SCRIPT in text and head.get("content-type", "").startswith("text/html"):
            self.raw.append(what)
        if "x" == head.get("set-cookie", "")[:1]:
            self.raw.append(what + " sets a cookie that was sent")
        return status, head, text

    def expect(self, right, status, method, path, who):
        if not right:
            self.wrong.append("%s %s as %s: %d" % (method, path[:150], who, status))

    def report(self, least=0):
        for name, found in [("no answer has a secret of another customer", self.leaks),
                            ("what another customer has answers as what nobody has", self.differ),
                            ("nobody gets 401 or the sign-in page, a role that may not gets 403", self.wrong),
                            ("nothing makes the desk fail", self.broken),
                            ("what was sent comes back as text only", self.raw)]:
            if not ok(not found, "%s: %s" % (self.kind, name), "%d of %d probes" % (len(found), self.probes)):
                note(*found[:12])
        if least:
            ok(self.probes >= least, "%s: %d probes or more" % (self.kind, least), self.probes)
        note("%s: %d probes, %d with another customer's id" % (self.kind, self.probes, self.foreign))


def fill_path(pattern, value):
    return re.sub(r"\{[a-z_]+\}", lambda _: value, pattern)


def digest(answer, value):
    """An answer without what was sent, and without the hour."""
    status, head, text = answer
    for form in {value, quote(value, safe=""), value.replace("'", "&#39;")}:
        text = re.sub(rb"(?<=/)%s(?!\w)" % re.escape(form.encode()), b"@", text)
    text = re.sub(rb"\d\d:\d\d(:\d\d)?|\d{4}-\d\d-\d\dT[\d:]+Z|next=[^\"]*", b"", text)
    location = re.sub(re.escape(value), "@", head.get("location", ""))
    return status, head.get("content-type"), location, text


def absent_like(value):
    """What nobody has, as long as a value that somebody has."""
    if value.isdigit():
        return "4" * len(value)
    return re.sub(r"[a-z]", lambda m: "qxj"[ord(m[0]) % 3], value) if len(value) > 3 else "qxj"


def role_headers(walk):
    """Who may ask: (name, roles that he has, whose secret he may see, headers, csrf)."""
    house, a, b = walk.house, walk.house.tenants[0], walk.house.tenants[1]
    token = re.search(r"tmd_\S+", house.desk.user("token", "user1@customer.example"))[0]
    return [("nobody", set(), None, [], ""),
            ("another customer", {"customer"}, a, [("Cookie", a.cookie[0])], a.cookie[1]),
            ("another customer's program", {"customer"}, a, [("Authorization", "Bearer " + token)], ""),
            ("another customer's site", {"site"}, a, [("Authorization", "Bearer " + a.pusher.token)], "")], b


def void_credentials(house):
    """What was good once: a site's token, a person's, a session, and what never was."""
    desk, b = house.desk, house.tenants[1]
    desk.run("site", "revoke", b.id, b.site)
    made = house.sign_in("gone@customer.example", "customer", "--customer", b.id)
    token = re.search(r"tmd_\S+", desk.user("token", "gone@customer.example"))[0]
    desk.user("disable", "gone@customer.example")
    return [("a site that was revoked", [("Authorization", "Bearer " + b.pusher.token)]),
            ("a person that was shut out", [("Cookie", made[0])]),
            ("his program", [("Authorization", "Bearer " + token)]),
            ("an invented token", [("Authorization", "Bearer tdm_" + "A" * 43)]),
            ("an invented session", [("Cookie", made[0][:-4] + "AAAA")])]


def may(route, roles):
    return "none" in route["roles"] or roles & set(route["roles"])


def walk_outsiders(walk, short):
    """Those who must not see what B has: every route, every id of B's."""
    who, b = role_headers(walk)
    ids = sorted(b.own) if not short else sorted(i for i in b.own if i.isdigit() or i.startswith("T-"))
    numbers = [i for i in ids if i.isdigit()]
    for route in ROUTES:
        if route["pattern"] in LEFT_OUT:
            continue
        parts = "{" in route["pattern"]
        for name, roles, own, headers, csrf in who:
            allowed = may(route, roles)
            values = (ids if allowed else numbers) if parts else [""]
            for value in values:
                judge(walk, route, name, roles, own, headers, csrf, value)
            if parts and allowed and own and route["method"] == "GET":
                for value in sorted(own.own):
                    walk.ask(own, "GET", fill_path(route["pattern"], quote(value, safe="")), [JSON] + headers)
            if parts and allowed:
                for value in hostile(numbers[0])[::4 if short else 1]:
                    path = fill_path(route["pattern"], value)
                    status = walk.ask(own, route["method"], path, [JSON] + headers, dict(WORDS, csrf=csrf))[0]
                    open_to_all = "none" in route["roles"]
                    walk.expect(open_to_all or status in (400, 403, 404, 405, 409, 413, 414, 422),
                                status, route["method"], path, name)
            walk_fields(walk, route, own, headers, csrf, numbers + [b.id], short) if allowed else None


def judge(walk, route, name, roles, own, headers, csrf, value):
    """One id of B's against one that nobody has, as a program and as a browser would ask."""
    method = route["method"]
    for accept in [JSON, HTML] if method == "GET" and not route["pattern"].startswith("/api/") else [JSON]:
        path = fill_path(route["pattern"], quote(value, safe=""))
        fields = dict(WORDS, csrf=csrf)
        seen = walk.ask(own, method, path, [accept] + headers, fields)
        walk.foreign += value != ""
        if not may(route, roles):
            if name == "nobody" and accept == HTML:
                right = seen[0] == 303 and seen[1].get("location", "").startswith("/login")
            else:
                right = seen[0] == (401 if name == "nobody" else 403)
            walk.expect(right, seen[0], method, path, name)
        if value == "":
            continue
        other = absent_like(value)
        absent = walk.ask(own, method, fill_path(route["pattern"], quote(other, safe="")), [accept] + headers, fields)
        if digest(seen, value) != digest(absent, other):
            walk.differ.append("%s %s as %s: %d, absent: %d" % (method, path, name, seen[0], absent[0]))


def walk_fields(walk, route, own, headers, csrf, values, short):
    """Another customer's ids in each field and parameter of a route; then what is injected."""
    own_number = next((i for i in sorted(own.own) if i.isdigit()), "1") if own else "7"
    if route["pattern"].startswith("/account/"):
        own_number = "31337"  # not the session that asks
    path = fill_path(route["pattern"], own_number)
    get = route["method"] == "GET"
    for value in values:
        answers = []
        for v in (value, absent_like(value)):
            fields = dict({n: v for n in NAMES}, csrf=csrf)
            if get:
                answers.append(walk.ask(own, "GET", path + "?" + urlencode(fields), [JSON] + headers)[0])
            else:
                answers.append(walk.ask(own, route["method"], path, [JSON] + headers, fields)[0])
        walk.foreign += 1
        if answers[0] != answers[1]:
            walk.differ.append("%s %s with %s in its fields: %s" % (route["method"], path, value, answers))
        # One by one, the others as they should be.
        for name in NAMES if get and not short else ():
            walk.ask(own, "GET", path + "?" + urlencode({name: value}), [HTML] + headers)
    for text in INJECTED[::3 if short else 1]:
        fields = dict({n: text for n in NAMES}, csrf=csrf)
        if get:
            walk.ask(own, "GET", path + "?" + urlencode({n: text[:200] for n in NAMES[:12]}), [HTML] + headers)
        else:
            walk.ask(own, route["method"], path, [HTML] + headers, fields)


def walk_staff(walk, short):
    """Staff see all, so nothing leaks to them; but nothing that they type makes the desk fail."""
    for role, (cookie, csrf) in walk.house.people.items():
        headers = [("Cookie", cookie)]
        for route in ROUTES:
            if route["pattern"] in LEFT_OUT or role not in route["roles"]:
                continue
            if role != next((r for r in route["roles"] if r in walk.house.people), None):
                continue  # the handler is the same for all who may
            path = fill_path(route["pattern"], "1001")
            for value in hostile(31337)[::5 if short else 1] if "{" in route["pattern"] else ():
                walk.ask("staff", route["method"], fill_path(route["pattern"], value), [HTML] + headers,
                         dict(WORDS, csrf=csrf))
            get = route["method"] == "GET"
            for i, name in enumerate(NAMES if get else ()):
                if not short or i % 4 == 0:
                    text = INJECTED[(i + len(path)) % len(INJECTED)]
                    walk.ask("staff", "GET", path + "?" + urlencode({name: text[:500]}), [HTML] + headers)
            for text in INJECTED[::5 if short else 1]:
                if get:
                    walk.ask("staff", "GET", path + "?" + urlencode({n: text[:60] for n in NAMES}), [HTML] + headers)
                elif "/people" not in path:
                    walk.ask("staff", route["method"], path, [HTML] + headers,
                             dict({n: text for n in NAMES}, csrf=csrf))
                    walk.ask("staff", route["method"], path, [HTML] + headers,
                             dict({n: text for n in NAMES if n not in WORDS}, csrf=csrf, **WORDS))


def walk_void(walk):
    for name, headers in void_credentials(walk.house):
        for route in ROUTES:
            if route["pattern"] in LEFT_OUT or "none" in route["roles"]:
                continue
            path = fill_path(route["pattern"], "2")
            status = walk.ask(None, route["method"], path, [JSON] + headers, dict(WORDS))[0]
            walk.expect(status == 401, status, route["method"], path, name)


def wait_until_at_rest(house, tenant):
    """Until what the summaries set going has come to its end: a second changes nothing any more."""
    seen = [None]

    def stands():
        seen.append(house.all_of(tenant))
        return seen[-1] == seen[-2]
    wait_for(stands, step=1)


def two(kind, server, short):
    house = House(2, server)
    a, b = house.tenants
    same(sorted(t for t in house.schema if b.secret.decode() in repr(b.rows[t])) != [], True,
         "%s: %d tables with customers' data have a row and a secret of each" % (kind, len(house.schema)))
    wait_until_at_rest(house, b)
    walk = Walk(house, kind)
    before = house.all_of(b)
    walk_outsiders(walk, short)
    after = house.all_of(b)
    same([t for t in before if before[t] != after[t]], [], kind + ": nothing of the other customer was changed")
    ok(walk.own_seen >= 10, kind + ": the customer sees own data on the same routes", walk.own_seen)
    walk_void(walk)
    walk_staff(walk, short)
    walk.report(0 if short else 2000)
    ok(walk.foreign >= (100 if short else 500), kind + ": many of them with another customer's id", walk.foreign)
    same(house.desk.stop(), 0, kind + ": the desk ends well")
    same(house.desk.log(), "", kind + ": nothing went to the log")


def fifty():
    """Each asks for what two others have."""
    house = House(50)
    walk = Walk(house, "fifty tenants")
    routes = [r for r in ROUTES if r["method"] == "GET" and "customer" in r["roles"]]
    for i, t in enumerate(house.tenants):
        headers = [JSON, ("Cookie", t.cookie[0])]
        for route in routes:
            if "{" not in route["pattern"]:
                walk.ask(t, "GET", route["pattern"], headers)
                continue
            own = [n for n in sorted(t.own) if n.isdigit()]
            for n in own:
                walk.ask(t, "GET", fill_path(route["pattern"], n), headers)
            for other in (house.tenants[(i + 1) % 50], house.tenants[(i + 7) % 50]):
                for n in sorted(x for x in other.own if x.isdigit()):
                    walk.foreign += 1
                    status = walk.ask(t, "GET", fill_path(route["pattern"], n), headers)[0]
                    walk.expect(status == 404, status, "GET", fill_path(route["pattern"], n), "another")
    ok(walk.own_seen >= 50, "fifty tenants: each sees own data", walk.own_seen)
    walk.report()
    same(house.desk.stop(), 0, "fifty tenants: the desk ends well")


ok(len(ROUTES) > 30 and len(NAMES) > 20, "the desk prints its routes, and its source its fields", NAMES)
note("fields: " + " ".join(NAMES))
two("SQLite", None, False)
fifty()
postgresql = Postgresql()
if postgresql.url is None:
    skip("the same on PostgreSQL", postgresql.why)
else:
    two("PostgreSQL", postgresql, True)
done()
