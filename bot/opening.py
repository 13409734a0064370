"""Whether the service is open. Closed, it answers nobody but people in danger, and says until when.

A row in the database, so that it holds for every process at once and survives a restart.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.storage.models import MarkerRow

MARKER = "closed_until"
KEPT = sa.select(MarkerRow.value).where(MarkerRow.name == MARKER).scalar_subquery()


def closed_until(kept: str | None, now: datetime) -> datetime | None:
    """Until when the service is closed; None when it is open. `kept`: what KEPT gave."""
    until = datetime.fromisoformat(kept) if kept else None
    return until if until is not None and until > now else None


def close(connection: Connection, until: datetime) -> None:
    """Close until a moment; it opens by itself."""
    reopen(connection)
    connection.execute(sa.insert(MarkerRow).values(name=MARKER, value=until.isoformat()))


def reopen(connection: Connection) -> None:
    """Open now."""
    connection.execute(sa.delete(MarkerRow).where(MarkerRow.name == MARKER))
