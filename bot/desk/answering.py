"""A person answers a ticket: everything that follows from that in one transaction, nothing is sent here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import escalation, outbox, people
from bot.actions import Choice, Part, Quote, Reply, Say, Show
from bot.contacts import Consent, Group, Thread
from bot.content import Content
from bot.desk import drafts
from bot.desk.settling import WAITING, Deed, Outcome, Result, held_by_other, lock, refuse, settle
from bot.desk.tickets import ANSWER_KEY, ReachState, answer_language, reach, shorten
from bot.locales import AMSTERDAM, clean, direction, isolate
from bot.messages import CAPABILITIES, Option
from bot.replies import render
from bot.roles import Principal
from bot.storage.models import ContactRow, TicketEntryRow, TicketState

QUOTED = 200  # characters of the question that come back with its answer
_QUOTES = {"ltr": "“{}”", "rtl": "«{}»"}
_BY_REACH = {
    ReachState.OPEN: Outcome.GOES_NOW,
    ReachState.SHUT: Outcome.WAITS_WINDOW,
    ReachState.BLOCKED: Outcome.WAITS_BLOCKED,
}


@dataclass(frozen=True)
class Translation:
    """What a machine made of an answer, and in which language."""

    text: str
    language: str


@dataclass(frozen=True)
class Asked:
    """What an answer is made for."""

    id: int
    language: str
    question: str
    group: Group | None


@dataclass(frozen=True)
class Words:
    """An answer before it is known whether it may go. `entry` is what stays on the ticket."""

    entry: str
    author: str
    now: datetime
    content: Content
    parts: Callable[[Asked], tuple[Part, ...]]
    translation: Translation | None = None


def answer(
    connection: Connection,
    *,
    ticket_id: int,
    text: str,
    who: Principal,
    now: datetime,
    content: Content,
    translation: Translation | None = None,
) -> Result:
    """Answer a ticket in one's own words, or in a machine's translation of them. Raises ValueError without words."""
    deed = Deed(ticket_id, who, now)
    return _by_a_person(connection, deed, own_words(text, deed.author, now, content, translation))


def answer_with_topic(
    connection: Connection, *, ticket_id: int, topic: str, who: Principal, now: datetime, content: Content
) -> Result:
    """Answer a ticket with a curated answer, in the newcomer's language, with the part for their group."""
    deed = Deed(ticket_id, who, now)
    if not may_show(topic, now, content):
        return Result(Outcome.NO_TOPIC)
    return _by_a_person(connection, deed, curated(topic, deed.author, now, content))


def may_show(topic: str, now: datetime, content: Content) -> bool:
    """Whether there is such a curated answer, and it is not past its date."""
    return topic in content.topics and not content.is_withheld(topic, now.astimezone(AMSTERDAM).date())


def own_words(text: str, author: str, now: datetime, content: Content, translation: Translation | None = None) -> Words:
    """An answer in somebody's words. Raises ValueError for a text without words."""
    words = clean(text).strip()
    if not words:
        raise ValueError("an answer needs words")
    read = clean(translation.text).strip() if translation else words

    def parts(asked: Asked) -> tuple[Part, ...]:
        marked = (Say("ticket.machine_translation"),) if translation else ()
        return (Say("ticket.answer"), *quoted(asked), *marked, Quote(keep_direction(read, asked.language)))

    return Words(words, author, now, content, parts, translation)


def curated(topic: str, author: str, now: datetime, content: Content) -> Words:
    """An answer of the content."""

    def parts(asked: Asked) -> tuple[Part, ...]:
        shown: tuple[Part, ...] = (Say("ticket.answer"), Show(topic))
        group = asked.group.value if asked.group else ""
        return (*shown, Show(topic, group)) if group and content.answer(topic, asked.language).part(group) else shown

    return Words(f"{content.answer(topic, 'nl').question} ({topic})", author, now, content, parts)


def quoted(asked: Asked) -> tuple[Part, ...]:
    """The question as it comes back to the newcomer."""
    question = _QUOTES[direction(asked.language)].format(shorten(asked.question, QUOTED))
    return (Say("ticket.answer_group"), Quote(keep_direction(question, asked.language)))


