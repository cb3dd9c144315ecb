# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# A Debian 12 of the test's own, for tests/long: source this after tap.sh. Needs root, debootstrap and
# what it takes packages from.
root=$T/debian

# new_debian PACKAGE...: makes it with these besides the least that there is. No service starts there.
new_debian() {
  local packages=$*
  debootstrap --variant=minbase --include="ca-certificates${packages:+,${packages// /,}}" bookworm "$root" || return 1
  enter_debian
  in_debian apt-get update -q > "$T/update.log" 2>&1
}

# enter_debian: the same for one that is there already.
enter_debian() {
  cp -r /etc/apt/sources.list* /etc/apt/apt.conf.d "$root/etc/apt/"
  cp /etc/resolv.conf "$root/etc/" 2>/dev/null
  # As Debian's installer writes it; debootstrap does not.
  printf '127.0.0.1\tlocalhost\n127.0.1.1\t%s\n' "$(hostname)" > "$root/etc/hosts"
  # Its root is a mount of its own, as a machine's is: mount namespaces can be made there.
  mount --bind --make-private "$root" "$root" || return 1
  mount -t proc proc "$root/proc" || return 1
  # As slaves: what is let go there stays mounted here.
  mount --rbind --make-rslave /dev "$root/dev"
  mount --rbind --make-rslave /sys "$root/sys"
  printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
}

# What it still holds is let go at once: the folder is removed after this.
leave_debian() {
  local place
  for place in sys dev proc; do umount --recursive --lazy "$root/$place" 2>/dev/null; done
  umount --lazy "$root" 2>/dev/null
  ! mountpoint -q "$root/dev" || { echo "# $root/dev is still mounted" >&2; exit 1; }
}

cleanup() { leave_debian; }

in_debian() {
  chroot "$root" env -i DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 HOME=/root \
    PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
