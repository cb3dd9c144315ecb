#!/bin/bash
# SPDX-License-Identifier: MIT
# A Prometheus API behind a real nginx that wants a tenant, a token or a password: what the block
# `prometheus` says goes with every request, to that server alone, and stands in no argument.
# shellcheck source=tests/lib/tap.sh
. "${SOURCE:-.}/tests/lib/tap.sh"
PATH=$PATH:/usr/sbin
for program in victoria-metrics nginx openssl; do
  command -v $program >/dev/null || skip_all "needs $program"
done

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
vm=$(port) tls=$(port) plain=$(port) signed=$(port)
victoria-metrics -storageDataPath="$T/vm" -retentionPeriod=100y -httpListenAddr="127.0.0.1:$vm" \
  -memory.allowedBytes=256MB >"$T/vm.log" 2>&1 &
keep $!
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 \
  -addext subjectAltName=IP:127.0.0.1 -keyout "$T/key.pem" -out "$T/cert.pem" 2>/dev/null
mkdir "$T/ca" # an authority, a certificate by it, and the lists without and with it
PYTHONDONTWRITEBYTECODE=1 python3 - "$T/ca" "${SOURCE:-.}/tests/lib" <<'EOP' || exit 1
import sys
sys.path.insert(0, sys.argv[2])
from revoking import Authority
ours = Authority(sys.argv[1])
ours.issue("signed")
ours.revoke()
ours.revoke("signed")
EOP
echo 'reader:{PLAIN}pass word' >"$T/htpasswd"
cat >"$T/nginx.conf" <<EOC
worker_processes 1;
pid $T/nginx.pid;
error_log $T/nginx.err;
events {}
http {
  access_log off;
  client_body_temp_path $T/body; proxy_temp_path $T/proxy; fastcgi_temp_path $T/f;
  uwsgi_temp_path $T/u; scgi_temp_path $T/s;
  server {
    listen 127.0.0.1:$tls ssl;
    ssl_certificate $T/cert.pem;
    ssl_certificate_key $T/key.pem;
    location /tenant/ {
      if (\$http_x_scope_orgid != "osaka|kobe") { return 401 "no org id"; }
      if (\$http_authorization) { return 400; }
      proxy_pass http://127.0.0.1:$vm/;
    }
    location /token/ {
      if (\$http_authorization != "Bearer s3cret.token") { return 403; }
      proxy_pass http://127.0.0.1:$vm/;
    }
    location /password/ {
      auth_basic metrics;
      auth_basic_user_file $T/htpasswd;
      proxy_pass http://127.0.0.1:$vm/;
    }
    location /elsewhere/ {
      if (\$http_authorization) { return 400; }
      if (\$http_x_scope_orgid) { return 400; }
      proxy_pass http://127.0.0.1:$vm/;
    }
  }
  server {
    listen 127.0.0.1:$signed ssl;
    ssl_certificate $T/ca/signed.crt;
    ssl_certificate_key $T/ca/signed.key;
    access_log $T/signed.log;
    location / { proxy_pass http://127.0.0.1:$vm; }
  }
  server {
    listen 127.0.0.1:$plain;
    location /open/ {
      if (\$http_authorization) { return 400; }
      proxy_pass http://127.0.0.1:$vm/;
    }
    location / { return 301 https://127.0.0.1:$tls\$request_uri; }
  }
}
EOC
chmod 755 "$T" && chmod 644 "$T/htpasswd"
nginx -g 'daemon off;' -c "$T/nginx.conf" >"$T/nginx.out" 2>&1 &
keep $!
wait_for curl -sf "http://127.0.0.1:$vm/health" || { cat "$T/vm.log"; exit 1; }
wait_for curl -skf "https://127.0.0.1:$tls/elsewhere/health" || { cat "$T/nginx.err"; exit 1; }
python3 -c '
t0 = 1795132800
for name, value in (("used", 5e12), ("total", 8e12)):
    print("{\"metric\":{\"__name__\":\"collectd_disk_array_capacity\",\"disk_array\":\"array-01\",\"type\":\"%s\","
          "\"instance\":\"gw.example.com\"},\"timestamps\":[%s],\"values\":[%s]}" % (name,
          ",".join(str((t0 - i * 3600) * 1000) for i in range(48)), ",".join([str(value)] * 48)))
' | curl -sf --data-binary @- "http://127.0.0.1:$vm/api/v1/import"
curl -sf "http://127.0.0.1:$vm/internal/force_flush" >/dev/null

server=https://127.0.0.1:$tls
conf() { # conf PLACE KEYS
  printf 'prometheus { url = "%s/%s" ca_file = "%s" %s }\n' "$server" "$1" "$T/cert.pem" "${2:-}" >"$T/conf"
}
run() { tidemark-analyze run --config "$T/conf" --as-of @1795132800 --format json "$@"; }
told() { grep -c '"host":"gw.example.com"},"product":{"device":"array-01"' "$T/out"; }
printf 's3cret.token\n' >"$T/token" && chmod 600 "$T/token"
printf 'pass word\n' >"$T/password" && chmod 600 "$T/password"

conf tenant 'tenant = "osaka|kobe"'
is 'the tenant goes with every request, and the block says where history is' \
  "$(status_of run) $(told) $(cat "$T/err")" '0 1 '
is '... also where the server is named, with or without the slash' \
  "$(status_of run --source "prometheus:$server/tenant/") $(told)" '0 1'
conf tenant 'tenant = "tokyo"'
is 'another tenant is turned away' "$(status_of run)" 65
like '... with what the server answered' "$(cat "$T/err")" "$server/tenant.*the server answered 401"
conf token "token_file = \"$T/token\""
is 'the token goes with every request' "$(status_of run) $(told) $(cat "$T/err")" '0 1 '
is '... and with those of several jobs' "$(status_of run --jobs 3) $(told)" '0 1'
is '... and of graph' "$(status_of tidemark-analyze graph gw.example.com/array-01 --config "$T/conf" \
  --as-of @1795132800 -o "$T/g.svg")" 0
is '... and to no other place' \
  "$(status_of run --source "prometheus:http://127.0.0.1:$plain/open") $(told)" '0 1'
is '... whose certificate is not trusted for it either' \
  "$(status_of run --source "prometheus:$server/elsewhere")" 77
like '... as is said' "$(cat "$T/err")" 'certificate'
conf elsewhere "tenant = \"osaka|kobe\" token_file = \"$T/token\""
is 'what is sent is seen there' "$(status_of run)" 65
conf elsewhere
is '... and nothing is sent unasked' "$(status_of run) $(told)" '0 1'
conf password "user = \"reader\" password_file = \"$T/password\""
is 'user and password open a door' "$(status_of run) $(told) $(cat "$T/err")" '0 1 '
echo wrong >"$T/password"
is 'wrong ones do not' "$(status_of run)" 65

conf token "token_file = \"$T/token\""
# Leaks are not looked for: that cannot be done in a program that is traced.
ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0" strace -f -v -e trace=execve -s 4096 -o "$T/trace" tidemark-analyze run --config "$T/conf" \
  --as-of @1795132800 >/dev/null 2>&1
is 'no secret stands in an argument or the environment' \
  "$(grep -c execve "$T/trace") $(grep -c 's3cret' "$T/trace")" "$(grep -c execve "$T/trace") 0"
chmod 644 "$T/token"
is 'a token that everybody can read is refused' "$(status_of run)" 77
like '... by its name' "$(cat "$T/err")" "$T/token: holds secrets and its mode is 0644"
rm "$T/token"
is 'one that is not there too' "$(status_of run)" 66
printf 's3cret.token\n' >"$T/token" && chmod 600 "$T/token"
conf token "token_file = \"$T/token\""
sed -i "s,$server,http://127.0.0.1:$plain," "$T/conf"
is 'a server that sends elsewhere is not followed' "$(status_of run)" 65

# signed KEYS
signed() {
  printf 'prometheus { url = "https://127.0.0.1:%s" ca_file = "%s" %s }\n' "$signed" \
    "$T/ca/authority.crt" "$1" >"$T/conf"
}
signed "crl_file = \"$T/ca/authority.now.crl\""
is 'a certificate that is not on the list of revoked ones is good' "$(status_of run) $(told)" '0 1'
asked=$(wc -l <"$T/signed.log")
signed "crl_file = \"$T/ca/authority.signed-now.crl\""
is 'one that is on it is not' "$(status_of run)" 77
signed 'ocsp_stapling = yes'
is '... nor one without the proof that is wanted' "$(status_of run)" 77
is '... and neither was asked for anything' "$(wc -l <"$T/signed.log")" "$asked"

# refused NAME KEYS PATTERN
refused() {
  printf 'prometheus { %s }\n' "$2" >"$T/conf"
  is "$1" "$(status_of run)" 78
  like '... with the line' "$(cat "$T/err")" "$T/conf:1: $3"
}
refused 'a token over plain http to another machine' \
  'url = "http://metrics.example.com/" token_file = "/t"' "url: 'http://metrics.example.com/': https is wanted"
refused 'a token and a password' \
  'url = "https://m/" token_file = "/t" user = "u" password_file = "/p"' 'prometheus: either'
refused 'a user without a password' 'url = "https://m/" user = "u"' 'prometheus: user and password_file'
refused 'a tenant of no server' 'tenant = "t"' 'prometheus: tenant is given, and no url'
done_testing
