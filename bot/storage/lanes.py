"""A queue in a table: first in, first out per person, people side by side. The inbox and the outbox both are one.

Only the oldest open row of a lane can be claimed, and one at a time; a partial unique index makes a second one
impossible. A claim has a lease; the closing transaction checks it first, so a slow worker that lost its lease changes
nothing. A row that waits for another try stays the head of its lane, so order holds.
"""

from __future__ import annotations

import random
import secrets
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from bot.storage.models import InboxRow, LaneState, OutboxRow

Lane = type[InboxRow] | type[OutboxRow]

LEASE = timedelta(seconds=60)
ATTEMPTS = 8
_OPEN: sa.ColumnElement[int] = sa.literal_column("2")  # literals, or the partial indexes don't match
_READY: sa.ColumnElement[int] = sa.literal_column("0")
_RUNNING: sa.ColumnElement[int] = sa.literal_column("1")


def claim(connection: Connection, table: Lane, now: datetime, limit: int, *extra: Any) -> list[sa.Row[Any]]:
    """Take the oldest due row of up to `limit` idle lanes. The rows come with their new lease.

    `extra` are further conditions on the head row. On PostgreSQL two claimers may meet on one lane: then
    IntegrityError is raised and the claim may simply be tried again.
    """
    if table is OutboxRow:
        return _take(connection, table, _sendable(now, extra).limit(limit), now)
    heads = sa.select(sa.func.min(table.id)).where(table.state < _OPEN).group_by(table.lane)
    # Where lanes were joined, an older row may wait behind one that runs: it must not be tried as a second one.
    running = sa.select(table.lane).where(table.state == _RUNNING)
    head = (table.id.in_(heads), table.state == _READY, table.due_at <= now, table.lane.not_in(running))
    return _take(connection, table, sa.select(table.id).where(*head, *extra).order_by(table.id).limit(limit), now)


def _sendable(now: datetime, extra: tuple[Any, ...]) -> sa.Select[Any]:
    """Rows that may be sent, the most urgent first. Within a lane a reply goes before an invitation that waits longer.

    Walks the index of what is ready and stops at the limit, so a hundred thousand invitations that wait cost nothing.
    """
    earlier = aliased(OutboxRow)
    before = sa.or_(
        earlier.state == _RUNNING,
        earlier.priority < OutboxRow.priority,
        sa.and_(earlier.priority == OutboxRow.priority, earlier.id < OutboxRow.id),
    )
    in_front = sa.exists().where(earlier.lane == OutboxRow.lane, earlier.state < _OPEN, before)
    ready = (OutboxRow.state == _READY, OutboxRow.due_at <= now, *extra)
    return sa.select(OutboxRow.id).where(*ready, ~in_front).order_by(OutboxRow.priority, OutboxRow.id)


def _take(connection: Connection, table: Lane, query: sa.Select[Any], now: datetime) -> list[sa.Row[Any]]:
    ids = list(connection.execute(query.with_for_update(skip_locked=True, of=table)).scalars())
    if not ids:
        return []
    lease = secrets.token_hex(8)
    connection.execute(
        sa.update(table)
        .where(table.id.in_(ids), table.state == _READY)
        .values(state=LaneState.RUNNING, lease=lease, lease_until=now + LEASE, attempts=table.attempts + 1)
    )
    rows = connection.execute(sa.select(table.__table__).where(table.id.in_(ids), table.lease == lease))
    return sorted(rows, key=lambda row: ids.index(row.id))


def still_mine(connection: Connection, table: Lane, row_id: int, lease: str, **values: Any) -> bool:
    """The fence: the first statement of every closing transaction. Sets `values` where the lease still holds."""
    result = connection.execute(
        sa.update(table)
        .where(table.id == row_id, table.state == _RUNNING, table.lease == lease)
        .values(lease=None, lease_until=None, **values)
    )
    return result.rowcount == 1


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
