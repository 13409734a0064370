"""The newcomer is asked something back. Their next words come to the same ticket; until then no promise runs."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import escalation
from bot.actions import Part, Quote, Reply, Say
from bot.content import Content
from bot.desk import claims, drafts
from bot.desk.answering import Asked, Translation, Words, asked_on, keep_direction, put, quoted
from bot.desk.settling import WAITING, Deed, Outcome, Result, held_by_other, lock, refuse
from bot.desk.tickets import ASK_KEY, reach
from bot.locales import clean
from bot.storage.models import TicketState


def ask_back(
    connection: Connection, deed: Deed, text: str, content: Content, translation: Translation | None = None
) -> Result:
    """Ask the newcomer something. Raises ValueError for a text without words.

    Not for somebody in danger, who needs a person and no question, and not twice before there is a reply.
    """
    words = clean(text).strip()
    if not words:
        raise ValueError("a question needs words")
    row = lock(connection, deed.ticket_id, deed.who)
    if row is None or row.state not in WAITING:
        return refuse(connection, row, "ask", words, deed.author)
    busy = _busy(connection, row, deed, words)
    if busy is not None:
        return busy
    asked = asked_on(connection, row)
    if translation is not None and translation.language != asked.language:
        return Result(Outcome.LANGUAGE)
    translated = {"translation": translation.text, "language": translation.language} if translation else {}
    entry_id = escalation.add_entry(connection, row.id, "ask", deed.author, words, deed.now, **translated)
    escalation.ask(connection, row.id, row.contact_id, deed.now)
    escalation.drop_prepared(connection, row.id)
    claims.release(connection, row.id)
    drafts.drop(connection, row.id, deed.who)
    said = Words(words, deed.author, deed.now, content, lambda _: (), translation)
    put(connection, row, Reply(_parts(asked, said)), ASK_KEY.format(ticket_id=row.id, entry_id=entry_id), said)
    deed.record(connection, "ticket.ask")
    return Result(Outcome.ASKED)


def _busy(connection: Connection, row: sa.Row[Any], deed: Deed, words: str) -> Result | None:
    """Why nobody can be asked now."""
    if row.state == TicketState.ASKED:
        again = refuse(connection, row, "ask", words, deed.author)
        return again if again.outcome is Outcome.REPEATED else Result(Outcome.NOT_NOW)
    if row.urgent:
        return Result(Outcome.NOT_NOW)
    if reach(connection, row.contact_id) is None:
        return Result(Outcome.UNREACHABLE)
    return held_by_other(connection, deed)


def _parts(asked: Asked, words: Words) -> tuple[Part, ...]:
    read = clean(words.translation.text).strip() if words.translation else words.entry
    marked = (Say("ticket.machine_translation"),) if words.translation else ()
    question = Quote(keep_direction(read, asked.language))
    what: tuple[Part, ...] = (Say("ticket.ask_back"), *quoted(asked), *marked, Say("ticket.ask_back_group"), question)
    return (*what, Say("ticket.ask_back_reply"))