def keep_direction(text: str, language: str) -> str:
    """Lines in Latin letters keep their own direction in an Arabic message, or their words would change places."""
    if direction(language) == "ltr":
        return text
    lines = (isolate(line) if _is_latin(line) else line for line in text.split("\n"))
    return "\n".join(lines)


def _is_latin(line: str) -> bool:
    """Whether a line starts in Latin letters, and is no bare link."""
    first = next((char for char in line if char.isalpha()), "")
    return "A" <= first <= "ɏ" and not line.startswith(("https://", "http://"))


def _by_a_person(connection: Connection, deed: Deed, words: Words) -> Result:
    row = lock(connection, deed.ticket_id, deed.who)
    if row is None or row.state not in WAITING:
        return refuse(connection, row, "answer", words.entry, words.author)
    busy = held_by_other(connection, deed)
    if busy is not None:
        return busy
    result = give(connection, row, words)
    if result.accepted:
        deed.record(connection, "ticket.answer")
        drafts.drop(connection, deed.ticket_id, deed.who)
    return result


def give(connection: Connection, row: sa.Row[Any], words: Words) -> Result:
    """Settle a ticket that waits, held by `settling.lock`, and put its answer into the outbox."""
    reached = reach(connection, row.contact_id)
    if reached is None:
        return Result(Outcome.UNREACHABLE)
    asked = asked_on(connection, row)
    made = words.translation
    if made is not None and made.language != asked.language:
        return Result(Outcome.LANGUAGE)
    translated = {"translation": made.text, "language": made.language} if made else {}
    entry_id = escalation.add_entry(connection, row.id, "answer", words.author, words.entry, words.now, **translated)
    settle(connection, row, state=TicketState.ANSWERED, answered_at=words.now, helped=None)
    if row.state == TicketState.OPEN and words.now <= row.promise_at:
        escalation.count_promise(connection, row.actor_id, "kept", words.now)
    choices = (Choice(f"rated:yes:{row.id}", "button.rate_yes"), Choice(f"rated:no:{row.id}", "button.rate_no"))
    key = ANSWER_KEY.format(ticket_id=row.id, entry_id=entry_id)
    state = put(connection, row, Reply(words.parts(asked), choices), key, words)
    return Result(_BY_REACH[state])


def asked_on(connection: Connection, row: sa.Row[Any]) -> Asked:
    """What a ticket asks, and in which language it is answered."""
    query = (
        sa.select(TicketEntryRow.text)
        .where(TicketEntryRow.ticket_id == row.id, TicketEntryRow.kind == "question")
        .order_by(TicketEntryRow.id)
        .limit(1)
    )
    return Asked(
        id=row.id,
        language=answer_language(row.chosen, row.language),
        question=connection.execute(query).scalar_one_or_none() or "",
        group=Group(row.resident_group) if row.resident_group else None,
    )


def put(connection: Connection, row: sa.Row[Any], reply: Reply, key: str, words: Words) -> ReachState:
    """Put words of a person into the outbox, and keep them with the conversation where there is consent.

    Raises LookupError when the contact has no address.
    """
    reached = reach(connection, row.contact_id)
    if reached is None:
        raise LookupError("no address is left")
    language = answer_language(row.chosen, row.language)
    messages = render(reply, language, words.content, CAPABILITIES[reached.channel], words.now)
    recipient = outbox.Recipient(reached.lane, reached.channel, row.contact_id, reached.address_id)
    for number, message in enumerate(messages):
        outbox.put(connection, recipient, message, key=f"{key}:{number}" if number else key, now=words.now)
        if row.consent == Consent.GIVEN:
            people.log_message(connection, row.contact_id, message.text, message.keys, words.now, inbound=False)
    state = reached.state(words.now)
    if state is ReachState.OPEN:  # one that waits offers nothing: by the time it goes, a newer message has its numbers
        _offer(connection, row, messages[-1].options)
    return state


def _offer(connection: Connection, row: sa.Row[Any], options: tuple[Option, ...]) -> None:
    """What the contact's next number or label stands for."""
    thread = replace(Thread.from_json(row.thread), offered=options)
    contact = sa.update(ContactRow).where(ContactRow.id == row.contact_id)
    connection.execute(contact.values(thread=thread.to_json()))
