"""Facts of a day that outlive the rows of people. No words, no person, no number of one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import Base


class FactRow(Base):
    """How often something happened on a day (in Dutch time): `name` says what, `part` which kind of it."""

    __tablename__ = "fact"

    day: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(24), primary_key=True)
    part: Mapped[str] = mapped_column(sa.String(24), primary_key=True)
    n: Mapped[int]


class PublishedRow(Base):
    """What was shown of a closed wave, and of how many people. No word and no row of a person.

    The figures stay as they were first shown, also when somebody in them is erased: two looks that differ by one person
    would tell what that person answered. `wave` is "file:..." where figures are of a file of answers.
    """

    __tablename__ = "published"

    wave: Mapped[str] = mapped_column(sa.String(56), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(8), primary_key=True)  # report, export; making: begun then
    people: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    document: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the report; nothing for an export
