"""A question goes to a person: the ticket, who has it, and the moment that was promised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import holidays
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import timers
from bot.contacts import Question
from bot.locales import AMSTERDAM
from bot.policy import OpenTicketFacts
from bot.storage.models import TicketEntryRow, TicketRow, TicketState

BACK_UP_DESK = "back-up desk"
NEWCOMER = "newcomer"


@dataclass(frozen=True)
class DeskHours:
    """When the back-up desk answers: working days, until `closes`.

    A question is answered within `days` working days.
    """

    closes: time = time(17)
    days: int = 1


@lru_cache(maxsize=16)
def _public_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("NL", years=year))


def is_working_day(day: date) -> bool:
    """Monday to Friday, no Dutch public holiday (library `holidays`)."""
    return day.weekday() < 5 and day not in _public_holidays(day.year)


def promise(now: datetime, hours: DeskHours) -> datetime:
    """By when a question that is passed on now is answered: the close of a working day, in Dutch time.

    The first working day counts when the desk is still open today; otherwise counting starts on the next one.
    """
    local = now.astimezone(AMSTERDAM)
    day, left = local.date(), hours.days
    if is_working_day(day) and local.time() >= hours.closes:
        day += timedelta(days=1)
    while not is_working_day(day):
        day += timedelta(days=1)
    while left:
        day += timedelta(days=1)
        left -= is_working_day(day)
    return datetime.combine(day, hours.closes, AMSTERDAM)


def open_ticket(
    connection: Connection, contact_id: int, question: Question, promise_at: datetime, now: datetime
) -> int:
    """Make a ticket at the back-up desk and set the timer of its promise. Returns its id."""
    ticket_id = connection.execute(
        sa.insert(TicketRow)
        .values(
            contact_id=contact_id,
            state=TicketState.OPEN,
            urgent=question.reason == "crisis",
            reason=question.reason,
            language=question.language,
            candidates=[list(candidate) for candidate in question.candidates],
            owner=BACK_UP_DESK,
            promises_missed=0,
            promise_at=promise_at,
            created_at=now,
        )
        .returning(TicketRow.id)
    ).scalar_one()
    add_entry(connection, ticket_id, "question", NEWCOMER, question.text, now)
    _set_promise_timer(connection, ticket_id, contact_id, promise_at)
    return ticket_id


def _set_promise_timer(connection: Connection, ticket_id: int, contact_id: int, promise_at: datetime) -> None:
    key = f"promise:{ticket_id}:{promise_at.isoformat()}"
    timers.set_timer(connection, contact_id, "promise", {"ticket_id": ticket_id}, key=key, due_at=promise_at)


def add_entry(  # noqa: PLR0917  # the columns of one row
    connection: Connection, ticket_id: int, kind: str, author: str, text: str, now: datetime
) -> None:
    """More words on a ticket: a question, an answer or a note."""
    values = {"ticket_id": ticket_id, "kind": kind, "author": author, "text": text, "at": now}
    connection.execute(sa.insert(TicketEntryRow).values(values))


def move_promise(connection: Connection, ticket_id: int, promise_at: datetime) -> None:
    """The promised moment passed: the back-up desk has it now, with a new moment; counted."""
    contact_id = connection.execute(
        sa.update(TicketRow)
        .where(TicketRow.id == ticket_id)
        .values(owner=BACK_UP_DESK, promise_at=promise_at, promises_missed=TicketRow.promises_missed + 1)
        .returning(TicketRow.contact_id)
    ).scalar_one()
    _set_promise_timer(connection, ticket_id, contact_id, promise_at)


def reopen(connection: Connection, ticket_id: int, promise_at: datetime) -> None:
    """The answer did not help: it is open again."""
    contact_id = connection.execute(
        sa.update(TicketRow)
        .where(TicketRow.id == ticket_id)
        .values(state=TicketState.OPEN, promise_at=promise_at, helped=False)
        .returning(TicketRow.contact_id)
    ).scalar_one()
    _set_promise_timer(connection, ticket_id, contact_id, promise_at)


def rate(connection: Connection, ticket_id: int, *, helped: bool) -> None:
    """Whether the answer helped, as the newcomer says."""
    state = TicketState.CLOSED if helped else TicketState.ANSWERED
    connection.execute(sa.update(TicketRow).where(TicketRow.id == ticket_id).values(helped=helped, state=state))


def tickets_of(connection: Connection, contact_id: int) -> tuple[OpenTicketFacts, ...]:
    """The tickets of a contact that a decision may need: open ones, and answered ones that aren't closed."""
    rows = connection.execute(
        sa.select(TicketRow.id, TicketRow.urgent, TicketRow.state, TicketRow.promise_at)
        .where(TicketRow.contact_id == contact_id, TicketRow.state != TicketState.CLOSED)
        .order_by(TicketRow.id)
    )
    return tuple(OpenTicketFacts(row.id, row.urgent, row.state == TicketState.ANSWERED, row.promise_at) for row in rows)
