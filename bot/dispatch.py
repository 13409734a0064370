"""What may be sent now: taken from the outbox as fast as each channel may send, and looked at right before it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.contacts import Consent
from bot.outbox import ANSWERS, INVITATION, INVITATION_HOLDS, is_window_shut
from bot.pace import Pace, budgets, use
from bot.storage import lanes
from bot.storage.base import table_of
from bot.storage.fixed import Fixed, Row, in_list, listed
from bot.storage.models import AddressRow, ContactRow, OutboxRow

_OUT, _ADDRESS, _CONTACT = table_of(OutboxRow), table_of(AddressRow), table_of(ContactRow)
_NOW: sa.BindParameter[datetime] = sa.bindparam("b_now")


def claim(connection: Connection, now: datetime, paces: Mapping[str, Pace], slots: int) -> list[Row]:
    """Rows to send now: at most `slots`, no faster than each channel's pace."""
    if not paces:
        return []
    names = {f"b_channel{place}": channel for place, channel in enumerate(paces)}
    waiting = _waiting(len(paces)).first(connection, {"b_now": now, **names})
    rows: list[Row] = []
    for place, (channel, pace) in enumerate(paces.items()):
        is_due, is_invitation_due = waiting[2 * place : 2 * place + 2]
        if is_due and len(rows) < slots:
            rows += _take(connection, channel, pace, now, slots - len(rows), invitations=bool(is_invitation_due))
    return rows


@cache
def _waiting(channels: int) -> Fixed:
    """Of each channel an id that is due, and one of an invitation that is due.

    In the order of sending, or SQLite goes through all that is due, of every channel: 40 ms while a wave waits.
    """
    columns = []
    for place in range(channels):
        ready = (_OUT.c.state == sa.literal_column("0"), _OUT.c.channel == sa.bindparam(f"b_channel{place}"))
        due = sa.select(_OUT.c.id).where(*ready, _OUT.c.due_at <= _NOW).order_by(_OUT.c.priority, _OUT.c.id).limit(1)
        invited = due.where(_OUT.c.priority >= sa.literal_column(str(INVITATION)))
        columns += [due.scalar_subquery().label(f"due{place}"), invited.scalar_subquery().label(f"invited{place}")]
    return Fixed(sa.select(*columns))


def _take(
    connection: Connection, channel: str, pace: Pace, now: datetime, slots: int, *, invitations: bool
) -> list[Row]:
    """Replies and notices as the channel's pace allows; then invitations, within that and at a pace of their own."""
    theirs, slow = f"{channel}:invitations", pace.of_invitations()
    allowed = budgets(connection, {channel: pace} | ({theirs: slow} if invitations else {}), now)
    many, start = allowed[channel]
    wanted = min(many, slots)
    if wanted < 1:
        return []
    found = lanes.claim(connection, OutboxRow, now, wanted, channel, priorities=(0, INVITATION - 1))
    many, since = allowed.get(theirs, (0, start))
    if (most := min(many, wanted - len(found))) > 0:
        invited = lanes.claim(connection, OutboxRow, now, most, channel, priorities=(INVITATION, lanes.ALL[1]))
        use(connection, theirs, since, len(invited) / slow.per_second)
        found += invited
    use(connection, channel, start, len(found) / pace.per_second)
    return found


def look(connection: Connection, rows: Sequence[Row], now: datetime) -> dict[int, str | None]:
    """Look once more right before sending: the sealed address of each row that may go now, by the row's id.

    None: not now, the window shut or the person blocked us. Empty: the address is gone.
    """
    wanted = sorted({row.address_id for row in rows if row.address_id is not None})
    found = _fit(len(wanted)).rows(connection, in_list(wanted)) if wanted else []
    by_id = {address.id: address for address in found}
    return {row.id: _sealed(connection, row, by_id.get(row.address_id), now) for row in rows}


@cache
def _fit(addresses: int) -> Fixed:
    """What says whether a message may go, of so many addresses."""
    of_person = (_CONTACT.c.stopped, _CONTACT.c.consent)
    query = sa.select(_ADDRESS.c.id, _ADDRESS.c.sealed, _ADDRESS.c.window_until, _ADDRESS.c.blocked_at, *of_person)
    joined = query.join(_CONTACT, _CONTACT.c.id == _ADDRESS.c.contact_id)
    return Fixed(joined.where(_ADDRESS.c.id.in_(listed(addresses))))


def _sealed(connection: Connection, row: Row, address: Row | None, now: datetime) -> str | None:
    if row.address_id is None:
        return row.sealed or ""
    if row.priority >= INVITATION and row.created_at < now - INVITATION_HOLDS:
        return None
    if address is None or address.blocked_at is not None:
        return None
    if row.kind is not None and (address.stopped or address.consent != Consent.GIVEN):
        return None
    is_shut = is_window_shut(row.channel, address.window_until, now)
    goes = not is_shut or row.kind == "invitation"  # a template may go at any time
    if row.kind == "template":
        goes = is_shut and _answer_waits(connection, row.address_id)
    return row.sealed or str(address.sealed) if goes else None


def _answer_waits(connection: Connection, address_id: int) -> bool:
    """Whether an answer is held up: it may have been taken back since the template was made."""
    where = (OutboxRow.address_id == address_id, OutboxRow.state == sa.literal_column("5"))
    keys = sa.or_(*(OutboxRow.key.like(f"{key}%") for key in ANSWERS))
    return connection.execute(sa.select(OutboxRow.id).where(*where, keys).limit(1)).first() is not None
