#!/bin/bash
# SPDX-License-Identifier: MIT
# The demonstration's fleet: deterministic, marked as synthetic, and laid out like what the real
# collectd writes.
# shellcheck source=tests/lib/tap.sh
. "${SOURCE:-.}/tests/lib/tap.sh"

END=2026-11-20T00:00:00Z
END_S=1795132800
TYPES=(--types /usr/share/collectd/types.db --types plugins/types.db)

generate() { tidemark-demo --end $END "${TYPES[@]}" "$@"; }

ok "the fleet is generated" generate "$T/fleet"
ok "and again" generate "$T/again"
sed -i "s|$T/again|$T/fleet|g" "$T"/again/*/tidemark.conf
ok "the same end gives the same bytes" diff -r "$T/fleet" "$T/again"
rm -r "$T/again"

is "four customers" "$(find "$T/fleet" -mindepth 1 -maxdepth 1 -type d | wc -l)" 4
is "twelve devices are registered" "$(find "$T"/fleet/*/products.d -name '*.json' | wc -l)" 12
is "every registration says that it is synthetic" \
  "$(grep -LF '"configuration":"SYNTHETIC demonstration data' "$T"/fleet/*/products.d/*/*.json)" ""
is "every registration has a device among the RRDs" "$(
  for f in "$T"/fleet/*/products.d/*/*.json; do
    host=$(basename "$(dirname "$f")")
    name=$(basename "$f" .json)
    ls -d "${f%%/products.d*}/rrd/$host"/*"$name" >/dev/null 2>&1 || echo "$f"
  done
)" ""

# --- beside the real collectd ------------------------------------------------------------------
# One file of each type is dispatched to a collectd with the recommended archives.
cat >"$T/collectd.conf" <<EOF
BaseDir "$T/collectd"
PIDFile "$T/collectd.pid"
Hostname "demo"
FQDNLookup false
Interval 300
TypesDB "/usr/share/collectd/types.db" "$SOURCE/plugins/types.db"
LoadPlugin logfile
<Plugin logfile>
  File "$T/collectd.log"
</Plugin>
LoadPlugin unixsock
<Plugin unixsock>
  SocketFile "$T/sock"
  SocketPerms "0600"
</Plugin>
LoadPlugin rrdtool
<Plugin rrdtool>
  DataDir "$T/real"
  CacheTimeout 0
  RRARows 17664
  RRATimespan 3600
  RRATimespan 5299200
  RRATimespan 63590400
</Plugin>
EOF
mkdir "$T/collectd"
/usr/sbin/collectd -f -C "$T/collectd.conf" &
collectd=$!
keep $collectd
wait_for test -S "$T/sock"

(cd "$T/fleet" && find . -name '*.rrd' | sort | awk -F/ '{ split($NF, t, /[-.]/); if (!seen[t[1]]++) print }') >"$T/files"
is "the fleet has files of all types" "$(sed 's|.*/||; s|[-.].*||' "$T/files" | sort | paste -sd' ')" \
  "capacity df_complex drives if_octets interval_count page_count pages slots supply_level supply_max transfers tray_level"

cat >"$T/put.py" <<'EOF'
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
replies = s.makefile("r")
now = int(time.time())
for line in open(sys.argv[2]):
    path = line.strip()[:-len(".rrd")].split("/")
    values = ":1:1" if path[-1] == "if_octets" else ":1"
    s.sendall(("PUTVAL demo/%s/%s interval=300 %d%s\n" % (path[-2], path[-1], now, values)).encode())
    reply = replies.readline()
    if not reply.startswith("0"):
        sys.exit(line + reply)
EOF
ok "collectd takes a value for each" /usr/bin/python3 "$T/put.py" "$T/sock" "$T/files"

