#!/bin/bash
# SPDX-License-Identifier: MIT
# The demonstration's series in a real VictoriaMetrics give the summaries that its RRD files give.
# shellcheck source=tests/lib/tap.sh
. "${SOURCE:-.}/tests/lib/tap.sh"
command -v victoria-metrics >/dev/null || skip_all 'needs victoria-metrics'

END=2026-11-20T00:00:00Z
ok "the demonstration's fleet is there" tidemark-demo --end $END --types /usr/share/collectd/types.db \
  --types plugins/types.db "$T/demo"
mkdir "$T/rrd"
for site in "$T"/demo/*/rrd; do mv "$site"/* "$T/rrd/"; done
echo 'site { timezone = "Asia/Tokyo" }' >"$T/conf"

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# start [OPTION...]: a server over the same data, at $url
start() {
  local port
  port=$(port)
  url=http://127.0.0.1:$port
  victoria-metrics -storageDataPath="$T/vm" -retentionPeriod=100y -httpListenAddr="127.0.0.1:$port" \
    -memory.allowedBytes=256MB "$@" >"$T/vm.log" 2>&1 &
  server=$!
  keep $server
  wait_for curl -sf "$url/health"
}
run() { tidemark-analyze run --config "$T/conf" --as-of $END --format json "$@"; }

start || { cat "$T/vm.log"; exit 1; }
PYTHONPATH=tests/lib python3 -c 'import sys, prometheus_samples
prometheus_samples.as_import(sys.argv[1], sys.stdout)' "$T/rrd" |
  curl -sf --data-binary @- "$url/api/v1/import"
curl -sf "$url/internal/force_flush" >/dev/null

run --data "$T/rrd" >"$T/wanted"
is 'the server is asked for every device' "$(status_of run --source "prometheus:$url")" 0
mv "$T/out" "$T/seen"
is 'without a complaint' "$(cat "$T/err")" ''
ok 'the summaries are the same within the resolution' \
  python3 tests/lib/same_summaries.py "$T/wanted" "$T/seen"
is 'the number of jobs makes no difference' "$(run --source "prometheus:$url" --jobs 3 | sha256sum)" \
  "$(sha256sum <"$T/seen")"
for i in 0 1 2; do run --source "prometheus:$url" --shard $i/3; done >"$T/shards" 2>/dev/null
is 'three shares together are the whole' "$(sort "$T/shards" | sha256sum)" "$(sort "$T/seen" | sha256sum)"
names() { grep -o '"host":"[^"]*"},"product":{"device":"[^"]*"' | sort; }
for i in 0 1 2; do
  is "share $i has the devices that the share of RRD files has" \
    "$(run --source "prometheus:$url" --shard $i/3 2>/dev/null | names)" \
    "$(run --data "$T/rrd" --shard $i/3 2>/dev/null | names)"
done
is 'an earlier day is told as it was' \
  "$(run --source "prometheus:$url" --as-of 2026-10-30 --no-forecast >"$T/then"; echo $?)" 0
run --data "$T/rrd" --as-of 2026-10-30 --no-forecast >"$T/wanted-then"
ok 'by the same numbers' python3 tests/lib/same_summaries.py "$T/wanted-then" "$T/then"
is 'a year of days' \
  "$(run --source "prometheus:$url" --history 366d --no-forecast >"$T/year"; echo $?)" 0
run --data "$T/rrd" --history 366d --no-forecast >"$T/wanted-year"
ok 'has the same days' python3 tests/lib/same_summaries.py "$T/wanted-year" "$T/year"
is 'one device is drawn' "$(status_of tidemark-analyze graph osaka-gw/array-01 \
  --source "prometheus:$url" --as-of $END -o "$T/graph.svg")" 0

# Labels as they may come: a scrape without honor_labels, and names that are none.
add() { printf '{"metric":{%s},"timestamps":[1795132200000,1795132500000],"values":[5,6]}\n' "$1"; }
{
  add '"__name__":"collectd_disk_array_capacity","disk_array":"far","type":"used","instance":"127.0.0.1:9103","exported_instance":"far.example.com"'
  add '"__name__":"collectd_disk_array_capacity","disk_array":"../up","type":"used","instance":"bad.example.com"'
  add '"__name__":"collectd_disk_array_capacity","disk_array":"twice","type":"used","instance":"x.example.com","job":"a"'
  add '"__name__":"collectd_disk_array_capacity","disk_array":"twice","type":"used","instance":"x.example.com","job":"b"'
} | curl -sf --data-binary @- "$url/api/v1/import"
curl -sf "$url/internal/force_flush" >/dev/null
is 'what cannot be told is refused' "$(status_of run --source "prometheus:$url" --no-forecast)" 65
like 'a device whose host the scrape renamed is there' "$(cat "$T/out")" '"host":"far.example.com"'
unlike 'and is not taken for the address of the scrape' "$(cat "$T/out")" '"host":"127.0.0.1'
like 'a name that leads elsewhere is named' "$(cat "$T/err")" 'bad.example.com/disk_array-\.\./up: not the name'
like 'a device that two scrapes tell is named' "$(cat "$T/err")" \
  "x.example.com/disk_array-twice: .*several series have the type 'used'"
is 'all others are reported' "$(wc -l <"$T/out")" 13
end $server

# A server that allows too little, and one that is away.
start -search.maxPointsPerTimeseries=100
is 'answers that are errors are refused' "$(status_of run --source "prometheus:$url" --no-forecast)" 65
like 'by device, with what the server said' "$(cat "$T/err")" \
  'osaka-gw/disk_array-array-01: .*the server answered 422: .*100'
end $server
is 'a server that is away is said to be' "$(status_of run --source "prometheus:$url")" 69
like 'by its address' "$(cat "$T/err")" "127.0.0.1:[0-9]+/.*: Failed to connect"
is 'an address that is none is refused' "$(status_of run --source 'prometheus:ftp://127.0.0.1/')" 65
done_testing
