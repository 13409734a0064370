"""The pages of waves: every step of one wave, as a researcher takes it, and what each step refuses."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.roles import Role
from bot.storage.research_models import SurveyAnswerRow
from bot.storage.survey_models import SurveyWaveRow
from bot.survey_figures import COLUMNS, expect, rows
from bot.survey_reports import TOO_FEW, FiguresError, SurveyFigures
from tests.surveys.helping import answers_of, invite, release
from tests.talk import Talk, keys
from tests.webhooks.browser import log_in, make_browser, token_of
from webhooks.csv_file import to_csv


@pytest.fixture
def browser(service):
    browser = make_browser(service)
    log_in(browser, Role.RESEARCHER)
    return browser


def send(browser, place, page="/surveys", **fields):
    token = token_of(browser.get(page))
    return browser.post(place, data={"token": token} | fields)


def draft(browser, survey="social_life", **fields):
    answer = send(browser, "/surveys/new", survey=survey, **{"part": "1"} | fields)
    assert answer.status_code == 303, re.findall("<p>.*</p>", answer.text)
    return answer.headers["location"]


def test_a_wave_from_draft_to_closed(service, browser):
    talk = Talk(service, "telegram").agrees("ar")
    place = draft(browser, "ambitions")
    parts = [place] + [draft(browser, "ambitions", part=str(n)) for n in (2, 3, 4)]
    page = browser.get(place).text
    assert "Wat te verwachten is" in page
    assert send(browser, f"{place}/test", place).status_code == 409
    for place in parts:
        for language in ("nl", "en", "ar"):
            assert browser.get(f"{place}/preview?as={language}").status_code == 200
            send(browser, f"{place}/previewed", f"{place}/preview?as={language}", **{"as": language})
        assert send(browser, f"{place}/test", place).status_code == 303
        refused = send(browser, f"{place}/live", place)
        assert refused.status_code == 409
        assert "Een collega moet eerst" in refused.text
    for place in parts:
        code = re.search(r"test (w\d{5})", browser.get(place).text)[1]
        assert keys(talk.says(f"Test {code}"))[0] == "survey.test"
        talk.says("نعم")
        assert keys(talk.says("1, 2"))[0] == "survey.thanks"
        assert send(browser, f"{place}/live", place).status_code == 303
    assert answers_of(service) == {}, "the trial is gone"
    service.clock.forward(timedelta(hours=1))
    assert release(service) == 1, "the person is in one part of the panel alone"
    assert keys(talk.waits())[0] == "survey.ask"
    talk.says("نعم")
    talk.says("1")
    page = next(text for place in parts if "Uitgenodigd</dt><dd>1<" in (text := browser.get(place).text))
    assert "Bezorgd</dt><dd>1<" in page
    assert "Afgerond</dt><dd>1<" in page
    for place in parts:
        assert send(browser, f"{place}/stop", place).status_code == 303
        assert "Deze ronde is gesloten" in browser.get(place).text
        assert send(browser, f"{place}/stop").status_code == 409


def test_no_answer_of_a_running_wave_leaves_and_the_questions_wait_for_ten_people(service):
    service.settings = service.settings.model_copy(update={"simulator": False})  # else it shows invented answers
    browser = make_browser(service)
    log_in(browser, Role.RESEARCHER)
    talk = Talk(service, "telegram").agrees("nl")
    invite(talk, "social_life", {})
    talk.taps("survey:yes:1")
    talk.says("7")
    talk.taps("survey:skip:1:comfort_with_locals")
    talk.says("5")
    code = service.store.read(lambda c: c.execute(sa.select(SurveyWaveRow.code)).scalar_one())
    answer = service.store.read(lambda connection: rows(connection, code))
    assert {(row[COLUMNS.index("study")], row[COLUMNS.index("value")]) for row in answer} == {
        ("Q31", "7"),
        ("Q32", None),
        ("Q33", "5"),
    }
    page = browser.get("/surveys/1?lang=nl").text
    assert "te zien als deze ronde gesloten is" in page
    assert "te zien als 10 mensen klaar zijn" in page
    assert browser.get("/surveys/1/answers.csv").status_code == 404
    assert browser.get(f"/monitoring/export.zip?wave={code}").status_code == 404
    assert send(browser, "/surveys/1/stop", "/surveys/1").status_code == 303
    with pytest.raises(FiguresError, match=TOO_FEW):
        asyncio.run(SurveyFigures(service).export(code))  # closed, but of one person


def test_a_cell_that_a_spreadsheet_would_carry_out_is_made_harmless():
    assert "'=cmd" in to_csv(["x", "y"], [("=cmd", "a")])


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"survey": "nothing"}, "Kies een peiling"),
        ({"sample_size": "0"}, "heel getal"),
        ({"sample_size": "veel"}, "heel getal"),
        ({"part": "9"}, "het eerste is 1"),
        ({"budget": "12,345"}, "een bedrag in euro"),
        ({"budget": "100001"}, "een bedrag in euro"),
    ],
)
def test_a_wrong_field_is_named(browser, fields, says):
    answer = send(browser, "/surveys/new", **{"survey": "social_life", "part": "1"} | fields)
    assert answer.status_code == 422
    assert says in answer.text


def test_a_budget_is_an_amount_and_the_page_tells_what_is_spent_of_it(browser):
    made = send(browser, "/surveys/new", survey="social_life", part="1", budget="€ 12,50")
    page = browser.get(made.headers["location"]).text
    assert "€ 0,00 / € 12,50" in page
    assert "Alleen met een sjabloon van WhatsApp" in page


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.RESEARCHER}))
def test_the_pages_are_for_researchers_alone(service, role):
    browser = make_browser(service)
    log_in(browser, role)
    for place in ("/surveys", "/surveys/1"):
        assert browser.get(place).status_code == 403


def test_a_wave_that_is_not_there(browser):
    for place in ("/surveys/99", "/surveys/99/preview?as=nl"):
        assert browser.get(place).status_code == 404


def test_a_sample_is_repeatable_and_wide_intervals_are_told():
    assert expect(518, 518).answers == 150
    assert expect(100, 5000).half_width["scale5"] > expect(1000, 5000).half_width["scale5"]
    assert expect(3, 5000).half_width["scale5"] is None


def test_no_answer_is_on_a_page(service, browser):
    talk = Talk(service, "telegram").agrees("nl")
    invite(talk, "after_intake", {"phase": "pip"})
    talk.taps("survey:yes:1")
    talk.says("4")
    talk.says("4")
    talk.says("het wachten duurt te lang")
    kept = service.store.read(lambda c: c.execute(sa.select(SurveyAnswerRow.value)).scalars().all())
    assert "het wachten duurt te lang" in kept
    assert "wachten duurt" not in browser.get("/surveys/1").text
