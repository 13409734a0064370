"""The loops: people side by side and each in order, crashes survived, one bad message stops nobody.

On both databases.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.clock import Clock
from bot.commands.work import until_told
from bot.errors import Failure, SecondProcessError, SendError
from bot.messages import Address, InboundMessage, Kind
from bot.storage import lanes
from bot.storage.models import InboxRow, LaneState, OutboxRow
from bot.storage.store import Store
from bot.understanding import Outcome, Understanding
from tests.conftest import make_service


@pytest.fixture
def live(settings, store, vault, content, understander):
    """A service on the machine's own clock, so that its loops run."""
    return make_service(settings, store, vault, Clock(), content, understander)


def tap(key: str, who: str, token: str = "menu") -> InboundMessage:
    return InboundMessage(key, Address("console", who), Kind.TAP, token=token)


async def work(service, until, seconds=10.0):
    """Run the worker until something holds."""
    running = asyncio.create_task(service.worker.run())
    try:
        async with asyncio.timeout(seconds):
            while not until():  # noqa: ASYNC110  # it looks at a database
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def open_rows(service, table):
    query = sa.select(sa.func.count()).select_from(table).where(table.state < LaneState.DONE)
    return service.store.read(lambda c: c.execute(query).scalar_one())


def sent(service):
    return service.channels["console"].sent


def test_everything_is_answered_in_order_per_person(live):
    async def run():
        for number in range(5):
            for who in "abcdef":
                await live.inbox.accept(tap(f"{who}{number}", who))
        await work(live, lambda: len(sent(live)) == 30)

    asyncio.run(run())
    assert open_rows(live, InboxRow) == open_rows(live, OutboxRow) == 0


def test_one_message_that_fails_stops_nobody_else(live, monkeypatch):
    close = live.conversation.close

    def failing(connection, row, *heard):
        if row.key == "a0":
            raise RuntimeError("a fault of ours")
        return close(connection, row, *heard)

    monkeypatch.setattr(live.conversation, "close", failing)
    monkeypatch.setattr(lanes, "ATTEMPTS", 1)

    async def run():
        for key in ("a0", "a1", "b0"):
            await live.inbox.accept(tap(key, key[0]))
        await work(live, lambda: len(sent(live)) == 2)

    asyncio.run(run())
    query = sa.select(InboxRow.state, InboxRow.error).where(InboxRow.key == "a0")
    assert tuple(live.store.read(lambda c: c.execute(query).one())) == (LaneState.DEAD, "RuntimeError")


def test_what_a_killed_process_held_is_done_by_the_next(live):
    """Its inbox row runs again; its send may have arrived, so it becomes unknown and is not repeated."""

    async def run():
        await live.inbox.accept(tap("a0", "a"))
        await live.inbox.accept(tap("b0", "b"))
        now = live.clock.now()
        held = live.store.write(lambda c: lanes.claim(c, InboxRow, now, 1))
        live.conversation.handle(live.store, held[0])
        later = live.clock.now()
        live.store.write(lambda c: lanes.claim(c, OutboxRow, later, 1, "console"))
        live.store.write(lambda c: lanes.claim(c, InboxRow, now, 1))
        past = now - timedelta(minutes=5)
        for table in (InboxRow, OutboxRow):
            live.store.write(
                lambda c, t=table: c.execute(sa.update(t).where(t.state == 1).values(lease_until=past)) and None
            )
        await work(live, lambda: len(sent(live)) == 1)

    asyncio.run(run())
    assert [message.address.value for message in sent(live)] == ["b"]
    query = sa.select(OutboxRow.state).order_by(OutboxRow.id)
    assert list(live.store.read(lambda c: c.execute(query).scalars())) == [LaneState.UNKNOWN, LaneState.DONE]


def test_a_worker_that_is_told_to_stop_finishes_what_is_under_way(live, monkeypatch):
    """Its send gets its answer and is done, not unknown; what it had not begun waits for the next worker."""
    channel = live.channels["console"]
    send, begun, go_on = channel.send, asyncio.Event(), asyncio.Event()

    async def slow(*message):
        begun.set()
        await go_on.wait()
        return await send(*message)

    monkeypatch.setattr(channel, "send", slow)

    async def run():
        await live.inbox.accept(tap("a0", "a"))
        running = asyncio.create_task(live.worker.run())
        await asyncio.wait_for(begun.wait(), 10)
        running.cancel()
        await asyncio.sleep(0)
        await live.inbox.accept(tap("b0", "b"))
        asyncio.get_running_loop().call_later(0.05, go_on.set)
        with contextlib.suppress(asyncio.CancelledError):
            await running

    asyncio.run(run())
    assert list(live.store.read(lambda c: c.execute(sa.select(OutboxRow.state)).scalars())) == [LaneState.DONE]
    states = sa.select(InboxRow.key, InboxRow.state).order_by(InboxRow.id)
    assert live.store.read(lambda c: c.execute(states).all()) == [("a0", LaneState.DONE), ("b0", LaneState.READY)]


