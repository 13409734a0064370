"""Two chats of one person become one, on both databases: nothing lost, nothing twice, nothing out of order."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot import merging, people
from bot.dispatch import claim
from bot.inbox import insert, to_row
from bot.messages import Address, InboundMessage, Kind, OutboundMessage
from bot.outbox import Recipient, put
from bot.storage import lanes
from bot.storage.models import (
    AddressRow,
    Base,
    ContactRow,
    InboxRow,
    LaneState,
    MessageRow,
    OutboxRow,
    PartyRow,
    TicketRow,
    TimerRow,
)
from bot.storage.store import Store
from tests.caseload.people import make_actor, make_party, newest_contact, rows, tickets
from tests.caseload.test_linking import letter
from tests.caseload.test_routing import asks
from tests.conftest import make_service
from tests.talk import Talk, dead_rows, keys


def said(service):
    """What people said, in order."""
    query = sa.select(MessageRow.text).where(MessageRow.inbound).order_by(MessageRow.id)
    return list(service.store.read(lambda c: c.execute(query).scalars()))


@pytest.fixture
def two(service):
    """One person with a linked chat on Telegram and an unlinked one on WhatsApp, an open question in each."""
    party = make_party(service, make_actor(service))
    first = Talk(service, "telegram").agrees("nl")
    first.says(letter(service, party))
    asks(first, "De eerste vraag")
    second = Talk(service, "whatsapp", "amina").agrees("ar")
    asks(second, "De tweede vraag")
    return party, first, second


def test_a_second_chat_of_a_person_is_joined(service, two):
    party, _, second = two
    got = second.says(letter(service, party))
    assert keys(got) == ["link.joined"]
    (contact,) = rows(service, ContactRow)
    assert (contact.language, contact.consent) == ("ar", "given")  # chosen last
    assert {row.contact_id for row in rows(service, AddressRow)} == {contact.id}
    assert len({row.lane for row in rows(service, AddressRow)}) == 1
    assert [ticket.contact_id for ticket in tickets(service)] == [contact.id] * 2
    assert {row.contact_id for row in rows(service, TimerRow) if row.state == 0} == {contact.id}
    assert {row.contact_id for row in rows(service, MessageRow)} == {contact.id}
    assert rows(service, PartyRow)[0].contact_id == contact.id
    assert {row.lane for row in rows(service, OutboxRow)} == {rows(service, AddressRow)[0].lane}


def test_what_is_said_in_one_chat_is_known_in_the_other(service, two):
    party, first, second = two
    second.says(letter(service, party))
    got = first.taps("data")
    assert keys(got) == ["data.kept"]
    assert "2" in got[0].text
    assert second.waits() == []
    second.taps("erase:yes")
    assert rows(service, ContactRow) == rows(service, AddressRow) == rows(service, TicketRow) == []


def test_a_promise_of_before_is_still_kept(service, two):
    party, first, second = two
    second.says(letter(service, party))
    service.clock.forward(timedelta(days=2))
    first.waits()
    second.waits()
    assert [ticket.promises_missed for ticket in tickets(service)] == [1, 1]


def test_what_waits_in_both_lanes_is_answered_in_order(service, two, understander):
    """Messages of both chats wait when the code is handled: each is answered once, each chat's in its order."""
    party, first, second = two
    code = letter(service, party)
    for talk, text in ((first, "a1"), (second, "b1"), (second, code), (second, "b2"), (first, "a2"), (second, "b3")):
        understander.means(text, "answer", "pip.what")
        asyncio.run(service.inbox.accept(InboundMessage(f"x:{text}", talk.address, Kind.TEXT, text)))
    second.waits()
    assert dead_rows(service) == 0
    inbound = said(service)
    assert sorted(inbound[-5:]) == ["a1", "a2", "b1", "b2", "b3"]
    assert [text for text in inbound if text[0] == "b"] == ["b1", "b2", "b3"]
    assert [text for text in inbound if text[0] == "a"] == ["a1", "a2"]
    assert all(row.state == LaneState.DONE for row in rows(service, InboxRow))


