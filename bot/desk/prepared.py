"""Answers that are written now and go out by themselves at the time of a slot, after a last look.

A timer of the contact brings each (`bot/timers.py`), so it survives restarts and takes the same lane as whatever the
person writes. What no longer fits is held back, and people see why.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import escalation, timers
from bot.contacts import Consent
from bot.content import Content
from bot.desk import answering, claims, drafts
from bot.desk.access import person_key
from bot.desk.answering import Translation, Words
from bot.desk.routing import calendar_of
from bot.desk.settling import Deed, Outcome, Result, held_by_other, lock, refuse
from bot.desk.tickets import ReachState, answer_language, reach
from bot.locales import AMSTERDAM, clean
from bot.storage.desk_models import PreparedRow
from bot.storage.models import MessageRow, TicketEntryRow, TicketState
from bot.working_days import is_working_day

DESK_OPENS = time(9)  # the back-up desk has no slots: what it prepared goes out in the morning
LAST_CALL = timedelta(minutes=30)  # before the promise, where the next slot would be too late
SOON = timedelta(minutes=1)  # less than this ahead it can as well go now
LATE = timedelta(minutes=10)  # its time passed and nothing happened: people must look


@dataclass(frozen=True)
class Prepared:
    """An answer that waits for its time, or was held back (`held`: the reason)."""

    id: int
    ticket_id: int
    name: str
    text: str
    topic: str
    translation: str | None
    due_at: datetime
    held: str


def due_at(connection: Connection, actor_id: int | None, promise_at: datetime, now: datetime) -> datetime | None:
    """When an answer that is prepared now goes out: at the start of the next slot, and in time for the promise.

    None when no time is left for that.
    """
    if actor_id is None:
        starts = _next_morning(now)
    else:
        spans = calendar_of(connection, actor_id).spans(now)
        starts = next((start for start, _ in spans if start > now), None) or _next_morning(now)
    if starts >= promise_at:
        starts = promise_at - LAST_CALL
    return starts if starts > now + SOON else None


def _next_morning(now: datetime) -> datetime:
    day = now.astimezone(AMSTERDAM).date()
    while True:
        opens = datetime.combine(day, DESK_OPENS, AMSTERDAM).astimezone(UTC)
        if is_working_day(day) and opens > now:
            return opens
        day += timedelta(days=1)


def prepare(
    connection: Connection,
    deed: Deed,
    content: Content,
    *,
    text: str = "",
    topic: str = "",
    translation: Translation | None = None,
) -> Result:
    """Keep an answer in own words, or a curated one (`topic`), for the slot's time; it replaces an earlier one.

    Raises ValueError without words and topic.
    """
    words = clean(text).strip()
    if not words and not topic:
        raise ValueError("an answer needs words or a topic")
    if topic and not answering.may_show(topic, deed.now, content):
        return Result(Outcome.NO_TOPIC)
    row = lock(connection, deed.ticket_id, deed.who)
    if row is None or row.state not in (TicketState.OPEN, TicketState.ASKED):
        return refuse(connection, row, "answer", words, deed.author)
    refused = _not_now(connection, row, deed, translation)
    if refused is not None:
        return refused
    due = due_at(connection, row.actor_id, row.promise_at, deed.now)
    if due is None:
        return Result(Outcome.TOO_LATE)
    answer = {"text": words, "topic": topic}
    if translation is not None:
        answer |= {"translation": translation.text, "language": translation.language}
    _keep(connection, row, deed, due, answer)
    drafts.drop(connection, row.id, deed.who)
    claims.put_back(connection, row.id, deed.who)
    deed.record(connection, "ticket.prepare")
    return Result(Outcome.PREPARED, at=due)


def _not_now(connection: Connection, row: sa.Row[Any], deed: Deed, translation: Translation | None) -> Result | None:
    if row.urgent or row.state == TicketState.ASKED:
        return Result(Outcome.NOT_NOW)
    if reach(connection, row.contact_id) is None:
        return Result(Outcome.UNREACHABLE)
    if translation is not None and translation.language != answer_language(row.chosen, row.language):
        return Result(Outcome.LANGUAGE)
    return held_by_other(connection, deed)


def _keep(connection: Connection, row: sa.Row[Any], deed: Deed, due: datetime, answer: dict[str, str]) -> None:
    drop(connection, row.id)
    values = {
        "ticket_id": row.id,
        "person": person_key(deed.who),
        "name": deed.author,
        "actor_id": row.actor_id,
        "seen_entry_id": _last_entry(connection, row.id),
        "prepared_at": deed.now,
        "due_at": due,
        **answer,
    }
    prepared_id = connection.execute(sa.insert(PreparedRow).values(values).returning(PreparedRow.id)).scalar_one()
    facts = {"ticket_id": row.id, "prepared_id": prepared_id}
    timers.set_timer(connection, row.contact_id, "prepared", facts, key=f"prepared:{prepared_id}", due_at=due)


def _last_entry(connection: Connection, ticket_id: int) -> int:
    query = sa.select(sa.func.max(TicketEntryRow.id)).where(TicketEntryRow.ticket_id == ticket_id)
    return connection.execute(query).scalar_one() or 0


def drop(connection: Connection, ticket_id: int) -> None:
    """Take away what was prepared for a ticket, with its timer."""
    there = sa.select(PreparedRow.id).where(PreparedRow.ticket_id == ticket_id)
    for prepared_id in connection.execute(there).scalars().all():
        timers.cancel(connection, f"prepared:{prepared_id}")
    escalation.drop_prepared(connection, ticket_id)


def take_back(connection: Connection, deed: Deed) -> Result:
    """It shall not go out after all. Its words become a draft of whoever takes it back."""
    row = lock(connection, deed.ticket_id, deed.who)
    if row is None:
        return Result(Outcome.GONE)
    there = of(connection, [row.id], deed.now).get(row.id)
    if there is None:
        return Result(Outcome.TAKEN)
    if there.text:
        drafts.save(connection, row.id, deed.who, there.text, deed.now)
    drop(connection, row.id)
    deed.record(connection, "ticket.take_back")
    return Result(Outcome.TAKEN_BACK)


def of(connection: Connection, ticket_ids: list[int], now: datetime) -> dict[int, Prepared]:
    """What is prepared for some tickets, by the ticket's id. One whose time passed without a trace is held: `late`."""
    if not ticket_ids:
        return {}
    rows = connection.execute(sa.select(PreparedRow).where(PreparedRow.ticket_id.in_(ticket_ids)))
    return {row.ticket_id: _prepared(row, now) for row in rows}


