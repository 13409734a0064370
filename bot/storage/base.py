"""What every table shares. Tables stand in `models.py`, those of the people who work here in `account_models.py`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase

from bot.storage.types import UtcTime


class Base(DeclarativeBase):
    # None is NULL and not the JSON word `null`: what is wiped is gone for `IS NOT NULL` too.
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy's way
        datetime: UtcTime(),
        dict[str, Any]: sa.JSON(none_as_null=True),
        list[Any]: sa.JSON(none_as_null=True),
    }


def table_of(row: type[Base]) -> sa.Table:
    """The table of a row class, for statements that are made once and run for every message."""
    return cast("sa.Table", row.__table__)
