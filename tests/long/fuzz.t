#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# limit: 8 h
"""Every fuzz target runs for FUZZ_SECONDS (600) under AddressSanitizer and
UndefinedBehaviorSanitizer and finds nothing; JOBS (1) of them at a time. With names behind it, only
those run. `make fuzz` builds the targets and runs this; what they find lies in build/fuzz/findings
then, and what they learned in build/fuzz/corpus, for the next time.
"""
import concurrent.futures
import os
import re
import subprocess
import sys

SOURCE = os.environ.get("SOURCE", ".")
sys.path.insert(0, os.path.join(SOURCE, "tests/lib"))
import fuzzing  # noqa: E402
import tap  # noqa: E402

BUILD = fuzzing.SOURCE / "build/fuzz"
SECONDS = int(os.environ.get("FUZZ_SECONDS", "600"))


def run(target):
    """(exit status, seconds, executions, the end of what it said)"""
    learned = BUILD / "corpus" / target
    learned.mkdir(parents=True, exist_ok=True)
    command = [BUILD / "libfuzzer" / target, "-max_total_time=%d" % SECONDS, "-timeout=10",
               "-rss_limit_mb=2048", "-print_final_stats=1", "-close_fd_mask=3",
               "-artifact_prefix=%s/%s-" % (BUILD / "findings", target)]
    if (fuzzing.FOLDER / "words" / target).exists():
        command.append("-dict=%s" % (fuzzing.FOLDER / "words" / target))
    # The corpus of the tree comes second: libFuzzer writes into the first folder alone.
    log = BUILD / "log" / target
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as out:
        status = subprocess.run([*command, learned, fuzzing.corpus(target)], cwd=fuzzing.SOURCE,
                                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                timeout=SECONDS + 600).returncode
    said = log.read_text(errors="replace")
    done = re.search(r"Done \d+ runs in (\d+) second", said)
    count = re.search(r"stat::number_of_executed_units: (\d+)", said)
    return (status, int(done.group(1)) if done else 0, int(count.group(1)) if count else 0,
            "\n".join(said.splitlines()[-40:]))


targets = sys.argv[1:] or fuzzing.targets()
if not all((BUILD / "libfuzzer" / target).exists() for target in targets):
    tap.skip_all("the targets are not built, `make fuzz` does it")
(BUILD / "findings").mkdir(exist_ok=True)
total = 0
with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", "1"))) as pool:
    for target, (status, seconds, count, end) in zip(targets, pool.map(run, targets)):
        total += count
        tap.ok(status == 0 and count > 0,
               "%s: %d s, %d executions, nothing found" % (target, seconds, count),
               "exit status %d" % status, end)
tap.note("%d executions of %d targets" % (total, len(targets)))
tap.done()