def test_a_message_accepted_into_the_old_lane_takes_its_place(service, two, understander):
    """On PostgreSQL a message may be written to the lane of before while the lanes are joined."""
    party, _, second = two
    old = next(row.lane for row in rows(service, AddressRow) if row.channel == "whatsapp")
    second.says(letter(service, party))
    for text in ("late", "later"):
        understander.means(text, "answer", "pip.what")
    late = InboundMessage("x:late", second.address, Kind.TEXT, "late")

    def into_old_lane(connection):
        insert(connection, [to_row(late, service.vault, service.clock.now())])
        connection.execute(sa.update(InboxRow).where(InboxRow.key == "x:late").values(lane=old))

    service.store.write(into_old_lane)
    asyncio.run(service.inbox.accept(InboundMessage("x:later", second.address, Kind.TEXT, "later")))
    taken = service.store.write(lambda c: lanes.claim(c, InboxRow, service.clock.now(), 10))
    for row in reversed(taken):  # the later one first, as another worker might
        service.conversation.handle(service.store, row)
    second.waits()
    assert said(service)[-2:] == ["late", "later"]
    assert all(row.state == LaneState.DONE for row in rows(service, InboxRow))


def lane_of(service, channel):
    return next(row for row in rows(service, AddressRow) if row.channel == channel)


def waiting(service, address, *texts):
    """Messages that wait to be sent to an address."""
    recipient = Recipient(address.lane, address.channel, address.contact_id, address.id)
    for text in texts:
        message = OutboundMessage(text, "nl")
        service.store.write(lambda c, m=message: put(c, recipient, m, key=f"k:{m.text}", now=service.clock.now()))


def sends(service, limit=10):
    paces = {name: channel.pace for name, channel in service.channels.items()}
    return service.store.write(lambda c: claim(c, service.clock.now(), paces, limit))


def join(service, gone, stays):
    service.store.write(lambda c: merging.join(c, gone=gone, stays=stays))


def test_what_waits_to_be_sent_goes_on_behind_what_is_being_sent(service, two):
    telegram, whatsapp = lane_of(service, "telegram"), lane_of(service, "whatsapp")
    waiting(service, whatsapp, "one", "two")
    (flying,) = sends(service)
    join(service, whatsapp.contact_id, telegram.contact_id)
    assert sends(service) == []  # "two" waits for "one"
    asyncio.run(service.worker._send(flying))
    assert [row.payload["text"] for row in sends(service)] == ["two"]


def test_while_something_is_sent_to_both_they_are_not_joined(service, two):
    telegram, whatsapp = lane_of(service, "telegram"), lane_of(service, "whatsapp")
    waiting(service, whatsapp, "one")
    waiting(service, telegram, "two")
    flying = sends(service)
    assert len(flying) == 2
    with pytest.raises(merging.LanesBusyError):
        join(service, whatsapp.contact_id, telegram.contact_id)
    assert len(rows(service, ContactRow)) == 2
    for row in flying:
        asyncio.run(service.worker._send(row))
    join(service, whatsapp.contact_id, telegram.contact_id)
    assert len(rows(service, ContactRow)) == 1


def test_a_code_that_comes_while_both_are_sent_to_is_tried_again(service, two):
    party, _, second = two
    code = letter(service, party)
    waiting(service, lane_of(service, "whatsapp"), "one")
    waiting(service, lane_of(service, "telegram"), "two")
    flying = sends(service)
    asyncio.run(service.inbox.accept(InboundMessage("x:code", second.address, Kind.TEXT, code)))
    (row,) = service.store.write(lambda c: lanes.claim(c, InboxRow, service.clock.now(), 10))
    asyncio.run(service.worker._handle(row))
    assert len(rows(service, ContactRow)) == 2
    for sent in flying:
        asyncio.run(service.worker._send(sent))
    service.clock.forward(timedelta(seconds=5))
    assert keys(second.waits()) == ["link.joined"]
    assert len(rows(service, ContactRow)) == 1


def machines(service, store, vault, content, understander):
    """On PostgreSQL a second machine works on the same database; SQLite has one process."""
    if store.is_sqlite:
        return [service]
    second = Store(store.engine.url.render_as_string(hide_password=False))
    second.start()
    return [service, make_service(service.settings, second, vault, service.clock, content, understander)]


def work_on(machine, done):
    """What a worker's inbox loop does, in a thread of its own."""
    while not done.is_set():
        try:
            taken = machine.store.write(lambda c: lanes.claim(c, InboxRow, machine.clock.now(), 1))
        except sa.exc.IntegrityError:  # two claimers met on one lane
            continue
        for row in taken:
            asyncio.run(machine.worker._handle(row))


