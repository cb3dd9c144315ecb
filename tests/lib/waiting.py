# SPDX-License-Identifier: MIT
"""Waiting for what another process does: as long as a busy machine may need, and no longer than it takes."""
import os
import socket
import time

import sanitizer

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
PATIENCE = sanitizer.patience(os.path.join(BUILD, "plugins", "disk_array.so"))


def wait_for(condition, seconds=60, step=0.1):
    """Polls until the condition is true; its last value. With a sanitizer it may take longer."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(step)


def accepts(port):
    """Whether somebody listens at this port of 127.0.0.1."""
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0
