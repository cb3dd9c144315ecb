# SPDX-License-Identifier: MIT
<<<<<<< HEAD
"""TAP for the system tests: ok(), note(), skip_all(), and an end that cannot be forgotten."""
import atexit
import os
import sys

_state = {"n": 0, "failed": 0, "done": False}


def ok(passed, name, *why):
    """One result; `why` is printed when it failed."""
    _state["n"] += 1
    if not passed:
        _state["failed"] += 1
    print("%sok %d - %s" % ("" if passed else "not ", _state["n"], name))
    if not passed:
        note(*why)
    sys.stdout.flush()
    return passed


def same(seen, wanted, name):
    return ok(seen == wanted, name, "want %r" % (wanted,), "got  %r" % (seen,))


def skip(name, reason):
    _state["n"] += 1
    print("ok %d - %s # SKIP %s" % (_state["n"], name, reason))


def note(*lines):
    for line in lines:
        for part in str(line).splitlines() or [""]:
            print("# " + part)
    sys.stdout.flush()


def skip_all(reason):
    _state["done"] = True
    print("1..0 # SKIP " + reason)
    sys.exit(0)


def done():
    """The plan, and the exit status: call it last."""
    _state["done"] = True
    print("1..%d" % _state["n"])
    sys.exit(1 if _state["failed"] else 0)


@atexit.register
def _check():
    if not _state["done"]:
        print("# the test ended before its end")
        sys.stdout.flush()
        os._exit(1)
=======
"""TAP for tests in Python, running tidemark-probe, and holding readings against expectations."""
import json
import math
import os
import subprocess
import sys
import tempfile
import traceback

SOURCE = os.environ.get("SOURCE", os.getcwd())
BUILD = os.environ.get("BUILD", os.path.join(SOURCE, "build"))
PROBE = os.path.join(BUILD, "tidemark-probe")
RECORDINGS = os.path.join(SOURCE, "..", "shared", "recordings")

_tests = []


def test(function):
    """Marks a function as a test; its name, with blanks, is the description. It fails by raising,
    and skips by returning a text that begins with 'needs'."""
    _tests.append(function)
    return function


def run():
    failed = 0
    print(f"1..{len(_tests)}")
    for number, function in enumerate(_tests, 1):
        name = function.__name__.replace("_", " ")
        try:
            skip = function()
            print(f"ok {number} - {name}" + (f" # SKIP {skip}" if skip else ""))
        except Exception:
            failed += 1
            print(f"not ok {number} - {name}")
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
        sys.stdout.flush()
    sys.exit(1 if failed else 0)


def same(got, want, what=""):
    if got != want:
        raise AssertionError(f"{what}: want {want!r}, got {got!r}")


def probe(*arguments, status=0, timeout=60, env=None):
    """Runs tidemark-probe; returns the readings (one per URL), standard error and the status."""
    done = subprocess.run([PROBE, *arguments], capture_output=True, timeout=timeout, text=True,
                          env={**os.environ, **(env or {})})
    if status is not None:
        same(done.returncode, status, f"status of {arguments} ({done.stderr.strip()})")
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr, done.returncode


def secret_file(text):
    """A file of credentials; the caller closes it, which removes it."""
    f = tempfile.NamedTemporaryFile("w", prefix="tidemark-test-")
    os.fchmod(f.fileno(), 0o600)
    f.write(text)
    f.flush()
    return f


def hold(got, want, what=""):
    """Every key of an expectation that a reading has must have its value. Lists are compared in
    order, objects in them by the keys that both have."""
    accept = want.get("accept", {}) if isinstance(want, dict) else {}
    for key, value in got.items():
        if key not in want:
            continue
        where = f"{what}.{key}"
        allowed = accept.get(key)
        if isinstance(allowed, list) and value in allowed:
            continue
        expected = want[key]
        if isinstance(value, list):
            same(len(value), len(expected), f"{where}: number of elements")
            for i, element in enumerate(value):
                hold(element, expected[i], f"{where}[{i}]")
        elif isinstance(value, float) and isinstance(expected, (int, float)):
            assert math.isclose(value, expected, rel_tol=1e-9), f"{where}: want {expected}, got {value}"
        else:
            same(value, expected, where)
>>>>>>> b3e0725 (plugins: read arrays by Redfish and Swordfish)
