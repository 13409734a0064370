"""What comes in, kept before anybody is told "received". One row a provider id; a repeat changes nothing.

All messages that arrive while a commit is under way go into the next one, so many share one write to the disk.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy.engine import Connection

from bot.clock import Clock
from bot.errors import StoreUnavailableError
from bot.identifiers import Vault
from bot.masking import mask
from bot.messages import InboundMessage
from bot.storage.fixed import written_out
from bot.storage.store import Store

Arrival = tuple[InboundMessage, "asyncio.Future[bool]"]

GROUP = 256  # messages in one commit at most: SQLite takes no more than 32,766 values in a statement


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
        self._waiting.append((_masked(message), future))
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._flush_all())
        return await future

    async def _flush_all(self) -> None:
        while self._waiting:
            arrivals, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
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
            new = await self._store.aquick(lambda connection: insert(connection, rows))
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


def _masked(message: InboundMessage) -> InboundMessage:
    """Numbers that identify somebody are taken out before anything is written; `extra` says so, for a kind word."""
    masked = mask(message.text)
    if not masked.found:
        return message
    return replace(message, text=masked.text, extra=message.extra | {"masked": sorted(masked.found)})


def to_row(message: InboundMessage, vault: Vault, now: datetime) -> dict[str, Any]:
    """An inbox row of a message; its lane is set when it is written."""
    return {
        "key": message.key,
        "lookups": vault.lookups(message.address),
        "channel": message.address.channel,
        "sealed": vault.seal(message.address),
        "body": message.body(),
        "received_at": now,
    }


def insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[bool]:
    """Write rows of `to_row`; tells for each whether it is new. A repeat of a key changes nothing.

    The statements are written out: built by SQLAlchemy they took four times as long, which was most of accepting a
    message. On SQLite there is one for each number of rows; PostgreSQL takes lists, so it knows the one prepared.
    """
    if not rows:
        return []
    write = _insert_into_sqlite if connection.dialect.name == "sqlite" else _insert_into_postgresql
    kept = write(connection, rows)
    new = {key for (key,) in kept}
    result = []
    for row in rows:  # the same key twice in one group: only the first is new
        result.append(row["key"] in new)
        new.discard(row["key"])
    return result


_SQLITE_TIME = "%Y-%m-%d %H:%M:%S.%f"  # as SQLAlchemy writes it


_INTO = "INSERT INTO inbox (key, lane, channel, sealed, body, received_at, due_at, state, attempts) "
_NEW = " ON CONFLICT (key) DO NOTHING RETURNING key"
_POSTGRESQL_INSERT = (
    f"{_INTO} SELECT key, coalesce("  # noqa: S608  # only marks
    "(SELECT lane FROM address WHERE lookup = first), (SELECT lane FROM address WHERE bsuid_lookup = first), "
    "(SELECT lane FROM address WHERE lookup = other), (SELECT lane FROM address WHERE bsuid_lookup = other), first), "
    "channel, sealed, body::json, at, at, 0, 0 FROM unnest"
    "(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])"
    f" WITH ORDINALITY AS row(key, first, other, channel, sealed, body, at, place) ORDER BY place{_NEW}"
)


def _insert_into_postgresql(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[Any]:
    """In one statement, which finds the lanes of the people who are known too."""
    values = [
        (
            *(row["key"], row["lookups"][0], row["lookups"][-1]),
            *(row["channel"], row["sealed"], json.dumps(row["body"], ensure_ascii=False), row["received_at"]),
        )
        for row in rows
    ]
    return written_out(connection, _POSTGRESQL_INSERT, list(map(list, zip(*values, strict=True))))


def _insert_into_sqlite(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[Any]:
    lookups = [lookup for row in rows for lookup in row["lookups"]]
    lanes = dict[str, str](written_out(connection, _sqlite_lanes(len(lookups)), (*lookups, *lookups)))
    given: list[Any] = []
    for row in rows:
        lane = next((lanes[lookup] for lookup in row["lookups"] if lookup in lanes), row["lookups"][0])
        at = row["received_at"].strftime(_SQLITE_TIME)
        body = json.dumps(row["body"], ensure_ascii=False)
        given += (row["key"], lane, row["channel"], row["sealed"], body, at, at)
    return written_out(connection, _sqlite_insert(len(rows)), given)


@lru_cache(maxsize=512)
def _sqlite_insert(rows: int) -> str:
    row = f"({', '.join(['?'] * 7)}, 0, 0)"
    return f"{_INTO} VALUES {', '.join([row] * rows)}{_NEW}"


@lru_cache(maxsize=512)
def _sqlite_lanes(lookups: int) -> str:
    marks = ", ".join(["?"] * lookups)
    return (
        f"SELECT lookup, lane FROM address WHERE lookup IN ({marks}) UNION ALL "  # noqa: S608  # only marks
        f"SELECT bsuid_lookup, lane FROM address WHERE bsuid_lookup IN ({marks})"
    )
