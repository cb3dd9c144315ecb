# SPDX-License-Identifier: MIT
"""Recordings of devices, served by snmpsimd on a free port of 127.0.0.1."""
import glob
import os
import shutil
import socket
import subprocess
import tempfile

from waiting import wait_for


def _free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Simulator:
    """Serves every NAME.snmprec of the folders as community NAME; use it with `with`."""

    def __init__(self, folders, options=()):
        self.options = list(options)
        self.directory = tempfile.mkdtemp(prefix="tm-snmpsim-")
        self.process = None
        self.port = _free_port()
        try:
            self._start(self._copied(folders))
        except BaseException:
            self.stop()
            raise

    def _copied(self, folders):
        """snmpsimd runs as nobody, who may not be able to read the work tree."""
        os.chmod(self.directory, 0o755)
        copies = []
        for folder in folders:
            to = os.path.join(self.directory, "%02d" % len(copies))
            shutil.copytree(folder, to, ignore=shutil.ignore_patterns("*.json", "README"))
            for path in [to] + glob.glob(to + "/*"):
                os.chmod(path, 0o755)
            copies.append(to)
        return copies

    def _start(self, folders):
        cache = os.path.join(self.directory, "cache")
        os.mkdir(cache)
        os.chmod(cache, 0o777)
        command = ["snmpsimd"] + ["--data-dir=" + f for f in folders] + [
            "--agent-udpv4-endpoint=127.0.0.1:%d" % self.port, "--cache-dir=" + cache,
            "--logging-method=null"] + self.options
        if os.getuid() == 0:
            command += ["--process-user=nobody", "--process-group=nogroup"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, cwd="/",
                                        start_new_session=True)
        first = sorted(glob.glob(folders[0] + "/*.snmprec"))[0]
        self._wait(os.path.basename(first)[:-len(".snmprec")])

    def _wait(self, community):
        def answers():
            if self.process.poll() is not None:
                raise RuntimeError("snmpsimd ended with status %d" % self.process.returncode)
            done = subprocess.run(["snmpget", "-v2c", "-c", community, "-t", "0.5", "-r", "0",
                                   "-On", "127.0.0.1:%d" % self.port, "1.3.6.1.2.1.1.2.0"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  check=False)
            return done.returncode == 0
        if not wait_for(answers):
            raise RuntimeError("snmpsimd does not answer")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
