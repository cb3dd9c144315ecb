#!/bin/bash
# SPDX-License-Identifier: MIT
# While tidemark-analyze reads a file in a loop, a thousand updates of it by rrdtool all succeed,
# and what is reported is always one of the values that were written.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

START=1790000000
file=$T/rrd/pc/df-root/df_complex-used.rrd
mkdir -p "${file%/*}"
rrdtool create "$file" --start $((START - 10)) --step 10 DS:value:GAUGE:20:0:U \
  RRA:AVERAGE:0.1:1:1200 RRA:MAX:0.1:1:1200 RRA:AVERAGE:0.1:7:1200

# Each an own process, as somebody's script would; the value is a function of the time.
(
  failed=0
  for i in $(seq 1000); do
    rrdtool update "$file" $((START + i * 10)):$((1000000 + i)) || failed=$((failed + 1))
  done 2>"$T/update.err"
  echo $failed >"$T/failed.new"
  mv "$T/failed.new" "$T/failed"
) &
keep $!
reads=0
: >"$T/all"
while [ ! -e "$T/failed" ]; do
  tidemark-analyze run --data "$file" --format json --no-forecast >>"$T/all" 2>>"$T/err"
  reads=$((reads + 1))
done
is 'a thousand updates beside a reader succeed' "$(cat "$T/failed" "$T/update.err")" 0
ok "the reader was at work all the while ($reads times)" test $reads -gt 50
is 'the reader has nothing to complain of' "$(cat "$T/err")" ''
is 'every report is one state of the file' "$(python3 - "$T/all" $START <<'END'
import datetime
import json
import sys

wrong = 0
last = 0
for line in open(sys.argv[1]):
    s = json.loads(line)["status"]
    if s["used_bytes"] is None:  # before the first update
        continue
    at = datetime.datetime.fromisoformat(s["observed_at"].replace("Z", "+00:00")).timestamp()
    wrong += s["used_bytes"] != 1000000 + (at - int(sys.argv[2])) / 10 or at < last
    last = at
print(wrong, "wrong")
END
)" '0 wrong'
done_testing
