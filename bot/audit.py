"""The audit log: who looked at whom, and who did what. Written in the transaction of the deed itself.

It holds numbers and codes, never words: whoever reads it learns nothing of a newcomer beyond a number. Nothing
changes a row; the database refuses it (migration 0004), and deletion before the retention time too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from typing import Any, Literal, get_args

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.locales import AMSTERDAM
from bot.roles import Principal
from bot.storage.account_models import AuditRow

# Everything that can stand in the log. The type checker sees that a deed is one of these; each has words for the page
# (templates/accounts/deeds.html), and the code goes into the export.
Action = Literal[
    "account.add",
    "account.change",
    "account.off",
    "account.on",
    "account.password",
    "account.password_reset",
    "account.second_factor",
    "account.second_factor_reset",
    "account.sessions_ended",
    "audit.export",
    "batch.view",
    "caseload.klantregisseurs",
    "caseload.letter",
    "caseload.people",
    "caseload.week",
    "gap.send_again",
    "gaps.list",
    "login",
    "login.code_failed",
    "login.failed",
    "login.refused",
    "logout",
    "overview.view",
    "proposal.export",
    "proposal.save",
    "retention.view",
    "survey.answers",
    "survey.draft",
    "survey.live",
    "survey.stop",
    "survey.test",
    "survey.words",
    "ticket.answer",
    "ticket.ask",
    "ticket.close",
    "ticket.hand_over",
    "ticket.prepare",
    "ticket.send_again",
    "ticket.take",
    "ticket.take_back",
    "ticket.take_over",
    "ticket.view",
]
ACTIONS: frozenset[Action] = frozenset(get_args(Action))
# Without a space nobody writes a sentence into a detail.
_DETAIL = re.compile(r"[A-Za-z0-9_.,:=+-]{0,120}")


def record(
    connection: Connection,
    who: Principal,
    action: Action,
    now: datetime,
    *,
    ticket_id: int | None = None,
    contact_id: int | None = None,
    party_id: int | None = None,
    detail: str = "",
) -> None:
    """Add a line. `detail`: codes without spaces, such as `reason=solved`.

    Raises ValueError for an action that isn't listed, or a detail that could hold words of people.
    """
    if action not in ACTIONS:
        raise ValueError("an action of the audit log is a code such as ticket.answer, listed in bot/audit.py")
    if not _DETAIL.fullmatch(detail):
        raise ValueError("a detail of the audit log is a code without spaces, at most 120 characters")
    values = {
        "at": now,
        "account_id": who.account_id,
        "who": who.name[:64],
        "action": action,
        "ticket_id": ticket_id,
        "contact_id": contact_id,
        "party_id": party_id,
        "detail": detail,
    }
    connection.execute(sa.insert(AuditRow).values(**values))


@dataclass(frozen=True)
class Wanted:
    """Which lines to show; None is all. `before`: only lines with a lower number, for the next page."""

    account_id: int | None = None
    action: str | None = None
    day: date | None = None
    contact_id: int | None = None
    ticket_id: int | None = None
    before: int | None = None


def lines(connection: Connection, wanted: Wanted, limit: int) -> list[sa.Row[Any]]:
    """Lines of the log as rows of its table, the newest first. A day is one of Nijmegen."""
    query = sa.select(AuditRow.__table__)
    equal = {"account_id": wanted.account_id, "action": wanted.action}
    equal |= {"contact_id": wanted.contact_id, "ticket_id": wanted.ticket_id}
    for name, value in equal.items():
        if value is not None:
            query = query.where(getattr(AuditRow, name) == value)
    if wanted.day is not None:
        starts = datetime.combine(wanted.day, clock_time(), AMSTERDAM)
        ends = datetime.combine(wanted.day + timedelta(days=1), clock_time(), AMSTERDAM)
        query = query.where(AuditRow.at >= starts, AuditRow.at < ends)
    if wanted.before is not None:
        query = query.where(AuditRow.id < wanted.before)
    return list(connection.execute(query.order_by(AuditRow.id.desc()).limit(limit)))


def actions(connection: Connection) -> list[str]:
    """Every kind of deed in the log."""
    return list(connection.execute(sa.select(AuditRow.action).distinct().order_by(AuditRow.action)).scalars())
