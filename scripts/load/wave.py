"""An ordinary answer while invitations go out to 100,000 people, against the same answer when all is quiet.

All invitations wait in the outbox at once, and go as fast as the sender may: harder than a wave is, which lets
twenty go every five seconds and none at night.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from bot.identifiers import Vault
from bot.messages import OutboundMessage
from bot.outbox import INVITATION
from bot.storage.models import OutboxRow
from bot.storage.store import make_engine
from scripts.load.flow import Clocked, Talk, write_steadily
from scripts.load.harness import (
    KEYS,
    Phones,
    Twilio,
    database,
    environment,
    number_of,
    people,
    percentile,
    process,
    table,
    until_it_listens,
)

INVITED = 100_000
WRITERS = 500  # people who write; they are not invited
PER_SECOND, SECONDS = 10.0, 20.0


def invite(url: str, invited: int) -> None:
    """An invitation for everybody but the writers in the outbox, due now."""
    engine, vault, now = make_engine(url), Vault([KEYS["secret_keys"]], KEYS["hash_key"]), datetime.now(UTC)
    payload = OutboundMessage("Hoe gaat het met je inburgering? Vijf korte vragen.", language="nl").to_json()
    common: dict[str, Any] = {"channel": "whatsapp", "priority": INVITATION, "payload": payload, "state": 0}
    common |= {"created_at": now, "due_at": now, "attempts": 0}
    with engine.begin() as connection:
        for start in range(WRITERS + 1, WRITERS + invited + 1, 1000):
            rows = [
                {"key": f"wave:{person}", "lane": vault.lookup("whatsapp", number_of(person)), **common}
                | {"contact_id": person, "address_id": person}
                for person in range(start, start + 1000)
            ]
            connection.execute(sa.insert(OutboxRow), rows)
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


async def ask(phones: Phones, clocked: Clocked, seed: int) -> list[float]:
    """Ordinary messages at a quiet pace; seconds until each answer."""
    clocked.took.clear()
    who = itertools.cycle(range(1, WRITERS + 1))
    await write_steadily(phones, clocked, Talk(0.5, seed), PER_SECOND, SECONDS, who)
    for _ in range(200):
        if not clocked.unanswered:
            break
        await asyncio.sleep(0.05)
    return [seconds for _, seconds in clocked.took]


async def measure(name: str, options: argparse.Namespace) -> tuple[str, ...]:
    with database(name) as (url, folder):
        invited = INVITED // options.share
        people(url, WRITERS + invited)
        clocked = Clocked()
        async with Twilio(latency=options.latency, heard=clocked.heard).listening() as twilio:
            with process(environment(url, folder, twilio.port)) as served:
                await until_it_listens(served)
                phones = await Phones(served.port).open()
                await ask(phones, clocked, 1)  # warm
                idle = await ask(phones, clocked, 2)
                invite(url, invited)
                await asyncio.sleep(5)
                during = await ask(phones, clocked, 2)
                engine = make_engine(url)
                with engine.connect() as connection:
                    went = sa.select(sa.func.count()).where(OutboxRow.priority == 2, OutboxRow.state > 1)
                    sent = connection.execute(went).scalar_one()
                engine.dispose()
    quiet, busy = percentile(idle, 0.95), percentile(during, 0.95)
    figures = (f"{1000 * quiet:.0f} ms", f"{1000 * busy:.0f} ms", f"{busy / quiet:.2f} ×")
    return (name, *figures, f"{sent} of {invited:,}", f"{len(idle)} and {len(during)}")


def run(options: argparse.Namespace) -> None:
    head = ("database", "p95 when quiet", "p95 during the wave", "ratio", "invitations sent meanwhile", "answers")
    rows = [asyncio.run(measure(name, options)) for name in options.databases]
    table("An ordinary answer while a wave goes out", head, *rows)
