"""Somebody is answering a ticket: others see it and keep off, for a while or until they take it over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.desk.access import person_key, shown_name, visible
from bot.roles import Principal
from bot.storage.desk_models import ClaimRow
from bot.storage.models import TicketRow, TicketState

CLAIM = timedelta(minutes=15)  # long enough to think and to call; saving a draft makes it last longer


@dataclass(frozen=True)
class Claim:
    """Who is at a ticket, and until when nobody else is asked to answer it."""

    ticket_id: int
    person: str
    name: str
    until: datetime


def current(connection: Connection, ticket_id: int, now: datetime) -> Claim | None:
    """Who is at a ticket now; None when nobody is, or not any more."""
    return _claims(connection, [ticket_id], now).get(ticket_id)


def _claims(connection: Connection, ticket_ids: list[int], now: datetime) -> dict[int, Claim]:
    rows = connection.execute(sa.select(ClaimRow).where(ClaimRow.ticket_id.in_(ticket_ids), ClaimRow.until > now))
    return {row.ticket_id: Claim(row.ticket_id, row.person, row.name, row.until) for row in rows}


def by_others(connection: Connection, ticket_ids: list[int], who: Principal, now: datetime) -> dict[int, Claim]:
    """Who else is at some tickets, by the ticket's id."""
    found = _claims(connection, ticket_ids, now) if ticket_ids else {}
    return {ticket_id: claim for ticket_id, claim in found.items() if claim.person != person_key(who)}


def take(connection: Connection, ticket_id: int, who: Principal, now: datetime, *, over: bool = False) -> Claim | None:
    """Take a waiting ticket, or take it for longer. `over`: also from somebody else.

    Returns who has it now, which may be somebody else; None for a ticket that doesn't wait or isn't theirs to see.
    """
    waits = TicketRow.state.in_([TicketState.OPEN, TicketState.ASKED])
    query = sa.select(TicketRow.id).where(TicketRow.id == ticket_id, waits, visible(who))
    if connection.execute(query.with_for_update()).one_or_none() is None:  # the ticket's lock makes two takers wait
        return None
    there = current(connection, ticket_id, now)
    if there is not None and there.person != person_key(who) and not over:
        return there
    release(connection, ticket_id)
    claim = Claim(ticket_id, person_key(who), shown_name(who), now + CLAIM)
    values = {"ticket_id": ticket_id, "person": claim.person, "name": claim.name, "until": claim.until}
    connection.execute(sa.insert(ClaimRow).values(values))
    return claim


def release(connection: Connection, ticket_id: int) -> None:
    """Nobody is at it any more."""
    connection.execute(sa.delete(ClaimRow).where(ClaimRow.ticket_id == ticket_id))


def put_back(connection: Connection, ticket_id: int, who: Principal) -> None:
    """Somebody leaves a ticket to others."""
    mine = (ClaimRow.ticket_id == ticket_id, ClaimRow.person == person_key(who))
    connection.execute(sa.delete(ClaimRow).where(*mine))
