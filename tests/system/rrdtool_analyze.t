#!/bin/bash
# SPDX-License-Identifier: MIT
# tidemark-analyze run over RRDs that rrdtool wrote: what a user types, sees, and sees when it is bad.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

END=1795132800 # 2026-11-20T00:00:00Z
data=$T/rrd
# make FOLDER FILE DAYS VALUE...: a GAUGE as collectd names it, one value a day, the last one at END.
make() {
  local file=$data/$1/$2.rrd days=$3 i=0 updates=()
  shift 3
  mkdir -p "$(dirname "$file")"
  rrdtool create "$file" --start $((END - (days + 2) * 86400)) --step 300 DS:value:GAUGE:100000:0:U \
    RRA:AVERAGE:0.1:12:17664 RRA:MAX:0.1:12:17664
  while [ $i -lt "$days" ]; do
    updates+=("$((END - (days - 1 - i) * 86400)):$(eval "echo \$(($*))")")
    i=$((i + 1))
  done
  rrdtool update "$file" "${updates[@]}"
}
GB=1000000000
# A file system that gains 1 GB a day and has 40 GB to go; a flat one; a young one.
make web/df-root df_complex-used 120 "(40 + i) * $GB"
make web/df-root df_complex-free 120 "(160 - i) * $GB"
make web/df-srv df_complex-used 120 "50 * $GB"
make web/df-srv df_complex-free 120 "50 * $GB"
make mail/df-var df_complex-used 3 "(10 + i) * $GB"
make mail/df-var df_complex-free 3 "(90 - i) * $GB"

out=$(tidemark-analyze run --data "$data" --format json)
is 'every device is one line of JSON' \
  "$(python3 -c 'import json,sys; print(len([json.loads(l) for l in sys.stdin]))' <<<"$out")" 3
field() { # field DEVICE EXPRESSION: of the summary s
  python3 -c "import json,sys
for l in sys.stdin:
    s = json.loads(l)
    if s['product']['device'] == '$1': print($2)" <<<"$out"
}
is 'used and capacity are the newest reading' "$(field df-root "s['status']['used_bytes'], s['status']['capacity_bytes']")" "$((159 * GB)) $((200 * GB))"
is 'observed_at is the newest row' "$(field df-root "s['status']['observed_at']")" 2026-11-20T00:00:00Z
ok 'the middle of the fill date is within two days of the truth (2026-12-31)' \
  test "$(field df-root "abs((__import__('datetime').datetime.fromisoformat(s['forecast']['fill']['0.5'][:10]) - __import__('datetime').datetime(2026,12,31)).days) <= 2")" = True
is 'a flat series has no date and says so' "$(field df-srv "s['forecast']['fill']['0.5'], s['forecast']['verdict']")" "None flat"
like 'three days are said to be too few' "$(field df-var "s['forecast']['reason']")" '^[23] days of history; 14 days needed$'
is 'a file system belongs to a computer' "$(field df-root "s['product']['kind'], s['customer']['host']")" "computer web"

brief() { # brief OPTIONS: days, and which members a day and the status have beyond the maxima
  out=$(tidemark-analyze run --data "$data" --format json --no-forecast "$@")
  field df-root "len(s['history']), *sorted({'transfers_mean', 'transfers_p95'} & set(s['history'][0])), 'capacity_changed_on' in s['status'], s['forecast']"
}
is 'without a forecast: a month of maxima and nothing else' "$(brief)" "30 False None"
is '... unless the history is asked for' "$(brief --history 35d)" "35 transfers_mean transfers_p95 True None"

table=$(COLUMNS=200 tidemark-analyze run --data "$data")
is 'the most urgent device stands first' "$(sed -n '2s/ .*//p' <<<"$table")" web/df-root
like 'the table has a head' "$(head -n 1 <<<"$table")" '^DEVICE +USED +CAPACITY'
unlike 'no colour where there is no terminal' "$table" $'\033'
wide=$(awk '{ if (length($0) > m) m = length($0) } END { print m }' <<<"$(COLUMNS=80 tidemark-analyze run --data "$data")")
ok 'the table fits a terminal of 80 columns' test "$wide" -le 80
script=$(script -qec "NO_COLOR=1 tidemark-analyze run --data $data" /dev/null 2>/dev/null)
unlike 'NO_COLOR holds on a terminal' "$script" $'\033\\[3'
script=$(TERM=xterm script -qec "tidemark-analyze run --data $data" /dev/null 2>/dev/null)
like 'a terminal gets colour' "$script" $'\033\\[3'

