# SPDX-License-Identifier: MIT
"""Tests that are functions, running tidemark-probe, and holding readings against expectations."""
import json
import math
import os
import subprocess
import tempfile
import traceback

import jsonschema

import tap

SOURCE = os.environ.get("SOURCE", os.getcwd())
BUILD = os.environ.get("BUILD", os.path.join(SOURCE, "build"))
PROBE = os.path.join(BUILD, "tidemark-probe")
RECORDINGS = os.path.join(SOURCE, "..", "shared", "recordings")

with open(os.path.join(SOURCE, "contrib/schema/reading.schema.json")) as schema:
    SCHEMA = jsonschema.Draft202012Validator(json.load(schema),
                                             format_checker=jsonschema.FormatChecker())
_tests = []


def test(function):
    """Marks a function as a test; its name, with blanks, is the description. It fails by raising,
    and skips by returning a text that begins with 'needs'."""
    _tests.append(function)
    return function


def run():
    for function in _tests:
        name = function.__name__.replace("_", " ")
        try:
            skip = function()
        except Exception:
            tap.ok(False, name, traceback.format_exc())
            continue
        if skip:
            tap.skip(name, skip)
        else:
            tap.ok(True, name)
    tap.done()


def same(got, want, what=""):
    if got != want:
        raise AssertionError(f"{what}: want {want!r}, got {got!r}")


def probe(*arguments, status=0, timeout=60, env=None):
    """Runs tidemark-probe; returns the readings (one per URL), standard error and the status. Every
    reading must fit its schema."""
    done = subprocess.run([PROBE, *arguments], capture_output=True, timeout=timeout, text=True,
                          env={**os.environ, **(env or {})})
    if status is not None:
        same(done.returncode, status, f"status of {arguments} ({done.stderr.strip()})")
    readings = [json.loads(line) for line in done.stdout.splitlines()]
    for reading in readings:
        SCHEMA.validate(reading)
    return readings, done.stderr, done.returncode


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
