#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# run: quietly
"""SNMPv3: every digest, privacy, a wrong password, a silent device; and in collectd beside the stock
snmp plugin, which speaks version 3 to the same agent in the same process."""
import glob
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

SOURCE = os.environ.get("SOURCE", os.getcwd())
sys.path.insert(0, os.path.join(SOURCE, "tests", "lib"))
import collectd  # noqa: E402
from snmpsim import Simulator  # noqa: E402
from tap import done, note, ok, same, skip  # noqa: E402

BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(SOURCE, "build")))
PROBE = os.path.join(BUILD, "tidemark-probe")
RECORDINGS = os.path.join(SOURCE, "tests", "data", "snmp")
PROFILES = os.path.join(SOURCE, "plugins", "profiles")
SECRETS = {"auth_password": "authpass-12", "privacy_password": "privpass-34"}


# How the simulator calls what the credentials call so.
CIPHERS = {"AES-192": "AES192BLMT", "AES-256": "AES256BLMT", "AES-192-C": "AES192",
           "AES-256-C": "AES256"}


def simulator(auth, privacy=None):
    options = ["--v3-user=tm", "--v3-auth-key=" + SECRETS["auth_password"],
               "--v3-auth-proto=" + auth.replace("-", "")]
    if privacy:
        options += ["--v3-priv-key=" + SECRETS["privacy_password"], "--v3-priv-proto=" + CIPHERS.get(privacy, privacy)]
    return Simulator([RECORDINGS], options)


