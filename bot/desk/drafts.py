"""What somebody wrote for a ticket and hasn't sent: kept per person and ticket, seen by nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot.desk import claims
from bot.desk.access import person_key, visible
from bot.locales import clean
from bot.roles import Principal
from bot.storage.desk_models import DraftRow
from bot.storage.models import TicketRow


@dataclass(frozen=True)
class Draft:
    """The words, and when they were kept."""

    text: str
    saved_at: datetime


def save(connection: Connection, ticket_id: int, who: Principal, text: str, now: datetime) -> bool:
    """Keep what somebody wrote, and their claim with it; no words: no draft. False when the ticket isn't theirs to see.

    It works for a ticket that somebody else answered meanwhile too: words are never lost.
    """
    seen = sa.select(TicketRow.id).where(TicketRow.id == ticket_id, visible(who))
    if connection.execute(seen.with_for_update()).one_or_none() is None:
        return False
    words = clean(text)
    if not words.strip():
        drop(connection, ticket_id, who)
        return True
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    kept = {"text": words, "saved_at": now}
    row = dialect.insert(DraftRow).values(ticket_id=ticket_id, person=person_key(who), **kept)
    connection.execute(row.on_conflict_do_update(index_elements=["ticket_id", "person"], set_=kept))
    claims.take(connection, ticket_id, who, now)
    return True


def of(connection: Connection, ticket_id: int, who: Principal) -> Draft | None:
    """The draft of somebody for a ticket."""
    mine = (DraftRow.ticket_id == ticket_id, DraftRow.person == person_key(who))
    row = connection.execute(sa.select(DraftRow.text, DraftRow.saved_at).where(*mine)).one_or_none()
    return Draft(row.text, row.saved_at) if row else None


def drop(connection: Connection, ticket_id: int, who: Principal) -> None:
    """It was sent, or thrown away."""
    mine = (DraftRow.ticket_id == ticket_id, DraftRow.person == person_key(who))
    connection.execute(sa.delete(DraftRow).where(*mine))
