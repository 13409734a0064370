"""A thread that writes: all that waits when its turn comes goes into one commit.

A commit for each message is three times slower than one for all that wait. When one of a group fails, the group is
rolled back and each runs alone: so a write must be repeatable and touch nothing but the database.
"""

from __future__ import annotations

import contextlib
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

from sqlalchemy.engine import Connection, Engine

from bot.errors import StoreUnavailableError
from bot.storage.inline import Alone, Job, let_go, translated

GROUP = 256  # writes in one commit at most
TRIES, PAUSE_SECONDS = 6, 0.05  # where transactions of two writers stop each other


class Writer:
    """Takes jobs until it is closed. `alone`: who holds it writes; `after`: called after each group."""

    def __init__(self, engine: Engine, alone: Alone, after: Callable[[], None] = lambda: None) -> None:
        self._engine, self._alone, self._after = engine, alone, after
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._gate, self._closed = threading.Lock(), False
        self._connection: Connection | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is None:
            self._closed = False
            self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
            self._thread.start()

    def add(self, job: Job) -> None:
        """Take a job. Its future is done after the commit; at once, with StoreUnavailableError, after `close`."""
        with self._gate:
            if self._closed:
                job[1].set_exception(StoreUnavailableError("closed"))
            else:
                self._queue.put(job)

    def close(self) -> None:
        """Finish what waits. Whoever comes later is told: nobody would answer, and they would wait for ever."""
        if self._thread is None:
            return
        with self._gate:
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        self._thread = None
        self._drop()

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
            self._after()
            if ends:
                return

    def _commit(self, group: list[Job]) -> None:
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

    def _commit_alone(self, work: Callable[[Connection], Any], future: Future[Any]) -> None:
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

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """On a connection of its own, which is kept: a driver knows its prepared statements by connection."""
        if self._connection is None:
            self._connection = _line(self._engine)
        try:
            with self._connection.begin():
                yield self._connection
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        let_go(self._connection)
        self._connection = None


def _line(engine: Engine) -> Connection:
    """A connection that is not the pool's: PostgreSQL may walk through a table there only where no index helps.

    It keeps a plan until somebody counts the table anew: one made while a queue was empty would read the whole queue at
    each message from then on. Where no index helps it thinks, until version 17, that the walk costs very much, and
    compiles it first: 0.1 s, for nothing.
    """
    connection = engine.connect()
    connection.detach()
    if engine.dialect.name == "postgresql":
        with connection.begin():
            connection.exec_driver_sql("SET enable_seqscan = off")
            connection.exec_driver_sql("SET jit = off")
    return connection


def collided(error: Exception) -> bool:
    """Whether PostgreSQL stopped a transaction because it and another one waited for each other: nothing is wrong.

    Two that write many things in one commit meet now and then. The work is repeatable, so it runs once more.
    """
    return getattr(getattr(error, "orig", None), "sqlstate", None) in ("40P01", "40001")
