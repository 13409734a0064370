"""Timers become messages, once each, in the person's own lane. On both databases."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from bot import people, timers
from bot.messages import Address
from bot.storage.models import InboxRow


def someone(store, vault, clock):
    made = store.write(lambda c: people.find_or_create(c, vault, Address("telegram", "1"), "lane", clock.now()))
    return made.contact.id


def set_timer(store, contact_id, key, due_at):
    store.write(lambda c: timers.set_timer(c, contact_id, "promise", {"ticket_id": 1}, key=key, due_at=due_at))


def fire(store, clock):
    return store.write(lambda c: timers.fire_due(c, clock.now()))


def messages(store):
    return store.read(lambda c: c.execute(sa.select(InboxRow.__table__).order_by(InboxRow.id)).all())


def test_a_due_timer_becomes_one_message_of_its_person(store, vault, clock):
    contact_id = someone(store, vault, clock)
    set_timer(store, contact_id, "a", clock.now() + timedelta(hours=1))
    assert fire(store, clock) == 0
    clock.forward(timedelta(hours=2))
    assert (fire(store, clock), fire(store, clock)) == (1, 0)
    (message,) = messages(store)
    assert (message.lane, message.body["extra"]) == ("lane", {"timer": "promise", "ticket_id": 1})


def test_the_same_key_is_one_timer_and_a_cancelled_one_does_not_fire(store, vault, clock):
    contact_id = someone(store, vault, clock)
    for key in ("a", "a", "b"):
        set_timer(store, contact_id, key, clock.now())
    store.write(lambda c: timers.cancel(c, "b"))
    assert fire(store, clock) == 1


def test_timers_fire_in_the_order_of_their_moments(store, vault, clock):
    contact_id = someone(store, vault, clock)
    for key, minutes in (("late", 30), ("early", 10), ("middle", 20)):
        set_timer(store, contact_id, key, clock.now() + timedelta(minutes=minutes))
    clock.forward(timedelta(hours=1))
    fire(store, clock)
    assert [row.key for row in messages(store)] == ["timer:2", "timer:3", "timer:1"]


def test_a_timer_of_somebody_who_was_erased_is_gone(store, vault, clock):
    contact_id = someone(store, vault, clock)
    set_timer(store, contact_id, "a", clock.now())
    store.write(lambda c: people.erase(c, contact_id, "lane"))
    assert fire(store, clock) == 0
