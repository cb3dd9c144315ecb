# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# A desk of its own for a system test: source this after tap.sh.
# desk_conf [LINE...]: writes $T/desk.conf. desk_start: serves it; then $DESK and $DESK_ADMIN are the
# addresses, and $DESK_LINK is the first administrator's link, where it was the first start.

desk_conf() {
  cat >"$T/desk.conf" <<CONF
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
database = "${DESK_DATABASE:-sqlite:$T/desk.db}"
timezone = "Asia/Tokyo"
paths { state = "$T" data = "$SOURCE/contrib/desk" }
$(printf '%s\n' "$@")
CONF
}

desk_start() {
  rm -f "$T/desk.out"
  tidemark-desk serve --config "$T/desk.conf" >"$T/desk.out" 2>"$T/desk.err" &
  DESK_PID=$!
  keep $DESK_PID
  wait_for grep -q '^serving at' "$T/desk.out" || {
    sed 's/^/# /' "$T/desk.err"
    return 1
  }
  DESK=$(sed -n 's/^serving at //p' "$T/desk.out")
  DESK_ADMIN=$(sed -n 's/^health and metrics at //p' "$T/desk.out")
  DESK_LINK=$(sed -n 's/^first administrator.*: //p' "$T/desk.out")
  # Used by the tests.
  export DESK DESK_ADMIN DESK_LINK DESK_PID
}

# desk_ask JAR PATH [CURL OPTION...]: the status; the body is in $T/body, the head in $T/head.
desk_ask() {
  local jar=$1 path=$2
  shift 2
  curl -s -o "$T/body" -D "$T/head" -w '%{http_code}' -b "$T/$jar" -c "$T/$jar" "$@" "$DESK$path"
}

# desk_post JAR PATH [NAME=VALUE...]: posts a form with the session's token, as a page of ours would.
desk_post() {
  local jar=$1 path=$2 csrf
  shift 2
  local fields=()
  csrf=$(curl -s -b "$T/$jar" "$DESK/account" | sed -n 's/.*name="csrf" value="\([0-9a-f]*\)".*/\1/p' | head -n 1)
  for field; do fields+=(--data-urlencode "$field"); done
  desk_ask "$jar" "$path" --data-urlencode "csrf=$csrf" "${fields[@]}"
}

# desk_user JAR LOGIN OPTION...: an account, signed in.
desk_user() {
  local jar=$1 login=$2 link
  shift 2
  link=$(tidemark-desk user add "$login" --config "$T/desk.conf" "$@") || return 1
  desk_ask "$jar" "/login/${link##*/}" -X POST >/dev/null
}
