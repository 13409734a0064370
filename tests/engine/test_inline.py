"""Short writes in the event loop: they share commits, fail alone, wait for nobody, and lose nothing at the end."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
import sqlalchemy as sa

from bot.errors import StoreUnavailableError
from bot.storage.store import Store


@pytest.fixture
def use(tmp_path):
    """Runs a coroutine with a store that writes inline; gives back what it returns, and the numbers kept at the end."""

    def run(scenario):
        store = Store(f"sqlite:///{tmp_path / 'inline.sqlite3'}")
        store.start()
        store.write(lambda c: c.exec_driver_sql("CREATE TABLE kept (n INTEGER UNIQUE)") and None)

        async def inside():
            store.run_inline()
            return await asyncio.wait_for(scenario(store), 30)

        try:
            result = asyncio.run(inside())
        finally:
            store.close()
        engine = sa.create_engine(f"sqlite:///{tmp_path / 'inline.sqlite3'}")
        with engine.connect() as connection:
            kept = list(connection.exec_driver_sql("SELECT n FROM kept ORDER BY n").scalars())
        engine.dispose()
        return result, kept

    return run


def keep(number):
    return lambda c: c.exec_driver_sql("INSERT INTO kept VALUES (?)", (number,)).rowcount


def commits(store):
    counted = []
    sa.event.listen(store.engine, "commit", lambda _: counted.append(threading.current_thread().name))
    return counted


def test_what_comes_together_shares_a_commit_and_the_loop_does_not_wait_for_the_disk(use):
    async def scenario(store):
        counted = commits(store)
        where = [threading.current_thread().name]
        store_where = store.aquick(lambda _: where.append(threading.current_thread().name))
        await asyncio.gather(store_where, *(store.aquick(keep(number)) for number in range(5)))
        return counted, where

    (counted, where), kept = use(scenario)
    assert kept == list(range(5))
    assert len(counted) == 1
    assert counted[0].startswith("commit")
    assert where[0] == where[1]


def test_from_a_thread_it_waits_for_the_commit(use):
    async def scenario(store):
        return await asyncio.to_thread(store.quick, keep(7))

    assert use(scenario) == (1, [7])


def test_one_that_fails_takes_nobody_with_it(use):
    async def scenario(store):
        await store.aquick(keep(1))
        writes = (store.aquick(keep(number)) for number in (2, 1, 3))
        return [type(result) for result in await asyncio.gather(*writes, return_exceptions=True)]

    results, kept = use(scenario)
    assert results == [int, sa.exc.IntegrityError, int]
    assert kept == [1, 2, 3]


def test_while_another_process_holds_the_database_the_loop_goes_on(use, tmp_path):
    async def scenario(store):
        await store.aquick(keep(1))
        other = sa.create_engine(f"sqlite:///{tmp_path / 'inline.sqlite3'}", isolation_level=None).raw_connection()
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(store.aquick(keep(2)))
        began, slowest = time.perf_counter(), 0.0
        while time.perf_counter() < began + 0.3:
            at = time.perf_counter()
            await asyncio.sleep(0.01)
            slowest = max(slowest, time.perf_counter() - at)
        waited = not writing.done()
        other.execute("COMMIT")
        other.close()
        await writing
        return waited, slowest

    (waited, slowest), kept = use(scenario)
    assert waited
    assert slowest < 0.25  # the other writer waits up to 5 s in one piece
    assert kept == [1, 2]


def test_a_long_write_gets_its_turn_between_the_short_ones(use):
    async def scenario(store):
        stop = False

        async def flood(first):
            number = first
            while not stop:
                await store.aquick(keep(number))
                number += 10

        floods = [asyncio.create_task(flood(first)) for first in range(1, 5)]
        began = time.perf_counter()
        for number in range(20):
            await store.awrite(keep(-1 - number))
        took, stop = time.perf_counter() - began, True
        await asyncio.gather(*floods)
        return took

    took, kept = use(scenario)
    assert took < 10
    assert [number for number in kept if number < 0] == list(range(-20, 0))


def test_what_waits_at_the_end_is_written(use):
    async def scenario(store):
        futures = [store._submit_quick(keep(number)) for number in range(3)]
        store.close()
        return [future.result(5) for future in futures]

    assert use(scenario) == ([1, 1, 1], [0, 1, 2])


def test_a_write_after_the_end_is_refused_instead_of_waiting_for_ever(tmp_path):
    """A chore's thread outlives the stop that cancelled it; the process waits for the thread."""
    store = Store(f"sqlite:///{tmp_path / 'closed.sqlite3'}")
    for _ in range(2):
        store.start()
        assert store.submit(lambda _: 1).result(10) == 1
        store.close()
        with pytest.raises(StoreUnavailableError):
            store.submit(lambda _: 1).result(10)


def test_a_write_that_nobody_waits_for_any_more_is_not_begun(use):
    async def scenario(store):
        gone = store._submit_quick(keep(1))
        assert gone.cancel()
        return await store.aquick(keep(2))

    assert use(scenario) == (1, [2])


def test_a_commit_that_the_disk_refuses_is_told_to_everybody_and_the_next_one_works(use):
    async def scenario(store):
        def refuse(_):
            raise sa.exc.OperationalError("COMMIT", None, Exception("disk I/O error"))

        sa.event.listen(store.engine, "commit", refuse)
        writes = (store.aquick(keep(number)) for number in (1, 2))
        results = await asyncio.gather(*writes, return_exceptions=True)
        sa.event.remove(store.engine, "commit", refuse)
        await store.aquick(keep(3))
        return [type(result) for result in results]

    assert use(scenario) == ([StoreUnavailableError, StoreUnavailableError], [3])


class DeadlockError(Exception):
    """What the driver of PostgreSQL raises when two transactions wait for each other."""

    sqlstate = "40P01"


@pytest.mark.parametrize("times", [1, 5])
def test_transactions_that_stopped_each_other_run_once_more(store, times):
    """Otherwise the message of each would wait until its lease ends: a minute."""
    met = []

    def meets(connection):
        if len(met) < times:
            met.append(True)
            raise sa.exc.OperationalError("UPDATE", {}, DeadlockError())
        return connection.execute(sa.text("SELECT 7")).scalar_one()

    assert store.write(meets) == 7
    assert len(met) == times


def test_transactions_that_always_stop_each_other_are_given_up(store):
    def meets(_):
        raise sa.exc.OperationalError("UPDATE", {}, DeadlockError())

    with pytest.raises(StoreUnavailableError):
        store.write(meets)
    assert store.write(lambda c: c.execute(sa.text("SELECT 7")).scalar_one()) == 7
