"""What every table shares. Tables stand in `models.py`, those of the people who work here in `account_models.py`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase

from bot.storage.types import UtcTime


class Base(DeclarativeBase):
    type_annotation_map = {datetime: UtcTime(), dict[str, Any]: sa.JSON(), list[Any]: sa.JSON()}  # noqa: RUF012
