"""What every deed on a ticket shares: take it, see whether it still waits, and settle it.

The contact is locked before the ticket, in the order in which a conversation takes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import audit, escalation, pushes
from bot.audit import Action
from bot.desk import claims
from bot.desk.access import person_key, shown_name, visible
from bot.roles import Principal
from bot.storage.models import ContactRow, TicketEntryRow, TicketRow, TicketState

WAITING = (TicketState.OPEN, TicketState.ASKED)  # a person has not answered yet


class Outcome(StrEnum):
    """What became of a deed, or why it was refused."""

    GOES_NOW = "goes_now"
    WAITS_WINDOW = "waits_window"  # kept until the person writes: WhatsApp's window is shut
    WAITS_BLOCKED = "waits_blocked"  # kept until the person comes back
    REPEATED = "repeated"  # the same words by the same person a second time: a double click
    CLOSED = "closed"  # closed as asked
    ASKED = "asked"  # the newcomer was asked something back
    PREPARED = "prepared"  # goes out by itself at its time
    HANDED_OVER = "handed_over"
    TAKEN_BACK = "taken_back"  # what was prepared doesn't go out
    TAKEN = "taken"  # somebody else answered or closed it
    WITHDRAWN = "withdrawn"  # the newcomer said that it is not needed any more
    CLAIMED = "claimed"  # somebody else is answering it now
    GONE = "gone"  # the person was erased, and the ticket with them; or it is not theirs to see
    UNREACHABLE = "unreachable"  # no address is left
    NO_TOPIC = "no_topic"  # no such curated answer, or past its date
    LANGUAGE = "language"  # translated, but the newcomer reads another language now
    TOO_LATE = "too_late"  # no time is left to prepare it for
    NOT_NOW = "not_now"  # it already waits for the newcomer, or for somebody in danger
    NOBODY = "nobody"  # no such colleague, or it is theirs already


ACCEPTED = {
    Outcome.GOES_NOW,
    Outcome.WAITS_WINDOW,
    Outcome.WAITS_BLOCKED,
    Outcome.REPEATED,
    Outcome.CLOSED,
    Outcome.ASKED,
    Outcome.PREPARED,
    Outcome.HANDED_OVER,
    Outcome.TAKEN_BACK,
}


@dataclass(frozen=True)
class Result:
    """`by` and `at` tell who was first, when somebody was; with CLAIMED who has it and until when."""

    outcome: Outcome
    by: str = ""
    at: datetime | None = None

    @property
    def accepted(self) -> bool:
        return self.outcome in ACCEPTED


@dataclass(frozen=True)
class Deed:
    """Who does something to which ticket, and when."""

    ticket_id: int
    who: Principal
    now: datetime

    @property
    def author(self) -> str:
        return shown_name(self.who)

    def record(self, connection: Connection, action: Action, detail: str = "") -> None:
        """A line in the audit log."""
        audit.record(connection, self.who, action, self.now, ticket_id=self.ticket_id, detail=detail)


def lock(connection: Connection, ticket_id: int, who: Principal | None) -> sa.Row[Any] | None:
    """The ticket with what is needed of its contact, both held until the end of the transaction.

    None when it is gone or `who` may not see it; the service itself is `None`.
    """
    contact_id = connection.execute(
        sa.select(TicketRow.contact_id).where(TicketRow.id == ticket_id)
    ).scalar_one_or_none()
    if contact_id is None:
        return None
    connection.execute(sa.select(ContactRow.id).where(ContactRow.id == contact_id).with_for_update())
    connection.execute(sa.select(TicketRow.id).where(TicketRow.id == ticket_id).with_for_update())
    columns: list[Any] = [
        TicketRow.__table__,
        ContactRow.language.label("chosen"),
        ContactRow.group.label("resident_group"),
        ContactRow.consent,
        ContactRow.stopped,
        ContactRow.thread,
    ]
    query = sa.select(*columns).join(ContactRow, ContactRow.id == TicketRow.contact_id)
    mine = sa.true() if who is None else visible(who)
    return connection.execute(query.where(TicketRow.id == ticket_id, mine)).one_or_none()


def refuse(connection: Connection, row: sa.Row[Any] | None, kind: str, words: str, author: str) -> Result:
    """Why a settled ticket can't be answered: who was first. The same words twice by one person do no harm."""
    if row is None:
        return Result(Outcome.GONE)
    last = connection.execute(
        sa.select(TicketEntryRow)
        .where(TicketEntryRow.ticket_id == row.id, TicketEntryRow.kind != "question")
        .order_by(TicketEntryRow.id.desc())
        .limit(1)
    ).one_or_none()
    if last is None:
        return Result(Outcome.TAKEN)
    if last.kind == "withdrawn":
        return Result(Outcome.WITHDRAWN, at=last.at)
    same = (last.kind, last.text, last.author) == (kind, words, author)
    return Result(Outcome.REPEATED if same else Outcome.TAKEN, last.author, last.at)


def held_by_other(connection: Connection, deed: Deed) -> Result | None:
    """Who is answering this ticket now, when it is somebody else."""
    claim = claims.current(connection, deed.ticket_id, deed.now)
    if claim is None or claim.person == person_key(deed.who):
        return None
    return Result(Outcome.CLAIMED, claim.name, claim.until)


def note_bad_news(connection: Connection, ticket_id: int, now: datetime) -> None:
    """Somebody was told bad news: surveys leave them in peace for some days. The day is kept, and not what it was."""
    query = sa.select(TicketRow.contact_id).where(TicketRow.id == ticket_id)
    contact_id = connection.execute(query).scalar_one_or_none()
    if contact_id is not None:
        pushes.bad_news(connection, contact_id, now)


def settle(connection: Connection, row: sa.Row[Any], **values: Any) -> None:
    """The ticket's new state. Its promise is off, nobody is at it, and nothing that was prepared goes out."""
    connection.execute(sa.update(TicketRow).where(TicketRow.id == row.id).values(asked_at=None, **values))
    escalation.drop_timers(connection, row.id, row.contact_id)
    escalation.drop_prepared(connection, row.id)
    escalation.drop_question(connection, row.id)
    claims.release(connection, row.id)
