"""One, two and four workers on PostgreSQL. Understanding is a wait of half a second: two cores are too few for four."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from bot.clock import Clock
from bot.identifiers import Vault
from bot.inbox import insert, to_row
from bot.messages import Address, InboundMessage, Kind
from bot.storage.models import InboxRow
from bot.storage.store import make_engine
from scripts.load.harness import (
    KEYS,
    START_SECONDS,
    Process,
    Twilio,
    database,
    environment,
    number_of,
    people,
    process,
    table,
)
from scripts.load.scripted import READY, THINK

THINK_SECONDS = 0.5
EACH = 96  # messages for each worker
GIVE_UP = 120.0  # seconds


@contextlib.contextmanager
def workers(number: int, settings: dict[str, str], folder: Path) -> Iterator[list[Process]]:
    """That many workers, all of them at work."""
    ready = folder / f"ready{number}"
    more = settings | {READY: str(ready), THINK: str(THINK_SECONDS)}
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(process(more, "scripts.load.scripted", "worker")) for _ in range(number)]
        ends = time.monotonic() + START_SECONDS
        while len(list(folder.glob(f"{ready.name}.*"))) < number:
            if time.monotonic() > ends:
                raise SystemExit("the workers did not start")
            time.sleep(0.05)
        time.sleep(1.0)
        yield found


def ask(engine: sa.Engine, messages: int, first: int) -> None:
    """A question of as many people, all at once."""
    vault, now = Vault([KEYS["secret_keys"]], KEYS["hash_key"]), Clock().now()
    with engine.begin() as connection:
        for number in range(messages):
            address = Address("whatsapp", number_of(number + 1), None, None)
            message = InboundMessage(f"wa:{first + number}", address, Kind.TEXT, "Wat is de PIP nou precies?")
            insert(connection, [to_row(message, vault, now)])


async def until_done(engine: sa.Engine) -> float:
    """When nothing waits any more."""
    waits = sa.select(sa.func.count(InboxRow.id)).where(InboxRow.state < sa.literal_column("2"))
    ends = time.monotonic() + GIVE_UP
    while time.monotonic() < ends:
        with engine.connect() as connection:
            if not connection.execute(waits).scalar_one():
                return time.monotonic()
        await asyncio.sleep(0.05)
    raise SystemExit("the messages were not handled in time")


async def measure() -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    with database("postgresql") as (url, folder):
        people(url, 4 * EACH)
        engine, first, alone = make_engine(url), 1, 0.0
        async with Twilio(latency=0.05).listening() as twilio:
            settings = environment(url, folder, twilio.port)
            for number in (1, 2, 4):
                with workers(number, settings, folder) as running:
                    messages, cpu = EACH * number, sum(worker.cpu() for worker in running)
                    ask(engine, messages, first)
                    began = time.monotonic()
                    rate = messages / (await until_done(engine) - began)
                    spent = sum(worker.cpu() for worker in running) - cpu
                first += messages
                alone = alone or rate
                cost = f"{1000 * spent / messages:.1f} ms"
                rows.append((str(number), f"{rate:.1f}/s", f"{rate / alone:.2f} ×", cost))
        engine.dispose()
    return rows


def run(options: argparse.Namespace) -> None:  # noqa: ARG001  # every part is called alike
    head = ("workers", "messages", "of one worker", "CPU a message")
    table(f"Workers on PostgreSQL, {THINK_SECONDS} s of waiting a message", head, *asyncio.run(measure()))
