#!/bin/bash
# SPDX-License-Identifier: MIT
# tidemark-graph: pictures from documents; what stands in names changes nothing but the words.
# shellcheck source=tests/lib/tap.sh
. "${SOURCE:-.}/tests/lib/tap.sh"

cat >"$T/document.py" <<'EOF'
# document.py KEY=JSON...: a document of 400 days of growth, full after 100 more
import json, sys
day, t0, tib = 86400, 1760000000 // 86400 * 86400, 2**40
rows = [[t0 + i * day, (20 + i * 0.1) * tib if i not in range(200, 206) else None,
         (50 if i < 300 else 70) * tib] for i in range(401)]
last = rows[-1]
band = [[last[0] + i * day] + [last[1] + i * g * tib for g in (0.08, 0.1, 0.13)] for i in range(140)]
d = {"schema": "tidemark.graph/1", "format": "png", "width": 600, "title": "array-01",
     "subtitle": "60 of 70 TiB", "timezone": "Asia/Tokyo", "unit": "bytes", "from": t0,
     "to": t0 + 520 * day, "rows": rows, "forecast": band, "full": t0 + 480 * day,
     "full_state": "soon", "events": [{"time": t0 + 300 * day, "text": "Expanded by 20 TiB"}],
     "maxima": {"label": "Most transfers in any 300 s, by day",
                "days": [[t0 + i * day, t0 + (i + 1) * day, 1000 + i % 7 * 100] for i in range(400)]}}
for arg in sys.argv[1:]:
    key, value = arg.split("=", 1)
    d[key] = json.loads(value)
json.dump(d, sys.stdout)
EOF
export TMPDIR=$T/tmp
mkdir "$TMPDIR"
document() { /usr/bin/python3 "$T/document.py" "$@"; }
picture() { # picture OUT KEY=JSON...
  local out=$1
  shift
  document "$@" | tidemark-graph >"$out"
}
python() { PYTHONPATH=$SOURCE/tests/lib /usr/bin/python3 "$@"; }

ok "a document becomes a png" picture "$T/a.png"
ok "and again" picture "$T/b.png"
ok "the same document gives the same bytes" cmp "$T/a.png" "$T/b.png"
ok "used, capacity, forecast, maxima and the fill date stand where they belong" python - "$T/a.png" <<'EOF'
import sys, png
width, height, rows = png.read(sys.argv[1])
def columns(wanted, tolerance, top, bottom):
    near = lambda p: all(abs(a - b) <= tolerance for a, b in zip(p, wanted))
    return [x for x in range(40, width) if any(near(rows[y][x]) for y in range(top, bottom))]
accent, grey, amber = (0x0f, 0x76, 0x6e), (0x64, 0x74, 0x8b), (0xb4, 0x53, 0x09)
upper = (75, height - 180)
lower = (height - 140, height - 30)
used = columns(accent, 25, *upper)
capacity = columns(grey, 90, *upper)
full = columns(amber, 60, *upper)
maxima = columns((0x6f, 0xad, 0xa8), 14, *lower)
axis = (used[0], capacity[-1])
at = lambda days: axis[0] + days * 600 // 520
assert abs(len(maxima) - 400 * 600 / 520) < 50, len(maxima) # grid lines stand before some
assert full and abs(full[0] - at(480)) < 8, (full, at(480))
assert full[-1] < width - 25, "the axis ends with the fill date"
assert not any(at(201) < x < at(203) for x in used), "the gap is drawn over"
assert used[-1] > at(510), "the forecast ends early"
assert len(capacity) > 560, len(capacity)
EOF

ok "a document becomes an svg" picture "$T/a.svg" 'format="svg"'
ok "the svg is well-formed, its names are its own and it has a title" python - "$T/a.svg" <<'EOF'
import re, sys, xml.etree.ElementTree as tree
text = open(sys.argv[1]).read()
root = tree.fromstring(text)
assert root.find("{http://www.w3.org/2000/svg}title").text == "array-01"
ids = [e.get("id") for e in root.iter() if e.get("id")]
assert len(ids) == len(set(ids)) > 20, "names stand twice"
used = set(re.findall(r'href="#([^"]+)"', text)) | set(re.findall(r"url\(#([^)]+)\)", text))
assert used and used <= set(ids), used - set(ids)
EOF

