"""WhatsApp's window: a nudge before it shuts while an answer is near, a template after it shut when one waits.

A question back to the newcomer waits and is called out like an answer.

WhatsApp takes free text for 24 hours after a person's last message; later only a template that Meta approved. Both of
these cost money and interrupt somebody's day, so each goes at most once: a nudge a question, a template a shut window.
Whether a message of our own accord may go now, `bot/pushes.py` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import outbox, people, pushes
from bot.actions import Choice, Reply, Say
from bot.contacts import Consent, Thread
from bot.content import Content
from bot.desk.tickets import Reach, answer_language, reach
from bot.locales import AMSTERDAM, day
from bot.messages import CAPABILITIES, Option, OutboundMessage, Push
from bot.outbox import ANSWERS, WINDOW_MARGIN, Recipient
from bot.pushes import PushRules, is_day_off
from bot.replies import render
from bot.storage.desk_models import PreparedRow
from bot.storage.models import AddressRow, ContactRow, LaneState, OutboxRow, TicketRow, TicketState

LEAD = timedelta(hours=2)  # before the window shuts: time to see the nudge
LAST = timedelta(minutes=30)  # before the night, when the last hours of the window are in it
NEAR = timedelta(hours=23)  # an answer promised within this is still inside the window that an OK opens
IN_TIME = timedelta(minutes=30)  # an answer promised so long before the window shuts needs no nudge
TEMPLATE = "answer"
_OK = "ok"
_DAYS_BACK = 7
_WINDOWED = [name for name, capability in CAPABILITIES.items() if capability.window_hours is not None]


@dataclass(frozen=True)
class WindowRules:
    """When we may speak first, which templates there are (languages by channel), and prices in millionths of a euro."""

    pushes: PushRules = field(default_factory=PushRules)
    templates: Mapping[str, frozenset[str]] = field(default_factory=dict)
    template_price: int = 0
    message_price: int = 0


def nudge_at(shuts_at: datetime, rules: PushRules) -> datetime:
    """The last good moment to nudge: two hours before the window shuts, or before the night or the day off there."""
    at = shuts_at - LEAD
    local = at.astimezone(AMSTERDAM)
    last_day = local.date()
    if not is_day_off(last_day, rules):
        if rules.quiet_until <= local.time() < rules.quiet_from:
            return at
        if local.time() >= rules.quiet_from:
            return datetime.combine(last_day, rules.quiet_from, AMSTERDAM) - LAST
    for _ in range(_DAYS_BACK):
        last_day -= timedelta(days=1)
        if not is_day_off(last_day, rules):
            break
    return datetime.combine(last_day, rules.quiet_from, AMSTERDAM) - LAST


def is_near(promise_at: datetime, shuts_at: datetime, now: datetime) -> bool:
    """Whether an OK now would let the answer through: promised after the window shuts, and within a day."""
    return shuts_at - IN_TIME < promise_at <= now + NEAR


def put_due(connection: Connection, now: datetime, content: Content, rules: WindowRules) -> None:
    """Put the nudges and templates that are due into the outbox."""
    for ticket in _to_nudge(connection, now, rules):
        _nudge(connection, ticket, now, content, rules)
    for waiting in _to_call(connection, now, rules):
        _call(connection, waiting, now, content, rules)


def _to_nudge(connection: Connection, now: datetime, rules: WindowRules) -> list[sa.Row[Any]]:
    """The first open question of each person whose window shuts soon and whose answer is near."""
    rows: list[sa.Row[Any]] = list(
        connection.execute(
            sa.select(TicketRow.id, TicketRow.contact_id, TicketRow.promise_at, AddressRow.window_until)
            .join(AddressRow, AddressRow.contact_id == TicketRow.contact_id)
            .where(TicketRow.state == TicketState.OPEN, sa.not_(TicketRow.urgent))
            .where(AddressRow.channel.in_(_WINDOWED), AddressRow.blocked_at.is_(None))
            .where(AddressRow.window_until > now + WINDOW_MARGIN)
            .where(sa.not_(_is_prepared()))
            .order_by(TicketRow.promise_at.desc(), TicketRow.id.desc())
        )
    )
    due = [row for row in rows if _is_due(row, now, rules)]
    return list({row.contact_id: row for row in due}.values())  # the last one of each stays: the first promised


def _is_prepared() -> sa.Exists:
    """An answer is ready and goes out while the window is open: nobody need write for it."""
    return sa.exists().where(
        PreparedRow.ticket_id == TicketRow.id,
        PreparedRow.held.is_(None),
        PreparedRow.due_at < AddressRow.window_until,
    )


def _is_due(row: sa.Row[Any], now: datetime, rules: WindowRules) -> bool:
    shuts_at = row.window_until - WINDOW_MARGIN
    return is_near(row.promise_at, shuts_at, now) and nudge_at(shuts_at, rules.pushes) <= now


def _nudge(connection: Connection, ticket: sa.Row[Any], now: datetime, content: Content, rules: WindowRules) -> None:
    reached = reach(connection, ticket.contact_id)
    if reached is None or reached.shuts_at is None:  # used Telegram last: no window there
        return
    key = f"nudge:{ticket.id}"
    contact = _book(connection, ticket.contact_id, key, Push.NUDGE, now, rules)
    if contact is None:
        return
    language = answer_language(contact.language, "")
    reply = Reply((Say("window.nudge", {"moment": ticket.promise_at}),), (Choice(_OK, "button.ok"),))
    message = render(reply, language, content, CAPABILITIES[reached.channel], now)[0]
    _put(connection, contact, reached, replace(message, cost=rules.message_price), key, now)


def _to_call(connection: Connection, now: datetime, rules: WindowRules) -> list[sa.Row[Any]]:
    """The people for whom an answer waits behind a shut window, each with the first of these answers."""
    first = (
        sa.select(sa.func.min(OutboxRow.id))
        .where(OutboxRow.state > sa.literal_column("2"), OutboxRow.state == LaneState.HELD)
        .where(OutboxRow.channel.in_(list(rules.templates)), sa.or_(*(OutboxRow.key.like(f"{k}%") for k in ANSWERS)))
        .group_by(OutboxRow.address_id)
    )
    shut = sa.or_(AddressRow.window_until.is_(None), AddressRow.window_until <= now + WINDOW_MARGIN)
    return list(
        connection.execute(
            sa.select(OutboxRow.key, OutboxRow.contact_id, AddressRow.id, AddressRow.window_until)
            .join(AddressRow, AddressRow.id == OutboxRow.address_id)
            .where(OutboxRow.id.in_(first), AddressRow.blocked_at.is_(None), shut)
            .order_by(OutboxRow.id)
        )
    )


def _call(connection: Connection, waiting: sa.Row[Any], now: datetime, content: Content, rules: WindowRules) -> None:
    reached = reach(connection, waiting.contact_id)
    if reached is None or reached.address_id != waiting.id:
        return
    language = answer_language(
        connection.execute(sa.select(ContactRow.language).where(ContactRow.id == waiting.contact_id)).scalar_one(), ""
    )
    if language not in rules.templates[reached.channel]:
        return
    shut = waiting.window_until.isoformat() if waiting.window_until else "never"
    key = f"template:{waiting.id}:{shut}"
    contact = _book(connection, waiting.contact_id, key, Push.TEMPLATE, now, rules)
    if contact is None:
        return
    asked = _asked_at(connection, waiting).astimezone(AMSTERDAM).date()
    reply = Reply((Say("window.template", {"date": asked}),))
    message = render(reply, language, content, CAPABILITIES[reached.channel], now)[0]
    options = (Option(_OK, str(content.replies[language]["button.ok"])),)  # the button of the template
    filled = replace(message, template=TEMPLATE, variables=(day(asked, language),), cost=rules.template_price)
    _put(connection, contact, reached, replace(filled, options=options), key, now)


def _asked_at(connection: Connection, waiting: sa.Row[Any]) -> datetime:
    """When the question was asked whose answer waits."""
    number = waiting.key.split(":")[1] if waiting.key.startswith(("answer:", "ask:")) else ""
    mine = TicketRow.id == int(number) if number.isdigit() else TicketRow.contact_id == waiting.contact_id
    query = sa.select(sa.func.max(TicketRow.created_at)).where(mine, TicketRow.contact_id == waiting.contact_id)
    asked: datetime | None = connection.execute(query).scalar_one()
    if asked is not None:
        return asked
    created: datetime = connection.execute(
        sa.select(OutboxRow.created_at).where(OutboxRow.key == waiting.key)
    ).scalar_one()
    return created


def _book(  # noqa: PLR0917  # one push
    connection: Connection, contact_id: int, key: str, kind: Push, now: datetime, rules: WindowRules
) -> sa.Row[Any] | None:
    """The contact, held until the end of the transaction, when the push was not made before and may go now."""
    contact = connection.execute(
        sa.select(ContactRow.__table__).where(ContactRow.id == contact_id).with_for_update()
    ).one_or_none()
    there = connection.execute(sa.select(OutboxRow.id).where(OutboxRow.key == key)).first()
    if contact is None or there is not None or contact.consent != Consent.GIVEN:
        return None
    return contact if pushes.book(connection, contact_id, kind, now, rules.pushes).now else None


def _put(  # noqa: PLR0917  # one message
    connection: Connection, contact: sa.Row[Any], reached: Reach, message: OutboundMessage, key: str, now: datetime
) -> None:
    """Into the outbox; an OK, a tap or the number 1 now means this message."""
    recipient = Recipient(reached.lane, reached.channel, contact.id, reached.address_id)
    kind = "template" if message.template else "nudge"
    outbox.put(connection, recipient, message, key=key, now=now, priority=1, kind=kind)
    people.log_message(connection, contact.id, message.text, message.keys, now, inbound=False)
    thread = replace(Thread.from_json(contact.thread), offered=message.options)
    connection.execute(sa.update(ContactRow).where(ContactRow.id == contact.id).values(thread=thread.to_json()))
