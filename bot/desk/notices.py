"""What somebody hears of our own accord that can wait until the morning: another klantregisseur, a step that is near.

Each is a timer. When it fires, the message is made of what is true then, if one of our own accord may go
(`bot/pushes.py`); else it is tried again when one may.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import pushes, timers
from bot.actions import Part, Say
from bot.desk.telling import Teller, tell
from bot.locales import AMSTERDAM
from bot.messages import Push
from bot.policy.linking import PHASES, phase_parts
from bot.pushes import PushRules
from bot.storage.models import ActorRow, PartyRow, TimerRow

PHASE, KLANTREGISSEUR = "phase", "klantregisseur"  # kinds of timers


def is_to_tell(phase: str, told: Sequence[str]) -> bool:
    """Whether a step is one to tell about, and wasn't told."""
    return phase in PHASES and phase not in told


def plan(connection: Connection, kind: str, contact_id: int, teller: Teller) -> None:
    """There is something to tell. What waits of the same kind is left out: only the last is true."""
    forget(connection, kind, contact_id)
    _set_timer(connection, kind, contact_id, teller, teller.now.isoformat())


def forget(connection: Connection, kind: str, contact_id: int) -> None:
    """What was to be told was told in another way."""
    waits = (TimerRow.contact_id == contact_id, TimerRow.kind == kind, TimerRow.state == sa.literal_column("0"))
    connection.execute(sa.delete(TimerRow).where(*waits))


def _set_timer(connection: Connection, kind: str, contact_id: int, teller: Teller, mark: str) -> None:
    timers.set_timer(connection, contact_id, kind, {}, key=f"{kind}:{contact_id}:{mark}", due_at=teller.now)


def tell_now(connection: Connection, kind: str, contact_id: int, teller: Teller, rules: PushRules) -> bool:
    """A timer fired. False where there is nothing to tell, or not now: then it is tried again.

    Who said "stop", didn't agree or can't be reached isn't told.
    """
    query = sa.select(PartyRow.__table__).where(PartyRow.contact_id == contact_id)
    party = connection.execute(query.with_for_update()).one_or_none()
    parts = _PARTS[kind](connection, party, teller) if party is not None else ()
    if party is None or not parts:
        return False
    permission = pushes.book(connection, contact_id, Push.NOTICE, teller.now, rules)
    if not permission.now:
        if permission.at is not None:
            key = f"{kind}:{contact_id}:{permission.at.isoformat()}"
            timers.set_timer(connection, contact_id, kind, {}, key=key, due_at=permission.at)
        return False
    if kind == PHASE:
        told = sa.update(PartyRow).where(PartyRow.id == party.id)
        connection.execute(told.values(told=sorted({*party.told, party.phase})))
    return tell(connection, contact_id, parts, f"{kind}:{contact_id}:{teller.now.isoformat()}", teller)


def _phase(_: Connection, party: sa.Row[Any], teller: Teller) -> tuple[Part, ...]:
    """A curated answer; nothing where it is past its date."""
    today = teller.now.astimezone(AMSTERDAM).date()
    if not is_to_tell(party.phase, party.told) or teller.content.is_withheld(PHASES[party.phase], today):
        return ()
    return phase_parts(party.phase)


def _klantregisseur(connection: Connection, party: sa.Row[Any], _: Teller) -> tuple[Part, ...]:
    return klantregisseur_parts(connection, party.actor_id)


def klantregisseur_parts(connection: Connection, actor_id: int | None) -> tuple[Part, ...]:
    """Who it is now, or that there is none."""
    query = sa.select(ActorRow.name).where(ActorRow.id == actor_id, ActorRow.active)
    name = connection.execute(query).scalar_one_or_none()
    return (Say("klantregisseur.new", {"name": name}) if name else Say("klantregisseur.none"),)


_PARTS: dict[str, Callable[[Connection, sa.Row[Any], Teller], tuple[Part, ...]]] = {
    PHASE: _phase,
    KLANTREGISSEUR: _klantregisseur,
}
