#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The mission's map is whole: every row stands in it once, and each claim of the source rests on rows
that have a test. That the tests pass is looked at when all have run (tests/mission)."""
import os
import re
import subprocess
import sys
import tempfile

SOURCE = os.path.abspath(os.environ.get("SOURCE", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests/lib"))
from tap import done, same  # noqa: E402

with open(os.path.join(SOURCE, "tests/mission.md"), encoding="utf-8") as f:
    tables = [[cell.strip() for cell in line.strip().strip("|").split(" | ")]
              for line in f if line.startswith("|")]
rows = {int(t[0]): t for t in tables if t[0].isdigit()}
claims = {t[0]: [int(n) for n in t[2].split(",")] for t in tables if re.match(r"E-\d+$", t[0])}

same(sorted(rows), list(range(1, 153)), "each row of the mission stands in the map")
same([n for n, t in rows.items() if not os.path.exists(
    os.path.join(SOURCE, t[2].strip("`") + (".c" if "/unit/" in t[2] else "")))], [],
     "each test that it names is there")
same(sorted(claims, key=lambda c: int(c[2:])), ["E-%d" % n for n in range(1, 14)],
     "each claim of the source is there")
same([(c, n) for c, needed in claims.items() for n in needed
      if n not in rows], [], "each claim rests on rows that have a test")

# --- what counts as shown ----------------------------------------------------------------------------


def judged(state):
    """The status of tests/mission when every row's line was ok but that of row 1."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as results:
        for n, t in rows.items():
            results.write("%s\t%s\t%s\n" % (t[2].strip("`"), state if n == 1 else "ok", t[3]))
        results.flush()
        return subprocess.run([os.path.join(SOURCE, "tests/mission"), results.name,
                               os.path.join(SOURCE, "tests/mission.md")], stdout=subprocess.DEVNULL).returncode


same([judged(state) for state in ("ok", "skip", "todo", "not ok")], [0, 1, 1, 1],
     "a row is shown by a line that is ok, and by nothing else")
done()
