"""A queue in a table: first in, first out per person, people side by side. The inbox and the outbox both are one.

Only the oldest open row of a lane can be claimed, and one at a time; a partial unique index makes a second one
impossible. A claim has a lease; the closing transaction checks it first, so a slow worker that lost its lease changes
nothing. A row that waits for another try stays the head of its lane, so order holds.
"""

from __future__ import annotations

import random
import secrets
from datetime import datetime, timedelta
from functools import cache
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.storage.base import table_of
from bot.storage.fixed import Fixed, Row, is_one_of
from bot.storage.models import InboxRow, LaneState, OutboxRow

Lane = type[InboxRow] | type[OutboxRow]

LEASE = timedelta(seconds=60)
ATTEMPTS = 8
ALL = (0, 9)  # priorities
LOOKED_AT = 64  # rows of the inbox at a claim: four times as many as are under way at once
_OPEN: sa.ColumnElement[int] = sa.literal_column("2")  # literals, or the partial indexes don't match
_READY: sa.ColumnElement[int] = sa.literal_column("0")
_RUNNING: sa.ColumnElement[int] = sa.literal_column("1")


def claim(
    connection: Connection,
    table: Lane,
    now: datetime,
    limit: int,
    channel: str | None = None,
    *,
    priorities: tuple[int, int] = ALL,
) -> list[Row]:
    """Take the oldest due row of up to `limit` idle lanes; of the outbox those of a channel, the most urgent first.

    `priorities`: the first and the last that may be taken.

    The rows come with their new lease. On PostgreSQL two claimers may meet on one lane: then IntegrityError is raised
    and the claim may simply be tried again.
    """
    given: dict[str, Any] = {"b_now": now, "b_limit": limit, "b_lease": secrets.token_hex(8), "b_until": now + LEASE}
    if table is OutboxRow:
        given |= {"b_channel": channel, "b_first": priorities[0], "b_last": priorities[1]}
    rows = _taking(table, connection.dialect.name).rows(connection, given)
    return sorted(rows, key=_by_age if table is InboxRow else _by_urgency)


_by_age, _by_urgency = attrgetter("id"), attrgetter("priority", "id")


def _heads(dialect: str) -> sa.Select[tuple[int]]:
    """The oldest open row of each idle lane, the oldest first, among the LOOKED_AT that wait longest.

    So it costs the same however many wait. A lane is not idle while one of its rows runs (where lanes were joined, an
    older one may wait behind that) or waits for another try; then those behind it are not looked at, or they would hide
    everybody else. With one `min` over all that is open PostgreSQL took 28 ms a claim while a thousand waited.
    """
    own = table_of(InboxRow)
    inner, now = own.alias(), sa.bindparam("b_now", type_=own.c.due_at.type)
    waits = sa.and_(inner.c.state == _READY, inner.c.due_at > now)
    busy = sa.union_all(sa.select(inner.c.lane).where(inner.c.state == _RUNNING), sa.select(inner.c.lane).where(waits))
    due = (own.c.state == _READY, own.c.due_at <= now, own.c.lane.not_in(busy))
    oldest = sa.select(own.c.id, own.c.lane).where(*due).order_by(own.c.id).limit(sa.literal_column(str(LOOKED_AT)))
    found = oldest.subquery()
    heads = sa.select(sa.func.min(found.c.id)).group_by(found.c.lane)
    found_heads = (is_one_of(own.c.id, heads, dialect), _is(own, LaneState.READY))
    query = sa.select(own.c.id).where(*found_heads).order_by(own.c.id)
    return query.limit(sa.bindparam("b_limit")).with_for_update(skip_locked=True, of=own)


