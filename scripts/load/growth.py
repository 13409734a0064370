"""What a message costs when a million are stored, against a thousand: time and CPU of accepting, deciding, sending.

Both databases are asked in turn, a message each, in one process without HTTP and without understanding: what grows
with the database is all that is left. PostgreSQL works in processes of its own, so there time says more than CPU.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from bot import dispatch, outbox
from bot.inbox import insert, to_row
from bot.messages import Address, InboundMessage, Kind, OutboundMessage
from bot.pace import Pace
from bot.service import Service, build
from bot.settings import load_settings
from bot.storage import lanes
from bot.storage.models import InboxRow
from bot.storage.store import make_engine
from scripts.load.harness import database, environment, number_of, people, table
from scripts.load.scripted import Thinking

SMALL, LARGE = 1_000, 1_000_000
PEOPLE = 2_000
MESSAGES, WARM = 200, 30
PACES = {"whatsapp": Pace(per_second=1e6, gap=0, burst=1000)}
WORDS = ("menu", "1", "Wat is de PIP nou precies?")

FILL = (
    (
        "INSERT INTO message (contact_id, inbound, text, keys, at) {numbers}"
        " SELECT 1 + i % {people}, i % 2 = 0, 'Wat is de PIP nou precies, nummer ' || i, '[]', {at} FROM n"
    ),
    (
        "INSERT INTO inbox (key, lane, channel, received_at, due_at, state, attempts) {half}"
        " SELECT 'old:' || i, 'lane' || (i % {people}), 'whatsapp', {at}, {at}, 2, 1 FROM n"
    ),
    (
        "INSERT INTO outbox (key, lane, channel, contact_id, address_id, priority, created_at, due_at, state, attempts,"
        " provider_id, delivery, sent_at) {half}"
        " SELECT 'old:' || i, 'lane' || (i % {people}), 'whatsapp', 1 + i % {people}, 1 + i % {people}, 0, {at}, {at},"
        " 2, 1, 'SMold' || i, 'read', {at} FROM n"
    ),
)


def fill(url: str, stored: int) -> None:
    """Messages of the past: a conversation of that many lines, half of them came in and half of them went out."""
    engine = make_engine(url)
    at = "CURRENT_TIMESTAMP" if engine.dialect.name == "postgresql" else "strftime('%Y-%m-%d %H:%M:%f', 'now')"

    def numbers(most: int) -> str:
        return f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {most})"

    with engine.begin() as connection:
        for statement in FILL:
            words = statement.format(numbers=numbers(stored), half=numbers(stored // 2), people=PEOPLE, at=at)
            connection.exec_driver_sql(words.replace("%", "%%") if engine.dialect.name == "postgresql" else words)
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


class Silent:
    """A channel that takes everything: nothing is sent here."""

    name, pace = "whatsapp", PACES["whatsapp"]

    async def send(self, address: Address, message: OutboundMessage, callback: str | None) -> str:  # noqa: ARG002
        return "never"

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Cost:
    times: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)

    def median(self) -> tuple[float, float]:
        return 1000 * statistics.median(self.times), 1000 * statistics.mean(self.cpus)


@contextlib.contextmanager
def filled(name: str, stored: int) -> Iterator[Service]:
    with database(name) as (url, folder):
        people(url, PEOPLE)
        fill(url, stored)
        values = environment(url, folder, 9) | {"WEGWIJS_DATA_DIR": str(folder)}
        settings = load_settings(
            **{key.removeprefix("WEGWIJS_").lower(): value for key, value in values.items()} | {"data_dir": folder}
        )
        service = build(settings, understander=Thinking(), channels={"whatsapp": Silent()})
        try:
            yield service
        finally:
            asyncio.run(service.close())


def one(service: Service, number: int, cost: Cost) -> None:
    """A message from the door to the provider's answer. Commits wait for the disk, so time is of the whole."""
    store, now = service.store, service.clock.now
    address = Address("whatsapp", number_of(1 + number % PEOPLE), None, None)
    message = InboundMessage(f"wa:{number}", address, Kind.TEXT, WORDS[number % len(WORDS)])
    cpu, began = time.process_time(), time.perf_counter()
    row = to_row(message, service.vault, now())
    store.write(lambda c: insert(c, [row]))
    for claimed in store.write(lambda c: lanes.claim(c, InboxRow, now(), 1)):
        service.conversation.handle(store, claimed)
    for sending in store.write(lambda c: _claim(c, service)):
        store.write(lambda c, r=sending: outbox.sent(c, r, f"SM{number}", now(), PACES["whatsapp"]))  # type: ignore[misc]
    cost.times.append(time.perf_counter() - began)
    cost.cpus.append(time.process_time() - cpu)


def _claim(connection: sa.Connection, service: Service) -> list[sa.Row[Any]]:
    now = service.clock.now()
    rows = dispatch.claim(connection, now, PACES, 4)
    dispatch.look(connection, rows, now)
    return rows


def measure(name: str, many: int, messages: int) -> tuple[str, ...]:
    with filled(name, SMALL) as small, filled(name, many) as large:
        costs = {SMALL: Cost(), LARGE: Cost()}
        for number in range(WARM + messages):
            if number == WARM:
                costs = {SMALL: Cost(), LARGE: Cost()}
            one(small, number, costs[SMALL])
            one(large, number, costs[LARGE])
    (time_small, cpu_small), (time_large, cpu_large) = costs[SMALL].median(), costs[LARGE].median()
    return (
        name,
        f"{time_small:.1f} → {time_large:.1f} ms, {time_large / time_small:.2f} ×",
        f"{cpu_small:.1f} → {cpu_large:.1f} ms, {cpu_large / cpu_small:.2f} ×",
    )


def run(options: argparse.Namespace) -> None:
    head = ("database", f"median time a message, {SMALL:,} → {LARGE // options.share:,} stored", "CPU a message")
    table(
        "Cost of a message as the database grows",
        head,
        *(measure(name, LARGE // options.share, max(20, MESSAGES // options.share)) for name in options.databases),
    )
