# SPDX-License-Identifier: MIT
"""Running what was built with a sanitizer (`make asan`) or with counters (`make coverage`); without
them nothing here changes anything."""
import os
import subprocess


def runtime(file):
    """The library that a process which loads this program or plugin must have loaded first; None."""
    r = subprocess.run(["ldd", file], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    found = [line.split("=>")[1].split()[0] for line in r.stdout.splitlines()
             if "=>" in line and ("libasan" in line or "libtsan" in line)]
    return found[0] if found else None


def instrumented(file):
    """Whether this program or plugin carries more than itself, so that its memory and processor time
    are not its own, and no process of it is confined."""
    if runtime(file):
        return True
    if not os.path.exists(file):
        return False
    with open(file, "rb") as f:
        return b"__gcov_dump" in f.read()


def without_leaks(env):
    """The environment in which leaks are not looked for: under strace that cannot be done, and of a
    program that was not built with the sanitizer it says nothing."""
    return dict(env, ASAN_OPTIONS=env.get("ASAN_OPTIONS", "") + ":detect_leaks=0")


def loading(file, env):
    """The environment in which a program built without the sanitizer can load this plugin."""
    library = runtime(file)
    return dict(without_leaks(env), LD_PRELOAD=library) if library else dict(env)


def first(file):
    """Words between one that preloads something, such as faketime, and this program."""
    library = runtime(file)
    return ["sh", "-c", 'LD_PRELOAD="$0:$LD_PRELOAD" exec "$@"', library] if library else []


def patience(file):
    """How many times as long one should wait for what this program or plugin does."""
    return 3 if instrumented(file) else 1