def _sendable() -> sa.Select[tuple[int]]:
    """Rows that may be sent, the most urgent first. Within a lane a reply goes before an invitation that waits longer.

    Walks the index of what is ready and stops at the limit, so a hundred thousand invitations that wait cost nothing.
    """
    own = table_of(OutboxRow)
    earlier = own.alias()
    before = sa.or_(
        earlier.c.state == _RUNNING,
        earlier.c.priority < own.c.priority,
        sa.and_(earlier.c.priority == own.c.priority, earlier.c.id < own.c.id),
    )
    in_front = sa.select(earlier.c.id).where(earlier.c.lane == own.c.lane, earlier.c.state < _OPEN, before).limit(1)
    mine = (own.c.state == _READY, own.c.channel == sa.bindparam("b_channel"), own.c.due_at <= sa.bindparam("b_now"))
    asked = own.c.priority.between(sa.bindparam("b_first"), sa.bindparam("b_last"))
    alone = in_front.scalar_subquery().is_(None)  # not EXISTS: PostgreSQL may join all that is open with all of it
    query = sa.select(own.c.id).where(*mine, asked, alone).order_by(own.c.priority, own.c.id)
    return query.limit(sa.bindparam("b_limit")).with_for_update(skip_locked=True, of=own)


@cache
def _taking(table: Lane, dialect: str) -> Fixed:
    """Find and take in one statement."""
    own = table_of(table)
    found = (_heads(dialect) if table is InboxRow else _sendable()).cte("found")
    taken = {"state": LaneState.RUNNING, "lease": sa.bindparam("b_lease"), "lease_until": sa.bindparam("b_until")}
    taking = sa.update(own).where(is_one_of(own.c.id, sa.select(found.c.id), dialect), _is(own, LaneState.READY))
    return Fixed(taking.values(**taken, attempts=own.c.attempts + 1).returning(own))


def _is(own: sa.Table, state: LaneState) -> sa.ColumnElement[bool]:
    """The state of a row that is found by its id: an index of that state would be long with rows that left it."""
    return own.c.state + 0 == state


def still_mine(connection: Connection, table: Lane, row_id: int, lease: str, **values: Any) -> bool:
    """The fence: the first statement of every closing transaction. Sets `values` where the lease still holds."""
    given = {f"b_{name}": value for name, value in values.items()}
    return _fence(table, tuple(values)).run(connection, {"b_row": row_id, "b_mine": lease, **given}) == 1


@cache
def _fence(table: Lane, names: tuple[str, ...]) -> Fixed:
    own = table_of(table)
    mine = (own.c.id == sa.bindparam("b_row"), _is(own, LaneState.RUNNING), own.c.lease == sa.bindparam("b_mine"))
    values: dict[str, Any] = {name: sa.bindparam(f"b_{name}") for name in names}
    return Fixed(sa.update(own).where(*mine).values(lease=None, lease_until=None, **values))


def renew(connection: Connection, table: Lane, held: list[tuple[int, str]], now: datetime) -> None:
    """Keep the leases of rows that a live task still works on."""
    for row_id, lease in held:
        connection.execute(
            sa.update(table)
            .where(table.id == row_id, table.state == _RUNNING, table.lease == lease)
            .values(lease_until=now + LEASE)
        )


def backoff(attempt: int, retry_after: float | None = None) -> timedelta:
    """How long to wait before the next try: 1, 2, 4 … 300 s with jitter, never less than the provider asked."""
    wait = min(300.0, 2.0 ** min(attempt - 1, 10)) * random.uniform(0.8, 1.2)  # noqa: S311  # jitter, no secret
    return timedelta(seconds=max(wait, retry_after or 0.0))


def recover(connection: Connection, table: Lane, now: datetime, *, everything: bool) -> int:
    """Take back rows whose worker is gone: all of them at the start of the only process, otherwise by lease.

    Inbox rows run again. Outbox rows may have been sent, so they become `UNKNOWN` and are never repeated by themselves.
    """
    gone = table.state == _RUNNING
    if not everything:
        gone = sa.and_(gone, table.lease_until < now)
    values: dict[str, Any] = {"state": LaneState.READY, "lease": None, "lease_until": None}
    if table is OutboxRow:
        values |= {"state": LaneState.UNKNOWN, "error": "the process ended while sending"}
    return connection.execute(sa.update(table).where(gone).values(**values)).rowcount
