"""The loop that works: takes messages from the inbox, sends from the outbox, fires timers, keeps leases.

People side by side, each in order. Runs in the server's process on SQLite, and in as many processes as wished on
PostgreSQL.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from bot import dispatch, logs, outbox, retention, timers
from bot.channels.base import Channel
from bot.chores import Chore
from bot.clock import Clock
from bot.conversation import Conversation
from bot.errors import Failure, SendError, StoreUnavailableError
from bot.hearing import Heard
from bot.identifiers import SealError, Vault
from bot.messages import OutboundMessage
from bot.storage import lanes
from bot.storage.fixed import Row
from bot.storage.lanes import Lane
from bot.storage.models import InboxRow, LaneState, OutboxRow
from bot.storage.store import Store
from bot.understanding import Understanding

log = logging.getLogger(__name__)

SIDE_BY_SIDE = 16  # messages under way at once
SENDS = (
    16  # in flight at once: enough for 80 a second where the provider takes 0.2 s; after a crash nobody knows of these
)
SEND_SECONDS = 30.0  # a provider that says nothing for so long: unknown
HANDLE_SECONDS = 60.0
POLL_SECONDS = 0.25
TIMER_SECONDS = 1.0
LEASE_SECONDS = 20.0
RETENTION_SECONDS = 3600.0
MINDS = 4  # threads for understanding in this process; another process gets all that is under way at once
MANY = 4  # messages whose words are to be understood: more is a rush
THREADS = 24  # the default of two cores is six: the worker and the pages would wait for each other


def settle() -> None:
    """Make the process ready for the long run, at the end of its start, inside the event loop."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="work"))
    gc.freeze()  # what is here stays: looking through it would take 0.25 s now, and hold up requests later
    gc.enable()


@dataclass
class Held:
    """Rows that this process works on now, so that their leases are renewed."""

    inbox: dict[int, str] = field(default_factory=dict)
    outbox: dict[int, str] = field(default_factory=dict)