def write_credentials(folder, port, auth, privacy=None, password=SECRETS["auth_password"], more=""):
    path = os.path.join(folder, "credentials")
    with open(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as f:
        f.write('device "127.0.0.1:%d" { user = "tm" auth = "%s" auth_password = "%s" '
                'context = "lexmark_hand"' % (port, auth, password))
        if privacy:
            f.write(' privacy = "%s" privacy_password = "%s"' % (privacy,
                                                                SECRETS["privacy_password"]))
        f.write(" }\n" + more)
    return path


def probe(credentials, *ports):
    r = subprocess.run([PROBE, "--timeout", "4", "--profiles", PROFILES, "--credentials",
                        credentials] + ["snmp://127.0.0.1:%d" % p for p in ports],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    return [json.loads(line) for line in r.stdout.splitlines()], r.stdout + r.stderr


with tempfile.TemporaryDirectory(prefix="tm-v3-") as folder:
    for auth, privacy in (("MD5", None), ("SHA", "DES"), ("SHA-224", None), ("SHA-384", None),
                          ("SHA-512", "AES"), ("SHA", "AES-192"), ("SHA-224", "AES-256"),
                          ("SHA-256", "AES-192-C"), ("SHA-384", "AES-256-C"),
                          ("MD5", "AES-256-C"), ("SHA-512", "AES-256")):
        with simulator(auth, privacy) as s:
            path = write_credentials(folder, s.port, auth, privacy)
            got, said = probe(path, s.port)
            same([(r["pages_total"], r["error"]) for r in got], [(88012, None)],
                 "%s with %s" % (auth, privacy or "no privacy"))

    with simulator("SHA-256", "AES") as s:
        path = write_credentials(folder, s.port, "SHA-256", "AES", "wrong-password")
        got, said = probe(path, s.port)
        ok(got[0]["error"] and got[0]["vendor"] is None, "a wrong password is an error", said)
        ok("wrong-password" not in said and "privpass" not in said, "no secret is printed", said)

        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        silent.bind(("127.0.0.1", 0))
        dead = silent.getsockname()[1]
        path = write_credentials(folder, s.port, "SHA-256", "AES",
                                 more='device "127.0.0.1:%d" { user = "tm" auth = "SHA-256" '
                                      'auth_password = "authpass-12" }\n' % dead)
        begun = time.monotonic()
        got, said = probe(path, dead, s.port)
        took = time.monotonic() - begun
        same([r["pages_total"] for r in got if "pages_total" in r], [88012],
             "a silent device does not keep another from being read")
        ok(took < 6, "and it ends by the deadline", "%.1f s" % took)

        if collectd.program() is None or not os.path.exists(collectd.STOCK_PLUGINS + "/snmp.so"):
            skip("beside the stock snmp plugin", "needs collectd")
        else:
            configuration = """LoadPlugin printer
<Plugin printer>
  StateDir "@STATE@"
  Profiles "%s"
  Helper "%s"
  <Device "by-v3">
    Source "snmp"
    Address "127.0.0.1"
    Port "%d"
    Credentials "%s"
  </Device>
  <Device "by-v2c">
    Source "snmp"
    Address "127.0.0.1"
    Port "%d"
    Community "toshiba_hand"
  </Device>
</Plugin>
PluginDir "%s"
LoadPlugin snmp
<Plugin snmp>
  <Data "pages">
    Type "operations"
    Table false
    TypeInstance "pages"
    Values "1.3.6.1.2.1.43.10.2.1.4.1.1"
  </Data>
  <Host "stock">
    Address "udp:127.0.0.1:%d"
    Version 3
    SecurityLevel "authPriv"
    Username "tm"
    AuthProtocol "SHA-256"
    AuthPassphrase "%s"
    PrivacyProtocol "AES"
    PrivacyPassphrase "%s"
    Context "lexmark_hand"
    Collect "pages"
    Interval 1
  </Host>
</Plugin>
""" % (PROFILES, PROBE, s.port, path, s.port, collectd.STOCK_PLUGINS, s.port,
       SECRETS["auth_password"], SECRETS["privacy_password"])
            # The stock plugin of Debian 12 knows MD5 and SHA-1 alone.
            daemon = collectd.Collectd(configuration.replace('AuthProtocol "SHA-256"',
                                                             'AuthProtocol "SHA"'), write="csv")
            daemon.start()

            def came():
                found = [glob.glob(daemon.data + "/*/" + p) for p in
                         ("printer-by-v3/page_count-total-*", "printer-by-v2c/page_count-total-*")]
                return all(found)
            both = collectd.wait_for(came)
            time.sleep(2)
            alive = daemon.process.poll() is None
            daemon.stop()
            ok(both and alive, "in collectd: version 3 by the helper, 2c in the process",
               daemon.log(), daemon.stderr())
            values = []
            for device in ("by-v3", "by-v2c"):
                for f in glob.glob(daemon.data + "/testhost/printer-%s/page_count-total-*" % device):
                    with open(f) as lines:
                        values.append(float(lines.read().split()[-1].split(",")[1]))
            same(values, [88012.0, 402113.0], "with the right numbers")
            ok("authpass" not in daemon.log() + daemon.stderr(), "no secret is in the log",
               daemon.log())
        silent.close()

    # The same with SHA-1, which the stock plugin knows: both sides speak version 3.
    if collectd.program() is not None and os.path.exists(collectd.STOCK_PLUGINS + "/snmp.so"):
        with simulator("SHA", "AES") as s:
            path = write_credentials(folder, s.port, "SHA", "AES")
            daemon = collectd.Collectd("""LoadPlugin printer
<Plugin printer>
  StateDir "@STATE@"
  Profiles "%s"
  Helper "%s"
  <Device "by-v3">
    Source "snmp3"
    Address "127.0.0.1"
    Port "%d"
    Credentials "%s"
  </Device>
</Plugin>
PluginDir "%s"
LoadPlugin snmp
<Plugin snmp>
  <Data "pages">
    Type "operations"
    Table false
    TypeInstance "pages"
    Values "1.3.6.1.2.1.43.10.2.1.4.1.1"
  </Data>
  <Host "stock">
    Address "udp:127.0.0.1:%d"
    Version 3
    SecurityLevel "authPriv"
    Username "tm"
    AuthProtocol "SHA"
    AuthPassphrase "%s"
    PrivacyProtocol "AES"
    PrivacyPassphrase "%s"
    Context "lexmark_hand"
    Collect "pages"
    Interval 1
  </Host>
</Plugin>
""" % (PROFILES, PROBE, s.port, path, collectd.STOCK_PLUGINS, s.port, SECRETS["auth_password"],
       SECRETS["privacy_password"]), write="csv")
            daemon.start()

            def both_came():
                return (glob.glob(daemon.data + "/testhost/printer-by-v3/page_count-total-*") and
                        glob.glob(daemon.data + "/stock/snmp/operations-pages-*"))
            came = collectd.wait_for(both_came)
            daemon.stop()
            ok(came, "both speak version 3 in one collectd", daemon.log(), daemon.stderr())
            note(*[l for l in daemon.log().splitlines() if "snmp plugin" in l][:3])
done()