def test_joining_while_the_other_chat_is_answered(service, two, understander, store, vault, content):
    """Both lanes at once, with real threads and machines: no deadlock, nothing lost, each chat in order."""
    party, first, second = two
    code = letter(service, party)
    theirs = {talk.channel: [f"{talk.channel} {number}" for number in range(12)] for talk in (first, second)}
    for number in range(12):
        for talk in (first, second):
            text = theirs[talk.channel][number]
            understander.means(text, "answer", "pip.what")
            asyncio.run(service.inbox.accept(InboundMessage(f"x:{text}", talk.address, Kind.TEXT, text)))
        if number == 3:
            asyncio.run(service.inbox.accept(InboundMessage("x:code", second.address, Kind.TEXT, code)))
    done, both = threading.Event(), machines(service, store, vault, content, understander)
    workers = [threading.Thread(target=work_on, args=(machine, done)) for machine in both * 2]
    for worker in workers:
        worker.start()
    for _ in range(1200):
        if all(row.state > LaneState.RUNNING for row in rows(service, InboxRow)):
            break
        done.wait(0.05)
        service.clock.forward(timedelta(seconds=1))
    done.set()
    for worker in workers:
        worker.join()
    for machine in both[1:]:
        machine.store.close()
    assert dead_rows(service) == 0
    assert len(rows(service, ContactRow)) == 1
    for texts in theirs.values():
        assert [text for text in said(service) if text in texts] == texts
    replies = [row.key for row in rows(service, OutboxRow) if row.key.startswith("reply:x:")]
    assert len(replies) == len(set(replies)) == 25


def test_user_id_first_and_number_later_is_one_person(service):
    """WhatsApp may tell a user id alone, then a number alone; the first message with both joins the two contacts."""
    value, number = "whatsapp:NL.123456789", "whatsapp:+31612345678"
    alone, plain = Address("whatsapp", value, "NL.123456789"), Address("whatsapp", number, None, number)
    both = Address("whatsapp", number, "NL.123456789", number)
    for key, address in (("1", alone), ("2", plain)):
        asyncio.run(service.inbox.accept(InboundMessage(f"tw:{key}", address, Kind.TEXT, "Hallo")))
        Talk(service, "whatsapp").waits()
    assert len(rows(service, ContactRow)) == 2
    for key, address in (("3", both), ("4", plain)):
        asyncio.run(service.inbox.accept(InboundMessage(f"tw:{key}", address, Kind.TEXT, "Hallo")))
        Talk(service, "whatsapp").waits()
    assert len(rows(service, ContactRow)) == 1
    assert dead_rows(service) == 0
    assert len({row.lane for row in rows(service, AddressRow)}) == 1
    assert all(row.state == LaneState.DONE for row in rows(service, InboxRow))
    found = service.store.read(lambda c: [people.find(c, service.vault, address) for address in (alone, plain, both)])
    assert {person.contact.id for person in found} == {newest_contact(service)}


def test_two_people_of_the_caseload_are_never_joined(service):
    contacts = []
    for number in (1, 2):
        Talk(service, "telegram", "a" * number).agrees("nl")
        contacts.append(newest_contact(service))
        make_party(service, None, f"P-{number}", contacts[-1])
    assert service.store.read(lambda c: merging.may_join(c, *contacts)) is False
    assert service.store.read(lambda c: merging.may_join(c, contacts[0], 10_000)) is True


def test_every_table_that_names_a_contact_can_be_moved():
    """A table where a contact may stand once only needs a rule of its own in `merging.join`."""
    once = set()
    for table in Base.metadata.sorted_tables:
        for column in merging.contact_columns(table):
            keys_of = [set(table.primary_key.columns), *(set(i.columns) for i in table.indexes if i.unique)]
            keys_of += [set(c.columns) for c in table.constraints if isinstance(c, sa.UniqueConstraint)]
            if column.unique or any(column in key for key in keys_of):
                once.add(f"{table.name}.{column.name}")
    surveys = {"survey_consent.contact_id", "survey_invitation.contact_id", "survey_phase.contact_id"}
    assert once - surveys == {"party.contact_id", "bad_news.contact_id", "data_link.contact_id"}
