"""When invitations go, after what, and in which order with replies; on both databases where the queue is asked."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot import dispatch, outbox, survey_events, survey_waves
from bot.messages import OutboundMessage
from bot.pace import Pace
from bot.storage.models import OutboxRow, PartyRow
from bot.storage.survey_models import SurveyInvitationRow
from tests.desk.asking import answer, ask
from tests.surveys.helping import contact_of, invitation_states, knows, live_wave, release
from tests.talk import Talk, keys

PACES = {"telegram": Pace(1000, 0, 1000)}


def watch(service):
    surveyor, now = service.conversation.surveyor, service.clock.now()
    return service.store.write(lambda c: survey_events.watch(c, surveyor, now))


def moves_to(service, phase):
    service.store.write(lambda c: c.execute(sa.update(PartyRow).values(phase=phase)) and None)


@pytest.mark.parametrize(
    ("survey", "before", "after", "days"),
    [
        ("after_intake", "intake", "pip", 14),
        ("lessons_begun", "pip", "trajectory", 90),
        ("lessons_over", "trajectory", "done", 14),
    ],
)
def test_another_phase_gives_a_place_in_the_wave_once(service, survey, before, after, days):
    talk = Talk(service, "telegram").agrees("nl")
    knows(talk, phase=before)
    live_wave(service, survey, [], closes_on=None)
    assert watch(service) == 0, "the first look is no event"
    moves_to(service, after)
    assert watch(service) == 1
    assert watch(service) == 0
    due = service.store.read(lambda c: c.execute(sa.select(SurveyInvitationRow.due_at)).scalar_one())
    assert due == service.clock.now() + timedelta(days=days)
    service.clock.forward(timedelta(days=days, hours=24 * (days == 90)))
    release(service)
    assert keys(talk.waits())[:1] == ["survey.ask"]


@pytest.mark.parametrize(("ago", "places"), [(1, 1), (31, 0), (-1, 0)])
def test_a_progress_talk_in_the_file_is_asked_about_a_week_later_once(service, ago, places):
    talk = Talk(service, "telegram").agrees("nl")
    talked = service.clock.now().date() - timedelta(days=ago)
    knows(talk, talked_on=talked)
    live_wave(service, "after_progress_talk", [], closes_on=None)
    assert (watch(service), watch(service)) == (places, 0)
    query = sa.select(SurveyInvitationRow.due_at)
    due = [moment.date() for moment in service.store.read(lambda c: c.execute(query).scalars().all())]
    assert due == [talked + timedelta(days=7)] * places
    service.store.write(lambda c: c.execute(sa.update(PartyRow).values(talked_on=service.clock.now().date())) and None)
    assert watch(service) == (0 if places else 1), "one invitation a wave"


def test_an_answer_of_a_person_is_asked_about_a_day_later(service):
    live_wave(service, "answer_of_the_desk", [])
    talk, ticket_id = ask(service)
    answer(service, ticket_id)
    talk.waits()
    assert watch(service) == 1
    assert watch(service) == 0
    assert invitation_states(service) == ["waiting"]


def test_few_are_let_go_at_a_time(service):
    people = [Talk(service, "telegram", who="p" * n).agrees("nl") for n in range(1, 4)]
    live_wave(service, "social_life", [contact_of(talk) for talk in people])
    service.clock.forward(timedelta(hours=1))
    service.store.write(lambda c: _waiting(c, service, survey_waves.IN_FLIGHT - 2))
    assert release(service) == 2


def test_those_that_wait_are_not_all_counted(service):
    """With 100,000 that took 0.3 s every five seconds, for which every answer waited."""
    service.store.write(lambda c: _waiting(c, service, survey_waves.IN_FLIGHT + 5))
    assert service.store.read(survey_waves._in_flight) == survey_waves.IN_FLIGHT


def _waiting(connection, service, number, priority=2, lane="lane"):
    now = service.clock.now()
    message = OutboundMessage("words", "nl")
    for n in range(number):
        recipient = outbox.Recipient(f"{lane}{n}", "telegram", sealed="x")
        outbox.put(connection, recipient, message, key=f"{lane}{n}:{priority}", now=now, priority=priority)


def test_a_reply_goes_before_an_invitation_that_waits_longer_also_to_the_same_person(store, service):
    service.store = store
    store.write(lambda c: _waiting(c, service, 3))
    store.write(lambda c: _waiting(c, service, 1, priority=0, lane="other"))
    store.write(lambda c: _waiting(c, service, 1, priority=0, lane="lane"))  # to lane0, behind an invitation
    now = service.clock.now()
    rows = store.write(lambda c: dispatch.claim(c, now, PACES, 3))
    assert [row.priority for row in rows] == [0, 0, 2]
    assert {row.lane for row in rows[:2]} == {"lane0", "other0"}
    assert rows[2].lane != "lane0", "one at a time to one person"


def test_a_hundred_thousand_waiting_invitations_do_not_slow_a_claim(store, service):
    service.store = store
    now = service.clock.now()
    common = {"channel": "telegram", "priority": 2, "payload": {}, "created_at": now, "due_at": now, "state": 0}
    rows = [{"key": f"k{n}", "lane": f"l{n}", "attempts": 0, **common} for n in range(100_000)]
    store.write(lambda c: c.execute(sa.insert(OutboxRow), rows) and None)
    store.write(lambda c: _waiting(c, service, 1, priority=0, lane="reply"))
    began = time.perf_counter()
    claimed = store.write(lambda c: dispatch.claim(c, now, PACES, 4))
    took = time.perf_counter() - began
    assert claimed[0].lane == "reply0"
    assert took < 2, f"{took:.3f} s"


def test_a_colleague_of_no_phase_tries_every_question(service):
    """Nobody knows a colleague's phase; a trial that asks nothing would let any wave go live."""
    live_wave(service, "programme", [], state="testing", trial_code="w12345")
    talk = Talk(service, "telegram").agrees("nl")
    assert keys(talk.says("test w12345"))[0] == "survey.test"
    asked = [keys(talk.says(words))[-1].removeprefix("survey:") for words in ("ja", "4", "8")]
    assert tuple(asked) == service.content.surveys.surveys["programme"].items
