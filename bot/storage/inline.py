"""Short writes to SQLite inside the event loop, many in one commit; only the commit itself runs in a thread.

Why: SQLite's driver lets go of the interpreter in each of its calls. A thread that makes a hundred of them for a
message waits a hundred times for the event loop to let it in again: its 9 ms of work took 24 ms, and the whole service
did 28 messages a second (docs/performance.md). In the loop's own thread nobody stands in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from bot.errors import StoreUnavailableError

Job = tuple[Callable[[Connection], Any], "Future[Any]"]

TURN_SECONDS = 0.03  # of work in one commit: the loop has other things to do


class Alone:
    """Who holds it writes. `with` waits for it; `at_once` never takes it before somebody who waits."""

    def __init__(self) -> None:
        self._lock, self._wanted = threading.Lock(), False

    def __enter__(self) -> None:
        self._wanted = True
        self._lock.acquire()
        self._wanted = False

    def __exit__(self, *_: object) -> None:
        self.release()

    def at_once(self) -> bool:
        """Take it if it is free; tells whether it was."""
        return not self._wanted and self._lock.acquire(blocking=False)

    def release(self) -> None:
        """Give it back; from any thread."""
        self._lock.release()


class InlineWriter:
    """Runs short jobs in the loop that made it. Takes turns with the writer in a thread, `other`, by `alone`.

    What can't be done here goes to that one: while another process holds the database, and each group in which a job
    failed.
    """

    def __init__(self, engine: Engine, alone: Alone, other: Callable[[Job], None]) -> None:
        self._engine, self._alone, self._other = engine, alone, other
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._waiting: deque[Job] = deque()
        self._asked = self._committing = False
        self._connection: Connection | None = None
        self._commits = ThreadPoolExecutor(1, thread_name_prefix="commit")

    def add(self, job: Job) -> None:
        """Take a job; from any thread. Its future is done after the commit."""
        self._waiting.append(job)
        if threading.get_ident() == self._thread:
            self._ask()
        else:
            self.ask()

    def ask(self) -> None:
        """Look for work; from any thread. The other writer calls it at the end of each of its turns."""
        with contextlib.suppress(RuntimeError):  # the loop ended: `close` hands over what waits
            self._loop.call_soon_threadsafe(self._ask)

    def close(self) -> None:
        """Hand over what waits, finish the commit that is under way, let the connection go."""
        self._hand_over()
        self._commits.shutdown()
        self._drop()

    def _ask(self) -> None:
        """Work in the next round of the loop, so that what arrives in this one shares the commit."""
        if not self._asked and not self._committing:
            self._asked = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._asked = False
        if self._committing or not self._waiting:
            return
        if not self._alone.at_once():  # the other writer asks again when it is done
            return
        began: list[Job] = []
        try:
            transaction = self._begin()
            results = self._work(began)
        except Exception:  # noqa: BLE001  # the other writer runs each alone, and tells only the one that it concerns
            self._drop()
            self._alone.release()
            self._waiting.extendleft(reversed(began))
            self._hand_over()
            return
        self._committing = True
        self._commits.submit(self._commit, transaction, began, results)

    def _begin(self) -> sa.RootTransaction:
        if self._connection is None:
            self._connection = self._engine.connect()
            self._connection.detach()  # not the pool's any more: it has a setting of its own
            self._connection.connection.execute("PRAGMA busy_timeout=0")  # the loop waits for no other process
        return self._connection.begin()

    def _work(self, began: list[Job]) -> list[Any]:
        assert self._connection is not None
        until = time.perf_counter() + TURN_SECONDS
        results: list[Any] = []
        while self._waiting and (not results or time.perf_counter() < until):
            work, future = self._waiting.popleft()
            if not future.cancelled():
                began.append((work, future))
                results.append(work(self._connection))
        return results

    def _commit(self, transaction: sa.RootTransaction, began: list[Job], results: list[Any]) -> None:
        """In the thread of commits: the disk may take its time."""
        error: Exception | None = None
        try:
            transaction.commit()
        except Exception as failed:  # noqa: BLE001  # goes to everybody in the group
            error = translated(failed)
            self._drop()
        self._committing = False
        self._alone.release()
        for (_, future), result in zip(began, results, strict=True):
            if not future.set_running_or_notify_cancel():
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
        self.ask()

    def _hand_over(self) -> None:
        while self._waiting:
            self._other(self._waiting.popleft())

    def _drop(self) -> None:
        """Forget the connection and what is open on it."""
        let_go(self._connection)
        self._connection = None


def let_go(connection: Connection | None) -> None:
    """Close a connection that may be broken."""
    if connection is not None:
        with contextlib.suppress(sa.exc.SQLAlchemyError):
            connection.close()


def translated(error: Exception) -> Exception:
    """A database that is away, locked or full is one thing to callers: unavailable.

    The words of a row stay out of it.
    """
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.InternalError | OSError):
        return StoreUnavailableError(type(error.__cause__ or error).__name__)
    return error
