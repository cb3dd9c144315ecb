#!/bin/bash
# SPDX-License-Identifier: MIT
# Every program has a man page; each option and command of its --help stands in the page, and the
# page names none that the program does not know; every page passes mandoc -Tlint.
cd "${SOURCE:-.}" || exit 1
build=${BUILD:-build}
n=0
ok() { # ok STATUS NAME
  n=$((n + 1))
  [ "$1" -eq 0 ] || printf 'not '
  echo "ok $n - $2"
}

for program in "$build"/tidemark-*; do
  name=$(basename "$program")
  [ -f "$program" ] || continue
  "$program" --help >/dev/null 2>&1 || continue # a helper without a command line
  page=$(find plugins analyzer exporters contrib -name "$name.[18]" | head -n 1)
  [ -n "$page" ]
  ok $? "$name has a man page"
  [ -n "$page" ] || continue
  text=$(MANWIDTH=200 mandoc -Tascii -O width=200 "$page" | sed 's/.\x08//g')
  missing=
  while read -r option; do
    grep -qE -- "(^|[^-a-z])$option([^-a-z]|$)" <<<"$text" || missing="$missing $option"
  done < <("$program" --help | grep -oE -- '--[a-z][-a-z]*' | sort -u)
  [ -z "$missing" ] || echo "# not in $page:$missing"
  [ -z "$missing" ]
  ok $? "$name: every option of --help stands in its page"
  unknown=
  while read -r option; do
    "$program" --help | grep -qE -- "(^|[^-a-z])$option([^-a-z]|$)" || unknown="$unknown $option"
  done < <(grep -E '^\.(It )?.*Fl Fl |^\.Fl Fl ' "$page" | grep -oE 'Fl Fl [a-z][-a-z]*' | sed 's/Fl Fl /--/' | sort -u)
  [ -z "$unknown" ] || echo "# in $page, not in --help:$unknown"
  [ -z "$unknown" ]
  ok $? "$name: its page names no option that it does not know"
  missing=
  while read -r command; do
    grep -qE "(^| )$command( |$)" <<<"$text" || missing="$missing $command"
  done < <("$program" --help | sed -n '/^Commands:/,/^$/p' | grep -oE '^  [a-z][-a-z]*' | tr -d ' ')
  [ -z "$missing" ] || echo "# commands not in $page:$missing"
  [ -z "$missing" ]
  ok $? "$name: every command stands in its page"
  [ "$("$program" --version)" = "$name $(sed -n 's/^.define TM_VERSION "\(.*\)"/\1/p' common/version.h)" ]
  ok $? "$name: --version tells the version"
  "$program" --no-such-option >/dev/null 2>&1
  [ $? -eq 64 ]
  ok $? "$name: an unknown option is a usage error"
done

while read -r page; do
  out=$(mandoc -Tlint -Wwarning "$page" 2>&1)
  status=$?
  [ $status -eq 0 ] || while read -r line; do echo "# $line"; done <<<"$out"
  ok $status "$page passes mandoc -Tlint"
done < <(find plugins analyzer exporters contrib -name '*.[1578]' | sort)
echo "1..$n"
