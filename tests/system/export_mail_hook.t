#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The customer's own mail goes out as ever; beside it the spool is sent. So it is when the line comes
up."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from exporting import *  # noqa: E402,F403
from tap import done, ok, same, skip  # noqa: E402
from waiting import wait_for  # noqa: E402

site = Site()
receiver = Receiver()
site.configure(site.webhook(receiver.url))
site.enable("sales")
real = site.write("sendmail", '#!/bin/sh\nprintf "%s\\n" "$@" > "$0.args"\ncat > "$0.mail"\n'
                  'echo "queued as 7"\necho "careful" >&2\nexit 67\n', 0o755)
HOOK = os.path.join(SOURCE, "contrib/mail-hook")
SOON = 3  # seconds: a server that hangs does it for four
MAIL = b"From: a@b\r\nSubject: \xff\x00odd bytes\n.\n\nno newline at the end"


def send(export=EXPORT, sendmail=real, trigger="/nonexistent"):
    env = dict(os.environ, TIDEMARK_SENDMAIL=sendmail, TIDEMARK_EXPORT=export,
               TIDEMARK_CONFIG=site.conf, TIDEMARK_TRIGGER=trigger)
    start = time.time()
    p = subprocess.run([HOOK, "-t", "-f", "me & you@example.com", "--", "$(id)"], input=MAIL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, timeout=20)
    return p, time.time() - start


site.run("queue", "--now", "-", stdin=summaries(1))
p, seconds = send()
same((p.returncode, p.stdout, p.stderr), (67, b"queued as 7\n", b"careful\n"),
     "status and output are the real sendmail's")
same(open(real + ".args").read(), "-t\n-f\nme & you@example.com\n--\n$(id)\n", "so are the arguments")
same(open(real + ".mail", "rb").read(), MAIL, "the mail is handed on unchanged")
ok(seconds < SOON, "it waits for nobody", seconds)
ok(wait_for(lambda: len(receiver.records) == 1), "and the spool is sent")

receiver.mode = hang
site.run("queue", "--now", "-", stdin=summaries(1, 2))
p, seconds = send()
ok(p.returncode == 67 and seconds < SOON, "a server that hangs delays no mail", seconds)
ok(wait_for(lambda: len(receiver.log) == 2), "(it was asked)")
p, seconds = send()
ok(p.returncode == 67 and seconds < SOON, "nor does a push that is under way", seconds)
for name, export in (("is not there", "/nonexistent/tidemark-export"),
                     ("fails", "/bin/false"),
                     ("kills itself", site.write("die", "#!/bin/sh\nkill -9 $$\n", 0o755))):
    p, _ = send(export=export)
    same((p.returncode, p.stdout, p.stderr), (67, b"queued as 7\n", b"careful\n"),
         "a tidemark-export that %s is not noticed" % name)
for name, option in (("mailq", "-bp"), ("newaliases", "-bi")):
    os.symlink(HOOK, site.path(name))
    p = subprocess.run([site.path(name), "-v"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       env=dict(os.environ, TIDEMARK_SENDMAIL=real, TIDEMARK_EXPORT=EXPORT))
    same((p.returncode, open(real + ".args").read()), (67, option + "\n-v\n"),
         "called %s, it does what that does" % name)
if os.geteuid() == 0 and shutil.which("setpriv") and shutil.which("prlimit"):
    os.chmod(site.folder, 0o755)
    plain = site.write("plain", '#!/bin/sh\necho "$@"; echo careful >&2; exit 67\n', 0o755)
    hook = site.write("hook", open(HOOK).read(), 0o755)
    p = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "prlimit",
                        "--nproc=1", hook, "-t", "a b"], stdin=subprocess.DEVNULL, cwd="/",
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       env={"PATH": os.environ["PATH"], "TIDEMARK_SENDMAIL": plain,
                            "TIDEMARK_EXPORT": "/bin/true"})
    same((p.returncode, p.stdout, p.stderr), (67, b"-t a b\n", b"careful\n"),
         "where no process is left to be had, the mail goes all the same")
    os.chmod(site.folder, 0o700)
else:
    skip("where no process is left to be had, the mail goes all the same", "only root can limit others")
p, _ = send(sendmail="/nonexistent/sendmail")
ok(p.returncode in (126, 127), "a sendmail that is not there is not hidden", p.returncode)

# --- a trigger, for senders who may not see the spool -----------------------------------------------
trigger = site.write("trigger", "x", 0o622)
n = len(receiver.log)
p, _ = send(trigger=trigger)
same((p.returncode, p.stdout, p.stderr), (67, b"queued as 7\n", b"careful\n"), "with a trigger the same")
same((os.path.getsize(trigger), len(receiver.log)), (0, n), "it is written to, and nothing else is done")
os.unlink(trigger)
os.mkfifo(trigger)
p, seconds = send(export="/bin/false", trigger=trigger)
ok(p.returncode == 67 and seconds < SOON, "a FIFO in its place holds nobody up", seconds)
end, other = os.pipe()
env = dict(os.environ, TIDEMARK_SENDMAIL=real, TIDEMARK_EXPORT=EXPORT, TIDEMARK_CONFIG=site.conf,
           TIDEMARK_TRIGGER="/nonexistent")
os.dup2(other, 7)
os.set_inheritable(7, True)
start = time.time()
p = subprocess.Popen([HOOK], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL, env=env, close_fds=False)
os.close(7), os.close(other)
os.read(end, 1)
ok(time.time() - start < SOON, "nobody waits for a descriptor that we keep", time.time() - start)
p.wait()

# --- the line comes up ---------------------------------------------------------------------------------
receiver.mode = None
LINK = os.path.join(SOURCE, "contrib/link-hook")


def line(*args, **env):
    """How often a push was begun."""
    calls = site.path("calls")
    open(calls, "w").close()
    program = site.write("counting", '#!/bin/sh\necho "$@" >>"%s"\n' % calls, 0o755)
    start = time.time()
    p = subprocess.run([LINK, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20,
                       env=dict({"PATH": os.environ["PATH"], "TIDEMARK_EXPORT": program}, **env))
    took = time.time() - start
    time.sleep(0.5)
    return p.returncode, p.stdout + p.stderr, took < SOON, open(calls).read()


PUSH = (0, b"", True, "push --trigger link --once\n")
NONE = (0, b"", True, "")
for name, args, env, wanted in (
        ("NetworkManager: up", ("eth0", "up"), {}, PUSH),
        ("NetworkManager: down", ("eth0", "down"), {}, NONE),
        ("NetworkManager: lo", ("lo", "up"), {}, NONE),
        ("ifupdown: start", (), {"IFACE": "eth0", "MODE": "start"}, PUSH),
        ("ifupdown: stop", (), {"IFACE": "eth0", "MODE": "stop"}, NONE),
        ("ifupdown: lo", (), {"IFACE": "lo", "MODE": "start"}, NONE),
        ("networkd-dispatcher: routable", (), {"IFACE": "eth0", "STATE": "routable"}, PUSH),
        ("pppd", ("ppp0", "/dev/ttyS0"), {"PPP_IFACE": "ppp0"}, PUSH),
        ("nobody", (), {}, NONE)):
    same(line(*args, **env), wanted, "link-hook, called by " + name)
time.sleep(2.2)  # the push that hangs gives up after its two seconds
receiver.close()
done()