out=$(tidemark-analyze run --data "$data" --as-of 2026-10-01 --format json)
is 'as-of says what would have been said then' "$(field df-root "s['generated_at'], s['status']['used_bytes'] // $GB")" "2026-10-01T00:00:00Z 109"
a=$(tidemark-analyze run --data "$data" --format json --jobs 1 | sha256sum)
b=$(tidemark-analyze run --data "$data" --format json --jobs 4 | sha256sum)
is 'one job and four write the same bytes' "$a" "$b"
for i in 0 1 2; do tidemark-analyze run --data "$data" --format json --shard $i/3; done >"$T/shards" 2>/dev/null
is 'three shards together are the whole' "$(sort "$T/shards" | sha256sum)" \
  "$(tidemark-analyze run --data "$data" --format json | sort | sha256sum)"

mkdir -p "$T/none.d"
for i in 0 1 2 3 4 5 6 7; do status_of tidemark-analyze run --data "$data" --shard $i/8; done | sort -u >"$T/statuses"
is 'a share without a device is done too' "$(cat "$T/statuses")" 0
is '... but not where there is none in any' \
  "$(status_of tidemark-analyze run --data "$T/none.d" --shard 0/8) $(grep -c "$T/none.d: holds no RRD" "$T/err")" '66 1'
is '--output is written whole' "$(status_of tidemark-analyze run --data "$data" --format json -o "$T/o.json")$(wc -l <"$T/o.json")$(compgen -G "$T/o.json.*" | wc -l)" 030
is 'what cannot be written is a fault of output, with its name' \
  "$(status_of tidemark-analyze run --data "$data" -o /nonexistent/o.json)$(grep -c /nonexistent/o.json "$T/err")" 741
closed() { tidemark-analyze run --data "$data" --format "$1" >&-; }
for format in table json html; do
  is "$format: a standard output that is closed is a fault of output alone" \
    "$(status_of closed "$format") $(cat "$T/err")" '74 tidemark-analyze: standard output: cannot write: Bad file descriptor'
done

cat >"$T/conf" <<X
customer { id = "C-1" name = "Example KK" }
site { name = "osaka-1" timezone = "Asia/Tokyo" }
paths { data = "$data" state = "$T/state" spool = "$T/spool" }
X
out=$(tidemark-analyze run -c "$T/conf" --format json)
is 'the configuration names customer and site' "$(field df-root "s['customer']['id'], s['customer']['site']")" "C-1 osaka-1"
is '--record keeps ledger and summaries' "$(status_of tidemark-analyze run -c "$T/conf" --record -o /dev/null; ls "$T/state")" "$(printf '0\nledger\nsummaries\nsummaries.ndjson')"
tidemark-analyze run -c "$T/conf" --as-of 2026-08-10 --record -o /dev/null
is 'a date before the last one is not recorded again' "$(wc -l <"$T/state/ledger/web/df-root.ndjson")" 1
echo 'timezoen = "x"' >>"$T/conf"
is 'an unknown key is refused with file and line' "$(status_of tidemark-analyze run -c "$T/conf")$(grep -c "$T/conf:4" "$T/err")" 781
is 'an unknown format is a usage error' "$(status_of tidemark-analyze run --format tabel)" 64
is 'no such directory: no input' "$(status_of tidemark-analyze run --data "$T/none")" 66

# --- bad files beside good ones
mkdir -p "$data/bad/df-a" "$data/bad/df-dir/df_complex-used.rrd"
for f in empty:'' foreign:'hello, world' ; do
  mkdir -p "$data/bad/df-${f%%:*}"
  printf '%s' "${f#*:}" >"$data/bad/df-${f%%:*}/df_complex-used.rrd"
done
mkdir -p "$data/bad/df-short" "$data/bad/df-fifo" "$data/bad/df-link"
head -c 1000 "$data/web/df-root/df_complex-used.rrd" >"$data/bad/df-short/df_complex-used.rrd"
mkfifo "$data/bad/df-fifo/df_complex-used.rrd"
ln -s df_complex-used.rrd "$data/bad/df-link/df_complex-used.rrd"
is 'bad files: the status says that input was refused' "$(status_of timeout 20 tidemark-analyze run --data "$data" --format json)" 65
is 'the good devices are all reported' "$(grep -c '"host":"\(web\|mail\)"' "$T/out")" 3
for f in empty foreign short fifo link dir; do
  is "df-$f is named once" "$(grep -c "bad/df-$f/df_complex-used.rrd: " "$T/err")" 1
