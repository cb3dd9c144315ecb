# SPDX-License-Identifier: MIT
"""A real SMTP server without TLS on a port of its own, that keeps what it is given."""
import email
import email.policy

from waiting import wait_for

try:
    from aiosmtpd.controller import Controller
except ImportError:
    Controller = object
    MISSING = "python3-aiosmtpd is not installed"
else:
    MISSING = None


class Mailbox:
    def __init__(self):
        self.raw, self.recipients = [], []

    async def handle_DATA(self, server, session, envelope):
        self.raw.append(envelope.original_content)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 taken"

    @property
    def mails(self):
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.raw]

    def about(self, text):
        return [m for m in self.mails if text in m["Subject"]]

    def wait(self, n, seconds=60):
        """The mails, once there are n of them, or when the time is over."""
        wait_for(lambda: len(self.raw) >= n, seconds, 0.05)
        return self.mails


class Sink(Controller):
    """Listens at once; port 0: any that is free."""

    def __init__(self, mailbox, port=0):
        super().__init__(mailbox, hostname="127.0.0.1", port=port)
        self.start()

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