# --- names that librrd, printf, Pango or XML would take for their own ---------------------------
hostile='"a:b \\\\l %s%n%lf <b>x</b>&amp; \u001b[31m LINE1:used#ff0000:\u00e9\u5927\\\\"'
size() { python -c 'import sys, png; print(*png.read(sys.argv[1])[:2])' "$1"; }
for key in title subtitle unit; do
  ok "a hostile $key is drawn" picture "$T/h.png" "$key=$hostile"
  is "$key: the picture keeps its size" "$(size "$T/h.png")" "$(size "$T/a.png")"
done
ok "a hostile event is drawn" picture "$T/h.png" "events=[{\"time\":1780000000,\"text\":$hostile}]"
ok "a hostile legend is drawn" picture "$T/h.png" "maxima={\"label\":$hostile,\"days\":[[1770000000,1770086400,5]]}"
ok "a hostile title stands in an svg" picture "$T/h.svg" 'format="svg"' "title=$hostile"
ok "as text" python -c 'import sys, xml.etree.ElementTree as t
title = t.parse(sys.argv[1]).getroot().find("{http://www.w3.org/2000/svg}title").text
assert "<b>x</b>&amp;" in title and "%s%n%lf" in title, title' "$T/h.svg"
long=$(printf 'x:%.0s' $(seq 5000))
ok "a title of 10 kB is cut" picture "$T/h.png" "title=\"$long\""
is "and the picture keeps its size" "$(size "$T/h.png")" "$(size "$T/a.png")"
words() { python -c 'import sys, png; rows = png.read(sys.argv[1])[2]; print(sum(p != (255,255,255) for r in rows[:28] for p in r))' "$1"; }
picture "$T/one.png" 'title="100% s"'
picture "$T/two.png" 'title="100% d"'
ok "'%' is a letter" [ "$(words "$T/one.png")" -gt 300 -a "$(words "$T/one.png")" -ne "$(words "$T/two.png")" ]

# --- little or nothing known ---------------------------------------------------------------------
ok "no forecast, no maxima" picture "$T/n.png" forecast=null full=null maxima=null events=null
ok "maxima alone" picture "$T/n.png" rows='[]' forecast=null full=null
ok "three minutes of history" picture "$T/n.png" from=1760000000 to=1760000180 forecast=null \
  'rows=[[1760000060,1,9],[1760000120,2,9],[1760000180,3,9]]' maxima=null events=null full=null
ok "a hundred years" picture "$T/n.png" from=631152000 to=3786912000
nothing() { picture "$T/n.png" 'rows=[[1760000000,null,null]]' forecast=null maxima=null; }
is "a device of which nothing is known is refused" "$(status_of nothing)" 66
like "with the reason" "$(cat "$T/err")" 'no value is known'

# --- a summary, as a mail or a CRM has it --------------------------------------------------------
cat >"$T/summary.py" <<'EOF'
# summary.py CODE: the sample of the schema with 35 days, of which two are missing, changed by CODE
import datetime, json, os, sys
s = json.load(open(os.environ.get("SOURCE", ".") + "/contrib/schema/samples/summary.json"))
first = datetime.date(2026, 10, 17)
s["history"] = [{"date": str(first + datetime.timedelta(i)), "capacity_bytes": 1e14 if i > 9 else 8e13,
                 "used_bytes": 81e12 - (34 - i) * 205e9, "transfers_max": 300000 + i % 7 * 20000}
                for i in range(35) if i not in (4, 5)]
for code in sys.argv[1:]:
    exec(code)
json.dump(s, sys.stdout)
EOF
summary() { /usr/bin/python3 "$T/summary.py" "$@"; }
evidence() { summary "${@:2}" | tidemark-graph >"$1"; }
ok "a summary becomes a png" evidence "$T/s.png"
ok "used, the gap, the expansion and the fill date stand where they belong" python - "$T/s.png" <<'EOF'
import sys, png
width, height, rows = png.read(sys.argv[1])
def columns(wanted, tolerance, top, bottom):
    near = lambda p: all(abs(a - b) <= tolerance for a, b in zip(p, wanted))
    return [x for x in range(95, width) if any(near(rows[y][x]) for y in range(top, bottom))]
