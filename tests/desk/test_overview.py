"""The figures of the coordinator, on both databases, and fast with many tickets."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall

import pytest
import sqlalchemy as sa

from bot.desk import overview
from bot.desk.overview import NO_WAITS, Waits
from bot.roles import Role
from bot.storage.follow_up_models import SpendRow
from bot.storage.models import (
    AbsenceRow,
    ActorRow,
    ContactRow,
    PromiseCountRow,
    SlotRow,
    TicketEntryRow,
    TicketRow,
)
from tests.webhooks.browser import log_in, make_browser

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
HOUR = timedelta(hours=1)


def ticket(**values):
    row = {"contact_id": 1, "state": 1, "urgent": False, "reason": "asked", "language": "nl", "candidates": []}
    row |= {"owner": "x", "promises_missed": 0, "promise_at": NOW + HOUR, "created_at": NOW - 5 * HOUR}
    return row | {"answered_at": None, "helped": None, "actor_id": None} | values


@pytest.fixture
def filled(store):
    """One klantregisseur with one slot, absent in the second week, and some tickets."""

    def fill(connection):
        person = {"id": 1, "consent": "given", "created_at": NOW, "seen_at": NOW}
        connection.execute(sa.insert(ContactRow).values(**person))
        actor = {"id": 1, "code": "k1", "name": "Sanne", "languages": ["nl"], "active": True, "imported_at": NOW}
        connection.execute(sa.insert(ActorRow).values(**actor))
        slot = {"actor_id": 1, "weekday": 1, "starts": wall(9), "ends": wall(11), "max_answers": 2}
        connection.execute(sa.insert(SlotRow).values(**slot))
        away = {"actor_id": 1, "first_day": date(2026, 12, 1), "last_day": date(2026, 12, 4)}
        connection.execute(sa.insert(AbsenceRow).values(**away))
        slot_end = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
        rows = [
            *(ticket(answered_at=NOW - 5 * HOUR + n * HOUR, actor_id=1 if n < 3 else None) for n in (1, 2, 3, 10)),
            ticket(state=0, actor_id=1, promise_at=slot_end),
            ticket(state=0, actor_id=1, promise_at=slot_end),
            ticket(state=0, actor_id=1, promise_at=NOW + 2 * HOUR),
            ticket(state=0, promise_at=NOW - HOUR, promises_missed=2, reason="no_reply"),
            ticket(state=0, helped=False),
        ]
        insert = sa.insert(TicketRow).returning(TicketRow.id)
        ids = [connection.execute(insert.values(**row)).scalar_one() for row in rows]
        for _ in range(2):
            entry = {"ticket_id": ids[-1], "kind": "answer", "author": "x", "text": "x", "at": NOW}
            connection.execute(sa.insert(TicketEntryRow).values(**entry))
        for day, outcome, n in ((TODAY, "kept", 3), (TODAY - timedelta(days=31), "kept", 99), (TODAY, "missed", 3)):
            connection.execute(sa.insert(PromiseCountRow).values(day=day, owner="k1", outcome=outcome, n=n))
        for outcome, n in (("sent", 3), ("failed", 1)):
            spent = {"day": TODAY, "kind": "template", "language": "nl", "outcome": outcome}
            connection.execute(sa.insert(SpendRow).values(**spent, n=n, micro_eur=n * 50_000))

    store.write(fill)
    return store.read(lambda c: overview.read(c, NOW))


def test_promises_and_what_is_late(filled):
    desk, sanne = filled.owners
    assert (sanne.name, sanne.kept, sanne.missed, sanne.open, sanne.late) == ("Sanne", 3, 3, 3, 0)
    assert (desk.actor_id, desk.open, desk.late) == (None, 2, 1)
    assert [one.name for one in filled.need_help] == ["", "Sanne"]


def test_waiting_times_of_all_and_of_each(filled):
    assert filled.waits == Waits(4, 2 * HOUR, 10 * HOUR)
    desk, sanne = filled.owners
    assert (desk.waits, sanne.waits) == (Waits(2, 3 * HOUR, 10 * HOUR), Waits(2, HOUR, 2 * HOUR))


def test_what_is_promised_where_no_slot_ends(filled):
    desk, sanne = filled.outside  # what is late already stands in another list
    assert (desk.name, desk.before, desk.promised) == ("", NOW + HOUR, 1)
    assert (sanne.name, sanne.before, sanne.promised) == ("Sanne", NOW + 2 * HOUR, 1)


def test_load_before_it_is_late(filled):
    (load,) = filled.loads  # the second Tuesday is a day of absence
    assert (load.promised, load.takes, load.is_nearly_full) == (2, 2, True)
    assert (filled.busy, filled.free) == ((load,), ())
    assert [one.first_day for one in filled.away] == [date(2026, 12, 1)]


def test_signals(filled):
    found = filled.signals
    assert (found.no_reply, found.missed_twice, found.reopened) == ((8,), (8,), (9,))
    assert (found.unlinked, found.linked) == (1, 0)


def test_costs_without_what_was_not_delivered(filled):
    (line,) = filled.costs
    assert (line.n, line.failed, line.micro_eur, filled.cost) == (2, 1, 100_000, 100_000)


def test_an_empty_database(store):
    empty = store.read(lambda c: overview.read(c, NOW))
    assert (empty.waits, empty.loads, empty.need_help, empty.cost) == (NO_WAITS, (), (), 0)


def test_fast_with_a_hundred_thousand_tickets(store):
    def fill(connection):
        connection.execute(
            sa.insert(ContactRow).values(id=1, consent="given", thread={}, stopped=False, created_at=NOW, seen_at=NOW)
        )
        rows = [
            ticket(created_at=NOW - timedelta(minutes=n), answered_at=NOW - timedelta(minutes=n // 2))
            for n in range(100_000)
        ]
        for start in range(0, len(rows), 5000):
            connection.execute(sa.insert(TicketRow), rows[start : start + 5000])

    store.write(fill)
    if not store.is_sqlite:
        store.write(lambda c: c.execute(sa.text("ANALYZE ticket")) and None)
    begun = time.monotonic()
    found = store.read(lambda c: overview.read(c, NOW))
    assert found.waits.answered > 40_000
    assert time.monotonic() - begun < 10  # a busy machine; alone it takes a tenth of this
    plan = store.read(_plan)
    assert "ticket_made" in plan


def _plan(connection):
    since = NOW - timedelta(days=1)
    query = sa.select(sa.func.count()).select_from(TicketRow).where(*overview._recently_answered(since))
    text = str(query.compile(connection.engine, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    return str(connection.exec_driver_sql(f"{explain} {text}".replace("%", "%%")).all())


def test_only_a_coordinator_sees_the_page(service):
    for role, status in ((Role.COORDINATOR, 200), (Role.DESK, 403), (Role.EDITOR, 403)):
        browser = make_browser(service)
        log_in(browser, role)
        answer = browser.get("/desk/overview")
        assert answer.status_code == status
    assert "Wie heeft hulp nodig" not in answer.text


def test_the_page_shows_the_figures(service):
    service.store.write(
        lambda c: (
            c.execute(
                sa.insert(SpendRow).values(
                    day=TODAY, kind="nudge", language="nl", outcome="sent", n=2, micro_eur=90_000
                )
            )
            and None
        )
    )
    browser = make_browser(service)
    log_in(browser, Role.COORDINATOR)
    text = browser.get("/desk/overview?lang=nl").text
    assert "€ 0,09" in text
    assert "Herinnering om te schrijven" in text
