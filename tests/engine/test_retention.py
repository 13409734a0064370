"""What goes when, on both databases. Every table with something of a person has a rule."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot import escalation, people, retention
from bot.contacts import Consent, Contact, Question, Route, Thread
from bot.inbox import Inbox
from bot.messages import Address, InboundMessage, Kind
from bot.storage.fact_models import FactRow
from bot.storage.follow_up_models import SpendRow
from bot.storage.models import (
    Base,
    ContactRow,
    InboxRow,
    LaneState,
    MessageRow,
    OutcomeCountRow,
    PromiseCountRow,
    TicketRow,
)

NOBODY = {"outcome_count", "promise_count", "spend", "pace", "marker", "screen", "survey_wave", "fact", "published"}
WITH_THEIR_OWNER = {"prepared_answer", "ticket_claim", "ticket_draft"} | {
    "address",
    "ticket_entry",
    "slot",
    "absence",
    "survey_consent",
    "survey_phase",
    "proposal_ticket",
}


def test_every_table_with_something_of_a_person_has_a_rule(content):
    ruled = {rule.table.__tablename__ for rule in retention.rules(content)}
    assert set(Base.metadata.tables) - ruled == NOBODY | WITH_THEIR_OWNER


@pytest.fixture
def someone(store, vault, clock):
    made = store.write(lambda c: people.find_or_create(c, vault, Address("telegram", "1"), "lane", clock.now()))
    thread = Thread(kept="my words")
    contact = Contact(made.contact.id, "nl", None, Consent.GIVEN, thread=thread)
    store.write(lambda c: people.save(c, contact))
    store.write(lambda c: people.log_message(c, contact.id, "my words", (), clock.now(), inbound=True))
    store.write(lambda c: people.count(c, clock.now(), "telegram", "nl", "answer", "pip.what"))
    question = Question("my words", "nl")
    ticket = store.write(lambda c: escalation.open_ticket(c, contact.id, question, Route(clock.now()), clock.now()))
    return contact.id, ticket


def sweep(store, content, clock, days_kept=None, **forward):
    clock.forward(timedelta(**forward))
    return retention.sweep(content, store.write, clock.now(), days_kept)


def count(store, table):
    return store.read(lambda c: c.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def test_conversations_go_after_their_time_and_figures_stay(store, content, clock, someone):
    sweep(store, content, clock, days=89)
    assert count(store, MessageRow) == 1
    sweep(store, content, clock, days=2)
    assert count(store, MessageRow) == 0
    assert count(store, OutcomeCountRow) == 1
    thread = store.read(lambda c: c.execute(sa.select(ContactRow.thread)).scalar_one())
    assert "my words" not in str(thread)


def test_an_open_question_stays_until_it_is_answered(store, content, clock, someone):
    sweep(store, content, clock, days=200)
    assert count(store, TicketRow) == 1
    store.write(lambda c: escalation.rate(c, someone[1], someone[0], clock.now(), helped=True))
    sweep(store, content, clock, days=1)
    assert count(store, TicketRow) == 0


def test_somebody_who_never_agreed_is_gone_in_a_week(store, content, clock, vault):
    store.write(lambda c: people.find_or_create(c, vault, Address("telegram", "2"), "lane", clock.now()))
    sweep(store, content, clock, days=8)
    assert count(store, ContactRow) == 0


def test_finished_keys_stay_longer_than_providers_repeat(store, content, clock, vault):
    message = InboundMessage("tg:1", Address("telegram", "1"), Kind.TEXT, "my words")
    asyncio.run(Inbox(store, vault, clock).accept(message))
    store.write(lambda c: c.execute(sa.update(InboxRow).values(state=LaneState.DONE)) and None)
    sweep(store, content, clock, days=2)
    assert count(store, InboxRow) == 1
    sweep(store, content, clock, days=6)
    assert count(store, InboxRow) == 0


def test_a_second_sweep_finds_nothing(store, content, clock, someone):
    sweep(store, content, clock, days=100)
    assert set(sweep(store, content, clock, seconds=1).values()) == {0}


def test_the_settings_change_a_time_and_no_time_that_does_not_exist(store, content, clock, someone):
    sweep(store, content, clock, {"silent people": 400}, days=399)
    assert count(store, ContactRow) == 1
    sweep(store, content, clock, {"silent people": 400}, days=2)
    assert count(store, ContactRow) == 0
    assert retention.LEAST.keys() <= {rule.name for rule in retention.rules(content)}


def test_figures_of_every_kind_survive_ten_years(store, content, clock, someone):
    day = clock.now().date()

    def make(connection):
        connection.execute(sa.insert(PromiseCountRow).values(day=day, owner="k1", outcome="kept", n=3))
        connection.execute(sa.insert(FactRow).values(day=day, name="sent", part="telegram", n=3))
        money = {"kind": "template", "language": "nl", "outcome": "sent", "n": 1, "micro_eur": 50_000}
        connection.execute(sa.insert(SpendRow).values(day=day, **money))

    store.write(make)
    sweep(store, content, clock, days=3660)
    assert [count(store, table) for table in (OutcomeCountRow, PromiseCountRow, FactRow, SpendRow)] == [1, 1, 1, 1]
    assert count(store, ContactRow) == 0


def test_the_job_notes_what_it_did(store, content, clock, someone):
    sweep(store, content, clock, days=91)
    sweep(store, content, clock, hours=1)
    done = store.read(retention.done)
    assert done.at == clock.now()
    assert done.last("conversation") == (clock.now().date().isoformat(), 1), "a later run hides nothing"
    sweep(store, content, clock, days=31)
    assert store.read(retention.done).last("conversation") is None
    assert store.read(retention.done).lately("conversation") == 0


def test_what_stands_and_when_the_first_of_it_goes(store, content, clock, someone):
    found = {rule.name: store.read(lambda c, r=rule: retention.standing(c, r)) for rule in retention.rules(content)}
    said = found["conversation"]
    assert (said.rows, said.first_goes_at) == (1, clock.now() + timedelta(days=90))
    assert (found["answered questions"].rows, found["codes"].first_goes_at) == (0, None)
