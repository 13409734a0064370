"""Figures that help to run the service and name nobody."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot import people
from bot.monitoring import operations
from bot.monitoring.operations import DAYS, MIN_COUNT, Counts, TicketCounts, count, publish, rounded, shown
from bot.storage.models import ContactRow, LaneState, OutboxRow, OutcomeCountRow, TicketRow, TicketState
from tests.desk.asking import answer, ask
from tests.webhooks.browser import log_in, make_browser
from webhooks.monitoring import charts

TODAY = date(2026, 11, 23)


def counted(service, number, outcome, *, topic="", language="nl", days_ago=0):
    def work(connection):
        at = service.clock.now() - timedelta(days=days_ago)
        for _ in range(number):
            people.count(connection, at, "telegram", language, outcome, topic)

    service.store.write(work)


def figures(service):
    now = service.clock.now()
    return publish(service.store.read(lambda c: count(c, now)))


def see(service, language="nl"):
    browser = make_browser(service)
    log_in(browser)
    return browser.get(f"/monitoring?lang={language}").text


def test_messages_are_counted_by_day_and_language_and_small_figures_are_left_out(service):
    counted(service, 12, "answer")
    counted(service, 9, "answer", language="ar")
    counted(service, 11, "clarify", language="ti", days_ago=1)
    counted(service, 50, "topic")
    counted(service, 20, "answer", days_ago=DAYS)
    found = figures(service)
    assert found.languages == ("nl", "en", "ar", "other")
    assert found.days[0] == operations.Day(TODAY, (12, None, None, None))
    assert found.days[1].counts == (None, None, None, 11)
    assert len(found.days) == DAYS
    assert found.total == 30


def test_the_day_of_a_message_is_the_day_in_nijmegen(service):
    service.clock.at = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    counted(service, 10, "answer")
    assert figures(service).days[0].counts[0] == 10
    assert figures(service).days[0].day == TODAY


def test_shares_are_of_all_typed_messages_and_a_small_one_can_not_be_worked_out(service):
    counted(service, 63, "answer")
    counted(service, 24, "clarify")
    counted(service, 13, "escalate")
    counted(service, 3, "crisis")
    found = {share.name: (share.count, share.share) for share in figures(service).outcomes}
    assert found["answer"] == (60, pytest.approx(63 / 103))
    assert found["escalate"][0] == 10
    assert found["crisis"] == found["smalltalk"] == (None, None)
    assert figures(service).total == 100


def test_topics_are_shown_by_title_the_most_asked_first(service, content):
    counted(service, 12, "answer", topic="pip.what")
    counted(service, 14, "topic", topic="pip.contents")
    counted(service, 9, "answer", topic="pip.when")
    counted(service, 30, "clarify", topic="pip.when")
    counted(service, 15, "helped.no", topic="pip.what")
    found = figures(service)
    assert found.asked == (("pip.contents", 14), ("pip.what", 12))
    assert found.not_helped == (("pip.what", 15),)
    text = see(service, "en")
    assert content.answer("pip.contents", "en").title in text
    assert content.answer("pip.when", "en").title not in text


def test_who_was_helped_is_told_by_the_way_to_the_answer(service):
    for outcome, number in (
        ("yes", 30),
        ("no", 10),
        ("yes.back", 12),
        ("no.back", 18),
        ("yes.menu", 11),
        ("no.menu", 3),
    ):
        counted(service, number, f"helped.{outcome}", topic="pip.what")
    found = {one.name: (one.count, one.share) for one in figures(service).rated}
    assert found == {"once": (40, 0.75), "back": (30, 0.4), "menu": (10, None)}
    assert figures(service).not_helped == (("pip.what", 31),)
    assert "Na een wedervraag" in see(service)


def test_topics_over_months_and_languages_are_to_tens_and_never_crossed(service):
    counted(service, 34, "answer", topic="pip.what", language="ar")
    counted(service, 16, "topic", topic="pip.what", language="nl", days_ago=40)
    counted(service, 4, "answer", topic="pip.when", language="nl")
    (row,) = figures(service).topics
    assert (row.topic, row.by_language) == ("pip.what", (20, None, 30, None))
    assert (row.by_month[-1], row.by_month[-2]) == (30, 20)
    assert figures(service).months[-1] == "2026-11"


def test_questions_without_an_answer_stand_under_the_topic_that_came_nearest(service):
    tickets(service, 11, waited=None, state=TicketState.OPEN, reason="no_answer", candidates=[["pip.what", 0.3]])
    tickets(service, 9, waited=None, state=TicketState.OPEN, reason="not_helped", candidates=[["pip.when", 0.3]])
    tickets(service, 12, waited=None, state=TicketState.OPEN, reason="asked", candidates=[["pip.contents", 0.3]])
    assert figures(service).unanswered == (("pip.what", 11),)


def tickets(service, number, *, waited, promised=timedelta(days=1), missed=0, state=TicketState.ANSWERED, **more):
    now = service.clock.now()
    asked = now - timedelta(days=10)
    contact = {"language": "nl", "consent": "given", "stopped": False, "thread": {}, "created_at": now, "seen_at": now}

    def work(connection):
        contact_id = connection.execute(sa.insert(ContactRow).values(**contact).returning(ContactRow.id)).scalar_one()
        for _ in range(number):
            connection.execute(
                sa.insert(TicketRow).values(
                    {
                        "contact_id": contact_id,
                        "state": state,
                        "urgent": False,
                        "reason": "asked",
                        "language": "nl",
                        "candidates": [],
                        "owner": "x",
                        "promises_missed": missed,
                        "promise_at": asked + promised,
                        "created_at": asked,
                        "answered_at": asked + waited if waited else None,
                    }
                    | more
                )
            )

    service.store.write(work)


def test_promises_kept_and_missed_are_told_apart(service):
    tickets(service, 20, waited=timedelta(hours=2))
    tickets(service, 10, waited=timedelta(hours=30))
    tickets(service, 11, waited=None, state=TicketState.OPEN)
    tickets(service, 4, waited=timedelta(hours=3), missed=1)
    found = figures(service)
    assert (found.kept, found.missed, found.open_now) == (20, 25, 11)
    assert found.kept_share == pytest.approx(20 / 45)


def test_half_and_nine_in_ten_were_answered_within(service):
    for hours in range(1, 11):
        tickets(service, 1, waited=timedelta(hours=hours))
    found = figures(service)
    assert (found.median_wait, found.p90_wait) == (timedelta(hours=5), timedelta(hours=9))
    assert "5 uur" in see(service)


def test_nine_answers_are_too_few_for_a_waiting_time(service):
    tickets(service, 9, waited=timedelta(hours=1))
    found = figures(service)
    assert (found.median_wait, found.p90_wait, found.kept, found.kept_share) == (None, None, None, None)
    assert "te weinig antwoorden" in see(service)


def test_rows_that_went_wrong_are_counted_as_they_are(service):
    _, ticket_id = ask(service)
    answer(service, ticket_id)
    unknown = sa.update(OutboxRow).where(OutboxRow.key.like("answer:%")).values(state=LaneState.UNKNOWN)
    service.store.write(lambda c: c.execute(unknown) and None)
    assert figures(service).attention == {"unknown": 1, "failed": 0, "unread": 0}


def test_the_page_shows_no_small_figure_at_all(service):
    counted(service, 7, "answer", topic="pip.what", language="ar")
    counted(service, 3, "ticket")
    tickets(service, 8, waited=timedelta(hours=1))
    text = see(service)
    assert "&lt;&nbsp;10" in text
    for small in (3, 7, 8):
        assert f">{small}<" not in text
    assert "Nog geen onderwerp is 10 keer gevraagd" in text
    assert "<rect" not in text


def test_the_chart_has_a_bar_for_each_shown_day_and_the_table_the_same_figures(service):
    counted(service, 20, "answer")
    counted(service, 10, "answer", days_ago=2)
    counted(service, 5, "answer", days_ago=3)
    found = figures(service)
    (bars,) = charts(found).values()
    assert [bar.height for bar in bars][-4:] == [0, 30, 0, 60]
    text = see(service)
    assert text.count("<rect") == 2
    assert '<td class="number">20</td>' in text
    assert "De hoogste staaf is 20 berichten" in text


def test_nothing_of_a_person_is_on_the_page(service):
    talk, _ = ask(service, "Mijn heel eigen vraag")
    text = see(service)
    assert "Mijn heel eigen vraag" not in text
    assert talk.address.value not in text


def test_an_empty_service_has_a_page_in_both_languages(service):
    assert "Wat er van berichten werd" in see(service, "nl")
    assert "What became of messages" in see(service, "en")


def test_a_topic_that_is_gone_is_shown_by_its_key(service):
    counted(service, MIN_COUNT, "answer", topic="old.topic")
    assert "old.topic" in see(service)


def test_figures_begin_at_ten_and_totals_are_tens():
    assert (shown(0), shown(9), shown(10)) == (None, None, 10)
    assert (rounded(9), rounded(10), rounded(14), rounded(15), rounded(1234)) == (None, 10, 10, 20, 1230)


def test_counts_of_nothing_can_be_published():
    found = publish(Counts(TODAY, tickets=TicketCounts()))
    assert found.total is None
    assert charts(found) == {}


def test_counting_reads_every_language_once(service):
    for language in ("nl", "en", "ar", "ti", "fa", "und"):
        counted(service, 10, "smalltalk", language=language)
    assert figures(service).days[0].counts == (10, 10, 10, 30)
    total = service.store.read(lambda c: c.execute(sa.select(sa.func.sum(OutcomeCountRow.n))).scalar_one())
    assert total == 60
