# SPDX-License-Identifier: MIT
"""The trees of tests/data/block (README.md there), as files below a folder."""
import os
import re


def unpack(name, folder):
    """Makes the tree of NAME.tree below the folder."""
    source = os.path.join(os.environ.get("SOURCE", "."), "tests/data/block", name + ".tree")
    out = None
    with open(source, "rb") as f:
        for line in f:
            mark, _, rest = line.rstrip(b"\n").partition(b" ")
            if mark in (b"==", b"=/"):
                path = os.path.join(folder, rest.decode())
                os.makedirs(path if mark == b"=/" else os.path.dirname(path), exist_ok=True)
                if out:
                    out.close()
                out = open(path, "wb") if mark == b"==" else None
            elif out:
                out.write(re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), line))
    if out:
        out.close()