class Worker:
    """All loops of one process. `wake` after something new came in."""

    def __init__(
        self,
        *,
        store: Store,
        vault: Vault,
        clock: Clock,
        conversation: Conversation,
        channels: Mapping[str, Channel],
        chores: Sequence[Chore] = (),
        retention_days: Mapping[str, int] | None = None,
    ) -> None:
        self.store, self.vault, self.clock = store, vault, clock
        self.conversation, self.channels, self.chores = conversation, channels, chores
        self._retention_days = retention_days
        self.chores_after = 0.0  # seconds; a server that has just started answers first
        self.alone = store.is_sqlite  # the only process, so all leases are free at start
        self._held = Held()
        # What the claim found out about its rows; taken out when their turn comes.
        self._addresses: dict[int, str | None] = {}  # where messages go
        self._heard: dict[int, Heard | Exception] = {}  # what was written
        self._to_understand = 0
        self._minds = ThreadPoolExecutor(MINDS, thread_name_prefix="mind")
        self._arrived, self._to_send = asyncio.Event(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    def wake(self) -> None:
        self._arrived.set()

    async def run(self) -> None:
        """Work until cancelled; what is in flight then is finished first."""
        await self._recover(everything=self.alone)
        loops = [
            self._inbox_loop(),
            self._outbox_loop(),
            self._timer_loop(),
            self._lease_loop(),
            self._retention_loop(),
            *(self._later(chore) for chore in self.chores),
        ]
        running = [asyncio.create_task(loop) for loop in loops]
        try:
            await asyncio.gather(*running)
        finally:
            self._stopping = True
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _later(self, chore: Chore) -> None:
        await asyncio.sleep(self.chores_after)
        await chore.run()

    async def _recover(self, *, everything: bool) -> None:
        now = self.clock.now()
        for table in (InboxRow, OutboxRow):
            taken: int = await self.store.awrite(lambda c, t=table: lanes.recover(c, t, now, everything=everything))  # type: ignore[misc]  # mypy can't see through the default
            if taken:
                log.warning("%s rows of a process that is gone were taken back from the %s", taken, table.__tablename__)

    async def _inbox_loop(self) -> None:
        await self._loop(InboxRow, self._held.inbox, SIDE_BY_SIDE, self._arrived, self._handle)

    async def _outbox_loop(self) -> None:
        await self._loop(OutboxRow, self._held.outbox, SENDS, self._to_send, self._send)

    async def _loop(
        self,
        table: Lane,
        held: dict[int, str],
        slots: int,
        event: asyncio.Event,
        work: Callable[[Row], Awaitable[None]],
    ) -> None:
        while True:
            event.clear()
            claiming = asyncio.create_task(self._claim(table, slots - len(held) if len(held) < slots else 0))
            try:
                rows = await asyncio.shield(claiming)
            except asyncio.CancelledError:  # the claim may be committed: what it took is finished, never left behind
                while not claiming.done():
                    with contextlib.suppress(asyncio.CancelledError):
                        await asyncio.shield(claiming)
                self._begin(claiming.result(), held, event, work)
                raise
            self._begin(rows, held, event, work)
            # A claim takes all that can go now. What comes, and what ends, is an event.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), POLL_SECONDS)

    def _begin(
        self,
        rows: list[Row],
        held: dict[int, str],
        event: asyncio.Event,
        work: Callable[[Row], Awaitable[None]],
    ) -> None:
        for row in rows:
            held[row.id] = row.lease
            task = asyncio.create_task(self._one(row, held, event, work))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _one(
        self,
        row: Row,
        held: dict[int, str],
        event: asyncio.Event,
        work: Callable[[Row], Awaitable[None]],
    ) -> None:
        logs.trace.set(logs.origin(row.key))  # each row has a task, so a context, of its own
        try:
            await work(row)
        except StoreUnavailableError:
            log.error("the database is away; row %s comes back when its lease ends", row.id)  # noqa: TRY400  # no trace: it may hold words
        finally:
            held.pop(row.id, None)
            event.set()

    async def _claim(self, table: Lane, limit: int) -> list[Row]:
        if limit < 1:
            return []
        now = self.clock.now()
        paces = {name: channel.pace for name, channel in self.channels.items()}

        def come_in(connection: sa.Connection) -> tuple[list[Row], dict[int, Heard | Exception]]:
            rows = lanes.claim(connection, InboxRow, now, limit)
            return rows, self.conversation.hear_all(connection, rows)

        def go_out(connection: sa.Connection) -> tuple[list[Row], dict[int, str | None]]:
            rows = dispatch.claim(connection, now, paces, limit)
            return rows, dispatch.look(connection, rows, now)

        try:
            if table is InboxRow:
                rows, heard = await self.store.aquick(come_in)
                self._heard |= heard
            else:
                rows, addresses = await self.store.aquick(go_out)
                self._addresses |= addresses
            return rows
        except sa.exc.IntegrityError:  # two claimers met on one lane: the other has it
            return []
        except StoreUnavailableError:
            log.error("the database is away; trying again")  # noqa: TRY400  # as above
            await asyncio.sleep(POLL_SECONDS)
            return []

    async def _handle(self, row: Row) -> None:
        try:
            began = time.perf_counter()
            await asyncio.wait_for(self._converse(row), HANDLE_SECONDS)
            log.info("handled in %.0f ms, try %s", 1000 * (time.perf_counter() - began), row.attempts)
        except StoreUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001  # one message must not stop the others
            await self._try_again(row, type(error).__name__)
        self._to_send.set()

    async def _converse(self, row: Row) -> None:
        """As `Conversation.handle`: only understanding needs a thread."""
        if row.id not in self._heard:  # it was not this worker's claim
            self._heard |= await self.store.aread(lambda c: self.conversation.hear_all(c, [row]))
        heard = self._heard.pop(row.id)
        if isinstance(heard, Exception):
            raise heard
        conversation, understanding = self.conversation, None
        if heard.language:
            understanding = await self._understand(heard)
        if await self.store.aquick(lambda c: conversation.close(c, row, heard.message, understanding)):
            await asyncio.to_thread(self.store.scrub)

    async def _understand(self, heard: Heard) -> Understanding:
        """Whoever waits behind more than MANY others is understood in a hurry."""
        self._to_understand += 1
        try:
            await asyncio.sleep(0)  # so that those that were claimed together count together
            return await self.conversation.aunderstand(heard, self._minds, hurry=self._to_understand > MANY)
        finally:
            self._to_understand -= 1

    async def _try_again(self, row: Row, error: str) -> None:
        """A message that failed waits as the head of its lane; after the last try it is dead and people see it."""
        now = self.clock.now()
        dead = row.attempts >= lanes.ATTEMPTS
        log.error("inbox row %s failed (%s), try %s%s", row.id, error, row.attempts, ", given up" if dead else "")
        values: dict[str, Any] = {"state": LaneState.DEAD} if dead else {"state": LaneState.READY}
        if not dead:
            values["due_at"] = now + lanes.backoff(row.attempts)
        await self.store.awrite(lambda c: lanes.still_mine(c, InboxRow, row.id, row.lease, error=error, **values))

    async def _send(self, row: Row) -> None:
        if row.id not in self._addresses:  # it was not this worker's claim
            now = self.clock.now()
            self._addresses |= await self._patiently(lambda: self.store.aread(lambda c: dispatch.look(c, [row], now)))
        sealed = self._addresses.pop(row.id)
        if sealed is None:
            await self._patiently(lambda: self.store.awrite(lambda c: outbox.hold(c, row)))
            return
        channel = self.channels[row.channel]
        try:
            provider_id = await self._deliver(channel, row, sealed)
        except SendError as failure:
            error = failure
            log.warning("outbox row %s was not taken: %s", row.id, error)
            await self._patiently(lambda: self.store.aquick(lambda c: outbox.failed(c, row, error, self.clock.now())))
            return
        await self._patiently(
            lambda: self.store.aquick(lambda c: outbox.sent(c, row, provider_id, self.clock.now(), channel.pace))
        )
        if row.sealed is not None:  # the last words to somebody who was erased: their lane stays in no journal
            await asyncio.to_thread(self.store.scrub)
        log.info("sent over %s as %s", row.channel, provider_id)

    async def _patiently(self, step: Callable[[], Awaitable[Any]]) -> Any:
        """A step of a send that is under way: a database that is away for a while must not make it unknown.

        The lease loop keeps the lease, so nobody takes the row over meanwhile.
        """
        while True:
            try:
                return await step()
            except StoreUnavailableError:
                if self._stopping:
                    raise
                await asyncio.sleep(POLL_SECONDS)

    async def _deliver(self, channel: Channel, row: Row, sealed: str) -> str:
        if not sealed:
            raise SendError(Failure.PERMANENT, "the address is gone")
        try:
            message, address = OutboundMessage.from_json(row.payload), self.vault.open(sealed)
        except SealError as error:
            raise SendError(Failure.PERMANENT, type(error).__name__) from None
        try:
            return await asyncio.wait_for(channel.send(address, message, row.callback), SEND_SECONDS)
        except TimeoutError:
            raise SendError(Failure.UNKNOWN, "no answer in time") from None
        except SendError:
            raise
        except Exception as error:  # noqa: BLE001  # a fault of ours: it may have been sent
            raise SendError(Failure.UNKNOWN, type(error).__name__) from None

    async def _timer_loop(self) -> None:
        while True:
            now = self.clock.now()
            with contextlib.suppress(StoreUnavailableError):
                if await self.store.awrite(lambda c, at=now: timers.fire_due(c, at)):  # type: ignore[misc]  # as above
                    self.wake()
            await asyncio.sleep(TIMER_SECONDS)

    async def _lease_loop(self) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS)
            now = self.clock.now()
            inbox, sends = list(self._held.inbox.items()), list(self._held.outbox.items())
            with contextlib.suppress(StoreUnavailableError):
                await self.store.awrite(lambda c, rows=inbox, at=now: lanes.renew(c, InboxRow, rows, at))  # type: ignore[misc]  # as above
                await self.store.awrite(lambda c, rows=sends, at=now: lanes.renew(c, OutboxRow, rows, at))  # type: ignore[misc]  # as above
                await self._recover(everything=False)

    async def _retention_loop(self) -> None:
        """Every hour, what is past its time goes."""
        while True:
            with contextlib.suppress(StoreUnavailableError):
                content, now = self.conversation.content, self.clock.now()
                gone = await asyncio.to_thread(retention.sweep, content, self.store.write, now, self._retention_days)
                if any(gone.values()):
                    log.info(
                        "past their time and deleted: %s", {name: number for name, number in gone.items() if number}
                    )
            await asyncio.sleep(RETENTION_SECONDS)
