#!/bin/bash
# SPDX-License-Identifier: MIT
# The dashboard of contrib/grafana: what its panels ask for is there, in a real VictoriaMetrics that
# holds what `run --format openmetrics` wrote; and Prometheus reads the same expressions.
# shellcheck source=tests/lib/tap.sh
. "${SOURCE:-.}/tests/lib/tap.sh"
command -v victoria-metrics >/dev/null || skip_all 'needs victoria-metrics'

END=2026-11-20T00:00:00Z
dashboard=$SOURCE/contrib/grafana/tidemark.json
tidemark-demo --end $END --types /usr/share/collectd/types.db --types plugins/types.db "$T/demo" >"$T/log" 2>&1
mkdir "$T/rrd"
for site in "$T"/demo/*/rrd; do mv "$site"/* "$T/rrd/"; done
tidemark-analyze run --quiet --data "$T/rrd" --as-of $END --format openmetrics --output "$T/tidemark.prom"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port
victoria-metrics -storageDataPath="$T/vm" -retentionPeriod=100y -httpListenAddr="127.0.0.1:$port" \
  -memory.allowedBytes=256MB >"$T/vm.log" 2>&1 &
keep $!
wait_for curl -sf "$url/health" || { cat "$T/vm.log"; exit 1; }
end_s=$(date -u -d $END +%s)
for ago in 0 3600; do
  curl -sf --data-binary @"$T/tidemark.prom" "$url/api/v1/import/prometheus?timestamp=$(((end_s - ago) * 1000))"
done
curl -sf "$url/internal/force_flush" >/dev/null

cat >"$T/ask.py" <<'EOP'
# ask.py DASHBOARD URL TIME RULES: a TAP-like line for each question; the expressions go to RULES too
import json, re, sys, urllib.parse, urllib.request
dashboard, url, now = json.load(open(sys.argv[1])), sys.argv[2], int(sys.argv[3])

def get(path, **arguments):
    with urllib.request.urlopen("%s/api/v1/%s?%s" % (url, path, urllib.parse.urlencode(arguments))) as f:
        return json.load(f)["data"]

def say(good, what):
    print(("ok " if good else "not ok ") + what)

expressions = []
for variable in dashboard["templating"]["list"]:
    if variable["type"] != "query":
        continue
    metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]).groups()
    metric = metric.replace("$host", variable["allValue"])
    values = get("label/%s/values" % label, **{"match[]": metric, "start": now - 86400, "end": now})
    say(len(values) > 3, "the variable %s has values" % variable["name"])
    expressions.append(metric)
ids, covered = set(), set()
for panel in dashboard["panels"]:
    name = panel["title"]
    ids.add(panel["id"])
    g = panel["gridPos"]
    cells = {(x, y) for x in range(g["x"], g["x"] + g["w"]) for y in range(g["y"], g["y"] + g["h"])}
    say(not cells & covered and g["x"] + g["w"] <= 24, "%s: lies over no other panel" % name)
    covered |= cells
    say(panel["datasource"]["uid"] == "${source}", "%s: asks the source that was chosen" % name)
    for target in panel["targets"]:
        expr = target["expr"].replace("$host", ".*").replace("$device", ".*")
        say("$" not in expr, "%s: has no other variable: %s" % (name, expr))
        expressions.append(expr)
        if target.get("instant"):
            found = get("query", query=expr, time=now)["result"]
        else:
            found = get("query_range", query=expr, start=now - 3600, end=now, step=600)["result"]
        say(len(found) > 0, "%s: has %d series for %s" % (name, len(found), expr))
        labels = re.findall(r"{{(\w+)}}", target.get("legendFormat", ""))
        say(labels and all(label in s["metric"] for s in found for label in labels),
            "%s: they have the labels of the legend, %s" % (name, labels))
        legends = [tuple(s["metric"][label] for label in labels if label in s["metric"]) for s in found]
        say(len(legends) == len(set(legends)), "%s: each has a legend of its own" % name)
say(len(ids) == len(dashboard["panels"]) >= 6, "the panels have numbers of their own")
with open(sys.argv[4], "w") as rules:
    json.dump({"groups": [{"name": "panels", "rules": [
        {"record": "panel:%d" % i, "expr": e} for i, e in enumerate(expressions)]}]}, rules)
EOP
/usr/bin/python3 "$T/ask.py" "$dashboard" "$url" "$end_s" "$T/rules.json" >"$T/answers" 2>"$T/err"
is 'every question was asked' "$?$(tail -n 1 "$T/err")" 0
while read -r line; do
  ok "${line#* }" [ "${line%% *}" = ok ]
done < <(sed 's/^not ok /no /' "$T/answers")
if command -v promtool >/dev/null; then
  ok "Prometheus's own parser reads the expressions" promtool check rules "$T/rules.json"
fi
done_testing
