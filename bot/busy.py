"""When answers are slow, people who wait are told so, kindly and once in a while: their message is here.

Accepting never waits for understanding, so a rush makes a queue and nobody is turned away. Silence would make people
send the same again, which makes the queue longer.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import outbox
from bot.actions import Reply, Say
from bot.content import Content
from bot.messages import CAPABILITIES
from bot.replies import render
from bot.storage.base import table_of
from bot.storage.models import AddressRow, ContactRow, InboxRow

WAITS = timedelta(seconds=30)  # longer than anybody waits when all is well
STALE = timedelta(hours=1)  # what waits longer is no rush but a fault, and people who work here see it
AGAIN = 600  # seconds: not told twice within one such stretch
MOST = 100  # told at a time, the longest waiting first


def tell(connection: Connection, content: Content, now: datetime) -> int:
    """Put a line for each person whose message waits; returns how many wait. Only for who chose a language."""
    rows = connection.execute(_waiting(), {"b_since": now - WAITS, "b_stale": now - STALE}).all()
    for row in rows:
        (message,) = render(Reply((Say("service.busy"),)), row.language, content, CAPABILITIES[row.channel], now)
        recipient = outbox.Recipient(row.lane, row.channel, row.contact_id, row.address_id)
        stretch = int(now.timestamp()) // AGAIN
        outbox.put(connection, recipient, message, key=f"busy:{row.address_id}:{stretch}", now=now)
    return len(rows)


@cache
def _waiting() -> sa.Select[Any]:
    inbox, address, contact = table_of(InboxRow), table_of(AddressRow), table_of(ContactRow)
    written = sa.not_(inbox.c.key.like("timer:%"))  # a timer is nothing that somebody waits for
    return (
        sa.select(address.c.id.label("address_id"), address.c.lane, address.c.channel, contact.c.language)
        .add_columns(contact.c.id.label("contact_id"))
        .join(address, sa.and_(address.c.lane == inbox.c.lane, address.c.channel == inbox.c.channel))
        .join(contact, contact.c.id == address.c.contact_id)
        .where(inbox.c.state < sa.literal_column("2"), written, contact.c.language.is_not(None))
        .where(inbox.c.received_at < sa.bindparam("b_since"), inbox.c.received_at > sa.bindparam("b_stale"))
        .group_by(address.c.id, address.c.lane, address.c.channel, contact.c.language, contact.c.id)
        .order_by(sa.func.min(inbox.c.id))
        .limit(MOST)
    )
