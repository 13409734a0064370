"""Two contacts that turn out to be one person become one, and so do their lanes; nothing is lost or overtaken.

Whoever joins them works on a message of the contact that goes, so nothing else of its inbox lane runs (at most one
does). What is being sent at that moment decides about the outbox: see `_join_outbox`. A message that was accepted into
the old lane meanwhile is moved when its turn comes: `take_turn`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.contacts import Consent, Thread
from bot.errors import WegwijsError
from bot.storage.models import (
    AddressRow,
    Base,
    ContactRow,
    DataLinkRow,
    InboxRow,
    LaneState,
    OutboxRow,
    PartyRow,
    TimerRow,
)
from bot.storage.survey_models import BadNewsRow, SurveyConsentRow, SurveyInvitationRow, SurveyPhaseRow

_READY: sa.ColumnElement[int] = sa.literal_column("0")
_RUNNING: sa.ColumnElement[int] = sa.literal_column("1")
_OPEN: sa.ColumnElement[int] = sa.literal_column("2")

# How far an invitation came, from the least to the most.
_FAR = ("not_reached", "waiting", "asked", "silent", "declined", "never", "started", "broken_off", "done")


class LanesBusyError(WegwijsError):
    """Both people are being sent something at this moment. The message is tried again a moment later."""


def may_join(connection: Connection, one: int, other: int) -> bool:
    """Whether two contacts may be one: not when the caseload says that they are two."""
    query = sa.select(sa.func.count()).select_from(PartyRow).where(PartyRow.contact_id.in_([one, other]))
    return connection.execute(query).scalar_one() < 2  # two contacts, so two people


def join(connection: Connection, *, gone: int, stays: int) -> None:
    """Everything of one contact becomes the other's. `gone` is the one whose message is being handled now.

    Raises LanesBusyError where it can't be done now.
    """
    query = sa.select(ContactRow.__table__).where(ContactRow.id.in_([gone, stays])).order_by(ContactRow.id)
    rows = {row.id: row for row in connection.execute(query.with_for_update())}
    before, after = _lane(connection, gone), _lane(connection, stays)
    _join_outbox(connection, before, after)
    waits = (InboxRow.lane == before, InboxRow.state != _RUNNING)
    connection.execute(sa.update(InboxRow).where(*waits).values(lane=after))
    # Timers first: one that is firing right now still finds the address where it was.
    timers: Any = TimerRow.__table__
    _once(connection, gone, stays)
    for table in (timers, *(table for table in Base.metadata.sorted_tables if table is not timers)):
        for column in contact_columns(table):
            connection.execute(sa.update(table).where(column == gone).values({column: stays}))
    connection.execute(sa.update(AddressRow).where(AddressRow.contact_id == stays).values(lane=after))
    connection.execute(sa.update(ContactRow).where(ContactRow.id == stays).values(_best_of(rows[gone], rows[stays])))
    connection.execute(sa.delete(ContactRow).where(ContactRow.id == gone))


def _once(connection: Connection, gone: int, stays: int) -> None:
    """What a contact has once only: of two days of bad news the last counts, and a link to see one's data ends."""
    both = BadNewsRow.contact_id.in_([gone, stays])
    last = connection.execute(sa.select(sa.func.max(BadNewsRow.at)).where(both)).scalar_one()
    if last is not None:
        connection.execute(sa.delete(BadNewsRow).where(both))
        connection.execute(sa.insert(BadNewsRow).values(contact_id=stays, at=last))
    _once_in_surveys(connection, gone, stays)
    connection.execute(sa.delete(DataLinkRow).where(DataLinkRow.contact_id == gone))


def _once_in_surveys(connection: Connection, gone: int, stays: int) -> None:
    """A no to surveys of either counts for both; who was asked in one wave twice stays there once."""
    mine = SurveyConsentRow.contact_id == gone
    refused = connection.execute(sa.select(SurveyConsentRow.state).where(mine)).scalar_one_or_none() == "stopped"
    theirs = sa.select(SurveyConsentRow.contact_id).where(SurveyConsentRow.contact_id == stays)
    if connection.execute(theirs).first() is not None:
        connection.execute(sa.delete(SurveyConsentRow).where(mine))
        if refused:
            stop = sa.update(SurveyConsentRow).where(SurveyConsentRow.contact_id == stays).values(state="stopped")
            connection.execute(stop)
    connection.execute(sa.delete(SurveyPhaseRow).where(SurveyPhaseRow.contact_id == gone))
    _once_in_waves(connection, gone, stays)


