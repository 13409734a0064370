"""When the service may speak first, on both databases."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa
from holidays import country_holidays

from bot import escalation, people, pushes
from bot.contacts import Consent, Contact, Question, Route
from bot.locales import AMSTERDAM
from bot.messages import Address, Push
from bot.pushes import Permission, PushRules, Why, next_moment
from bot.storage.models import TicketRow, TicketState
from bot.storage.survey_models import PushRow
from bot.working_days import RELIGIOUS, is_public_holiday, religious_days

RULES = PushRules(per_week=2, days_off=frozenset({date(2026, 11, 26)}))


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=AMSTERDAM).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "goes", "why"),
    [
        (at(23, 10), at(23, 10), Why.FREE),
        (at(23, 9), at(23, 9), Why.FREE),
        (at(23, 8, 59), at(23, 9), Why.QUIET),
        (at(23, 20), at(24, 9), Why.QUIET),
        (at(28, 21), at(30, 9), Why.QUIET),  # Saturday night: not on Sunday either
        (at(25, 23), at(27, 9), Why.QUIET),  # the day after is named in the settings
        (at(24, 20, month=12), at(28, 9, month=12), Why.QUIET),  # two days of Christmas, then a Sunday
    ],
)
def test_not_at_night_nor_on_a_day_of_rest(now, goes, why):
    assert next_moment(now, RULES, []) == Permission(goes, why)


def test_religious_days_that_the_settings_name_are_days_of_rest_every_year():
    eid, easter = PushRules(holidays=frozenset({"eid_al_fitr"})), PushRules(holidays=frozenset({"orthodox_easter"}))
    assert next_moment(datetime(2027, 3, 9, 10, tzinfo=AMSTERDAM), eid, []).at == datetime(
        2027, 3, 12, 9, tzinfo=AMSTERDAM
    )
    assert pushes.is_day_off(date(2026, 3, 20), eid)
    assert not pushes.is_day_off(date(2026, 3, 20), PushRules())
    assert [day for day in range(1, 31) if date(2026, 4, day) in religious_days("orthodox_easter", 2026)] == [12]
    assert not pushes.is_day_off(date(2027, 3, 9), easter)


def test_the_cap_holds_for_every_seven_days():
    earlier = [at(18, 10), at(20, 10)]
    assert next_moment(at(23, 10), RULES, earlier) == Permission(at(25, 10), Why.CAP)
    assert next_moment(at(23, 10), RULES, [at(18, 10)]).now


def test_a_push_that_is_booked_for_later_counts_too():
    assert next_moment(at(23, 10), RULES, [at(24, 10), at(25, 10)]).at == at(1, 10, month=12)


def test_without_any_place_there_is_never_one():
    assert next_moment(at(23, 10), PushRules(per_week=0), []).at is None


def test_whatever_was_sent_before_no_rule_is_broken():
    """A thousand invented months: each push goes when it may, and then all rules are counted afresh."""
    chance = random.Random(7)
    for _ in range(1000):
        rules = PushRules(per_week=chance.randint(1, 4), days_off=frozenset({date(2026, 12, chance.randint(1, 28))}))
        now, sent = at(1, 0, month=12), []
        for _ in range(12):
            now += timedelta(minutes=chance.randint(1, 4000))
            found = next_moment(now, rules, sent)
            assert found.at is not None
            assert found.at >= now
            sent.append(found.at)
        for moment in sent:
            local = moment.astimezone(AMSTERDAM)
            assert time(9) <= local.time() < time(20)
            assert not pushes.is_day_off(local.date(), rules)
            assert sum(moment <= other < moment + pushes.WEEK for other in sent) <= rules.per_week


@pytest.fixture
def someone(store, vault, clock):
    made = store.write(lambda c: people.find_or_create(c, vault, Address("telegram", "1"), "lane", clock.now()))
    contact = Contact(made.contact.id, "nl", None, Consent.GIVEN)
    store.write(lambda c: people.save(c, contact))
    return contact


def ask(store, contact, kind, now):
    return store.write(lambda c: pushes.may_push(c, contact.id, kind, now, RULES))


def test_booked_pushes_of_all_kinds_count_together(store, someone, clock):
    now = clock.now()
    for kind in (Push.NOTICE, Push.PULSE):
        assert store.write(lambda c, k=kind: pushes.book(c, someone.id, k, now, RULES)).now
    refused = store.write(lambda c: pushes.book(c, someone.id, Push.REMINDER, now, RULES))
    assert refused == Permission(now + pushes.WEEK, Why.CAP)
    assert store.read(lambda c: c.execute(sa.select(sa.func.count()).select_from(PushRow)).scalar_one()) == 2


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"consent": Consent.ASKED}, Why.CONSENT), ({"stopped": True}, Why.STOPPED)],
)
def test_never_to_somebody_who_did_not_agree_or_said_stop(store, someone, clock, changes, why):
    changed = Contact(someone.id, "nl", None, **({"consent": Consent.GIVEN} | changes))
    store.write(lambda c: people.save(c, changed))
    assert ask(store, someone, Push.NOTICE, clock.now()) == Permission(None, why)


def test_never_to_somebody_who_is_gone(store, clock, someone):
    store.write(lambda c: people.erase(c, someone.id, "lane"))
    assert ask(store, someone, Push.NOTICE, clock.now()) == Permission(None, Why.NOBODY)


def test_nothing_during_a_crisis_and_no_pulse_in_the_days_after(store, someone, clock):
    now = clock.now()
    question = Question("help", "nl", reason="crisis")
    ticket = store.write(lambda c: escalation.open_ticket(c, someone.id, question, Route(now), now))
    assert ask(store, someone, Push.NOTICE, now).why is Why.CRISIS
    settled = sa.update(TicketRow).where(TicketRow.id == ticket).values(state=TicketState.CLOSED)
    store.write(lambda c: c.execute(settled) and None)
    assert ask(store, someone, Push.NOTICE, now).now
    assert ask(store, someone, Push.PULSE, now) == Permission(now + timedelta(days=14), Why.BAD_NEWS)


def test_no_pulse_in_the_days_after_bad_news(store, someone, clock):
    now = clock.now()
    for days in (10, 3):
        store.write(lambda c, d=days: pushes.bad_news(c, someone.id, now - timedelta(days=d)))
    assert ask(store, someone, Push.PULSE, now) == Permission(now + timedelta(days=11), Why.BAD_NEWS)
    assert ask(store, someone, Push.NUDGE, now).now


def test_each_calendar_is_the_librarys_own():
    """They are loaded by their place, without the 250 others (`bot/working_days.py`)."""
    for year in (2026, 2030):
        assert {day for day in _days(year) if is_public_holiday(day)} == set(country_holidays("NL", years=year))
        for name, (country, called) in RELIGIOUS.items():
            found = country_holidays(country, years=year, language="en_US").items()
            assert religious_days(name, year) == {day for day, words in found if called in words} != set()


def _days(year):
    return (date(year, 1, 1) + timedelta(days=number) for number in range(365))
