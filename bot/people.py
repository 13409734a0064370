"""Contacts and addresses in the database: found, made, kept, erased.

Everything takes a connection and commits nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot import merging, outbox
from bot.contacts import Consent, Contact, Group, Thread
from bot.identifiers import Vault
from bot.locales import AMSTERDAM
from bot.messages import CAPABILITIES, Address, InboundMessage, Kind
from bot.storage.models import (
    AddressRow,
    ContactRow,
    InboxRow,
    MessageRow,
    OutboxRow,
    OutcomeCountRow,
    TicketRow,
)


@dataclass(frozen=True)
class Person:
    """A contact and the address that is in use now."""

    contact: Contact
    address_id: int
    was_blocked: bool = False
    lane: str = ""  # the queue of everything from and to this person
    first_lanes: tuple[str, ...] = ()  # of this address, before it was joined with another


def find(connection: Connection, vault: Vault, address: Address, *, lock: bool = False) -> Person | None:
    """The person at an address, or None. `lock`: nobody else changes the contact until this transaction ends."""
    lookups = vault.lookups(address)
    query = (
        sa.select(
            AddressRow.id.label("address_id"),
            AddressRow.blocked_at,
            AddressRow.lane,
            AddressRow.lookup,
            AddressRow.bsuid_lookup,
            ContactRow.__table__,
        )
        .join(ContactRow, ContactRow.id == AddressRow.contact_id)
        .where(sa.or_(AddressRow.lookup.in_(lookups), AddressRow.bsuid_lookup.in_(lookups)))
        .order_by(AddressRow.id)
        .limit(1)
    )
    row = connection.execute(query.with_for_update(of=ContactRow) if lock else query).one_or_none()
    if row is None:
        return None
    first = tuple(lookup for lookup in (row.lookup, row.bsuid_lookup) if lookup and lookup != row.lane)
    return Person(_contact(row), row.address_id, row.blocked_at is not None, row.lane, first)


def reread(connection: Connection, person: Person) -> Person:
    """The same address with the contact that it belongs to now."""
    row = connection.execute(
        sa.select(AddressRow.lane, ContactRow.__table__)
        .join(ContactRow, ContactRow.id == AddressRow.contact_id)
        .where(AddressRow.id == person.address_id)
    ).one()
    return replace(person, contact=_contact(row), lane=row.lane)


def _contact(row: sa.Row[Any]) -> Contact:
    return Contact(
        id=row.id,
        language=row.language,
        group=Group(row.resident_group) if row.resident_group else None,
        consent=Consent(row.consent),
        stopped=row.stopped,
        thread=Thread.from_json(row.thread),
    )


def find_or_create(  # what is found is an address, what is made a row
    connection: Connection, vault: Vault, address: Address, lane: str, now: datetime, *, found: Person | None = None
) -> Person:
    """The person at an address; somebody new where there is none. Links a user id and a number that come together.

    `found`: what `find` returned in this transaction, with the lock.
    """
    person = found or find(connection, vault, address, lock=True)
    sealed = vault.seal(address)
    bsuid = vault.lookup(address.channel, address.bsuid) if address.bsuid else None
    if person is None:
        values = {"consent": Consent.NEW.value, "stopped": False, "thread": {}, "created_at": now, "seen_at": now}
        contact_id = connection.execute(sa.insert(ContactRow).values(**values).returning(ContactRow.id)).scalar_one()
        address_id = connection.execute(
            sa.insert(AddressRow)
            .values(
                contact_id=contact_id,
                channel=address.channel,
                lookup=vault.lookup(address.channel, address.value),
                bsuid_lookup=bsuid,
                lane=lane,
                sealed=sealed,
                used_at=now,
            )
            .returning(AddressRow.id)
        ).scalar_one()
        return Person(Contact(id=contact_id), address_id, lane=lane)
    person = _join_twins(connection, person, vault.lookups(address))
    if bsuid:  # the user id alone wrote before: from now on it belongs to the address that has the number too
        other = (AddressRow.bsuid_lookup == bsuid, AddressRow.id != person.address_id)
        connection.execute(sa.update(AddressRow).where(*other).values(bsuid_lookup=None))
    known = {"sealed": sealed} | ({"bsuid_lookup": bsuid} if bsuid else {})
    connection.execute(sa.update(AddressRow).where(AddressRow.id == person.address_id).values(**known))
    return person


def _join_twins(connection: Connection, person: Person, lookups: list[str]) -> Person:
    """Somebody who wrote with a user id first and with a number later is two contacts: a message with both joins them.

    Two that are linked to different people of the caseload stay two.
    """
    if len(lookups) < 2:  # one identifier finds one contact
        return person
    found = sa.or_(AddressRow.lookup.in_(lookups), AddressRow.bsuid_lookup.in_(lookups))
    query = sa.select(AddressRow.contact_id).where(found, AddressRow.contact_id != person.contact.id).limit(1)
    twin = connection.execute(query).scalar_one_or_none()
    if twin is None or not merging.may_join(connection, person.contact.id, twin):
        return person
    merging.join(connection, gone=person.contact.id, stays=twin)
    return reread(connection, person)


def wrote(connection: Connection, person: Person, message: InboundMessage, received_at: datetime) -> None:
    """A person did something: the window opens anew, a block is over, what was held goes on."""
    values: dict[str, Any] = {"used_at": received_at}
    hours = CAPABILITIES[message.address.channel].window_hours
    if message.kind is not Kind.BLOCKED:
        values["blocked_at"] = None
        if hours is not None:
            values["window_until"] = received_at + timedelta(hours=hours)
    connection.execute(sa.update(AddressRow).where(AddressRow.id == person.address_id).values(**values))
    if message.kind is not Kind.BLOCKED:
        outbox.release(connection, person.address_id, received_at)
    connection.execute(sa.update(ContactRow).where(ContactRow.id == person.contact.id).values(seen_at=received_at))


def save(connection: Connection, contact: Contact) -> None:
    """Keep a contact as it is now."""
    connection.execute(
        sa.update(ContactRow)
        .where(ContactRow.id == contact.id)
        .values(
            language=contact.language,
            group=contact.group.value if contact.group else None,
            consent=contact.consent.value,
            stopped=contact.stopped,
            thread=contact.thread.to_json(),
        )
    )


def thread_of(connection: Connection, contact_id: int) -> Thread:
    """What the conversation remembers, as it stands now."""
    thread = connection.execute(sa.select(ContactRow.thread).where(ContactRow.id == contact_id)).scalar_one()
    return Thread.from_json(thread)


def consented(connection: Connection, contact_id: int, now: datetime) -> None:
    connection.execute(sa.update(ContactRow).where(ContactRow.id == contact_id).values(consent_at=now))


def log_message(
    connection: Connection, contact_id: int, text: str, keys: tuple[str, ...], now: datetime, *, inbound: bool
) -> None:
    """Add to the conversation that is kept for the retention time."""
    values = {"contact_id": contact_id, "inbound": inbound, "text": text, "keys": list(keys), "at": now}
    connection.execute(sa.insert(MessageRow).values(**values))


def kept_facts(connection: Connection, contact_id: int) -> tuple[tuple[str, Any], ...]:
    """How much is kept of a person, for "see my data"."""
    messages = sa.select(sa.func.count()).where(MessageRow.contact_id == contact_id)
    tickets = sa.select(sa.func.count()).where(TicketRow.contact_id == contact_id)
    return (
        ("messages", connection.execute(messages).scalar_one()),
        ("tickets", connection.execute(tickets).scalar_one()),
    )


def erase(connection: Connection, contact_id: int, lane: str) -> None:
    """Delete everything of a person: conversation, tickets, timers, addresses, and what waits in the queues.

    Of the queues the keys of finished rows stay, so that a repeat by the provider is still known; they name nobody.
    """
    connection.execute(sa.delete(OutboxRow).where(OutboxRow.contact_id == contact_id))
    # What a person wrote after the wish to be erased is a new first contact; only what we made ourselves goes.
    ours = sa.or_(InboxRow.key.like("again:%"), InboxRow.key.like("timer:%"))
    open_rows = (InboxRow.lane == lane, InboxRow.state == sa.literal_column("0"), ours)
    connection.execute(sa.update(InboxRow).where(*open_rows).values(state=2, body=None, sealed=None))
    done = (InboxRow.lane == lane, InboxRow.state > 1)  # what no try could handle still holds its words
    connection.execute(sa.update(InboxRow).where(*done).values(lane="erased", body=None, sealed=None))
    connection.execute(sa.delete(ContactRow).where(ContactRow.id == contact_id))


def count(  # noqa: PLR0917  # the columns of one row
    connection: Connection, now: datetime, channel: str, language: str, outcome: str, topic: str
) -> None:
    """One more of a kind of outcome on a day."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(OutcomeCountRow).values(
        day=now.astimezone(AMSTERDAM).date(), channel=channel, language=language, outcome=outcome, topic=topic, n=1
    )
    keys = ["day", "channel", "language", "outcome", "topic"]
    connection.execute(row.on_conflict_do_update(index_elements=keys, set_={"n": OutcomeCountRow.n + 1}))
