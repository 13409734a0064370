"""What comes in, kept before anybody is told "received". One row a provider id; a repeat changes nothing.

All messages that arrive while a commit is under way go into the next one, so many share one write to the disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot.clock import Clock
from bot.errors import StoreUnavailableError
from bot.identifiers import Vault
from bot.messages import InboundMessage
from bot.storage.models import AddressRow, InboxRow
from bot.storage.store import Store

Arrival = tuple[InboundMessage, "asyncio.Future[bool]"]


class Inbox:
    """Accepts messages. `on_arrival` is called after each commit, to wake the worker."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, on_arrival: Callable[[], None] = lambda: None) -> None:
        self._store, self._vault, self._clock = store, vault, clock
        self._on_arrival = on_arrival
        self._waiting: list[Arrival] = []
        self._flush: asyncio.Task[None] | None = None

    async def accept(self, message: InboundMessage) -> bool:
        """Keep a message; returns after the commit, with False for one that was here before.

        Raises StoreUnavailableError when the database does not take it: the provider must come back.
        """
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((message, future))
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._flush_all())
        return await future

    async def _flush_all(self) -> None:
        while self._waiting:
            arrivals, self._waiting = self._waiting, []
            try:
                await self._insert_all(arrivals)
            except Exception as error:  # noqa: BLE001  # every waiting webhook gets its answer
                for _, future in arrivals:
                    if not future.done():
                        future.set_exception(StoreUnavailableError(type(error).__name__))
            self._on_arrival()

    async def _insert_all(self, arrivals: list[Arrival]) -> None:
        rows = [to_row(message, self._vault, self._clock.now()) for message, _ in arrivals]
        try:
            new = await self._store.awrite(lambda connection: insert(connection, rows))
        except StoreUnavailableError:
            raise
        except Exception:
            if len(arrivals) == 1:
                raise
            for arrival in arrivals:  # one that the database refuses must not take the others with it
                await self._insert_one(arrival)
            return
        for (message, future), is_new in zip(arrivals, new, strict=True):
            if not future.done():
                future.set_result(is_new)
            del message

    async def _insert_one(self, arrival: Arrival) -> None:
        try:
            await self._insert_all([arrival])
        except Exception as error:  # noqa: BLE001  # goes to the one webhook that it concerns
            if not arrival[1].done():
                arrival[1].set_exception(StoreUnavailableError(type(error).__name__))


def to_row(message: InboundMessage, vault: Vault, now: datetime) -> dict[str, Any]:
    """An inbox row of a message; its lane is set when it is written."""
    return {
        "key": message.key,
        "lookups": vault.lookups(message.address),
        "channel": message.address.channel,
        "sealed": vault.seal(message.address),
        "body": message.body(),
        "received_at": now,
        "due_at": now,
        "state": 0,
        "attempts": 0,
    }


def insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[bool]:
    """Write rows of `to_row`; tells for each whether it is new. A repeat of a key changes nothing."""
    lanes = _lanes(connection, [lookup for row in rows for lookup in row["lookups"]])
    values = []
    for row in rows:
        lane = next((lanes[lookup] for lookup in row["lookups"] if lookup in lanes), row["lookups"][0])
        values.append({name: value for name, value in row.items() if name != "lookups"} | {"lane": lane})
    new = set(connection.execute(_insert(connection).returning(InboxRow.key), values).scalars())
    result = []
    for row in rows:  # the same key twice in one group: only the first is new
        result.append(row["key"] in new)
        new.discard(row["key"])
    return result


def _insert(connection: Connection) -> Any:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(InboxRow).on_conflict_do_nothing(index_elements=["key"])


def _lanes(connection: Connection, lookups: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for column in (AddressRow.lookup, AddressRow.bsuid_lookup):
        rows = connection.execute(sa.select(column, AddressRow.lane).where(column.in_(lookups)))
        found |= {str(lookup): lane for lookup, lane in rows}
    return found
