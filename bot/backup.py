"""A copy of the database in one file while the service works, and back again.

SQLite: its online backup, page by page, so that writers hardly wait. PostgreSQL: `pg_dump`, `pg_restore` and `psql`,
the database's own programs (Debian: postgresql-client). Beside each copy stands a manifest: the schema's revision, the
rows of each table and a hash. The keys are never part of a copy: without them no address in it can be read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, make_url

from bot.errors import WegwijsError
from bot.storage.models import Base
from bot.storage.store import READ_ONLY, Store, make_engine

PAGES = 2_000  # of 4 kB that are copied before a writer may go on
SUFFIX = {"sqlite": ".sqlite3", "postgresql": ".pgdump"}


class BackupError(WegwijsError):
    """A copy could not be made or put back. The message says why and what to do."""


@dataclass(frozen=True)
class Manifest:
    """What a copy holds. `rows` are those of the copy itself on SQLite, of the moment of the copy on PostgreSQL."""

    made_at: str
    kind: str
    revision: str
    sha256: str
    rows: dict[str, int]


def backup(url: str, folder: Path, now: datetime) -> Path:
    """Copy the database at `url` into a new file in `folder`, with its manifest beside it. Returns the file.

    Nothing half made stays behind. Raises BackupError.
    """
    parsed = make_url(url)
    kind = parsed.get_backend_name()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"wegwijs-{now:%Y%m%d-%H%M%S}{SUFFIX[kind]}"
    draft = target.with_name(f".{target.name}.part")
    if target.exists():
        raise BackupError(f"{target} is there already; wait a second and try again")
    try:
        if kind == "sqlite":
            _copy_sqlite(Path(parsed.database or ""), draft)
            revision, rows = _facts(f"sqlite:///{draft}")
        else:
            revision, rows = _facts(url)
            _run("pg_dump", ["--format=custom", "--no-owner", f"--file={draft}"], url)
        draft.chmod(0o600)
        manifest = Manifest(now.isoformat(), kind, revision, _hash(draft), rows)
        _manifest_path(target).write_text(json.dumps(asdict(manifest), indent=2) + "\n")
        draft.replace(target)
    finally:
        for left in (draft, draft.with_name(f"{draft.name}-wal"), draft.with_name(f"{draft.name}-shm")):
            left.unlink(missing_ok=True)
    return target


def restore(url: str, file: Path, *, replace: bool) -> Manifest:
    """Put a copy back where `url` points. The service must be stopped.

    A database with something in it is only replaced on demand; on SQLite the old file is kept beside it as
    `….before-restore`. Raises BackupError; then nothing was changed.
    """
    manifest = read_manifest(file)
    kind = make_url(url).get_backend_name()
    if manifest.kind != kind:
        raise BackupError(f"{file.name} is a copy of {manifest.kind}, the settings name {kind}: set the address anew")
    if _holds_something(url) and not replace:
        raise BackupError("the database is not empty; add --replace to put the copy in its place")
    if kind == "sqlite":
        _restore_sqlite(url, file)
    else:
        _restore_postgresql(url, file)
    return manifest


def read_manifest(file: Path) -> Manifest:
    """The manifest of a copy, after its hash was compared. Raises BackupError."""
    if not file.is_file():
        raise BackupError(f"{file} is no file")
    try:
        manifest = Manifest(**json.loads(_manifest_path(file).read_text()))
    except (OSError, ValueError, TypeError):
        raise BackupError(f"{_manifest_path(file).name} is missing or broken; it belongs beside the copy") from None
    if _hash(file) != manifest.sha256:
        raise BackupError(f"{file.name} was changed or is cut off: its hash is not that of the manifest")
    return manifest


def _manifest_path(file: Path) -> Path:
    return file.with_suffix(".json")


def _copy_sqlite(source: Path, target: Path) -> None:
    if not source.is_file():
        raise BackupError(f"there is no database at {source}")
    with closing(sqlite3.connect(source, timeout=30)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy, pages=PAGES, sleep=0.001)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
        if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise BackupError("the copy is not whole; check the disk and try again")


def _restore_sqlite(url: str, file: Path) -> None:
    target = Path(make_url(url).database or "")
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(url):
        draft = target.with_name(f".{target.name}.restoring")
        shutil.copyfile(file, draft)
        draft.chmod(0o600)
        if target.exists():
            with closing(sqlite3.connect(target)) as old:
                old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            target.replace(target.with_name(f"{target.name}.before-restore"))
        for beside in ("-wal", "-shm"):
            target.with_name(f"{target.name}{beside}").unlink(missing_ok=True)
        draft.replace(target)


def _restore_postgresql(url: str, file: Path) -> None:
    """All in one transaction: either the copy is there, and nothing else, or the database is as it was."""
    _refuse_while_used(url)
    with tempfile.TemporaryDirectory() as folder:  # for its owner alone
        empty, copy = Path(folder) / "empty.sql", Path(folder) / "copy.sql"
        empty.write_text(_EMPTY)
        _run("pg_restore", ["--no-owner", f"--file={copy}", str(file)])
        arguments = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
        _run("psql", [*arguments, f"--file={empty}", f"--file={copy}"], url)


# What `pg_restore --clean` leaves or stumbles over: tables of a newer version, which hold on to those of the copy.
_EMPTY = """
SET client_min_messages = warning;
DO $$
DECLARE one record;
BEGIN
  FOR one IN SELECT oid::regclass AS name FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e') LOOP
    EXECUTE format('DROP TABLE IF EXISTS %s CASCADE', one.name);
  END LOOP;
  FOR one IN SELECT oid::regprocedure AS name FROM pg_proc
      WHERE pronamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e') LOOP
    EXECUTE format('DROP ROUTINE IF EXISTS %s CASCADE', one.name);
  END LOOP;
