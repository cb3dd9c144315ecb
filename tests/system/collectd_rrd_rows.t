#!/bin/bash
# SPDX-License-Identifier: MIT
# Files that a real collectd wrote through its rrdtool plugin: the reader gives the same rows as
# rrdtool fetch for every archive of each, and tidemark-analyze finds the devices.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
command -v collectd >/dev/null || PATH=$PATH:/usr/sbin
command -v collectd >/dev/null || skip_all 'collectd is not installed'

cat >"$T/collectd.conf" <<END
Hostname "machine"
FQDNLookup false
Interval 1
BaseDir "$T"
PIDFile "$T/collectd.pid"
PluginDir "/usr/lib/collectd"
TypesDB "/usr/share/collectd/types.db"
LoadPlugin load
LoadPlugin memory
LoadPlugin cpu
LoadPlugin interface
<LoadPlugin df>
  Interval 2
</LoadPlugin>
LoadPlugin rrdtool
<Plugin interface>
  Interface "lo"
</Plugin>
<Plugin rrdtool>
  DataDir "$T/rrd"
  CacheTimeout 0
</Plugin>
END
collectd -f -C "$T/collectd.conf" >"$T/log" 2>&1 &
daemon=$!
keep $daemon
# Whatever is mounted here: in a container or a chroot "/" need not be.
has_df() { compgen -G "$T/rrd/machine/df-*/df_complex-used.rrd"; }
ok 'collectd writes files' wait_for has_df
known='^cpu-0 .*df-[^ ]+ .*interface-lo load$'
are_known() {
  table=$(tidemark-analyze run --all --data "$T/rrd" --no-forecast --format json 2>"$T/err")
  devices=$(python3 -c 'import json,sys
print(*sorted(json.loads(l)["product"]["device"] for l in sys.stdin))' <<<"$table")
  [[ $devices =~ $known ]]
}
wait_for are_known
like 'file system, link, load and processors are devices' "$devices" "$known"
is 'nothing is complained of while collectd writes' "$(cat "$T/err")" ''
end $daemon

files=$(find "$T/rrd" -name '*.rrd' | sort)
ok 'files of several plugins are there' test "$(wc -l <<<"$files")" -ge 15
# shellcheck disable=SC2086
rows=$("$BUILD/tests/unit/test_rrd_file" $files 2>&1)
is 'every archive of every file has the rows of rrdtool fetch' \
  "$(grep -c '^ok' <<<"$rows") $(grep -c '^not ok' <<<"$rows")" "$(wc -l <<<"$files") 0"
done_testing
