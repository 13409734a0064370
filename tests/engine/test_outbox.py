"""Sending: pace, order, failures by their kind, receipts that never step back, shut windows. On both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot import dispatch, outbox, people
from bot.errors import Failure, SendError
from bot.messages import Address, InboundMessage, Kind, OutboundMessage, Receipt
from bot.outbox import Pace, Recipient
from bot.storage.models import AddressRow, LaneState, OutboxRow

FAST = Pace(per_second=1000, gap=0, burst=1000)
HELLO = OutboundMessage("Hallo", "nl")


def person(store, vault, clock, channel="telegram", value="1001"):
    return store.write(lambda c: people.find_or_create(c, vault, Address(channel, value), f"lane-{value}", clock.now()))


def put(store, vault, clock, key, value="1001", channel="telegram", **fields):
    someone = person(store, vault, clock, channel, value)
    recipient = Recipient(f"lane-{value}", channel, someone.contact.id, someone.address_id)
    store.write(lambda c: outbox.put(c, recipient, HELLO, key=key, now=clock.now(), **fields))
    return someone


def claim(store, clock, pace=FAST, slots=100):
    return store.write(lambda c: dispatch.claim(c, clock.now(), {"telegram": pace, "whatsapp": pace}, slots))


def row_of(store, key):
    return store.read(lambda c: c.execute(sa.select(OutboxRow.__table__).where(OutboxRow.key == key)).one())


def wrote(store, someone, clock, channel="whatsapp", value="whatsapp:+31612345678"):
    message = InboundMessage("wa:x", Address(channel, value), Kind.TEXT, "Hallo")
    store.write(lambda c: people.wrote(c, someone, message, clock.now()))


def test_the_same_key_twice_is_one_message(store, vault, clock):
    put(store, vault, clock, "reply:1")
    put(store, vault, clock, "reply:1")
    assert len(claim(store, clock)) == 1


def test_without_a_channel_nothing_is_sent(store, vault, clock):
    put(store, vault, clock, "reply:1")
    assert store.write(lambda c: dispatch.claim(c, clock.now(), {}, 16)) == []


def test_ordinary_answers_go_before_invitations(store, vault, clock):
    put(store, vault, clock, "invitation", value="1", priority=2)
    put(store, vault, clock, "reply", value="2", priority=0)
    assert [row.key for row in claim(store, clock, slots=1)] == ["reply"]


def test_a_channel_is_paced_over_all_people(store, vault, clock):
    for n in range(60):
        put(store, vault, clock, f"reply:{n}", value=str(n))
    pace = Pace(per_second=10, gap=0, burst=5)
    sent = len(claim(store, clock, pace))
    assert sent == 5  # the burst
    for _ in range(20):
        clock.forward(timedelta(seconds=0.1))
        sent += len(claim(store, clock, pace))
    assert sent == 25  # and then ten a second


def test_a_wave_takes_a_fifth_of_the_pace_and_answers_have_the_rest(store, vault, clock):
    pace = Pace(per_second=50, gap=0, burst=25)
    for n in range(200):
        put(store, vault, clock, f"invitation:{n}", value=f"i{n}", priority=2)
    claim(store, clock, pace, slots=100)  # the bursts
    invited = answered = 0
    for second in range(20):
        clock.forward(timedelta(seconds=0.1))
        for n in range(4):
            put(store, vault, clock, f"reply:{second}:{n}", value=f"r{second}:{n}")
        found = [row.key.partition(":")[0] for row in claim(store, clock, pace, slots=100)]
        invited, answered = invited + found.count("invitation"), answered + found.count("reply")
    assert (invited, answered) == (20, 80)  # ten a second of fifty; every answer at once


def test_one_person_is_not_flooded(store, vault, clock):
    put(store, vault, clock, "reply:1")
    put(store, vault, clock, "reply:2")
    (first,) = claim(store, clock)
    store.write(lambda c: outbox.sent(c, first, "77", clock.now(), Pace(100, gap=1.0)))
    assert claim(store, clock) == []
    clock.forward(timedelta(seconds=1.1))
    assert [row.key for row in claim(store, clock)] == ["reply:2"]


def test_words_are_wiped_when_telegram_has_them(store, vault, clock):
    put(store, vault, clock, "reply:1")
    (row,) = claim(store, clock)
    store.write(lambda c: outbox.sent(c, row, "77", clock.now(), FAST))
    after = row_of(store, "reply:1")
    assert (after.state, after.payload, after.provider_id, after.delivery) == (LaneState.DONE, None, "77", "accepted")


@pytest.mark.parametrize(
    ("failure", "state"),
    [
        (Failure.TEMPORARY, LaneState.READY),
        (Failure.PERMANENT, LaneState.DEAD),
        (Failure.UNKNOWN, LaneState.UNKNOWN),
        (Failure.WINDOW, LaneState.HELD),
        (Failure.BLOCKED, LaneState.HELD),
    ],
)
def test_what_follows_hangs_on_the_kind_of_failure(store, vault, clock, failure, state):
    put(store, vault, clock, "reply:1")
    (row,) = claim(store, clock)
    store.write(lambda c: outbox.failed(c, row, SendError(failure, "why"), clock.now()))
    after = row_of(store, "reply:1")
    assert (after.state, after.error) == (state, "why")
    assert after.payload is not None  # nothing is lost


def test_a_temporary_failure_waits_as_long_as_the_provider_asked(store, vault, clock):
    put(store, vault, clock, "reply:1")
    (row,) = claim(store, clock)
    store.write(lambda c: outbox.failed(c, row, SendError(Failure.TEMPORARY, "429", 30), clock.now()))
    clock.forward(timedelta(seconds=29))
    assert claim(store, clock) == []
    clock.forward(timedelta(seconds=2))
    assert len(claim(store, clock)) == 1


def test_after_the_last_try_it_is_dead(store, vault, clock):
    put(store, vault, clock, "reply:1")
    for _ in range(outbox.SEND_TRIES):
        (row,) = claim(store, clock)
        store.write(lambda c, r=row: outbox.failed(c, r, SendError(Failure.TEMPORARY, "503"), clock.now()))
        clock.forward(timedelta(hours=1))
    assert row_of(store, "reply:1").state == LaneState.DEAD


def test_a_refusal_that_comes_after_the_person_came_back_blocks_nobody(store, vault, clock):
    someone = put(store, vault, clock, "reply:1")
    (row,) = claim(store, clock)
    clock.forward(timedelta(seconds=2))
    wrote(store, someone, clock, "telegram", "1001")
    store.write(lambda c: outbox.failed(c, row, SendError(Failure.BLOCKED, "403"), clock.now()))
    assert row_of(store, "reply:1").state == LaneState.READY
    clock.forward(timedelta(seconds=10))
    assert [row.key for row in claim(store, clock)] == ["reply:1"]


def test_a_person_who_blocked_us_gets_what_waited_when_they_come_back(store, vault, clock):
    someone = put(store, vault, clock, "reply:1")
    (row,) = claim(store, clock)
    store.write(lambda c: outbox.failed(c, row, SendError(Failure.BLOCKED, "403"), clock.now()))
    put(store, vault, clock, "reply:2")
    assert row_of(store, "reply:2").state == LaneState.HELD
    wrote(store, someone, clock, "telegram", "1001")
    (first,) = claim(store, clock)
    assert first.key == "reply:1"
    assert row_of(store, "reply:2").state == LaneState.READY


def test_nothing_goes_into_a_shut_window(store, vault, clock):
    number = "whatsapp:+31612345678"
    someone = person(store, vault, clock, "whatsapp", number)
    wrote(store, someone, clock)
    clock.forward(timedelta(hours=23, minutes=54))
    put(store, vault, clock, "in time", value=number, channel="whatsapp")
    assert row_of(store, "in time").state == LaneState.READY
    clock.forward(timedelta(minutes=2))
    (row,) = claim(store, clock)
    assert store.read(lambda c: dispatch.look(c, [row], clock.now())) == {row.id: None}
    store.write(lambda c: outbox.hold(c, row))
    put(store, vault, clock, "too late", value=number, channel="whatsapp")
    assert {row_of(store, key).state for key in ("in time", "too late")} == {LaneState.HELD}
    wrote(store, someone, clock)
    assert {row_of(store, key).state for key in ("in time", "too late")} == {LaneState.READY}


def sent_to_whatsapp(store, vault, clock):
    number = "whatsapp:+31612345678"
    someone = person(store, vault, clock, "whatsapp", number)
    wrote(store, someone, clock)
    put(store, vault, clock, "reply:1", value=number, channel="whatsapp")
    (row,) = claim(store, clock)
    store.write(lambda c: outbox.sent(c, row, "SM1", clock.now(), FAST))
    return someone


def receive(store, clock, state, code=""):
    store.write(lambda c: outbox.receive(c, Receipt("whatsapp", "SM1", state, code), clock.now()))


@pytest.mark.parametrize(
    "order", [("sent", "delivered", "read"), ("read", "sent", "delivered"), ("delivered", "sent", "read")]
)
def test_receipts_in_any_order_end_at_the_highest(store, vault, clock, order):
    sent_to_whatsapp(store, vault, clock)
    for state in order:
        receive(store, clock, state)
    assert row_of(store, "reply:1").delivery == "read"


def test_a_receipt_before_its_message_is_known_is_not_lost(store, vault, clock):
    receive(store, clock, "delivered")
    receive(store, clock, "sent")
    sent_to_whatsapp(store, vault, clock)
    assert row_of(store, "reply:1").delivery == "delivered"


def test_words_stay_until_whatsapp_delivered_them(store, vault, clock):
    sent_to_whatsapp(store, vault, clock)
    assert row_of(store, "reply:1").payload is not None
    receive(store, clock, "delivered")
    assert row_of(store, "reply:1").payload is None


def test_a_window_that_was_shut_after_all_holds_the_message(store, vault, clock):
    """63016 comes later, by receipt: the message waits for the person instead of being lost."""
    someone = sent_to_whatsapp(store, vault, clock)
    receive(store, clock, "failed", "63016")
    assert row_of(store, "reply:1").state == LaneState.HELD
    wrote(store, someone, clock)
    assert [row.key for row in claim(store, clock)] == ["reply:1"]


def test_a_block_that_is_told_by_receipt_is_remembered(store, vault, clock):
    someone = sent_to_whatsapp(store, vault, clock)
    receive(store, clock, "failed", "63014")
    query = sa.select(AddressRow.blocked_at).where(AddressRow.id == someone.address_id)
    assert store.read(lambda c: c.execute(query).scalar_one()) is not None


def test_an_unknown_send_is_settled_by_its_receipt(store, vault, clock):
    """The provider's answer was lost, so only its receipt tells; here the id is known from a list at the provider."""
    sent_to_whatsapp(store, vault, clock)
    store.write(lambda c: c.execute(sa.update(OutboxRow).values(state=LaneState.UNKNOWN)) and None)
    receive(store, clock, "delivered")
    assert row_of(store, "reply:1").state == LaneState.DONE