@pytest.mark.parametrize(("after", "ran"), [(0.0, True), (3600.0, False)])
def test_chores_of_a_server_wait_until_it_has_answered(live, after, ran):
    looked = []

    class Chore:
        async def run(self):
            looked.append(True)
            await asyncio.sleep(3600)

    live.worker.chores, live.worker.chores_after = [Chore()], after

    async def run():
        await live.inbox.accept(tap("k", "a"))
        await work(live, lambda: sent(live))

    asyncio.run(run())
    assert bool(looked) is ran


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_the_worker_command_finishes_a_send_when_a_signal_says_stop(live, told):
    channel = live.channels["console"]
    send = channel.send

    async def slow(address, message, callback=None):
        os.kill(os.getpid(), told)
        await asyncio.sleep(0.3)
        return await send(address, message, callback)

    channel.send = slow

    async def run():
        await live.inbox.accept(tap("k", "a"))
        await until_told(live)

    store = live.store
    asyncio.run(asyncio.wait_for(run(), 10))
    store.start()
    states = store.read(lambda c: set(c.execute(sa.select(OutboxRow.state)).scalars()))
    assert LaneState.DONE in states
    assert states.isdisjoint({LaneState.UNKNOWN, LaneState.RUNNING})


def test_a_send_without_an_answer_is_unknown_and_never_repeated(live):
    tries = []

    def lost(message):
        tries.append(message)
        raise SendError(Failure.UNKNOWN, "ReadTimeout")

    live.channels["console"].fail = lost

    async def run():
        await live.inbox.accept(tap("a0", "a"))
        await work(live, lambda: open_rows(live, OutboxRow) == 0 and tries)

    asyncio.run(run())
    assert len(tries) == 1


def test_a_fault_inside_a_channel_is_unknown_too(live):
    def broken(_):
        raise ZeroDivisionError

    live.channels["console"].fail = broken

    async def run():
        await live.inbox.accept(tap("a0", "a"))
        await work(live, lambda: open_rows(live, InboxRow) == 0 and open_rows(live, OutboxRow) == 0)

    asyncio.run(run())
    query = sa.select(OutboxRow.state, OutboxRow.error)
    assert tuple(live.store.read(lambda c: c.execute(query).one())) == (LaneState.UNKNOWN, "ZeroDivisionError")


def test_understanding_does_not_hold_up_other_people(live, understander):
    """One slow message, and another person's goes past it."""
    release = threading.Event()
    understand = understander.understand

    def slow(text, language, **_):
        if text == "slow":
            release.wait(5)
        return understand(text, language)

    understander.understand = slow

    async def run():
        await live.inbox.accept(InboundMessage("a0", Address("console", "a"), Kind.TEXT, "slow"))
        await live.inbox.accept(InboundMessage("b0", Address("console", "b"), Kind.TEXT, "quick"))
        try:
            await work(live, lambda: [m.address.value for m in sent(live)] == ["b"], 4)
        finally:
            release.set()

    asyncio.run(run())


def test_in_a_rush_words_are_understood_in_a_hurry_until_it_is_over(live, understander, monkeypatch):
    """Seen through the whole way of a message: twelve at once, then one alone."""
    hurries = []
    gate = threading.Event()

    def understand(text, language, *, hurry=False):
        gate.wait(10)
        hurries.append(hurry)
        return Understanding(Outcome.SMALLTALK, language, (), "greeting")

    monkeypatch.setattr(understander, "understand", understand)

    async def rush():
        for number in range(12):
            await live.inbox.accept(
                InboundMessage(f"k{number}", Address("console", f"p{number}"), Kind.TAP, token="nl")
            )
        await work(live, lambda: not open_rows(live, InboxRow))
        for number in range(12):
            await live.inbox.accept(InboundMessage(f"t{number}", Address("console", f"p{number}"), Kind.TEXT, "hallo"))
        asyncio.get_running_loop().call_later(0.5, gate.set)
        await work(live, lambda: not open_rows(live, InboxRow))
        await live.inbox.accept(InboundMessage("last", Address("console", "p1"), Kind.TEXT, "hallo"))
        await work(live, lambda: not open_rows(live, InboxRow))

    asyncio.run(rush())
    assert len(hurries) == 13
    assert any(hurries[:12])
    assert not hurries[12]


def test_two_workers_on_postgresql_share_the_work(settings, postgres_store, vault, content, understander):
    store = postgres_store
    first = make_service(settings, store, vault, Clock(), content, understander)
    second = make_service(settings, store, vault, Clock(), content, understander)

    async def run():
        for number in range(4):
            for who in "abcdefghij":
                await first.inbox.accept(tap(f"{who}{number}", who))
        other = asyncio.create_task(second.worker.run())
        await work(first, lambda: len(sent(first)) + len(sent(second)) == 40)
        other.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await other

    asyncio.run(run())


def test_a_second_process_on_the_same_sqlite_file_is_refused(tmp_path):
    url = f"sqlite:///{tmp_path / 'one.sqlite3'}"
    first, second = Store(url), Store(url)
    first.lock()
    with pytest.raises(SecondProcessError, match="another process"):
        second.lock()
    first.close()
    second.lock()
    second.close()
