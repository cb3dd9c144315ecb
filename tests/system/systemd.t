#!/bin/bash
# SPDX-License-Identifier: MIT
# The shipped units give their programs the least authority, and systemd understands each line.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
command -v systemd-analyze >/dev/null || skip_all 'systemd-analyze is not installed'
for unit in contrib/systemd/*.service; do
  name=$(basename "$unit")
  cp "$unit" "$T/"
  exposure=$(systemd-analyze security --offline=true --no-pager "$T/$name" 2>/dev/null |
    sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
  ok "$name: exposure ${exposure:-unknown} is at most 2.0" \
    awk -v e="${exposure:-99}" 'BEGIN { exit !(e <= 2.0) }'
done
for unit in contrib/systemd/*.service contrib/systemd/*.timer contrib/systemd/*.path; do
  # The binaries are not installed here: lines about them do not count.
  problems=$(systemd-analyze verify --man=no "$unit" 2>&1 | grep "$(basename "$unit")" |
    grep -v 'is not executable: No such file')
  is "$(basename "$unit"): systemd knows every line" "$problems" ''
done
if command -v systemd-tmpfiles >/dev/null; then
  ok "systemd-tmpfiles makes what mail-hook writes to" \
    systemd-tmpfiles --root="$T/root" --create "$PWD/contrib/systemd/tidemark.tmpfiles"
  is "... for everybody to write, and nobody to read" \
    "$(stat -c %a "$T/root/run/tidemark/push")" 622
else
  skip 2 'systemd-tmpfiles is not installed'
fi
done_testing
