"""The other side of the wall: answers to surveys. No foreign key, no number of a contact, no time of day.

Nothing of the desk may import this module (`.importlinter`), and on PostgreSQL the desk's role may not read the table
(`wegwijs surveys grants`). How to check it: `docs/privacy.md`.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import Base


class SurveyAnswerRow(Base):
    """One item of one respondent in one wave, with the groups the respondent belonged to on that day.

    The key is made of the pseudonym, and SQLite keeps no row number beside it: the order of rows says nothing about
    the order of answers.
    """

    __tablename__ = "survey_answer"
    __table_args__ = (
        sa.Index("survey_answer_item", "item", "status"),
        sa.Index("survey_answer_day", "asked_on"),
        sa.Index("survey_answer_wave", "wave"),
        {"sqlite_with_rowid": False},
    )

    respondent: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    wave: Mapped[str] = mapped_column(sa.String(56), primary_key=True)
    item: Mapped[str] = mapped_column(sa.String(30), primary_key=True)
    version: Mapped[int] = mapped_column(sa.SmallInteger)
    study: Mapped[str] = mapped_column(sa.String(4), default="")
    value: Mapped[str | None] = mapped_column(sa.Text)
    status: Mapped[str] = mapped_column(sa.String(12))  # answered, skipped, broken_off, not_asked
    asked_on: Mapped[date]
    language: Mapped[str] = mapped_column(sa.String(8))
    channel: Mapped[str] = mapped_column(sa.String(24))
    type: Mapped[str] = mapped_column(sa.String(12))
    gender: Mapped[str] = mapped_column(sa.String(12))
    age_group: Mapped[str] = mapped_column(sa.String(8))
    route: Mapped[str] = mapped_column(sa.String(12))
    phase: Mapped[str] = mapped_column(sa.String(20))
    work_status: Mapped[str] = mapped_column(sa.String(12))
    # An open answer that somebody read: the day, and the words that may be shown (None: none of them).
    reviewed_on: Mapped[date | None]
    shown: Mapped[str | None] = mapped_column(sa.Text)
