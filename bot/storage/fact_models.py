"""Facts of a day that outlive the rows of people. No words, no person, no number of one."""

from __future__ import annotations

from datetime import date

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
