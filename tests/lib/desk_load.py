# SPDX-License-Identifier: MIT
"""Sites by the hundred that push to desks for a while, say things twice, and do not give up when a
desk is killed; then every event that was acknowledged must be there, once. The sites are threads of
a C program (tests/bench/desk/push.c), so that they take less of the machine than the desk does."""
import atexit
import json
import os
import shutil
import subprocess
import tempfile

BENCH = os.path.join(os.path.abspath(os.environ.get("SOURCE", ".")), "tests/bench/desk")
folder = tempfile.mkdtemp(prefix="tidemark-load-")
atexit.register(shutil.rmtree, folder, True)


def tool(name):
    """The path of one of the bench's C programs, compiled."""
    program = os.path.join(folder, name)
    if not os.path.exists(program):
        subprocess.run([os.path.join(BENCH, "compile"), name, program], check=True)
    return program


def load(ports, enrolments, seconds, meanwhile=None, batch=1, repeats=0.05, devices=20):
    """Runs for so long, and `meanwhile` beside it; what was seen, as a dictionary (see push.c)."""
    acked = os.path.join(folder, "acked")
    sites = "".join("\t".join((e["customer"]["id"], e["site"], e["token"], e["secret"])) + "\n"
                    for e in enrolments)
    with tempfile.TemporaryFile("w+") as f:
        f.write(sites)
        f.seek(0)
        p = subprocess.Popen(
            [tool("push"), os.path.join(BENCH, "event.template"), ",".join(map(str, ports)),
             str(seconds), str(batch), str(repeats), str(devices), acked],
            stdin=f, stdout=subprocess.PIPE, text=True)
    try:
        if meanwhile is not None:
            meanwhile()
        seen = json.loads(p.communicate()[0])
    finally:
        p.kill()
        p.wait()
    with open(acked, encoding="ascii") as f:
        seen["acked"] = f.read().split()
    seen["posts_per_s"] = seen["posts"] / seen["took"]
    seen["summaries_per_s"] = len(seen["acked"]) / seen["took"]
    return seen
