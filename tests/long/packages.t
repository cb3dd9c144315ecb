#!/bin/bash
# SPDX-License-Identifier: MIT
# run: alone
# The Debian packages: built twice to the same bytes, clean by lintian, and in a new Debian 12
# installed, used, upgraded, removed and purged. Needs root (for the chroot) and Debian's packages.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
# shellcheck source=tests/lib/debian.sh
. "$(dirname "$0")/../lib/debian.sh"

for tool in dpkg-buildpackage lintian debootstrap dh; do
  command -v $tool >/dev/null || skip_all "needs $tool"
done
[ "$(id -u)" = 0 ] || skip_all "needs root"

# --- building -------------------------------------------------------------------------------------
ok "packages are built from the committed tree" contrib/debian/build "$T/one" || { done_testing; exit 1; }
mkdir "$T/elsewhere"
# shellcheck disable=SC2016 # the inner shell's
ok "and again, in another place" env TZ=Asia/Tokyo LC_ALL=C.UTF-8 \
  sh -c 'umask 027; exec contrib/debian/build "$1"' sh "$T/elsewhere/two"
is "the same bytes" "$(cat "$T/elsewhere/two/SHA256SUMS")" "$(cat "$T/one/SHA256SUMS")"
is "lintian finds no error and no warning" \
  "$(lintian --pedantic --fail-on none "$T"/one/*.changes 2>/dev/null | grep -E '^[EW]:')" ""
is "four packages" "$(cd "$T/one" && for f in ./*.deb; do echo "$f"; done | grep -v dbgsym |
  sed 's,^./,,; s/_.*//' | sort | tr '\n' ' ')" \
  "collectd-plugins-tidemark tidemark tidemark-desk tidemark-doc "

# --- a Debian of its own --------------------------------------------------------------------------
ok "a new Debian 12 is made" new_debian || { done_testing; exit 1; }
mkdir "$root/packages"
cp "$T"/one/*.deb "$root/packages"

install_all() {
  # shellcheck disable=SC2016 # the pattern is the inner shell's
  in_debian sh -c 'apt-get install -qy --no-install-recommends $(ls /packages/*.deb | grep -v dbgsym)' \
    > "$T/install.log" 2>&1 || { tail -n 20 "$T/install.log"; return 1; }
}
ok "they are installed with what they need" install_all || { done_testing; exit 1; }
for program in tidemark-probe tidemark-analyze tidemark-export tidemark-desk; do
  is "$program tells its version" "$(in_debian $program --version | sed 's/.* //')" \
    "$(sed -n 's/^.define TM_VERSION "\(.*\)"/\1/p' common/version.h)"
done
is "no service or timer of ours is enabled" \
  "$(find "$root/etc/systemd/system" -name 'tidemark*' 2>/dev/null)" ""
is "no line of collectd's configuration is in force" \
  "$(grep -vE '^(#|$)' "$root/etc/collectd/collectd.conf.d/tidemark.conf")" ""
ok "its own user is made" in_debian getent passwd tidemark
is "the plugins load" \
  "$(in_debian sh -c 'printf "FQDNLookup false\nLoadPlugin csv\nLoadPlugin disk_array\nTypesDB \"/usr/share/collectd/types.db\" \"/usr/share/tidemark/types.db\"\n" > /tmp/c.conf; collectd -T -C /tmp/c.conf 2>&1 | grep -iE "error|unable|fail"')" ""
ok "this machine is read" in_debian sh -c 'tidemark-probe block: | grep -q "\"kind\":\"disk_array\""'
ok "without a configuration nothing can leave" \
  sh -c "! chroot '$root' tidemark-export push 2>'$T/push.log' || grep -q . '$T/push.log'"

# --- used: what tests/lib/installed tells, there --------------------------------------------------------
in_debian apt-get install -qy --no-install-recommends python3 python3-aiosmtpd snmpsim snmp >"$T/tools.log" 2>&1
tests/lib/installed_view "$root"
for part in contact methods claim; do
  ok "the self-test passes: $part" in_debian BUILD=/trial/build SOURCE=/trial TZ=UTC /trial/tests/lib/installed $part
done
rm -r "$root/trial"

# --- upgrade: what an administrator changed stays ---------------------------------------------------
echo "# of this site" >> "$root/etc/collectd/collectd.conf.d/tidemark.conf"
mkdir -p "$root/etc/tidemark" "$root/var/lib/tidemark/ledger"
echo 'role = "site"' > "$root/etc/tidemark/tidemark.conf"
rm "$root"/packages/*.deb
(
  cd "$T/one/src/tidemark-"*/ || exit 1
  sed -i '1s/(\(.*\))/(\1+next)/' debian/changelog
  SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -STimestamp) dpkg-buildpackage -us -uc -b > ../next.log 2>&1
) && cp "$T"/one/src/*+next_*.deb "$root/packages"
ok "a newer version is installed over them" install_all
# shellcheck disable=SC2016 # dpkg-query's
is "and is the one that is there" "$(in_debian dpkg-query -W -f '${Version}' tidemark | grep -c next)" 1
ok "a changed conffile is kept" grep -q "of this site" "$root/etc/collectd/collectd.conf.d/tidemark.conf"
ok "the site's configuration is kept" test -s "$root/etc/tidemark/tidemark.conf"

# --- removal -----------------------------------------------------------------------------------------
ours="collectd-plugins-tidemark tidemark tidemark-desk tidemark-doc"
# shellcheck disable=SC2086 # a list of words
ok "they are removed" in_debian apt-get remove -qy $ours
ok "configuration survives removal" test -s "$root/etc/collectd/collectd.conf.d/tidemark.conf"
ok "... and so does state" test -d "$root/var/lib/tidemark/ledger"
# shellcheck disable=SC2086
ok "they are purged" in_debian dpkg --purge $ours
is "nothing of ours is left but what the administrator wrote" \
  "$(in_debian find / -xdev -path /packages -prune -o -path /proc -prune -o -iname '*tidemark*' -print |
    grep -v '^/var/\(cache\|log\|lib/dpkg\)' | sort | tr '\n' ' ')" \
  "/etc/tidemark /etc/tidemark/tidemark.conf "
done_testing
