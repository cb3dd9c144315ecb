#!/bin/bash
# SPDX-License-Identifier: MIT
# run --forecast-rrd: forecasts as RRD files, read back and drawn by rrdtool.
# shellcheck source=tests/lib/tap.sh
. "${SOURCE:-.}/tests/lib/tap.sh"
END=1795132800 # 2026-11-20T00:00:00Z
# shellcheck disable=SC2034 # it stands in the values
GB=1000000000
data=$T/rrd
make() { # make FOLDER FILE DAYS VALUE: one value a day, the last one half a day after END
  local file=$data/$1/$2.rrd i updates=()
  mkdir -p "${file%/*}"
  rrdtool create "$file" --start $((END - ($3 + 2) * 86400)) --step 300 DS:value:GAUGE:100000:0:U \
    RRA:AVERAGE:0.1:12:17664 RRA:MAX:0.1:12:17664
  for ((i = 0; i < $3; i++)); do
    updates+=("$((END + 43200 - ($3 - 1 - i) * 86400)):$(($4))")
  done
  rrdtool update "$file" "${updates[@]}"
}
make web/df-root df_complex-used 120 "(40 + i) * GB"
make web/df-root df_complex-free 120 "(160 - i) * GB"
make web/df-flat df_complex-used 120 '50 * GB'
make web/df-flat df_complex-free 120 '50 * GB'
make web/df-young df_complex-used 3 '(10 + i) * GB'
make web/df-young df_complex-free 3 '(90 - i) * GB'
make 'web/disk_array-a:b %s' capacity-used 120 "(40 + i) * GB"
make 'web/disk_array-a:b %s' capacity-total 120 "200 * GB"

run() { tidemark-analyze run --data "$data" --format json "$@"; }
ahead=$T/ahead
run >"$T/plain"
is 'forecasts are written' "$(status_of run --forecast-rrd "$ahead")" 0
is '... without a word' "$(cat "$T/err")" ''
ok '... and the summaries are the same' cmp "$T/out" "$T/plain"
is 'a device with a forecast has a file, one without has none' \
  "$(cd "$ahead" && find . -type f | sort | tr '\n' ' ')" \
  './web/df-flat/forecast.rrd ./web/df-root/forecast.rrd ./web/disk_array-a:b %s/forecast.rrd '

fetch() { # fetch FILE: "TIME LOW MIDDLE HIGH FULL" a line
  rrdtool fetch "$1" AVERAGE -r 86400 -s $((END - 86400)) -e $((END + 400 * 86400)) |
    sed -n 's/^\([0-9]*\): /\1 /p' | grep -v ' -\?nan -\?nan -\?nan -\?nan$'
}
fetch "$ahead/web/df-root/forecast.rrd" >"$T/rows"
is 'rrdtool fetch finds a year of days' "$(wc -l <"$T/rows")" 365
is 'the first one ends at the first midnight after the newest reading' \
  "$(head -n 1 "$T/rows" | cut -d' ' -f1)" $((END + 86400))
cat >"$T/check.py" <<'EOP'
import datetime, json, sys
rows = [[float(x) for x in line.split()] for line in open(sys.argv[1])]
for line in open(sys.argv[2]):
    s = json.loads(line)
    if s["product"]["device"] == sys.argv[3]:
        break
fill = {k: datetime.datetime.fromisoformat(v.replace("Z", "+00:00")).timestamp()
        for k, v in s["forecast"]["fill"].items() if isinstance(v, str)}
limit = s["status"]["capacity_bytes"]
now = datetime.datetime.fromisoformat(s["status"]["observed_at"].replace("Z", "+00:00")).timestamp()
for key, column in (("0.1", 3), ("0.5", 2), ("0.9", 1)):
    reached = next((r[0] for r in rows if r[column] >= limit * (1 - 1e-9)), None)
    assert reached is not None and 0 <= reached - fill[key] < 86400, (key, reached, fill[key])
assert all(r[1] <= r[2] <= r[3] <= limit * (1 + 1e-9) for r in rows)
assert s["status"]["used_bytes"] <= rows[0][1], "it begins at what is used now"
full = [r[4] for r in rows]
assert full == sorted(full) and 0 <= full[0] and full[-1] <= 1
for horizon, p in s["forecast"]["fill"]["probability_by_horizon"].items():
    at = now + int(horizon[:-1]) * 86400
    near = [r[4] for r in rows if abs(r[0] - at) <= 86400]
    assert not near or min(near) - 1e-3 <= p <= max(near) + 1e-3, (horizon, p, near)
EOP
ok 'they reach the capacity on the dates of the summary, and the chances are its own' \
  /usr/bin/python3 "$T/check.py" "$T/rows" "$T/plain" df-root
