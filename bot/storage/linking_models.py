"""The tables of codes in letters, and of those that were tried in vain."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import Base
from bot.storage.types import BigId


class LinkCodeRow(Base):
    """A code in a letter that links an account to a party, once. Only its keyed hash is kept."""

    __tablename__ = "link_code"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    hash: Mapped[str] = mapped_column(sa.String(32), unique=True)
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class LinkTryRow(Base):
    """A wrong code, so that nobody can go on guessing. After a deletion it counts without saying whose it was."""

    __tablename__ = "link_try"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    contact_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact.id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
