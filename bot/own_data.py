"""Everything that is kept of a person, for that person: a link that opens it once in a while and for a short time.

The link is the same on every channel. Its token is random, kept only as a hash, and ends after an hour; a new one ends
the one before. Research answers are not in it: they hang on no person (docs/privacy.md).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import own_surveys
from bot.storage.desk_models import DraftRow, PreparedRow
from bot.storage.models import (
    ActorRow,
    AddressRow,
    ContactRow,
    DataLinkRow,
    MessageRow,
    PartyRow,
    TicketEntryRow,
    TicketRow,
)

VALID = timedelta(hours=1)


@dataclass(frozen=True)
class OwnData:
    """What is kept. `facts` are codes and dates; texts are in the person's own words or ours."""

    language: str
    facts: dict[str, Any]
    messages: tuple[dict[str, Any], ...]
    tickets: tuple[dict[str, Any], ...]
    surveys: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        rest = {"messages": self.messages, "questions": self.tickets, "surveys": self.surveys}
        return {"language": self.language, **self.facts, **rest}


def make_link(connection: Connection, contact_id: int, now: datetime) -> str:
    """A new token for this person; the one before ends."""
    token = secrets.token_urlsafe(32)
    connection.execute(sa.delete(DataLinkRow).where(DataLinkRow.contact_id == contact_id))
    values = {"hash": _hash(token), "contact_id": contact_id, "expires_at": now + VALID}
    connection.execute(sa.insert(DataLinkRow).values(**values))
    return token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def open_link(connection: Connection, token: str, now: datetime) -> OwnData | None:
    """What the link shows; None when it ended or never was."""
    where = (DataLinkRow.hash == _hash(token), DataLinkRow.expires_at > now)
    contact_id = connection.execute(sa.select(DataLinkRow.contact_id).where(*where)).scalar_one_or_none()
    return None if contact_id is None else collect(connection, contact_id)


def collect(connection: Connection, contact_id: int) -> OwnData:
    """Everything of a person. No address: it is encrypted, and the person knows it."""
    contact = connection.execute(sa.select(ContactRow.__table__).where(ContactRow.id == contact_id)).one()
    channels = connection.execute(sa.select(AddressRow.channel).where(AddressRow.contact_id == contact_id)).scalars()
    party = connection.execute(
        sa.select(PartyRow.group, PartyRow.route, PartyRow.phase, PartyRow.language, PartyRow.gender)
        .add_columns(
            PartyRow.birth_year, PartyRow.talked_on.label("progress_talk"), ActorRow.name.label("klantregisseur")
        )
        .outerjoin(ActorRow, ActorRow.id == PartyRow.actor_id)
        .where(PartyRow.contact_id == contact_id)
    ).one_or_none()
    facts = {
        "group": contact.resident_group,
        "consent": contact.consent,
        "consent_at": contact.consent_at,
        "first_seen": contact.created_at,
        "last_seen": contact.seen_at,
        "stopped": contact.stopped,
        "channels": sorted(set(channels)),
        "file_of_the_municipality": party._asdict() if party else None,
    }
    found = (_messages(connection, contact_id), _tickets(connection, contact_id))
    return OwnData(contact.language or "nl", facts, *found, own_surveys.collect(connection, contact_id))


def _messages(connection: Connection, contact_id: int) -> tuple[dict[str, Any], ...]:
    query = sa.select(MessageRow.at, MessageRow.inbound, MessageRow.text).where(MessageRow.contact_id == contact_id)
    return tuple(row._asdict() for row in connection.execute(query.order_by(MessageRow.id)))


def _entry(row: sa.Row[Any]) -> dict[str, Any]:
    """What was said on a question, and what a machine made of it where the person read that."""
    translated = {"translation": row.translation} if row.translation else {}
    return {"at": row.at, "kind": row.kind, "text": row.text, **translated}


def _unsent(connection: Connection, contact_id: int) -> dict[int, list[dict[str, Any]]]:
    """Drafts, without who wrote them, and answers that wait for their time, by ticket."""
    drafts = sa.select(DraftRow.ticket_id, DraftRow.saved_at.label("at"), DraftRow.text)
    prepared = sa.select(PreparedRow.ticket_id, PreparedRow.prepared_at.label("at"), PreparedRow.translation)
    words = sa.case((PreparedRow.text == "", PreparedRow.topic), else_=PreparedRow.text).label("text")
    found: dict[int, list[dict[str, Any]]] = {}
    for kind, table, query in (("draft", DraftRow, drafts), ("prepared", PreparedRow, prepared.add_columns(words))):
        mine = query.join(TicketRow, TicketRow.id == table.ticket_id).where(TicketRow.contact_id == contact_id)
        for row in connection.execute(mine.order_by(table.id)).mappings():
            translated = {"translation": row["translation"]} if row.get("translation") else {}
            entry = {"at": row["at"], "kind": kind, "text": row["text"], **translated}
            found.setdefault(row["ticket_id"], []).append(entry)
    return found


def _tickets(connection: Connection, contact_id: int) -> tuple[dict[str, Any], ...]:
    """Questions that were passed on, with what was asked and answered.

    Notes of colleagues among themselves are there too, and what they wrote and did not send: it is about the person.
    """
    unsent = _unsent(connection, contact_id)
    entries = connection.execute(
        sa.select(TicketEntryRow.__table__)
        .join(TicketRow, TicketRow.id == TicketEntryRow.ticket_id)
        .where(TicketRow.contact_id == contact_id)
        .order_by(TicketEntryRow.id)
    ).all()
    query = sa.select(TicketRow.id, TicketRow.created_at, TicketRow.promise_at, TicketRow.answered_at, TicketRow.owner)
    return tuple(
        {
            **ticket._asdict(),
            "entries": [_entry(e) for e in entries if e.ticket_id == ticket.id] + unsent.get(ticket.id, []),
        }
        for ticket in connection.execute(query.where(TicketRow.contact_id == contact_id).order_by(TicketRow.id))
    )
