"""What people ask and no answer helps with: questions of tickets, put together, without anybody's identity.

An editor may not know who asks. So words are shown only where at least `SAFE_PEOPLE` people asked the same, numbers
and addresses are masked (`bot/masking.py`), and each example is cut short. A name in a question can't be recognised by
a program: editors read the examples before they use them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import masking
from bot.desk.grouping import Grouper, Question
from bot.desk.tickets import shorten
from bot.storage.models import TicketEntryRow, TicketRow, TicketState

REASONS = ("no_answer", "not_helped")  # why a question went to a person: there was no answer, or it did not help
LOOK_BACK = timedelta(days=90)
MOST = 1000  # the newest questions; to compare more takes seconds
SAFE_PEOPLE = 3
EXAMPLES = 3  # a language, in the list
EXAMPLE_WORDS = 200  # characters


@dataclass(frozen=True)
class Asked:
    """A question of a ticket. Not for showing."""

    ticket_id: int
    contact_id: int
    language: str
    text: str
    candidates: tuple[tuple[str, float], ...]
    is_open: bool


@dataclass(frozen=True)
class Gap:
    """Questions that mean the same. `examples` by language: masked words, the newest first."""

    seed: int  # a ticket of it, to find the gap again
    tickets: tuple[int, ...]
    people: int
    still_open: int
    languages: Mapping[str, int]
    examples: Mapping[str, tuple[str, ...]]
    near: tuple[str, ...]  # topics that the questions were thought to be about


@dataclass(frozen=True)
class Gaps:
    """All that was found: what may be shown, and how much may not."""

    shown: tuple[Gap, ...]
    asked: int
    too_few: int  # questions of groups that fewer people asked


def read(connection: Connection, now: datetime) -> list[Asked]:
    """The questions of the last `LOOK_BACK`, the newest first, at most `MOST`."""
    first = (
        sa.select(sa.func.min(TicketEntryRow.id))
        .where(TicketEntryRow.ticket_id == TicketRow.id, TicketEntryRow.kind == "question")
        .correlate(TicketRow)
        .scalar_subquery()
    )
    rows = connection.execute(
        sa.select(TicketRow.__table__, TicketEntryRow.text)
        .join(TicketEntryRow, TicketEntryRow.id == first)
        .where(TicketRow.reason.in_(REASONS), TicketRow.created_at > now - LOOK_BACK)
        .order_by(TicketRow.created_at.desc(), TicketRow.id.desc())
        .limit(MOST)
    )
    return [_asked(row) for row in rows]


def _asked(row: sa.Row[Any]) -> Asked:
    candidates = tuple((str(topic), float(chance)) for topic, chance in row.candidates)
    return Asked(
        row.id, row.contact_id, row.language, row.text, candidates, row.state in (TicketState.OPEN, TicketState.ASKED)
    )


def find(questions: Sequence[Asked], grouper: Grouper, *, examples: int = EXAMPLES) -> Gaps:
    """Put questions together; the group that most people asked comes first."""
    groups = grouper.group([Question(one.text, one.candidates) for one in questions])
    gaps = [_gap([questions[place] for place in group], examples) for group in groups]
    shown = sorted((gap for gap in gaps if gap.people >= SAFE_PEOPLE), key=lambda gap: (-gap.people, gap.seed))
    return Gaps(tuple(shown), len(questions), len(questions) - sum(len(gap.tickets) for gap in shown))


def with_seed(questions: Sequence[Asked], grouper: Grouper, seed: int, *, examples: int) -> Gap | None:
    """The gap that a ticket belongs to now; None when it is gone, or too few people asked it."""
    shown = find(questions, grouper, examples=examples).shown
    return next((gap for gap in shown if seed in gap.tickets), None)


def as_example(text: str) -> str:
    """A question as an editor sees it: one line without numbers, dates and e-mail addresses."""
    return shorten(masking.mask(text, masking.EVERYTHING).text, EXAMPLE_WORDS)


def _gap(group: Sequence[Asked], examples: int) -> Gap:
    words: dict[str, dict[str, None]] = {}
    counts: dict[str, int] = {}
    chances: dict[str, float] = {}
    for one in group:
        counts[one.language] = counts.get(one.language, 0) + 1
        words.setdefault(one.language, {})[as_example(one.text)] = None
        for topic, chance in one.candidates:
            chances[topic] = chances.get(topic, 0.0) + chance
    return Gap(
        seed=min(one.ticket_id for one in group),
        tickets=tuple(one.ticket_id for one in group),
        people=len({one.contact_id for one in group}),
        still_open=sum(one.is_open for one in group),
        languages=dict(sorted(counts.items(), key=lambda item: -item[1])),
        examples={language: tuple(texts)[:examples] for language, texts in words.items()},
        near=tuple(sorted(chances, key=lambda topic: -chances[topic])[:2]),
    )
