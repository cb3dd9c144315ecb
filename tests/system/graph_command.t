#!/bin/bash
# SPDX-License-Identifier: MIT
# tidemark-analyze graph: the picture of a device shows what `run` says of it.
# shellcheck source=tests/lib/tap.sh
. "${SOURCE:-.}/tests/lib/tap.sh"

ok "the demonstration's fleet is there" tidemark-demo --end 2026-11-20T00:00:00Z \
  --types /usr/share/collectd/types.db --types plugins/types.db "$T/fleet"
leeds=$T/fleet/C-1003/tidemark.conf
osaka=$T/fleet/C-1001/tidemark.conf
draw() { tidemark-analyze graph "$@"; }

ok "an array becomes a png" draw --config "$leeds" pacs-2 --output "$T/a.png"
ok "and again" draw --config "$leeds" pacs-2 --output "$T/b.png"
ok "the same bytes" cmp "$T/a.png" "$T/b.png"
is "it is as wide as a page" "$(/usr/bin/python3 -c 'import struct, sys
print(struct.unpack(">I", open(sys.argv[1], "rb").read(20)[16:])[0])' "$T/a.png")" 1000
for device in array-01 array-02 tape-01 printer-2f; do
  ok "$device becomes an svg" draw --config "$osaka" "$device" --output "$T/$device.svg"
  ok "$device.svg is well-formed" /usr/bin/python3 -c 'import sys, xml.etree.ElementTree as t
t.parse(sys.argv[1])' "$T/$device.svg"
done
ok "a file system of stock collectd" draw --config "$T/fleet/C-1004/tidemark.conf" df-root --output "$T/df.svg"
ok "an interface" draw --config "$T/fleet/C-1004/tidemark.conf" interface-uplink --output "$T/if.svg"
ok "HOST/DEVICE and --data" draw --data "$T/fleet/C-1003/rrd" leeds-mon/pacs-1 -o "$T/c.png"
ok "collectd's folder" draw --data "$T/fleet/C-1003/rrd" disk_array-pacs-1 -o "$T/c.png" --width 600
ok "a day of history" draw --config "$leeds" pacs-2 --history 1d --output "$T/c.png"
ok "as it was a year ago" draw --config "$leeds" pacs-2 --as-of 2025-11-01 --output "$T/c.png"

# --- what is drawn is what run says ------------------------------------------------------------
# A helper that keeps what it was told stands beside a copy of the program.
mkdir "$T/bin"
cp "$BUILD/tidemark-analyze" "$T/bin"
cat >"$T/bin/tidemark-graph" <<EOF
#!/bin/sh
cat >"$T/document.json"
printf picture
EOF
chmod +x "$T/bin/tidemark-graph"
ok "the helper beside the program is run" "$T/bin/tidemark-analyze" graph --config "$leeds" pacs-2 --output "$T/d.svg"
is "its output is the picture" "$(cat "$T/d.svg")" picture
tidemark-analyze run --config "$leeds" --format json --history 731d >"$T/run.json"
ok "document and summary agree" /usr/bin/python3 - "$T/document.json" "$T/run.json" <<'EOF'
import calendar, json, sys, time
d = json.load(open(sys.argv[1]))
s = [s for s in map(json.loads, open(sys.argv[2])) if s["product"]["device"] == "pacs-2"][0]
seconds = lambda t: calendar.timegm(time.strptime(t, "%Y-%m-%dT%H:%M:%SZ"))
fill = {q: seconds(s["forecast"]["fill"][q]) for q in ("0.1", "0.5", "0.9")}
assert d["full"] == fill["0.5"], (d["full"], fill)
assert d["to"] > fill["0.5"], "the axis ends before the fill date"
limit = s["status"]["capacity_bytes"]
reached = {t for t, low, middle, high in d["forecast"] if limit in (low, middle, high)}
assert set(fill.values()) <= reached, (fill, d["forecast"])
used = s["status"]["used_bytes"]
assert abs(d["rows"][-1][1] - used) < 0.001 * used and d["rows"][-1][2] == limit, d["rows"][-1]
history = {day["date"]: day["transfers_max"] for day in s["history"] if day.get("transfers_max") is not None}
drawn = [m for _, _, m in d["maxima"]["days"] if m is not None]
assert len(drawn) > 720 and max(drawn) == max(history.values()), (max(drawn), max(history.values()))
assert d["events"] and "Expanded by 80.0 TiB on 2025-11-2" in d["events"][0]["text"], d["events"]
assert "Sample Health Trust" in d["title"]
EOF

