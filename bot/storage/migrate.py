"""Bringing the database to the form that this version needs: Alembic, at every start; several processes take turns."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection, Engine

LOCK = 7_312_025  # any number, the same in all processes


def config() -> Config:
    """Alembic's configuration, without a file of its own."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return settings


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the migrations that are missing. Nothing happens when there are none."""
    with engine.connect() as connection, _without_cascades(connection), connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        settings = config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)


@contextlib.contextmanager
def _without_cascades(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by making it anew; dropping the old one would take with it all rows that hang on it.

    The switch works only outside a transaction, so it goes past SQLAlchemy, which begins one by itself.
    """
    driver = connection.connection.driver_connection
    if connection.dialect.name != "sqlite" or driver is None:
        yield
        return
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")
