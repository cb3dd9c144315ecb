#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The documents: every command that they print names a program, a command and options that there are, every
target of make is one, every link and picture is there, and every picture is shown somewhere. That the
commands do what they should: tests/long/newcomer.t."""
import os
import re
import shlex
import subprocess
import sys

SOURCE = os.path.abspath(os.environ.get("SOURCE", "."))
BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
sys.path.insert(0, os.path.join(SOURCE, "tests/lib"))
import documents  # noqa: E402
from tap import done, ok, same  # noqa: E402

helps = {}


def help_of(*words):
    """What --help says, None where there is no such program or command."""
    if words not in helps:
        program = os.path.join(BUILD, words[0])
        r = subprocess.run([program, *words[1:], "--help"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                           text=True, check=False) if os.path.exists(program) else None
        helps[words] = r.stdout if r is not None and r.returncode == 0 else None
    return helps[words]


def parts(block):
    """The words of each simple command of a block."""
    lexer = shlex.shlex(block.replace("\\\n", " ").replace("\n", " ; "), posix=True, punctuation_chars="|;&<>()")
    lexer.whitespace_split = True
    lexer.commenters = ""
    command = []
    for word in lexer:
        if re.fullmatch(r"[|;&()]+", word):
            yield command
            command = []
        else:
            command.append(word)
    yield command


def wrong(words, targets):
    """What a command names that there is not; None where nothing is wrong."""
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    if not words:
        return None
    if words[0] == "make":
        missing = [w for w in words[1:] if re.fullmatch(r"[a-z][-a-z]*", w) and w not in targets]
        return "no target " + missing[0] if missing else None
    if re.match(r"(tests|contrib|build)/[\w/.-]+$", words[0]):
        there = os.path.exists(os.path.join(SOURCE, words[0])) or words[0].startswith("build/")
        return None if there else "no file " + words[0]
    program = words[0]
    if not re.fullmatch(r"tidemark-[a-z]+", program):
        return None
    if help_of(program) is None:
        return "no program " + program
    text = help_of(program)
    if "\nCommands:" in text and len(words) > 1 and re.fullmatch(r"[a-z][-a-z]*", words[1]):
        text = help_of(program, words[1])
        if text is None:
            return "no command %s %s" % (program, words[1])
    for word in words[1:]:
        option = re.match(r"(--[a-z][-a-z]*|-[a-zA-Z])(=|$)", word)
        if option and not re.search(r"(?<![-\w])%s(?![-\w])" % re.escape(option[1]), text):
            return "%s does not know %s" % (" ".join(words[:2]), option[1])
    return None


with open(os.path.join(SOURCE, "Makefile"), encoding="utf-8") as f:
    makefile = f.read()
phony = re.search(r"^\.PHONY: (.*?)(?<!\\)\n", makefile, re.M | re.S)[1].replace("\\\n", " ").split()
targets = set(phony) | {"bench-" + n for n in os.listdir(os.path.join(SOURCE, "tests/bench"))}

# The checker itself: what it is for, it finds.
same([wrong(c.split(), targets) for c in (
    "tidemark-nothing run", "tidemark-export wueue", "tidemark-export queue --never", "tidemark-probe --thing block:",
    "make nonsense", "tests/nothing", "tidemark-export queue --now")],
     ["no program tidemark-nothing", "no command tidemark-export wueue", "tidemark-export queue does not know --never",
      "tidemark-probe --thing does not know --thing", "no target nonsense", "no file tests/nothing", None],
     "a command that there is not is found")

for path in documents.documents():
    fences = documents.fences(path)
    same([(line, language) for line, language, _ in fences if language not in documents.LANGUAGES], [],
         path + ": every fence says what it holds")
    faults, seen = [], 0
    for line, block in ([(n, b) for n, language, b in fences if language.startswith("sh")]
                        + [s for s in documents.spans(path) if re.match(r"(tidemark-[a-z]+ |make [a-z])", s[1])]):
        block = re.sub(r"(^|\s)#.*", r"\1", block) if "\n" not in block else re.sub(r"\s#.*", "", block)
        try:
            commands = list(parts(block.replace("…", "")))
        except ValueError as error:
            faults.append("%s:%d: %s" % (path, line, error))
            continue
        for command in commands:
            seen += 1
            fault = wrong(command, targets)
            if fault:
                faults.append("%s:%d: %s" % (path, line, fault))
    same(faults, [], "%s: its %d commands are those that there are" % (path, seen))
    beside = os.path.dirname(os.path.join(SOURCE, path))
    same([(line, to) for line, to in documents.links(path) if not os.path.exists(os.path.join(beside, to))], [],
         path + ": what it points at is there")

shown = {os.path.basename(to) for path in documents.documents() for _, to in documents.links(path)}
pictures = [n for n in os.listdir(os.path.join(SOURCE, "contrib/doc/pictures")) if n.endswith(".png")]
same(sorted(set(pictures) - shown), [], "every picture is shown in a document")
ok(all(os.path.getsize(os.path.join(SOURCE, "contrib/doc/pictures", n)) < 250000 for n in pictures),
   "no picture is larger than 250 kB")
done()
