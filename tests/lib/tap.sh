# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# TAP for the system tests in bash: source this first. A private folder $T, removed at the end;
# every process given to `keep PID` is ended by its pid, also when the test dies.
set -u
cd "${SOURCE:-$(dirname "${BASH_SOURCE[0]}")/../..}" || exit 1
SOURCE=$PWD
BUILD=${BUILD:-$SOURCE/build}
PATH=$BUILD:$PATH
T=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-XXXXXX") || exit 1
tap_number=0
tap_kept=()
tap_patience=
export TZ=UTC LC_ALL=C

keep() { tap_kept+=("$1"); }

# end PID: TERM, then KILL after five seconds; waits until it is gone.
end() {
  kill "$1" 2>/dev/null || return 0
  for _ in $(seq 50); do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null
  wait "$1" 2>/dev/null
}

tap_owner=$BASHPID
tap_cleanup() {
  local status=$? pid
  # A child that is ended before it has become another program must not clean up for its parent.
  [ "$BASHPID" = "$tap_owner" ] || exit $status
  for pid in ${tap_kept[@]+"${tap_kept[@]}"}; do end "$pid"; done
  type -t cleanup >/dev/null && cleanup
  rm -rf "$T"
  exit $status
}
trap tap_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

skip_all() { echo "1..0 # SKIP $*"; exit 0; }

# ok NAME COMMAND...: the command succeeds. Its output is shown when it does not.
ok() {
  local name=$1 out
  shift
  tap_number=$((tap_number + 1))
  if out=$("$@" 2>&1); then
    echo "ok $tap_number - $name"
  else
    echo "not ok $tap_number - $name"
    printf '%s\n' "failed: $*" "$out" | sed 's/^/# /'
    return 1
  fi
}

# is NAME GOT WANT
is() {
  tap_number=$((tap_number + 1))
  if [ "$2" = "$3" ]; then
    echo "ok $tap_number - $1"
  else
    echo "not ok $tap_number - $1"
    printf 'got:  %s\nwant: %s\n' "$2" "$3" | sed 's/^/# /'
    return 1
  fi
}

# like NAME TEXT PATTERN (extended regular expression)
like() {
  tap_number=$((tap_number + 1))
  if grep -qE -- "$3" <<<"$2"; then
    echo "ok $tap_number - $1"
  else
    echo "not ok $tap_number - $1"
    printf '%s\n' "no match for: $3" "$2" | sed 's/^/# /'
    return 1
  fi
}

# unlike NAME TEXT PATTERN
unlike() {
  tap_number=$((tap_number + 1))
  if grep -qE -- "$3" <<<"$2"; then
    echo "not ok $tap_number - $1"
    printf '%s\n' "found: $3" "$2" | sed 's/^/# /'
    return 1
  fi
  echo "ok $tap_number - $1"
}

skip() { tap_number=$((tap_number + 1)); echo "ok $tap_number - $1 # SKIP $2"; }

# wait_for COMMAND...: polls until the command succeeds, for as long as a busy machine may need
# (tests/lib/waiting.py has the same). An instrumented program takes longer.
wait_for() {
  local until
  [ -n "$tap_patience" ] || tap_patience=$(instrumented "$BUILD/tidemark-probe" && echo 3 || echo 1)
  until=$((SECONDS + 60 * tap_patience))
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $until ] || return 1
    sleep 0.1
  done
}

# status_of COMMAND...: prints its exit status; output goes to $T/out and $T/err.
status_of() {
  "$@" >"$T/out" 2>"$T/err"
  echo $?
}

# sanitizer FILE: the library of the sanitizer that this program or plugin was built with, or nothing.
sanitizer() { ldd "$1" 2>/dev/null | sed -n 's/.*lib[at]san.* => \([^ ]*\).*/\1/p'; }

# instrumented FILE: whether it carries a sanitizer or counters (`make coverage`), so that memory and
# time are not its own, and no process of it is confined.
instrumented() { [ -n "$(sanitizer "$1")" ] || grep -q __gcov_dump "$1" 2>/dev/null; }

# can_load PROGRAM FILE: from here on the program of this name can load this plugin. A sanitizer's
# library must come first, and the leaks that it would find are those of a program built without it.
can_load() {
  local library program
  library=$(sanitizer "$2")
  [ -n "$library" ] || return 0
  program=$(PATH=$PATH:/usr/sbin:/sbin command -v "$1") || return 0
  mkdir -p "$T/can_load"
  printf '%s\n' '#!/bin/sh' \
    "exec env 'LD_PRELOAD=$library' \"ASAN_OPTIONS=\${ASAN_OPTIONS:-}:detect_leaks=0\" $program \"\$@\"" \
    >"$T/can_load/$1"
  chmod +x "$T/can_load/$1"
  PATH=$T/can_load:$PATH
}

done_testing() { echo "1..$tap_number"; }
