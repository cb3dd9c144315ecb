#!/bin/bash
# SPDX-License-Identifier: MIT
# Tables that the vendor keeps elsewhere: all of a file is taken, or nothing, and what is wrong is
# told by its line.
. "${SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. tests/lib/desk.sh

sql() { python3 -c 'import sqlite3,sys; print("\n".join("|".join(map(str,r)) for r in sqlite3.connect(sys.argv[1]).execute(sys.argv[2])))' "$T/desk.db" "$1"; }
take() { status_of tidemark-desk import "$1" "$T/$2" -c "$T/desk.conf"; }
# shellcheck disable=SC2119 # no further lines
desk_conf

# --- CSV -----------------------------------------------------------------------------------------
printf '\xef\xbb\xbfshop,name,kind\r\ntokyo,"Tokyo ""main"" shop",shop\r\n\r\nosaka,Osaka,\r\n' >"$T/shops.csv"
is "shops come from CSV, with the marks of other systems" "$(take shops shops.csv) $(cat "$T/out")" "0 $T/shops.csv: 2 rows"
is "quotes are those of CSV" "$(sql 'SELECT name, kind FROM shops ORDER BY shop DESC')" 'Tokyo "main" shop|shop
Osaka|shop'
cat >"$T/customers.csv" <<'CSV'
id,name,region,shop,phones,emails
C-1001,Example KK,west,tokyo,03-1234 5678; +81 3 99,Hanako@Example.com
C-1002,東京倉庫,east,,,
CSV
is "customers come with their numbers and addresses" "$(take customers customers.csv) $(sql 'SELECT kind, address FROM addresses ORDER BY kind, address')" \
  "0 email|hanako@example.com
phone|+81399
phone|0312345678"
cat >"$T/bad.csv" <<'CSV'
id,name,regoin,shop
C-1001,Other name,,
,No id,,
C-3,,,nowhere
C-1001,twice,,
C-4,too,many,cells,here
CSV
is "a wrong column is refused" "$(take customers bad.csv)" 65
like "with the nearest name and its line" "$(cat "$T/err")" "$T/bad.csv:1: there is no column 'regoin'; did you mean 'region'\?"
sed -i 's/regoin/region/' "$T/bad.csv"
is "wrong rows are refused" "$(take customers bad.csv)" 65
is "each by its line" "$(sed -n 's/^tidemark-desk: .*bad.csv:\([0-9]*\): /\1 /p' "$T/err")" \
  "6 5 cells, and 4 columns in the first line
3 id: empty
4 name: empty
5 the same id as in line 2"
sed -i -e 6d -e 5d -e 3d -e 's/C-3,,/C-3,Three,/' "$T/bad.csv"
is "what is not known is refused" "$(take customers bad.csv) $(head -n 1 "$T/err")" \
  "65 tidemark-desk: $T/bad.csv:3: shop: 'nowhere' is not known"
is "and nothing of all that was taken" "$(sql "SELECT name FROM customers WHERE customer_id = 'C-1001'") $(sql 'SELECT count(*) FROM customers')" "Example KK 2"
printf 'id,name\nC-9,"open\n' >"$T/open.csv"
is "quotes that are not closed are told" "$(take customers open.csv) $(grep -c 'open.csv:2: quotes' "$T/err")" "65 1"
is "an empty file is no table" "$(: >"$T/empty.csv"; take stock empty.csv)" 65

# --- JSON ----------------------------------------------------------------------------------------
cat >"$T/staff.json" <<'JSON'
[
  {"staff": "S-1", "name": "Aiko", "role": "sales", "region": "west", "email": "a@example.com"},
  {"staff": "S-2", "name": "Ben", "role": "service", "stand_in": "S-1"}
]
JSON
is "staff comes from JSON" "$(take staff staff.json) $(sql 'SELECT staff, name, role FROM staff ORDER BY staff')" "0 S-1|Aiko|sales
S-2|Ben|service"
cat >"$T/assignments.json" <<'JSON'
[{"staff": "S-1", "role": "sales",
  "customer": "C-1001"},
 {"staff": "S-7", "role": "sales", "region": "east"},
 {"staff": "S-2", "role": "boss", "kind": "printer"}]
