# SPDX-License-Identifier: MIT
"""The fuzz targets: which there are, what each answers for, and where its inputs lie."""
import os
import pathlib
import re

SOURCE = pathlib.Path(os.environ.get("SOURCE", ".")).resolve()
FOLDER = SOURCE / "tests/fuzz"


def targets():
    """Their names; those in the variable FUZZ_TARGETS (separated by blanks) alone, if it is set."""
    only = os.environ.get("FUZZ_TARGETS", "").split()
    every = sorted(path.stem for path in FOLDER.glob("*.c"))
    unknown = set(only) - set(every)
    if unknown:
        raise SystemExit("no such fuzz target: " + " ".join(sorted(unknown)))
    return [name for name in every if not only or name in only]


def covers(target):
    """The parsing files that a target answers for: the comment "covers: A B" at its head."""
    head = (FOLDER / (target + ".c")).read_text().split("#include", 1)[0]
    told = re.search(r"covers:(.*?)\*/", head, re.S)
    return re.findall(r"[\w./]+\.[ch]\b", told.group(1)) if told else []


def corpus(target):
    return FOLDER / "corpus" / target