END $$;
"""


def _refuse_while_used(url: str) -> None:
    """SQLite has a lock for it; here whoever is connected may be a service that goes on writing."""
    others = sa.text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename IS NOT NULL"
    )
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            number = connection.execute(others).scalar_one()
    finally:
        engine.dispose()
    if number:
        mend = "stop the service on every machine, and close psql and poolers"
        raise BackupError(f"{number} other connections use the database: {mend}")


@contextmanager
def _alone(url: str) -> Iterator[None]:
    """Hold the lock that a running service would hold. Raises SecondProcessError."""
    store = Store(url)
    store.lock()
    try:
        yield
    finally:
        store.close()


def _holds_something(url: str) -> bool:
    path = make_url(url).database
    if url.startswith("sqlite") and not Path(path or "").exists():
        return False
    _, rows = _facts(url)
    return any(rows.values())


def _facts(url: str) -> tuple[str, dict[str, int]]:
    """The schema's revision and the rows of each table, in one snapshot."""
    engine = make_engine(url)
    level = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    try:
        with engine.connect().execution_options(**{READ_ONLY: True}, **level) as connection:
            return revision_of(connection), count_rows(connection)
    finally:
        engine.dispose()


def revision_of(connection: Connection) -> str:
    """The newest migration that ran; nothing on an empty database."""
    if "alembic_version" not in sa.inspect(connection).get_table_names():
        return ""
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none() or "")


def count_rows(connection: Connection) -> dict[str, int]:
    """How many rows each table of ours has."""
    there = set(sa.inspect(connection).get_table_names())
    tables = [table for name, table in sorted(Base.metadata.tables.items()) if name in there]
    return {t.name: connection.execute(sa.select(sa.func.count()).select_from(t)).scalar_one() for t in tables}


def _hash(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _run(program: str, arguments: list[str], url: str = "") -> None:
    """Run a program of PostgreSQL. The password goes by the environment, where no list of processes shows it."""
    found = shutil.which(program)
    if found is None:
        raise BackupError(f"{program} is not installed; on Debian: apt install postgresql-client")
    environment, command = {**os.environ}, [found]
    if url:
        parsed = make_url(url)
        if parsed.password:
            environment["PGPASSWORD"] = str(parsed.password)
        plain = parsed.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
        command.append(f"--dbname={plain}")
    done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=False)  # noqa: S603  # no shell; words of the settings
    if done.returncode:
        raise BackupError(f"{program} failed: {_said(done.stderr)}")


_MENDS = {
    "must be owner": "use the WEGWIJS_DATABASE_URL of the owner of the tables, docs/accounts.md",
    '" does not exist': "make it first, with a password of its own: it stands in the copy with what it may do",
}


def _said(stderr: str) -> str:
    """The line of a program that tells most: the last where versions differ, the first error otherwise."""
    lines = stderr.strip().splitlines() or ["it said nothing"]
    if "version" in lines[-1]:
        return f"{lines[-1]}; install a postgresql-client that is as new as the server"
    first = next((line for line in lines if "error:" in line.lower()), lines[-1])
    said = re.sub(r"^.*?\berror:\s*", "", first, flags=re.IGNORECASE)
    return said + next((f"; {mend}" for part, mend in _MENDS.items() if part in said), "")