def _prepared(row: sa.Row[Any], now: datetime) -> Prepared:
    held = row.held or ("late" if row.due_at + LATE < now else "")
    return Prepared(row.id, row.ticket_id, row.name, row.text, row.topic, row.translation, row.due_at, held)


def send(connection: Connection, ticket_id: int, prepared_id: int, content: Content, now: datetime) -> bool:
    """Its time has come: look once more, then send it, or hold it back. Tells whether it went."""
    row = lock(connection, ticket_id, None)
    kept = connection.execute(
        sa.select(PreparedRow).where(PreparedRow.id == prepared_id, PreparedRow.held.is_(None)).with_for_update()
    ).one_or_none()
    if row is None or kept is None or row.state != TicketState.OPEN:
        return False
    reason = _last_look(connection, row, kept, content, now)
    if not reason:
        reason = "" if answering.give(connection, row, _words(kept, content, now)).accepted else "unreachable"
    if reason:
        escalation.hold_prepared(connection, ticket_id, reason)
    return not reason


def _words(kept: sa.Row[Any], content: Content, now: datetime) -> Words:
    if kept.topic:
        return answering.curated(kept.topic, kept.name, now, content)
    made = Translation(kept.translation, kept.language) if kept.translation else None
    return answering.own_words(kept.text, kept.name, now, content, made)


def _last_look(connection: Connection, row: sa.Row[Any], kept: sa.Row[Any], content: Content, now: datetime) -> str:
    """Why a prepared answer may not go out by itself; empty when it may."""
    reached = reach(connection, row.contact_id)
    state = reached.state(now) if reached else None
    claim = claims.current(connection, row.id, now)
    reasons = {
        "moved": kept.actor_id != row.actor_id,
        "consent": row.consent != Consent.GIVEN,
        "stopped": row.stopped,
        "unreachable": reached is None,
        "blocked": state is ReachState.BLOCKED,
        "window": state is ReachState.SHUT,
        "new_message": _wrote_since(connection, row, kept),
        "language": bool(kept.language) and kept.language != answer_language(row.chosen, row.language),
        "no_topic": bool(kept.topic) and not answering.may_show(kept.topic, now, content),
        "claimed": claim is not None and claim.person != kept.person,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _wrote_since(connection: Connection, row: sa.Row[Any], kept: sa.Row[Any]) -> bool:
    """Whether the newcomer wrote anything since: on the ticket, or to the service."""
    on_ticket = sa.select(TicketEntryRow.id).where(
        TicketEntryRow.ticket_id == row.id,
        TicketEntryRow.id > kept.seen_entry_id,
        TicketEntryRow.author == escalation.NEWCOMER,
    )
    said = sa.select(MessageRow.id).where(
        MessageRow.contact_id == row.contact_id, MessageRow.inbound, MessageRow.at > kept.prepared_at
    )
    return any(connection.execute(query.limit(1)).first() is not None for query in (on_ticket, said))
