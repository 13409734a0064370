"""The audit log: who looked at whom, and who did what. Written in the transaction of the deed itself.

It holds numbers and codes, never words: whoever reads it learns nothing of a newcomer beyond a number. Nothing
changes a row; the database refuses it (migration 0004), and deletion before the retention time too.
"""

from __future__ import annotations

import re
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.roles import Principal
from bot.storage.account_models import AuditRow

# A code such as "ticket.view". Details are codes too: without a space nobody writes a sentence into them.
_ACTION = re.compile(r"[a-z]+(?:[._][a-z]+){0,4}")
_DETAIL = re.compile(r"[A-Za-z0-9_.,:=+-]{0,120}")


def record(
    connection: Connection,
    who: Principal,
    action: str,
    now: datetime,
    *,
    ticket_id: int | None = None,
    contact_id: int | None = None,
    party_id: int | None = None,
    detail: str = "",
) -> None:
    """Add a line. `action`: a code such as `ticket.answer`; `detail`: codes without spaces, such as `reason=solved`.

    Raises ValueError for an action or a detail that could hold words of people.
    """
    if not _ACTION.fullmatch(action) or len(action) > 40:
        raise ValueError("an action of the audit log is a code such as ticket.answer")
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
