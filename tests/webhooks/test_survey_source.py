"""Where the figures of the pages come from: closed waves of our own database, never one that still runs."""

from __future__ import annotations

import asyncio
import random

import pytest
import sqlalchemy as sa

from bot.storage.research_models import SurveyAnswerRow
from bot.storage.survey_models import SurveyWaveRow
from webhooks.monitoring_figures import NoAnswersError, SurveyFigures

PEOPLE = 40


@pytest.fixture
def waves(service):
    """A closed wave and one that runs, each with answers of invented people to one item of the study."""
    now, chance = service.clock.now(), random.Random(7)

    def make(connection):
        for code, closed in (("pulse-1", now), ("pulse-2", None)):
            wave = {"code": code, "survey": "programme", "state": "closed" if closed else "live", "seed": 1}
            wave |= {"created_by": "x", "created_at": now, "live_at": now, "closed_at": closed}
            connection.execute(sa.insert(SurveyWaveRow).values(**wave))
            for number in range(PEOPLE):
                person = {"respondent": f"{code}{number:026d}", "wave": code, "item": "klantregisseur_satisfaction"}
                person |= {"version": 1, "study": "Q17", "value": str(chance.randint(1, 5)), "status": "answered"}
                person |= {"asked_on": now.date(), "language": "ar", "channel": "telegram", "route": "b1"}
                person |= {"type": ("asylum", "family")[number % 2], "gender": ("women", "men")[number % 2]}
                person |= {"age_group": "20-29", "phase": "lessons", "work_status": "unknown"}
                connection.execute(sa.insert(SurveyAnswerRow).values(**person))

    service.store.write(make)


def test_without_a_closed_wave_there_is_nothing_to_show(service):
    service.settings = service.settings.model_copy(update={"simulator": False})
    with pytest.raises(NoAnswersError):
        asyncio.run(SurveyFigures(service).report())


def test_the_report_is_of_closed_waves_alone(service, waves):
    figures = SurveyFigures(service)
    found = asyncio.run(figures.report())
    assert found["source"]["waves"] == ["pulse-1"]
    assert '"n": 40' in str(found).replace("'", '"')
    assert not asyncio.run(figures.is_demo())
    assert asyncio.run(figures.report()) is found, "computed once"


def test_somebody_who_is_erased_is_out_of_the_figures_at_once(service, waves):
    figures = SurveyFigures(service)
    marks = []

    async def mark():
        async with figures.source() as source:
            marks.append((source.mark, len(source.path.read_text().splitlines())))
        assert not source.path.exists(), "the file is gone after use"

    asyncio.run(mark())
    gone = sa.delete(SurveyAnswerRow).where(SurveyAnswerRow.respondent == f"pulse-1{3:026d}")
    service.store.write(lambda c: c.execute(gone) and None)
    asyncio.run(mark())
    assert [lines for _, lines in marks] == [PEOPLE + 1, PEOPLE]
    assert marks[0][0] != marks[1][0]
