"""Bringing the database to the form that this version needs: Alembic, at every start; several processes take turns."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

if TYPE_CHECKING:  # 0.15 s and 8 MB that a start without a new migration need not have
    from alembic.config import Config

LOCK = 7_312_025  # any number, the same in all processes
MIGRATIONS = Path(__file__).parent / "migrations"
_REVISION = re.compile(r"^(revision|down_revision) = '([^']+)'", re.MULTILINE)


def newest() -> str:
    """The revision that no other one comes after, read from the files without running them."""
    named: dict[str, set[str]] = {"revision": set(), "down_revision": set()}
    for path in (MIGRATIONS / "versions").glob("*.py"):
        for name, value in _REVISION.findall(path.read_text(encoding="utf-8")):
            named[name].add(value)
    last: str
    (last,) = named["revision"] - named["down_revision"]
    return last


def config() -> Config:
    """Alembic's configuration, without a file of its own."""
    from alembic.config import Config  # noqa: PLC0415  # as above

    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS))
    return settings


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the migrations that are missing. Nothing happens when there are none."""
    if revision == "head" and _is_newest(engine):
        return
    from alembic import command  # noqa: PLC0415  # as above

    with engine.connect() as connection, _without_cascades(connection), connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        settings = config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)


def _is_newest(engine: Engine) -> bool:
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return False
        return list(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars()) == [newest()]


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