fetch "$ahead/web/df-flat/forecast.rrd" >"$T/rows"
is 'a device that fills up some day or never goes on as it is' \
  "$(/usr/bin/python3 -c "
rows = [line.split() for line in open('$T/rows')]
print(len(rows), {r[1] for r in rows} | {r[3] for r in rows}, {float(r[2]) for r in rows})" | tr -d '-')" \
  "365 {'nan'} {50000000000.0}"
run --forecast-rrd "$T/again" >/dev/null
ok 'the same input gives the same rows' \
  cmp <(fetch "$ahead/web/df-root/forecast.rrd") <(fetch "$T/again/web/df-root/forecast.rrd")

# --- again, later, elsewhere ----------------------------------------------------------------------
rm -r "$data/web/df-flat"
make web/df-flat df_complex-used 3 '50 * GB'
make web/df-flat df_complex-free 3 '50 * GB'
is 'a second run replaces them' "$(status_of run --forecast-rrd "$ahead")" 0
is '... and removes what is foretold no more' "$(find "$ahead" -path '*df-flat*' -type f)" ''
is '... and leaves nothing else' "$(find "$ahead" -type f ! -name forecast.rrd)" ''
is 'they may stand beside the history' "$(status_of run --forecast-rrd "$data")" 0
is '... and are no history' "$(status_of run; cat "$T/err")" 0
ok '... that the summaries would show' cmp <(grep -v df-flat "$T/out") <(grep -v df-flat "$T/plain")

# --- drawn by rrdtool -----------------------------------------------------------------------------
python() { PYTHONPATH=$SOURCE/tests/lib /usr/bin/python3 "$@"; }
# Points of the colour of lines and of that below them, in the right half of the plot.
points() {
  python -c 'import sys, png
width, height, rows = png.read(sys.argv[1])
def count(wanted):
    return sum(all(abs(a - b) < 8 for a, b in zip(p, wanted))
               for r in rows[40:height - 60] for p in r[width * 55 // 100:width - 20])
print(count((15, 118, 110)), count((231, 241, 240)))' "$1"
}
folder=$data/web/disk_array-a:b\ %s
draw() { faketime -f "@2026-11-20 12:00:00" contrib/graphs/draw "$@"; }
ok 'draw lays the forecast over the history' env FORECAST="$ahead" "$(command -v faketime)" \
  -f '@2026-11-20 12:00:00' contrib/graphs/draw "$folder" "$T/with.png" 90d
ok 'and draws the history alone' draw "$folder" "$T/without.png" 90d
read -r line area <<<"$(points "$T/with.png")"
ok 'its line goes on where the history has ended' [ "$line" -gt 50 -a "$area" -lt 500 ]
read -r line area <<<"$(points "$T/without.png")"
ok '... which goes on alone otherwise' [ "$line" -gt 50 -a "$area" -gt 1000 ]

# --- what goes wrong ------------------------------------------------------------------------------
is 'a forecast is needed' "$(status_of run --no-forecast --forecast-rrd "$ahead")" 64
echo x >"$T/file"
is 'a folder that cannot be made' "$(status_of run --jobs 1 --forecast-rrd "$T/file/x")" 74
is '... is named, and not for each device' \
  "$(sed "s,: .*,," "$T/err" | uniq -c | tr -s ' \n' ' ')" ' 1 tidemark-rrd 1 tidemark-analyze '
like '... with the reason' "$(cat "$T/err")" "$T/file/x: "
mkdir -p "$T/partly/web" && echo >"$T/partly/web/df-root"
is 'a device whose file cannot be made' "$(status_of run --forecast-rrd "$T/partly")" 74
like '... is named' "$(cat "$T/err")" "$T/partly/web/df-root"
is '... and the others have theirs' "$(find "$T/partly" -name forecast.rrd | wc -l)" 1
ok '... and the report is made' cmp "$T/out" <(run)
is 'the helper is for the analyzer' "$(status_of tidemark-rrd)" 64
hostile='{"schema":"tidemark.ahead/1","host":"..","folder":"x","start":1795132800,"rows":[[1,2,3,0]]}'
is 'names that lead elsewhere are refused' "$(status_of tidemark-rrd "$T/h" <<<"$hostile")" 65
is '... and nothing is made' "$(ls "$T/h" 2>/dev/null)" ''
for wrong in '"start":-1,"rows":[]' '"start":1e9,"rows":[]' '"start":0,"rows":[[1,2,3]]' \
  '"start":0,"rows":7' '"start":9223372036854775807,"rows":[[1,2,3,0]]'; do
  is "a document with $wrong is refused" "$(status_of tidemark-rrd "$T/h" \
    <<<"{\"schema\":\"tidemark.ahead/1\",\"host\":\"a\",\"folder\":\"x\",$wrong}")" 65
done
done_testing
