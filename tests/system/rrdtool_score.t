#!/bin/bash
# SPDX-License-Identifier: MIT
# Forecasts that were recorded are held against what happened: a file system that grew by 1 GB a day
# and was full ten days before its history ends.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

END=1795132800 # 2026-11-20T00:00:00Z
DAYS=200
data=$T/rrd/web/df-srv
mkdir -p "$data"
for type in used free; do
  rrdtool create "$data/df_complex-$type.rrd" --start $((END - (DAYS + 2) * 86400)) --step 300 \
    DS:value:GAUGE:100000:0:U RRA:AVERAGE:0.1:12:17664
  awk -v type=$type -v end=$END -v days=$DAYS 'BEGIN {
    for (i = 0; i <= (days - 1) * 24; i++) { # hourly; full ten days before the end
      used = 11 + i / 24
      if (used > 200) used = 200
      printf "%d:%.0f\n", end - ((days - 1) * 24 - i) * 3600, (type == "used" ? used : 200 - used) * 1e9
    }
  }' | xargs -n 2000 rrdtool update "$data/df_complex-$type.rrd"
done
printf 'paths { data = "%s" state = "%s" }\n' "$T/rrd" "$T/state" >"$T/conf"
full=$(date -u -d "@$((END - 10 * 86400))" +%F)

is 'before anything is recorded, score says how' \
  "$(tidemark-analyze score -c "$T/conf" | grep -c 'run --record')" 1
for ago in 100 80 60 40 20; do
  tidemark-analyze run -c "$T/conf" --record -o /dev/null --as-of "@$((END - ago * 86400))"
done
is 'five forecasts stand in the ledger' "$(wc -l <"$T/state/ledger/web/df-srv.ndjson")" 5
score=$(tidemark-analyze score -c "$T/conf" --format json)
field() { python3 -c "import json,sys; s = json.loads(sys.stdin.readline()); print($1)" <<<"$score"; }
is 'all five are judged: the limit was reached' "$(field "s['forecasts'], s['judged']")" '5 5'
ok "the middle was off by at most three days ($(field "s['median_error_days']"))" \
  test "$(field "abs(s['median_error_days']) <= 3")" = True
ok 'most of them inside the range' test "$(field "s['inside'] >= 4")" = True
is 'those that said 30 days early enough were right' \
  "$(field "s['horizons']['30d']['forecasts'], s['horizons']['30d']['filled']")" '5 1'
like 'the table tells the same' "$(tidemark-analyze score -c "$T/conf")" '^computer .* 5 +5 +[0-9]+ %'
record=$(tidemark-analyze run -c "$T/conf" --format json | python3 -c "import json,sys
s = json.loads(sys.stdin.readline()); print(s['forecast']['backtest']['record'], s['forecast']['verdict'])")
like 'the device carries its own record' "$record" '^last 5 forecasts: [45] inside the range, median .* reached$'
sed -i '2i {"at":"2026-' "$T/state/ledger/web/df-srv.ndjson"
tidemark-analyze run -c "$T/conf" --record -o /dev/null 2>"$T/torn"
is 'a damaged line of the ledger is named once by run' \
  "$(grep -c . "$T/torn") $(grep -c "warning: $T/state/ledger/web/df-srv.ndjson:2: " "$T/torn")" '1 1'
is 'and once by score, which forgets it with the old ones' \
  "$(tidemark-analyze score -c "$T/conf" --keep 90d --format json 2>&1 >"$T/scored" | grep -c 'df-srv.ndjson:2: ') $(
    python3 -c "import json,sys; print(json.load(sys.stdin)['forecasts'])" <"$T/scored") $(wc -l <"$T/state/ledger/web/df-srv.ndjson")" '1 4 4'
is 'old ones are forgotten' \
  "$(tidemark-analyze score -c "$T/conf" --keep 50d --format json >/dev/null; wc -l <"$T/state/ledger/web/df-srv.ndjson")" 2
like 'the day was the one in the data' "$full" '^2026-11-10$'
done_testing
