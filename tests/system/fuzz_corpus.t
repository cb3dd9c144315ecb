#!/bin/sh
# SPDX-License-Identifier: MIT
# Every fuzz target goes over its corpus and its past findings without a crash, and names the parsing
# files that it answers for (tests/long/fuzz_coverage.t measures what it reaches of them).
cd "${SOURCE:-.}" || exit 1
build=${BUILD:-build}
n=0
for source in tests/fuzz/*.c; do
  [ -e "$source" ] || { echo "1..0 # SKIP no fuzz targets"; exit 0; }
  target=$(basename "$source" .c)
  n=$((n + 1))
  out=$("$build/tests/fuzz/$target" "tests/fuzz/corpus/$target" 2>&1)
  status=$?
  # shellcheck disable=SC2013 # one word, one file
  for named in none $(sed -n '/^\/\* covers:/,/\*\//p' "$source" | grep -o '[a-z_/]*\.c\b'); do
    [ "$named" = none ] || [ -f "$named" ] || { out="$out
covers $named, which is not there"; status=1; }
  done
  [ "$named" != none ] || { out="$out
says not what it covers"; status=1; }
  [ $status -eq 0 ] || { echo "$out" | sed 's/^/# /'; printf 'not '; }
  echo "ok $n - $target survives its corpus ($(echo "$out" | tail -n 1))"
done
echo "1..$n"