JSON
is "a role that is none is refused" "$(take assignments assignments.json) $(head -n 1 "$T/err")" \
  "65 tidemark-desk: $T/assignments.json:4: role: 'boss' is none of: sales service factory engineer admin"
sed -i 's/boss/service/' "$T/assignments.json"
is "so is somebody unknown" "$(take assignments assignments.json) $(head -n 1 "$T/err")" \
  "65 tidemark-desk: $T/assignments.json:3: staff: 'S-7' is not known"
sed -i 's/S-7/S-2/' "$T/assignments.json"
is "assignments are taken" "$(take assignments assignments.json) $(sql 'SELECT count(*) FROM assignments')" "0 3"
is "a broken file is told by its line" "$(printf '[{"staff":\n"S-1",]' >"$T/broken.json"; take staff broken.json) $(grep -c 'broken.json:2:' "$T/err")" "65 1"

# --- tables that take the place of what was there ------------------------------------------------
printf 'shop,sku,quantity\ntokyo,SHELF-20T,4\nosaka,SHELF-20T,0\n' >"$T/stock.csv"
is "stock is taken" "$(take stock stock.csv) $(sql 'SELECT sum(quantity), count(*) FROM stock')" "0 4|2"
printf 'shop,sku,quantity\ntokyo,SHELF-20T,3\n' >"$T/stock.csv"
is "and taken anew" "$(take stock stock.csv) $(sql 'SELECT sum(quantity), count(*) FROM stock')" "0 3|1"
printf 'shop,sku,quantity\ntokyo,A,-1\ntokyo,B,1.5\ntokyo,C,many\n' >"$T/stock.csv"
is "a quantity is a number" "$(take stock stock.csv) $(sql 'SELECT sum(quantity) FROM stock') $(grep -c 'quantity: .* is no whole number' "$T/err")" "65 3 3"
printf 'from,to,sku,days\n,tokyo,,14\ntokyo,osaka,,2\n,,SHELF-20T,30\n' >"$T/lead.csv"
is "lead times are taken" "$(take lead-times lead.csv) $(sql 'SELECT from_shop, to_shop, sku, days FROM lead_times ORDER BY days')" \
  "0 tokyo|osaka||2
|tokyo||14
||SHELF-20T|30"
printf 'staff,from,to\nS-1,2026-12-24,2026-13-01\n' >"$T/absences.csv"
is "a date is a date" "$(take absences absences.csv) $(head -n 1 "$T/err")" \
  "65 tidemark-desk: $T/absences.csv:2: to: '2026-13-01' is no date like 2026-11-20"

# --- documents of the chain ----------------------------------------------------------------------
cp contrib/schema/samples/catalogue.json "$T/catalogue.json"
is "a catalogue is taken whole" "$(take catalogue catalogue.json) $(sql 'SELECT count(*), count(DISTINCT sha256) FROM catalogues')" "0 1|1"
is "the same again is none" "$(take catalogue catalogue.json) $(cat "$T/out") $(sql 'SELECT count(*) FROM catalogues')" "0 $T/catalogue.json: that is today's catalogue already 1"
is "its articles can be asked for" "$(sql "SELECT type, currency FROM catalogue_items WHERE sku = 'DS-200'")" "model|JPY"
sed 's/"DS-200"/"DS-2OO"/' "$T/catalogue.json" >"$T/wrong.json"
like "one that contradicts itself is refused by its line" "$(take catalogue wrong.json) $(cat "$T/err")" "65 .*wrong.json:[0-9]+: "
printf '{"schema":"tidemark.shops/1","otherwise":"tokyo","shops":{"C-1001":"osaka","C-77":"kobe"}}' >"$T/map.json"
is "the map of shops says who fetches where" "$(take shops map.json) $(sql "SELECT shop FROM customers WHERE customer_id = 'C-1001'") $(sql "SELECT value FROM settings WHERE name = 'shop_otherwise'")" "0 osaka tokyo"
is "another word is told, with the nearest" "$(take stocks stock.csv) $(cat "$T/err")" \
  "64 tidemark-desk: 'stocks' cannot be imported, did you mean stock; customers, staff, absences, assignments, catalogue, shops, stock or lead-times is wanted"
is "a file that is not there is told" "$(take stock none.csv)" 66
done_testing
