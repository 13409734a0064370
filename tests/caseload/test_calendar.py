"""The moment that is promised: always ahead, always in a slot of a day on which the klantregisseur works."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.desk.calendar import (
    HORIZON_DAYS,
    LAST_MINUTES,
    Absence,
    Calendar,
    Slot,
    SlotError,
    check,
    to_utc,
)
from bot.locales import AMSTERDAM
from bot.working_days import is_working_day

TUESDAY = Slot(1, time(9), time(11))
THURSDAY = Slot(3, time(13), time(15), 2)
WEEK = Calendar((TUESDAY, THURSDAY))


def local(*parts):
    return datetime(*parts, tzinfo=AMSTERDAM).astimezone(UTC)


def test_the_next_slot_answers():
    assert WEEK.next_promise(local(2026, 11, 23, 10), {}) == local(2026, 11, 24, 11)
    assert WEEK.next_promise(local(2026, 11, 24, 10, 30), {}) == local(2026, 11, 24, 11)


def test_the_last_minutes_of_a_slot_are_too_late():
    assert WEEK.next_promise(local(2026, 11, 24, 10, 31), {}) == local(2026, 11, 26, 15)


def test_a_full_slot_passes_the_question_on():
    full = {local(2026, 11, 26, 15): 2}
    assert WEEK.next_promise(local(2026, 11, 25, 9), full) == local(2026, 12, 1, 11)


def test_absences_and_holidays_are_left_out():
    away = Calendar(WEEK.slots, (Absence(date(2026, 11, 24), date(2026, 11, 26)),))
    assert away.next_promise(local(2026, 11, 23, 10), {}) == local(2026, 12, 1, 11)
    friday = Calendar((Slot(4, time(9), time(10)),))
    assert not is_working_day(date(2026, 12, 25))
    assert friday.next_promise(local(2026, 12, 21, 9), {}) == local(2027, 1, 8, 10)  # Christmas and New Year's Day


def test_nothing_in_sight_is_for_the_back_up_desk():
    assert Calendar().next_promise(local(2026, 11, 23, 10), {}) is None
    away = Calendar(WEEK.slots, (Absence(date(2026, 11, 1), date(2027, 3, 1)),))
    assert away.next_promise(local(2026, 11, 23, 10), {}) is None


def test_a_promise_of_a_slot_that_is_gone_is_seen():
    assert WEEK.has_end(local(2026, 11, 24, 11))
    assert not WEEK.has_end(local(2026, 11, 24, 12))
    assert not Calendar(WEEK.slots, (Absence(date(2026, 11, 24), date(2026, 11, 24)),)).has_end(local(2026, 11, 24, 11))


@pytest.mark.parametrize(
    ("slots", "says"),
    [
        ((TUESDAY, Slot(1, time(10), time(12))), "tue 09:00-11:00 and tue 10:00-12:00 overlap"),
        ((TUESDAY, TUESDAY), "overlap"),
        ((Slot(1, time(11), time(9)),), "ends before it starts"),
        ((Slot(1, time(9), time(9)),), "ends before it starts"),
        ((Slot(5, time(9), time(11)),), "no working day"),
        ((Slot(1, time(9), time(11), 0),), "at least 1"),
    ],
)
def test_slots_that_cannot_be_are_refused(slots, says):
    with pytest.raises(SlotError, match=says):
        Calendar(slots)


def test_slots_that_touch_are_two():
    check((TUESDAY, Slot(1, time(11), time(12))))


def test_clocks_that_change():
    """The hour that is skipped (28 March 2027) and the one that is repeated (25 October 2026) lie in a weekend."""
    monday = Calendar((Slot(0, time(0), time(2, 30)),))
    assert monday.next_promise(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), {}) == local(2026, 10, 26, 2, 30)
    assert monday.next_promise(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), {}) == local(2026, 10, 26, 2, 30)
    assert to_utc(date(2027, 3, 28), time(2, 30)) == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert to_utc(date(2026, 10, 25), time(2, 30)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert WEEK.next_promise(local(2027, 3, 27, 9), {}) == datetime(2027, 3, 30, 9, 0, tzinfo=UTC)  # 11:00 in summer
    assert WEEK.next_promise(local(2027, 3, 20, 9), {}) == datetime(2027, 3, 23, 10, 0, tzinfo=UTC)


@st.composite
def weeks(draw):
    """Slots that do not overlap, with room for a few answers each, and absences."""
    slots = []
    for weekday in draw(st.sets(st.integers(0, 4))):
        marks = sorted(draw(st.sets(st.integers(0, 95), max_size=6)))
        for first, last in zip(marks[::2], marks[1::2], strict=False):
            slots.append(Slot(weekday, quarter(first), quarter(last), draw(st.integers(1, 3))))
    days = st.dates(date(2026, 1, 1), date(2027, 12, 31))
    absences = [
        Absence(day, day + timedelta(days=draw(st.integers(0, 20)))) for day in draw(st.lists(days, max_size=3))
    ]
    return Calendar(tuple(slots), tuple(absences))


def quarter(number):
    return time(number // 4, number % 4 * 15)


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC))
changes = st.sampled_from([datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)]).flatmap(
    lambda day: st.timedeltas(timedelta(hours=-30), timedelta(hours=30)).map(lambda by: day + by)
)


@given(weeks(), st.one_of(moments, changes))
def test_a_promise_lies_ahead_in_a_slot_of_a_day_of_work(week, now):
    moment = week.next_promise(now, {})
    if moment is None:
        return
    assert now + LAST_MINUTES <= moment <= now + timedelta(days=HORIZON_DAYS + 1)
    there = moment.astimezone(AMSTERDAM)
    assert is_working_day(there.date())
    assert not any(away.first_day <= there.date() <= away.last_day for away in week.absences)
    assert any(slot.weekday == there.weekday() and slot.ends == there.time() for slot in week.slots)
    assert week.has_end(moment)


@given(weeks(), st.one_of(moments, changes), st.timedeltas(timedelta(), timedelta(days=30)))
def test_who_asks_later_is_never_answered_sooner(week, now, later):
    first, second = week.next_promise(now, {}), week.next_promise(now + later, {})
    if first is not None and second is not None:
        assert first <= second


@given(weeks(), moments)
def test_no_slot_takes_more_than_it_can(week, now):
    promised = {}
    for _ in range(100):
        moment = week.next_promise(now, promised)
        if moment is None:
            break
        promised[moment] = promised.get(moment, 0) + 1
    assert all(count <= max(slot.max_answers for slot in week.slots) for count in promised.values())
    assert sorted(promised) == list(promised), "the first slots are filled first"
