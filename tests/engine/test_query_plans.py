"""No statement that runs for every message walks through a whole table, so its cost does not grow with the database."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot import dispatch, outbox, people
from bot.desk import batch, news, troubles
from bot.messages import Receipt
from bot.monitoring import operations
from bot.pace import Pace
from bot.roles import Principal, Role
from bot.storage import driver, fixed, lanes
from bot.storage.models import AddressRow, ContactRow, InboxRow, OutboxRow
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

    run_fixed = driver.run
    monkeypatch.setattr(driver, "run", run)
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
    assert store.write(lambda c: dispatch.claim(c, now, {"telegram": Pace(25, 1)}, 16)) == []
    ((statement, values),) = ((s, v) for s, v in statements.items() if "FROM outbox" in s)
    if store.is_sqlite:
        plan = store.read(lambda c: c.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all())
        found = [row[3] for row in plan if "outbox" in row[3]]
        assert len(found) == 2
        assert all("outbox_ready (channel=?" in line for line in found)
    else:
        plan = store.read(lambda c: c.exec_driver_sql(f"EXPLAIN {statement}", values).scalars().all())
        assert any("Index Cond: ((channel)::text = 'telegram'" in line for line in plan)


def plan_of(store, statement, values):
    """How the database would run a statement of ours as the writer does, with values or, once prepared, without."""

    def explain(connection):
        words = ("EXPLAIN QUERY PLAN " if store.is_sqlite else "EXPLAIN ") + written.words
        if not store.is_sqlite:
            connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")
            raw = connection.connection.dbapi_connection
            return "\n".join(row[0] for row in raw.execute(words, written.bind(values), prepare=True))
        return "\n".join(str(row) for row in fixed.written_out(connection, words, written.bind(values)))

    written = store.write(statement._written_for)
    return store.write(explain)


def test_a_plan_of_the_day_when_the_queues_were_empty_is_no_walk_through_them(store, clock):
    """PostgreSQL keeps the plan of a prepared statement until the table is counted anew."""
    now, name = clock.now(), store.engine.dialect.name
    given = {"b_now": now, "b_limit": 16, "b_lease": "l", "b_until": now}
    replies = {"b_channel": "whatsapp", "b_first": 0, "b_last": 1}
    plans = [plan_of(store, lanes._taking(InboxRow, name), given)]
    plans.append(plan_of(store, lanes._taking(OutboxRow, name), given | replies))
    plans.append(plan_of(store, lanes._fence(OutboxRow, ()), {"b_row": 1, "b_mine": "l"}))
    for plan in plans:
        assert "SCAN inbox\n" not in plan
        assert "SCAN outbox\n" not in plan
        assert "Seq Scan" not in plan
        by_id = re.findall(r"Scan (?:using|on) (?:in|out)box_(?:pkey|open) .*\n +(.*)", plan)
        assert store.is_sqlite or by_id, plan
        assert all(line.startswith("Index Cond:") for line in by_id), plan


def test_the_line_of_the_writer_walks_only_where_no_index_helps(postgres_store):
    store = postgres_store
    settings = [lambda c, name=name: c.exec_driver_sql(f"SHOW {name}").scalar() for name in ("enable_seqscan", "jit")]
    assert [store.write(setting) for setting in settings] == ["off", "off"]
    assert store.read(settings[0]) == "on"


def test_somebody_is_found_by_what_identifies_them(store, clock):
    """Not by a walk through all addresses in the order that is asked for."""
    person = {"consent": "new", "stopped": False, "thread": {}, "created_at": clock.now(), "seen_at": clock.now()}
    address = {"channel": "telegram", "sealed": "s", "used_at": clock.now()}
    numbers = range(1, 2001)
    store.write(lambda c: c.execute(sa.insert(ContactRow), [person | {"id": n} for n in numbers]) and None)
    rows = [address | {"contact_id": n, "lookup": f"l{n}", "lane": f"l{n}"} for n in numbers]
    store.write(lambda c: c.execute(sa.insert(AddressRow), rows) and None)
    store.write(lambda c: c.exec_driver_sql("ANALYZE") and None)
    plan = plan_of(store, people._people(2, store.engine.dialect.name, lock=True), fixed.in_list(["l7", "l8"]))
    assert "SCAN address" not in plan
    assert store.is_sqlite or "Index Cond: ((lookup)::text = ANY" in plan
    assert "Filter" not in plan


def test_what_follows_a_send_is_found_in_its_lane_while_a_wave_waits(store, clock):
    """Not among all that is ready: an answer took 1.6 s once, with 100,000 invitations waiting."""
    common = {"channel": "whatsapp", "priority": 2, "payload": {}, "state": 0, "attempts": 0}
    common |= {"created_at": clock.now(), "due_at": clock.now()}
    rows = [common | {"key": f"k{number}", "lane": f"l{number}"} for number in range(3000)]
    store.write(lambda c: c.execute(sa.insert(OutboxRow), rows) and None)
    store.write(lambda c: c.exec_driver_sql("ANALYZE") and None)
    plan = plan_of(store, outbox._AFTER, {"b_lane": "l1", "b_channel": "whatsapp", "b_provider": "SM1"})
    assert "outbox_open" in plan
    assert "outbox_ready" not in plan
