#!/bin/bash
# SPDX-License-Identifier: MIT
# tidemark-analyze forecast: CSV in, one JSON line a series out; the same bytes on any number of threads.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

python3 - "$T" <<'PY'
import random, sys
random.seed(4)
with open(sys.argv[1] + "/many.csv", "w") as f:
    f.write("series,time,used,capacity\n")
    for s in range(120):
        n, rate = random.randint(1, 400), random.random()
        for i in range(n):
            used = "" if random.random() < 0.02 else "%.6g" % (500 + rate * i + random.gauss(0, 5))
            f.write("s%03d,%d,%s,1000\n" % (s, 1700006400 + 86400 * i, used))
with open(sys.argv[1] + "/line.csv", "w") as f:
    f.write("series,time,used,capacity\n")
    for i in range(300):
        f.write("line,%d,%d,1000\n" % (1700006400 + 86400 * i, 500 + i))
with open(sys.argv[1] + "/bad.csv", "w") as f:
    f.write("series,time,used,capacity\ngood,1,5,10\nbad,1,5,10\nbad,2,five,10\nbad,3,5,10\nlast,1,5,10\n")
PY

tidemark-analyze forecast --jobs 1 "$T/many.csv" >"$T/one"
tidemark-analyze forecast --jobs 2 "$T/many.csv" >"$T/two"
tidemark-analyze forecast --jobs 7 - <"$T/many.csv" >"$T/seven"
ok 'the bytes do not depend on the number of threads' cmp "$T/one" "$T/two"
ok 'nor on where they come from' cmp "$T/one" "$T/seven"
is 'every series is one line, in input order' \
  "$(python3 -c 'import json,sys; print([json.loads(l)["series"] for l in open(sys.argv[1])] == ["s%03d" % i for i in range(120)])' "$T/one")" True

ask() { # ask EXPRESSION: of the line o
  tidemark-analyze forecast --steps 3 --quantiles 0.1,0.5,0.9 "$T/line.csv" |
    python3 -c "import json,sys; o = json.loads(sys.stdin.readline()); print($1)"
}
is 'a line is full on its day, 2025-03-29' \
  "$(ask '"2025-03-28T00" <= o["fill"]["0.5"] <= "2025-03-30T24"')" True
is 'the range of dates holds it' "$(ask 'o["fill"]["0.1"] <= "2025-03-29T00:00:00Z" <= o["fill"]["0.9"]')" True
is 'all horizons and quantiles are printed' \
  "$(ask 'sorted(o["fill"]), list(o["fill"]["probability_by_horizon"])')" \
  "['0.025', '0.1', '0.25', '0.5', '0.75', '0.9', '0.975', 'probability_by_horizon'] ['7d', '14d', '30d', '60d', '90d', '180d', '365d']"
is 'its values go on' "$(ask '[round(v) for v in o["forecast"]["0.5"]], o["step"], o["n"]')" '[800, 801, 802] 86400 300'

out=$(tidemark-analyze forecast --jobs 2 "$T/bad.csv" 2>"$T/err")
is 'a refused series is exit 65' $? 65
is 'and is named with its line' "$(cat "$T/err")" \
  "tidemark-analyze: $T/bad.csv:4: series 'bad': 'used' is not a number"
is 'the others go on' "$(echo "$out" | python3 -c 'import json,sys; print([json.loads(l)["series"] for l in sys.stdin])')" "['good', 'last']"

tidemark-analyze forecast --steps 2 -o "$T/file" "$T/line.csv"
is 'a file is written with -o' "$? $(wc -l <"$T/file")" '0 1'
tidemark-analyze forecast "$T/none.csv" 2>/dev/null
is 'no such file is exit 66' $? 66
head -n 1 "$T/line.csv" >"$T/header.csv"
is 'a header alone is exit 66 too, and said' \
  "$(status_of tidemark-analyze forecast "$T/header.csv") $(cat "$T/err")" "66 tidemark-analyze: $T/header.csv: no series in it"
echo 'a,b' >"$T/head.csv"
tidemark-analyze forecast -o "$T/file2" "$T/head.csv" 2>/dev/null
is 'a file without the header is exit 65' $? 65
is 'and nothing half-written is left' "$(compgen -G "$T/file2*" | wc -l)" 0
for wrong in '--steps -1' '--steps 9999' '--quantiles 0.5,0.1' '--quantiles 1' '--jobs 0'; do
  # shellcheck disable=SC2086 # an option and its value
  tidemark-analyze forecast $wrong "$T/line.csv" 2>/dev/null
  is "$wrong is exit 64" $? 64
done

done_testing
