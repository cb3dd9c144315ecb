#!/bin/bash
# SPDX-License-Identifier: MIT
# A release: the archive of what is committed, the list of its parts, checksums and signature.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
command -v gpg >/dev/null || skip_all "needs gpg"
git rev-parse HEAD >/dev/null 2>&1 || skip_all "needs a checkout: an archive has no commits"

export GNUPGHOME=$T/gnupg
unset MAKEFLAGS MAKELEVEL # of the make that runs the tests: what it says is not looked at here
mkdir -m 700 "$GNUPGHOME"
cleanup() { gpgconf --kill all 2>/dev/null; }
gpg --batch --quiet --passphrase '' --quick-generate-key release@tidemark.example ed25519 sign 1d 2>/dev/null
release() { make --no-print-directory release B="$1" KEY=release@tidemark.example; }

ok "a release is made" release "$T/a"
version=$(sed -n 's/^.define TM_VERSION "\(.*\)"/\1/p' common/version.h)
ok "its signature is right" gpg --batch --verify "$T/a/SHA256SUMS.asc" "$T/a/SHA256SUMS"
ok "so are its checksums" sh -c "cd '$T/a' && sha256sum --strict -c SHA256SUMS"
is "archive and list of parts are covered" "$(sed 's/.* //' "$T/a/SHA256SUMS" | tr '\n' ' ')" \
  "tidemark-$version.tar.gz tidemark-$version.cdx.json "
ok "made again it has the same bytes" sh -c "make --no-print-directory release B='$T/b' \
  KEY=release@tidemark.example && cmp '$T/a/SHA256SUMS' '$T/b/SHA256SUMS'"
printf 'x' >> "$T/b/tidemark-$version.tar.gz"
ok "a changed byte is noticed" sh -c "cd '$T/b' && ! sha256sum --strict -c SHA256SUMS"
ok "the archive has the whole tree" sh -c "tar tzf '$T/a/tidemark-$version.tar.gz' |
  sed 's,^[^/]*/,,' | grep -v '/\$' | grep . | sort > '$T/archived'; git ls-tree -r --name-only HEAD | sort |
  cmp - '$T/archived'"
ok "the list of parts names libraries with versions" python3 -c "
import json
document = json.load(open('$T/a/tidemark-$version.cdx.json'))
names = {part['name']: part['version'] for part in document['components']}
assert document['bomFormat'] == 'CycloneDX' and names['libjansson4'] and names['libcurl4-gnutls-dev' if 'libcurl4-gnutls-dev' in names else 'libsodium23'], names"
is "without a key nothing is signed" "$(make --no-print-directory release B="$T/c" 2>&1 >/dev/null |
  head -n 1)" "release: say KEY=..., the gpg key that signs"
done_testing
