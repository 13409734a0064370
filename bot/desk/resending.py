"""What somebody at the desk sent did not arrive, or may not have: a person who saw that decides to send it again."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import audit, outbox
from bot.desk.settling import Deed, Outcome, Result, lock
from bot.desk.tickets import message_key
from bot.desk.troubles import GAP, STUCK, WANTS_MORE
from bot.roles import Principal
from bot.storage.models import ContactRow, LaneState, OutboxRow


def send_again(connection: Connection, deed: Deed) -> Result:
    """Send the last answer of a ticket, or the question back that waits for its reply, once more as it was.

    The same row goes again, so that a double click is one message. It waits where the window is shut by now.
    """
    row = lock(connection, deed.ticket_id, deed.who)
    if row is None:
        return Result(Outcome.GONE)
    result = _again(connection, message_key(connection, row.id, row.state), deed.now)
    if result.accepted:
        deed.record(connection, "ticket.send_again")
    return result


def send_gap_again(connection: Connection, send_id: int, who: Principal, now: datetime) -> Result:
    """Send a checked answer once more to somebody who had asked for it: it belongs to no ticket.

    Refused for whoever wrote "stop" or took back the consent since.
    """
    query = sa.select(OutboxRow.key, OutboxRow.contact_id).where(OutboxRow.id == send_id)
    found = connection.execute(query).one_or_none()
    if found is None or found.contact_id is None or not found.key.startswith(GAP):
        return Result(Outcome.GONE)
    person = sa.select(ContactRow.id).where(ContactRow.id == found.contact_id, WANTS_MORE).with_for_update()
    if connection.execute(person).first() is None:
        return Result(Outcome.UNREACHABLE)
    key = ":".join(found.key.split(":")[:3])  # gap:<topic>:<person>, and a number more for a second message
    result = _again(connection, key, now)
    if result.accepted:
        topic = f"topic={key.split(':')[1]}"
        audit.record(connection, who, "gap.send_again", now, contact_id=found.contact_id, detail=topic)
    return result


def _again(connection: Connection, key: str, now: datetime) -> Result:
    """The messages of a key that are stuck, and whose words are still kept, go again."""
    stuck = connection.execute(
        sa.select(OutboxRow.id, OutboxRow.lane, OutboxRow.channel, OutboxRow.contact_id, OutboxRow.address_id)
        .where(OutboxRow.state > sa.literal_column("2"), OutboxRow.state.in_(STUCK), OutboxRow.payload.is_not(None))
        .where(sa.or_(OutboxRow.key == key, OutboxRow.key.like(f"{key}:%")))
        .with_for_update()
    ).all()
    if not stuck:
        return Result(Outcome.TAKEN)
    held = False
    for send in stuck:
        held = outbox.is_held(connection, outbox.Recipient(send.lane, send.channel, None, send.address_id), now)
        again = {"state": LaneState.HELD if held else LaneState.READY, "due_at": now, "attempts": 0}
        cleared = {"error": None, "delivery": None, "provider_id": None}
        connection.execute(sa.update(OutboxRow).where(OutboxRow.id == send.id).values(**again, **cleared))
    return Result(Outcome.WAITS_WINDOW if held else Outcome.GOES_NOW)
