"""The tables of people who work here: what they did. How long each is kept stands in `docs/privacy.md`."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import Base
from bot.storage.types import BigId


class AuditRow(Base):
    """Who did what, and whom they looked at. Numbers and codes, never words of a newcomer.

    The numbers are no foreign keys: the row stays when the person is erased, and then points to nothing. Triggers of
    migration 0004 refuse every change, and deletion before the retention time; a migration that makes this table anew
    on SQLite has to make them anew.
    """

    __tablename__ = "audit"
    __table_args__ = (
        sa.Index("audit_account", "account_id", "id"),
        sa.Index("audit_action", "action", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    account_id: Mapped[int | None] = mapped_column(BigId)
    who: Mapped[str] = mapped_column(sa.String(64))
    action: Mapped[str] = mapped_column(sa.String(40))
    ticket_id: Mapped[int | None] = mapped_column(BigId)
    contact_id: Mapped[int | None] = mapped_column(BigId)
    party_id: Mapped[int | None] = mapped_column(BigId)
    detail: Mapped[str] = mapped_column(sa.String(120), default="")