layout() { # what defines a file: its step, data sources and archives
  rrdtool info "$1" | grep -vE '^(filename|last_update|header_size)|\.(value|last_ds|unknown_sec|unknown_datapoints|cur_row) ' |
    grep -v cdp_prep
}
while read -r file; do
  real=$T/real/demo/$(basename "$(dirname "$file")")/$(basename "$file")
  wait_for rrdtool info "$real" # while it is being created it is none yet
  layout "$T/fleet/$file" >"$T/ours"
  layout "$real" >"$T/theirs"
  ok "$(basename "$file") is laid out as collectd does it" diff "$T/theirs" "$T/ours"
done <"$T/files"
end $collectd

# --- what is in them ---------------------------------------------------------------------------
counts=$(find "$T/fleet" -path '*array-02/interval_count-transfers.rrd')
is "counts end at the end" "$(rrdtool last "$counts")" $END_S
known() { rrdtool fetch "$@" | grep -cE ': [0-9]'; }
is "two years of hours are known" "$(known "$counts" MAX -r 3600 -s $((END_S - 730 * 86400)) -e $((END_S - 3600)))" \
  $((730 * 24))
ok "an hour's maximum is the largest of its twelve counts" /usr/bin/python3 - "$counts" $END_S <<'EOF'
import subprocess, sys
def fetch(cf, step, start, end):
    text = subprocess.run(["rrdtool", "fetch", sys.argv[1], cf, "-r", str(step), "-s", str(start),
                           "-e", str(end)], capture_output=True, text=True, check=True).stdout
    rows = [l.split(": ") for l in text.splitlines() if ": " in l]
    return {int(t): float(v) for t, v in rows}
end = int(sys.argv[2])
fine = fetch("AVERAGE", 300, end - 50 * 86400, end - 3600)
coarse = fetch("MAX", 3600, end - 50 * 86400, end - 7200)
assert all(v == int(v) for t, v in fine.items() if t <= end), "a count is not whole"
wrong = [t for t, v in coarse.items() if v != max(fine[t - i * 300] for i in range(12))]
assert len(coarse) > 1100 and not wrong, wrong[:3]
EOF
gap=$(find "$T/fleet" -path '*array-a/interval_count-transfers.rrd')
from=$((END_S - 731 * 86400 + 604 * 86400))
is "while collectd was down nothing is known" "$(known "$gap" MAX -r 3600 -s $((from + 3600)) -e $((from + 29 * 3600)))" 0

# --- errors ------------------------------------------------------------------------------------
is "a type that no types.db has is named" "$(status_of tidemark-demo --end $END --types /usr/share/collectd/types.db "$T/x")" 66
like "and said" "$(cat "$T/err")" 'tidemark-demo: (transfers|interval_count|pages|slots|supply_level).*types\.db'
is "a wrong time is a usage error" "$(status_of tidemark-demo --end soon "${TYPES[@]}" "$T/x")" 64
is "a folder that cannot be made is an error" "$(status_of tidemark-demo --end $END "${TYPES[@]}" /proc/x)" 66
is "a customer who is not of the fleet is a usage error" "$(status_of generate "$T/x" --site C-9)" 64
is "so are more days than there are" "$(status_of generate "$T/x" --days 732)" 64

# --- twice at once ------------------------------------------------------------------------------
few() { generate "$1" --days 2 --site C-1003; }
ok "a part of the fleet is generated" few "$T/part"
is "it is of one customer" "$(ls "$T/part")" "$(printf 'C-1003\nlock')"
cp -r "$T/part" "$T/kept"
few "$T/part" 2>"$T/err" &
ok "a second one waits for the first" few "$T/part"
wait $!
is "which is not disturbed" "$? $(cat "$T/err")" "0 "
tidemark-demo --end $END "${TYPES[@]}" --site C-1003 "$T/part" &
until [ -n "$(cat /proc/$!/task/$!/children)" ] || ! kill -0 $!; do sleep 0.01; done
kill -9 $!
wait $! 2>/dev/null
ok "after one that was killed, the next runs" few "$T/part"
find "$T/part" \( -name '*.rrd??????' -o -name '*.??????' \) -delete # what librrd and we had in hand then
ok "and gives the same bytes" diff -r "$T/kept" "$T/part"
done_testing
