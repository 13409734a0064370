"""What happened to people that a survey waits for: seen in the tables themselves, so that nobody has to tell.

Another phase in the municipality's file, and an answer of a person at the desk.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.storage.models import PartyRow, TicketRow
from bot.storage.survey_models import SurveyPhaseRow
from bot.survey_answers import Surveyor, insert
from bot.survey_waves import events_waited_for, happened

BATCH = 500
LOOK_BACK = timedelta(hours=6)  # of answers: longer than the service is ever away; a place is given once anyway


def watch(connection: Connection, surveyor: Surveyor, now: datetime) -> int:
    """Give everybody to whom something happened their place in the live waves. Returns how many places."""
    waited_for = events_waited_for(connection, surveyor)
    placed = _phases(connection, surveyor, now)
    if "ticket_answered" in waited_for:
        query = sa.select(TicketRow.contact_id).where(TicketRow.answered_at > now - LOOK_BACK, ~TicketRow.urgent)
        for contact_id in connection.execute(query.distinct()).scalars().all():
            placed += happened(connection, surveyor, contact_id, "ticket_answered", now)
    return placed


def _phases(connection: Connection, surveyor: Surveyor, now: datetime) -> int:
    seen = SurveyPhaseRow
    rows = connection.execute(
        sa.select(PartyRow.contact_id, PartyRow.phase, seen.phase.label("before"))
        .outerjoin(seen, seen.contact_id == PartyRow.contact_id)
        .where(PartyRow.contact_id.is_not(None), sa.or_(seen.phase.is_(None), seen.phase != PartyRow.phase))
        .limit(BATCH)
    ).all()
    placed = 0
    for row in rows:
        event = _event(row.before, row.phase)
        if event:
            placed += happened(connection, surveyor, row.contact_id, event, now)
        kept = insert(connection, seen).values(contact_id=row.contact_id, phase=row.phase)
        connection.execute(kept.on_conflict_do_update(index_elements=["contact_id"], set_={"phase": row.phase}))
    return placed


def _event(before: str | None, phase: str) -> str:
    """What it means that somebody is in another phase; nothing when it is the first look."""
    if before is None:
        return ""
    if phase == "done":
        return "lessons_end"
    if phase == "trajectory":
        return "lessons_start"
    return "brede_intake" if before == "intake" else ""
