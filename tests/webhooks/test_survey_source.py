"""Where the figures of the pages come from: closed waves of our own database, as they were first shown.

Here somebody looks again and again, a day apart, and subtracts: nothing may differ by one person who was erased.
"""

from __future__ import annotations

import asyncio
import json
import random
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot import publication, survey_words
from bot.roles import Role
from bot.storage.fact_models import PublishedRow
from bot.storage.research_models import SurveyAnswerRow
from bot.storage.survey_models import SurveyInvitationRow, SurveyWaveRow
from bot.survey_reports import FORMAT, TOO_FEW_GONE, FiguresError, NoAnswersError, SurveyFigures
from tests.webhooks.browser import log_in, make_browser

PEOPLE = 40
ITEMS = {"klantregisseur_satisfaction": "Q17", "job_match": "", "anything_else": ""}


def value_of(item, chance):
    return {"Q17": str(chance.randint(1, 5)), "": chance.choice(("yes", "partly", "no"))}[ITEMS[item]]


def answers(connection, now, code, chance, people=PEOPLE):
    for number in range(people):
        for item, study in ITEMS.items():
            words = f"Woorden van {number}" if item == "anything_else" else value_of(item, chance)
            person = {"respondent": f"{number:032d}", "wave": code, "item": item, "version": 1, "study": study}
            person |= {"value": words, "status": "answered", "asked_on": now.date(), "language": "ar"}
            person |= {"type": ("asylum", "family")[number % 2], "gender": ("women", "men")[number % 2]}
            person |= {"age_group": "20-29", "phase": "lessons", "work_status": "unknown", "route": "b1"}
            connection.execute(sa.insert(SurveyAnswerRow).values(**person, channel="telegram"))


@pytest.fixture
def waves(service):
    """Two closed waves and one that runs, of the same invented people, with who was asked."""
    now, chance = service.clock.now(), random.Random(7)

    def make(connection):
        for place, (code, closed) in enumerate((("pulse-1", now), ("pulse-2", now), ("pulse-3", None))):
            wave = {"code": code, "survey": "programme", "state": "closed" if closed else "live", "seed": 1}
            wave |= {"created_by": "x", "created_at": now, "live_at": now + timedelta(days=place), "closed_at": closed}
            made = sa.insert(SurveyWaveRow).values(**wave).returning(SurveyWaveRow.id)
            wave_id = connection.execute(made).scalar_one()
            for number in range(60):
                row = {"wave_id": wave_id, "state": "done" if number < PEOPLE else "silent", "made_at": now}
                row |= {"invited_at": now, "delivered": True, "started": number < PEOPLE, "channel": "telegram"}
                connection.execute(sa.insert(SurveyInvitationRow).values(**row, language="ar", type="asylum"))
            answers(connection, now, code, chance)

    service.store.write(make)


def erase(service, *numbers):
    gone = sa.delete(SurveyAnswerRow).where(SurveyAnswerRow.respondent.in_([f"{number:032d}" for number in numbers]))
    service.store.write(lambda c: c.execute(gone) and None)


@pytest.fixture
def quick(monkeypatch):
    """A report from the file in this process, without the regressions: only what an attack can use."""

    async def run(_, path, what, *options, **more):
        if what == "export":
            return path.read_bytes()
        lines = [line.split(",") for line in path.read_text().splitlines()[1:]]
        means = {}
        for line in lines:
            if line[2] == "klantregisseur_satisfaction":
                means.setdefault(line[1], []).append(int(line[5]))
        waves = [{"wave": name, "m": round(sum(of) / len(of), 2), "n": len(of)} for name, of in means.items()]
        change = {
            "from": "pulse-1",
            "to": "pulse-2",
            "all": 0.5,
            "panel": {"n": 40, "change": 0.2, "who_answered": 0.3},
        }
        trends = {"Q17": {"waves": waves, "changes": [change] if len(waves) > 1 else []}}
        return json.dumps(
            {"format": FORMAT, "source": {"waves": [], "wave": waves[-1]["wave"]}, "trends": trends}
        ).encode()

    monkeypatch.setattr(SurveyFigures, "_run", run)


def test_without_a_closed_wave_there_is_nothing_to_show(service):
    service.settings = service.settings.model_copy(update={"simulator": False})
    with pytest.raises(NoAnswersError):
        asyncio.run(SurveyFigures(service).report())


def test_the_report_is_of_closed_waves_alone_with_who_was_asked(service, waves):
    """The real thing, once."""
    figures = SurveyFigures(service)
    found = asyncio.run(figures.report("pulse-1"))
    assert found["source"]["waves"] == ["pulse-1", "pulse-2"]
    assert found["items"]["Q17"]["total"]["n"] == PEOPLE
    assert found["choices"]["job_match"]["total"]["n"] == PEOPLE
    assert found["choices"]["anything_else"]["total"] == {"n": PEOPLE}
    assert "Woorden van" not in str(found)
    stages = {one["stage"]: one["n"] for one in found["funnel"]["all"]["stages"]}
    assert (stages["invited"], stages["done"]) == (60, 40)
    assert not asyncio.run(figures.is_demo())
    erase(service, 3)
    assert asyncio.run(SurveyFigures(service).report("pulse-1")) == found, "kept, also by a server that starts anew"


