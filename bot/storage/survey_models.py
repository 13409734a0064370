"""Messages of our own accord, counted; waves of surveys, whom they went to, and who wants none.

No answer stands here: those are in `research_models.py`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import Base
from bot.storage.types import BigId


class PushRow(Base):
    """A message of our own accord that went, or is booked to go. Only for the cap a week: `bot/pushes.py`."""

    __tablename__ = "push"
    __table_args__ = (sa.Index("push_contact", "contact_id", "at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(sa.String(16))
    at: Mapped[datetime] = mapped_column(index=True)


class BadNewsRow(Base):
    """The last time that the municipality told somebody bad news. No word of what it was."""

    __tablename__ = "bad_news"

    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)


class SurveyWaveRow(Base):
    """One time that a survey is held: draft, testing, live, closed."""

    __tablename__ = "survey_wave"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(48), unique=True)
    survey: Mapped[str] = mapped_column(sa.String(30))
    state: Mapped[str] = mapped_column(sa.String(8), default="draft")
    sample_size: Mapped[int | None]  # None: everybody it is for
    part: Mapped[int] = mapped_column(sa.SmallInteger, default=0)  # of a rotating panel
    seed: Mapped[int]
    budget: Mapped[int | None] = mapped_column(sa.BigInteger)  # for templates, in millionths of a euro; None: none go
    spent: Mapped[int] = mapped_column(sa.BigInteger, default=0, server_default="0")  # of it
    items: Mapped[list[Any]] = mapped_column(default=list)  # [item, version] as they were when it went live
    previewed: Mapped[list[Any]] = mapped_column(default=list)  # languages in which somebody looked at it
    trial_code: Mapped[str | None] = mapped_column(sa.String(8), unique=True)
    created_by: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime]
    live_at: Mapped[datetime | None]
    closes_on: Mapped[date | None]  # the last day on which an answer counts
    closed_at: Mapped[datetime | None]


class SurveyInvitationRow(Base):
    """One person in one wave: how far it came, not what was answered.

    The groups are those of the day on which the person got the place, so that a wave's figures don't change later.
    """

    __tablename__ = "survey_invitation"
    __table_args__ = (
        sa.UniqueConstraint("wave_id", "contact_id"),
        sa.Index(
            "survey_invitation_due",
            "due_at",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        ),
        sa.Index(
            "survey_invitation_message",
            "outbox_key",
            sqlite_where=sa.text("outbox_key IS NOT NULL"),
            postgresql_where=sa.text("outbox_key IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    wave_id: Mapped[int] = mapped_column(sa.ForeignKey("survey_wave.id", ondelete="CASCADE"))
    contact_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact.id", ondelete="SET NULL"), index=True)
    state: Mapped[str] = mapped_column(sa.String(12), default="waiting")
    trial: Mapped[bool] = mapped_column(default=False)  # somebody of the staff tries it out
    due_at: Mapped[datetime | None]  # of the invitation, then of the reminder
    invited_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    started: Mapped[bool] = mapped_column(default=False)
    delivered: Mapped[bool] = mapped_column(default=False)
    read: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    channel: Mapped[str] = mapped_column(sa.String(24), default="")
    language: Mapped[str] = mapped_column(sa.String(8), default="", server_default="")
    type: Mapped[str] = mapped_column(sa.String(12), default="unknown", server_default="unknown")
    gender: Mapped[str] = mapped_column(sa.String(12), default="unknown", server_default="unknown")
    outbox_key: Mapped[str | None] = mapped_column(sa.String(160))
    cost: Mapped[int] = mapped_column(default=0, server_default="0")  # of its template, in millionths of a euro
    waits: Mapped[str] = mapped_column(sa.String(12), default="", server_default="")  # for what: `bot/survey_window.py`
    made_at: Mapped[datetime] = mapped_column(index=True)


class SurveyConsentRow(Base):
    """Whether somebody agreed to be asked, or wants no survey any more. Apart from the service's consent."""

    __tablename__ = "survey_consent"

    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[str] = mapped_column(sa.String(8))  # given, stopped
    at: Mapped[datetime]


class SurveyPhaseRow(Base):
    """The phase and the last progress talk of a person when last looked at: others by now are events for surveys."""

    __tablename__ = "survey_phase"

    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True)
    phase: Mapped[str] = mapped_column(sa.String(16))
    talked_on: Mapped[date | None]
