"""Things to do for a person at a moment.

A due timer becomes a message of that person, in the transaction that marks it fired.

So it takes the same lane as everything else: no race with a message that just arrives, and each fires once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot.messages import Kind
from bot.storage.models import AddressRow, InboxRow, TimerRow

FIRED = 1
BATCH = 100


def set_timer(
    connection: Connection, contact_id: int, kind: str, payload: dict[str, Any], *, key: str, due_at: datetime
) -> None:
    """Set a timer. The same key twice is one timer."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {"key": key, "contact_id": contact_id, "kind": kind, "payload": payload, "due_at": due_at, "state": 0}
    connection.execute(dialect.insert(TimerRow).values(values).on_conflict_do_nothing(index_elements=["key"]))


def cancel(connection: Connection, key: str) -> None:
    """A timer whose ground is gone. Its key is free again."""
    connection.execute(sa.delete(TimerRow).where(TimerRow.key == key, TimerRow.state == 0))


def fire_due(connection: Connection, now: datetime) -> int:
    """Turn what is due into messages, at most a batch; returns how many."""
    due = connection.execute(
        sa.select(TimerRow.id, TimerRow.contact_id, TimerRow.kind, TimerRow.payload)
        .where(TimerRow.state == sa.literal_column("0"), TimerRow.due_at <= now)
        .order_by(TimerRow.due_at, TimerRow.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    for timer in due:
        connection.execute(sa.update(TimerRow).where(TimerRow.id == timer.id).values(state=FIRED))
        address = connection.execute(
            sa.select(AddressRow.lane, AddressRow.channel, AddressRow.sealed)
            .where(AddressRow.contact_id == timer.contact_id)
            .order_by(AddressRow.used_at.desc())
            .limit(1)
        ).one_or_none()
        if address is None:
            continue
        extra = {"timer": timer.kind, **timer.payload}
        body = {"kind": Kind.TIMER.value, "text": "", "token": "", "hint": "", "extra": extra}
        connection.execute(
            sa.insert(InboxRow).values(
                key=f"timer:{timer.id}",
                lane=address.lane,
                channel=address.channel,
                sealed=address.sealed,
                body=body,
                received_at=now,
                due_at=now,
                state=0,
                attempts=0,
            )
        )
    return len(due)