def test_looking_again_after_somebody_was_erased_tells_nothing(service, waves, quick):
    """Differencing over time: pages, the trend of later waves, and exports."""
    first = asyncio.run(SurveyFigures(service).report("pulse-1"))
    erase(service, 3)
    service.clock.at += timedelta(days=1)
    later = SurveyFigures(service)
    assert asyncio.run(later.report("pulse-1")) == first
    trend = asyncio.run(later.report("pulse-2"))["trends"]["Q17"]
    told = {one["wave"]: one for one in trend["waves"]}
    assert told["pulse-1"] == first["trends"]["Q17"]["waves"][0], "as it was shown, not as it would be now"
    assert told["pulse-2"]["n"] == PEOPLE - 1, "never shown with the person who is gone"
    change = trend["changes"][0]
    assert change["all"] == pytest.approx(told["pulse-2"]["m"] - told["pulse-1"]["m"], abs=0.005)
    assert change["panel"]["who_answered"] == pytest.approx(change["all"] - 0.2, abs=0.005)
    with pytest.raises(FiguresError, match=TOO_FEW_GONE):
        asyncio.run(later.export("pulse-1"))
    erase(service, *range(4, 13))
    rows = asyncio.run(later.export("pulse-1")).decode().splitlines()
    assert len(rows) == 1 + 3 * (PEOPLE - 10), "ten are gone: nobody can tell them apart"
    erase(service, 20)
    with pytest.raises(FiguresError, match=TOO_FEW_GONE):
        asyncio.run(later.export("pulse-1"))


def test_shares_of_earlier_waves_stay_as_they_were_shown():
    def fresh():
        waves = [{"wave": "pulse-1", "n": PEOPLE - 1}, {"wave": "pulse-2", "n": PEOPLE}]
        return {"trends": {}, "choice_trends": {"job_match": {"waves": waves}}}

    shown = {"choice_trends": {"job_match": {"waves": [{"wave": "pulse-1", "n": PEOPLE}]}}}
    found = publication.composed(fresh(), "pulse-2", {"pulse-1": shown})
    assert [one["n"] for one in found["choice_trends"]["job_match"]["waves"]] == [PEOPLE, PEOPLE]
    hidden = publication.composed(fresh(), "pulse-2", {"pulse-1": {}})["choice_trends"]["job_match"]["waves"][0]
    assert (hidden["n"], hidden["reason"]) == (None, "hidden")


def test_figures_outlive_the_answers_and_a_new_form_waits_for_enough_people(service, waves, quick):
    first = asyncio.run(SurveyFigures(service).report("pulse-1"))
    old = sa.update(PublishedRow).values(document=first | {"format": FORMAT - 1})
    service.store.write(lambda c: c.execute(old) and None)
    erase(service, 3)
    with pytest.raises(FiguresError, match=TOO_FEW_GONE):
        asyncio.run(SurveyFigures(service).report("pulse-1"))
    erase(service, *range(PEOPLE))
    assert asyncio.run(SurveyFigures(service).waves()) == ["pulse-1"]


def test_open_answers_are_shown_after_somebody_read_them(service, waves, quick):
    browser = make_browser(service)
    log_in(browser, Role.RESEARCHER)
    page = browser.get("/monitoring/words?lang=nl").text
    assert "Er wachten 80 antwoorden." in page  # of the closed waves only
    key = {"wave": "pulse-1", "item": "anything_else", "respondent": f"{5:032d}"}
    token = page.split('name="token" value="')[1].split('"')[0]
    shown = {"token": token, "verdict": "show", "words": "Woorden  van iemand", **key}
    assert browser.post("/monitoring/words", data=shown, follow_redirects=False).status_code == 303
    assert browser.post("/monitoring/words", data=shown).status_code == 409  # somebody read it before
    kept = {"token": token, "verdict": "keep", "words": "x", **key, "respondent": f"{6:032d}"}
    browser.post("/monitoring/words", data=kept)

    def words(least):
        return service.store.read(lambda c: survey_words.shown(c, "pulse-1", ["anything_else"], least))

    assert words(10) == {"anything_else": ["Woorden van iemand"]}
    assert words(PEOPLE + 1) == {}
    erase(service, 5)
    assert words(10) == {}


def test_what_is_kept_of_a_wave_holds_no_person(service, waves, quick):
    asyncio.run(SurveyFigures(service).report("pulse-2"))
    kept = service.store.read(lambda c: publication.reports(c, ["pulse-1", "pulse-2"]))
    assert set(kept) == {"pulse-1", "pulse-2"}, "the earlier wave is kept before the later one is shown"
    assert "Woorden" not in str(kept)
    assert f"{3:032d}" not in str(kept)
