"""Every revision on a database that is in use: what stood there before a step stands there after it.

There is no release yet, so each revision counts as one. A migration only goes forward (docs/operations.md).
"""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from bot.storage.migrate import config, newest, upgrade
from bot.storage.models import Base
from bot.storage.store import Store

AT = dt.datetime(2026, 1, 5, 9, 0, tzinfo=dt.UTC)
VALUES = {
    sa.Boolean: True,
    sa.DateTime: AT,
    sa.Date: AT.date(),
    sa.Time: dt.time(9),
    sa.JSON: [],
    sa.Integer: 1,
    sa.Float: 1.0,
    sa.String: "x",
}


@pytest.fixture(params=["sqlite", "postgres"])
def bare(request, tmp_path):
    """A store without a table."""
    if request.param == "sqlite":
        made = Store(f"sqlite:///{tmp_path / 'bare.sqlite3'}")
    else:
        made = Store(request.getfixturevalue("postgres"))
        with made.engine.begin() as connection:
            connection.execute(sa.text("DROP SCHEMA public CASCADE"))
            connection.execute(sa.text("CREATE SCHEMA public"))
    yield made
    made.close()


def revisions():
    return [one.revision for one in reversed(list(ScriptDirectory.from_config(config()).walk_revisions()))]


def tables(connection):
    found = sa.MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def count(connection, table):
    return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def fill(connection, there):
    """A row in every table that has none, with a value in every column that must have one and in every foreign key."""
    for table in there:
        if not count(connection, table):
            numbers = {table.autoincrement_column} if table.autoincrement_column is not None else set()
            wanted = [c for c in table.columns if c.foreign_keys or not (c.nullable or c.server_default is not None)]
            row = {column.name: value(connection, column) for column in wanted if column not in numbers}
            connection.execute(table.insert().values(**row))


def value(connection, column):
    for key in column.foreign_keys:
        return connection.execute(sa.select(sa.func.min(key.column))).scalar_one()
    return next(made for kind, made in VALUES.items() if isinstance(column.type, kind))


def test_what_was_there_is_there_after_every_step(bare):
    before = {}
    for revision in revisions():
        upgrade(bare.engine, revision)
        with bare.engine.begin() as connection:
            there = tables(connection)
            after = {table.name: count(connection, table) for table in there}
            assert {name: after.get(name) for name in before} == before, f"rows were lost at {revision}"
            fill(connection, there)
            before = {table.name: count(connection, table) for table in there}
            assert set(before.values()) == {1}, revision
    with bare.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            assert len(connection.execute(sa.select(table)).all()) == 1, table.name


def test_there_is_one_line_of_revisions():
    scripts = ScriptDirectory.from_config(config())
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1


def test_the_newest_revision_is_told_without_running_anything():
    assert newest() == ScriptDirectory.from_config(config()).get_current_head()


def test_a_start_with_nothing_to_do_runs_no_migration(bare, monkeypatch):
    upgrade(bare.engine)
    monkeypatch.setattr("alembic.command.upgrade", lambda *_: pytest.fail("a migration ran"))
    upgrade(bare.engine)


def test_a_database_of_a_newer_version_is_refused(bare):
    upgrade(bare.engine)
    with bare.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CommandError, match="9999"):
        upgrade(bare.engine)
