"""A nudge before WhatsApp's window shuts, a template after it: when, once, to whom, and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot import outbox
from bot.desk.window import is_near, nudge_at
from bot.errors import Failure, SendError
from bot.locales import AMSTERDAM, LANGUAGES
from bot.messages import Kind, Receipt
from bot.pushes import PushRules
from bot.settings import ROOT
from bot.storage.follow_up_models import SpendRow
from bot.storage.models import LaneState, OutboxRow
from tests.conftest import make_service
from tests.desk.asking import answer, ask
from tests.talk import keys

DAY = timedelta(hours=25)


@pytest.mark.parametrize(
    ("shuts", "expected"),
    [
        ("2026-11-24 14:00", "2026-11-24 12:00"),  # two hours before
        ("2026-11-24 10:00", "2026-11-23 19:30"),  # 8:00 is too early: the evening before
        ("2026-11-24 23:00", "2026-11-24 19:30"),  # 21:00 is too late: before the night
        ("2026-11-30 10:00", "2026-11-28 19:30"),  # Monday morning: Sunday is nobody's day, so Saturday
        ("2026-12-25 15:00", "2026-12-24 19:30"),  # Christmas
    ],
)
def test_the_last_good_moment_to_nudge(shuts, expected):
    def moment(text):
        return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)

    assert nudge_at(moment(shuts), PushRules()) == moment(expected)


@pytest.mark.parametrize(("hours", "near"), [(2, False), (5, True), (22, True), (24, False)])
def test_an_answer_is_near_when_an_ok_would_let_it_through(hours, near):
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert is_near(now + timedelta(hours=hours), now + timedelta(hours=3), now) is near


@pytest.fixture
def waiting(service):
    """An answer behind a shut window, with its template sent."""
    talk, ticket_id = ask(service, channel="whatsapp")
    service.clock.forward(DAY)
    answer(service, ticket_id)
    return talk


def template_rows(service):
    query = sa.select(OutboxRow.__table__).where(OutboxRow.kind == "template")
    return list(service.store.read(lambda c: c.execute(query).all()))


def spent(service):
    rows = service.store.read(lambda c: c.execute(sa.select(SpendRow.__table__).order_by(SpendRow.outcome)).all())
    return [(row.kind, row.language, row.outcome, row.n, row.micro_eur) for row in rows]


def test_the_template_names_the_day_and_nothing_else(waiting):
    (message,) = waiting.waits()
    assert (message.template, message.variables) == ("answer", ("23 november 2026",))
    assert "Wie belt" not in message.text
    assert spent(waiting.service) == [("template", "nl", "sent", 1, 50_000)]


def test_one_template_for_all_that_waits(service, understander):
    _, first = ask(service, channel="whatsapp")
    talk, second = ask(service, "Nog een vraag", channel="whatsapp")
    talk.waits()
    service.clock.forward(DAY)
    answer(service, first)
    assert keys(talk.waits()) == ["window.template"]
    answer(service, second)
    assert talk.waits() == []
    assert keys(talk.taps("ok")).count("ticket.answer") == 2


def test_the_next_shut_window_has_a_template_of_its_own(waiting):
    waiting.waits()
    waiting.taps("ok")
    waiting.taps("rated:no:1")
    waiting.service.clock.forward(DAY)
    waiting.waits()
    answer(waiting.service, 1, "Nog eens.")
    assert keys(waiting.waits()) == ["window.template"]


@pytest.mark.parametrize("code", ["63041", "63016", "63014"])
def test_a_template_that_was_not_delivered_is_not_repeated_and_costs_nothing(waiting, code):
    waiting.waits()
    service, provider_id = waiting.service, template_rows(waiting.service)[0].provider_id
    receipt = Receipt("whatsapp", provider_id, "failed", code)
    service.store.write(lambda c: outbox.receive(c, receipt, service.clock.now()))
    assert template_rows(service)[0].state == LaneState.DEAD
    assert [line[2] for line in spent(service)] == ["failed", "sent"]
    assert waiting.waits() == []


def test_a_template_that_is_refused_at_once_is_not_repeated(waiting):
    def refuse(message):
        if message.template:
            raise SendError(Failure.PERMANENT, "63040")

    waiting.service.channels["whatsapp"].fail = refuse
    waiting.waits()
    assert waiting.waits() == []
    assert (template_rows(waiting.service)[0].error, spent(waiting.service)) == ("63040", [])


def test_no_template_to_who_blocked_us(waiting):
    waiting.says("", kind=Kind.BLOCKED)
    assert template_rows(waiting.service) == []


def test_no_template_without_consent(waiting):
    service = waiting.service
    service.store.write(lambda c: c.execute(sa.text("UPDATE contact SET consent = 'refused'")) and None)
    assert waiting.waits() == []


def test_an_answer_that_was_taken_back_needs_no_template(waiting):
    service = waiting.service
    sweep = next(chore for chore in service.worker.chores if getattr(chore, "name", "") == "the window")
    service.store.write(lambda c: sweep.work(c, service.clock.now()) and None)
    gone = sa.delete(OutboxRow).where(OutboxRow.key.like("answer:%"))
    service.store.write(lambda c: c.execute(gone) and None)
    assert waiting.waits() == []
    assert template_rows(service) == []


def test_no_template_in_a_language_that_has_none(settings, sqlite_store, vault, clock, content, understander):
    without = settings.model_copy(update={"twilio_template_answer_nl": ""})
    service = make_service(without, sqlite_store, vault, clock, content, understander)
    talk, ticket_id = ask(service, channel="whatsapp")
    clock.forward(DAY)
    answer(service, ticket_id)
    assert talk.waits() == []


def test_an_invented_phone_with_whatsapps_rules_behaves_the_same(service):
    talk, ticket_id = ask(service, channel="console-numbers")
    service.clock.forward(DAY)
    answer(service, ticket_id)
    assert keys(talk.waits()) == ["window.template"]
    assert "ticket.answer" in keys(talk.says("1"))


def test_on_postgresql_too(settings, postgres_store, vault, clock, content, understander):
    service = make_service(settings, postgres_store, vault, clock, content, understander)
    talk, ticket_id = ask(service, channel="whatsapp")
    clock.forward(timedelta(hours=9, minutes=31))
    assert keys(talk.waits()) == ["window.nudge"]
    clock.forward(DAY + timedelta(hours=13))
    answer(service, ticket_id)
    talk.waits()
    assert [line[:4] for line in spent(service)] == [("nudge", "nl", "sent", 1), ("template", "nl", "sent", 1)]


def test_the_documentation_shows_the_texts_that_were_submitted(content):
    page = (ROOT / "docs" / "channels.md").read_text(encoding="utf-8")
    for language in LANGUAGES:
        text = str(content.replies[language]["window.template"]).replace("{date}", "{{1}}")
        assert f"| {language} | {text} |" in page
