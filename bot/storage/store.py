"""The one place that opens transactions. All writes of a process go through one writer that commits many at once.

Why: with several writing threads SQLite starves them (p99 331 ms measured), and a commit for each message is three
times slower than one for all that wait. A write is a closure on a connection; it must be repeatable and touch nothing
but the database, because when one of a group fails the group is rolled back and each runs alone.

The writer is a thread. While a server runs on SQLite, short writes (`quick`) run in its event loop instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import IO, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url

from bot.errors import SecondProcessError, StoreUnavailableError
from bot.storage.fixed import written_out
from bot.storage.inline import Alone, InlineWriter, translated

log = logging.getLogger(__name__)
T = TypeVar("T")
Work = Callable[[Connection], T]
GROUP = 256  # writes in one commit at most
READ_ONLY = "wegwijs_read_only"
TRIES, PAUSE_SECONDS = 6, 0.05  # where transactions of two processes stop each other


def make_engine(url: str) -> Engine:
    """An engine for SQLite (WAL, every commit on the disk) or PostgreSQL. Takes the usual URLs of both."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return sa.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_size=10, max_overflow=20)
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
        self._queue: queue.SimpleQueue[tuple[Work[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._gate, self._closed = threading.Lock(), False
        self._lock: IO[str] | None = None
        self._alone = Alone()
        self._connection: Connection | None = None  # the writer's
        self._inline: InlineWriter | None = None

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
        if self._thread is None:
            self._closed = False
            self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
            self._thread.start()

    def run_inline(self) -> None:
        """From now on short writes run in this event loop, until `close`. Does nothing on PostgreSQL."""
        if self.is_sqlite and self._inline is None:
            self._inline = InlineWriter(self.engine, self._alone, self._queue.put)

    def close(self) -> None:
        """Finish what waits and close the connections."""
        if self._inline is not None:
            self._inline.close()
            self._inline = None
        if self._thread is not None:
            with self._gate:  # whoever comes later is told: nobody would answer, and they would wait for ever
                self._closed = True
                self._queue.put(None)
            self._thread.join()
            self._thread = None
            self._drop()
        self.engine.dispose()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def submit(self, work: Work[T]) -> Future[T]:
        """Hand a write to the writer. The future is done after COMMIT."""
        future: Future[T] = Future()
        with self._gate:
            if self._closed:
                future.set_exception(StoreUnavailableError("closed"))
            else:
                self._queue.put((work, future))
        return future

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
        if self._inline is None:
            return self.submit(work)
        future: Future[T] = Future()
        self._inline.add((work, future))
        return future

    def read(self, work: Work[T]) -> T:
        """Read in a snapshot of its own; does not wait for the writer."""
        try:
            with self.engine.connect().execution_options(**{READ_ONLY: True}) as connection:
                found = work(connection)
                connection.commit()  # a rollback makes the driver of PostgreSQL forget its prepared statements
                return found
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

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            group = [first]
            ends = False
            with contextlib.suppress(queue.Empty):
                while len(group) < GROUP:
                    item = self._queue.get_nowait()
                    if item is None:
                        ends = True
                        break
                    group.append(item)
            self._commit(group)
            if (inline := self._inline) is not None:
                inline.ask()
            if ends:
                return

    def _commit(self, group: list[tuple[Work[Any], Future[Any]]]) -> None:
        group = [(work, future) for work, future in group if future.set_running_or_notify_cancel()]
        if not group:
            return
        try:
            with self._alone, self._transaction() as connection:
                results = [work(connection) for work, _ in group]
        except Exception as error:  # noqa: BLE001  # whatever failed goes to its caller
            failure = translated(error)
            is_for_all = len(group) == 1 or isinstance(failure, StoreUnavailableError)  # away, locked or full
            if is_for_all and not collided(error):
                for _, future in group:
                    future.set_exception(failure)
                return
            for work, future in group:
                self._commit_alone(work, future)
            return
        for (_, future), result in zip(group, results, strict=True):
            future.set_result(result)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """On the writer's own connection, which is kept: a driver knows its prepared statements by connection."""
        if self._connection is None:
            self._connection = self.engine.connect()
        try:
            with self._connection.begin():
                yield self._connection
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sa.exc.SQLAlchemyError):
                self._connection.close()
            self._connection = None

    def _commit_alone(self, work: Work[Any], future: Future[Any]) -> None:
        for left in reversed(range(TRIES)):
            try:
                with self._alone, self._transaction() as connection:
                    result = work(connection)
            except Exception as error:  # noqa: BLE001  # as above
                if left and collided(error):
                    time.sleep(random.uniform(0, PAUSE_SECONDS))  # noqa: S311  # so that the two don't meet again
                    continue
                future.set_exception(translated(error))
            else:
                future.set_result(result)
            return


def collided(error: Exception) -> bool:
    """Whether PostgreSQL stopped a transaction because it and another one waited for each other: nothing is wrong.

    Processes that write many things in one commit meet now and then. The work is repeatable, so it runs once more.
    """
    return getattr(getattr(error, "orig", None), "sqlstate", None) in ("40P01", "40001")
