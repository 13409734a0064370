"""The tables of what follows a question: mail to people who work here, what messages cost, proposals for answers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import Base
from bot.storage.types import BigId


class MailRow(Base):
    """An e-mail to somebody who works here. Numbers and a link, never a word or a name of a newcomer."""

    __tablename__ = "mail"
    __table_args__ = (
        sa.Index("mail_open", "due_at", sqlite_where=sa.text("state < 2"), postgresql_where=sa.text("state < 2")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(160), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(24))
    recipient: Mapped[str] = mapped_column(sa.String(254))
    language: Mapped[str] = mapped_column(sa.String(8))
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(index=True)
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime]  # later it would be untrue
    state: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    attempts: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    lease: Mapped[str | None] = mapped_column(sa.String(32))
    lease_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(sa.String(200))


class SpendRow(Base):
    """Figures a day: messages of our own accord that cost money. No person; kept when personal rows go."""

    __tablename__ = "spend"

    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(16), primary_key=True)  # template, nudge
    language: Mapped[str] = mapped_column(sa.String(8), primary_key=True)
    outcome: Mapped[str] = mapped_column(sa.String(8), primary_key=True)  # sent, failed (was sent, and not delivered)
    n: Mapped[int]
    micro_eur: Mapped[int] = mapped_column(sa.BigInteger)  # at the price of that day


class ProposalRow(Base):
    """An answer that an editor proposes for a question that many asked. `form`: what was filled in."""

    __tablename__ = "proposal"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    topic: Mapped[str] = mapped_column(sa.String(48), unique=True)
    form: Mapped[dict[str, Any]] = mapped_column(default=dict)
    author: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime] = mapped_column(index=True)
    live_at: Mapped[datetime | None]
    told: Mapped[int] = mapped_column(default=0)  # people who got the answer when it went live
    offered: Mapped[int] = mapped_column(default=0)  # open tickets on which it was offered to the desk


class ProposalTicketRow(Base):
    """A ticket that asked what a proposal answers. It goes with the ticket."""

    __tablename__ = "proposal_ticket"

    proposal_id: Mapped[int] = mapped_column(sa.ForeignKey("proposal.id", ondelete="CASCADE"), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("ticket.id", ondelete="CASCADE"), primary_key=True, index=True)
