#!/bin/bash
# SPDX-License-Identifier: MIT
# A fault planted into the reading process costs the file in hand: it is refused by name, and all
# else is reported. What a reader may not do ends it.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
! instrumented "$BUILD/tidemark-analyze" || skip_all 'needs hardware: with a sanitizer or counters no process is confined'

END=1795132800
data=$T/rrd
make() { # make FILE VALUE
  mkdir -p "$(dirname "$data/$1")"
  rrdtool create "$data/$1" --start $((END - 3600)) --step 300 DS:value:GAUGE:7200:0:U \
    RRA:AVERAGE:0.1:1:1000 RRA:MAX:0.1:1:1000
  rrdtool update "$data/$1" "$END:$2"
}
for i in $(seq 40); do
  make "gw/disk_array-a$i/capacity-used.rrd" $((1000 + i))
  make "gw/disk_array-a$i/capacity-total.rrd" 9000
done
make gw/disk_array-a7/capacity-segv.rrd 1
make gw/disk_array-a8/capacity-write.rrd 1
make gw/disk_array-a9/capacity-socket.rrd 1
make gw/disk_array-a10/capacity-exec.rrd 1
make gw/disk_array-a11/capacity-exit.rrd 1

# Stands for a fault in the reader: what it does depends on the file's name.
cat >"$T/plant.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int openat(int at, const char *name, int flags, ...)
{
  int (*real)(int, const char *, int) = (int (*)(int, const char *, int))dlsym(RTLD_NEXT, "openat");
  if (strstr(name, "-segv.rrd"))
    raise(SIGSEGV), *(volatile int *)0 = 0;
  if (strstr(name, "-write.rrd"))
    real(at, name, O_RDWR);
  if (strstr(name, "-socket.rrd"))
    socket(AF_INET, SOCK_STREAM, 0);
  if (strstr(name, "-exec.rrd"))
    execl("/bin/true", "true", (char *)0);
  if (strstr(name, "-exit.rrd"))
    _exit(3);
  return real(at, name, flags);
}
END
gcc -shared -fPIC -w -o "$T/plant.so" "$T/plant.c" -ldl || skip_all 'no compiler'

run() {
  LD_PRELOAD=$T/plant.so tidemark-analyze run --data "$data" --no-forecast --format json \
    --jobs "$1" >"$T/out" 2>"$T/err"
}
for jobs in 1 3; do
  run $jobs
  is "$jobs jobs: some input was refused" $? 65
  is "$jobs jobs: every device is reported, with its newest use" "$(python3 -c 'import json,sys
print(sum(s["status"]["used_bytes"] == 1000 + int(s["product"]["device"][1:]) for s in map(json.loads, sys.stdin)))' <"$T/out")" 40
  is "$jobs jobs: five files are refused" "$(wc -l <"$T/err")" 5
  like "$jobs jobs: one that made the reader die" "$(cat "$T/err")" \
    "disk_array-a7/capacity-segv.rrd: the reading process died of it"
  for call in a8/capacity-write a9/capacity-socket a10/capacity-exec; do
    like "$jobs jobs: a reader cannot ${call##*-}" "$(cat "$T/err")" \
      "disk_array-$call.rrd: the reading process died of it \(Bad system call\)"
  done
  like "$jobs jobs: one at which the reader ended" "$(cat "$T/err")" \
    "disk_array-a11/capacity-exit.rrd: the reading process ended at it \(status 3\)"
done
done_testing
