"""Survey figures as pages and as JSON, for researchers and coordinators and for nobody else."""

from __future__ import annotations

import asyncio
import io
import json
import re
import zipfile

import pytest
import sqlalchemy as sa

from bot import survey_reports
from bot.monitoring import baseline as baselines
from bot.monitoring.answers import read_answers
from bot.monitoring.protection import Rules
from bot.monitoring.quarter import quarter
from bot.monitoring.quarter_pdf import pdf
from bot.monitoring.questions import questions_of
from bot.monitoring.report import Options, make, scales_of
from bot.roles import Role
from bot.settings import ROOT
from bot.storage.account_models import AuditRow
from bot.survey_reports import DEMO, DEMO_ASKED, FORMAT, BeingMadeError, KeepReports, SurveyFigures
from tests.webhooks.browser import log_in, make_browser
from webhooks import monitoring_api, monitoring_pages
from webhooks.monitoring_api import RESOURCES, camel
from webhooks.monitoring_report import titles
from webhooks.monitoring_schema import Problem

PAGES = ("survey", "choices", "relations", "trend", "funnel", "quarter", "items/Q17", "groups/gender")
API = "/api/monitoring/v1"


@pytest.fixture(scope="session")
def demo_reports(content):
    baseline = baselines.load(ROOT / "content" / "baseline_2024.yaml")
    answers = read_answers(DEMO, scales_of(baseline), questions_of(content.surveys, baseline.items))
    asked = [one for one in json.loads(DEMO_ASKED.read_text()) for _ in range(one["people"])]
    return {
        wave: make(
            answers, baseline, Options(Rules(strict=True), wave, DEMO.name, [a for a in asked if a["wave"] == wave])
        )
        for wave in ("2026-1", "2026-3")
    }


@pytest.fixture
def browser(service, demo_reports, monkeypatch):
    """The figures are computed here once, not in a process of their own for each test."""

    async def run(_, answers, what, *options, **more):
        wave = options[options.index("--wave") + 1] if "--wave" in options else "latest"
        wave = max(demo_reports) if wave == "latest" else wave
        assert wave in demo_reports, "a word in an address must start no process"
        return json.dumps(demo_reports[wave]).encode()

    monkeypatch.setattr(SurveyFigures, "_run", run)
    for module in (monitoring_api, monitoring_pages):
        monkeypatch.setattr(module, "PATIENCE", None)
    return make_browser(service)


@pytest.mark.parametrize("place", PAGES)
def test_each_page_shows_its_figures_in_both_languages_and_without_script_or_style(browser, place):
    log_in(browser, Role.RESEARCHER)
    dutch, english = (browser.get(f"/monitoring/{place}?lang={language}") for language in ("nl", "en"))
    assert (dutch.status_code, english.status_code) == (200, 200)
    assert "Verzonnen antwoorden" in dutch.text
    assert "Invented answers" in english.text
    assert not re.search(r"<[^>]+\sstyle=|<style|onclick", dutch.text)
    assert "None" not in re.sub(r"<[^>]+>", " ", dutch.text)


def test_each_chart_has_a_title_and_a_table_beside_it(browser):
    log_in(browser, Role.RESEARCHER)
    for place in ("survey", "choices", "trend", "funnel", "quarter", "items/Q17"):
        page = browser.get(f"/monitoring/{place}").text
        assert (charts := page.count('<svg class="chart')) > 0
        assert page.count("<title id=") == charts
        assert page.count("<table") >= charts


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.RESEARCHER, 200),
        (Role.COORDINATOR, 200),
        (Role.KLANTREGISSEUR, 403),
        (Role.EDITOR, 403),
        (Role.ADMIN, 403),
    ],
)
def test_only_researchers_and_coordinators_see_figures(browser, role, status):
    log_in(browser, role)
    rows = browser.get("/monitoring/export.zip").status_code
    assert rows == (200 if role == Role.RESEARCHER else 403), "rows of answers are for researchers alone"
    for place in (*PAGES, "quarter.pdf"):
        assert browser.get(f"/monitoring/{place}").status_code == status, place
    answer = browser.get(f"{API}/items")
    assert answer.status_code == status
    if status == 403:
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_wave_can_be_chosen_and_one_that_is_not_there_is_told(browser, demo_reports):
    log_in(browser, Role.RESEARCHER)
    first = demo_reports["2026-1"]["items"]["Q17"]["total"]
    assert f"{first['m']:.2f}".replace(".", ",") in browser.get("/monitoring/survey?wave=2026-1&lang=nl").text
    assert "is not in the file" in browser.get("/monitoring/survey?wave=1999").text
    assert browser.get("/monitoring/items/Q999").status_code == 404
    assert browser.get("/monitoring/groups/shoe_size").status_code == 404


