#!/bin/bash
# SPDX-License-Identifier: MIT
# The Debian packages: made of what is built already by their real rules, installed by dpkg into a view of
# this machine that has its packages and nothing of ours, and tried there from end to end. Nothing of it
# is seen outside that view. From source, and in a new Debian: tests/long/packages.t.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
for tool in dh dpkg-deb unshare; do
  command -v $tool >/dev/null || skip_all "needs $tool"
done
[ "$(id -u)" = 0 ] || skip_all "needs root"
[ -z "$(sanitizer "$BUILD/tidemark-probe")" ] || skip_all "packages are not built with a sanitizer"
unshare --mount --propagation private true 2>"$T/inside.log" ||
  skip_all "needs a mount namespace: $(cat "$T/inside.log")"
unset MAKEFLAGS MFLAGS MAKELEVEL

# --- the packages -----------------------------------------------------------------------------------
# The objects are taken along: only what tells places is compiled again, for Debian's.
tree=$T/tree
mkdir -p "$tree/build"
tar c --exclude=./build --exclude=./.git . | tar x -C "$tree"
(cd "$BUILD" && find .flags places.h common plugins analyzer exporters contrib -type f ! -name '*.so' -print0 |
  tar c --null -T -) | tar x -C "$tree/build"
cp -r contrib/debian "$tree/debian"
packages() (
  cd "$tree" && export DEB_RULES_REQUIRES_ROOT=no DEB_BUILD_OPTIONS='noautodbgsym nostrip' \
    DPKG_DEB_COMPRESSOR_TYPE=none BUILD_FLAGS="CFLAGS='-O2 -g' CPPFLAGS= LDFLAGS=" &&
    debian/rules binary
)
ok "the rules make packages" packages || { done_testing; exit 1; }
is "these four" "$(cd "$T" && for f in ./*.deb; do echo "$f"; done | sed 's,^./,,; s/_.*//' | sort | tr '\n' ' ')" \
  "collectd-plugins-tidemark tidemark tidemark-desk tidemark-doc "

# --- a view of this machine without anything of ours --------------------------------------------------
# Written is to a file system in memory, in a mount namespace that ends with the last process in it.
cat > "$T/inside" <<'INSIDE'
set -eu
view=$1
mount -t tmpfs -o size=256m view "$view"
mkdir "$view/upper" "$view/work" "$view/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$view/upper,workdir=$view/work" "$view/root"
for kept in proc dev sys; do mount --rbind "/$kept" "$view/root/$kept"; done
root=$view/root
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
rm -rf "$root/etc/tidemark" # of a site that is here; nothing is taken away outside the view
mkdir "$root/packages"
cp "$2"/*.deb "$root/packages"
tests/lib/installed_view "$root"
exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin sleep infinity
INSIDE
mkdir "$T/view"
unshare --mount --propagation private sh "$T/inside" "$T/view" "$T" 2> "$T/inside.log" &
view=$!
keep $view
there() { nsenter --target $view --mount --root env -C / -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C TZ=UTC \
  HOME=/root DEBIAN_FRONTEND=noninteractive BUILD=/trial/build SOURCE=/trial "$@"; }
# shellcheck disable=SC2016 # the inner shell's
wait_for sh -c 'grep -qz "^sleep" /proc/'$view'/cmdline' ||
  { ok "the view is made" cat "$T/inside.log" /nowhere; done_testing; exit 1; }

is "nothing of ours is there before" "$(there sh -c 'command -v tidemark-probe tidemark-desk; ls -d /usr/share/tidemark /etc/tidemark 2>/dev/null')" ""
ok "they are installed, with all that they depend on there" there sh -c 'exec dpkg -i /packages/*.deb'
ok "manual and completions are there" there sh -c 'test -s /usr/share/man/man8/tidemark-desk.8.gz &&
  test -s /usr/share/bash-completion/completions/tidemark-export && test -s /usr/share/doc/tidemark/README.md.gz -o -s /usr/share/doc/tidemark/README.md'
ok "its own users are made" there sh -c 'getent passwd tidemark && getent passwd tidemark-desk'
is "no service of ours is enabled" "$(there find /etc/systemd/system -name 'tidemark*')" ""

started=()
for part in contact methods claim; do
  { there /trial/tests/lib/installed $part > "$T/$part.log" 2>&1; echo $? > "$T/$part.status"; } &
  started+=($!)
  keep $!
done
wait "${started[@]}"
went() { cat "$T/$1.log"; [ "$(cat "$T/$1.status")" = 0 ]; }
ok "installed from the package, a contact on a product page is mailed to the person in charge" went contact
ok "installed from the package, both methods work: a request with its product, an update with old and new" \
  went methods
ok "installed from the package, the self-test passes: a claim's items are asked for, read and shown" \
  went claim
done_testing
