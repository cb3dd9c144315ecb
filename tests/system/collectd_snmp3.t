#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# run: quietly (a busy machine reads the borders of its short intervals too late)
"""SNMPv3 against snmpsimd: by tidemark-probe, and in a real collectd beside its own snmp plugin that
asks by v3 too."""
import os
import shutil
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ.get("SOURCE", "."), "tests/lib"))
import collectd
from probing import PROBE, SOURCE, probe, secret_file
from tap import done, ok, same, skip_all

if collectd.program() is None or shutil.which("snmpsimd") is None:
    skip_all("needs collectd and snmpsim")
T = 5
PROFILES = os.path.join(SOURCE, "plugins/profiles")
ENTRY = ('device "127.0.0.1" { user = "%s" context = "array" auth = "%s" auth_password = "%s" '
         'privacy = "%s" privacy_password = "%s" }')

daemon = collectd.Collectd("")
os.chmod(daemon.folder, 0o711)
data = os.path.join(daemon.folder, "data")
cache = os.path.join(daemon.folder, "cache")
os.mkdir(data)
os.mkdir(cache)
os.chmod(cache, 0o777)
shutil.copy(os.path.join(SOURCE, "contrib/demo/devices.d/array.snmprec"), data)


def simulate(auth, privacy):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    command = ["snmpsimd", "--data-dir=" + data, "--cache-dir=" + cache, "--v3-user=tm",
               "--agent-udpv4-endpoint=127.0.0.1:%d" % port, "--logging-method=null",
               "--v3-auth-key=authpass1", "--v3-auth-proto=" + auth,
               "--v3-priv-key=privpass1", "--v3-priv-proto=" + privacy]
    if os.geteuid() == 0:
        command += ["--process-user=nobody", "--process-group=nogroup"]
    server = subprocess.Popen(command, cwd="/", stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    ready = ["snmpget", "-v2c", "-c", "array", "-t", "0.5", "-r", "0", "127.0.0.1:%d" % port,
             "1.3.6.1.2.1.1.1.0"]
    collectd.wait_for(lambda: subprocess.run(ready, capture_output=True).returncode == 0)
    return server, port


def ask(port, *entry, timeout="3"):
    with secret_file(ENTRY % entry) as file:
        readings, errors, status = probe("--profiles", PROFILES, "--credentials", file.name,
                                         "--timeout", timeout, "snmp://127.0.0.1:%d" % port,
                                         status=None)
    return readings[0], errors, status


servers = []
try:
    for auth, theirs, privacy, cipher in (("SHA-256", "SHA256", "AES", "AES"),
                                          ("SHA", "SHA", "AES-256", "AES256BLMT"),
                                          ("MD5", "MD5", "DES", "DES")):
        server, port = simulate(theirs, cipher)
        servers.append(server)
        reading, errors, status = ask(port, "tm", auth, "authpass1", privacy, "privpass1")
        same((reading["capacity_bytes"], status), (10995116277760, 0),
             "%s and %s: the array is read" % (auth, privacy))
    reading, errors, status = ask(port, "tm", "MD5", "authpass2", "DES", "privpass1")
    same((reading["capacity_bytes"], status), (None, 69), "a wrong password gets nothing")
    ok("or none to this user" in errors and errors.count("\n") == 1 and "pass" not in
       errors.replace("password", ""), "and is told in one line", errors)

    secrets = os.path.join(daemon.folder, "credentials")
    with open(secrets, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
        f.write(ENTRY % ("tm", "MD5", "authpass1", "DES", "privpass1"))
    daemon.configure("""
LoadPlugin disk_array
<Plugin disk_array>
  StateDir "@STATE@"
  UnitInterval %d
  Profiles "%s"
  Credentials "%s"
  Helper "%s"
  <Device "array">
    Source "snmp3://127.0.0.1:%d"
  </Device>
</Plugin>
PluginDir "%s"
LoadPlugin snmp
<Plugin snmp>
  <Data "uptime">
    Type "uptime"
    Table false
    Instance ""
    Values "1.3.6.1.2.1.25.2.3.1.5.31"
  </Data>
  <Host "beside">
    Address "127.0.0.1:%d"
    Version 3
    Username "tm"
    SecurityLevel "authPriv"
    AuthProtocol "MD5"
    AuthPassphrase "authpass1"
    PrivacyProtocol "DES"
    PrivacyPassphrase "privpass1"
    Context "array"
    Collect "uptime"
  </Host>
</Plugin>
""" % (T, PROFILES, secrets, PROBE, port, collectd.STOCK_PLUGINS, port))
    daemon.start()
    path = daemon.rrd("array", "capacity-total")
    ok(collectd.wait_for(lambda: collectd.last_update(path) > 0),
       "the array is read through the helper", daemon.log())
    beside = os.path.join(daemon.data, "beside", "snmp", "uptime.rrd")
    ok(collectd.wait_for(lambda: collectd.last_update(beside) > 0),
       "collectd's own snmp plugin asks by v3 beside it", daemon.log())

    def counted():
        file = daemon.rrd("array", "interval_count-transfers")
        last = collectd.last_update(file)
        rows = collectd.fetch(file, last - 4 * T, last, T) if last else {}
        return [v[0] for v in rows.values() if v[0] is not None]

    # 475 writes a second by three physical disks; md0 is a layer of them. A busy machine may read a border late.
    ok(collectd.wait_for(lambda: any(abs(n - 475 * T) < 475 for n in counted())), "transfers of a unit interval", counted())
    ok("pass1" not in daemon.log(), "no password is in the log")
    same(daemon.stop(), 0, "collectd ends in order")
finally:
    daemon.stop(signal.SIGKILL)
    for server in servers:
        server.terminate()
        server.wait(10)
    daemon.close()
done()
