#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The documents as somebody follows them: what they tell to type, and what they point at.

A fence tells what it holds. ```sh is typed, and tests/long/newcomer.t runs it as it stands; ```sh elsewhere
is typed where there is a CRM, an ERP or a host of one's own; ```conf, json and text are not typed.
As a program it prints the blocks of the files given that are run: file:line, a tab, and the block with
its line feeds as \\n.
"""
import os
import re
import sys

SOURCE = os.path.abspath(os.environ.get("SOURCE", "."))
LANGUAGES = {"sh", "sh elsewhere", "conf", "json", "text"}


def documents():
    """The documents that are read by people, README first."""
    folder = os.path.join(SOURCE, "contrib/doc")
    return ["README.md", "CONTRIBUTING.md"] + sorted(
        "contrib/doc/" + name for name in os.listdir(folder) if name.endswith(".md"))


def text_of(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as f:
        return f.read()


def fences(path):
    """[(line, language, block)]"""
    found, language, block, begun = [], None, [], 0
    for number, line in enumerate(text_of(path).split("\n"), 1):
        if line.startswith("```") and language is None:
            language, block, begun = line[3:].strip(), [], number + 1
        elif line.startswith("```"):
            found.append((begun, language, "\n".join(block)))
            language = None
        elif language is not None:
            block.append(line)
    return found


def spans(path):
    """[(line, text)] of `text` outside of fences."""
    text = re.sub(r"^```.*?^```", lambda m: "\n" * m[0].count("\n"), text_of(path), flags=re.M | re.S)
    return [(text.count("\n", 0, m.start()) + 1, m[1].replace("\n", " ")) for m in re.finditer(r"`([^`]+)`", text)]


def links(path):
    """[(line, target)] of what a document points at within the tree."""
    text = text_of(path)
    return [(text.count("\n", 0, m.start()) + 1, m[1].split("#")[0])
            for m in re.finditer(r"\]\(([^)\s]+)\)", text) if not re.match(r"[a-z]+:|#", m[1])]


if __name__ == "__main__":
    for document in sys.argv[1:] or documents():
        for line, language, block in fences(document):
            if language == "sh":
                print("%s:%d\t%s" % (document, line, block.replace("\\", "\\\\").replace("\n", "\\n")))
