"""Lanes: the oldest of each person, one at a time, fenced by leases. On both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot import inbox
from bot.messages import Address, InboundMessage, Kind
from bot.storage import fixed, lanes
from bot.storage.models import InboxRow, LaneState, OutboxRow


@pytest.fixture
def put(store, vault, clock):
    def put(*pairs: tuple[str, str]) -> None:
        messages = [InboundMessage(key, Address("telegram", who), Kind.TEXT, key) for who, key in pairs]
        store.write(lambda c: inbox.insert(c, [inbox.to_row(m, vault, clock.now()) for m in messages]))

    return put


def claim(store, clock, limit=10):
    return store.write(lambda c: lanes.claim(c, InboxRow, clock.now(), limit))


def done(store, row):
    return store.write(lambda c: lanes.still_mine(c, InboxRow, row.id, row.lease, state=LaneState.DONE))


def test_the_oldest_of_each_person_side_by_side(store, clock, put):
    put(("a", "a1"), ("b", "b1"), ("a", "a2"), ("c", "c1"))
    assert [row.key for row in claim(store, clock)] == ["a1", "b1", "c1"]


def test_the_next_one_waits_for_the_first(store, clock, put):
    put(("a", "a1"), ("a", "a2"))
    (first,) = claim(store, clock)
    assert claim(store, clock) == []
    assert done(store, first)
    assert [row.key for row in claim(store, clock)] == ["a2"]


def test_one_that_waits_for_another_try_keeps_its_place(store, clock, put):
    put(("a", "a1"), ("a", "a2"))
    (first,) = claim(store, clock)
    later = clock.now() + timedelta(seconds=30)
    store.write(lambda c: lanes.still_mine(c, InboxRow, first.id, first.lease, state=LaneState.READY, due_at=later))
    assert claim(store, clock) == []
    clock.forward(timedelta(seconds=31))
    assert [(row.key, row.attempts) for row in claim(store, clock)] == [("a1", 2)]


def test_a_dead_one_lets_the_next_one_run(store, clock, put):
    put(("a", "a1"), ("a", "a2"))
    (first,) = claim(store, clock)
    store.write(lambda c: lanes.still_mine(c, InboxRow, first.id, first.lease, state=LaneState.DEAD))
    assert [row.key for row in claim(store, clock)] == ["a2"]


def test_a_worker_that_lost_its_lease_changes_nothing(store, clock, put):
    put(("a", "a1"))
    (slow,) = claim(store, clock)
    clock.forward(lanes.LEASE + timedelta(seconds=1))
    assert store.write(lambda c: lanes.recover(c, InboxRow, clock.now(), everything=False)) == 1
    (quick,) = claim(store, clock)
    assert not done(store, slow)
    assert done(store, quick)


def test_a_renewed_lease_is_not_taken_back(store, clock, put):
    put(("a", "a1"))
    (row,) = claim(store, clock)
    clock.forward(lanes.LEASE - timedelta(seconds=1))
    store.write(lambda c: lanes.renew(c, InboxRow, [(row.id, row.lease)], clock.now()))
    clock.forward(timedelta(seconds=30))
    assert store.write(lambda c: lanes.recover(c, InboxRow, clock.now(), everything=False)) == 0
    assert done(store, row)


def test_the_database_itself_refuses_two_running_rows_of_a_person(store, clock, put):
    put(("a", "a1"), ("a", "a2"))
    claim(store, clock)
    with pytest.raises(sa.exc.IntegrityError):
        store.write(lambda c: c.execute(sa.update(InboxRow).values(state=LaneState.RUNNING)))


def test_a_claim_scans_only_what_is_open(store, clock, put):
    """With 20,000 finished rows a claim must not read them: the partial index matches only literals."""
    put(("a", "a1"))
    given = {"b_now": clock.now(), "b_limit": 4, "b_lease": "l", "b_until": clock.now()}

    def explain(connection):
        if not store.is_sqlite:
            connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        written = lanes._taking(InboxRow, connection.dialect.name)._written_for(connection)
        words = ("EXPLAIN QUERY PLAN " if store.is_sqlite else "EXPLAIN ") + written.words
        return "\n".join(str(row) for row in fixed.written_out(connection, words, written.bind(given)))

    plan = store.read(explain)
    assert "inbox_ready" in plan
    assert "Seq Scan" not in plan
    assert "SCAN inbox\n" not in plan


def test_one_who_wrote_very_much_hides_nobody(store, clock, put):
    """A claim looks only at the rows that wait longest; those of a lane that is not idle are no part of them."""
    put(*(("a", f"a{number}") for number in range(lanes.LOOKED_AT + 5)), ("b", "b1"), ("c", "c1"))
    (first,) = claim(store, clock)
    assert (first.key, [row.key for row in claim(store, clock, limit=1)]) == ("a0", ["b1"])
    later = clock.now() + timedelta(seconds=30)
    store.write(lambda c: lanes.still_mine(c, InboxRow, first.id, first.lease, state=LaneState.READY, due_at=later))
    assert [row.key for row in claim(store, clock)] == ["c1"]


def test_outbox_rows_that_were_being_sent_become_unknown(store, clock):
    values = {
        "key": "reply:1",
        "lane": "a",
        "channel": "telegram",
        "payload": {},
        "created_at": clock.now(),
        "due_at": clock.now(),
        "state": 0,
        "attempts": 0,
        "priority": 0,
    }
    store.write(lambda c: c.execute(sa.insert(OutboxRow).values(**values)) and None)
    store.write(lambda c: lanes.claim(c, OutboxRow, clock.now(), 1, "telegram"))
    store.write(lambda c: lanes.recover(c, OutboxRow, clock.now(), everything=True))
    state = store.read(lambda c: c.execute(sa.select(OutboxRow.state)).scalar_one())
    assert state == LaneState.UNKNOWN


@pytest.mark.parametrize(("attempt", "low", "high"), [(1, 0.8, 1.2), (4, 6.4, 9.6), (20, 240, 360)])
def test_backoff_doubles_up_to_five_minutes(attempt, low, high):
    assert low <= lanes.backoff(attempt).total_seconds() <= high


def test_backoff_is_never_less_than_the_provider_asked():
    assert lanes.backoff(1, retry_after=77).total_seconds() == 77
