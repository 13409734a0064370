"""A question goes to a person: the ticket, who has it, and the moment that was promised."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot import alarm, timers
from bot.contacts import Question, Route
from bot.locales import AMSTERDAM
from bot.policy import OpenTicketFacts
from bot.storage.desk_models import PreparedRow
from bot.storage.fixed import Fixed
from bot.storage.models import (
    ActorRow,
    LaneState,
    OutboxRow,
    PromiseCountRow,
    TicketEntryRow,
    TicketRow,
    TicketState,
    TimerRow,
)

BACK_UP_DESK = "back-up desk"
ASK_REMINDER = timedelta(days=3)  # somebody who was asked something back is reminded once
ASK_CLOSES = timedelta(days=10)  # and may still answer for a week after that
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
    """An open ticket goes to somebody else, or to another moment of the same.

    What was prepared for it waits for a look: another person or another time may call for other words. The alarm of an
    urgent one goes on as it is.
    """
    row = connection.execute(
        sa.update(TicketRow)
        .where(TicketRow.id == ticket_id)
        .values(**_owner(route))
        .returning(TicketRow.contact_id, TicketRow.urgent)
    ).one()
    hold_prepared(connection, ticket_id, "moved")
    if row.urgent:
        return
    drop_timers(connection, ticket_id, row.contact_id)
    _set_promise_timer(connection, ticket_id, row.contact_id, route.promise_at)


def hold_prepared(connection: Connection, ticket_id: int, reason: str) -> None:
    """A prepared answer doesn't go out by itself any more; people see why."""
    waits = (PreparedRow.ticket_id == ticket_id, PreparedRow.held.is_(None))
    connection.execute(sa.update(PreparedRow).where(*waits).values(held=reason))


def drop_prepared(connection: Connection, ticket_id: int) -> None:
    """What was prepared for a ticket is not needed any more."""
    connection.execute(sa.delete(PreparedRow).where(PreparedRow.ticket_id == ticket_id))


def drop_question(connection: Connection, ticket_id: int) -> None:
    """What was asked back and waits behind a shut window is not needed any more."""
    mine = (OutboxRow.key.like(f"ask:{ticket_id}:%"), OutboxRow.state == LaneState.HELD)
    connection.execute(sa.delete(OutboxRow).where(OutboxRow.state > sa.literal_column("2"), *mine))


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
    connection: Connection, ticket_id: int, kind: str, author: str, text: str, now: datetime, **translated: str
) -> int:
    """More words on a ticket: a question, an answer, a question back or a note. Returns the id.

    `translated`: `translation` and its `language`, where the newcomer reads what a machine translated.
    """
    values = {"ticket_id": ticket_id, "kind": kind, "author": author, "text": text, "at": now, **translated}
    row = sa.insert(TicketEntryRow).values(values).returning(TicketEntryRow.id)
    return connection.execute(row).scalar_one()


def move_promise(connection: Connection, ticket_id: int, promise_at: datetime, now: datetime) -> None:
    """The promised moment passed: the back-up desk has it now, with a new moment; counted."""
    where = TicketRow.id == ticket_id
    slipped = connection.execute(sa.select(TicketRow.actor_id).where(where)).scalar_one()
    count_promise(connection, slipped, "missed", now)
    connection.execute(sa.update(TicketRow).where(where).values(promises_missed=TicketRow.promises_missed + 1))
    assign(connection, ticket_id, Route(promise_at))


def reopen(connection: Connection, ticket_id: int, route: Route, now: datetime) -> bool:
    """The answer did not help: open again, and counted. Tells whether it is urgent, and the alarm must ring."""
    again = {"helped": False, "reopened": TicketRow.reopened + 1, "taken_at": None, "taken_by": None}
    return _open_again(connection, ticket_id, route, now, again)


def take_reply(connection: Connection, ticket_id: int, text: str, route: Route, now: datetime) -> None:
    """The newcomer answered what was asked back: the ticket is open, with a new moment."""
    add_entry(connection, ticket_id, "question", NEWCOMER, text, now)
    _open_again(connection, ticket_id, route, now, {"asked_at": None})


def _open_again(connection: Connection, ticket_id: int, route: Route, now: datetime, values: dict[str, Any]) -> bool:
    row = connection.execute(
        sa.update(TicketRow)
        .where(TicketRow.id == ticket_id)
        .values(state=TicketState.OPEN, closed_at=None, closed_reason=None, **values)
        .returning(TicketRow.contact_id, TicketRow.urgent)
    ).one()
    drop_timers(connection, ticket_id, row.contact_id)
    assign(connection, ticket_id, route)
    if row.urgent:
        set_urgent_timer(connection, ticket_id, row.contact_id, now)
    return bool(row.urgent)


