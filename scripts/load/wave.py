"""An ordinary answer while invitations go out to 100,000 people, against the same answer when all is quiet.

The invitations wait in a live wave, as the survey pages make it; the service lets them go and sends them by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot import content as texts
from bot.settings import ROOT
from bot.storage.models import OutboxRow
from bot.storage.store import make_engine
from bot.storage.survey_models import SurveyInvitationRow, SurveyWaveRow
from bot.survey_waves import waiting
from scripts.load.flow import Clocked, mixed, write_steadily
from scripts.load.harness import (
    Phones,
    Twilio,
    database,
    environment,
    people,
    percentile,
    process,
    table,
    until_it_listens,
)

INVITED = 100_000
WRITERS = 500  # people who write; they are not invited
PER_SECOND, SECONDS = 10.0, 12.0


def invite(url: str, invited: int) -> None:
    """A live wave with everybody but the writers in it, due now."""
    engine, now = make_engine(url), datetime.now(UTC)
    surveys = texts.load(ROOT / "content").surveys
    survey = next(key for key, found in surveys.surveys.items() if found.schedule.after is None)
    items = [[key, surveys.items[key].version] for key in surveys.surveys[survey].items]
    wave = {"code": "load-1", "survey": survey, "state": "live", "seed": 1, "items": items, "previewed": []}
    wave |= {"created_by": "load", "created_at": now, "live_at": now, "closes_on": now.date() + timedelta(days=30)}
    with engine.begin() as connection:
        made = connection.execute(sa.insert(SurveyWaveRow).values(**wave).returning(SurveyWaveRow.id)).scalar_one()
        for start in range(WRITERS + 1, WRITERS + invited + 1, 1000):
            rows: list[dict[str, Any]] = [waiting(made, person, now, now) for person in range(start, start + 1000)]
            connection.execute(sa.insert(SurveyInvitationRow), rows)
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


async def ask(phones: Phones, clocked: Clocked, seed: int) -> list[float]:
    """Ordinary messages at a quiet pace; seconds until each answer."""
    clocked.took.clear()
    who = itertools.cycle(range(1, WRITERS + 1))
    await write_steadily(phones, clocked, mixed(0.5, seed), PER_SECOND, SECONDS, who)
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
