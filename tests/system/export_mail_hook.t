#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The customer's own mail goes out as ever; beside it the spool is sent."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from exporting import *  # noqa: E402,F403
from tap import done, ok, same  # noqa: E402

site = Site()
receiver = Receiver()
site.configure(site.webhook(receiver.url))
site.enable("sales")
real = site.write("sendmail", '#!/bin/sh\nprintf "%s\\n" "$@" > "$0.args"\ncat > "$0.mail"\n'
                  'echo "queued as 7"\necho "careful" >&2\nexit 67\n', 0o755)
HOOK = os.path.join(SOURCE, "contrib/mail-hook")
MAIL = b"From: a@b\r\nSubject: \xff\x00odd bytes\n.\n\nno newline at the end"


def send(export=EXPORT, sendmail=real):
    env = dict(os.environ, TIDEMARK_SENDMAIL=sendmail, TIDEMARK_EXPORT=export,
               TIDEMARK_CONFIG=site.conf)
    start = time.time()
    p = subprocess.run([HOOK, "-t", "-f", "me & you@example.com", "--", "$(id)"], input=MAIL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, timeout=20)
    return p, time.time() - start


def wait_for(condition):
    for _ in range(100):
        if condition():
            return True
        time.sleep(0.05)
    return False


site.run("queue", "--now", "-", stdin=summaries(1))
p, seconds = send()
same((p.returncode, p.stdout, p.stderr), (67, b"queued as 7\n", b"careful\n"),
     "status and output are the real sendmail's")
same(open(real + ".args").read(), "-t\n-f\nme & you@example.com\n--\n$(id)\n", "so are the arguments")
same(open(real + ".mail", "rb").read(), MAIL, "the mail is handed on unchanged")
ok(seconds < 1, "it takes less than a second", seconds)
ok(wait_for(lambda: len(receiver.records) == 1), "and the spool is sent")

receiver.mode = hang
site.run("queue", "--now", "-", stdin=summaries(1, 2))
p, seconds = send()
ok(p.returncode == 67 and seconds < 1, "a server that hangs delays no mail", seconds)
ok(wait_for(lambda: len(receiver.log) == 2), "(it was asked)")
p, seconds = send()
ok(p.returncode == 67 and seconds < 1, "nor does a push that is under way", seconds)
for name, export in (("is not there", "/nonexistent/tidemark-export"),
                     ("fails", "/bin/false"),
                     ("kills itself", site.write("die", "#!/bin/sh\nkill -9 $$\n", 0o755))):
    p, _ = send(export=export)
    same((p.returncode, p.stdout, p.stderr), (67, b"queued as 7\n", b"careful\n"),
         "a tidemark-export that %s is not noticed" % name)
p, _ = send(sendmail="/nonexistent/sendmail")
ok(p.returncode in (126, 127), "a sendmail that is not there is not hidden", p.returncode)
time.sleep(2.2)  # the push that hangs gives up after its two seconds
receiver.close()
done()
