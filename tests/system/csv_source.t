#!/bin/bash
# SPDX-License-Identifier: MIT
# Histories from a CSV file: the same devices, numbers and forecast as the file tells, bad rows named
# by line, and every command that reads histories takes it.
# shellcheck source=tests/lib/tap.sh
. "${SOURCE:-.}/tests/lib/tap.sh"

# Two years of days: array-01 grows to its limit with a weekly rhythm, an expansion in the middle.
day0=1700006400 # 2023-11-15 00:00 UTC
rows() { # rows SERIES START GROWTH CAPACITY
  awk -v s="$1" -v u="$2" -v g="$3" -v c="$4" -v t=$day0 'BEGIN {
    for (i = 1; i <= 700; i++)
      printf "%s,%d,%.0f,%.0f\n", s, t + i * 86400, u + g * i + (i % 7) * 1e8, c }'
}
{
  echo series,time,used,capacity
  rows gw/disk_array-array-01 3e12 1e10 1.2e13
  rows gw/nas-7 1e12 0 2e12
  rows alone 5e11 2e8 1e12
} >"$T/site.csv"
run() { tidemark-analyze run --source "csv:$T/site.csv" --format json "$@"; }
get() { python3 -c '
import json, sys
want = sys.argv[1].split("/")
for line in sys.stdin:
    d = json.loads(line)
    if d["customer"]["host"] == want[0] and d["product"]["device"] == want[1]:
        print(eval(sys.argv[2]))' "$@"; }

is 'a sound file is reported' "$(status_of run)" 0
cp "$T/out" "$T/all"
is 'each series is a device' "$(wc -l <"$T/all")" 3
is 'host and device stand in the name' "$(get gw/array-01 'd["product"]["kind"]' <"$T/all")" disk_array
is 'any other name is a device of a computer' "$(get gw/nas-7 'd["product"]["kind"]' <"$T/all")" computer
is 'a name without a host belongs to the file' "$(get site/alone 'd["product"]["kind"]' <"$T/all")" computer
is 'the newest reading is the status' \
  "$(get gw/array-01 '(d["status"]["observed_at"], d["status"]["used_bytes"], d["status"]["capacity_bytes"])' <"$T/all")" \
  "('2025-10-15T00:00:00Z', 10000000000000, 12000000000000)"
is 'the history has the reading of each day' \
  "$(get gw/array-01 '[h["used_bytes"] for h in d["history"]][-3:]' <"$T/all")" \
  "[9980500000000, 9990600000000, 10000000000000]"

# The forecast of the same rows by the other command.
tidemark-analyze forecast "$T/site.csv" >"$T/forecast"
want=$(python3 -c '
import json, sys
for line in sys.stdin:
    d = json.loads(line)
    if d["series"] == "gw/disk_array-array-01":
        print(d["fill"]["0.5"]["date"] if isinstance(d["fill"]["0.5"], dict) else d["fill"]["0.5"])' <"$T/forecast")
is 'the forecast is that of the command forecast' \
  "$(get gw/array-01 'd["forecast"]["fill"]["0.5"]' <"$T/all")" "$want"

is 'rows after --as-of are not seen' \
  "$(run --as-of 2025-01-01 | get gw/array-01 '(d["status"]["observed_at"], d["status"]["used_bytes"])')" \
  "('2025-01-01T00:00:00Z', 7130000000000)"
for i in 0 1 2; do run --shard $i/3; done >"$T/shards" 2>/dev/null
is 'three shares together are the whole' "$(sort "$T/shards" | sha256sum)" "$(sort "$T/all" | sha256sum)"
for i in 0 1 2 3 4 5 6 7; do status_of run --shard $i/8; done | sort -u >"$T/statuses"
is 'a share without a series is done too' "$(cat "$T/statuses")" 0
is 'the number of jobs makes no difference' "$(run --jobs 3 | sha256sum)" "$(sha256sum <"$T/all")"

# What is wrong is named, and costs its series alone.
cp "$T/site.csv" "$T/bad.csv"
printf '%s\n' 'gw/broken,1700006400,1,2' 'gw/broken,1700092800,many,2' 'gw/disk_array-array-01,1,2,3' \
  '../up,1700006400,1,2' >>"$T/bad.csv"
is 'a bad row is refused' "$(status_of tidemark-analyze run --source "csv:$T/bad.csv" --format json)" 65
like 'with its file and line' "$(cat "$T/err")" "bad\.csv:2103: series 'gw/broken': 'used' is not a number"
like 'rows that do not stand together are refused' "$(cat "$T/err")" \
  "series 'gw/disk_array-array-01': its rows do not stand together"
like 'a name that leads elsewhere is refused' "$(cat "$T/err")" "series '\.\./up': not the name of a device"
is 'the others are reported' "$(wc -l <"$T/out")" 2
is 'check names them too' "$(status_of tidemark-analyze check --source "csv:$T/bad.csv")" 65
like 'as findings' "$(cat "$T/out")" 'bad\.csv:2103: '
is 'no file, no input' "$(status_of tidemark-analyze run --source "csv:$T/none.csv")" 66
is 'an unknown source is a usage error' "$(status_of tidemark-analyze run --source odbc:x)" 64
like 'that tells which there are' "$(cat "$T/err")" 'rrd:DIR'
is 'two sources are one too many' "$(status_of run --data "$T")" 64

is 'a graph is drawn' "$(status_of tidemark-analyze graph gw/nas-7 --source "csv:$T/site.csv" -o "$T/g.svg")" 0
is 'of the device that was named' "$(grep -c 'nas-7' "$T/g.svg" | grep -vc '^0$')" 1

# Recorded forecasts are judged against the same file.
echo "paths { state = \"$T/state\" }" >"$T/conf"
run --config "$T/conf" --record --as-of 2025-01-01 >/dev/null
is 'recorded forecasts are scored' \
  "$(status_of tidemark-analyze score --config "$T/conf" --source "csv:$T/site.csv" --format json)" 0
like 'by kind of device' "$(cat "$T/out")" '"kind":"disk_array"'
# --- an expansion ----------------------------------------------------------------------------------
{
  echo series,time,used,capacity
  rows gw/nas-8 1e12 1e9 2e12 | head -n 600
  rows gw/nas-8 1e12 1e9 3e12 | tail -n 100
} >"$T/grown.csv"
is 'the day of a change of capacity is told: the last reading before it is of 2025-07-07' \
  "$(tidemark-analyze run --source "csv:$T/grown.csv" --format json | get gw/nas-8 'd["status"]["capacity_changed_on"]')" 2025-07-07
is '... and where there was none, that there was none' \
  "$(get gw/nas-7 'd["status"]["capacity_changed_on"]' <"$T/all")" None

done_testing
