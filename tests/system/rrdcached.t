#!/bin/bash
# SPDX-License-Identifier: MIT
# tidemark-analyze asks a configured rrdcached to write before it reads, and says when it cannot.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
command -v rrdcached >/dev/null || skip_all 'rrdcached is not installed'

END=1795132800 # 2026-11-20T00:00:00Z
data=$T/rrd
socket=$T/rrdcached.sock
mkdir -p "$data/pc/df-root" "$data/pc/df-a b"
for file in df-root/df_complex-used "df-a b/df_complex-used"; do
  rrdtool create "$data/pc/$file.rrd" --start $((END - 3600)) --step 300 DS:value:GAUGE:7200:0:U \
    RRA:AVERAGE:0.1:1:1000
done
cat >"$T/tidemark.conf" <<END
paths { rrdcached = "$socket" }
END
used() { # used DEVICE
  tidemark-analyze run --config "$T/tidemark.conf" --data "$data" --format json --no-forecast \
    2>"$T/err" | python3 -c "import json,sys
for l in sys.stdin:
    s = json.loads(l)
    if s['product']['device'] == '$1': print(s['status']['used_bytes'])"
}

rrdcached -g -l "unix:$socket" -b "$T" -w 3600 -f 7200 -p "$T/rrdcached.pid" >"$T/log" 2>&1 &
daemon=$!
keep $daemon
wait_for test -S "$socket"
rrdtool update --daemon "unix:$socket" "$data/pc/df-root/df_complex-used.rrd" "$END:4711" >>"$T/log" 2>&1
rrdtool update --daemon "unix:$socket" "$data/pc/df-a b/df_complex-used.rrd" "$END:4712" >>"$T/log" 2>&1
is 'rrdcached holds the newest value back' "$(rrdtool last "$data/pc/df-root/df_complex-used.rrd")" $((END - 3600))
is 'it is asked to write it first' "$(used df-root)" 4711
is 'names with blanks are said rightly' "$(used 'df-a b')" 4712
is 'nothing is complained of' "$(cat "$T/err")" ''

end $daemon
rm -f "$socket"
is 'without it the files are read as they are' "$(used df-root)" 4711
like 'and it is said by name' "$(cat "$T/err")" "$socket: rrdcached: No such file or directory"
tidemark-analyze run --config "$T/tidemark.conf" --data "$data" --format json --no-forecast >/dev/null 2>&1
is 'which is some input refused' $? 65

# Somebody else at that socket, who answers nonsense.
python3 - "$socket" <<'END' &
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(1)
c, _ = s.accept()
c.recv(100)
c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
c.recv(100000)
END
keep $!
wait_for test -S "$socket"
is 'an answer that is none is not waited for' "$(used df-root)" 4711
like 'nonsense is called so' "$(cat "$T/err")" 'rrdcached: answers nonsense'
done_testing
