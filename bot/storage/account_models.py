"""The tables of people who work here: accounts, sessions, and what they did.

How long each is kept stands in `docs/privacy.md`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

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


class AccountRow(Base):
    """Somebody who works here: with a password of their own, or known by the municipality's login (issuer, subject)."""

    __tablename__ = "account"
    __table_args__ = (sa.UniqueConstraint("issuer", "subject"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    login: Mapped[str | None] = mapped_column(sa.String(254), unique=True)  # lower case
    name: Mapped[str] = mapped_column(sa.String(64))
    roles: Mapped[list[Any]] = mapped_column(default=list)
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("actor.id", ondelete="SET NULL"), index=True)
    active: Mapped[bool] = mapped_column(default=True)
    is_demo: Mapped[bool] = mapped_column(default=False)
    password_hash: Mapped[str | None] = mapped_column(sa.Text)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    totp_sealed: Mapped[str | None] = mapped_column(sa.Text)
    totp_pending: Mapped[str | None] = mapped_column(sa.Text)  # shown as a picture, not yet confirmed with a code
    totp_used: Mapped[int] = mapped_column(sa.BigInteger, default=0)  # the last time step taken: a code counts once
    recovery: Mapped[list[Any]] = mapped_column(default=list)  # keyed hashes of the codes that are left
    issuer: Mapped[str | None] = mapped_column(sa.String(200))
    subject: Mapped[str | None] = mapped_column(sa.String(255))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime] = mapped_column(index=True)
    login_at: Mapped[datetime | None]


class SessionRow(Base):
    """A browser that is logged in, or on its way. Only a hash of what its cookie holds."""

    __tablename__ = "account_session"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id", ondelete="CASCADE"), index=True)
    needs_code: Mapped[bool] = mapped_column(default=False)  # the password was right; the second step is to come
    created_at: Mapped[datetime] = mapped_column(index=True)
    seen_at: Mapped[datetime]


class LoginTryRow(Base):
    """A try to log in that was not right, under a keyed hash of the network, the browser or the account."""

    __tablename__ = "login_try"
    __table_args__ = (sa.Index("login_try_key", "key", "at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(32))
    at: Mapped[datetime] = mapped_column(index=True)