def ask(connection: Connection, ticket_id: int, contact_id: int, now: datetime) -> None:
    """The newcomer was asked something back: the promise is off, and the ticket waits for them, but not for ever."""
    waits = {"state": TicketState.ASKED, "asked_at": now, "promise_at": now + ASK_CLOSES}
    connection.execute(sa.update(TicketRow).where(TicketRow.id == ticket_id).values(**waits))
    drop_timers(connection, ticket_id, contact_id)
    for kind, due_at in (("ask_reminder", now + ASK_REMINDER), ("ask_close", now + ASK_CLOSES)):
        key = f"{kind}:{ticket_id}:{now.astimezone(UTC).isoformat()}"
        timers.set_timer(connection, contact_id, kind, {"ticket_id": ticket_id}, key=key, due_at=due_at)


def close(connection: Connection, ticket_id: int, contact_id: int, reason: str, now: datetime) -> None:
    """Nobody answers it any more; what was prepared or promised for it is off."""
    closed = {"state": TicketState.CLOSED, "closed_at": now, "closed_reason": reason, "asked_at": None}
    connection.execute(sa.update(TicketRow).where(TicketRow.id == ticket_id).values(**closed))
    drop_timers(connection, ticket_id, contact_id)
    drop_prepared(connection, ticket_id)
    drop_question(connection, ticket_id)


def withdraw(connection: Connection, ticket_id: int, contact_id: int, now: datetime) -> None:
    """The newcomer says that the question is not needed any more."""
    add_entry(connection, ticket_id, "withdrawn", NEWCOMER, "", now)
    close(connection, ticket_id, contact_id, "withdrawn", now)


def rate(connection: Connection, ticket_id: int, contact_id: int, now: datetime, *, helped: bool) -> None:
    """Whether the answer helped, as the newcomer says. One that did is closed, also when it was open again."""
    values = {"helped": helped} if helped else {"helped": helped, "state": TicketState.ANSWERED}
    connection.execute(sa.update(TicketRow).where(TicketRow.id == ticket_id).values(values))
    if helped:
        close(connection, ticket_id, contact_id, "helped", now)


def tickets_of(connection: Connection, contact_id: int) -> tuple[OpenTicketFacts, ...]:
    """The tickets of a contact that a decision may need: waiting ones, and answered ones that aren't closed."""
    rows = _tickets().rows(connection, {"b_contact": contact_id})
    is_asked = any(row.state == TicketState.ASKED for row in rows)
    unseen = _unsent_questions(connection, contact_id) if is_asked else frozenset()
    return tuple(_facts(row, unseen) for row in rows)


@cache
def _tickets() -> Fixed:
    words = sa.select(TicketEntryRow.text).where(TicketEntryRow.ticket_id == TicketRow.id)
    first = words.where(TicketEntryRow.kind == "question").order_by(TicketEntryRow.id).limit(1).scalar_subquery()
    asked = words.where(TicketEntryRow.kind == "ask").order_by(TicketEntryRow.id.desc()).limit(1).scalar_subquery()
    return Fixed(
        sa.select(TicketRow.__table__, first.label("words"), asked.label("asked"))
        .where(TicketRow.contact_id == sa.bindparam("b_contact"), TicketRow.state != TicketState.CLOSED)
        .order_by(TicketRow.id)
    )


def _unsent_questions(connection: Connection, contact_id: int) -> frozenset[int]:
    """Tickets whose question back did not go yet: what the newcomer writes is no answer to it."""
    held = sa.and_(OutboxRow.state > sa.literal_column("2"), OutboxRow.state == LaneState.HELD)
    waits = sa.or_(OutboxRow.state < sa.literal_column("2"), held)
    query = sa.select(OutboxRow.key).where(OutboxRow.contact_id == contact_id, OutboxRow.key.like("ask:%"), waits)
    return frozenset(int(key.split(":")[1]) for key in connection.execute(query).scalars())


def _facts(row: sa.Row[Any], unseen: frozenset[int]) -> OpenTicketFacts:
    return OpenTicketFacts(
        id=row.id,
        urgent=row.urgent,
        answered=row.state == TicketState.ANSWERED,
        promise_at=row.promise_at,
        actor_id=row.actor_id,
        words=row.words or "",
        asked=(row.asked or "") if row.state == TicketState.ASKED else "",
        unseen=row.state == TicketState.ASKED and row.id in unseen,
        answered_at=row.answered_at,
    )
