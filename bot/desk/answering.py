"""A person answers a ticket, or closes it: everything that follows from that in one transaction, nothing is sent here.

The ticket must still be open. The contact is locked before the ticket, in the order in which a conversation takes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import escalation, outbox, people
from bot.actions import Choice, Part, Quote, Reply, Say, Show
from bot.contacts import Consent, Group, Thread
from bot.content import Content
from bot.desk.tickets import ANSWER_KEY, ReachState, answer_language, reach, shorten
from bot.locales import AMSTERDAM, clean, direction, isolate
from bot.messages import CAPABILITIES, Option
from bot.replies import render
from bot.storage.models import ContactRow, TicketEntryRow, TicketRow, TicketState

QUOTED = 200  # characters of the question that come back with its answer
_QUOTES = {"ltr": "“{}”", "rtl": "«{}»"}


class AnswerOutcome(StrEnum):
    """What became of an answer, or why it was refused."""

    GOES_NOW = "goes_now"
    WAITS_WINDOW = "waits_window"  # kept until the person writes: WhatsApp's window is shut
    WAITS_BLOCKED = "waits_blocked"  # kept until the person comes back
    REPEATED = "repeated"  # the same words by the same person a second time: a double click
    CLOSED = "closed"  # closed as asked
    TAKEN = "taken"  # somebody else answered or closed it
    GONE = "gone"  # the person was erased, and the ticket with them
    UNREACHABLE = "unreachable"  # no address is left
    NO_TOPIC = "no_topic"  # no such curated answer, or past its date


_ACCEPTED = {
    AnswerOutcome.GOES_NOW,
    AnswerOutcome.WAITS_WINDOW,
    AnswerOutcome.WAITS_BLOCKED,
    AnswerOutcome.REPEATED,
    AnswerOutcome.CLOSED,
}
_BY_REACH = {
    ReachState.OPEN: AnswerOutcome.GOES_NOW,
    ReachState.SHUT: AnswerOutcome.WAITS_WINDOW,
    ReachState.BLOCKED: AnswerOutcome.WAITS_BLOCKED,
}


@dataclass(frozen=True)
class AnswerResult:
    """`by` and `at` tell who was first, when somebody was."""

    outcome: AnswerOutcome
    by: str = ""
    at: datetime | None = None

    @property
    def accepted(self) -> bool:
        return self.outcome in _ACCEPTED


@dataclass(frozen=True)
class _Ticket:
    """What an answer is made for."""

    id: int
    language: str
    question: str
    group: Group | None


@dataclass(frozen=True)
class _Draft:
    """An answer before it is known whether it may go. `entry` is what stays on the ticket."""

    entry: str
    author: str
    now: datetime
    content: Content
    parts: Callable[[_Ticket], tuple[Part, ...]]


def answer(
    connection: Connection, *, ticket_id: int, text: str, author: str, now: datetime, content: Content
) -> AnswerResult:
    """Answer a ticket in one's own words. Raises ValueError for a text without words."""
    words = clean(text).strip()
    if not words:
        raise ValueError("an answer needs words")

    def parts(ticket: _Ticket) -> tuple[Part, ...]:
        question = _QUOTES[direction(ticket.language)].format(shorten(ticket.question, QUOTED))
        asked = (Say("ticket.answer_group"), Quote(_keep_direction(question, ticket.language)))
        return (Say("ticket.answer"), *asked, Quote(_keep_direction(words, ticket.language)))

    return _send(connection, ticket_id, _Draft(words, author, now, content, parts))


def answer_with_topic(
    connection: Connection, *, ticket_id: int, topic: str, author: str, now: datetime, content: Content
) -> AnswerResult:
    """Answer a ticket with a curated answer, in the newcomer's language, with the part for their group."""
    if topic not in content.topics or content.is_withheld(topic, now.astimezone(AMSTERDAM).date()):
        return AnswerResult(AnswerOutcome.NO_TOPIC)

    def parts(ticket: _Ticket) -> tuple[Part, ...]:
        shown: tuple[Part, ...] = (Say("ticket.answer"), Show(topic))
        group = ticket.group.value if ticket.group else ""
        return (*shown, Show(topic, group)) if group and content.answer(topic, ticket.language).part(group) else shown

    entry = f"{content.answer(topic, 'nl').question} ({topic})"
    return _send(connection, ticket_id, _Draft(entry, author, now, content, parts))


def close(connection: Connection, *, ticket_id: int, reason: str, author: str, now: datetime) -> AnswerResult:
    """Close a ticket without an answer; nothing goes to the newcomer. Raises ValueError without a reason."""
    words = clean(reason).strip()
    if not words:
        raise ValueError("closing needs a reason")
    row = _lock(connection, ticket_id)
    if row is None or row.state != TicketState.OPEN:
        return _refuse(connection, row, "note", words, author)
    escalation.add_entry(connection, ticket_id, "note", author, words, now)
    _settle(connection, row, state=TicketState.CLOSED)
    return AnswerResult(AnswerOutcome.CLOSED)


