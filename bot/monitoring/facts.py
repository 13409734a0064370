"""Figures of a day, written while the rows of people are still there, and the months that they make.

Nightly in the worker's loop. A day is written anew for two days after it (a receipt may come late), then it stands,
even when the people in it are erased.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.content import Content
from bot.locales import AMSTERDAM
from bot.monitoring.operations import MIN_COUNT, rounded, shown
from bot.storage.fact_models import FactRow
from bot.storage.models import LaneState, OutboxRow, TicketRow

DAYS_OPEN = 2
WAIT_HOURS = (1, 4, 8, 24, 48, 72, 120, 240)  # upper ends of the bins of the time until an answer
LONGER = "longer"
MONTHS = 12
Key = tuple[str, str]


def gather(connection: Connection, content: Content, day: date) -> dict[Key, int]:
    """What happened on a day, by name and part."""
    start, end = (datetime.combine(day + timedelta(days=more), time(), AMSTERDAM).astimezone(UTC) for more in (0, 1))
    facts: Counter[Key] = Counter()
    columns = (TicketRow.created_at, TicketRow.answered_at, TicketRow.actor_id, TicketRow.promise_at)
    answered = sa.select(*columns, TicketRow.promises_missed).where(
        TicketRow.answered_at >= start, TicketRow.answered_at < end
    )
    for row in connection.execute(answered):
        facts["answered_by", "back-up desk" if row.actor_id is None else "klantregisseur"] += 1
        facts["wait", wait_bin(row.answered_at - row.created_at)] += 1
        in_time = row.promises_missed == 0 and row.answered_at <= row.promise_at
        facts["promise", "kept" if in_time else "missed"] += 1
    opened = sa.select(TicketRow.language, sa.func.count(TicketRow.id)).where(
        TicketRow.created_at >= start, TicketRow.created_at < end
    )
    for language, number in connection.execute(opened.group_by(TicketRow.language)):
        facts["passed_on", language] += number
    sent = sa.select(OutboxRow.channel, sa.func.count(OutboxRow.id)).where(
        OutboxRow.sent_at >= start, OutboxRow.sent_at < end, OutboxRow.state == LaneState.DONE
    )
    for channel, number in connection.execute(sent.group_by(OutboxRow.channel)):
        facts["sent", channel] += number
    facts["past_review", "topics"] = sum(content.is_stale(topic, day) for topic in content.topics)
    return dict(facts)


def wait_bin(wait: timedelta) -> str:
    """The bin of a time until an answer: the hours within which it came."""
    return next((str(hours) for hours in WAIT_HOURS if wait <= timedelta(hours=hours)), LONGER)


def write(connection: Connection, now: datetime, content: Content) -> None:
    """Write the last complete days. May run as often as it likes; days before those are never touched."""
    today = now.astimezone(AMSTERDAM).date()
    for back in range(1, DAYS_OPEN + 1):
        day = today - timedelta(days=back)
        rows = [
            {"day": day, "name": name, "part": part, "n": n}
            for (name, part), n in gather(connection, content, day).items()
        ]
        connection.execute(sa.delete(FactRow).where(FactRow.day == day))
        if rows:
            connection.execute(sa.insert(FactRow), rows)


@dataclass(frozen=True)
class Month:
    """What may be shown of a month. None is left out: too few. Hours are the end of the bin; inf: longer than all."""

    month: str
    answered: int | None
    desk_share: float | None
    median_hours: float | None
    p90_hours: float | None
    sent: Mapping[str, int | None]
    past_review: int
    kept_share: float | None = None
    passed_on: int | None = None
    cost: Mapping[str, float | None] = field(default_factory=dict)  # euro by channel, where a price is known


def months(connection: Connection, now: datetime, prices: Mapping[str, float] | None = None) -> list[Month]:
    """The last twelve months that have facts, newest first. `prices`: euro for a message, by channel."""
    since = now.astimezone(AMSTERDAM).date().replace(day=1) - timedelta(days=31 * (MONTHS - 1))
    rows = connection.execute(
        sa.select(FactRow.day, FactRow.name, FactRow.part, FactRow.n)
        .where(FactRow.day >= since.replace(day=1))
        .order_by(FactRow.day)
    )
    by_month: dict[str, Counter[Key]] = {}
    for row in rows:
        facts = by_month.setdefault(f"{row.day:%Y-%m}", Counter())
        if row.name == "past_review":
            facts[row.name, row.part] = row.n  # not a sum: how it stands on the last day
        else:
            facts[row.name, row.part] += row.n
    return [_month(name, facts, prices or {}) for name, facts in sorted(by_month.items(), reverse=True)]


def _month(name: str, facts: Mapping[Key, int], prices: Mapping[str, float]) -> Month:
    desk, own = (facts.get(("answered_by", who), 0) for who in ("back-up desk", "klantregisseur"))
    waits = [facts.get(("wait", str(hours)), 0) for hours in (*WAIT_HOURS, LONGER)]
    both = all(number == 0 or number >= MIN_COUNT for number in (desk, own)) and desk + own >= MIN_COUNT
    kept, missed = (facts.get(("promise", how), 0) for how in ("kept", "missed"))
    told = all(number == 0 or number >= MIN_COUNT for number in (kept, missed)) and kept + missed >= MIN_COUNT
    channels = sorted(part for kind, part in facts if kind == "sent")
    return Month(
        month=name,
        answered=rounded(desk + own),
        desk_share=desk / (desk + own) if both else None,
        median_hours=_within(waits, 0.5),
        p90_hours=_within(waits, 0.9),
        sent={channel: shown(facts["sent", channel]) for channel in channels},
        past_review=facts.get(("past_review", "topics"), 0),
        kept_share=kept / (kept + missed) if told else None,
        passed_on=rounded(sum(number for (kind, _), number in facts.items() if kind == "passed_on")),
        cost={channel: _cost(facts["sent", channel], prices[channel]) for channel in channels if channel in prices},
    )


def _cost(messages: int, price: float) -> float | None:
    """What so many messages cost, in euro; None where their number isn't shown either."""
    return round(messages * price, 2) if messages >= MIN_COUNT else None


def _within(bins: Sequence[int], part: float) -> float | None:
    """The end of the bin within which this part of the answers came."""
    if sum(bins) < MIN_COUNT:
        return None
    wanted = math.ceil(part * sum(bins))
    for hours, reached in zip((*WAIT_HOURS, math.inf), _sums(bins), strict=True):
        if reached >= wanted:
            return float(hours)
    return math.inf


def _sums(numbers: Iterable[int]) -> Iterable[int]:
    total = 0
    for number in numbers:
        total += number
        yield total