# --- names --------------------------------------------------------------------------------------
rrd=$T/fleet/C-1003/rrd/leeds-mon
odd='a:b %s\l <i>&amp;'
cp -r "$rrd/disk_array-pacs-1" "$rrd/disk_array-$odd"
ok "a device of any name is drawn" draw --config "$leeds" "$odd" --output "$T/odd.svg"
ok "its name stands there as text" /usr/bin/python3 -c 'import sys, xml.etree.ElementTree as t
title = t.parse(sys.argv[1]).getroot().find("{http://www.w3.org/2000/svg}title").text
assert title.startswith(sys.argv[2]), title' "$T/odd.svg" "$odd"

# --- errors -------------------------------------------------------------------------------------
is "no such device" "$(status_of draw --config "$leeds" pacs-9 -o "$T/x.svg")" 66
like "is named" "$(cat "$T/err")" "pacs-9"
mkdir -p "$T/fleet/C-1003/rrd/other"
cp -r "$rrd/disk_array-pacs-1" "$T/fleet/C-1003/rrd/other/"
is "a name on two hosts" "$(status_of draw --config "$leeds" pacs-1 -o "$T/x.svg")" 65
like "asks for the host" "$(cat "$T/err")" 'say HOST/DEVICE'
ok "which then is enough" draw --config "$leeds" other/pacs-1 -o "$T/x.svg"
mkdir -p "$T/blank/h/df-root"
rrdtool create "$T/blank/h/df-root/df_complex-used.rrd" --start 1795000000 --step 300 DS:value:GAUGE:600:0:U \
  RRA:AVERAGE:0.5:1:100
is "a device of which no value is known" "$(status_of draw --data "$T/blank" df-root -o "$T/x.svg")" 66
like "is named" "$(cat "$T/err")" '^tidemark-analyze: h/df-root: nothing to draw'
is "a folder to write to that is not there" "$(status_of draw --config "$leeds" pacs-2 -o "$T/none/x.svg")" 74
is "--output is required" "$(status_of draw --config "$leeds" pacs-2)" 64
is "other formats are refused" "$(status_of draw --config "$leeds" pacs-2 -o "$T/x.gif")" 64
is "a device is required" "$(status_of draw --config "$leeds" -o "$T/x.svg")" 64
is "a width that is none" "$(status_of draw --config "$leeds" pacs-2 -o "$T/x.svg" --width 9)" 64
rm "$T/bin/tidemark-graph"
is "a helper that is not there" "$(status_of "$T/bin/tidemark-analyze" graph --config "$leeds" pacs-2 -o "$T/y.svg")" 66
like "is named" "$(cat "$T/err")" 'tidemark-graph'
printf '#!/bin/sh\nexit 3\n' >"$T/bin/tidemark-graph"
chmod +x "$T/bin/tidemark-graph"
is "a helper that fails" "$(status_of "$T/bin/tidemark-analyze" graph --config "$leeds" pacs-2 -o "$T/y.svg")" 74
ok "leaves no picture" [ ! -e "$T/y.svg" ]
printf 'RRD\0' >"$rrd/disk_array-pacs-2/capacity-extra_used.rrd"
rm "$T/x.svg"
is "a damaged file beside the others is told" "$(status_of draw --config "$leeds" pacs-2 -o "$T/x.svg")" 65
like "by name" "$(cat "$T/err")" 'disk_array-pacs-2/capacity-extra_used.rrd: '
ok "and does not hinder" grep -q '</svg>' "$T/x.svg"
done_testing
