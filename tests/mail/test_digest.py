"""A mail when an answering time begins: numbers and a link."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from bot import escalation
from bot.contacts import Question, Route
from bot.desk import digest
from bot.desk.digest import DigestRules
from bot.storage.models import AbsenceRow, ActorRow, ContactRow, SlotRow
from tests.mail.servers import rows

RULES = DigestRules("desk@example.org", time(8, 30), time(17), "nl", "https://bot.example.org")
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # 9:00 in Nijmegen


@pytest.fixture
def actor(both):
    def make(connection):
        values = {"code": "k1", "name": "Sanne", "email": "sanne@example.org", "languages": ["nl"], "active": True}
        actor_id = connection.execute(
            sa.insert(ActorRow).values(**values, imported_at=MONDAY).returning(ActorRow.id)
        ).scalar_one()
        slot = {"actor_id": actor_id, "weekday": 0, "starts": time(9), "ends": time(11), "max_answers": 5}
        connection.execute(sa.insert(SlotRow).values(**slot))
        return actor_id

    return both.store.write(make)


def asks(service, actor_id, promise_at=MONDAY + timedelta(hours=2)):
    def make(connection):
        person = {"language": "ar", "consent": "given", "created_at": MONDAY, "seen_at": MONDAY}
        contact = connection.execute(sa.insert(ContactRow).values(**person).returning(ContactRow.id)).scalar_one()
        route = Route(promise_at, actor_id, "Sanne")
        escalation.open_ticket(connection, contact, Question("geheim", "nl"), route, MONDAY - timedelta(days=1))

    service.store.write(make)


def look(service, at=MONDAY):
    service.store.write(lambda c: digest.put_due(c, at, RULES))
    return [(row.recipient.partition("@")[0], row.params["n"], row.params["due"]) for row in rows(service)]


def test_it_comes_once_when_the_slot_begins(both, actor):
    asks(both, actor)
    asks(both, actor, MONDAY + timedelta(days=7))
    assert look(both, MONDAY - timedelta(minutes=1)) == []
    assert look(both) == [("sanne", 2, 1)]
    assert look(both, MONDAY + timedelta(minutes=5)) == [("sanne", 2, 1)]
    assert "geheim" not in str(rows(both)[0])


def test_not_when_nothing_waits(both, actor):
    assert look(both) == []


def test_a_start_that_was_missed_is_made_up_for_in_half_an_hour(both, actor):
    asks(both, actor)
    assert look(both, MONDAY + timedelta(minutes=31)) == []
    assert look(both, MONDAY + timedelta(minutes=29)) == [("sanne", 1, 1)]


def test_not_on_a_day_of_absence(both, actor):
    asks(both, actor)
    away = {"actor_id": actor, "first_day": date(2026, 11, 20), "last_day": date(2026, 11, 23)}
    both.store.write(lambda c: c.execute(sa.insert(AbsenceRow).values(**away)) and None)
    assert look(both) == []


def test_not_on_a_public_holiday(both, actor):
    asks(both, actor)
    easter_monday = datetime(2027, 3, 29, 7, 0, tzinfo=UTC)
    assert look(both, easter_monday) == []
    assert look(both, easter_monday + timedelta(days=7)) != []


def test_summer_time_moves_with_the_clock_on_the_wall(both, actor):
    asks(both, actor)
    summer = datetime(2027, 6, 7, 7, 0, tzinfo=UTC)
    assert look(both, summer) == [("sanne", 1, 1)]


def test_somebody_without_dutch_gets_english(both, actor):
    asks(both, actor)
    both.store.write(lambda c: c.execute(sa.update(ActorRow).values(languages=["en", "ar"])) and None)
    look(both)
    assert rows(both)[0].language == "en"


def test_whoever_left_gets_none(both, actor):
    asks(both, actor)
    both.store.write(lambda c: c.execute(sa.update(ActorRow).values(active=False)) and None)
    assert look(both) == []


def test_the_back_up_desk_hears_it_when_it_opens(both, actor):
    asks(both, None)
    half_past = MONDAY - timedelta(minutes=30)
    assert look(both, half_past) == [("desk", 1, 1)]
    assert rows(both)[0].params["link"] == "https://bot.example.org/desk"
