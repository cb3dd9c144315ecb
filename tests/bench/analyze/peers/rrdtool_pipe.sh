#!/bin/sh
# SPDX-License-Identifier: MIT
# rrdtool's own command line at its best: ONE `rrdtool -` for every array, fed
# and read through pipes (two processors are used: rrdtool and awk).
#   rrdtool_pipe.sh DIR END LOAD_DAYS CAP_DAYS CSV
# shellcheck disable=SC2086 # times are numbers, and folders of the bench have no blanks
set -eu
dir=$1 end=$2 ld=$3 cd=$4 csv=$5
ls=$((end - ld * 86400)) cs=$((end - cd * 86400))
first=$(find "$dir" -name capacity-used.rrd -print -quit)
step=$(rrdtool fetch "$first" AVERAGE -s $cs -e $end |
  awk -F: 'NF > 1 && $1 + 0 { if (p) { print $1 - p; exit } p = $1 }')
find "$dir" -mindepth 2 -maxdepth 2 -type d -name 'disk_array-*' -printf '%P\n' |
awk -v d="$dir" -v ls=$ls -v cs=$cs -v e=$end '{
  p = d "/" $0
  print "graph /dev/null -w 1400 -s " cs " -e " e \
    " DEF:u=" p "/capacity-used.rrd:value:AVERAGE" \
    " DEF:t=" p "/capacity-total.rrd:value:AVERAGE" \
    " VDEF:m=u,LSLSLOPE VDEF:b=u,LSLINT VDEF:c=u,LSLCORREL VDEF:l=t,LAST" \
    " PRINT:m:" $0 "=%.10le PRINT:b:b=%.10le PRINT:c:c=%.6lf PRINT:l:l=%.10le"
  print "fetch " p "/transfers-completed.rrd MAX -s " ls " -e " e
}' | rrdtool - |
awk -v ls=$ls -v cs=$cs -v e=$end -v ld=$ld -v step=$step '
function flush(  i, o) {
  if (name == "") return
  o = name
  o = o sprintf(",%.10g,%.10g", m / step * 86400, cs - cs % step + step + (l - b) / m * step)
  for (i = 0; i < ld; i++) o = o "," ((i in mx) ? sprintf("%.10g", mx[i]) : "nan")
  print o
  split("", mx)
}
/^site.*=|^[^ ]*disk_array-.*=/ { flush(); split($0, a, "="); name = a[1]; m = a[2] + 0; next }
/^b=/ { b = substr($0, 3) + 0; next }
/^l=/ { l = substr($0, 3) + 0; next }
/^[0-9]+: / {
  t = $1 + 0
  if (t <= ls || t > e || $2 ~ /nan/) next
  i = int((t - ls - 1) / 86400); v = $2 + 0
  if (!(i in mx) || v > mx[i]) mx[i] = v
}
/^ERROR/ { print > "/dev/stderr" }
END { flush() }' > "$csv"
