"""Changes that need no answer: one statement on PostgreSQL, and nobody sees that they waited."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.storage import driver
from bot.storage.base import table_of
from bot.storage.fixed import Fixed
from bot.storage.models import InboxRow, PaceRow

INBOX = table_of(InboxRow)
COLUMNS = ("key", "lane", "channel", "body", "received_at", "due_at", "state", "attempts", "lease")
ADD = Fixed(sa.insert(INBOX), COLUMNS)
PACE = table_of(PaceRow)
NAMED = PACE.c.channel == sa.bindparam("b_name")
BEGIN = Fixed(sa.insert(PACE), ("channel", "used_until"))
USE = Fixed(sa.update(PACE).where(NAMED).values(used_until=sa.bindparam("b_used")))
USED = Fixed(sa.select(PACE.c.used_until).where(NAMED))
TAKE = Fixed(sa.update(INBOX).where(INBOX.c.key == sa.bindparam("b_key")).values(attempts=INBOX.c.attempts + 1))


def row(key, now, body=None):
    at = {"received_at": now, "due_at": now}
    return {"key": key, "lane": "secret", "channel": "c", "body": body, "state": 0, "attempts": 0, "lease": None} | at


@pytest.fixture
def kept(store, clock):
    """Two rows in the inbox."""
    now = clock.now()
    for key in ("k1", "k2"):
        store.write(lambda c, k=key: ADD.run(c, row(k, now)))
    return now


@pytest.fixture
def sent(store, monkeypatch):
    """The words that went to the database by themselves, in their order."""
    found = []

    def run(connection, words, values):
        found.append(words)
        return driver_run(connection, words, values)

    driver_run = driver.run
    monkeypatch.setattr(driver, "run", run)
    return found


def test_what_needs_no_answer_is_seen_by_whatever_comes_next(store, kept):
    """By a statement of ours, by one of SQLAlchemy, and after the commit; two of one table in their order."""
    later = kept + timedelta(seconds=1)

    def work(connection):
        BEGIN.later(connection, {"channel": "c", "used_until": kept})
        assert USED.value(connection, {"b_name": "c"}) == kept
        USE.later(connection, {"b_name": "c", "b_used": kept})
        USE.later(connection, {"b_name": "c", "b_used": later})
        assert connection.execute(sa.select(PACE.c.used_until)).scalar_one() == later
        TAKE.later(connection, {"b_key": "k1"})
        TAKE.later(connection, {"b_key": "k1"})
        TAKE.later(connection, {"b_key": "k2"})
        USE.later(connection, {"b_name": "c", "b_used": kept})

    store.write(work)
    assert store.read(lambda c: USED.value(c, {"b_name": "c"})) == kept
    rows = sa.select(INBOX.c.attempts).order_by(INBOX.c.id)
    assert store.read(lambda c: c.execute(rows).scalars().all()) == [2, 1]


def test_postgresql_gets_what_needs_no_answer_in_one_statement(store, kept, sent):
    def work(connection):
        BEGIN.later(connection, {"channel": "c", "used_until": kept})
        TAKE.later(connection, {"b_key": "k1"})
        ADD.later(connection, row("k3", kept, {"text": "100 %"}))

    store.write(work)
    assert len(sent) == (4 if store.is_sqlite else 2)  # with its BEGIN; two of them change the inbox
    body = sa.select(INBOX.c.body).where(INBOX.c.key == "k3")
    assert store.read(lambda c: c.execute(body).scalar_one()) == {"text": "100 %"}


def test_an_error_of_what_needs_no_answer_comes_out_at_the_commit(store, kept):
    with pytest.raises(sa.exc.IntegrityError) as caught:
        store.write(lambda c: ADD.later(c, row("k1", kept)))
    assert "secret" not in str(caught.value)


def test_what_was_collected_before_a_rollback_is_never_sent(store, kept):
    with store.engine.connect() as connection:
        with connection.begin() as transaction:
            TAKE.later(connection, {"b_key": "k1"})
            transaction.rollback()
        with connection.begin():
            BEGIN.later(connection, {"channel": "c", "used_until": kept})
    assert store.read(lambda c: USED.value(c, {"b_name": "c"})) == kept
    attempts = sa.select(sa.func.sum(INBOX.c.attempts))
    assert store.read(lambda c: c.execute(attempts).scalar_one()) == 0
