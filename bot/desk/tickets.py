"""Named queries of the desk: what is open, one ticket with all that belongs to it, and what went wrong on the way.

Nothing here holds an address: a ticket shows over which channel somebody can be reached, not where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.desk.access import visible
from bot.locales import LANGUAGES
from bot.messages import CAPABILITIES
from bot.outbox import WINDOW_MARGIN, is_window_shut
from bot.roles import Principal
from bot.storage.models import (
    AddressRow,
    ContactRow,
    LaneState,
    MessageRow,
    OutboxRow,
    TicketEntryRow,
    TicketRow,
    TicketState,
)

SEVERAL = 2  # times that an answer did not help: a coordinator should look
LISTED = 200  # tickets on one page; the most urgent ones
CONVERSATION_LISTED = 40  # messages before a ticket
WORTH_A_LOOK = 0.1  # the chance of a candidate from which it is shown
FIRST_WORDS = 140  # characters of a question in a list
ANSWER_KEY = "answer:{ticket_id}:{entry_id}"
ASK_KEY = "ask:{ticket_id}:{entry_id}"


class ReachState(StrEnum):
    """Whether a message can go to somebody now."""

    OPEN = "open"
    SHUT = "shut"  # WhatsApp's window
    BLOCKED = "blocked"  # the person shut us out


@dataclass(frozen=True)
class Reach:
    """How a contact is reached: the address used last among those that aren't blocked, else the one used last."""

    address_id: int
    lane: str
    channel: str
    window_until: datetime | None
    blocked: bool

    def state(self, now: datetime) -> ReachState:
        if self.blocked:
            return ReachState.BLOCKED
        return ReachState.SHUT if is_window_shut(self.channel, self.window_until, now) else ReachState.OPEN

    @property
    def shuts_at(self) -> datetime | None:
        """When free text stops being allowed; None where it never does."""
        if CAPABILITIES[self.channel].window_hours is None or self.window_until is None:
            return None
        return self.window_until - WINDOW_MARGIN


@dataclass(frozen=True)
class TicketSummary:
    """A ticket as a line in a list."""

    id: int
    contact_id: int
    state: TicketState
    urgent: bool
    reason: str
    language: str  # of the question
    answer_language: str  # what the newcomer reads
    waiting_since: datetime
    promise_at: datetime
    promises_missed: int
    reopened: bool  # an earlier answer did not help
    times_reopened: int
    asked_at: datetime | None  # the newcomer was asked something back, and hasn't answered
    actor_id: int | None
    owner: str
    closed_reason: str | None
    stopped: bool  # wants no messages on our own account
    entries: int
    first_words: str
    candidates: tuple[tuple[str, float], ...]
    reach: Reach | None
    taken_by: str = ""  # urgent: who takes care of it
    taken_at: datetime | None = None

    @property
    def likely(self) -> tuple[tuple[str, float], ...]:
        """The candidates that are worth a look. Below that they only lead astray."""
        return tuple((topic, sure) for topic, sure in self.candidates if sure >= WORTH_A_LOOK)


@dataclass(frozen=True)
class Entry:
    """What was asked, answered or noted on a ticket. `translation`: what the newcomer read, where a machine made it."""

    id: int
    kind: str
    author: str
    text: str
    at: datetime
    translation: str | None = None
    language: str | None = None


class Delivery(StrEnum):
    """What became of an answer, or a question back, on its way to the newcomer."""

    GOES_NOW = "goes_now"
    WAITS_WINDOW = "waits_window"
    WAITS_BLOCKED = "waits_blocked"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class TicketPage:
    """A ticket with everything on it."""

    summary: TicketSummary
    entries: tuple[Entry, ...]
    answered_at: datetime | None
    helped: bool | None
    delivery: Delivery | None  # of the last answer, or of the question back that waits for its reply
    can_send_again: bool = False  # it is stuck, and its words are still kept

    @property
    def last_answer(self) -> Entry | None:
        return next((entry for entry in reversed(self.entries) if entry.kind == "answer"), None)


@dataclass(frozen=True)
class Utterance:
    """One message of the conversation."""

    inbound: bool
    text: str
    at: datetime


def answer_language(chosen: str | None, asked: str) -> str:
    """What a newcomer is answered in: the language chosen, else that of the question if it is served, else Dutch."""
    return next((language for language in (chosen, asked) if language in LANGUAGES), "nl")


def reach(connection: Connection, contact_id: int) -> Reach | None:
    """How a contact can be reached; None when nothing is left of them."""
    places = _reach_rows(AddressRow.contact_id == contact_id)
    row = connection.execute(sa.select(places).where(places.c.place == 1)).one_or_none()
    return Reach(row.address_id, row.lane, row.channel, row.window_until, row.blocked_at is not None) if row else None


