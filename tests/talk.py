"""A test as a conversation: somebody writes or taps, the service answers, and the test looks at the content keys."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from bot import dispatch, timers
from bot.chores import Sweep
from bot.messages import Address, InboundMessage, Kind, OutboundMessage
from bot.service import Service
from bot.storage import lanes
from bot.storage.models import InboxRow, LaneState, OutboxRow
from bot.worker import Worker

_numbers = count(1)


_SELDOM = 60.0  # seconds: a chore that looks less often is run again when the clock has moved
_swept: WeakKeyDictionary[Worker, datetime] = WeakKeyDictionary()


def _sweeps(service: Service, now: datetime) -> list[Sweep]:
    moved = _swept.get(service.worker) != now
    _swept[service.worker] = now
    return [chore for chore in service.worker.chores if isinstance(chore, Sweep) and (moved or chore.seconds < _SELDOM)]


def _look(connection: sa.Connection, now: datetime, sweeps: list[Sweep]) -> int:
    for sweep in sweeps:
        sweep.work(connection, now)
    return timers.fire_due(connection, now)


def drain(service: Service) -> None:
    """Everything that waits, one after the other, as the worker does it: timers, messages, sends."""

    async def one_send(row: sa.Row[Any]) -> None:
        await service.worker._send(row)

    paces = {name: channel.pace for name, channel in service.channels.items()}
    while True:
        now = service.clock.now()
        sweeps = _sweeps(service, now)
        fired = service.store.write(lambda c, at=now, sweeps=sweeps: _look(c, at, sweeps))
        rows = service.store.write(lambda c, at=now: lanes.claim(c, InboxRow, at, 10))
        for row in rows:
            service.conversation.handle(service.store, row)
        sends = service.store.write(lambda c, at=now: dispatch.claim(c, at, paces, 10))
        for row in sends:
            asyncio.run(one_send(row))
        if not (fired or rows or sends):
            return


@dataclass
class Talk:
    """One person on one channel."""

    service: Service
    channel: str = "console"
    who: str = "amina"
    got: list[OutboundMessage] = field(default_factory=list)

    @property
    def address(self) -> Address:
        if self.channel == "whatsapp":
            return Address("whatsapp", f"whatsapp:+3161234{len(self.who):04}", None, None)
        return Address(self.channel, str(1000 + len(self.who)) if self.channel == "telegram" else self.who)

    def says(self, text: str, kind: Kind = Kind.TEXT, **fields: Any) -> list[OutboundMessage]:
        """What comes back on a message."""
        message = InboundMessage(f"test:{next(_numbers)}", self.address, kind, text, **fields)
        return self.brings(message)

    def taps(self, token: str) -> list[OutboundMessage]:
        return self.brings(InboundMessage(f"test:{next(_numbers)}", self.address, Kind.TAP, token=token))

    def brings(self, message: InboundMessage) -> list[OutboundMessage]:
        asyncio.run(self.service.inbox.accept(message))
        return self.waits()

    def waits(self) -> list[OutboundMessage]:
        """Let the service work; what it sent to this person since the last look."""
        drain(self.service)
        mine = [s.message for s in self.service.channels[self.channel].sent if s.address.value == self.address.value]
        new, self.got = mine[len(self.got) :], mine
        return new

    def agrees(self, language: str = "nl") -> Talk:
        """Through the first contact."""
        self.says("Hallo")
        self.taps(f"lang:{language}")
        self.taps("consent:yes")
        return self

    @property
    def last(self) -> OutboundMessage:
        return self.got[-1]

    @property
    def tokens(self) -> list[str]:
        return [option.token for option in self.last.options]


def keys(messages: list[OutboundMessage]) -> list[str]:
    """The content keys of some messages."""
    return [key for message in messages for key in message.keys]


def dead_rows(service: Service) -> int:
    query = sa.select(sa.func.count()).select_from(InboxRow).where(InboxRow.state == LaneState.DEAD)
    return service.store.read(lambda c: c.execute(query).scalar_one())


def unsent(service: Service) -> list[Any]:
    query = sa.select(OutboxRow.__table__).where(OutboxRow.state != LaneState.DONE)
    return list(service.store.read(lambda c: c.execute(query).all()))
