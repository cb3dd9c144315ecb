#!/bin/bash
# SPDX-License-Identifier: MIT
# What `make run` starts: one pass, again, on a terminal until Ctrl-C, and nothing stays behind.
# run: alone (a busy machine reads the borders of its short intervals too late)
# shellcheck source=tests/lib/tap.sh
. "${SOURCE:-.}/tests/lib/tap.sh"

export DEMO=$T/demo SOURCE BUILD COLUMNS=140
export TMPDIR=$T # of the simulated devices; snmpsimd runs as nobody
chmod 711 "$T"
can_load collectd "$BUILD/plugins/disk_array.so"

# Processes of this demonstration, by what stands on their command lines.
remaining() {
  local file
  for file in /proc/[0-9]*/cmdline; do
    case $(tr '\0' ' ' 2>/dev/null <"$file") in
      *"$DEMO"* | *"$TMPDIR/tidemark-devices-"*) echo "$file" ;;
    esac
  done
}

is "one pass ends well" "$(ONCE=1 status_of contrib/demo/run)" 0
cp "$T/out" "$T/pass"
is "without a complaint" "$(cat "$T/err")" ""
pass=$(cat "$T/pass")
for customer in 'Example Kogyo KK' 'Musterwerk GmbH' 'Sample Health Trust' 'Specimen University'; do
  like "$customer is reported as synthetic" "$pass" "^$customer \(synthetic demonstration data\)"
done
like "an array fills up on a date" "$pass" '^osaka-gw/array-01 .* 20[0-9]{2}-[0-9]{2}-[0-9]{2} '
like "with its busiest interval" "$pass" '^osaka-gw/array-01 .* in 300 s, '
like "this machine is reported" "$pass" "^$(uname -n)/local "
like "with a counted interval" "$pass" "^$(uname -n)/local .* in 10 s, "
like "a simulated array is read over SNMP" "$pass" "^$(uname -n)/simulated-array .* 10.0 TiB .* in 10 s, "
like "a simulated library too" "$pass" "^$(uname -n)/simulated-library .* 24 "
like "and a simulated printer over IPP" "$pass" "^$(uname -n)/simulated-printer "
like "and a simulated copier over SNMP" "$pass" "^$(uname -n)/simulated-copier "
like "nothing leaves before it is agreed to" "$pass" '^# osaka-gw/array-01 for box: nothing would leave'
like "what would leave is told with its hash" "$pass" '^# osaka-gw/array-01 for box: summary, [0-9]+ bytes, sha256 [0-9a-f]{64}'
like "four sites report to the vendor's desk" "$pass" '^sent: 24 documents to http://127\.0\.0\.1:[0-9]+ \(SYNTHETIC'
like "product pages need no login" "$pass" '^Product pages, for everybody: http://127\.0\.0\.1:[0-9]+/products$'
for role in sales service factory engineer admin customer; do
  like "there is a login for $role" "$pass" "^  $role +[A-Z]\. [A-Z][a-z]+ +http://127\.0\.0\.1:[0-9]+/login/[A-Za-z0-9_-]{43}"
done
like "claims are answered by the simulated printers" "$pass" '^claims: 2 of 2 are answered'
like "one beside peers of its model at other customers" "$pass" \
  '^  K-1, image too light: 6 of 6 others of the model answered, 9 items compared, outliers: 1$'
is "the desk knows what is needed" "$(python3 -c "
import sqlite3
db = sqlite3.connect('$DEMO/desk/desk.db')
print(db.execute('SELECT COUNT(*) >= 5 FROM items WHERE open = 1').fetchone()[0],
      db.execute('SELECT COUNT(DISTINCT customer_id) FROM items WHERE open = 1').fetchone()[0])")" "1 4"
is "three pictures are drawn" "$(head -qc 5 "$DEMO"/*.svg)" "<?xml<?xml<?xml"
is "nothing is left running" "$(remaining)" ""

cat >"$T/terminal.py" <<'EOF'
# Runs the demonstration on a terminal of its own until it waits; then looks at what it started,
# starts another beside it, and presses Ctrl-C.
import os, pty, subprocess, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
shown = b""
deadline = time.time() + 400
while b"Ctrl-C ends all" not in shown and time.time() < deadline:
    try:
        shown += os.read(terminal, 65536)
    except OSError:
        break
print("waits" if b"Ctrl-C ends all" in shown else "died: " + shown.decode(errors="replace")[-2000:])

demo = os.environ["DEMO"].encode()
def processes():
    found = []
    for p in os.listdir("/proc"):
        try:
            if p.isdigit() and demo in open("/proc/%s/cmdline" % p, "rb").read():
                found.append(p)
        except OSError:
            pass
    return found
listening = set()
for table in ("tcp", "tcp6"):
    for line in open("/proc/net/" + table).readlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and not fields[1].startswith("0100007F:"):
            listening.add("socket:[%s]" % fields[9])
def sockets(p):
    folder = "/proc/%s/fd" % p
    return {os.readlink(os.path.join(folder, f)) for f in os.listdir(folder)}
running = processes()
print("collectd" if running else "nothing", "runs")
print("listening beyond 127.0.0.1:", sum(len(sockets(p) & listening) for p in running))
second = subprocess.run(["contrib/demo/run"], env=dict(os.environ, ONCE="1"), capture_output=True)
print("second:", second.returncode)
os.write(terminal, b"\x03")
deadline = time.time() + 30
while time.time() < deadline:
    try:
        if not os.read(terminal, 65536):
            break
    except OSError:
        break
print("status:", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print("left:", len(processes()))
EOF
/usr/bin/python3 "$T/terminal.py" contrib/demo/run >"$T/terminal"
is "on a terminal it stays, listens on 127.0.0.1 only, is alone, and ends everything with Ctrl-C" \
  "$(cat "$T/terminal")" "waits
collectd runs
listening beyond 127.0.0.1: 0
second: 75
status: 130
left: 0"

is "a build without the programs is told" "$(BUILD=$T status_of contrib/demo/run)" 69
like "by name" "$(cat "$T/err")" 'not built: run make'
done_testing
