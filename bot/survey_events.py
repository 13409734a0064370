"""What happened to people that a survey waits for: seen in the tables themselves, so that nobody has to tell.

Another phase or a later progress talk in the municipality's file, and an answer of a person at the desk.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.locales import AMSTERDAM
from bot.storage.models import PartyRow, TicketRow
from bot.storage.survey_models import SurveyPhaseRow
from bot.survey_answers import Surveyor, insert
from bot.survey_waves import events_waited_for, happened

BATCH = 500
FRESH = timedelta(days=30)  # of a talk that a file tells of
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
    talk = sa.and_(PartyRow.talked_on.is_not(None), PartyRow.talked_on.is_distinct_from(seen.talked_on))
    rows = connection.execute(
        sa.select(PartyRow.contact_id, PartyRow.phase, PartyRow.talked_on)
        .add_columns(seen.phase.label("before"), seen.talked_on.label("talked_before"))
        .outerjoin(seen, seen.contact_id == PartyRow.contact_id)
        .where(PartyRow.contact_id.is_not(None), sa.or_(seen.phase.is_(None), seen.phase != PartyRow.phase, talk))
        .limit(BATCH)
    ).all()
    placed = 0
    for row in rows:
        event = _event(row.before, row.phase)
        if event:
            placed += happened(connection, surveyor, row.contact_id, event, now)
        if row.talked_on != row.talked_before and _is_fresh(row.talked_on, now):
            placed += happened(connection, surveyor, row.contact_id, "progress_talk", _noon(row.talked_on))
        now_is = {"phase": row.phase, "talked_on": row.talked_on}
        kept = insert(connection, seen).values(contact_id=row.contact_id, **now_is)
        connection.execute(kept.on_conflict_do_update(index_elements=["contact_id"], set_=now_is))
    return placed


def _is_fresh(day: date | None, now: datetime) -> bool:
    """Whether a talk was lately: somebody whose talk is months ago has forgotten it, one to come was not held yet."""
    return day is not None and timedelta() <= now.astimezone(AMSTERDAM).date() - day <= FRESH


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), AMSTERDAM)


def _event(before: str | None, phase: str) -> str:
    """What it means that somebody is in another phase; nothing when it is the first look."""
    if before is None:
        return ""
    if phase == "done":
        return "lessons_end"
    if phase == "trajectory":
        return "lessons_start"
    return "brede_intake" if before == "intake" else ""
