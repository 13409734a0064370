"""Outside WhatsApp's window: a template, only for who has one in their language, and never beyond the wave's budget."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot import outbox, survey_figures, survey_waves
from bot.errors import Failure, SendError
from bot.locales import LANGUAGES
from bot.messages import Kind, Receipt
from bot.settings import ROOT
from bot.storage.follow_up_models import SpendRow
from bot.storage.models import OutboxRow
from bot.storage.survey_models import SurveyInvitationRow, SurveyWaveRow
from tests.conftest import make_service
from tests.surveys.helping import close_waves, contact_of, invitation_states, live_wave, release
from tests.talk import Talk, keys

PRICE = 130_000
SHUT = timedelta(hours=25)


def people(service, *languages):
    return [Talk(service, "whatsapp", who="p" * n).agrees(language) for n, language in enumerate(languages, 1)]


def wave_of(service, talks, budget):
    live_wave(service, "social_life", [contact_of(talk) for talk in talks], budget=budget)
    service.clock.forward(SHUT)
    release(service)


def spent(service):
    return service.store.read(lambda c: c.execute(sa.select(SurveyWaveRow.spent)).scalar_one())


def waits(service):
    query = sa.select(SurveyInvitationRow.waits).order_by(SurveyInvitationRow.id)
    return list(service.store.read(lambda c: c.execute(query).scalars()))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reply", ["OK", "1", "tap", "go", "later"])
def test_a_template_says_what_it_is_about_and_leave_is_asked_when_the_person_writes(service, language, reply):
    """Also of whoever answers "go on" to it, at once or after a pause: nobody is asked before they know what for."""
    (talk,) = people(service, language)
    wave_of(service, [talk], PRICE)
    (message,) = talk.waits()
    title = service.content.surveys.texts[language].surveys["social_life"].title
    assert (message.keys, message.template, message.variables) == (("survey.template",), "survey", (title,))
    assert spent(service) == PRICE
    words = service.content.surveys.texts[language].controls
    if reply == "later":
        assert keys(talk.says(words["later"][0])) == ["survey.later"]
        got = talk.taps("survey:go:1")
    else:
        got = talk.taps("survey:open") if reply == "tap" else talk.says({"go": words["go"][0]}.get(reply, reply))
    assert keys(got) == ["survey.ask", "survey:social_life:why", "survey.how_many", "survey.rights"]
    assert invitation_states(service) == ["asked"]
    assert "survey:social_network_support" in keys(talk.taps("survey:yes:1"))


@pytest.mark.parametrize(("language", "no"), [("nl", "nee"), ("en", "No"), ("ar", "لا")])
def test_a_no_to_the_template_is_a_no(service, language, no):
    (talk,) = people(service, language)
    wave_of(service, [talk], PRICE)
    talk.waits()
    assert keys(talk.says(no)) == ["survey.declined"]
    assert invitation_states(service) == ["declined"]


def test_a_budget_for_two_asks_two_and_the_page_says_what_the_others_wait_for(service):
    talks = people(service, "nl", "ar", "en", "nl")
    wave_of(service, talks, 2 * PRICE + PRICE // 2)
    assert [keys(talk.waits()) for talk in talks] == [["survey.template"]] * 2 + [[]] * 2
    assert spent(service) == 2 * PRICE
    assert waits(service) == ["", "", "budget", "budget"]
    for _ in range(3):
        service.clock.forward(timedelta(days=1))
        release(service)
        assert [keys(talk.waits()) for talk in talks] == [[]] * 4
    line = service.store.read(lambda c: c.execute(sa.select(SpendRow.kind, sa.func.sum(SpendRow.micro_eur))).one())
    assert tuple(line) == ("invitation", 2 * PRICE)
    close_waves(service)
    (wave,) = service.store.read(survey_waves.listed)
    funnel = service.store.read(lambda c: survey_figures.funnel(c, wave))
    assert dict(funnel.waits) == {"window": 0, "language": 0, "budget": 2}
    assert (funnel.states["silent"], funnel.states["not_reached"], list(funnel.mistakes())) == (2, 2, [])


def test_who_writes_opens_the_window_and_costs_nothing(service):
    first, second = people(service, "nl", "nl")
    wave_of(service, [first, second], PRICE)
    first.waits()
    second.says("", kind=Kind.IMAGE)
    service.clock.forward(timedelta(hours=13))
    release(service)
    assert second.waits() == [], "it is night"
    service.clock.forward(timedelta(hours=10))
    release(service)
    assert keys(second.waits())[:1] == ["survey.ask"]
    assert spent(service) == PRICE


@pytest.mark.parametrize("code", ["63041", "63014"])
def test_what_was_not_delivered_is_given_back_and_spent_on_the_next(service, code):
    first, second = people(service, "nl", "nl")
    wave_of(service, [first, second], PRICE)
    first.waits()
    query = sa.select(OutboxRow.provider_id).where(OutboxRow.kind == "invitation")
    receipt = Receipt("whatsapp", service.store.read(lambda c: c.execute(query).scalar_one()), "failed", code)
    service.store.write(lambda c: outbox.receive(c, receipt, service.clock.now()))
    assert spent(service) == 0
    service.clock.forward(timedelta(days=1))
    release(service)
    assert keys(second.waits()) == ["survey.template"]
    assert spent(service) == PRICE


def test_a_template_that_is_refused_at_once_costs_nothing(service):
    (talk,) = people(service, "nl")

    def refuse(message):
        if message.template:
            raise SendError(Failure.PERMANENT, "63040")

    service.channels["whatsapp"].fail = refuse
    wave_of(service, [talk], PRICE)
    assert talk.waits() == []
    assert spent(service) == 0


def test_without_a_template_in_a_language_nobody_of_it_is_asked(
    settings, sqlite_store, vault, clock, content, understander
):
    without = settings.model_copy(update={"twilio_template_survey_ar": ""})
    service = make_service(without, sqlite_store, vault, clock, content, understander)
    talks = people(service, "nl", "ar")
    wave_of(service, talks, 10 * PRICE)
    assert [keys(talk.waits()) for talk in talks] == [["survey.template"], []]
    assert waits(service) == ["", "language"]


def test_no_budget_no_template_and_a_reminder_is_worth_none(service):
    talks = people(service, "nl")
    wave_of(service, talks, None)
    assert (talks[0].waits(), waits(service)) == ([], ["window"])
    wave_of(service, talks, 5 * PRICE)
    assert keys(talks[0].waits()) == ["survey.template"]
    service.clock.forward(timedelta(days=7))
    release(service)
    assert (talks[0].waits(), waits(service)) == ([], ["window", "window"])


def test_the_documentation_shows_the_texts_that_were_submitted(content):
    page = (ROOT / "docs" / "surveys.md").read_text(encoding="utf-8")
    for language in LANGUAGES:
        text = str(content.replies[language]["survey.template"]).strip().replace("{title}", "{{1}}")
        assert f"| {language} | {text} |" in page
