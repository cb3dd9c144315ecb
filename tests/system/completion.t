#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Shell completion: what bash is told for each command is what --help says of it, and in a real bash and a
real zsh on a terminal, Tab completes commands, options and files."""
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.abspath(os.environ.get("SOURCE", "."))
BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
sys.path.insert(0, os.path.join(SOURCE, "tests/lib"))
from tap import done, note, ok, same, skip  # noqa: E402

PROGRAMS = ["tidemark-" + p for p in ("probe", "analyze", "export", "desk")]
folder = tempfile.mkdtemp(prefix="tidemark-completion-")
for name in ("here-is.conf", "summaries of march.ndjson"):
    open(os.path.join(folder, name), "w", encoding="utf-8").close()
with open(os.path.join(folder, "here-is.conf"), "w", encoding="utf-8") as f:
    f.write("nonsense = 1\n")
os.mkdir(os.path.join(folder, "rrds"))


def completed(program, *words):
    """What bash's COMPREPLY holds for the last of these words."""
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _%s; printf "%%s\\n" "${COMPREPLY[@]}"'
              % program.replace("-", "_"))
    out = subprocess.run(["bash", "--norc", "-c", script, "bash", BUILD + "/completion/bash/" + program, program, *words],
                         cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    return sorted(out.stdout.split("\n")[:-1]) if out.stdout.strip() else []


def help_of(*words):
    return subprocess.run([os.path.join(BUILD, words[0]), *words[1:], "--help"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout


def options_in(text):
    return sorted(re.findall(r"^  (?:-\w, |    )(--[a-z][-a-z0-9]*)", text, re.M))


for program in PROGRAMS:
    text = help_of(program)
    commands = re.findall(r"^  ([a-z][-a-z]*) ?", text.split("\nOptions:")[0].partition("Commands:")[2], re.M)
    if commands:
        same(completed(program, ""), sorted(commands + ["--help", "--version"]), program + ": its commands")
        same([c for c in commands if completed(program, c, "-") != options_in(help_of(program, c))], [],
             program + ": of each command the options that its --help has")
    else:
        same(completed(program, "-"), options_in(text), program + ": its options")

same(completed("tidemark-export", "queue", "summ"), ["summaries of march.ndjson"], "a file, with blanks in its name")
same(completed("tidemark-analyze", "run", "--config", "here"), ["here-is.conf"], "a file as an option's value")
same(completed("tidemark-analyze", "run", "--config", "=", "here"), ["here-is.conf"], "... and after =")
same(completed("tidemark-analyze", "run", "--forecast-rrd", ""), ["rrds"], "a folder where no file will do")
same(completed("tidemark-export", "push", "--trigger", ""), ["link", "mail", "timer"], "the words that an option takes")
same([completed("tidemark-analyze", c, o, "") for c, o in (("demand", "--format"), ("score", "-f"))],
     [["csv", "json"], ["json", "table"]], "... those of its command")
same(completed("tidemark-desk", "import", "cu"), ["customers"], "the words that an operand may be")
same(completed("tidemark-desk", "import", "customers", "here"), ["here-is.conf"], "and then its file")
same(completed("tidemark-probe", "--timeout", ""), [], "nothing where only the user can know")


class Terminal:
    """A shell on a terminal of its own."""

    def __init__(self, *command, **environment):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            env = {"PATH": BUILD + ":/usr/bin:/bin", "HOME": folder, "TERM": "dumb", "LC_ALL": "C", **environment}
            os.execvpe(command[0], list(command), env)

    def expect(self, text, seconds=60):
        until = time.monotonic() + seconds
        while text.encode() not in self.seen:
            if time.monotonic() > until:
                return False
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.fd, 4096)
                except OSError:
                    return text.encode() in self.seen
        return True

    def type(self, text):
        self.seen = b""
        os.write(self.fd, text.encode())

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def on_a_terminal(shell, terminal, begin):
    terminal.expect("ready> ")
    terminal.type(begin + "\n")
    terminal.expect("ready> ")
    for typed, wanted, name in (
            ("tidemark-export stat\t--help\n", "Usage: tidemark-export status", "a command"),
            ("tidemark-probe --vers\t\n", "tidemark-probe 0.", "an option"),
            ("tidemark-analyze check --config here\t\n", "here-is.conf:1", "a file")):
        terminal.type(typed)
        ok(terminal.expect(wanted), "%s: Tab completes %s" % (shell, name), terminal.seen.decode(errors="replace"))
        terminal.expect("ready> ", 5)
    terminal.close()


try:
    on_a_terminal("bash", Terminal("bash", "--norc", "-i", PS1="ready> "),
                  "for f in %s/completion/bash/*; do source $f; done" % BUILD)
    if shutil.which("zsh"):
        on_a_terminal("zsh", Terminal("zsh", "-f", "-i", PS1="ready> "),
                      "fpath=(%s/completion/zsh $fpath); autoload -U compinit; compinit -u -D" % BUILD)
    else:
        note("zsh is not installed")
        skip("zsh: Tab completes", "needs zsh")
finally:
    shutil.rmtree(folder, ignore_errors=True)
done()
