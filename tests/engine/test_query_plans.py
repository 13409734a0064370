"""No statement that runs for every message walks through a whole table, so its cost does not grow with the database."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot import outbox
from bot.desk import batch, news, troubles
from bot.messages import Receipt
from bot.monitoring import operations
from bot.pace import Pace
from bot.roles import Principal, Role
from bot.storage import fixed
from bot.storage.models import OutboxRow
from bot.working_days import DeskHours
from tests.conftest import make_service
from tests.talk import Talk

# Tables that grow with people and messages. The others hold a row a channel, a day, a klantregisseur or a setting.
GROWING = {
    *("inbox", "outbox", "message", "contact", "address", "ticket", "ticket_entry", "timer", "early_receipt"),
    *("party", "push", "survey_invitation", "survey_answer", "link_code", "prepared"),
}


@pytest.fixture
def statements(store, monkeypatch):
    """What goes to the database, with its values, while messages are handled; without what chores do now and then."""
    found = {}

    def keep(_connection, _cursor, statement, parameters, _context, many):
        if re.match(r"\s*(SELECT|UPDATE|DELETE|INSERT|WITH)", statement, re.IGNORECASE):
            found.setdefault(statement, parameters[0] if many else parameters)

    def run(connection, statement, values):
        keep(connection, None, statement, values if isinstance(values, dict) else tuple(values), None, many=False)
        return run_fixed(connection, statement, values)

    run_fixed = fixed._run
    monkeypatch.setattr(fixed, "_run", run)
    sa.event.listen(store.engine, "before_cursor_execute", keep)
    return found


def walks(store, statement, parameters):
    """The growing tables that a statement walks through."""

    def explain(connection):
        if store.is_sqlite:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return re.findall(r"SCAN (\w+)(?! USING)\b(?! \w)", "\n".join(row[3] for row in rows))
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        return re.findall(r"Seq Scan on (\w+)", "\n".join(row[0] for row in rows))

    return GROWING.intersection(store.read(explain))


def test_no_message_costs_a_walk_through_a_table(settings, store, vault, clock, content, understander, statements):
    service = make_service(settings, store, vault, clock, content, understander)
    service.worker.chores = ()
    understander.means("What is PIP?", "answer", "pip.what")
    understander.means("I am afraid", "escalate")
    for channel in ("telegram", "whatsapp"):
        talk = Talk(service, channel).agrees("en")
        talk.says("What is PIP?")
        talk.taps("menu")
        talk.says("I am afraid")
        talk.taps("pass:yes")
        talk.taps("stop")
        clock.forward(timedelta(minutes=1))
    row = store.read(lambda c: c.execute(sa.select(OutboxRow.channel, OutboxRow.provider_id)).first())
    store.write(lambda c: outbox.receive(c, Receipt(row.channel, row.provider_id, "read", ""), clock.now()))
    assert len(statements) > 30
    found = {statement: walks(store, statement, values) for statement, values in statements.items()}
    assert {statement: tables for statement, tables in found.items() if tables} == {}


def test_no_look_at_a_page_walks_through_a_table(store, clock, statements):
    """The batch, the list of what went wrong and the figures of the service, for somebody who sees everything."""
    who, now = Principal("coordinator", frozenset(Role)), clock.now()
    store.read(news.open_tickets)
    store.read(lambda connection: batch.read(connection, who, now, DeskHours()))
    store.read(lambda connection: troubles.attention(connection, who))
    store.read(lambda connection: operations.count(connection, now))
    assert len(statements) > 15
    found = {statement: walks(store, statement, values) for statement, values in statements.items()}
    assert {statement: tables for statement, tables in found.items() if tables} == {}


def test_a_channel_with_nothing_to_send_is_seen_at_once_while_another_sends_a_wave(store, clock, statements):
    """Not by a walk through all that is due, which an index on another column would allow."""
    now = clock.now()
    common = {"lane": "l", "channel": "whatsapp", "priority": 2, "payload": {}, "state": 0, "attempts": 0}
    rows = [common | {"key": f"k{number}", "created_at": now, "due_at": now} for number in range(3000)]
    store.write(lambda c: c.execute(sa.insert(OutboxRow), rows) and None)
    store.write(lambda c: c.exec_driver_sql("ANALYZE") and None)
    statements.clear()
    assert store.write(lambda c: outbox.claim(c, now, {"telegram": Pace(25, 1)}, 16)) == []
    ((statement, values),) = ((s, v) for s, v in statements.items() if "FROM outbox" in s)
    if store.is_sqlite:
        plan = store.read(lambda c: c.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all())
        assert "outbox_ready (channel=?" in plan[0][3]
    else:
        plan = store.read(lambda c: c.exec_driver_sql(f"EXPLAIN {statement}", values).scalars().all())
        assert any("Index Cond: ((channel)::text = 'telegram'" in line for line in plan)


def test_what_follows_a_send_is_found_in_its_lane_while_a_wave_waits(store, clock):
    """Not among all that is ready: an answer took 1.6 s once, with 100,000 invitations waiting."""
    common = {"channel": "whatsapp", "priority": 2, "payload": {}, "state": 0, "attempts": 0}
    common |= {"created_at": clock.now(), "due_at": clock.now()}
    rows = [common | {"key": f"k{number}", "lane": f"l{number}"} for number in range(3000)]
    store.write(lambda c: c.execute(sa.insert(OutboxRow), rows) and None)
    store.write(lambda c: c.exec_driver_sql("ANALYZE") and None)
    written = outbox._AFTER._written_for(store.read(lambda c: c))
    values = written.bind({"b_lane": "l", "b_channel": "whatsapp", "b_provider": "SM1"})

    def explain(connection):
        if not store.is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        words = ("EXPLAIN QUERY PLAN " if store.is_sqlite else "EXPLAIN ") + written.words
        return "\n".join(str(row) for row in fixed.written_out(connection, words, values))

    assert "outbox_open" in store.read(explain)
    assert "outbox_ready" not in store.read(explain)