full = columns((0xb4, 0x53, 0x09), 60, 80, 330)
maxima = columns((0x6f, 0xad, 0xa8), 14, 400, 508)
# The maxima are those of 2026-10-17 to 2026-11-20 (35 days); it is full on 2027-02-11, 83 days on.
day = (maxima[-1] - maxima[0] + 1) / 35
assert abs((full[0] - maxima[-1]) / day - 82) < 3, (full, maxima, day)
assert len(maxima) < 34 * day, "the gap is drawn over"
EOF
summary 's = {"specversion": "1.0", "data": s}' | tidemark-graph >"$T/event.png"
ok "within its event it gives the same bytes" cmp "$T/s.png" "$T/event.png"
ok "without history: today and the forecast" evidence "$T/n.png" 's["history"] = []'
is "... is one panel" "$(size "$T/n.png")" "900 359"
ok "without forecast" evidence "$T/n.png" 'del s["forecast"]'
ok "slots" evidence "$T/n.png" \
  's["history"] = [{"date": d["date"], "slots_total": 50, "slots_used": 40} for d in s["history"]]' \
  's["status"] = {"observed_at": "2026-11-20T00:05:00Z", "slots_total": 50, "slots_used": 40}'
ok "maxima alone" evidence "$T/n.png" 's["status"] = {}' \
  's["history"] = [{"date": d["date"], "transfers_max": d["transfers_max"]} for d in s["history"]]'
ok "hostile members" evidence "$T/n.png" 's["history"] += [{"date": "9999-12-31"}, {"date": 7}, 9, {"date": "x"}]' \
  's["forecast"]["fill"] = {"0.1": "1970-01-01T00:00:00Z", "0.5": 3, "0.9": "9999-12-31T00:00:00Z"}' \
  's["status"]["used_bytes"] = 1e300' 's["status"]["transfers"]["interval_s"] = -1'
ok "nothing to draw is no fault" evidence "$T/n.png" 's = {"schema": s["schema"]}'
is "... and no picture" "$(wc -c <"$T/n.png")" 0
is "nothing is left behind" "$(ls -A "$TMPDIR")" ""

# --- what is no document -------------------------------------------------------------------------
is "empty input is refused" "$(status_of tidemark-graph </dev/null)" 65
is "garbage is refused" "$(status_of tidemark-graph <<<'{"schema":')" 65
wrong() { document 'rows=[[1]]' | tidemark-graph; }
is "a wrong row is refused" "$(status_of wrong)" 65
like "by name" "$(cat "$T/err")" 'tidemark-graph: rows: row 0'
is "arguments are a usage error" "$(status_of tidemark-graph x)" 64
full() { document | tidemark-graph >/dev/full; }
is "a full disk is an error" "$(status_of full)" 74
document >"$T/document.json"
for i in $(seq 20); do
  tidemark-graph <"$T/document.json" >/dev/null 2>&1 &
  sleep "0.0$((i * 4 % 10))"
  kill $! 2>/dev/null
done
wait
is "nothing is left behind, also by those that were ended" "$(ls -A "$TMPDIR")" ""
TMPDIR=$T/nowhere
is "a TMPDIR that is not there is named" "$(status_of picture "$T/n.png")" 66
like "in the message" "$(cat "$T/err")" nowhere

# --- plain rrdtool -------------------------------------------------------------------------------
folder="$T/disk_array-a:b %s\\l"
mkdir "$folder"
for f in capacity-used capacity-total interval_count-transfers; do
  rrdtool create "$folder/$f.rrd" --start 1760000000 --step 300 DS:value:GAUGE:600:0:U \
    RRA:AVERAGE:0.1:1:400 RRA:MAX:0.1:1:400
  for i in $(seq 300); do echo "$((1760000000 + i * 300)):$i"; done |
    xargs rrdtool update "$folder/$f.rrd"
done
ok "contrib/graphs/draw draws a device of any name" contrib/graphs/draw "$folder" "$T/stock.png" 1d
is "as a png" "$(head -c 4 "$T/stock.png" | tail -c 3)" PNG
ok "and its maxima" env MAXIMA=1 contrib/graphs/draw "$folder" "$T/stock.svg" 1d
is "other folders are refused" "$(status_of contrib/graphs/draw "$T" "$T/x.png")" 65
done_testing
