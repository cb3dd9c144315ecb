#!/bin/bash
# SPDX-License-Identifier: MIT
# Who may enter the desk: links, passwords, sessions, tokens, roles, and what is written down of it.
. "${SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. tests/lib/desk.sh

sql() { python3 -c 'import sqlite3,sys; d = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None); print("\n".join("|".join(map(str,r)) for r in d.execute(sys.argv[2])))' "$T/desk.db" "$1"; }
header() { sed -n "s/^$1: \(.*\)\r$/\1/pI" "$T/head"; }

# shellcheck disable=SC2119 # no further lines
desk_conf
desk_start || { echo "1..1"; echo "not ok 1 - the desk starts"; exit 1; }

# --- the first administrator ---------------------------------------------------------------------
like "the first start prints a link for the first administrator" "$DESK_LINK" "^$DESK/login/[A-Za-z0-9_-]{43}$"
is "without sign-in a page leads to the sign-in" "$(desk_ask none /account) $(header location)" "303 /login?next=/account"
is "and a program is told 401" "$(desk_ask none /account -H 'Accept: application/json') $(cat "$T/body")" \
  '401 {"error":"sign in first, or send a valid token"}'
is "opening the link changes nothing" "$(desk_ask admin "${DESK_LINK#"$DESK"}") $(sql 'SELECT used_at FROM login_links')" "200 None"
is "using it signs in" "$(desk_ask admin "${DESK_LINK#"$DESK"}" -X POST) $(header location)" "303 /"
like "the cookie cannot be read by script, nor sent by other sites" "$(header set-cookie)" \
  '^tidemark=[A-Za-z0-9_-]{43}; Path=/; HttpOnly; SameSite=Lax$'
is "it is good for once" "$(desk_ask other "${DESK_LINK#"$DESK"}" -X POST)" 401
is "the account's page is there" "$(desk_ask admin /account)" 200
like "and knows who it is" "$(cat "$T/body")" '<h1>Administrator</h1>'
id=$(sed -n 's/.*tidemark\t//p' "$T/admin")
unlike "the database does not hold the session's id" "$(cat "$T"/desk.db* | strings)" "$id"

# --- forms of other sites ------------------------------------------------------------------------
is "a form without the session's token is refused" "$(desk_ask admin /account/tokens -d name=x)" 403
is "so is one with another's" "$(desk_ask admin /account/tokens -d name=x -d csrf=0000)" 403
csrf=$(curl -s -b "$T/admin" "$DESK/account" | sed -n 's/.*name="csrf" value="\([0-9a-f]*\)".*/\1/p' | head -n 1)
is "so is one that a browser says comes from elsewhere" \
  "$(desk_ask admin /account/tokens -d name=x -d "csrf=$csrf" -H 'Sec-Fetch-Site: cross-site')" 403
is "or from another origin" \
  "$(desk_ask admin /account/tokens -d name=x -d "csrf=$csrf" -H 'Origin: https://evil.example')" 403
is "sign-in by a form of another site is refused too" \
  "$(desk_ask none /login -d login=admin -d password=x -H 'Origin: https://evil.example')" 403

# --- passwords -----------------------------------------------------------------------------------
for bad in short password1 Passw0rd2026! 12345678 qwertyuiop aaaaaaaaaa; do
  is "the password $bad is refused" "$(desk_post admin /account/password "new=$bad" "again=$bad")" 422
done
is "two that differ are refused" "$(desk_post admin /account/password new=glad-heron-vast-oak again=glad-heron-vast-oat)" 422
is "a good one is taken" "$(desk_post admin /account/password new=glad-heron-vast-oak again=glad-heron-vast-oak) $(header location)" \
  "303 /account?said=password"
# shellcheck disable=SC2016 # the dollars are the hash's
like "as argon2id of 64 MiB" "$(sql "SELECT password FROM users")" '^\$argon2id\$v=19\$m=65536,t=2,p=1\$'
is "to change it, today's is wanted" "$(desk_post admin /account/password old=wrong new=other-heron-vast-oak again=other-heron-vast-oak)" 422
is "the password signs in, whatever the case of the login" "$(desk_ask second /login -d login=ADMIN -d password=glad-heron-vast-oak -d next=/account) $(header location)" "303 /account"
is "a page of elsewhere is not gone on to" "$(desk_ask third /login -d login=admin -d password=glad-heron-vast-oak -d next=//evil.example) $(header location)" "303 /"
old=$(sed -n 's/.*tidemark\t//p' "$T/third")
is "another sign-in gives another session" "$(desk_ask third /login -d login=admin -d password=glad-heron-vast-oak)" 303
unlike "with a new id" "$(cat "$T/third")" "$old"
is "and the old one is over" "$(curl -s -o /dev/null -w '%{http_code}' -H "Cookie: tidemark=$old" "$DESK/account")" 303
is "a changed password ends the other sessions" \
  "$(desk_post admin /account/password old=glad-heron-vast-oak new=mild-otter-past-elm again=mild-otter-past-elm) $(desk_ask second /account)" "303 303"
is "but not this one" "$(desk_ask admin /account)" 200

# --- tokens --------------------------------------------------------------------------------------
is "a token is made" "$(desk_post admin /account/tokens "name=the <b>CRM</b>")" 200
token=$(sed -n 's/.*<code>\(tmd_[^<]*\)<.*/\1/p' "$T/body")
like "it is shown once" "$token" '^tmd_[A-Za-z0-9_-]{43}$'
like "its name is escaped" "$(cat "$T/body")" 'the &lt;b&gt;CRM&lt;/b&gt;'
is "it opens what its owner may see" "$(desk_ask none /account -H "Authorization: Bearer $token" -H 'Accept: application/json')" 200
unlike "and is not shown again" "$(cat "$T/body")" "$token"
unlike "nor held" "$(cat "$T"/desk.db* | strings)" "$token"
is "it cannot make another one" "$(desk_ask none /account/tokens -H "Authorization: Bearer $token" -d name=x)" 403
is "a wrong one is 401" "$(desk_ask none /account -H "Authorization: Bearer ${token}x")" 401
is "it is revoked" "$(desk_post admin "/account/tokens/$(sql 'SELECT id FROM api_tokens')/revoke")" 303
is "and opens nothing" "$(desk_ask none /account -H "Authorization: Bearer $token")" 401
is "what is no number is 404" "$(desk_post admin /account/tokens/x/revoke)" 404

# --- the command line ----------------------------------------------------------------------------
ok "a sales person is added and signs in" desk_user sales mori@vendor.example --name "K. Mori" --role sales
is "another's token cannot be revoked" "$(desk_post sales "/account/tokens/$(sql 'SELECT id FROM api_tokens')/revoke")" 404
is "another's session cannot be ended" "$(desk_post sales "/account/sessions/$(sql 'SELECT min(id) FROM sessions')/end")" 404
is "who says no more than 'add' is told what is wanted" "$(status_of tidemark-desk user add -c "$T/desk.conf")" 64
like "with what an account needs" "$(cat "$T/err")" 'add LOGIN --name NAME --role ROLE,'
is "the same login again is refused" "$(status_of tidemark-desk user add MORI@vendor.example --name x --role sales -c "$T/desk.conf")" 65
like "with its reason" "$(cat "$T/err")" 'MORI@vendor.example: there is such an account already'
is "a role that is none is refused" "$(status_of tidemark-desk user add a@b.example --name x --role boss -c "$T/desk.conf")" 65
is "a customer that is none is refused" "$(status_of tidemark-desk user add a@b.example --name x --role customer --customer C-1 -c "$T/desk.conf")" 66
like "the list shows them" "$(tidemark-desk user list -c "$T/desk.conf")" 'mori@vendor.example +sales +K\. Mori'
ok "a role is changed" tidemark-desk user role mori@vendor.example service -c "$T/desk.conf"
is "which signs out" "$(desk_ask sales /account)" 303
link=$(tidemark-desk user link mori@vendor.example -c "$T/desk.conf")
is "a new link signs in" "$(desk_ask sales "/login/${link##*/}" -X POST)" 303
ok "an account is disabled" tidemark-desk user disable mori@vendor.example -c "$T/desk.conf"
is "which signs out" "$(desk_ask sales /account)" 303
link=$(tidemark-desk user link mori@vendor.example -c "$T/desk.conf")
is "and lets nobody in" "$(desk_ask sales "/login/${link##*/}" -X POST)" 401

# --- the administrator's pages -------------------------------------------------------------------
is "an account is added by the page" "$(desk_post admin /people login=okada@vendor.example "name=F. <Okada>" role=factory)" 200
link=$(sed -n 's/.*<code>\(http[^<]*\)<.*/\1/p' "$T/body")
like "its link is shown" "$link" "^$DESK/login/[A-Za-z0-9_-]{43}$"
like "and the name escaped" "$(cat "$T/body")" 'F\. &lt;Okada&gt;'
is "the link is not shown again" "$(desk_ask admin /people) $(grep -cF -e "${link##*/}" "$T/body")" "200 0"
is "it signs in" "$(desk_ask factory "/login/${link##*/}" -X POST)" 303
is "the factory may not see people" "$(desk_ask factory /people)" 403
is "nor the audit log" "$(desk_ask factory /audit)" 403
is "nor add itself a friend" "$(desk_post factory /people login=x@y.example name=x role=admin)" 403
is "a login that is no address is refused" "$(desk_post admin /people login=nobody name=x role=sales)" 422
like "with the reason" "$(cat "$T/body")" 'nobody: an e-mail address is wanted'
me=$(sql "SELECT id FROM users WHERE login = 'admin'")
okada=$(sql "SELECT id FROM users WHERE login = 'okada@vendor.example'")
is "one's own account cannot be shut by a slip" "$(desk_post admin "/people/$me/disable")" 422
is "nor one's own role be lost" "$(desk_post admin "/people/$me/role" role=sales)" 422
is "another's role is set" "$(desk_post admin "/people/$okada/role" role=service) $(sql "SELECT role FROM users WHERE id = $okada")" "303 service"
is "which signs out" "$(desk_ask factory /account)" 303
is "a role that is none is refused" "$(desk_post admin "/people/$okada/role" role=site)" 422
is "an account is shut" "$(desk_post admin "/people/$okada/disable") $(sql "SELECT disabled_at > 0 FROM users WHERE id = $okada")" "303 1"
is "and opened again" "$(desk_post admin "/people/$okada/enable") $(sql "SELECT disabled_at FROM users WHERE id = $okada")" "303 None"
is "one that is none is 404" "$(desk_post admin /people/999/enable)" 404
is "the audit log is shown" "$(desk_ask admin '/audit?what=role&subject=okada@vendor.example') $(grep -c '<tr><th scope="row">' "$T/body")" "200 1"
for _ in $(seq 60); do sql "INSERT INTO audit (at, by_name, what, subject) VALUES (1795143900, 'x', 'seen', 'a&b')" >/dev/null; done
is "in pages" "$(desk_ask admin '/audit?subject=a%26b') $(grep -c '<tr><th scope="row">' "$T/body")" "200 50"
next=$(sed -n 's/.*href="\([^"]*\)" rel="next".*/\1/p' "$T/body" | sed 's/&amp;/\&/g')
is "and the next one has the rest" "$(desk_ask admin "$next") $(grep -c '<tr><th scope="row">' "$T/body")" "200 10"
is "where nothing fits, it says so" "$(desk_ask admin '/audit?what=nothing') $(grep -c 'No entry matches' "$T/body")" "200 1"

# --- too many tries ------------------------------------------------------------------------------
tries() { for _ in $(seq "$2"); do desk_ask none /login -d "login=$1" -d password=wrong-guess-again; echo; done | sort | uniq -c | tr -s ' ' | tr '\n' ';'; }
is "ten wrong tries, then 429" "$(tries admin 12)" " 10 401; 2 429;"
like "which says when to come again" "$(header retry-after)" '^[0-9]+$'
is "the right password does not help then" "$(desk_ask none /login -d login=admin -d password=mild-otter-past-elm)" 429
is "the same for an account that is none" "$(tries nobody@vendor.example 11)" " 10 401; 1 429;"
end "$DESK_PID"
desk_start
is "a restart does not forget" "$(desk_ask none /login -d login=admin -d password=mild-otter-past-elm)" 429
is "sessions outlive it" "$(desk_ask admin /account)" 200
is "it prints no second administrator" "$DESK_LINK" ""

# --- the end of a session ------------------------------------------------------------------------
is "signing out" "$(desk_post admin /logout) $(header location)" "303 /login"
like "takes the cookie away" "$(header set-cookie)" '^tidemark=; .*Max-Age=0'
is "and ends the session" "$(desk_ask admin /account)" 303

audit=$(sql 'SELECT what, subject FROM audit ORDER BY id')
for what in account-added login logout password token-made token-revoked role account-disabled login-failed; do
  like "the audit log has $what" "$audit" "^$what\\|"
done
unlike "and no name that is none, which may be a password" "$audit" 'nobody@vendor'
is "nothing went to the log" "$(cat "$T/desk.err")" ""
done_testing
