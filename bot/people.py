"""Contacts and addresses in the database: found, made, kept, erased.

Everything takes a connection and commits nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot import merging, outbox
from bot.contacts import Consent, Contact, Group, Thread
from bot.identifiers import Vault
from bot.locales import AMSTERDAM
from bot.messages import CAPABILITIES, Address, InboundMessage, Kind
from bot.outbox import Reach
from bot.storage.base import table_of
from bot.storage.fixed import Fixed, Row, in_list, is_one_of, listed
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
    reach: Reach = field(default_factory=Reach)
    lane: str = ""  # the queue of everything from and to this person
    first_lanes: tuple[str, ...] = ()  # of this address, before it was joined with another


_ADDRESS, _CONTACT, _MESSAGE = table_of(AddressRow), table_of(ContactRow), table_of(MessageRow)
_PERSON = (
    _ADDRESS.c.id.label("address_id"),
    _ADDRESS.c.window_until,
    _ADDRESS.c.blocked_at,
    _ADDRESS.c.lane,
    _ADDRESS.c.lookup,
    _ADDRESS.c.bsuid_lookup,
    _CONTACT,
)


@cache
def _people(lookups: int, dialect: str, *, lock: bool = False) -> Fixed:
    """The people at so many identifiers, by the age of their addresses; with a lock only the first.

    Each index is asked by itself: for "one or the other" a database may walk through all addresses.
    """
    wanted, ids = listed(lookups), sa.select(_ADDRESS.c.id)
    theirs = (ids.where(column.in_(wanted)) for column in (_ADDRESS.c.lookup, _ADDRESS.c.bsuid_lookup))
    query = sa.select(*_PERSON).join(_CONTACT, _CONTACT.c.id == _ADDRESS.c.contact_id)
    found = query.where(is_one_of(_ADDRESS.c.id, sa.union_all(*theirs), dialect)).order_by(_ADDRESS.c.id)
    return Fixed(found.limit(1).with_for_update(of=_CONTACT) if lock else found)


_SAVING = (
    sa.update(_CONTACT)
    .where(_CONTACT.c.id == sa.bindparam("b_id"))
    .values(
        language=sa.bindparam("b_language"),
        resident_group=sa.bindparam("b_group"),
        consent=sa.bindparam("b_consent"),
        stopped=sa.bindparam("b_stopped"),
        thread=sa.bindparam("b_thread"),
    )
)
_SAVE, _SAVE_SEEN = Fixed(_SAVING), Fixed(_SAVING.values(seen_at=sa.bindparam("b_seen")))


def find(connection: Connection, vault: Vault, address: Address, *, lock: bool = False) -> Person | None:
    """The person at an address, or None. `lock`: nobody else changes the contact until this transaction ends."""
    lookups = vault.lookups(address)
    row = _people(len(lookups), connection.dialect.name, lock=lock).first(connection, in_list(lookups))
    return None if row is None else _person(row)


def find_each(connection: Connection, vault: Vault, addresses: Sequence[Address]) -> list[Person | None]:
    """`find` for several addresses at once, in their order."""
    if not addresses:
        return []
    wanted = [set(vault.lookups(address)) for address in addresses]
    everything = sorted(set().union(*wanted))
    rows = _people(len(everything), connection.dialect.name).rows(connection, in_list(everything))
    matching = (next((row for row in rows if {row.lookup, row.bsuid_lookup} & one), None) for one in wanted)
    return [None if row is None else _person(row) for row in matching]


def _person(row: Row) -> Person:
    first = tuple(lookup for lookup in (row.lookup, row.bsuid_lookup) if lookup and lookup != row.lane)
    return Person(_contact(row), row.address_id, Reach(row.window_until, row.blocked_at), row.lane, first)


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
        known = {"b_sealed": sealed, "b_bsuid_lookup": bsuid}
        _address(("sealed", "bsuid_lookup")).later(connection, {"b_row": person.address_id, **known})
    return person


@cache
def _address(names: tuple[str, ...]) -> Fixed:
    values: dict[str, Any] = {name: sa.bindparam(f"b_{name}") for name in names}
    return Fixed(sa.update(_ADDRESS).where(_ADDRESS.c.id == sa.bindparam("b_row")).values(**values))


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


def wrote(
    connection: Connection, person: Person, message: InboundMessage, received_at: datetime, *, is_held: bool = True
) -> Person:
    """A person did something: the window opens anew, a block is over, what was held goes on. The person as now known.

    `is_held`: whether something may be held.
    """
    values: dict[str, Any] = {"used_at": received_at}
    hours = CAPABILITIES[message.address.channel].window_hours
    reach = person.reach
    if message.kind is not Kind.BLOCKED:
        reach = Reach(reach.window_until if hours is None else received_at + timedelta(hours=hours))
        values |= {"blocked_at": None, "window_until": reach.window_until}
    given = {f"b_{name}": value for name, value in values.items()}
    _address(tuple(values)).later(connection, {"b_row": person.address_id, **given})
    if message.kind is not Kind.BLOCKED and is_held:
        outbox.release(connection, person.address_id, received_at)
    return replace(person, reach=reach)


def save(connection: Connection, contact: Contact, *, seen_at: datetime | None = None) -> None:
    """Keep a contact as it is now; `seen_at`: when the person wrote what this is about."""
    values = {
        "b_id": contact.id,
        "b_language": contact.language,
        "b_group": contact.group.value if contact.group else None,
        "b_consent": contact.consent.value,
        "b_stopped": contact.stopped,
        "b_thread": contact.thread.to_json(),
    }
    if seen_at is None:
        _SAVE.later(connection, values)
    else:
        _SAVE_SEEN.later(connection, values | {"b_seen": seen_at})


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
    log_messages(connection, contact_id, [(text, keys)] if inbound else (), () if inbound else [(text, keys)], now)


Lines = Sequence[tuple[str, tuple[str, ...]]]  # words, and the keys of the content that they come from


def log_messages(connection: Connection, contact_id: int, heard: Lines, said: Lines, now: datetime) -> None:
    """Several lines of the conversation at once: what the person wrote, then what was answered."""
    lines = [(words, True) for words in heard] + [(words, False) for words in said]
    values: dict[str, Any] = {"b_contact_id": contact_id, "b_at": now}
    for place, ((text, keys), inbound) in enumerate(lines):
        values |= {f"b_inbound{place}": inbound, f"b_text{place}": text, f"b_keys{place}": list(keys)}
    if lines:
        _logging(len(lines)).later(connection, values)


@cache
def _logging(lines: int) -> Fixed:
    def given(column: str, place: int | str = "") -> sa.BindParameter[Any]:
        return sa.bindparam(f"b_{column}{place}", type_=_MESSAGE.c[column].type)  # only the first row knows them

    whose = {"contact_id": given("contact_id"), "at": given("at")}
    rows = [whose | {name: given(name, place) for name in ("inbound", "text", "keys")} for place in range(lines)]
    return Fixed(sa.insert(_MESSAGE).values(rows))


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
    counted = {"channel": channel, "language": language, "outcome": outcome, "topic": topic, "n": 1}
    day = now.astimezone(AMSTERDAM).date()
    _counting(connection.dialect.name).later(connection, {"day": day, **counted})


@cache
def _counting(dialect: str) -> Fixed:
    insert: Any = (postgresql if dialect == "postgresql" else sqlite).insert(table_of(OutcomeCountRow))
    keys = ["day", "channel", "language", "outcome", "topic"]
    return Fixed(insert.on_conflict_do_update(index_elements=keys, set_={"n": OutcomeCountRow.n + 1}), [*keys, "n"])
