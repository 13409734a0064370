"""Somebody in danger waits: the people on duty hear it until one of them takes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot import alarm
from bot.alarm import Duty
from bot.channels.duty_webhook import DutyPostman
from bot.desk import claims
from bot.mailing import WEBHOOK
from bot.roles import EVERYTHING, Principal
from tests.channels.wire import answer as answered
from tests.channels.wire import wire
from tests.desk.asking import answer
from tests.mail.servers import postman, rounds, rows
from tests.talk import Talk

WORDS = "ik wil niet meer leven"
DUTY = Duty("duty@example.org", "second@example.org", 2, "https://bot.example.org", "nl")
TEN = timedelta(minutes=10)


@pytest.fixture
def crisis(service, understander):
    service.conversation.duty = DUTY
    understander.means(WORDS, "crisis", "health.crisis")
    talk = Talk(service, "telegram").agrees()
    talk.says(WORDS)
    return talk


def later(talk, times=1):
    for _ in range(times):
        talk.service.clock.forward(TEN)
        talk.waits()


def recipients(service):
    return [row.recipient.partition("@")[0] for row in rows(service)]


def test_it_rings_at_once_and_every_ten_minutes(crisis):
    assert recipients(crisis.service) == ["duty"]
    later(crisis)
    assert recipients(crisis.service) == ["duty", "duty"]


def test_it_rings_on_a_holiday_in_the_night_too(service, understander):
    service.clock.at = datetime(2026, 12, 25, 2, 0, tzinfo=UTC)
    service.conversation.duty = DUTY
    understander.means(WORDS, "crisis", "health.crisis")
    talk = Talk(service, "telegram").agrees()
    talk.says(WORDS)
    later(talk)
    assert recipients(service) == ["duty", "duty"]


def test_nobody_reacts_so_the_second_address_hears_it_too(crisis):
    later(crisis, 2)
    assert recipients(crisis.service) == ["duty", "duty", "duty", "second"]


def test_it_holds_a_number_and_a_link_and_no_word_of_the_newcomer(crisis, server, inbox):
    rounds(crisis.service, postman(server))
    text = inbox.mails[0].as_string()
    assert "https://bot.example.org/desk/tickets/1" in text
    assert not [word for word in WORDS.split() if len(word) > 4 and word in text.replace("wegwijs", "")]


def test_whoever_takes_it_quiets_it_for_an_hour(crisis):
    service = crisis.service
    assert service.store.write(lambda c: alarm.take(c, 1, "Sanne", service.clock.now()))
    later(crisis, 5)
    assert recipients(service) == ["duty"]
    later(crisis)  # an hour, and no answer
    assert recipients(service) == ["duty", "duty"]


def test_whoever_is_at_it_quiets_it_as_long_as_the_claim_lasts(crisis):
    service = crisis.service
    somebody = Principal("Sanne", EVERYTHING)
    service.store.write(lambda c: claims.take(c, 1, somebody, service.clock.now()) and None)
    later(crisis)
    assert recipients(service) == ["duty"]
    later(crisis)
    assert recipients(service) == ["duty", "duty"]


def test_an_answer_ends_it(crisis):
    answer(crisis.service, 1)
    later(crisis, 3)
    assert recipients(crisis.service) == ["duty"]


def test_an_answer_that_does_not_help_makes_it_ring_at_once(crisis):
    crisis.service.store.write(lambda c: alarm.take(c, 1, "Sanne", crisis.service.clock.now()))
    answer(crisis.service, 1)
    later(crisis)
    crisis.taps("rated:no:1")
    assert recipients(crisis.service) == ["duty", "duty"]
    later(crisis)
    assert recipients(crisis.service) == ["duty", "duty", "duty"]


def test_only_an_open_urgent_question_can_be_taken(crisis):
    service = crisis.service
    answer(service, 1)
    assert not service.store.write(lambda c: alarm.take(c, 1, "Sanne", service.clock.now()))
    assert not service.store.write(lambda c: alarm.take(c, 99, "Sanne", service.clock.now()))


def test_a_mail_server_that_was_away_gets_no_heap_of_old_alarms(crisis, server, inbox):
    later(crisis, 4)
    rounds(crisis.service, postman(server))
    assert [mail["To"] for mail in inbox.mails] == ["duty@example.org", "second@example.org"]


@pytest.mark.parametrize(
    ("duty", "expected"),
    [(Duty(), []), (Duty("a"), ["a"]), (Duty("", "b"), ["b"]), (Duty("a", webhook=True), ["a", WEBHOOK])],
)
def test_addresses_that_are_not_set(duty, expected):
    assert [address for _, address in duty.on_duty(1)] == expected


def test_a_chat_channel_hears_it_too_with_a_number_and_a_link_only(crisis, server, inbox):
    service = crisis.service
    service.conversation.duty = replace(DUTY, webhook=True)
    both = DutyPostman(postman(server), "https://chat.example.org/hook/secret")
    later(crisis)
    with wire({"/hook/secret": answered(503, "")}) as refused:
        rounds(service, both)
    service.clock.forward(timedelta(minutes=1))  # what was refused for now is tried again
    with wire({"/hook/secret": answered(200, "")}) as taken:
        rounds(service, both)
    posted = [what["json"] for _, what in refused + taken]
    assert [mail["To"] for mail in inbox.mails] == ["duty@example.org"]
    link = "https://bot.example.org/desk/tickets/1"
    text = f"Dringend: vraag 1 wacht\n{link}"
    assert posted == [{"text": text, "ticket": 1, "link": link, "times": 2}] * 2
    assert [row.recipient for row in rows(service)] == ["duty@example.org", "duty@example.org", WEBHOOK]
