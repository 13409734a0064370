"""The one place that opens transactions. All writes of a process go through one writer that commits many at once.

Why: with several writing threads SQLite starves them (p99 331 ms measured), and a commit for each message is three
times slower than one for all that wait. A write is a closure on a connection; it must be repeatable and touch nothing
but the database.

The writer is a thread (`bot/storage/writer.py`). While a server runs on SQLite, short writes (`quick`) run in its event
loop instead.
"""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import IO, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url

from bot.errors import SecondProcessError
from bot.storage import together
from bot.storage.fixed import written_out
from bot.storage.inline import Alone, InlineWriter, translated
from bot.storage.writer import Writer

T = TypeVar("T")
Work = Callable[[Connection], T]
READ_ONLY = "wegwijs_read_only"


def make_engine(url: str) -> Engine:
    """An engine for SQLite (WAL, every commit on the disk) or PostgreSQL. Takes the usual URLs of both."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        engine = sa.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_size=10, max_overflow=20)
        together.listen(engine)
        return engine
    engine = sa.create_engine(parsed, connect_args={"timeout": 5, "check_same_thread": False})
    sa.event.listen(engine, "connect", _on_sqlite_connect)
    sa.event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def _on_sqlite_connect(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver must not send BEGIN itself
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _on_sqlite_begin(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(READ_ONLY)
    written_out(connection, "BEGIN" if read_only else "BEGIN IMMEDIATE", ())


class Store:
    """A database with its writer thread. `start` before use, `close` at the end."""

    def __init__(self, url: str) -> None:
        self.engine = make_engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._alone = Alone()
        self._writer = Writer(self.engine, self._alone, self._ask_inline)
        self._inline: InlineWriter | None = None
        self._lock: IO[str] | None = None

    def lock(self) -> None:
        """Keep other processes off this SQLite file: they would take each other's rows. Raises SecondProcessError."""
        path = self.engine.url.database
        if not self.is_sqlite or not path or path == ":memory:":
            return
        lock = Path(f"{path}.lock").open("w")  # noqa: SIM115  # held as long as the store
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise SecondProcessError(
                f"another process works on {path}; stop it first, or use PostgreSQL for several processes"
            ) from None
        self._lock = lock

    def start(self) -> None:
        self._writer.start()

    def run_inline(self) -> None:
        """From now on short writes run in this event loop, until `close`. Does nothing on PostgreSQL."""
        if self.is_sqlite and self._inline is None:
            self._inline = InlineWriter(self.engine, self._alone, self._writer.add)

    def close(self) -> None:
        """Finish what waits and close the connections."""
        if self._inline is not None:
            self._inline.close()
            self._inline = None
        self._writer.close()
        self.engine.dispose()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def submit(self, work: Work[T]) -> Future[T]:
        """Hand a write to the writer. The future is done after COMMIT."""
        future: Future[T] = Future()
        self._writer.add((work, future))
        return future

    def _ask_inline(self) -> None:
        if (inline := self._inline) is not None:
            inline.ask()

    def write(self, work: Work[T]) -> T:
        """Write and wait for the commit. Not from the event loop: use `awrite` there."""
        return self.submit(work).result()

    async def awrite(self, work: Work[T]) -> T:
        """`write` for coroutines."""
        return await asyncio.wrap_future(self.submit(work))

    def quick(self, work: Work[T]) -> T:
        """`write` for what takes a few milliseconds and happens with every message. Not from the event loop."""
        return self._submit_quick(work).result()

    async def aquick(self, work: Work[T]) -> T:
        """`quick` for coroutines."""
        return await asyncio.wrap_future(self._submit_quick(work))

    def _submit_quick(self, work: Work[T]) -> Future[T]:
        future: Future[T] = Future()
        (self._inline or self._writer).add((work, future))
        return future

    def read(self, work: Work[T]) -> T:
        """Read in a snapshot of its own; does not wait for the writer."""
        try:
            # To its commit: a rollback makes the driver of PostgreSQL forget its prepared statements.
            with self.engine.connect().execution_options(**{READ_ONLY: True}) as connection, connection.begin():
                return work(connection)
        except (sa.exc.SQLAlchemyError, OSError) as error:
            raise translated(error) from None

    async def aread(self, work: Work[T]) -> T:
        """`read` for coroutines."""
        return await asyncio.to_thread(self.read, work)

    def scrub(self) -> None:
        """After somebody was erased: their words must not stay in SQLite's journal either."""
        if not self.is_sqlite:
            return
        connection = self.engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
