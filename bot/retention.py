"""What goes when. Every kind of personal row has a period; figures a day (`outcome_count`) hold nobody and stay.

Deleted in small batches, so that answers don't wait. The time that conversations are kept is a figure of the content,
because the chat tells it to people: one place for both. Most other times can be set (`WEGWIJS_RETENTION_DAYS`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot.contacts import Consent, Thread
from bot.content import Content
from bot.locales import AMSTERDAM
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
    MarkerRow,
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
# What may be set, and the fewest days: shorter, and the service would forget what it still needs.
LEAST = {
    "people without consent": 1,
    "silent people": 90,
    "received": 2,
    "received and given up": 2,
    "sent": 14,
    "timers": 7,
    "people of the caseload": 30,
    "klantregisseurs who left": 1,
    "mail to people who work here": 2,
    "who was in a wave": 100,
    "answers to surveys": 90,
    "codes": 1,
    "accounts switched off": 1,
    "audit log": AUDIT.days,
}
MOST = 3653
MARKER = "retention"
DAYS_SHOWN = 30


@dataclass(frozen=True)
class Rule:
    """Rows of a table that go when `condition` holds, counted from `column`."""

    name: str
    table: type[Base]
    column: Any
    age: timedelta
    condition: Any = True
    change: dict[str, Any] | None = None  # wipe these columns instead of deleting the row


def rules(content: Content, days: Mapping[str, int] | None = None) -> list[Rule]:
    """Every rule, for the job and for the page that shows what goes when. `days`: times that the settings change."""
    changed = {name: timedelta(days=number) for name, number in (days or {}).items()}
    return [replace(rule, age=changed.get(rule.name, rule.age)) for rule in _rules(content)]


def read_days(text: str) -> dict[str, int]:
    """Times of the settings: "silent people=365, codes=7". Raises ValueError that says what may be written."""
    found: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = (piece.strip() for piece in part.partition("="))
        if name not in LEAST:
            raise ValueError(f"'{name}' is none of: {', '.join(LEAST)}")
        if not (number.isascii() and number.isdigit() and LEAST[name] <= int(number[:9]) <= MOST):
            raise ValueError(f"{name}: a number of days from {LEAST[name]} to {MOST}")
        found[name] = int(number)
    return found


def _rules(content: Content) -> list[Rule]:
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


def sweep(
    content: Content,
    write: Callable[[Callable[[Connection], Any]], Any],
    now: datetime,
    days: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """Delete everything that is past its time, and note it; returns how much of each kind. `write` is the store's."""
    gone = {rule.name: sum(_batches(rule, write, now)) for rule in rules(content, days)}
    write(lambda connection: _note(connection, gone, now))
    return gone


@dataclass(frozen=True)
class Done:
    """What the job did: when it last ran, and how much went on each day (in Dutch time) of the last `DAYS_SHOWN`."""

    at: datetime | None
    days: Mapping[str, Mapping[str, int]]

    def lately(self, name: str) -> int:
        return sum(day.get(name, 0) for day in self.days.values())

    def last(self, name: str) -> tuple[str, int] | None:
        """The last day on which something of a kind went, and how much."""
        return next(((day, gone[name]) for day, gone in sorted(self.days.items(), reverse=True) if name in gone), None)


def done(connection: Connection) -> Done:
    """What the job noted."""
    query = sa.select(MarkerRow.value).where(MarkerRow.name == MARKER)
    value = connection.execute(query).scalar_one_or_none()
    noted = json.loads(value) if value else {"at": None, "days": {}}
    return Done(datetime.fromisoformat(noted["at"]) if noted["at"] else None, noted["days"])


def _note(connection: Connection, gone: Mapping[str, int], now: datetime) -> None:
    before = done(connection)
    today = now.astimezone(AMSTERDAM).date()
    oldest = (today - timedelta(days=DAYS_SHOWN)).isoformat()
    days = {day: dict(numbers) for day, numbers in before.days.items() if day > oldest}
    of_today = days.get(today.isoformat(), {})
    of_today |= {name: of_today.get(name, 0) + number for name, number in gone.items() if number}
    if of_today:
        days[today.isoformat()] = of_today
    value = json.dumps({"at": now.isoformat(), "days": days})
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(MarkerRow).values(name=MARKER, value=value)
    connection.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


@dataclass(frozen=True)
class Standing:
    """A rule with what there is of it now: rows, and when the first of them goes."""

    rule: Rule
    rows: int
    first_goes_at: datetime | date | None


def standing(connection: Connection, rule: Rule) -> Standing:
    """What a rule finds. Rows whose words are wiped already count no more."""
    query = sa.select(sa.func.count(), sa.func.min(rule.column)).select_from(rule.table)
    number, oldest = connection.execute(query.where(*_found_by(rule))).one()
    return Standing(rule, number, oldest + rule.age if oldest else None)


def _found_by(rule: Rule) -> list[Any]:
    wiped = [_differs(rule.table, name, value) for name, value in (rule.change or {}).items()]
    return [*([] if rule.condition is True else [rule.condition]), *wiped]


def _batches(rule: Rule, write: Callable[[Callable[[Connection], Any]], Any], now: datetime) -> Iterator[int]:
    while True:
        gone = write(lambda connection: _one_batch(connection, rule, now))
        yield gone
        if gone < BATCH:
            return


def _one_batch(connection: Connection, rule: Rule, now: datetime) -> int:
    if rule.table is AuditRow:
        now = min(now, datetime.now(UTC))  # the database goes by its own clock, which a demonstration can't move
    key: Any = sa.inspect(rule.table).primary_key
    old = sa.and_(rule.column < now - rule.age, *_found_by(rule))
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