def _reach_rows(where: sa.ColumnElement[bool]) -> sa.Subquery:
    order = (AddressRow.blocked_at.is_not(None), AddressRow.used_at.desc(), AddressRow.id.desc())
    return (
        sa.select(
            AddressRow.id.label("address_id"),
            AddressRow.contact_id.label("reached_id"),
            AddressRow.lane,
            AddressRow.channel,
            AddressRow.window_until,
            AddressRow.blocked_at,
            sa.func.row_number().over(partition_by=AddressRow.contact_id, order_by=order).label("place"),
        )
        .where(where)
        .subquery("reach")
    )


def open_tickets(connection: Connection, who: Principal) -> list[TicketSummary]:
    """What waits for an answer of somebody: urgent first, then by the promised moment; at most `LISTED`."""
    return _summaries(connection, sa.and_(TicketRow.state == TicketState.OPEN, visible(who)))


def asked_back(connection: Connection, who: Principal) -> list[TicketSummary]:
    """What waits for the newcomer, who was asked something; what closes first comes first."""
    return _summaries(connection, sa.and_(TicketRow.state == TicketState.ASKED, visible(who)))


def withdrawn(connection: Connection, who: Principal, since: datetime) -> list[TicketSummary]:
    """What newcomers said that they don't need any more, since a moment."""
    gone = sa.and_(TicketRow.closed_reason == "withdrawn", TicketRow.closed_at >= since)
    return _summaries(connection, sa.and_(gone, visible(who)))


def signals(connection: Connection) -> list[TicketSummary]:
    """What a coordinator should look at: answers that did not help, several in a row."""
    again = sa.and_(TicketRow.state == TicketState.OPEN, TicketRow.reopened >= SEVERAL)
    return _summaries(connection, again)


def count_open(connection: Connection, who: Principal) -> int:
    query = sa.select(sa.func.count(TicketRow.id)).where(TicketRow.state == TicketState.OPEN, visible(who))
    return connection.execute(query).scalar_one()


def some(connection: Connection, ticket_ids: Sequence[int], who: Principal) -> list[TicketSummary]:
    """These tickets, in any state; those that are gone or not theirs to see are left out."""
    return _summaries(connection, sa.and_(TicketRow.id.in_(ticket_ids), visible(who)))


def _summaries(connection: Connection, where: sa.ColumnElement[bool]) -> list[TicketSummary]:
    """The lines of a list: first which tickets, then what belongs to those, so that the rest is never touched."""
    order = (TicketRow.urgent.desc(), TicketRow.promise_at, TicketRow.id)
    ids = connection.execute(sa.select(TicketRow.id).where(where).order_by(*order).limit(LISTED)).scalars().all()
    if not ids:
        return []
    entries = (
        sa.select(
            TicketEntryRow.ticket_id,
            sa.func.min(TicketEntryRow.id).label("first_id"),
            sa.func.count(TicketEntryRow.id).label("entries"),
        )
        .where(TicketEntryRow.ticket_id.in_(ids))
        .group_by(TicketEntryRow.ticket_id)
        .subquery("entries")
    )
    places = _reach_rows(AddressRow.contact_id.in_(sa.select(TicketRow.contact_id).where(TicketRow.id.in_(ids))))
    query = (
        sa.select(
            TicketRow.__table__,
            ContactRow.language.label("chosen"),
            ContactRow.stopped,
            entries.c.entries,
            TicketEntryRow.text.label("first_text"),
            places,
        )
        .join(ContactRow, ContactRow.id == TicketRow.contact_id)
        .outerjoin(entries, entries.c.ticket_id == TicketRow.id)
        .outerjoin(TicketEntryRow, TicketEntryRow.id == entries.c.first_id)
        .outerjoin(places, sa.and_(places.c.reached_id == TicketRow.contact_id, places.c.place == 1))
        .where(TicketRow.id.in_(ids))
        .order_by(*order)
    )
    return [_summary(row) for row in connection.execute(query)]


