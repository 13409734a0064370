"""A question goes to the own klantregisseur with a moment of their week; otherwise to the back-up desk."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from bot.desk import routing
from bot.escalation import BACK_UP_DESK
from bot.storage.models import ActorRow, PromiseCountRow, TimerRow
from tests.caseload.people import make_actor, make_party, newest_contact, rows, tickets
from tests.desk.asking import answer
from tests.talk import Talk, keys

TUESDAY_END = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)  # 11:00 in Nijmegen
THURSDAY_END = datetime(2026, 11, 26, 14, 0, tzinfo=UTC)
DESK_END = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)


def linked(service, actor_id, who="amina", channel="telegram", key="P-1"):
    talk = Talk(service, channel, who).agrees("nl")
    make_party(service, actor_id, key, newest_contact(service))
    return talk


def asks(talk, text="Wie belt mij terug?", *topics):
    talk.service.conversation.understander.means(text, "escalate", *topics)
    talk.says(text)
    return talk.taps(next(token for token in talk.tokens if token.startswith("pass:yes")))


def counts(service):
    return {(row.owner, row.outcome): row.n for row in rows(service, PromiseCountRow)}


def test_a_question_goes_to_the_own_klantregisseur_with_a_moment(service):
    actor_id = make_actor(service)
    got = asks(linked(service, actor_id))
    assert keys(got) == ["ticket.opened_own"]
    assert "Sanne de Wit" in got[0].text
    assert "dinsdag 24 november, 11:00" in got[0].text
    (ticket,) = tickets(service)
    assert (ticket.owner, ticket.actor_id, ticket.promise_at) == ("Sanne de Wit", actor_id, TUESDAY_END)


def test_who_is_not_linked_goes_to_the_back_up_desk(service):
    make_actor(service)
    talk = Talk(service, "telegram").agrees("nl")
    assert keys(asks(talk)) == ["ticket.opened"]
    (ticket,) = tickets(service)
    assert (ticket.owner, ticket.actor_id, ticket.promise_at) == (BACK_UP_DESK, None, DESK_END)


@pytest.mark.parametrize("topic", ["klantregisseur.no_reply", "klantregisseur.complaint"])
def test_somebody_whose_klantregisseur_does_not_answer_gets_the_back_up_desk(service, topic):
    talk = linked(service, make_actor(service))
    assert keys(asks(talk, "Zij reageert nooit", topic, "pip.what")) == ["ticket.opened"]
    (ticket,) = tickets(service)
    assert (ticket.owner, ticket.reason, ticket.promise_at) == (BACK_UP_DESK, "no_reply", DESK_END)


def test_the_answer_about_no_reply_did_not_help(service):
    talk = linked(service, make_actor(service))
    talk.taps("topic:klantregisseur.no_reply")
    talk.taps("helped:no:klantregisseur.no_reply")
    talk.taps(next(token for token in talk.tokens if token.startswith("pass:yes")))
    assert tickets(service)[0].reason == "no_reply"


def test_a_klantregisseur_who_left_or_has_no_time_is_the_back_up_desk(service):
    away = make_actor(service, slots=())
    asks(linked(service, away))
    gone = make_actor(service, "kr-2", "Wie Weg Is")
    service.store.write(lambda c: c.execute(ActorRow.__table__.update().values(active=False)) and None)
    asks(linked(service, gone, who="omar", key="P-2"))
    assert {ticket.owner for ticket in tickets(service)} == {BACK_UP_DESK}


def test_a_full_slot_is_not_promised_again(service):
    actor_id = make_actor(service, slots=(routing.Slot(1, *tuesday(), 2), routing.Slot(3, *thursday(), 1)))
    for number in range(4):
        asks(linked(service, actor_id, who="a" * (number + 1), key=f"P-{number}"))
    moments = [ticket.promise_at for ticket in tickets(service)]
    assert moments == [TUESDAY_END, TUESDAY_END, THURSDAY_END, TUESDAY_END + timedelta(days=7)]


def tuesday():
    return datetime(2026, 1, 1, 9).time(), datetime(2026, 1, 1, 11).time()


def thursday():
    return datetime(2026, 1, 1, 13).time(), datetime(2026, 1, 1, 15).time()


def test_a_missed_promise_moves_to_the_back_up_desk_and_both_are_counted(service):
    talk = linked(service, make_actor(service))
    asks(talk)
    service.clock.forward(timedelta(hours=25, minutes=1))
    assert keys(talk.waits()) == ["ticket.late"]
    (ticket,) = tickets(service)
    assert (ticket.owner, ticket.actor_id, ticket.promises_missed) == (BACK_UP_DESK, None, 1)
    assert ticket.promise_at > service.clock.now()
    assert counts(service) == {("kr-1", "missed"): 1}
    answer(service, ticket.id)
    talk.waits()
    assert counts(service) == {("kr-1", "missed"): 1, (BACK_UP_DESK, "kept"): 1}


def test_a_promise_that_is_kept_is_counted_once(service):
    talk = linked(service, make_actor(service))
    asks(talk)
    answer(service, tickets(service)[0].id)
    talk.waits()
    assert counts(service) == {("kr-1", "kept"): 1}
    assert [timer for timer in rows(service, TimerRow) if timer.state == 0] == []


def test_a_ticket_that_is_open_again_stays_with_the_klantregisseur(service):
    talk = linked(service, make_actor(service))
    asks(talk)
    (ticket,) = tickets(service)
    answer(service, ticket.id)
    talk.waits()
    service.clock.forward(timedelta(hours=25))
    got = talk.taps(f"rated:no:{ticket.id}")
    assert keys(got) == ["ticket.reopened"]
    (ticket,) = tickets(service)
    assert (ticket.owner, ticket.promise_at) == ("Sanne de Wit", THURSDAY_END)
    assert "donderdag 26 november, 15:00" in got[0].text


def test_somebody_in_danger_goes_to_the_back_up_desk_and_the_alarm_repeats(service, caplog):
    talk = linked(service, make_actor(service))
    service.conversation.understander.means("help mij nu", "crisis", "health.crisis")
    talk.says("help mij nu")
    (ticket,) = tickets(service)
    assert (ticket.owner, ticket.urgent) == (BACK_UP_DESK, True)
    for _ in range(3):
        service.clock.forward(timedelta(minutes=10))
        assert talk.waits() == []
    alarms = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.getMessage() for record in alarms] == [f"urgent ticket {ticket.id} waits"] * 4
    assert tickets(service)[0].promises_missed == 0
    answer(service, ticket.id)
    caplog.clear()
    service.clock.forward(timedelta(hours=1))
    talk.waits()
    assert not caplog.records
    talk.taps(f"rated:no:{ticket.id}")
    service.clock.forward(timedelta(minutes=10))
    talk.waits()
    assert [record.getMessage() for record in caplog.records] == [f"urgent ticket {ticket.id} waits"] * 2
