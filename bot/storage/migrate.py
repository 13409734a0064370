"""Bringing the database to the form that this version needs: Alembic, at every start; several processes take turns."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Engine

LOCK = 7_312_025  # any number, the same in all processes


def config() -> Config:
    """Alembic's configuration, without a file of its own."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return settings


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the migrations that are missing. Nothing happens when there are none."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        settings = config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)
