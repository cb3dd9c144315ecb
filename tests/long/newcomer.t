#!/bin/bash
# SPDX-License-Identifier: MIT
# run: alone
# A newcomer's walk: a new Debian 12 with git, make, gcc and nothing else. `make run ONCE=1` and `make check`
# pass there, then every command that the documents say to type (tests/lib/documents.py) is run as it
# stands. Needs root, debootstrap and Debian's packages, and the time of a whole `make check`.
#
# NEWCOMER_ROOT=DIR: a Debian that is there already, and stays; NEWCOMER_CHECK=no: without make check.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
# shellcheck source=tests/lib/debian.sh
. "$(dirname "$0")/../lib/debian.sh"
command -v debootstrap >/dev/null || skip_all "needs debootstrap"
[ "$(id -u)" = 0 ] || skip_all "needs root"
git rev-parse HEAD >/dev/null 2>&1 || skip_all "needs a checkout: an archive has no commits"

if [ -n "${NEWCOMER_ROOT:-}" ]; then
  root=$NEWCOMER_ROOT
  ok "a Debian that is there is taken" enter_debian || { done_testing; exit 1; }
else
  ok "a new Debian 12 is made, with git, make and gcc" new_debian git make gcc libc6-dev || { done_testing; exit 1; }
fi
tree=/root/tidemark
rm -rf "${root:?}$tree" "$root/root/walk"
git clone --quiet . "$root$tree"
mkdir "$root/root/walk"

in_tree() { in_debian sh -c "cd $tree && exec \"\$@\"" sh "$@"; }

# --- as README.md begins ------------------------------------------------------------------------------
export -f in_debian in_tree
export root tree
ok "make run ONCE=1 passes" bash -c "in_tree make run ONCE=1 </dev/null >'$T/run' 2>&1 || { tail -n 30 '$T/run'; exit 1; }"
like "and shows the fleet" "$(cat "$T/run")" "osaka-gw/array-01 .*TiB"
if [ "${NEWCOMER_CHECK:-}" != no ]; then
  ok "make check passes" bash -c "in_tree make check </dev/null >'$T/check' 2>&1 || { grep -E '^not ok|mission:' '$T/check'; sed -n '/^Failed:/,\$p' '$T/check' | head -n 200; exit 1; }"
  echo "# $(grep -E '^mission: ' "$T/check")"
fi

# --- what the documents take for granted ---------------------------------------------------------------
# A collectd that has written for years, a site with a configuration, and a vendor with a desk.
ok "make install" bash -c "in_tree make install >'$T/install' 2>&1 || { tail -n 30 '$T/install'; exit 1; }"
fleet=$tree/build/demo/fleet/C-1001
in_debian sh -c "mkdir -p /etc/tidemark /var/lib/collectd /var/lib/tidemark /var/spool/tidemark &&
  rm -rf /var/lib/collectd/rrd /etc/tidemark/* /var/lib/tidemark/* /var/spool/tidemark/* && cp -r $fleet/rrd /var/lib/collectd/rrd &&
  cp -r $fleet/products.d /etc/tidemark/ && cp $tree/contrib/demo/catalogue.json /root/walk &&
  sed -e 's,^paths .*,paths { data = \"/var/lib/collectd/rrd\"  state = \"/var/lib/tidemark\"  spool = \"/var/spool/tidemark\" },' \
    -e 's,$fleet/products.d,/etc/tidemark/products.d,' $fleet/tidemark.conf > /etc/tidemark/tidemark.conf"
printf 'FQDNLookup false\nLoadPlugin cpu\n' > "$root/etc/collectd/collectd.conf"
ok "a night's analysis is there" in_debian sh -c "cd /root/walk && tidemark-analyze run --record --history 366d --format json > summaries.ndjson"
printf 'listen = "127.0.0.1:0"\ndatabase = "sqlite:/root/walk/desk.db"\npaths { state = "/root/walk" }\n' > "$root/root/walk/desk.conf"
# ended by the pid that the desk itself has: chroot and env become it
chroot "$root" env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/root tidemark-desk serve --config /root/walk/desk.conf > "$T/desk.out" 2>&1 &
keep $!
ok "a vendor's desk serves" wait_for grep -q '^serving at' "$T/desk.out"
url=$(sed -n 's/^serving at //p' "$T/desk.out")
ok "which enrols the site" in_debian sh -c "cd /root/walk && tidemark-desk site add C-1001 osaka-1 --customer-name 'Example KK' --url $url \
  --config desk.conf --output enrolment.json"

# --- every command, as it stands -------------------------------------------------------------------------
# Commands of make are typed in the tree, the others in a folder of one's own. make run and make check are
# above, and make check-long is what this is a part of.
tests/lib/documents.py > "$T/commands"
while IFS=$'\t' read -r where block; do
  printf '%b\n' "$block" > "$root/root/typed"
  case $block in
    'make check'* | 'make run'*) continue ;;
    make\ * | tests/*) place=$tree ;;
    *) place=/root/walk ;;
  esac
  ok "$where: $(head -n 1 "$root/root/typed" | sed 's/ *#.*//')" in_debian sh -c "cd $place && exec bash -e -o pipefail /root/typed" < /dev/null
done < "$T/commands"
done_testing