def _keep_direction(text: str, language: str) -> str:
    """Lines in Latin letters keep their own direction in an Arabic message, or their words would change places."""
    if direction(language) == "ltr":
        return text
    lines = (isolate(line) if _is_latin(line) else line for line in text.split("\n"))
    return "\n".join(lines)


def _is_latin(line: str) -> bool:
    """Whether a line starts in Latin letters, and is no bare link."""
    first = next((char for char in line if char.isalpha()), "")
    return "A" <= first <= "ɏ" and not line.startswith(("https://", "http://"))


def _lock(connection: Connection, ticket_id: int) -> sa.Row[Any] | None:
    """The ticket with what is needed of its contact, both held until the end of the transaction."""
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
        ContactRow.thread,
    ]
    query = sa.select(*columns).join(ContactRow, ContactRow.id == TicketRow.contact_id)
    return connection.execute(query.where(TicketRow.id == ticket_id)).one_or_none()


def _refuse(connection: Connection, row: sa.Row[Any] | None, kind: str, words: str, author: str) -> AnswerResult:
    """Why a ticket that isn't open can't be answered: who was first. The same words twice by one person do no harm."""
    if row is None:
        return AnswerResult(AnswerOutcome.GONE)
    last = connection.execute(
        sa.select(TicketEntryRow)
        .where(TicketEntryRow.ticket_id == row.id, TicketEntryRow.kind != "question")
        .order_by(TicketEntryRow.id.desc())
        .limit(1)
    ).one_or_none()
    if last is None:
        return AnswerResult(AnswerOutcome.TAKEN)
    same = (last.kind, last.text, last.author) == (kind, words, author)
    return AnswerResult(AnswerOutcome.REPEATED if same else AnswerOutcome.TAKEN, last.author, last.at)


def _send(connection: Connection, ticket_id: int, draft: _Draft) -> AnswerResult:
    row = _lock(connection, ticket_id)
    if row is None or row.state != TicketState.OPEN:
        return _refuse(connection, row, "answer", draft.entry, draft.author)
    reached = reach(connection, row.contact_id)
    if reached is None:
        return AnswerResult(AnswerOutcome.UNREACHABLE)
    ticket = _Ticket(
        id=row.id,
        language=answer_language(row.chosen, row.language),
        question=_question(connection, row.id),
        group=Group(row.resident_group) if row.resident_group else None,
    )
    escalation.add_entry(connection, row.id, "answer", draft.author, draft.entry, draft.now)
    _settle(connection, row, state=TicketState.ANSWERED, answered_at=draft.now, helped=None)
    if draft.now <= row.promise_at:
        escalation.count_promise(connection, row.actor_id, "kept", draft.now)
    choices = (Choice(f"rated:yes:{row.id}", "button.rate_yes"), Choice(f"rated:no:{row.id}", "button.rate_no"))
    reply = Reply(draft.parts(ticket), choices)
    messages = render(reply, ticket.language, draft.content, CAPABILITIES[reached.channel], draft.now)
    key = ANSWER_KEY.format(ticket_id=row.id, entry_id=_last_answer(connection, row.id))
    recipient = outbox.Recipient(reached.lane, reached.channel, row.contact_id, reached.address_id)
    for number, message in enumerate(messages):
        outbox.put(connection, recipient, message, key=f"{key}:{number}" if number else key, now=draft.now)
        if row.consent == Consent.GIVEN:
            people.log_message(connection, row.contact_id, message.text, message.keys, draft.now, inbound=False)
    state = reached.state(draft.now)
    if state is ReachState.OPEN:  # one that waits offers nothing: by the time it goes, a newer message has its numbers
        _offer(connection, row, messages[-1].options)
    return AnswerResult(_BY_REACH[state])


def _offer(connection: Connection, row: sa.Row[Any], options: tuple[Option, ...]) -> None:
    """What the contact's next number or label stands for."""
    thread = replace(Thread.from_json(row.thread), offered=options)
    contact = sa.update(ContactRow).where(ContactRow.id == row.contact_id)
    connection.execute(contact.values(thread=thread.to_json()))


def _last_answer(connection: Connection, ticket_id: int) -> int:
    query = sa.select(sa.func.max(TicketEntryRow.id)).where(
        TicketEntryRow.ticket_id == ticket_id, TicketEntryRow.kind == "answer"
    )
    return connection.execute(query).scalar_one()


def _question(connection: Connection, ticket_id: int) -> str:
    """What was asked first."""
    query = (
        sa.select(TicketEntryRow.text)
        .where(TicketEntryRow.ticket_id == ticket_id, TicketEntryRow.kind == "question")
        .order_by(TicketEntryRow.id)
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none() or ""


def _settle(connection: Connection, row: sa.Row[Any], **values: Any) -> None:
    """The ticket's new state; its promise is off."""
    connection.execute(sa.update(TicketRow).where(TicketRow.id == row.id).values(**values))
    escalation.drop_timers(connection, row.id, row.contact_id)
