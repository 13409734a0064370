"""What the worker does beside messages: looks every few seconds whether something is due, and sends mail.

What is due stands in rows with a key, so a chore that runs twice, or in two processes, does nothing twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa

from bot import mailing
from bot.channels.smtp import Postman
from bot.clock import Clock
from bot.errors import Failure, SendError, StoreUnavailableError
from bot.mailing import Mail
from bot.storage.store import Store

log = logging.getLogger(__name__)

MAIL_SECONDS = 2.0


class Chore(Protocol):
    """Runs until it is cancelled."""

    async def run(self) -> None: ...


@dataclass(frozen=True)
class Sweep:
    """A look at the database every so often, in one transaction. A fault of it is logged and does not stop the rest."""

    name: str
    seconds: float
    store: Store
    clock: Clock
    work: Callable[[sa.Connection, datetime], Any]

    async def run(self) -> None:
        while True:
            await self.once()
            await asyncio.sleep(self.seconds)

    async def once(self) -> None:
        now = self.clock.now()
        try:
            await self.store.awrite(lambda connection: self.work(connection, now) and None)
        except StoreUnavailableError:
            log.error("the database is away; %s is tried again", self.name)  # noqa: TRY400  # no trace: it may hold words
        except Exception as error:  # noqa: BLE001  # one chore must not stop the others, nor the messages
            log.error("%s failed: %s", self.name, type(error).__name__)  # noqa: TRY400  # as above


@dataclass(frozen=True)
class MailRound:
    """Sends what waits in the mail queue, one after the other."""

    store: Store
    clock: Clock
    postman: Postman
    alone: bool  # the only process: what runs at the start belongs to nobody

    async def run(self) -> None:
        await self._recover(everything=self.alone)
        while True:
            with contextlib.suppress(StoreUnavailableError):
                while await self.once():
                    pass
                await self._recover(everything=False)
            await asyncio.sleep(MAIL_SECONDS)

    async def _recover(self, *, everything: bool) -> None:
        now = self.clock.now()
        with contextlib.suppress(StoreUnavailableError):
            await self.store.awrite(lambda c: mailing.recover(c, now, everything=everything))

    async def once(self) -> bool:
        """Send one mail; False when none was due."""
        now = self.clock.now()
        row = await self.store.awrite(lambda connection: mailing.claim(connection, now))
        if row is None:
            return False
        mail = Mail(row.kind, row.recipient, row.language, row.params)
        try:
            await self.postman.send(mail, row.key)
        except SendError as failure:
            error = failure
            log.error("mail %s (%s) was not taken: %s", row.id, row.kind, error)  # noqa: TRY400  # the code says it all
            await self.store.awrite(lambda c: mailing.failed(c, row, error, self.clock.now()))
        except Exception as fault:  # noqa: BLE001  # a fault of ours in one mail must not stop the next
            name = type(fault).__name__
            log.error("mail %s (%s) can't be sent: %s", row.id, row.kind, name)  # noqa: TRY400  # as above
            broken = SendError(Failure.PERMANENT, name)
            await self.store.awrite(lambda c: mailing.failed(c, row, broken, self.clock.now()))
        else:
            await self.store.awrite(lambda c: mailing.sent(c, row, self.clock.now()))
        return True
