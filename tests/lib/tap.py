# SPDX-License-Identifier: MIT
"""TAP for the system tests: ok(), note(), skip_all(), and an end that cannot be forgotten."""
import atexit
import os
import signal
import sys
import traceback

_state = {"n": 0, "failed": 0, "done": False, "why": []}


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


def _leave(number, _frame):
    """Who is told to stop still ends the servers that it started."""
    sys.exit(128 + number)


for _number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(_number, _leave)


def _remember(kind, error, trace):
    """Standard error is between other tests' lines by then; a failed line has its reason beside it."""
    _state["why"] = traceback.format_exception(kind, error, trace)
    sys.__excepthook__(kind, error, trace)


sys.excepthook = _remember


@atexit.register
def _check():
    if not _state["done"]:
        ok(False, "the test comes to its end", *_state["why"])
        os._exit(1)