done
is 'nagios: what could not be read is no OK' "$(status_of tidemark-analyze run --data "$data" --format nagios --warning 5d --critical 1d)" 3
like '... and is counted' "$(head -n 1 "$T/out")" '^TIDEMARK UNKNOWN - 3 devices, none fills up soon; 6 could not be read \|'
is 'score tells it too' "$(status_of tidemark-analyze score --data "$data") $(grep -c 'bad/df-short/df_complex-used.rrd: ' "$T/err")" '65 1'
rm -rf "$data/bad"
for bad in "--data $T/none" "--data $T/none.d" "--data $data --config $T/none.conf" "--data $data --catalogue $T/none|x"; do
  # shellcheck disable=SC2086 # several words
  is "nagios: what cannot be judged at all is 3, and said ($bad)" \
    "$(status_of tidemark-analyze run --format nagios $bad) $(grep -c '^TIDEMARK UNKNOWN - [^|]*$' "$T/out") $(wc -l <"$T/err")" '3 1 1'
done
is 'nagios: critical is 2' "$(status_of tidemark-analyze run --data "$data" --format nagios --critical 60d)" 2
like 'nagios: the first line names the device' "$(head -n 1 "$T/out")" '^TIDEMARK CRITICAL - web/df-root fills up on 202[67]-.*\|'
is 'nagios: nothing soon is 0' "$(status_of tidemark-analyze run --data "$data" --format nagios --warning 5d --critical 1d)" 0
tidemark-analyze run --data "$data" --format openmetrics >"$T/metrics"
like 'openmetrics: used bytes' "$(cat "$T/metrics")" "^tidemark_used_bytes\{host=\"web\",device=\"df-root\",kind=\"computer\"\} $((159 * GB))$"
is 'openmetrics ends with EOF' "$(tail -n 1 "$T/metrics")" '# EOF'
tidemark-analyze run --data "$data" --format html -o "$T/r.html"
is 'html: a section a device' "$(grep -c '<section' "$T/r.html")" 3

# --- a state folder that cannot be written to costs the record, not the report
mkdir "$T/file" && echo >"$T/file/state"
printf 'paths { data = "%s" state = "%s" }\n' "$data" "$T/file/state" >"$T/unwritable.conf"
ln -s loop "$T/loop"
sed "s,state = [^ ]*,state = \"$T/loop\"," "$T/unwritable.conf" >"$T/unseen.conf"
is 'a state folder that cannot be looked into is told once, not for each device' \
  "$(status_of tidemark-analyze run -c "$T/unseen.conf") $(grep -c "warning: $T/loop/ledger: " "$T/err") $(wc -l <"$T/err") $(wc -l <"$T/out")" '0 1 2 4'
is 'a state folder that is none: the status says so' "$(status_of tidemark-analyze run -c "$T/unwritable.conf" --record)" 74
is 'and it is named once, beside a whole report' "$(grep -c "$T/file/state" "$T/err") $(wc -l <"$T/out")" '1 4'

# --- check
sed -i '$d' "$T/conf" # the unknown key
printf '<Plugin rrdtool>\n  StepSize 70\n</Plugin>\n' >"$T/collectd.conf"
rrdtool create "$T/step.rrd" --start $((END - 86400)) --step 7 DS:value:GAUGE:14:0:U RRA:MAX:0.1:1:100
mkdir -p "$data/web/disk_array-a" && mv "$T/step.rrd" "$data/web/disk_array-a/interval_count-transfers.rrd"
is 'check: findings are 65' "$(status_of tidemark-analyze check -c "$T/conf" --collectd-conf "$T/collectd.conf")" 65
like 'check names the line of collectd.conf' "$(cat "$T/out")" "^$T/collectd.conf:2: StepSize 70"
like 'check names the file whose step does not divide' "$(cat "$T/out")" '^.*web/disk_array-a/interval_count-transfers.rrd: '
echo >"$T/collectd.conf"
rm -r "$data/web/disk_array-a" && mkdir "$data/web/disk_array-a"
rrdtool create "$data/web/disk_array-a/interval_count-transfers.rrd" --start $((END - 86400)) --step 300 \
  DS:value:GAUGE:600:0:U RRA:MAX:0.1:1:17664 RRA:MAX:0.1:12:17664
is 'check: a file keeps its own interval' "$(status_of tidemark-analyze check -c "$T/conf" --collectd-conf "$T/collectd.conf")" 0
is 'check --interval asks for another one' "$(status_of tidemark-analyze check -c "$T/conf" --collectd-conf "$T/collectd.conf" --interval 100s)" 65
like '... of RRD files too' "$(cat "$T/out")" 'interval_count-transfers.rrd: a step of 300 s does not divide the unit interval of 100 s'
rm -r "$data/web/disk_array-a"
is 'check: nothing to mend is 0' "$(status_of tidemark-analyze check -c "$T/conf" --collectd-conf "$T/collectd.conf")$(cat "$T/out")" \
  '0nothing to mend: 3 devices, 0 registered'
done_testing