def test_the_api_follows_the_dutch_rules(browser):
    log_in(browser, Role.RESEARCHER)
    answer = browser.get(f"{API}/items/Q17")
    assert answer.headers["api-version"] == "1.2.0"
    body = answer.json()
    assert body["higherIsWorse"] is False
    assert body["baseline"]["total"]["m2024"] == 3.48
    assert set(body["groups"]) >= {"type", "gender", "age_group"}  # names of things, not of fields
    problem = browser.get(f"{API}/items/Q999")
    assert (problem.status_code, problem.json()["status"]) == (404, 404)
    assert problem.headers["content-type"] == "application/problem+json"
    assert browser.get(f"{API}/items/").status_code == 404
    for place in ("waves", "items", "relations", "funnel", "checks", "operations"):
        assert browser.get(f"{API}/{place}").status_code == 200, place


def test_anybody_may_read_what_the_api_is(browser):
    answer = browser.get(f"{API}/openapi.json")
    assert answer.headers["access-control-allow-origin"] == "*"  # rule /core/publish-openapi
    document = answer.json()
    assert document["openapi"].startswith("3.")
    assert set(document["paths"]) == {f"{API}{path}" for path, *_ in RESOURCES}
    assert {"title", "version", "contact", "license"} <= set(document["info"])
    for path, methods in document["paths"].items():
        assert set(methods) == {"get"}
        assert {"200", "401", "403", "404", "422"} <= set(methods["get"]["responses"]), path
        assert "$ref" in methods["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        wave = {one["name"] for one in methods["get"].get("parameters", [])}
        assert "wave" in wave or path.endswith("operations")
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert named <= set(document["components"]["schemas"])
    assert document["security"] == [{"key": []}, {"login": []}]


def test_every_answer_has_the_shape_that_the_document_says(browser):
    log_in(browser, Role.RESEARCHER)
    for path, _, _, shape in RESOURCES:
        answer = browser.get(f"{API}{path.format(item='Q17')}")
        assert answer.status_code == 200, path
        shape.model_validate(answer.json())
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    Problem.model_validate(browser.get(f"{API}/items/Q999").json())
    long = browser.get(f"{API}/items?wave={'x' * 61}")
    assert (long.status_code, long.headers["content-type"]) == (422, "application/problem+json")
    assert "wave" in long.json()["title"]


def test_a_program_shows_its_key(service, demo_reports, browser):
    assert browser.get(f"{API}/items").status_code == 401
    key = "a key of twenty-four signs"
    service.settings = service.settings.model_copy(update={"monitoring_api_key": key})
    program = make_browser(service)
    assert program.get(f"{API}/items", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert program.get(f"{API}/items", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert program.get(f"{API}/items", headers={"Authorization": "Bearer "}).status_code == 401


def test_no_figure_of_too_few_people_leaves_by_the_api(browser, demo_reports):
    log_in(browser, Role.RESEARCHER)

    def numbers(value):
        if isinstance(value, dict):
            yield from ([value["n"]] if isinstance(value.get("n"), int) and "m" in value else [])
            for inner in value.values():
                yield from numbers(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from numbers(inner)

    for wave in demo_reports:
        for item in ("Q3", "Q10", "Q13", "Q25"):
            found = list(numbers(browser.get(f"{API}/items/{item}?wave={wave}").json()))
            assert found
            assert all(n == 0 or n >= 10 for n in found)


def test_without_answers_the_page_says_so(service, monkeypatch, tmp_path):
    monkeypatch.setattr(survey_reports, "DEMO", tmp_path / "none.csv")
    browser = make_browser(service)
    log_in(browser, Role.RESEARCHER)
    assert "Er zijn nog geen antwoorden" in browser.get("/monitoring/survey?lang=nl").text
    assert browser.get("/monitoring/export.zip").status_code == 404
    assert browser.get(f"{API}/items").status_code == 404


def test_a_quarter_without_a_wave_says_so_and_several_waves_fit_on_one_page(browser, demo_reports, tmp_path):
    log_in(browser, Role.RESEARCHER)
    empty = browser.get("/monitoring/quarter?quarter=2026-4&lang=nl").text
    assert "In dit kwartaal sloot geen ronde" in empty
    assert "<svg" not in empty
    shown = browser.get("/monitoring/quarter?lang=nl").text
    assert "kwartaal 3 van 2026</h1>" in shown
    assert "sloot één ronde" in shown
    page = quarter(list(demo_reports.values()), "2026-3")
    for language in ("nl", "en"):
        path = tmp_path / f"{language}.pdf"
        pdf({"quarter": page}, titles(page, language), language, path)
        assert path.read_bytes().count(b"/Type /Page\n") == 1


def test_trends_of_options_have_their_share_in_each_wave(browser, demo_reports):
    log_in(browser, Role.RESEARCHER)
    found = demo_reports["2026-3"]
    item = browser.get(f"{API}/choices").json()["items"]["job_match"]
    assert [one["wave"] for one in item["trend"]] == ["2026-1", "2026-2", "2026-3"]
    assert item["trend"][0]["options"] == demo_reports["2026-1"]["choices"]["job_match"]["total"]["options"]
    assert item["trend"][-1]["options"] == item["total"]["options"]
    hours = found["choice_trends"]["work_hours"]["waves"]
    assert [one["m"] for one in hours][-1] == found["choices"]["work_hours"]["total"]["m"]
    assert "anything_else" not in found["choice_trends"], "words have no trend"
    page = browser.get("/monitoring/trend?lang=nl").text
    assert 'id="chart-job_match-title"' in page
    assert "met Wilsons 95%-interval" in page


def test_figures_that_are_being_made_are_no_wait(service, monkeypatch):
    """The page and the API answer at once and say when to look again; what is made meanwhile is kept."""
    began, go_on = [], asyncio.Event()

    async def slow(_, answers, what, *options, **more):
        began.append(options[options.index("--wave") + 1])
        await go_on.wait()
        return json.dumps({"format": FORMAT, "source": {"waves": [], "wave": "1"}, "tool_check": {}}).encode()

    monkeypatch.setattr(SurveyFigures, "_run", slow)

    async def look():
        first, other = SurveyFigures(service), SurveyFigures(service)
        for _ in range(2):
            with pytest.raises(BeingMadeError):
                await first.report(patience=0.01)
        with pytest.raises(BeingMadeError):
            await other.report()  # another process leaves it to the first
        assert await KeepReports(other).once()
        go_on.set()
        found = await first.report()
        assert await other.report() == found
        assert await other.missing() == []
        return found

    assert asyncio.run(look())["tool_check"] == {}
    assert began == ["latest"], "made once, whoever looks"


def test_pages_say_that_figures_are_being_made(service, monkeypatch):
    async def not_yet(*_, **__):
        raise BeingMadeError

    monkeypatch.setattr(SurveyFigures, "report", not_yet)
    browser = make_browser(service)
    log_in(browser, Role.RESEARCHER)
    page = browser.get("/monitoring/survey?lang=nl")
    assert (page.status_code, page.headers["refresh"]) == (200, "4")
    assert "worden gemaakt" in page.text
    assert browser.get("/monitoring/quarter.pdf").status_code == 503
    answer = browser.get(f"{API}/checks")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "4")


def test_pdf_and_export_come_out_of_a_process_of_their_own(service):
    """The real thing, once: a PDF of one page and a zip with every file."""
    browser = make_browser(service)
    log_in(browser, Role.RESEARCHER)
    asyncio.run(SurveyFigures(service).report())  # as the chore does
    page = browser.get("/monitoring/quarter.pdf?lang=en")
    assert page.headers["content-disposition"] == 'attachment; filename="wegwijs-2026-3.pdf"'
    assert page.content.startswith(b"%PDF")
    assert page.content.count(b"/Type /Page\n") == 1
    taken = sa.select(AuditRow.detail).where(AuditRow.action == "survey.answers")
    names = zipfile.ZipFile(io.BytesIO(browser.get("/monitoring/export.zip").content)).namelist()
    assert {"answers.sav", "answers.xlsx", "answers_tidy.csv", "codebook.csv", "manifest.json"} <= set(names)
    assert service.store.read(lambda c: c.execute(taken).scalars().all()) == ["wave=2026-3"]


def test_keys_are_camel_case_but_names_are_not():
    found = camel({"higher_is_worse": 1, "groups": {"age_group": {"n_effective": 2}}, "left": [{"p_holm": 1}]})
    assert found == {"higherIsWorse": 1, "groups": {"age_group": {"nEffective": 2}}, "left": [{"pHolm": 1}]}
