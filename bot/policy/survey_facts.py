"""What a decision about a survey may look at. Pure; `bot/surveys.py` gathers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.content.surveys import Item, Surveys


class Ending(StrEnum):
    """How an invitation ended."""

    DONE = "done"
    BROKEN_OFF = "broken_off"  # begun, and stopped before the last question
    DECLINED = "declined"  # no, thank you
    NEVER = "never"  # no surveys any more
    NOT_REACHED = "not_reached"  # never sent: said stop, blocked us, the wave closed before


@dataclass(frozen=True)
class Background:
    """Groups a person belongs to; "unknown" where the municipality doesn't say."""

    type: str = "unknown"
    gender: str = "unknown"
    age_group: str = "unknown"
    route: str = "unknown"
    phase: str = "unknown"
    work_status: str = "unknown"


@dataclass(frozen=True)
class Others:
    """How others answered an item of this survey: the mean of `n` people."""

    item: str
    mean: float
    n: int


@dataclass(frozen=True)
class SurveyFacts:
    """One invitation of the person who writes, or whose timer came due."""

    invitation: int
    survey: str
    is_open: bool  # the wave is live, or on trial for somebody of the staff
    state: str  # waiting, asked, started, or an Ending
    background: Background = Background()
    answers: Mapping[str, str | None] = field(default_factory=dict)  # items answered or skipped (None)
    goes_at: datetime | None = None  # for a timer: when it may be sent; None: never
    waits: str = ""  # for what it waits, where that is counted
    template_cost: int | None = None  # goes only by a template, for so many millionths of a euro
    is_reminded: bool = False
    is_dull: bool = False  # a timer that the person overtook, or the second of two
    others: Others | None = None
    for_all: bool = False  # a preview, or a trial by a colleague: whoever it is for


def fits(item: Item, background: Background) -> bool:
    """Whether an item is for people of this background. Somebody of unknown phase is asked nothing of a phase."""
    who = item.audience
    known = ((who.phases, background.phase), (who.types, background.type), (who.work, background.work_status))
    return all(not groups or mine in groups for groups, mine in known)


def is_asked(surveys: Surveys, key: str, background: Background | None, answers: Mapping[str, str | None]) -> bool:
    """Whether a person is asked an item, after what was answered so far. No background: whoever it is for."""
    item = surveys.items[key]
    if background is not None and not fits(item, background):
        return False
    return item.ask_if is None or answers.get(item.ask_if.item) in item.ask_if.values


def next_item(surveys: Surveys, facts: SurveyFacts, after: str, answers: Mapping[str, str | None]) -> str | None:
    """The item after one ("" for the first), or None at the end."""
    items = surveys.surveys[facts.survey].items
    start = items.index(after) + 1 if after else 0
    background = None if facts.for_all else facts.background
    return next((key for key in items[start:] if is_asked(surveys, key, background, answers)), None)


def count_items(surveys: Surveys, facts: SurveyFacts) -> int:
    """How many questions a person is asked at most, to say it beforehand."""
    paths = surveys.paths(facts.survey, lambda key: facts.for_all or fits(surveys.items[key], facts.background))
    return max(len(path) for path in paths)
