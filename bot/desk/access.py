"""Who sees which ticket. One rule, `Principal.sees_tickets_of`, as a condition of every query."""

from __future__ import annotations

import sqlalchemy as sa

from bot.escalation import BACK_UP_DESK
from bot.roles import Principal, Role
from bot.storage.models import TicketRow


def visible(who: Principal) -> sa.ColumnElement[bool]:
    """The tickets that somebody may see: the own caseload, the back-up desk's, or all; as `bot/roles.py` says."""
    if who.has(Role.COORDINATOR):
        return sa.true()
    mine: list[sa.ColumnElement[bool]] = []
    if who.has(Role.DESK):
        mine.append(TicketRow.actor_id.is_(None))
    if who.has(Role.KLANTREGISSEUR) and who.actor_id is not None:
        mine.append(TicketRow.actor_id == who.actor_id)
    return sa.or_(*mine) if mine else sa.false()


def person_key(who: Principal) -> str:
    """What tells people at the desk apart: the account, or where there are none the name given at the login."""
    return f"account:{who.account_id}" if who.account_id is not None else f"name:{who.name}"


def shown_name(who: Principal) -> str:
    """Who answers, for colleagues."""
    return who.name[:64] or BACK_UP_DESK
