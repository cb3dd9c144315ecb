#!/bin/bash
# SPDX-License-Identifier: MIT
# The demonstration's series in a real Prometheus give the summaries of the RRD files; a real
# collectd that it scrapes is read by the names of write_prometheus; promtool accepts our metrics.
# shellcheck source=tests/lib/tap.sh
. "${SOURCE:-.}/tests/lib/tap.sh"
command -v prometheus >/dev/null || skip_all 'needs prometheus'

END=2026-11-20T00:00:00Z
DAYS=8 # promtool reads its input once for every two hours of it
ok "the demonstration's fleet is there" tidemark-demo --end $END --types /usr/share/collectd/types.db \
  --types plugins/types.db "$T/demo"
mkdir "$T/rrd"
mv "$T"/demo/*/rrd/osaka-gw "$T"/demo/*/rrd/boulder-mon "$T/rrd/"
folders=("$T"/rrd/*/*-*)
is 'with devices of every kind' ${#folders[@]} 7
echo 'site { timezone = "Asia/Tokyo" }' >"$T/conf"

read -r port metrics < <(python3 -c '
import socket
s = [socket.socket() for _ in range(2)]
[x.bind(("127.0.0.1", 0)) for x in s]
print(*[x.getsockname()[1] for x in s])')
url=http://127.0.0.1:$port

# A collectd with what the plugins would report, as an ordinary scrape sees it, and as it should be.
cat >"$T/collectd.conf" <<EOF
BaseDir "$T"
PIDFile "$T/collectd.pid"
TypesDB "/usr/share/collectd/types.db" "$SOURCE/plugins/types.db"
Hostname "live.example.com"
FQDNLookup false
Interval 1
LoadPlugin load
LoadPlugin unixsock
LoadPlugin write_prometheus
<Plugin unixsock>
  SocketFile "$T/collectd.sock"
</Plugin>
<Plugin write_prometheus>
  Host "127.0.0.1"
  Port "$metrics"
</Plugin>
EOF
cat >"$T/prometheus.yml" <<EOF
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: collectd
    honor_labels: true
    static_configs: [{targets: ['127.0.0.1:$metrics']}]
EOF
PYTHONPATH=tests/lib python3 -c 'import sys, prometheus_samples
prometheus_samples.as_openmetrics(sys.argv[1], sys.stdout, int(sys.argv[2]))' "$T/rrd" $DAYS >"$T/text"
ok 'a real Prometheus takes the series' \
  promtool tsdb create-blocks-from openmetrics --quiet "$T/text" "$T/tsdb"
collectd -f -C "$T/collectd.conf" >"$T/collectd.log" 2>&1 &
keep $!
prometheus --config.file="$T/prometheus.yml" --storage.tsdb.path="$T/tsdb" \
  --storage.tsdb.retention.time=100y --web.listen-address="127.0.0.1:$port" >"$T/prometheus.log" 2>&1 &
keep $!
ok 'it starts' wait_for curl -sf "$url/-/ready" || tail -n 5 "$T/prometheus.log" | sed 's/^/# /'

# An array whose intervals of three seconds are counted, each at its border.
put() { python3 - "$T/collectd.sock" <<'EOF'
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f = s.makefile("rw")
for i in range(5):
    t = int(time.time()) // 3 * 3 + 3
    time.sleep(t - time.time())
    for value, n in (("capacity-total", 1000), ("capacity-used", 400 + i), ("capacity-pool1_used", 7),
                     ("interval_count-transfers", 900 if i == 2 else 100 + i)):
        f.write("PUTVAL live.example.com/disk_array-array-01/%s interval=3 %d:%d\n" % (value, t, n))
        f.flush()
        f.readline()
time.sleep(2)
EOF
}
wait_for test -S "$T/collectd.sock"
put

run() { tidemark-analyze run --config "$T/conf" --format json --no-forecast "$@"; }
run --as-of $END --history 7d --data "$T/rrd" >"$T/wanted"
is 'Prometheus is asked for every device' \
  "$(status_of run --as-of $END --history 7d --source "prometheus:$url")" 0
is 'without a complaint' "$(cat "$T/err")" ''
grep -v live.example.com "$T/out" >"$T/seen"
ok 'the summaries are the same within the resolution' \
  python3 tests/lib/same_summaries.py "$T/wanted" "$T/seen"

run --source "prometheus:$url" >"$T/all" 2>"$T/err"
grep '"host":"live.example.com"},"product":{"device":"array-01"' "$T/all" >"$T/live"
is 'a collectd that is scraped is there' "$(wc -l <"$T/live")" 1
get() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$T/live" "$1"; }
is 'with its kind' "$(get 'd["product"]["kind"]')" disk_array
is 'its newest reading' "$(get '(d["status"]["capacity_bytes"], d["status"]["used_bytes"])')" '(1000, 404)'
is 'the unit interval of its samples' "$(get 'd["status"]["transfers"]["interval_s"]')" 3
is 'and the busiest interval, exactly' \
  "$(get '(d["status"]["transfers"]["max_per_interval"], d["status"]["transfers"]["resolution"])')" "(900, 'exact')"
is 'its load is a device beside it' \
  "$(grep -c '"host":"live.example.com"},"product":{"device":"load"' "$T/all")" 1

run --source "prometheus:$url" --format openmetrics >"$T/metrics"
is 'promtool accepts what run gives as openmetrics' \
  "$(promtool check metrics <"$T/metrics" >"$T/promtool" 2>&1; echo $?)" 0 || sed 's/^/# /' "$T/promtool"
done_testing
