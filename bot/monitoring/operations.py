"""How the service runs: what became of messages, what is asked, whether promises are kept.

SQL counts, `publish` formats. A count of fewer than `MIN_COUNT` is not shown, and parts of a total are rounded to tens,
so that a hidden count can't be worked out from the others.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.locales import AMSTERDAM, LANGUAGES
from bot.storage.models import InboxRow, LaneState, OutboxRow, OutcomeCountRow, TicketRow, TicketState

# Fewer than ten messages or tickets may all be of one person, whom a colleague could recognise by language and topic.
MIN_COUNT = 10
DAYS = 30
TOPICS = 10
OTHER = "other"  # every language that isn't served, together
UNDERSTOOD = ("answer", "clarify", "escalate", "crisis", "smalltalk")
ASKED = ("answer", "topic")  # answered at once, or chosen from a list
WAYS = {"once": "", "back": ".back", "menu": ".menu"}  # how somebody came to an answer that they rated
NOT_HELPED = tuple(f"helped.no{way}" for way in WAYS.values())
UNANSWERED = ("no_answer", "not_helped")  # why a question went to a person
MONTHS = 6


@dataclass(frozen=True)
class TicketCounts:
    """Tickets as they are counted; `waits` are the times until an answer."""

    open_now: int = 0
    kept: int = 0
    missed: int = 0
    waits: tuple[timedelta, ...] = ()


@dataclass(frozen=True)
class Counts:
    """Everything as counted, before small figures are left out. Not for showing."""

    today: date
    per_day: Mapping[tuple[date, str], int] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    passed_on: int = 0
    asked: Mapping[str, int] = field(default_factory=dict)
    not_helped: Mapping[str, int] = field(default_factory=dict)
    tickets: TicketCounts = TicketCounts()
    attention: Mapping[str, int] = field(default_factory=dict)
    rated: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # way: helped, did not help
    unanswered: Mapping[str, int] = field(default_factory=dict)  # by the topic that came nearest
    by_month: Mapping[tuple[str, str, str], int] = field(default_factory=dict)  # month, topic, language


@dataclass(frozen=True)
class Day:
    """Messages understood on a day, in the order of `Figures.languages`; None is a figure that isn't shown."""

    day: date
    counts: tuple[int | None, ...]


@dataclass(frozen=True)
class Share:
    """A figure and what part of the whole it is."""

    name: str
    count: int | None
    share: float | None


@dataclass(frozen=True)
class TopicRow:
    """How often a topic was asked: by language over all months, and by month; None is a figure that isn't shown."""

    topic: str
    by_language: tuple[int | None, ...]
    by_month: tuple[int | None, ...]


@dataclass(frozen=True)
class Figures:
    """What may be shown. None is a figure that is left out."""

    languages: tuple[str, ...]
    days: tuple[Day, ...]
    total: int | None
    outcomes: tuple[Share, ...]
    passed_on: int | None
    asked: tuple[tuple[str, int], ...]
    not_helped: tuple[tuple[str, int], ...]
    open_now: int | None
    kept: int | None
    missed: int | None
    kept_share: float | None
    median_wait: timedelta | None
    p90_wait: timedelta | None
    attention: Mapping[str, int]
    rated: tuple[Share, ...] = ()  # helped, of those who said so; by the way they came to the answer
    unanswered: tuple[tuple[str, int], ...] = ()
    months: tuple[str, ...] = ()
    topics: tuple[TopicRow, ...] = ()


def count(connection: Connection, now: datetime) -> Counts:
    """Count the last `DAYS` days up to now."""
    today = now.astimezone(AMSTERDAM).date()
    since = today - timedelta(days=DAYS - 1)
    outcomes = _by_outcome(connection, since)
    return Counts(
        today=today,
        per_day=_by_day(connection, since),
        outcomes={name: outcomes.get(name, 0) for name in UNDERSTOOD},
        passed_on=outcomes.get("ticket", 0),
        asked=_by_topic(connection, since, ASKED),
        not_helped=_by_topic(connection, since, NOT_HELPED),
        tickets=_tickets(connection, now),
        attention=_attention(connection),
        rated=_rated(outcomes),
        unanswered=_unanswered(connection, now),
        by_month=_by_month(connection, today),
    )


