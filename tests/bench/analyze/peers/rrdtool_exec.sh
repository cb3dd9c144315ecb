#!/bin/sh
# SPDX-License-Identifier: MIT
# what a shell script does: two `rrdtool` processes for every array
#   rrdtool_exec.sh DIR END LOAD_DAYS CAP_DAYS CSV [ARRAYS]
# shellcheck disable=SC2086 # times are numbers, and folders of the bench have no blanks
set -eu
dir=$1 end=$2 ld=$3 cd=$4 csv=$5 max=${6:-1000000}
ls=$((end - ld * 86400)) cs=$((end - cd * 86400))
find "$dir" -mindepth 2 -maxdepth 2 -type d -name 'disk_array-*' | head -n "$max" |
while read -r p; do
  f=$(rrdtool graph /dev/null -w 1400 -s $cs -e $end \
    DEF:u=$p/capacity-used.rrd:value:AVERAGE DEF:t=$p/capacity-total.rrd:value:AVERAGE \
    VDEF:m=u,LSLSLOPE VDEF:b=u,LSLINT VDEF:c=u,LSLCORREL VDEF:l=t,LAST \
    PRINT:m:%.10le PRINT:b:%.10le PRINT:c:%lf PRINT:l:%.10le)
  rrdtool fetch "$p/transfers-completed.rrd" MAX -s $ls -e $end |
    awk -v p="$p" -v f="$f" -v ls=$ls -v e=$end '/^[0-9]+: / {
      t = $1 + 0; if (t <= ls || t > e || $2 ~ /nan/) next
      i = int((t - ls - 1) / 86400); if (!(i in mx) || $2 + 0 > mx[i]) mx[i] = $2 + 0 }
      END { gsub(/\n/, " ", f); o = p " " f; for (i = 0; i < 30; i++) o = o "," mx[i]; print o }'
done > "$csv"
