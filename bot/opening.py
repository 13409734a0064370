"""Whether the service is open. Closed, it answers nobody but people in danger, and says until when.

A row in the database, so that it holds for every process at once and survives a restart.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.storage.fixed import Fixed
from bot.storage.models import MarkerRow

MARKER = "closed_until"
_UNTIL = Fixed(sa.select(MarkerRow.value).where(MarkerRow.name == MARKER))


def closed_until(connection: Connection, now: datetime) -> datetime | None:
    """Until when the service is closed; None when it is open."""
    value = _UNTIL.value(connection)
    until = datetime.fromisoformat(value) if value else None
    return until if until is not None and until > now else None


def close(connection: Connection, until: datetime) -> None:
    """Close until a moment; it opens by itself."""
    reopen(connection)
    connection.execute(sa.insert(MarkerRow).values(name=MARKER, value=until.isoformat()))


def reopen(connection: Connection) -> None:
    """Open now."""
    connection.execute(sa.delete(MarkerRow).where(MarkerRow.name == MARKER))
