"""A question that is open gets another klantregisseur or another moment, and the newcomer hears it, once.

Whoever was promised an answer keeps a promise: there is never a ticket without an owner and a moment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import escalation
from bot.actions import Say
from bot.contacts import Route
from bot.desk import claims, drafts, notices
from bot.desk.calendar import Calendar
from bot.desk.routing import calendar_of, own_route, route_to
from bot.desk.settling import WAITING, Deed, Outcome, Result, held_by_other, lock, refuse
from bot.desk.telling import Teller, tell
from bot.locales import clean
from bot.storage.models import ActorRow, ContactRow, LaneState, OutboxRow, PartyRow, TicketRow, TicketState
from bot.working_days import promise

_CHUNK = 500


def lock_contacts(connection: Connection, contact_ids: Sequence[int]) -> None:
    """Hold people until the end of the transaction. In the order of their ids, or two imports would block each other.

    People before klantregisseurs, as a conversation does it.
    """
    ids = sorted(set(contact_ids))
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        query = sa.select(ContactRow.id).where(ContactRow.id.in_(chunk)).order_by(ContactRow.id)
        connection.execute(query.with_for_update())


def waiting_for(connection: Connection, actor_ids: Sequence[int]) -> list[int]:
    """The people with a question that waits at one of these klantregisseurs."""
    where = (TicketRow.actor_id.in_(actor_ids), TicketRow.state.in_(WAITING))
    return list(connection.execute(sa.select(TicketRow.contact_id).where(*where).distinct()).scalars())


def guided_by(connection: Connection, actor_ids: Sequence[int]) -> list[int]:
    """The linked people whose klantregisseur is one of these."""
    query = sa.select(ContactRow.id).join(PartyRow, PartyRow.contact_id == ContactRow.id)
    return list(connection.execute(query.where(PartyRow.actor_id.in_(actor_ids))).scalars())


def came_or_left(connection: Connection, actor_ids: Sequence[int], teller: Teller) -> None:
    """A klantregisseur works here no more, or again: whom they guide hears it."""
    for contact_id in guided_by(connection, actor_ids):
        notices.plan(connection, notices.KLANTREGISSEUR, contact_id, teller)


@dataclass(frozen=True)
class Succession:
    """A linked person gets another klantregisseur, or none."""

    party_id: int
    contact_id: int
    before: int | None
    after: int | None


def new_klantregisseur(connection: Connection, change: Succession, teller: Teller) -> tuple[int, bool]:
    """A linked person got another klantregisseur. Returns how many tickets moved and whether the person was told.

    What waits at the back-up desk stays there; what waits at the one before moves along. A message about an earlier
    change that hasn't gone yet is taken back: only the last one is true. A new moment is told at once; without one the
    news can wait until the morning.
    """
    moments = _move_tickets(connection, change, teller)
    key = f"klantregisseur:{change.contact_id}:"
    waits = (OutboxRow.key.like(f"{key}%"), OutboxRow.state.in_([LaneState.READY, LaneState.HELD]))
    connection.execute(sa.delete(OutboxRow).where(*waits))
    if not moments:
        notices.plan(connection, notices.KLANTREGISSEUR, change.contact_id, teller)
        return 0, True
    notices.forget(connection, notices.KLANTREGISSEUR, change.contact_id)
    parts = (*notices.klantregisseur_parts(connection, change.after), Say("ticket.moved", {"moment": max(moments)}))
    return len(moments), tell(connection, change.contact_id, parts, f"{key}{teller.now.isoformat()}", teller)


def _move_tickets(connection: Connection, change: Succession, teller: Teller) -> list[datetime]:
    if change.before is None:
        return []
    mine = (TicketRow.contact_id == change.contact_id, TicketRow.actor_id == change.before)
    asked = sa.update(TicketRow).where(*mine, TicketRow.state == TicketState.ASKED)  # no promise runs: only the owner
    successor = connection.execute(sa.select(ActorRow).where(ActorRow.id == change.after)).one_or_none()
    name = successor.name if successor else escalation.BACK_UP_DESK
    connection.execute(asked.values(actor_id=successor.id if successor else None, owner=name))
    query = sa.select(TicketRow.id).where(*mine, TicketRow.state == TicketState.OPEN)
    tickets = list(connection.execute(query.order_by(TicketRow.promise_at, TicketRow.id)).scalars())
    return [_assign(connection, ticket_id, change.contact_id, teller) for ticket_id in tickets]


def _assign(connection: Connection, ticket_id: int, contact_id: int, teller: Teller) -> datetime:
    route = own_route(connection, contact_id, teller.now) or Route(promise(teller.now, teller.hours))
    escalation.assign(connection, ticket_id, route)
    return route.promise_at


def hand_over(connection: Connection, deed: Deed, actor_id: int | None, note: str, teller: Teller) -> Result:
    """Somebody hands a ticket to a colleague, or to the back-up desk (None), with a note for them.

    The newcomer hears the new moment if it changes. While they were asked something back, no moment is promised yet.
    """
    row = lock(connection, deed.ticket_id, deed.who)
    words = clean(note).strip()
    if row is None or row.state not in WAITING:
        return refuse(connection, row, "note", words, deed.author)
    busy = held_by_other(connection, deed)
    if busy is not None:
        return busy
    route = Route(promise(teller.now, teller.hours)) if actor_id is None else route_to(connection, actor_id, teller.now)
    if route is None or row.actor_id == actor_id:
        return Result(Outcome.NOBODY)
    entry_id = escalation.add_entry(connection, row.id, "note", deed.author, words, deed.now)
    if row.state == TicketState.ASKED:
        owner = {"actor_id": actor_id, "owner": route.name or escalation.BACK_UP_DESK}
        connection.execute(sa.update(TicketRow).where(TicketRow.id == row.id).values(**owner))
    else:
        escalation.assign(connection, row.id, route)
        if route.promise_at != row.promise_at and not row.urgent:
            said = Say("ticket.handed_over", {"moment": route.promise_at})
            tell(connection, row.contact_id, (said,), f"handed:{row.id}:{entry_id}", teller)
    claims.release(connection, row.id)
    drafts.drop(connection, row.id, deed.who)
    deed.record(connection, "ticket.hand_over", f"to={actor_id or 'desk'}")
    return Result(Outcome.HANDED_OVER)


def broken_promises(connection: Connection, actor_id: int, calendar: Calendar | None, now: datetime) -> list[Any]:
    """Open questions of a klantregisseur whose moment isn't in a week; in no week at all when there is none."""
    tickets = connection.execute(
        sa.select(TicketRow.id, TicketRow.contact_id, TicketRow.promise_at)
        .where(TicketRow.actor_id == actor_id, TicketRow.state == TicketState.OPEN, TicketRow.promise_at > now)
        .order_by(TicketRow.promise_at, TicketRow.id)
    ).all()
    return [ticket for ticket in tickets if calendar is None or not calendar.has_end(ticket.promise_at)]


def mend_promises(connection: Connection, actor_id: int, teller: Teller) -> tuple[int, int]:
    """The week of a klantregisseur changed: promises that can't be kept are made anew. Tickets moved, people told."""
    active = connection.execute(sa.select(ActorRow.active).where(ActorRow.id == actor_id)).scalar_one()
    broken = broken_promises(connection, actor_id, calendar_of(connection, actor_id) if active else None, teller.now)
    moments: dict[int, list[datetime]] = defaultdict(list)
    for ticket in broken:
        moments[ticket.contact_id].append(_assign(connection, ticket.id, ticket.contact_id, teller))
    news = () if active else notices.klantregisseur_parts(connection, actor_id)
    told = 0
    for contact_id, theirs in moments.items():
        if news:
            notices.forget(connection, notices.KLANTREGISSEUR, contact_id)
        key = f"moved:{contact_id}:{teller.now.isoformat()}"
        told += tell(connection, contact_id, (*news, Say("ticket.moved", {"moment": max(theirs)})), key, teller)
    return len(broken), told
