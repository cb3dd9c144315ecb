#!/bin/bash
# SPDX-License-Identifier: MIT
# The desk's store on a real PostgreSQL: the same tests as on SQLite, and what only a server does.
. "${SOURCE:-.}/tests/lib/tap.sh"
url=$(tests/lib/postgresql start "$T/pg" 2>"$T/err") || skip_all "no PostgreSQL: $(cat "$T/err")"
cleanup() { tests/lib/postgresql stop "$T/pg"; }
admin=$(tests/lib/postgresql admin "$T/pg")

ok "what holds on SQLite holds on PostgreSQL" env STORE_URL="$url" "$BUILD/tests/unit/test_store"
ok "work side by side is as if one after another, and lives through crashes of the server" \
  env STORE_URL="$(tests/lib/postgresql database "$T/pg" threads)" \
  STORE_CRASH="tests/lib/postgresql crash $T/pg" "$BUILD/tests/unit/test_store_threads"
ok "a customer's rows are nobody else's, whatever the statement forgets" \
  env STORE_URL="$(tests/lib/postgresql database "$T/pg" tenants)" "$BUILD/tests/unit/test_store_tenants"
is "every table of customers is secured by row, its owner not excepted" "$(psql -qAt "$admin" -c "
  SELECT count(*) FROM information_schema.columns c JOIN pg_class p ON p.relname = c.table_name
  WHERE c.column_name = 'customer_id' AND c.table_schema = 'public'
  AND NOT (relrowsecurity AND relforcerowsecurity)")" 0
psql -q "$admin" -c "UPDATE customers SET name = name" -c "CREATE ROLE past LOGIN BYPASSRLS" \
  -c "GRANT ALL ON ALL TABLES IN SCHEMA public TO past" >/dev/null
like "a role that passes by row-level security is refused" \
  "$(STORE_URL=${url/desk@/past@} "$BUILD/tests/unit/test_store" 2>&1)" 'wants one that does not'

for part in intake advice work responsible public; do
  ok "the $part does the same in PostgreSQL" env STORE_URL="$(tests/lib/postgresql database "$T/pg" $part)" \
    "$BUILD/tests/unit/test_desk_$part"
done
done_testing
