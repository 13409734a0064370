"""What waits to be sent: paced per channel and per chat, in order per person, and what became of it.

A send whose answer was lost is never repeated by itself: it becomes UNKNOWN, is shown to people, and a delivery
receipt settles it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot.errors import Failure, SendError
from bot.locales import AMSTERDAM
from bot.messages import CAPABILITIES, OutboundMessage, Receipt
from bot.pace import Pace
from bot.storage import lanes
from bot.storage.base import table_of
from bot.storage.fixed import Fixed, Row
from bot.storage.follow_up_models import SpendRow
from bot.storage.models import AddressRow, ContactRow, EarlyReceiptRow, LaneState, OutboxRow
from bot.storage.survey_models import SurveyInvitationRow, SurveyWaveRow

# Delivery never steps back: a receipt with a lower rank than what is known changes nothing.
RANK = {"accepted": 0, "sent": 1, "delivered": 2, "read": 3, "failed": 4}
SEND_TRIES = 150  # with waits of five minutes about twelve hours: an outage of the platform loses nothing
ANSWERS = ("answer:", "gap:", "ask:")  # keys of what a newcomer waits for: answers, and questions back
INVITATION = 2  # the priority of what nobody asked for and that can wait
INVITATION_TRIES = 6  # about a minute: an invitation that comes hours later may come at night
INVITATION_HOLDS = timedelta(hours=1)  # after so long it is not sent any more, whatever held it up
WINDOW_CODES = {"63016"}  # told by receipt: the window was shut after all
BLOCK_CODES = {"63014", "21610"}
WINDOW_MARGIN = timedelta(minutes=5)  # the platform's clock rules, so ours closes a little earlier


@dataclass(frozen=True)
class Reach:
    """Whether somebody can be written to: until when the window is open, and since when they block us."""

    window_until: datetime | None = None
    blocked_at: datetime | None = None


@dataclass(frozen=True)
class Recipient:
    """Whom a message goes to. Without ids and with `sealed`: the last words to somebody who was erased.

    `reach`: where this transaction knows it already.
    """

    lane: str
    channel: str
    contact_id: int | None = None
    address_id: int | None = None
    sealed: str | None = None
    reach: Reach | None = None


def put(
    connection: Connection,
    recipient: Recipient,
    message: OutboundMessage,
    *,
    key: str,
    now: datetime,
    priority: int = 0,
    callback: str | None = None,
    kind: str | None = None,
) -> None:
    """Add a message. The same key twice is one message. What a shut window or a block holds up waits as HELD.

    `kind`: a template or a nudge. They never wait: what can't go when its turn comes is taken away.
    """
    held = kind is None and recipient.address_id is not None and is_held(connection, recipient, now)
    values = {
        "key": key,
        "lane": recipient.lane,
        "channel": recipient.channel,
        "contact_id": recipient.contact_id,
        "address_id": recipient.address_id,
        "sealed": recipient.sealed,
        "priority": priority,
        "payload": message.to_json(),
        "callback": callback,
        "kind": kind,
        "created_at": now,
        "due_at": now,
        "state": LaneState.HELD if held else LaneState.READY,
        "attempts": 0,
    }
    _adding(connection.dialect.name, tuple(values)).later(connection, values)


@cache
def _adding(dialect: str, columns: tuple[str, ...]) -> Fixed:
    insert: Any = (postgresql if dialect == "postgresql" else sqlite).insert(table_of(OutboxRow))
    return Fixed(insert.on_conflict_do_nothing(index_elements=["key"]), columns)


def is_held(connection: Connection, recipient: Recipient, now: datetime) -> bool:
    """Whether a message to this person would wait: blocked, or the window is shut."""
    reach = recipient.reach or _HOLDS.first(connection, {"b_address": recipient.address_id})
    return reach.blocked_at is not None or is_window_shut(recipient.channel, reach.window_until, now)


def is_window_shut(channel: str, window_until: datetime | None, now: datetime) -> bool:
    """Whether free text may not go now (WhatsApp: 24 hours after the person's last message)."""
    if CAPABILITIES[channel].window_hours is None:
        return False
    return window_until is None or window_until - WINDOW_MARGIN <= now


_OUT, _EARLY = table_of(OutboxRow), table_of(EarlyReceiptRow)
_ADDRESS, _CONTACT = table_of(AddressRow), table_of(ContactRow)
_CHANNEL: sa.BindParameter[str] = sa.bindparam("b_channel")
_NOW: sa.BindParameter[datetime] = sa.bindparam("b_now")
_WHERE: sa.BindParameter[int] = sa.bindparam("b_address")
_HOLDS = Fixed(sa.select(_ADDRESS.c.window_until, _ADDRESS.c.blocked_at).where(_ADDRESS.c.id == _WHERE))
_OF_LANE = (_OUT.c.lane == sa.bindparam("b_lane"), _OUT.c.state < sa.literal_column("2"))  # as the index says it
_LATER = Fixed(
    sa.update(_OUT)
    .where(*_OF_LANE, _OUT.c.state == sa.literal_column("0"))
    .where(_OUT.c.due_at < sa.bindparam("b_due"))
    .values(due_at=sa.bindparam("b_due"))
)
_CAME_EARLY = sa.exists().where(_EARLY.c.channel == _CHANNEL, _EARLY.c.provider_id == sa.bindparam("b_provider"))
_MORE = sa.exists().where(*_OF_LANE, _OUT.c.state == sa.literal_column("0"))
_AFTER = Fixed(sa.select(_MORE.label("more"), _CAME_EARLY.label("early")))
IS_HELD = sa.and_(_OUT.c.address_id == _WHERE, _OUT.c.state == sa.literal_column("5"))  # for `b_address`
_STALE = Fixed(sa.delete(_OUT).where(IS_HELD, _OUT.c.kind.is_not(None)))
_RELEASE = Fixed(sa.update(_OUT).where(IS_HELD).values(state=LaneState.READY, due_at=_NOW, attempts=0))


def hold(connection: Connection, row: Row) -> None:
    """Put a claimed row aside until the person writes; a template or a nudge is not worth keeping."""
    if row.kind is not None:
        mine = (OutboxRow.id == row.id, OutboxRow.lease == row.lease)
        connection.execute(sa.delete(OutboxRow).where(*mine))
        _give_back(connection, row)
        return
    lanes.still_mine(connection, OutboxRow, row.id, row.lease, state=LaneState.HELD)


def sent(connection: Connection, row: Row, provider_id: str, now: datetime, pace: Pace) -> None:
    """The provider took it, and its words are wiped.

    Where a window may turn out to be shut, only when it was delivered.
    """
    values: dict[str, Any] = {"state": LaneState.DONE, "provider_id": provider_id, "delivery": "accepted"}
    if CAPABILITIES[row.channel].window_hours is None:
        values["payload"] = None
    if not lanes.still_mine(connection, OutboxRow, row.id, row.lease, error=None, sent_at=now, **values):
        return
    _spend(connection, row, "sent", now)
    if CAPABILITIES[row.channel].window_hours is None:  # Telegram gives no receipts: what it accepted has arrived
        _tell_invitation(connection, row, "delivered")
    if row.sealed is not None:
        connection.execute(sa.delete(OutboxRow).where(OutboxRow.id == row.id))
    after = {"b_lane": row.lane, "b_channel": row.channel, "b_provider": provider_id}
    follows = _AFTER.first(connection, after)
    if follows.more:
        _LATER.later(connection, {"b_lane": row.lane, "b_due": now + timedelta(seconds=pace.gap)})
    if follows.early:
        _take_up_early_receipt(connection, row.channel, provider_id, now)


def failed(connection: Connection, row: Row, error: SendError, now: datetime) -> None:
    """The provider did not take it, or nobody knows. What follows hangs on the kind of failure alone."""
    state: dict[str, Any] = {"state": LaneState.DEAD, "delivery": "failed"}
    if error.failure is Failure.UNKNOWN:
        state = {"state": LaneState.UNKNOWN}
    elif error.failure is Failure.BLOCKED and _came_back(connection, row):
        state = {"state": LaneState.READY, "due_at": now + lanes.backoff(row.attempts)}
        error = SendError(Failure.TEMPORARY, error.code)
    elif error.failure in (Failure.WINDOW, Failure.BLOCKED) and row.kind is None:
        state = {"state": LaneState.HELD}
    elif error.failure is Failure.TEMPORARY and row.attempts < _tries(row):
        state = {"state": LaneState.READY, "due_at": now + lanes.backoff(row.attempts, error.retry_after)}
    mine = lanes.still_mine(connection, OutboxRow, row.id, row.lease, error=error.code[:200], **state)
    if mine and state["state"] == LaneState.DEAD:
        _give_back(connection, row)
    if mine and error.failure is Failure.BLOCKED:
        mark_blocked(connection, row.address_id, now)


def _tries(row: Row) -> int:
    return INVITATION_TRIES if row.priority >= INVITATION else SEND_TRIES


def _came_back(connection: Connection, row: Row) -> bool:
    """Whether the person wrote after this send began: then "blocked" is old news."""
    query = sa.select(AddressRow.used_at).where(AddressRow.id == row.address_id)
    used_at = connection.execute(query).scalar_one_or_none()
    return used_at is not None and used_at > row.lease_until - lanes.LEASE


def mark_blocked(connection: Connection, address_id: int | None, now: datetime | None) -> None:
    """Remember that a person shut us out (`now`), or came back (None). What waits for them is held."""
    connection.execute(sa.update(AddressRow).where(AddressRow.id == address_id).values(blocked_at=now))
    if now is not None:
        mine = (OutboxRow.address_id == address_id, OutboxRow.state == sa.literal_column("0"))
        for row in connection.execute(
            sa.select(OutboxRow.__table__).where(*mine, OutboxRow.kind == "invitation")
        ).all():
            _give_back(connection, row)
        connection.execute(sa.delete(OutboxRow).where(*mine, OutboxRow.kind.is_not(None)))
        connection.execute(
            sa.update(OutboxRow)
            .where(OutboxRow.address_id == address_id, OutboxRow.state == sa.literal_column("0"))
            .values(state=LaneState.HELD)
        )


def release(connection: Connection, address_id: int, now: datetime) -> None:
    """The person wrote: what was held for them goes on."""
    mine = {"b_address": address_id}
    _STALE.run(connection, mine)
    _RELEASE.run(connection, mine | {"b_now": now})


def receive(connection: Connection, receipt: Receipt, now: datetime) -> None:
    """Apply a delivery receipt. One that came before its message is known is kept for it."""
    where = (OutboxRow.channel == receipt.channel, OutboxRow.provider_id == receipt.provider_id)
    row = connection.execute(sa.select(OutboxRow.__table__).where(*where)).one_or_none()
    if row is None:
        _keep_early(connection, receipt, now)
        return
    if RANK.get(receipt.state, -1) <= RANK.get(row.delivery or "accepted", 0):
        return
    values: dict[str, Any] = {"delivery": receipt.state, "error": receipt.code[:200] or row.error}
    if receipt.state == "failed":
        values["state"] = _after_failure(connection, row, receipt.code, now)
        _spend(connection, row, "failed", now)
        _give_back(connection, row)
        values["delivery"] = None if values["state"] == LaneState.HELD else "failed"
    elif receipt.state in ("delivered", "read"):
        values |= {"payload": None, "state": LaneState.DONE}
        _tell_invitation(connection, row, receipt.state)
    connection.execute(sa.update(OutboxRow).where(OutboxRow.id == row.id).values(**values))


def _tell_invitation(connection: Connection, row: Row, delivery: str) -> None:
    """An invitation to a survey arrived, or was read: its wave counts that."""
    if row.priority >= INVITATION:
        arrived = {"delivered": True} | ({"read": True} if delivery == "read" else {})
        mine = SurveyInvitationRow.outbox_key == row.key
        connection.execute(sa.update(SurveyInvitationRow).where(mine).values(**arrived))


def _give_back(connection: Connection, row: Row) -> None:
    """A template for a survey was not delivered: it costs nothing, and its wave may spend that on somebody else."""
    if row.kind != "invitation":
        return
    query = sa.select(SurveyInvitationRow.id, SurveyInvitationRow.wave_id, SurveyInvitationRow.cost)
    invitation = connection.execute(query.where(SurveyInvitationRow.outbox_key == row.key)).one_or_none()
    if invitation is None or not invitation.cost:
        return
    less = sa.update(SurveyWaveRow).where(SurveyWaveRow.id == invitation.wave_id)
    connection.execute(less.values(spent=SurveyWaveRow.spent - invitation.cost))
    connection.execute(sa.update(SurveyInvitationRow).where(SurveyInvitationRow.id == invitation.id).values(cost=0))


def _after_failure(connection: Connection, row: Row, code: str, now: datetime) -> LaneState:
    """A shut window or a block, told only by receipt: the message waits for the person, if its words are still here."""
    if code in BLOCK_CODES:
        mark_blocked(connection, row.address_id, now)
    held = code in BLOCK_CODES | WINDOW_CODES and row.payload is not None and row.kind is None
    return LaneState.HELD if held else LaneState.DEAD


def _spend(connection: Connection, row: Row, outcome: str, now: datetime) -> None:
    """Count a template or a nudge with its price: sent, or failed after it was sent, which costs nothing."""
    if row.kind is None or row.payload is None:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    cost, language = int(row.payload.get("cost", 0)), row.payload["language"]
    counted = dialect.insert(SpendRow).values(
        day=now.astimezone(AMSTERDAM).date(), kind=row.kind, language=language, outcome=outcome, n=1, micro_eur=cost
    )
    more = {"n": SpendRow.n + 1, "micro_eur": SpendRow.micro_eur + cost}
    keys = ["day", "kind", "language", "outcome"]
    connection.execute(counted.on_conflict_do_update(index_elements=keys, set_=more))


def _keep_early(connection: Connection, receipt: Receipt, now: datetime) -> None:
    where = (EarlyReceiptRow.channel == receipt.channel, EarlyReceiptRow.provider_id == receipt.provider_id)
    known = connection.execute(sa.select(EarlyReceiptRow.state).where(*where)).scalar_one_or_none()
    if known is not None and RANK.get(receipt.state, -1) <= RANK.get(known, 0):
        return
    connection.execute(sa.delete(EarlyReceiptRow).where(*where))
    connection.execute(
        sa.insert(EarlyReceiptRow).values(
            channel=receipt.channel,
            provider_id=receipt.provider_id[:64],
            state=receipt.state,
            code=receipt.code[:40],
            received_at=now,
        )
    )


def _take_up_early_receipt(connection: Connection, channel: str, provider_id: str, now: datetime) -> None:
    where = (EarlyReceiptRow.channel == channel, EarlyReceiptRow.provider_id == provider_id)
    taken = sa.delete(EarlyReceiptRow).where(*where).returning(EarlyReceiptRow.state, EarlyReceiptRow.code)
    for row in connection.execute(taken).all():
        receive(connection, Receipt(channel, provider_id, row.state, row.code), now)
