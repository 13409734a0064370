"""What goes when. Every kind of personal row has a period; figures a day (`outcome_count`) hold nobody and stay.

Deleted in small batches, so that answers don't wait. The time that conversations are kept is a figure of the content,
because the chat tells it to people: one place for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.contacts import Consent, Thread
from bot.content import Content
from bot.storage.account_models import AccountRow, AuditRow, LoginTryRow, SessionRow
from bot.storage.follow_up_models import MailRow, ProposalRow
from bot.storage.linking_models import LinkCodeRow, LinkTryRow
from bot.storage.models import (
    ActorRow,
    AddressRow,
    Base,
    ContactRow,
    DataLinkRow,
    EarlyReceiptRow,
    InboxRow,
    LaneState,
    MessageRow,
    OutboxRow,
    PartyRow,
    TicketRow,
    TicketState,
    TimerRow,
)
from bot.storage.research_models import SurveyAnswerRow
from bot.storage.survey_models import BadNewsRow, PushRow, SurveyInvitationRow

BATCH = 500
REPEATS = timedelta(days=7)  # finished keys: providers repeat for a day at most
SENT = timedelta(days=30)  # what became of messages
UNDELIVERED_WORDS = timedelta(days=2)  # words of a sent message that never got a receipt
WITHOUT_CONSENT = timedelta(days=7)
SILENT = timedelta(days=730)  # somebody who agreed and hasn't written since
NOT_IN_FILE = timedelta(days=365)  # not in the municipality's file any more: each import renews the day
ASKED = timedelta(days=400)  # longer than any wave is open: until then nobody is asked twice
ANSWERS = timedelta(days=5 * 365)
PUSHES = timedelta(days=14)  # the cap looks back a week
OLD_CODES = timedelta(days=30)  # after the day on which a code ended
SWITCHED_OFF = timedelta(days=365)  # accounts of people who left
LOGINS = timedelta(days=2)  # longer than a session may last, and than a wrong try counts
AUDIT = timedelta(days=730)  # what people who work here did; the triggers of migration 0004 refuse an earlier day


@dataclass(frozen=True)
class Rule:
    """Rows of a table that go when `condition` holds, counted from `column`."""

    name: str
    table: type[Base]
    column: Any
    age: timedelta
    condition: Any = True
    change: dict[str, Any] | None = None  # wipe these columns instead of deleting the row


def rules(content: Content) -> list[Rule]:
    """Every rule, for the nightly job and for the page that shows what goes when."""
    days = content.figures["retention_conversation_days"].value
    if not isinstance(days, int):
        raise TypeError("retention_conversation_days must be a whole number")
    talk = timedelta(days=days)
    agreed = ContactRow.consent == Consent.GIVEN.value
    settled = TicketRow.state.in_([TicketState.ANSWERED, TicketState.CLOSED])
    settled_wave = SurveyInvitationRow.state.not_in(("waiting", "asked", "started"))
    whoever = {"contact_id": None}
    words_left = sa.and_(OutboxRow.state == LaneState.DONE, OutboxRow.payload.is_not(None))
    return [
        Rule("conversation", MessageRow, MessageRow.at, talk),
        Rule("answered questions", TicketRow, TicketRow.created_at, talk, settled),
        Rule("what the chat remembers", ContactRow, ContactRow.seen_at, talk, agreed, {"thread": Thread().to_json()}),
        Rule("people without consent", ContactRow, ContactRow.seen_at, WITHOUT_CONSENT, sa.not_(agreed)),
        Rule("silent people", ContactRow, ContactRow.seen_at, SILENT),
        Rule("received", InboxRow, InboxRow.received_at, REPEATS, InboxRow.state == LaneState.DONE),
        Rule("received and given up", InboxRow, InboxRow.received_at, SENT, InboxRow.state == LaneState.DEAD),
        Rule(
            "words of sent messages", OutboxRow, OutboxRow.created_at, UNDELIVERED_WORDS, words_left, {"payload": None}
        ),
        Rule("sent", OutboxRow, OutboxRow.created_at, SENT, OutboxRow.state != LaneState.READY),
        Rule("receipts without a message", EarlyReceiptRow, EarlyReceiptRow.received_at, UNDELIVERED_WORDS),
        Rule("timers", TimerRow, TimerRow.due_at, SENT, TimerRow.state != 0),
        Rule("people of the caseload", PartyRow, PartyRow.imported_at, NOT_IN_FILE),
        Rule("klantregisseurs who left", ActorRow, ActorRow.imported_at, NOT_IN_FILE, sa.not_(ActorRow.active)),
        Rule("pushes", PushRow, PushRow.at, PUSHES),
        Rule("days of bad news", BadNewsRow, BadNewsRow.at, SENT),
        Rule("mail to people who work here", MailRow, MailRow.created_at, SENT),
        Rule("proposals for answers", ProposalRow, ProposalRow.changed_at, talk),
        Rule("links to own data", DataLinkRow, DataLinkRow.expires_at, timedelta(hours=1)),
        Rule("wrong codes", LinkTryRow, LinkTryRow.at, REPEATS),
        Rule("who was in a wave", SurveyInvitationRow, SurveyInvitationRow.made_at, ASKED, settled_wave, whoever),
        Rule("answers to surveys", SurveyAnswerRow, SurveyAnswerRow.asked_on, ANSWERS),
        Rule("codes", LinkCodeRow, LinkCodeRow.expires_at, OLD_CODES),
        Rule("accounts switched off", AccountRow, AccountRow.changed_at, SWITCHED_OFF, sa.not_(AccountRow.active)),
        Rule("sessions", SessionRow, SessionRow.created_at, LOGINS),
        Rule("wrong logins", LoginTryRow, LoginTryRow.at, LOGINS),
        Rule("audit log", AuditRow, AuditRow.at, AUDIT),
    ]


def sweep(content: Content, write: Callable[[Callable[[Connection], int]], int], now: datetime) -> dict[str, int]:
    """Delete everything that is past its time; returns how much of each kind. `write` is the store's."""
    return {rule.name: sum(_batches(rule, write, now)) for rule in rules(content)}


