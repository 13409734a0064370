"""A real mail server on this machine that behaves as told."""

from __future__ import annotations

import asyncio
import threading
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller

from bot.channels.smtp import SmtpPostman, SmtpServer
from bot.chores import MailRound
from bot.storage.follow_up_models import MailRow


class Inbox:
    """Keeps what it is handed. `answer` may be another one than a yes, `wait` how long it thinks about it."""

    def __init__(self):
        self.mails, self.answer, self.recipient, self.wait = [], "250 OK", "250 OK", 0.0
        self.arrived = threading.Event()

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802  # aiosmtpd's names
        if self.recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  # aiosmtpd's name
        await asyncio.sleep(self.wait)
        if self.answer.startswith("250"):
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
            self.arrived.set()
        return self.answer


class LocalServer(Controller):
    """On a free port. The base class asks the port 0 itself whether it is up."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def postman(server):
    return SmtpPostman(SmtpServer("127.0.0.1", server.port, "none", sender="Wegwijs <wegwijs@example.org>"))


def rounds(service, carrier):
    """Send all that is due."""
    round_ = MailRound(service.store, service.clock, carrier, alone=True)

    async def all_of_it():
        while await round_.once():
            pass

    asyncio.run(all_of_it())


def rows(service):
    import sqlalchemy as sa

    return list(service.store.read(lambda c: c.execute(sa.select(MailRow.__table__).order_by(MailRow.id)).all()))