def _summary(row: sa.Row[Any]) -> TicketSummary:
    reached = None
    if row.address_id is not None:
        reached = Reach(row.address_id, row.lane, row.channel, row.window_until, row.blocked_at is not None)
    return TicketSummary(
        id=row.id,
        contact_id=row.contact_id,
        state=TicketState(row.state),
        urgent=row.urgent,
        reason=row.reason,
        language=row.language,
        answer_language=answer_language(row.chosen, row.language),
        waiting_since=row.created_at,
        promise_at=row.promise_at,
        promises_missed=row.promises_missed,
        reopened=row.state == TicketState.OPEN and row.helped is False,
        times_reopened=row.reopened,
        asked_at=row.asked_at if row.state == TicketState.ASKED else None,
        actor_id=row.actor_id,
        owner=row.owner,
        closed_reason=row.closed_reason,
        stopped=row.stopped,
        entries=row.entries or 0,
        first_words=shorten(row.first_text or "", FIRST_WORDS),
        candidates=tuple((topic, float(confidence)) for topic, confidence in row.candidates),
        reach=reached,
        taken_by=row.taken_by or "",
        taken_at=row.taken_at,
    )


def shorten(text: str, limit: int) -> str:
    """The first words of a text on one line, with an ellipsis where words are left out."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    cut = line[:limit].rsplit(" ", 1)[0] if " " in line[:limit] else line[:limit]
    return f"{cut.rstrip()}…"


def ticket(connection: Connection, ticket_id: int, who: Principal) -> TicketPage | None:
    """A ticket with all its entries; None when it is gone (the person was erased) or not theirs to see."""
    found = some(connection, [ticket_id], who)
    if not found:
        return None
    facts = connection.execute(
        sa.select(TicketRow.answered_at, TicketRow.helped).where(TicketRow.id == ticket_id)
    ).one()
    rows = connection.execute(
        sa.select(TicketEntryRow).where(TicketEntryRow.ticket_id == ticket_id).order_by(TicketEntryRow.id)
    )
    entries = tuple(
        Entry(row.id, row.kind, row.author, row.text, row.at, row.translation, row.language) for row in rows
    )
    key = message_key(connection, ticket_id, found[0].state)
    delivery, again = _delivery(connection, key) if key else (None, False)
    return TicketPage(found[0], entries, facts.answered_at, facts.helped, delivery, again)


def message_key(connection: Connection, ticket_id: int, state: int) -> str:
    """The key in the outbox of what a person last sent for a ticket: an answer, or the question back while it waits.

    Empty when nothing was sent.
    """
    kind, key = ("ask", ASK_KEY) if state == TicketState.ASKED else ("answer", ANSWER_KEY)
    query = sa.select(sa.func.max(TicketEntryRow.id)).where(
        TicketEntryRow.ticket_id == ticket_id, TicketEntryRow.kind == kind
    )
    entry_id = connection.execute(query).scalar_one()
    return key.format(ticket_id=ticket_id, entry_id=entry_id) if entry_id else ""


def _delivery(connection: Connection, key: str) -> tuple[Delivery | None, bool]:
    """Where the messages of an answer are now, the one that is worst off counts; and whether a stuck one can go again.

    None when that isn't kept any more.
    """
    query = (
        sa.select(OutboxRow.state, OutboxRow.delivery, AddressRow.blocked_at)
        .add_columns(OutboxRow.payload.is_not(None).label("kept"))
        .outerjoin(AddressRow, AddressRow.id == OutboxRow.address_id)
        .where(sa.or_(OutboxRow.key == key, OutboxRow.key.like(f"{key}:%")))
        .order_by(OutboxRow.state)
    )
    rows: list[sa.Row[Any]] = list(connection.execute(query))
    if not rows:
        return None, False
    stuck = [row for row in rows if row.state in (LaneState.DEAD, LaneState.UNKNOWN)]
    return _fate(rows[-1] if rows[-1].state > LaneState.DONE else rows[0]), any(row.kept for row in stuck)


def _fate(row: sa.Row[Any]) -> Delivery:
    if row.state == LaneState.HELD:
        return Delivery.WAITS_BLOCKED if row.blocked_at is not None else Delivery.WAITS_WINDOW
    if row.state > LaneState.DONE:
        return Delivery.UNKNOWN if row.state == LaneState.UNKNOWN else Delivery.FAILED
    if row.state != LaneState.DONE:
        return Delivery.GOES_NOW
    return {"delivered": Delivery.DELIVERED, "read": Delivery.READ}.get(row.delivery or "", Delivery.SENT)


def conversation_before(connection: Connection, ticket_id: int) -> list[Utterance]:
    """What was said up to the ticket, oldest first; the last `CONVERSATION_LISTED` messages."""
    query = (
        sa.select(MessageRow.inbound, MessageRow.text, MessageRow.at)
        .join(TicketRow, TicketRow.contact_id == MessageRow.contact_id)
        .where(TicketRow.id == ticket_id, MessageRow.at <= TicketRow.created_at)
        .order_by(MessageRow.id.desc())
        .limit(CONVERSATION_LISTED)
    )
    return [Utterance(row.inbound, row.text, row.at) for row in reversed(connection.execute(query).all())]
