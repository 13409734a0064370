"""Who takes a question: the own klantregisseur, at a moment of their week, or nobody but the back-up desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.contacts import Route
from bot.desk.calendar import Absence, Calendar, Slot
from bot.storage.fixed import Fixed
from bot.storage.models import AbsenceRow, ActorRow, PartyRow, SlotRow, TicketRow, TicketState

_OWN = Fixed(
    sa.select(ActorRow.id, ActorRow.name)
    .join(PartyRow, PartyRow.actor_id == ActorRow.id)
    .where(PartyRow.contact_id == sa.bindparam("b_contact"), ActorRow.active)
    .with_for_update(of=ActorRow, key_share=True)
)


def own_route(connection: Connection, contact_id: int, now: datetime) -> Route | None:
    """The own klantregisseur with the moment that can be promised now.

    None for who isn't linked, has no klantregisseur, or has one who left or has no time in sight. The klantregisseur is
    locked until the end of the transaction, so that two people are never promised the last place of a slot.
    """
    actor = _OWN.first(connection, {"b_contact": contact_id})
    return _route(connection, actor, now) if actor is not None else None


def route_to(connection: Connection, actor_id: int, now: datetime) -> Route | None:
    """A klantregisseur with the moment that can be promised now; None for one who left or has no time in sight."""
    actor = connection.execute(
        sa.select(ActorRow.id, ActorRow.name)
        .where(ActorRow.id == actor_id, ActorRow.active)
        .with_for_update(of=ActorRow, key_share=True)
    ).one_or_none()
    return _route(connection, actor, now) if actor is not None else None


def _route(connection: Connection, actor: Any, now: datetime) -> Route | None:
    moment = calendar_of(connection, actor.id).next_promise(now, promised(connection, actor.id, now))
    return Route(moment, actor.id, actor.name) if moment is not None else None


@dataclass(frozen=True)
class Colleague:
    """Somebody whom a question can be handed to."""

    id: int
    name: str


def colleagues(connection: Connection) -> list[Colleague]:
    """The klantregisseurs who are there, by name."""
    rows = connection.execute(sa.select(ActorRow.id, ActorRow.name).where(ActorRow.active).order_by(ActorRow.name))
    return [Colleague(row.id, row.name) for row in rows]


def calendar_of(connection: Connection, actor_id: int) -> Calendar:
    """The week of a klantregisseur as it stands in the database."""
    slots = connection.execute(sa.select(SlotRow).where(SlotRow.actor_id == actor_id))
    absences = connection.execute(sa.select(AbsenceRow).where(AbsenceRow.actor_id == actor_id))
    return Calendar(
        tuple(Slot(row.weekday, row.starts, row.ends, row.max_answers) for row in slots),
        tuple(Absence(row.first_day, row.last_day) for row in absences),
    )


def promised(connection: Connection, actor_id: int, now: datetime) -> dict[datetime, int]:
    """How many answers a klantregisseur promised, by moment; those given already count: they took their time."""
    taken = sa.or_(TicketRow.state == TicketState.OPEN, TicketRow.answered_at.is_not(None))
    rows = connection.execute(
        sa.select(TicketRow.promise_at, sa.func.count())
        .where(TicketRow.actor_id == actor_id, TicketRow.promise_at >= now, taken)
        .group_by(TicketRow.promise_at)
    )
    return {moment: count for moment, count in rows}  # noqa: C416  # dict() of rows is no dict of tuples to mypy