def _batches(rule: Rule, write: Callable[[Callable[[Connection], int]], int], now: datetime) -> Iterator[int]:
    while True:
        gone = write(lambda connection: _one_batch(connection, rule, now))
        yield gone
        if gone < BATCH:
            return


def _one_batch(connection: Connection, rule: Rule, now: datetime) -> int:
    if rule.table is AuditRow:
        now = min(now, datetime.now(UTC))  # the database goes by its own clock, which a demonstration can't move
    key: Any = sa.inspect(rule.table).primary_key
    old = sa.and_(rule.column < now - rule.age, *([] if rule.condition is True else [rule.condition]))
    if rule.change is not None:
        old = sa.and_(old, *(_differs(rule.table, name, value) for name, value in rule.change.items()))
    found = connection.execute(sa.select(*key).where(old).limit(BATCH)).all()
    if not found:
        return 0
    where = (
        sa.tuple_(*key).in_([tuple(row) for row in found]) if len(key) > 1 else key[0].in_([row[0] for row in found])
    )
    if rule.table is ContactRow and rule.change is None:
        _empty_queues(connection, [row[0] for row in found])
    statement = sa.delete(rule.table) if rule.change is None else sa.update(rule.table).values(**rule.change)
    connection.execute(statement.where(where))
    return len(found)


def _differs(table: type[Base], name: str, value: Any) -> Any:
    column = getattr(table, name)
    return (
        column.is_not(None)
        if value is None
        else sa.cast(column, sa.Text) != sa.cast(sa.literal(value, sa.JSON), sa.Text)
    )


def _empty_queues(connection: Connection, contact_ids: list[int]) -> None:
    """What waits for people who go, goes with them; the keys of what they sent stay without them."""
    lanes = sa.select(AddressRow.lane).where(AddressRow.contact_id.in_(contact_ids))
    connection.execute(
        sa.update(InboxRow)
        .where(InboxRow.lane.in_(lanes), InboxRow.state > 1)
        .values(lane="erased", body=None, sealed=None)
    )
    connection.execute(sa.delete(OutboxRow).where(OutboxRow.contact_id.in_(contact_ids)))
