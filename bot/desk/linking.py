"""A code from a letter links an account to a person of the caseload, once. Codes are made here too.

Only a keyed hash of a code is kept, and whoever guesses is stopped: tries are rows, so they count over restarts and
machines.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import link_codes, merging
from bot.desk import notices
from bot.desk.routing import calendar_of
from bot.identifiers import Vault
from bot.link_codes import UNREADABLE, LinkFacts, LinkState, new_code
from bot.messages import InboundMessage, Kind
from bot.storage.linking_models import LinkCodeRow, LinkTryRow
from bot.storage.models import ActorRow, ContactRow, PartyRow

CODE = "code"  # the "channel" under which codes are hashed
TRIES_OF_ONE, TIME_OF_ONE = 5, timedelta(days=1)
# Ten thousand letters that are out and 200 guesses an hour for a month: a chance of 1 in 10,000,000 of one hit.
TRIES_OF_ALL, TIME_OF_ALL = 200, timedelta(hours=1)


def take_code(message: InboundMessage, vault: Vault) -> InboundMessage:
    """A message with its code replaced by a hash (`extra["code"]`), so that nothing behind this keeps or logs it."""
    if message.kind is Kind.START:
        found = link_codes.find(str(message.extra.get("payload", "")))
    else:
        found = link_codes.find(message.text) if message.kind is Kind.TEXT else None
    extra = {name: value for name, value in message.extra.items() if name not in ("payload", "code", "asks")}
    if found is None:
        return replace(message, extra=extra)
    extra |= {"code": found.code if found.code == UNREADABLE else vault.lookup(CODE, found.code), "asks": found.asks}
    return replace(message, text="" if message.kind is Kind.START else found.rest, extra=extra)


def look(connection: Connection, code: str, contact_id: int, now: datetime) -> LinkFacts:
    """What a hashed code is worth. The code and its person are held until the end of the transaction."""
    if code == UNREADABLE:
        return LinkFacts(LinkState.WRONG)
    if _tried_enough(connection, contact_id, now):
        return LinkFacts(LinkState.ENOUGH)
    row = _held(connection, code)
    if row is None:
        return LinkFacts(LinkState.WRONG, counts=True)
    state = _state(connection, row, contact_id, now)
    return _facts(connection, row) if state is LinkState.VALID else LinkFacts(state, counts=state is LinkState.USED)


def _state(connection: Connection, row: sa.Row[Any], contact_id: int, now: datetime) -> LinkState:
    if row.contact_id == contact_id:
        return LinkState.MINE
    if row.used_at is not None:
        return LinkState.USED
    if row.expires_at <= now:
        return LinkState.EXPIRED
    mine = sa.select(PartyRow.id).where(PartyRow.contact_id == contact_id)
    return LinkState.OTHER if connection.execute(mine).first() else LinkState.VALID


def _held(connection: Connection, code: str) -> sa.Row[Any] | None:
    """The code with its person. The other chat of the person is held first: an import holds them in that order too."""
    chat = sa.select(PartyRow.contact_id).join(LinkCodeRow, LinkCodeRow.party_id == PartyRow.id)
    contact_id = connection.execute(chat.where(LinkCodeRow.hash == code)).scalar_one_or_none()
    if contact_id is not None:
        connection.execute(sa.select(ContactRow.id).where(ContactRow.id == contact_id).with_for_update())
    query = (
        sa.select(
            LinkCodeRow.party_id,
            LinkCodeRow.used_at,
            LinkCodeRow.expires_at,
            PartyRow.contact_id,
            PartyRow.actor_id,
            PartyRow.phase,
            PartyRow.told,
            PartyRow.welcomed_at,
        )
        .join(PartyRow, PartyRow.id == LinkCodeRow.party_id)
        .where(LinkCodeRow.hash == code)
    )
    return connection.execute(query.with_for_update()).one_or_none()


def _facts(connection: Connection, row: sa.Row[Any]) -> LinkFacts:
    query = sa.select(ActorRow.name).where(ActorRow.id == row.actor_id, ActorRow.active)
    name = connection.execute(query).scalar_one_or_none() or ""
    slots = sorted(calendar_of(connection, row.actor_id).slots) if name else []
    return LinkFacts(
        LinkState.VALID,
        joins=row.contact_id is not None,
        welcomed=row.welcomed_at is not None,
        name=name,
        week=tuple((slot.weekday, slot.starts, slot.ends) for slot in slots),
        phase=row.phase if notices.is_to_tell(row.phase, row.told) else "",
    )


def _tried_enough(connection: Connection, contact_id: int, now: datetime) -> bool:
    def count(*where: Any) -> int:
        return connection.execute(sa.select(sa.func.count(LinkTryRow.id)).where(*where)).scalar_one()

    mine = count(LinkTryRow.contact_id == contact_id, LinkTryRow.at > now - TIME_OF_ONE)
    return mine >= TRIES_OF_ONE or count(LinkTryRow.at > now - TIME_OF_ALL) >= TRIES_OF_ALL


def count_try(connection: Connection, contact_id: int, now: datetime) -> int:
    """One more wrong code. Returns how many there were of everybody lately."""
    connection.execute(sa.insert(LinkTryRow).values(contact_id=contact_id, at=now))
    query = sa.select(sa.func.count(LinkTryRow.id)).where(LinkTryRow.at > now - TIME_OF_ALL)
    return connection.execute(query).scalar_one()


def link(connection: Connection, code: str, contact_id: int, now: datetime) -> bool:
    """Use a valid code for a contact: `look` held it. True when the contact became one with the person's other chat.

    Then the contact is gone, and its address belongs to the other. Raises LanesBusyError: try again.
    """
    party = connection.execute(
        sa.update(LinkCodeRow).where(LinkCodeRow.hash == code).values(used_at=now).returning(LinkCodeRow.party_id)
    ).scalar_one()
    where = PartyRow.id == party
    row = connection.execute(sa.select(PartyRow.contact_id, PartyRow.phase, PartyRow.told).where(where)).one()
    told = sorted({*row.told, row.phase}) if notices.is_to_tell(row.phase, row.told) else row.told
    known = {"welcomed_at": sa.func.coalesce(PartyRow.welcomed_at, now), "told": told}
    joins = row.contact_id is not None and row.contact_id != contact_id
    if joins:
        merging.join(connection, gone=contact_id, stays=row.contact_id)
    connection.execute(sa.update(PartyRow).where(where).values(contact_id=row.contact_id or contact_id, **known))
    group = sa.select(PartyRow.group).where(where).scalar_subquery()
    linked = ContactRow.id == (row.contact_id or contact_id)
    connection.execute(sa.update(ContactRow).where(linked).values(group=group))
    return joins


def make_codes(
    connection: Connection, party_ids: list[int], vault: Vault, now: datetime, days: int
) -> dict[int, tuple[str, datetime]]:
    """A new code for each person, with the moment at which it ends. Codes of before stop working."""
    old = (LinkCodeRow.party_id.in_(party_ids), LinkCodeRow.used_at.is_(None), LinkCodeRow.expires_at > now)
    connection.execute(sa.update(LinkCodeRow).where(*old).values(expires_at=now))
    made = {party_id: (new_code(), now + timedelta(days=days)) for party_id in party_ids}
    for party_id, (code, ends) in made.items():
        values = {"hash": vault.lookup(CODE, code), "party_id": party_id, "expires_at": ends, "created_at": now}
        connection.execute(sa.insert(LinkCodeRow).values(**values))
    return made
