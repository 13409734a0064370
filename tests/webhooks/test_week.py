"""The own week: kept, refused with the line that is wrong, and never somebody else's."""

from __future__ import annotations

import re

import pytest

from bot.roles import Role
from bot.storage.models import AbsenceRow, SlotRow
from tests.caseload.people import make_actor, make_party, newest_contact, rows, tickets
from tests.caseload.test_routing import asks
from tests.talk import Talk, keys
from tests.webhooks.browser import log_in, make_browser, token_of


@pytest.fixture
def actor_id(service):
    return make_actor(service)


@pytest.fixture
def browser(service, actor_id):
    made = make_browser(service, **{"accept-language": "en"})
    log_in(made, Role.KLANTREGISSEUR, actor_id=actor_id)
    return made


def save(browser, actor_id, slots, absences="", **more):
    form = {"token": token_of(browser.get("/desk/me")), "actor": actor_id, "slots": slots, "absences": absences}
    return browser.post("/desk/week/save", data=form | more)


def test_a_week_is_shown_and_kept(service, browser, actor_id):
    page = browser.get("/desk/week")
    assert "tue 09:00-11:00\nthu 13:00-15:00" in page.text
    done = save(browser, actor_id, "wo 10:00-12:00 max 4\r\nfri 9:00-10:00", "2026-12-24\n2026-12-28..2026-12-31")
    assert done.status_code == 200
    assert "Saved." in done.text
    assert [(row.weekday, row.max_answers) for row in rows(service, SlotRow)] == [(2, 4), (4, 10)]
    assert len(rows(service, AbsenceRow)) == 2


@pytest.mark.parametrize(
    ("slots", "absences", "said"),
    [
        ("yesterday", "", "Line 1 (yesterday): this is no time in the week"),
        ("tue 09:00-11:00\nsun 02:00-03:00", "", "Line 2 (sun 02:00-03:00): this is no time"),
        ("tue 25:00-26:00", "", "this is no time in the week"),
        ("tue 11:00-09:00", "", "this ends before it starts"),
        ("tue 09:00-11:00\ntue 10:30-12:00", "", "Line 2 (tue 10:30-12:00): this overlaps"),
        ("tue 09:00-11:00 max 0", "", "this takes no answers"),
        ("", "soon", "Line 1 (soon): these are no days"),
        ("", "2026-02-30", "these are no days"),
        ("", "2026-12-31..2026-12-24", "the last day is before the first"),
        ("", "\n".join(f"2026-{m:02}-{d:02}" for m in range(1, 6) for d in range(1, 10)), "at most 40"),
    ],
)
def test_a_line_that_can_not_be_kept_is_named_and_nothing_changes(service, browser, actor_id, slots, absences, said):
    page = save(browser, actor_id, slots, absences)
    assert page.status_code == 422
    assert said in page.text
    assert len(rows(service, SlotRow)) == 2
    assert rows(service, AbsenceRow) == []


def test_a_promise_that_would_move_is_shown_before_it_moves(service, browser, actor_id):
    talk = Talk(service, "telegram").agrees("nl")
    make_party(service, actor_id, "P-1", newest_contact(service))
    asks(talk)
    week = "thu 13:00-15:00"
    shown = save(browser, actor_id, week)
    assert shown.status_code == 409
    assert "Not saved yet." in shown.text
    moves = re.search(r'name="moves" value="(\d+)"', shown.text)[1]
    assert moves == "1"
    assert len(rows(service, SlotRow)) == 2
    assert "1 newcomer is told" in save(browser, actor_id, week, moves=moves).text
    assert keys(talk.waits()) == ["ticket.moved"]
    assert tickets(service)[0].promise_at.isoformat() == "2026-11-26T14:00:00+00:00"


def test_only_the_own_week(service, browser, actor_id):
    other = make_actor(service, "kr-2", "Tom Bakker")
    assert browser.get(f"/desk/week?actor={other}").status_code == 404
    assert save(browser, other, "").status_code == 404
    assert len(rows(service, SlotRow)) == 4
    for wrong in ("0", "x", "9" * 30):
        assert browser.get(f"/desk/week?actor={wrong}").status_code == 404
    researcher = make_browser(service)
    log_in(researcher, Role.RESEARCHER)
    assert researcher.get("/desk/week").status_code == 403


def test_a_coordinator_sees_and_changes_everybodys(service, actor_id):
    browser = make_browser(service, **{"accept-language": "en"})
    log_in(browser, Role.COORDINATOR)
    make_actor(service, "kr-2", "Tom Bakker", slots=())
    page = browser.get("/desk/week")
    assert "Tuesday 09:00–11:00 and Thursday 13:00–15:00" in page.text
    assert "no times: everything goes to the back-up desk" in page.text
    assert save(browser, actor_id, "mon 09:00-10:00").status_code == 200
