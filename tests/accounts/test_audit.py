"""The audit log: codes and numbers, written once, changed by nobody."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot import audit, people, retention
from bot.messages import Address
from bot.roles import Principal, Role
from bot.storage.account_models import AuditRow

SANNE = Principal("Sanne", frozenset({Role.DESK}), account_id=7)


def rows(store):
    return store.read(lambda c: c.execute(sa.select(AuditRow.__table__).order_by(AuditRow.id)).all())


def record(store, at, action="ticket.view", **more):
    store.write(lambda c: audit.record(c, SANNE, action, at, **more))


def test_a_line_says_who_did_what_to_whom(store, clock):
    record(store, clock.now(), "ticket.answer", ticket_id=3, contact_id=5, party_id=9, detail="topic=pip.what")
    (row,) = rows(store)
    assert (row.at, row.account_id, row.who, row.action) == (clock.now(), 7, "Sanne", "ticket.answer")
    assert (row.ticket_id, row.contact_id, row.party_id, row.detail) == (3, 5, 9, "topic=pip.what")


@pytest.mark.parametrize("detail", ["my son is ill", "two\nlines", "x" * 121, "سؤالي"])
def test_words_of_people_do_not_fit_in(store, clock, detail):
    with pytest.raises(ValueError, match="without spaces"):
        record(store, clock.now(), detail=detail)
    with pytest.raises(ValueError, match="is a code"):
        record(store, clock.now(), "answers a ticket")
    assert rows(store) == []


@pytest.mark.parametrize(
    "change", [sa.update(AuditRow).values(who="nobody"), sa.update(AuditRow).values(detail="x"), sa.delete(AuditRow)]
)
def test_the_database_refuses_every_change(store, change):
    record(store, datetime.now(UTC) - timedelta(days=729))
    before = rows(store)
    with pytest.raises(sa.exc.DBAPIError, match="audit log is"):
        store.write(lambda c: c.execute(change))
    assert rows(store) == before


def test_lines_go_after_their_time_also_when_the_clock_of_a_demonstration_was_moved(store, content, clock):
    real = datetime.now(UTC)
    record(store, real - timedelta(days=729))
    record(store, real - timedelta(days=731))
    gone = retention.sweep(content, store.write, real + timedelta(days=2000))
    assert gone["audit log"] == 1
    assert [row.at for row in rows(store)] == [real - timedelta(days=729)]


def test_retention_and_the_triggers_agree():
    migration = importlib.import_module("bot.storage.migrations.versions.0004_audit")
    assert timedelta(days=migration.DAYS) == retention.AUDIT


def test_somebody_who_is_erased_leaves_a_number_that_points_to_nothing(store, vault, clock):
    made = store.write(lambda c: people.find_or_create(c, vault, Address("telegram", "1"), "lane", clock.now()))
    record(store, clock.now(), contact_id=made.contact.id)
    store.write(lambda c: people.erase(c, made.contact.id, "lane"))
    assert [row.contact_id for row in rows(store)] == [made.contact.id]
