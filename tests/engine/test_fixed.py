"""Statements that go to the driver as they are: the same rows and the same errors as through SQLAlchemy."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.contacts import Pulse, Question, Thread
from bot.errors import StoreUnavailableError
from bot.messages import Option, OutboundMessage
from bot.storage.base import table_of
from bot.storage.fixed import Fixed, in_list, listed, written_out
from bot.storage.models import ContactRow, InboxRow, PaceRow, PartyRow

INBOX = table_of(InboxRow)
COLUMNS = ("key", "lane", "channel", "body", "received_at", "due_at", "state", "attempts", "lease")
ADD = Fixed(sa.insert(INBOX), COLUMNS)


@pytest.fixture
def kept(store, clock):
    """Two rows; the body of the second is wiped."""
    now = clock.now()
    common = {"lane": "a", "channel": "c", "received_at": now, "due_at": now, "state": 0, "attempts": 0, "lease": None}
    for key, body in (("k1", {"text": "مرحبا", "n": [1, None]}), ("k2", None)):
        assert store.write(lambda c, k=key, b=body: ADD.run(c, common | {"key": k, "body": b})) == 1
    return now


def test_rows_are_those_of_sqlalchemy(store, kept):
    query = sa.select(INBOX).where(INBOX.c.due_at <= sa.bindparam("b_now"), INBOX.c.id.in_(listed(2))).order_by("id")
    values = {"b_now": kept + timedelta(seconds=1)} | in_list([1, 2])
    rows = store.read(lambda c: Fixed(query).rows(c, values))
    assert [tuple(row) for row in rows] == store.read(lambda c: [tuple(row) for row in c.execute(query, values)])
    assert (rows[0].body, rows[0].due_at, rows[1].body) == ({"text": "مرحبا", "n": [1, None]}, kept, None)
    assert store.read(lambda c: Fixed(query).first(c, values | {"b_now": kept - timedelta(1)})) is None


def test_what_changed_is_counted_and_what_is_returned_has_its_columns(store, kept):
    mine = sa.update(INBOX).where(INBOX.c.key == sa.bindparam("b_key"))
    assert store.write(lambda c: Fixed(mine.values(attempts=INBOX.c.attempts + 2)).run(c, {"b_key": "k1"})) == 1
    assert store.write(lambda c: Fixed(mine.values(lane="b")).run(c, {"b_key": "k3"})) == 0
    row = store.write(lambda c: Fixed(mine.values(lane="b").returning(INBOX)).first(c, {"b_key": "k1"}))
    assert (row.key, row.lane, row.attempts, row.received_at) == ("k1", "b", 2, kept)


def test_errors_are_those_of_sqlalchemy_without_the_values(store, kept):
    again = {"key": "k1", "lane": "secret", "channel": "c", "body": None, "received_at": kept, "due_at": kept}
    with pytest.raises(sa.exc.IntegrityError) as caught:
        store.write(lambda c: ADD.run(c, again | {"state": 0, "attempts": 0, "lease": None}))
    assert "secret" not in str(caught.value)
    with store.engine.connect() as connection, pytest.raises(sa.exc.DBAPIError):
        written_out(connection, "SELECT nothing FROM nowhere", ())
    with pytest.raises(KeyError):
        store.write(lambda c: ADD.run(c, {"key": "k9"}))
    assert store.read(lambda c: c.execute(sa.select(sa.func.count()).select_from(INBOX)).scalar_one()) == 2


def test_a_line_that_broke_is_told_once_and_not_used_again(postgres_store, clock):
    store = postgres_store
    query = Fixed(sa.select(table_of(PaceRow).c.channel))
    store.write(lambda c: c.execute(sa.insert(PaceRow).values(channel="c", used_until=clock.now())) and None)
    assert len(store.read(query.rows)) == len(store.write(query.rows)) == 1
    elsewhere = sa.create_engine(store.engine.url)
    with elsewhere.connect() as connection:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        connection.exec_driver_sql(f"SELECT pg_terminate_backend(pid) {others}")
    elsewhere.dispose()
    with pytest.raises(StoreUnavailableError):
        store.write(query.rows)
    assert len(store.write(query.rows)) == len(store.read(query.rows)) == 1


def test_what_is_not_the_same_at_each_run_is_refused(store):
    many = sa.select(INBOX.c.id).where(INBOX.c.id.in_(sa.bindparam("b_ids", expanding=True)))
    with pytest.raises(ValueError, match="not the same"):
        store.read(lambda c: Fixed(many).rows(c, {"b_ids": [1]}))
    made_by_python = Fixed(sa.insert(table_of(PartyRow)), ("reference",))
    with pytest.raises(ValueError, match="not the same"):
        store.write(lambda c: made_by_python.run(c, {"reference": "r"}))


def test_a_read_leaves_the_prepared_statements_of_its_connection(postgres_store):
    """The driver of PostgreSQL forgets them at a rollback, and then the server parses and plans each anew."""
    store = postgres_store
    query = Fixed(sa.select(ContactRow.id).where(ContactRow.id == sa.bindparam("b_id")))
    for _ in range(60):  # a few connections take turns, and each prepares what it was given five times
        store.read(lambda c: query.rows(c, {"b_id": 1}))
    known = store.read(lambda c: written_out(c, "SELECT statement FROM pg_prepared_statements", ()))
    assert any("FROM contact" in statement for (statement,) in known)


def test_what_is_kept_is_described_as_dataclasses_would():
    options = (Option("menu", "Menu"), Option("more", "Meer", "wide"))
    question = Question("Wat?", "nl", (("pip.what", 0.5),))
    for thread in (Thread(), Thread(options, "x", question=question, pulse=Pulse(3, "i", ("a", "b")))):
        assert json.dumps(thread.to_json()) == json.dumps(asdict(thread))
        assert Thread.from_json(thread.to_json()) == thread
    message = OutboundMessage("tekst", "nl", options, ("a", "b"), template="t", variables=("v",), cost=3)
    assert json.dumps(message.to_json()) == json.dumps(asdict(message))
