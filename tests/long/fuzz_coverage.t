#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The corpus of every fuzz target reaches at least 85 of 100 lines of each parsing file that the
target answers for ("covers:" at its head). `make fuzz-coverage` builds the targets with clang's
counters and runs this. FUZZ_SHOW=1: the lines that were not reached, too.

Nothing is left out of the count: lines for which memory must be short are lines like others.
"""
import json
import os
import shutil
import subprocess
import sys

SOURCE = os.environ.get("SOURCE", ".")
sys.path.insert(0, os.path.join(SOURCE, "tests/lib"))
import fuzzing  # noqa: E402
import tap  # noqa: E402

BUILD = fuzzing.SOURCE / "build/fuzz-coverage"
WANTED = 85.0


def measure(target):
    """{file: (lines, reached)} and the command that shows them."""
    program = BUILD / "tests/fuzz" / target
    raw, merged = BUILD / (target + ".profraw"), BUILD / (target + ".profdata")
    raw.unlink(missing_ok=True)
    run = subprocess.run([program, fuzzing.corpus(target)], cwd=fuzzing.SOURCE,
                         env={**os.environ, "LLVM_PROFILE_FILE": str(raw)},
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8",
                         errors="replace")
    if run.returncode != 0:
        raise RuntimeError("\n".join(run.stderr.splitlines()[-5:]))
    subprocess.run(["llvm-profdata", "merge", "-o", merged, raw], check=True)
    asked = [str(program), "-instr-profile=%s" % merged,
             *(str(fuzzing.SOURCE / name) for name in fuzzing.covers(target))]
    told = subprocess.run(["llvm-cov", "export", "-summary-only", *asked], check=True,
                          stdout=subprocess.PIPE).stdout
    files = json.loads(told)["data"][0]["files"]
    return {os.path.relpath(f["filename"], fuzzing.SOURCE):
            (f["summary"]["lines"]["count"], f["summary"]["lines"]["covered"]) for f in files}, asked


def show(asked):
    """The lines of the files that were not reached, as "NAME:LINE: TEXT"."""
    text = subprocess.run(["llvm-cov", "show", *asked], check=True, stdout=subprocess.PIPE,
                          encoding="utf-8").stdout
    name = asked[2]
    for line in text.splitlines():
        if line.startswith("/"):
            name = os.path.relpath(line.rstrip(":"), fuzzing.SOURCE)
        parts = line.split("|", 2)
        if len(parts) == 3 and parts[1].strip() == "0":
            tap.note("%s:%s:%s" % (name, parts[0].strip(), parts[2]))


targets = fuzzing.targets()
if not all((BUILD / "tests/fuzz" / target).exists() for target in targets):
    tap.skip_all("the targets are not built, `make fuzz-coverage` does it")
if shutil.which("llvm-cov") is None:
    tap.skip_all("no llvm-cov")
for target in targets:
    named = fuzzing.covers(target)
    if not tap.ok(named, "%s says what it covers" % target):
        continue
    try:
        seen, asked = measure(target)
    except RuntimeError as failure:
        tap.ok(False, "%s goes over its corpus" % target, failure)
        continue
    for name in named:
        lines, reached = seen.get(name, (0, 0))
        share = 100.0 * reached / lines if lines else 0.0
        tap.ok(share >= WANTED, "%s: %s, %d of %d lines, %.1f %%"
               % (target, name, reached, lines, share))
    if os.environ.get("FUZZ_SHOW"):
        show(asked)
tap.done()
