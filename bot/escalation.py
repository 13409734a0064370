"""A question goes to a person: the ticket, who has it, and the moment that was promised."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot import alarm, timers
from bot.contacts import Question, Route
from bot.locales import AMSTERDAM
from bot.policy import OpenTicketFacts
from bot.storage.models import ActorRow, PromiseCountRow, TicketEntryRow, TicketRow, TicketState, TimerRow

BACK_UP_DESK = "back-up desk"
NEWCOMER = "newcomer"


def open_ticket(connection: Connection, contact_id: int, question: Question, route: Route, now: datetime) -> int:
    """Make a ticket for the klantregisseur or the back-up desk, with its timer. Returns its id."""
    urgent = question.reason == "crisis"
    ticket_id = connection.execute(
        sa.insert(TicketRow)
        .values(
            contact_id=contact_id,
            state=TicketState.OPEN,
            urgent=urgent,
            reason=question.reason,
            language=question.language,
            candidates=[list(candidate) for candidate in question.candidates],
            **_owner(route),
            promises_missed=0,
            created_at=now,
        )
        .returning(TicketRow.id)
    ).scalar_one()
    add_entry(connection, ticket_id, "question", NEWCOMER, question.text, now)
    if urgent:
        set_urgent_timer(connection, ticket_id, contact_id, now)
    else:
        _set_promise_timer(connection, ticket_id, contact_id, route.promise_at)
    return ticket_id


def _owner(route: Route) -> dict[str, Any]:
    return {"owner": route.name or BACK_UP_DESK, "actor_id": route.actor_id, "promise_at": route.promise_at}


def _set_promise_timer(connection: Connection, ticket_id: int, contact_id: int, promise_at: datetime) -> None:
    key = f"promise:{ticket_id}:{promise_at.astimezone(UTC).isoformat()}"
    timers.set_timer(connection, contact_id, "promise", {"ticket_id": ticket_id}, key=key, due_at=promise_at)


def set_urgent_timer(connection: Connection, ticket_id: int, contact_id: int, now: datetime, *, times: int = 1) -> None:
    """Somebody in danger waits: look again soon, day and night, until a person answered. `times`: alarms so far."""
    due_at = now + alarm.EVERY
    key = f"urgent:{ticket_id}:{due_at.isoformat()}"
    payload = {"ticket_id": ticket_id, "times": times}
    timers.set_timer(connection, contact_id, "urgent", payload, key=key, due_at=due_at)


def drop_timers(connection: Connection, ticket_id: int, contact_id: int) -> None:
    """Take away what waits for a ticket.

    The rows go altogether: a cancelled one would keep its key, and a ticket promised for the same moment get none.
    """
    waiting = connection.execute(
        sa.select(TimerRow.id, TimerRow.payload).where(
            TimerRow.contact_id == contact_id, TimerRow.state == sa.literal_column("0")
        )
    ).all()
    gone = [timer.id for timer in waiting if timer.payload.get("ticket_id") == ticket_id]
    connection.execute(sa.delete(TimerRow).where(TimerRow.id.in_(gone)))


def assign(connection: Connection, ticket_id: int, route: Route) -> None:
    """An open ticket goes to somebody else, or to another moment of the same."""
    contact_id = connection.execute(
        sa.update(TicketRow).where(TicketRow.id == ticket_id).values(**_owner(route)).returning(TicketRow.contact_id)
    ).scalar_one()
    drop_timers(connection, ticket_id, contact_id)
    _set_promise_timer(connection, ticket_id, contact_id, route.promise_at)


def count_promise(connection: Connection, actor_id: int | None, outcome: str, now: datetime) -> None:
    """One more promise kept or missed, of a klantregisseur or the back-up desk."""
    code = connection.execute(sa.select(ActorRow.code).where(ActorRow.id == actor_id)).scalar_one_or_none()
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(PromiseCountRow).values(
        day=now.astimezone(AMSTERDAM).date(), owner=code or BACK_UP_DESK, outcome=outcome, n=1
    )
    more = {"n": PromiseCountRow.n + 1}
    connection.execute(row.on_conflict_do_update(index_elements=["day", "owner", "outcome"], set_=more))


def add_entry(  # noqa: PLR0917  # the columns of one row
    connection: Connection, ticket_id: int, kind: str, author: str, text: str, now: datetime
) -> None:
    """More words on a ticket: a question, an answer or a note."""
    values = {"ticket_id": ticket_id, "kind": kind, "author": author, "text": text, "at": now}
    connection.execute(sa.insert(TicketEntryRow).values(values))


def move_promise(connection: Connection, ticket_id: int, promise_at: datetime, now: datetime) -> None:
    """The promised moment passed: the back-up desk has it now, with a new moment; counted."""
    where = TicketRow.id == ticket_id
    slipped = connection.execute(sa.select(TicketRow.actor_id).where(where)).scalar_one()
    count_promise(connection, slipped, "missed", now)
    connection.execute(sa.update(TicketRow).where(where).values(promises_missed=TicketRow.promises_missed + 1))
    assign(connection, ticket_id, Route(promise_at))


def reopen(connection: Connection, ticket_id: int, route: Route, now: datetime) -> bool:
    """The answer did not help: it is open again. Tells whether it is urgent, and the alarm must ring."""
    row = connection.execute(
        sa.update(TicketRow)
        .where(TicketRow.id == ticket_id)
        .values(state=TicketState.OPEN, helped=False, taken_at=None, taken_by=None)
        .returning(TicketRow.contact_id, TicketRow.urgent)
    ).one()
    assign(connection, ticket_id, route)
    if row.urgent:
        drop_timers(connection, ticket_id, row.contact_id)
        set_urgent_timer(connection, ticket_id, row.contact_id, now)
    return bool(row.urgent)


def rate(connection: Connection, ticket_id: int, *, helped: bool) -> None:
    """Whether the answer helped, as the newcomer says."""
    state = TicketState.CLOSED if helped else TicketState.ANSWERED
    connection.execute(sa.update(TicketRow).where(TicketRow.id == ticket_id).values(helped=helped, state=state))


def tickets_of(connection: Connection, contact_id: int) -> tuple[OpenTicketFacts, ...]:
    """The tickets of a contact that a decision may need: open ones, and answered ones that aren't closed."""
    rows = connection.execute(
        sa.select(TicketRow.id, TicketRow.urgent, TicketRow.state, TicketRow.promise_at, TicketRow.actor_id)
        .where(TicketRow.contact_id == contact_id, TicketRow.state != TicketState.CLOSED)
        .order_by(TicketRow.id)
    )
    answered = TicketState.ANSWERED
    return tuple(OpenTicketFacts(r.id, r.urgent, r.state == answered, r.promise_at, r.actor_id) for r in rows)
