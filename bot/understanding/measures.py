"""How good the understanding is, measured on labelled messages. Pure: judged messages in, figures out.

Any topic that is listed for a message counts as right. A message without topics must not be answered: those of kind
`smalltalk` want small talk, all others a person. A message with only the crisis topic wants the outcome crisis.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.understanding.outcome import Outcome, Understanding

OFFERED = 3
RESAMPLES = 1000
BINS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


@dataclass(frozen=True)
class Query:
    """A labelled message: `topics` best first."""

    id: str
    lang: str
    text: str
    topics: tuple[str, ...]
    kind: str


@dataclass(frozen=True)
class Judged:
    """A message, what the service made of it, and how long that took."""

    query: Query
    said: Understanding
    seconds: float
    crisis_topic: str

    @property
    def wants_crisis(self) -> bool:
        return bool(self.crisis_topic) and self.query.topics[:1] == (self.crisis_topic,)

    @property
    def wants_smalltalk(self) -> bool:
        return not self.query.topics and self.query.kind == "smalltalk"

    @property
    def wants_person(self) -> bool:
        return not self.query.topics and self.query.kind != "smalltalk"

    @property
    def answerable(self) -> bool:
        return bool(self.query.topics) and not self.wants_crisis

    @property
    def first(self) -> bool:
        return self.said.candidates[0].topic in self.query.topics

    @property
    def among_three(self) -> bool:
        return any(candidate.topic in self.query.topics for candidate in self.said.candidates[:OFFERED])

    @property
    def at_once(self) -> bool:
        return self.said.outcome is Outcome.ANSWER and self.first

    @property
    def after_one_question(self) -> bool:
        return self.at_once or (self.said.outcome is Outcome.CLARIFY and self.among_three)

    @property
    def wrong_answer(self) -> bool:
        return self.said.outcome is Outcome.ANSWER and not self.first


@dataclass(frozen=True)
class Figure:
    """A share with the interval that 95 of 100 resamples fall in."""

    share: float
    low: float
    high: float
    count: int


Test = Callable[[Judged], bool]
# Name, which messages count, and what is asked of them.
FIGURES: tuple[tuple[str, Test, Test], ...] = (
    ("first candidate right", lambda j: bool(j.query.topics), lambda j: j.first),
    ("right within three", lambda j: bool(j.query.topics), lambda j: j.among_three),
    ("answered at once and right", lambda j: j.answerable, lambda j: j.at_once),
    ("right after at most one question", lambda j: j.answerable, lambda j: j.after_one_question),
    ("wrong answer with confidence, of all", lambda _: True, lambda j: j.wrong_answer),
    ("must go to a person: not answered", lambda j: j.wants_person, lambda j: j.said.outcome is not Outcome.ANSWER),
    ("must go to a person: handed over", lambda j: j.wants_person, lambda j: j.said.outcome is Outcome.ESCALATE),
    ("crisis seen", lambda j: j.wants_crisis, lambda j: j.said.outcome is Outcome.CRISIS),
    ("false alarm, of no crisis", lambda j: not j.wants_crisis, lambda j: j.said.outcome is Outcome.CRISIS),
    ("small talk seen", lambda j: j.wants_smalltalk, lambda j: j.said.outcome is Outcome.SMALLTALK),
)


def figures(judged: Sequence[Judged]) -> dict[str, Figure]:
    """All figures of some messages; those for which no message counts are left out."""
    found = {}
    for name, counts, holds in FIGURES:
        results = [holds(one) for one in judged if counts(one)]
        if results:
            found[name] = _figure(results)
    return found


def _figure(results: Sequence[bool]) -> Figure:
    chooser = random.Random(1)  # noqa: S311  # resampling needs no secrets, and the same figures each time
    count = len(results)
    shares = sorted(sum(chooser.choices(results, k=count)) / count for _ in range(RESAMPLES))
    return Figure(sum(results) / count, shares[RESAMPLES // 40], shares[-RESAMPLES // 40], count)


def by(judged: Sequence[Judged], key: Callable[[Judged], str]) -> dict[str, list[Judged]]:
    """Messages in groups, in the order of the alphabet."""
    groups: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        groups[key(one)].append(one)
    return dict(sorted(groups.items()))


def confusions(judged: Sequence[Judged]) -> list[tuple[str, str, list[str]]]:
    """Pairs of wanted and found topics with their messages, most frequent first."""
    pairs: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in judged:
        if one.query.topics and not one.first:
            pairs[one.query.topics[0], one.said.candidates[0].topic].append(one.query.text)
    return [(*pair, texts) for pair, texts in sorted(pairs.items(), key=lambda item: (-len(item[1]), item[0]))]


def risk_coverage(judged: Sequence[Judged]) -> list[tuple[float, float]]:
    """If only the surest share of messages were answered: that share, and the errors among them.

    Small talk and crisis have their own tracks and don't count.
    """
    asked = [one for one in judged if one.answerable or one.wants_person]
    asked.sort(key=lambda one: -one.said.candidates[0].confidence)
    points, wrong = [], 0
    for at, one in enumerate(asked, 1):
        wrong += not one.first
        points.append((at / len(asked), wrong / at))
    return points


def reliability(judged: Sequence[Judged]) -> list[tuple[float, float, int, float, float]]:
    """For each range of confidence: how many first candidates, how sure they were, and how many were right."""
    rows = []
    for low, high in pairwise(BINS):
        inside = [one for one in judged if low <= one.said.candidates[0].confidence < high + (high == 1) * 1e-9]
        if inside:
            sure = sum(one.said.candidates[0].confidence for one in inside) / len(inside)
            right = sum(one.first for one in inside) / len(inside)
            rows.append((low, high, len(inside), sure, right))
    return rows


def languages(judged: Sequence[Judged]) -> dict[str, Counter[str]]:
    """Which languages were seen in messages of each chosen language."""
    return {
        name: Counter(one.said.language for one in group) for name, group in by(judged, lambda j: j.query.lang).items()
    }
