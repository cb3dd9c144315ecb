#!/bin/bash
# SPDX-License-Identifier: MIT
# run: alone
# The analysis bench over 1000 arrays: every summary is there, and its daily maxima, used and
# capacity are those of a plain loop over the same files. Times are printed, not judged here.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
export BENCH_DATA=$T/data
out=$(tests/bench/analyze/run "$BUILD/tidemark-analyze" 1000 --rounds 1 --no-peers -- --no-forecast --jobs 2 2>&1)
is 'the bench ends well' $? 0
like 'all summaries are there and right' "$out" '1000 arrays, 0 wrong, 0 missing: same'
peak=$(awk '/^BINARY  .*[0-9]$|^BINARY .* -$/ { print int($(NF - 2)) }' <<<"$out" | tail -n 1)
if instrumented "$BUILD/tidemark-analyze"; then
  skip 'peak memory' 'needs hardware: memory is not its own with a sanitizer or counters'
else
  ok "peak memory is at most 16 MiB + 1 kB a device ($peak MiB)" test "${peak:-99}" -le 16
fi
while IFS= read -r line; do echo "# $line"; done <<<"$out"
done_testing
