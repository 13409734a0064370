"""What stands around a message that just came in, looked at in one go. Only what is there is read in full.

For most people that is little: nothing is held up for them, and no question of theirs is open.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import opening, outbox
from bot.storage.base import table_of
from bot.storage.fixed import Fixed
from bot.storage.models import PartyRow, TicketRow, TicketState

_PARTY, _TICKET = table_of(PartyRow), table_of(TicketRow)
_CONTACT: sa.BindParameter[int] = sa.bindparam("b_contact")
_AROUND = Fixed(
    sa.select(
        sa.exists().where(outbox.IS_HELD).label("held"),
        sa.exists().where(_PARTY.c.contact_id == _CONTACT).label("linked"),
        sa.exists().where(_TICKET.c.contact_id == _CONTACT, _TICKET.c.state != TicketState.CLOSED).label("tickets"),
        opening.KEPT.label("closed_until"),
    )
)


@dataclass(frozen=True)
class Around:
    """Whether messages wait for the person to write, a file of the caseload is theirs, and tickets are not closed.

    `closed_until`: as `bot/opening.py` keeps it.
    """

    held: bool
    linked: bool
    tickets: bool
    closed_until: str | None


def look(connection: Connection, contact_id: int, address_id: int) -> Around:
    """Look. After the contact is locked, or what another transaction just changed would not be seen."""
    row = _AROUND.first(connection, {"b_contact": contact_id, "b_address": address_id})
    return Around(bool(row.held), bool(row.linked), bool(row.tickets), row.closed_until)