def _once_in_waves(connection: Connection, gone: int, stays: int) -> None:
    """Of two places in one wave the one that came further counts; the other is of nobody any more."""
    mine = SurveyInvitationRow.contact_id.in_([gone, stays])
    query = sa.select(*(getattr(SurveyInvitationRow, name) for name in ("id", "wave_id", "state", "contact_id")))
    rows = sorted(
        connection.execute(query.where(mine)), key=lambda row: (_FAR.index(row.state), row.contact_id == stays)
    )
    best = {row.wave_id: row.id for row in rows}
    others = [row.id for row in rows if row.id not in best.values()]
    merged = {"state": "merged", "contact_id": None, "due_at": None, "outbox_key": None}
    connection.execute(sa.update(SurveyInvitationRow).where(SurveyInvitationRow.id.in_(others)).values(**merged))


def contact_columns(table: Any) -> list[Any]:
    """The columns of a table that name a contact."""
    return [column for column in table.c if any(key.column is ContactRow.__table__.c.id for key in column.foreign_keys)]


def _lane(connection: Connection, contact_id: int) -> str:
    query = sa.select(AddressRow.lane).where(AddressRow.contact_id == contact_id).order_by(AddressRow.id).limit(1)
    return connection.execute(query).scalar_one()


def _join_outbox(connection: Connection, before: str, after: str) -> None:
    """What waits to be sent, in one lane. All of it is held, so that nobody takes a row to send meanwhile.

    What is being sent for the old lane comes along, so that what waits behind it goes on waiting. Where something is
    being sent for both, one of them would run beside the other.
    """
    query = sa.select(OutboxRow.lane, OutboxRow.state).where(
        OutboxRow.lane.in_([before, after]), OutboxRow.state < _OPEN
    )
    rows = connection.execute(query.order_by(OutboxRow.id).with_for_update()).all()
    if {row.lane for row in rows if row.state == LaneState.RUNNING} == {before, after}:
        raise LanesBusyError
    connection.execute(sa.update(OutboxRow).where(OutboxRow.lane == before).values(lane=after))


def _best_of(gone: sa.Row[Any], stays: sa.Row[Any]) -> dict[Any, Any]:
    """What is known of the two together. The language chosen last is the one to go on in."""
    agreed = [row for row in (gone, stays) if row.consent == Consent.GIVEN]
    known = agreed[-1] if agreed else stays
    thread = Thread.from_json(known.thread).to_json()
    return {
        ContactRow.language: gone.language or stays.language,
        ContactRow.group: stays.resident_group or gone.resident_group,
        ContactRow.consent: known.consent,
        ContactRow.consent_at: known.consent_at,
        ContactRow.stopped: gone.stopped and stays.stopped,
        ContactRow.thread: thread | {"nonce": max(row.thread.get("nonce", 0) for row in (gone, stays))},
        ContactRow.created_at: min(gone.created_at, stays.created_at),
        ContactRow.seen_at: max(gone.seen_at, stays.seen_at),
    }


def take_turn(connection: Connection, row: sa.Row[Any], lane: str, first_lanes: tuple[str, ...]) -> bool:
    """Whether a message may be handled now. One that waits in a lane of before goes to its place in the joined one.

    `row`: the inbox row, claimed and closed already in this transaction.
    """
    if row.lane != lane:
        _wait_again(connection, row, lane)
        return False
    if not first_lanes:
        return True
    older = (InboxRow.lane.in_(first_lanes), InboxRow.state < _OPEN, InboxRow.id < row.id)
    if connection.execute(sa.select(InboxRow.id).where(*older).limit(1)).first() is None:
        return True
    connection.execute(sa.update(InboxRow).where(*older, InboxRow.state == _READY).values(lane=lane))
    _wait_again(connection, row, lane)
    return False


def _wait_again(connection: Connection, row: sa.Row[Any], lane: str) -> None:
    values = {"lane": lane, "state": LaneState.READY, "body": row.body, "sealed": row.sealed}
    back = sa.update(InboxRow).where(InboxRow.id == row.id)
    connection.execute(back.values(**values, attempts=InboxRow.attempts - 1))
