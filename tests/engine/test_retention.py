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
from bot.storage.models import Base, ContactRow, InboxRow, LaneState, MessageRow, OutcomeCountRow, TicketRow

NOBODY = {"outcome_count", "promise_count", "spend", "pace", "marker", "screen", "survey_wave", "fact"}
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


def sweep(store, content, clock, **forward):
    clock.forward(timedelta(**forward))
    return retention.sweep(content, store.write, clock.now())


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