def _rated(outcomes: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    return {
        way: (outcomes.get(f"helped.yes{mark}", 0), outcomes.get(f"helped.no{mark}", 0)) for way, mark in WAYS.items()
    }


def _unanswered(connection: Connection, now: datetime) -> dict[str, int]:
    """Questions that went to a person because no answer was there or helped, by the topic that came nearest."""
    nearest = TicketRow.candidates[(0, 0)].as_string()
    rows = connection.execute(
        sa.select(sa.func.coalesce(nearest, "").label("topic"), sa.func.count().label("n"))
        .where(TicketRow.created_at >= now - timedelta(days=DAYS), TicketRow.reason.in_(UNANSWERED))
        .group_by(nearest)
    )
    return {row.topic: row.n for row in rows}


def months_until(today: date) -> list[str]:
    """The last months, oldest first."""
    first = today.year * 12 + today.month - 1
    return [f"{number // 12}-{number % 12 + 1:02}" for number in range(first - MONTHS + 1, first + 1)]


def _by_month(connection: Connection, today: date) -> dict[tuple[str, str, str], int]:
    since = date.fromisoformat(f"{months_until(today)[0]}-01")
    year, month = (sa.extract(part, OutcomeCountRow.day) for part in ("year", "month"))
    keys = (year.label("year"), month.label("month"), OutcomeCountRow.topic, OutcomeCountRow.language)
    rows = connection.execute(
        sa.select(*keys, sa.func.sum(OutcomeCountRow.n).label("n"))
        .where(OutcomeCountRow.day >= since, OutcomeCountRow.outcome.in_(ASKED), OutcomeCountRow.topic != "")
        .group_by(year, month, OutcomeCountRow.topic, OutcomeCountRow.language)
    )
    counts: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        language = row.language if row.language in LANGUAGES else OTHER
        counts[f"{int(row.year)}-{int(row.month):02}", row.topic, language] += int(row.n)
    return dict(counts)


def _by_day(connection: Connection, since: date) -> dict[tuple[date, str], int]:
    rows = connection.execute(
        sa.select(OutcomeCountRow.day, OutcomeCountRow.language, sa.func.sum(OutcomeCountRow.n).label("n"))
        .where(OutcomeCountRow.day >= since, OutcomeCountRow.outcome.in_(UNDERSTOOD))
        .group_by(OutcomeCountRow.day, OutcomeCountRow.language)
    )
    counts: Counter[tuple[date, str]] = Counter()
    for row in rows:
        counts[row.day, row.language if row.language in LANGUAGES else OTHER] += int(row.n)
    return dict(counts)


def _by_outcome(connection: Connection, since: date) -> dict[str, int]:
    rows = connection.execute(
        sa.select(OutcomeCountRow.outcome, sa.func.sum(OutcomeCountRow.n).label("n"))
        .where(OutcomeCountRow.day >= since)
        .group_by(OutcomeCountRow.outcome)
    )
    return {row.outcome: int(row.n) for row in rows}


def _by_topic(connection: Connection, since: date, outcomes: Iterable[str]) -> dict[str, int]:
    rows = connection.execute(
        sa.select(OutcomeCountRow.topic, sa.func.sum(OutcomeCountRow.n).label("n"))
        .where(OutcomeCountRow.day >= since, OutcomeCountRow.outcome.in_(tuple(outcomes)), OutcomeCountRow.topic != "")
        .group_by(OutcomeCountRow.topic)
    )
    return {row.topic: int(row.n) for row in rows}


def _tickets(connection: Connection, now: datetime) -> TicketCounts:
    """Kept: answered before the promised moment, and none was missed earlier. Missed: also while it still waits."""
    recent = TicketRow.created_at >= now - timedelta(days=DAYS)
    late = sa.or_(
        TicketRow.promises_missed > 0,
        TicketRow.promise_at < TicketRow.answered_at,
        sa.and_(TicketRow.state == TicketState.OPEN, TicketRow.promise_at < now),
    )
    in_time = sa.and_(TicketRow.promises_missed == 0, TicketRow.answered_at <= TicketRow.promise_at)
    kept, missed = connection.execute(
        sa.select(
            sa.func.count(sa.case((sa.and_(in_time, TicketRow.state != TicketState.OPEN), 1))),
            sa.func.count(sa.case((late, 1))),
        ).where(recent)
    ).one()
    still = sa.select(sa.func.count()).where(TicketRow.state == TicketState.OPEN)
    seconds = _seconds_waited(connection)
    waits = connection.execute(
        sa.select(seconds, sa.func.count()).where(recent, TicketRow.answered_at.is_not(None)).group_by(seconds)
    )
    return TicketCounts(
        open_now=connection.execute(still).scalar_one(),
        kept=kept,
        missed=missed,
        waits=tuple(timedelta(seconds=int(wait)) for wait, number in waits for _ in range(number)),
    )


def _seconds_waited(connection: Connection) -> sa.ColumnElement[Any]:
    """Whole seconds from question to answer, reckoned by the database: thousands of rows needn't come here for it."""
    begun, ended = TicketRow.created_at, TicketRow.answered_at
    if connection.dialect.name == "sqlite":
        return sa.func.round((sa.func.julianday(ended) - sa.func.julianday(begun)) * 86400)
    return sa.func.round(sa.extract("epoch", ended - begun))


def _attention(connection: Connection) -> dict[str, int]:
    """Rows that wait for people. By the index of just those: there may be a million that are done."""

    def number(table: type[OutboxRow | InboxRow], state: LaneState) -> int:
        waits = (table.state > sa.literal_column("2"), table.state == state)
        return connection.execute(sa.select(sa.func.count()).select_from(table).where(*waits)).scalar_one()

    return {
        "unknown": number(OutboxRow, LaneState.UNKNOWN),
        "failed": number(OutboxRow, LaneState.DEAD),
        "unread": number(InboxRow, LaneState.DEAD),
    }


def publish(counts: Counts) -> Figures:
    """What may be shown of some counts. Rows of queues that went wrong are shown as they are: they name nobody."""
    languages = (*LANGUAGES, OTHER)
    days = [counts.today - timedelta(days=back) for back in range(DAYS)]
    understood = sum(counts.outcomes.values())
    waits, promised = sorted(counts.tickets.waits), counts.tickets.kept + counts.tickets.missed
    enough = len(waits) >= MIN_COUNT
    both = min(counts.tickets.kept, counts.tickets.missed) >= MIN_COUNT
    return Figures(
        languages=languages,
        days=tuple(Day(day, tuple(shown(counts.per_day.get((day, code), 0)) for code in languages)) for day in days),
        total=rounded(understood),
        outcomes=tuple(_share(name, number, understood) for name, number in counts.outcomes.items()),
        passed_on=shown(counts.passed_on),
        asked=_most(counts.asked),
        not_helped=_most(counts.not_helped),
        open_now=shown(counts.tickets.open_now),
        kept=shown(counts.tickets.kept),
        missed=shown(counts.tickets.missed),
        kept_share=counts.tickets.kept / promised if both else None,
        median_wait=_within(waits, 0.5) if enough else None,
        p90_wait=_within(waits, 0.9) if enough else None,
        attention=counts.attention,
        rated=tuple(_helped(way, *pair) for way, pair in counts.rated.items()),
        unanswered=_most(counts.unanswered),
        months=tuple(months_until(counts.today)),
        topics=_topics(counts, languages),
    )


def _helped(way: str, yes: int, no: int) -> Share:
    """The share that was helped, of those who said whether they were; only where both are enough."""
    return Share(way, rounded(yes + no), yes / (yes + no) if min(yes, no) >= MIN_COUNT else None)


def _topics(counts: Counts, languages: Sequence[str]) -> tuple[TopicRow, ...]:
    """The topics asked most in the last months, each language and each month apart (never crossed)."""
    totals: Counter[str] = Counter()
    for (_, topic, _), number in counts.by_month.items():
        totals[topic] += number
    most = [topic for topic, number in totals.most_common() if number >= MIN_COUNT][:TOPICS]
    found = []
    for topic in most:
        mine = {(month, language): n for (month, own, language), n in counts.by_month.items() if own == topic}
        tongues = [sum(n for (_, language), n in mine.items() if language == code) for code in languages]
        months = [sum(n for (month, _), n in mine.items() if month == name) for name in months_until(counts.today)]
        found.append(TopicRow(topic, tuple(map(rounded, tongues)), tuple(map(rounded, months))))
    return tuple(found)


def shown(number: int) -> int | None:
    """A count, or None where it is too small to show. Zero is too: that nobody did something can be telling as well."""
    return number if number >= MIN_COUNT else None


def rounded(number: int) -> int | None:
    """A total to the nearest ten, or None where it is too small to show."""
    return None if number < MIN_COUNT else math.floor(number / 10 + 0.5) * 10


def _within(waits: Sequence[timedelta], part: float) -> timedelta:
    """The time within which this part of the waits, sorted, was over."""
    return waits[math.ceil(part * len(waits)) - 1]


def _share(name: str, number: int, whole: int) -> Share:
    return Share(name, rounded(number), number / whole if number >= MIN_COUNT else None)


def _most(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """The topics with the highest counts that may be shown."""
    visible = [(topic, number) for topic, number in counts.items() if number >= MIN_COUNT]
    return tuple(sorted(visible, key=lambda item: (-item[1], item[0]))[:TOPICS])
