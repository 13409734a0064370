"""What somebody at the desk sent did not arrive, or may not have: a person who saw that decides to send it again."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import outbox
from bot.desk.settling import Deed, Outcome, Result, lock
from bot.desk.tickets import message_key
from bot.storage.models import LaneState, OutboxRow

_STUCK = (LaneState.DEAD, LaneState.UNKNOWN)


def send_again(connection: Connection, deed: Deed) -> Result:
    """Send the last answer of a ticket, or the question back that waits for its reply, once more as it was.

    The same row goes again, so that a double click is one message. It waits where the window is shut by now.
    """
    row = lock(connection, deed.ticket_id, deed.who)
    if row is None:
        return Result(Outcome.GONE)
    key = message_key(connection, row.id, row.state)
    stuck = connection.execute(
        sa.select(OutboxRow.id, OutboxRow.lane, OutboxRow.channel, OutboxRow.contact_id, OutboxRow.address_id)
        .where(OutboxRow.state > sa.literal_column("2"), OutboxRow.state.in_(_STUCK), OutboxRow.payload.is_not(None))
        .where(sa.or_(OutboxRow.key == key, OutboxRow.key.like(f"{key}:%")))
        .with_for_update()
    ).all()
    if not stuck:
        return Result(Outcome.TAKEN)
    held = False
    for send in stuck:
        held = outbox.is_held(connection, outbox.Recipient(send.lane, send.channel, None, send.address_id), deed.now)
        again = {"state": LaneState.HELD if held else LaneState.READY, "due_at": deed.now, "attempts": 0}
        cleared = {"error": None, "delivery": None, "provider_id": None}
        connection.execute(sa.update(OutboxRow).where(OutboxRow.id == send.id).values(**again, **cleared))
    deed.record(connection, "ticket.send_again")
    return Result(Outcome.WAITS_WINDOW if held else Outcome.GOES_NOW)
