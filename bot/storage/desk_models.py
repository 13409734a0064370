"""The tables of the desk's own work: who is at a ticket, what was written and not yet sent."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import Base
from bot.storage.types import BigId


class ClaimRow(Base):
    """Somebody is answering a ticket. `person` is their key (`bot/desk/access.py`)."""

    __tablename__ = "ticket_claim"

    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True)
    person: Mapped[str] = mapped_column(sa.String(80))
    name: Mapped[str] = mapped_column(sa.String(64))
    until: Mapped[datetime]


class DraftRow(Base):
    """What somebody wrote for a ticket and did not send. Gone when they send it, and with the ticket."""

    __tablename__ = "ticket_draft"
    __table_args__ = (sa.UniqueConstraint("ticket_id", "person"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("ticket.id", ondelete="CASCADE"))
    person: Mapped[str] = mapped_column(sa.String(80))
    text: Mapped[str] = mapped_column(sa.Text)
    saved_at: Mapped[datetime]


class PreparedRow(Base):
    """An answer that goes out by itself at `due_at`, after a last look. One a ticket.

    `topic` or `text`; `actor_id` is whose ticket it was, `seen_entry_id` the last words that the author knew. With
    `held` it does not go: the reason, for people.
    """

    __tablename__ = "prepared_answer"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("ticket.id", ondelete="CASCADE"), unique=True)
    person: Mapped[str] = mapped_column(sa.String(80))
    name: Mapped[str] = mapped_column(sa.String(64))
    text: Mapped[str] = mapped_column(sa.Text, default="")
    topic: Mapped[str] = mapped_column(sa.String(48), default="")
    translation: Mapped[str | None] = mapped_column(sa.Text)
    language: Mapped[str | None] = mapped_column(sa.String(8))  # of the translation
    actor_id: Mapped[int | None] = mapped_column(BigId)  # as it was; no key, so that a change is seen
    seen_entry_id: Mapped[int] = mapped_column(BigId)
    prepared_at: Mapped[datetime]
    due_at: Mapped[datetime]
    held: Mapped[str | None] = mapped_column(sa.String(24))
