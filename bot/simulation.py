"""What only invented phones have: a screen to look at, and a clock that can be moved forward.

The chat page and the terminal share it. What an invented person sends goes the way of all messages: `Inbox.accept`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.identifiers import Vault
from bot.messages import Address, InboundMessage
from bot.service import CLOCK_MARKER, Service
from bot.storage.models import AddressRow, InboxRow, MarkerRow, OutboxRow, ScreenRow

MAX_FORWARD = timedelta(days=3653)  # ten years; beyond it dates would leave the calendar some day


@dataclass(frozen=True)
class Bubble:
    """What the person's own side of the screen shows. `options` names what it was if not words (a voice note)."""

    text: str
    language: str = ""
    options: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class PhoneState:
    """Whether an answer is under way, and whether the person shut the service out."""

    is_busy: bool
    is_blocked: bool


async def send(service: Service, message: InboundMessage, bubble: Bubble | None) -> bool:
    """Send as an invented person; returns after the commit, with False for what was here before: nothing shows twice.

    The bubble is written first, so that it stands above the answer. After a StoreUnavailableError nothing was sent.
    """
    now = service.clock.now()
    row_id = await service.store.awrite(lambda c: _show(c, message, bubble, now)) if bubble else None
    is_new = False
    try:
        is_new = await service.inbox.accept(message)
    finally:
        if row_id is not None and not is_new:
            await service.store.awrite(lambda c: c.execute(sa.delete(ScreenRow).where(ScreenRow.id == row_id)) and None)
    return is_new


def _show(connection: Connection, message: InboundMessage, bubble: Bubble, now: datetime) -> int | None:
    if connection.execute(sa.select(InboxRow.id).where(InboxRow.key == message.key)).first() is not None:
        return None
    values = {"phone": message.address.value, "mine": True, "at": now}
    values |= {"text": bubble.text, "language": bubble.language, "options": bubble.options}
    return int(connection.execute(sa.insert(ScreenRow).values(**values).returning(ScreenRow.id)).scalar_one())


def read_screen(connection: Connection, phone: str, after: int, limit: int) -> list[sa.Row[Any]]:
    """What stands on a phone's screen behind a row, oldest first."""
    query = sa.select(ScreenRow.__table__).where(ScreenRow.phone == phone, ScreenRow.id > after)
    return list(connection.execute(query.order_by(ScreenRow.id).limit(limit)))


def read_state(connection: Connection, vault: Vault, address: Address) -> PhoneState:
    """What is known of a phone now. An answer is under way as long as anything of its lane is open."""
    lookup = vault.lookups(address)[0]
    row = connection.execute(
        sa.select(AddressRow.lane, AddressRow.blocked_at).where(AddressRow.lookup == lookup)
    ).one_or_none()
    lane = row.lane if row else lookup
    is_open = (
        sa.select(table.id).where(table.lane == lane, table.state < sa.literal_column("2")).limit(1)
        for table in (InboxRow, OutboxRow)
    )
    busy = any(connection.execute(query).first() is not None for query in is_open)
    return PhoneState(busy, row is not None and row.blocked_at is not None)


async def move_clock(service: Service, by: timedelta) -> None:
    """Move the clock on, also for the next start. Raises ValueError for a step back or more than ten years in all."""
    if by < timedelta() or service.clock.offset + by > MAX_FORWARD:
        raise ValueError("the clock goes forward only, and ten years at most")
    await service.store.awrite(lambda connection: _keep_offset(connection, by))
    service.clock.forward(by)


def _keep_offset(connection: Connection, by: timedelta) -> None:
    where = MarkerRow.name == CLOCK_MARKER
    known = connection.execute(sa.select(MarkerRow.value).where(where)).scalar_one_or_none()
    total = float(known or 0) + by.total_seconds()
    connection.execute(sa.delete(MarkerRow).where(where))
    connection.execute(sa.insert(MarkerRow).values(name=CLOCK_MARKER, value=str(total)))
