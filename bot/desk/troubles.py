"""What does not go on by itself: sends that failed or may have arrived, and messages that could not be handled.

No words, no person. What can go again of it a person sends again (`bot/desk/resending.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.contacts import Consent
from bot.desk.access import visible
from bot.roles import Principal, Role
from bot.storage.models import ContactRow, InboxRow, LaneState, OutboxRow, TicketRow

LISTED = 50
STUCK = (LaneState.DEAD, LaneState.UNKNOWN)
GAP = "gap:"  # keys of checked answers that went to everybody who had asked: they belong to no ticket
# Whoever wrote "stop" or took back the consent gets no such answer, not even a second time.
WANTS_MORE = sa.and_(ContactRow.consent == Consent.GIVEN.value, sa.not_(ContactRow.stopped))


@dataclass(frozen=True)
class Trouble:
    """Something in a queue that does not go on by itself. Of a ticket, or to be sent again, or neither."""

    kind: str  # unknown (may have arrived), failed (was not sent), unread (came in and could not be handled)
    id: int
    channel: str
    at: datetime
    error: str
    ticket_id: int | None = None
    can_send_again: bool = False  # here; what belongs to a ticket is sent again on its page


def attention(connection: Connection, who: Principal) -> list[Trouble]:
    """The newest first, at most `LISTED` of each kind. A klantregisseur sees those of the own questions."""
    sees_all = who.has(Role.COORDINATOR, Role.DESK)
    found = _sends(connection, None if sees_all else who)
    if sees_all:
        found += _unread(connection)
    return sorted(found, key=lambda trouble: trouble.at, reverse=True)


def _sends(connection: Connection, of: Principal | None) -> list[Trouble]:
    query = (
        sa.select(OutboxRow.__table__, sa.and_(OutboxRow.payload.is_not(None), WANTS_MORE).label("may_go"))
        .outerjoin(ContactRow, ContactRow.id == OutboxRow.contact_id)
        .where(OutboxRow.state > sa.literal_column("2"), OutboxRow.state.in_(STUCK))
        .order_by(OutboxRow.id.desc())
        .limit(LISTED)
    )
    if of is None:
        return [_send(row) for row in connection.execute(query)]
    theirs = sa.select(TicketRow.contact_id).where(visible(of))
    found = [_send(row) for row in connection.execute(query.where(OutboxRow.contact_id.in_(theirs)))]
    tickets = sa.select(TicketRow.id).where(visible(of), TicketRow.id.in_([one.ticket_id for one in found]))
    mine = set(connection.execute(tickets).scalars())
    return [one for one in found if one.ticket_id in mine]


def _send(row: sa.Row[Any]) -> Trouble:
    return Trouble(
        "unknown" if row.state == LaneState.UNKNOWN else "failed",
        row.id,
        row.channel,
        row.created_at,
        row.error or "",
        _ticket_of(row.key),
        can_send_again=row.key.startswith(GAP) and bool(row.may_go),
    )


def _ticket_of(key: str) -> int | None:
    verb, _, rest = key.partition(":")
    number = rest.partition(":")[0]
    return int(number) if verb in ("answer", "ask") and number.isdigit() else None


def _unread(connection: Connection) -> list[Trouble]:
    rows = connection.execute(
        sa.select(InboxRow.id, InboxRow.channel, InboxRow.received_at, InboxRow.error)
        .where(InboxRow.state > sa.literal_column("2"), InboxRow.state == LaneState.DEAD)
        .order_by(InboxRow.id.desc())
        .limit(LISTED)
    )
    return [Trouble("unread", row.id, row.channel, row.received_at, row.error or "") for row in rows]
