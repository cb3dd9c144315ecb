# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# A Debian 12 of the test's own, for tests/long: source this after tap.sh. Needs root, debootstrap and
# what it takes packages from.
root=$T/debian

# new_debian PACKAGE...: makes it with these besides the least that there is. No service starts there.
new_debian() {
  local packages=$*
  debootstrap --variant=minbase --include="ca-certificates${packages:+,${packages// /,}}" bookworm "$root" || return 1
  cp -r /etc/apt/sources.list* /etc/apt/apt.conf.d "$root/etc/apt/"
  cp /etc/resolv.conf "$root/etc/" 2>/dev/null
  mount -t proc proc "$root/proc"
  mount --bind /dev "$root/dev"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts" 2>/dev/null
  mount --bind /sys "$root/sys"
  printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  in_debian apt-get update -q > "$T/update.log" 2>&1
}

# What it still holds is let go at once: the folder is removed after this.
cleanup() {
  local place
  for place in dev/pts sys dev proc; do umount --lazy "$root/$place" 2>/dev/null; done
  ! mountpoint -q "$root/dev" || { echo "# $root/dev is still mounted" >&2; exit 1; }
}

in_debian() {
  chroot "$root" env -i DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 HOME=/root \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
