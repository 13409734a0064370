"""Facts of a day that stay when the people in them are gone."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.monitoring import facts
from bot.storage.fact_models import FactRow
from bot.storage.models import ContactRow, TicketRow

HOUR = timedelta(hours=1)


def ticket(connection, contact, created, wait, actor=None):
    values = {"contact_id": contact, "reason": "asked", "language": "ar", "owner": "back-up desk", "actor_id": actor}
    values |= {"promise_at": created + 24 * HOUR, "created_at": created, "answered_at": created + wait, "state": 1}
    connection.execute(sa.insert(TicketRow).values(**values))


def fill(store, now, waits):
    def work(connection):
        made = connection.execute(sa.insert(ContactRow).values(created_at=now, seen_at=now).returning(ContactRow.id))
        contact = made.scalar_one()
        for wait in waits:
            ticket(connection, contact, now, wait)

    store.write(work)


def rows(store):
    query = sa.select(FactRow.name, FactRow.part, FactRow.n).where(FactRow.name != "past_review")
    return {(row.name, row.part): row.n for row in store.read(lambda c: c.execute(query).all())}


def test_facts_outlive_the_people(store, content, clock):
    now = clock.now()
    fill(store, now, [HOUR / 2] * 8 + [20 * HOUR] * 4)
    later = now + timedelta(days=2)
    for _ in range(2):  # running again changes nothing
        store.write(lambda c: facts.write(c, later, content))
    found = rows(store)
    assert found["passed_on", "ar"] == 12
    assert sum(n for (name, _), n in found.items() if name == "wait") == 12
    store.write(lambda c: c.execute(sa.delete(ContactRow)) and None)
    store.write(lambda c: facts.write(c, now + timedelta(days=5), content))
    assert rows(store) == found
    months = store.read(lambda c: facts.months(c, later))
    assert months[0].answered == 10
    assert (months[0].desk_share, months[0].median_hours, months[0].p90_hours) == (1.0, 1.0, 24.0)
    assert (months[0].kept_share, months[0].passed_on) == (1.0, 10)


def test_what_messages_cost_is_their_number_times_the_price(service, clock):
    def work(connection):
        day = (clock.now() - timedelta(days=1)).date()
        for channel, number in (("whatsapp", 200), ("telegram", 9)):
            connection.execute(sa.insert(FactRow).values(day=day, name="sent", part=channel, n=number))

    service.store.write(work)
    (month,) = service.store.read(lambda c: facts.months(c, clock.now(), {"whatsapp": 0.005, "telegram": 0.0}))
    assert month.cost == {"whatsapp": 1.0, "telegram": None}
    (unknown,) = service.store.read(lambda c: facts.months(c, clock.now(), {}))
    assert (unknown.cost, unknown.sent) == ({}, {"whatsapp": 200, "telegram": None})


def test_a_month_with_few_answers_shows_none(store, content, clock):
    fill(store, clock.now(), [HOUR] * 9)
    store.write(lambda c: facts.write(c, clock.now() + timedelta(days=1), content))
    month = store.read(lambda c: facts.months(c, clock.now() + timedelta(days=1)))[0]
    assert (month.answered, month.desk_share, month.median_hours, month.p90_hours) == (None, None, None, None)


@pytest.mark.parametrize(("wait", "name"), [(HOUR, "1"), (HOUR * 1.5, "4"), (300 * HOUR, "longer")])
def test_bins_of_waits(wait, name):
    assert facts.wait_bin(wait) == name


def test_a_quantile_in_the_last_bin_has_no_end():
    assert facts._within([0] * 8 + [10], 0.5) == math.inf
