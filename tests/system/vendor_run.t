#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""vendor-run, which tidemark-vendor.service calls: from what sites dropped to leads and demand in a real
Tryton, in one command that may be said again at any time."""
import datetime
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import erp as tryton  # noqa: E402
import summaries as made  # noqa: E402
from exporting import BUILD, EXPORT, SOURCE, Site  # noqa: E402
from tap import done, ok, same, skip_all  # noqa: E402

if not tryton.present():
    skip_all("tryton-server is not installed")
made.NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
erp = tryton.Erp()


class Customer(Site):
    def __init__(self, customer):
        super().__init__(customer=customer)
        self.drop = self.path("drop")
        os.mkdir(self.drop)
        self.configure('target box { type = "file" directory = "%s" secret_file = "%s"\n'
                       '  purposes = { "sales" } }\n' % (self.drop, self.path("secret")))
        self.enable("sales")

    def send(self, **facts):
        text = json.dumps(made.summary(customer=self.customer, **facts)) + "\n"
        assert self.run("queue", "--now", "-", stdin=text).returncode == 0
        assert self.run("push", "--once").returncode == 0


full, calm = Customer("C-1001"), Customer("C-1002")
vendor = Site(more='role = "vendor"\n')
vendor.write("password", "Exporter-7421\n", 0o600)
vendor.write("shops.json", json.dumps({"schema": "tidemark.shops/1", "otherwise": "RN", "shops": {}}))


def configure(url):
    sources = "".join('source s%d { directory = "%s" secret_file = "%s" customer = "%s" site = "osaka-1" }\n' % (
        i, c.drop, c.path("secret"), c.customer) for i, c in enumerate((full, calm)))
    vendor.configure('catalogue = "%s"\ntarget erp { type = "tryton" url = "%s" user = "tidemark"\n'
                     'password_file = "%s" purposes = { "sales", "factory" } timeout = "20s" }\n%s' % (
                         os.path.join(SOURCE, "contrib/schema/samples/catalogue.json"), url, vendor.path("password"), sources))


def run(**more):
    env = dict(os.environ, TIDEMARK_CONFIG=vendor.conf, STATE_DIRECTORY=vendor.state,
               TIDEMARK_SHOPS=vendor.path("shops.json"), TIDEMARK_EXPORT=EXPORT,
               TIDEMARK_ANALYZE=os.path.join(BUILD, "tidemark-analyze"), TMPDIR=vendor.folder)
    env.update(more)
    return subprocess.run([os.path.join(SOURCE, "contrib/vendor-run")], env=env, text=True,
                          capture_output=True, check=False, timeout=120)


def leads():
    return erp.find("sale.opportunity", [], "party.code", "state", "description", "reference")


configure(erp.url)
p = run()
ok(p.returncode == 0 and "nothing was received yet" in p.stderr, "before anything came, it says so", p.stderr)
full.send(used=110, growth=0.3, fill=(20, 30, 40))
calm.send(used=20)
p = run()
same((p.returncode, p.stderr), (0, ""), "two sites dropped something: all steps are done")
found = leads()
same([(o["party."]["code"], o["state"], "/grow/" in o["reference"]) for o in found],
     [("C-1001", "lead", True)], "who needs something is a lead, and nobody else")
forecasts = erp.find("stock.forecast", [], "warehouse.code", "state")
ok(forecasts and {(f["warehouse."]["code"], f["state"]) for f in forecasts} == {("RN", "done")}
   and "issue 1 erp: %d written" % len(forecasts) in p.stdout, "the factory is told, for the customer's shop",
   forecasts, p.stdout)
p = run()
same((p.returncode, p.stderr, leads()), (0, "", found), "said again, it does nothing twice")
configure(erp.url.replace(str(erp.port), str(tryton.free_port())))
p = run()
ok(p.returncode == 69, "while the ERP is away it says so, and the next run goes on", p.returncode, p.stderr)
configure(erp.url)
made.NOW += datetime.timedelta(days=1)
full.send(used=20)
p = run()
same((p.returncode, [o["description"].startswith("no longer advised: ") for o in leads()]), (0, [True]),
     "a need that has gone is marked")
same(sorted(n for n in os.listdir(vendor.folder) if n.startswith("tmp.")), [], "nothing is left behind")
os.makedirs(vendor.path("work/open"))
p = run(RUNTIME_DIRECTORY=vendor.path("work"))
ok(p.returncode == 73 and "issue" not in p.stdout, "what an earlier run has left is not told again where it cannot be put aside",
   p.returncode, p.stdout, p.stderr)
ok(run(TIDEMARK_ANALYZE="/nonexistent").returncode == 127, "a program that is not there ends it")
erp.stop()
done()
