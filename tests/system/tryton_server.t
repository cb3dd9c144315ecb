#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the exporter relies on in Tryton 6.0, asked of a real server by curl and jq."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import erp as tryton  # noqa: E402
from tap import done, ok, skip_all  # noqa: E402

if not tryton.present():
    skip_all("tryton-server is not installed")
erp = tryton.Erp()
p = subprocess.run([os.path.join(tryton.HERE, "check"), str(erp.port)], capture_output=True,
                   text=True, timeout=120, check=False)
for line in p.stdout.splitlines():
    word, _, name = line.partition(" ")
    if word in ("ok", "FAIL"):
        ok(word == "ok", name.strip(), line)
ok(p.returncode == 0, "all of it", p.stderr)
erp.stop()
done()
