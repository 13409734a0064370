"""Pulse surveys as data: what is asked, of whom and when, and the words. Files: `surveys.yaml` and one a language."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field

from bot.content.schema import Key, Model
from bot.locales import LANGUAGES, fold

Kind = Literal["scale5", "scale11", "single", "multiple", "number", "open"]
Event = Literal["brede_intake", "progress_talk", "lessons_start", "lessons_end", "ticket_answered"]
Phase = Literal["not_started", "brede_intake", "waiting_for_lessons", "lessons", "exam", "finished"]
Domain = Literal[  # Home Office, Indicators of Integration framework 2019 (third edition)
    "work",
    "housing",
    "education",
    "health_and_social_care",
    "leisure",
    "social_bonds",
    "social_bridges",
    "social_links",
    "language_and_communication",
    "culture",
    "digital_skills",
    "safety",
    "stability",
    "rights_and_responsibilities",
]
Value = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,12}$")]
ItemId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{2,29}$")]  # with its value it fits a button's 64 bytes
_FIXED = {"scale5": tuple("12345"), "scale11": tuple(map(str, range(11)))}
CONTROLS = ("skip", "back", "later", "go", "enough")


class Condition(Model):
    """Asked only when an earlier item was answered with one of these values."""

    item: ItemId
    values: Annotated[tuple[Value, ...], Field(min_length=1)]


class Audience(Model):
    """Who is asked: an empty list means everybody. Somebody whose phase isn't known is asked no item of a phase."""

    phases: tuple[Phase, ...] = ()
    types: tuple[Literal["asylum", "family"], ...] = ()
    work: tuple[Literal["working", "not_working"], ...] = ()


class Item(Model):
    """One question. `versions` holds the fingerprint of each wording it ever had; the highest is the one asked."""

    study: Annotated[str, Field(pattern=r"^Q\d{1,2}$")] | None = None
    kind: Kind
    scale: str | None = None  # the name of its labels, for items of kind scale5 and scale11
    options: tuple[Value, ...] = ()
    alone: Value | None = None  # the option of a multiple item that excludes all others: "none of these"
    low: int = 0
    high: int = 0
    domain: Domain | None = None
    higher_is_worse: bool = False
    audience: Audience = Audience()
    ask_if: Condition | None = None
    versions: Annotated[dict[int, str], Field(min_length=1)]

    @property
    def version(self) -> int:
        return max(self.versions)

    @property
    def values(self) -> tuple[str, ...]:
        """What can be chosen, in the order of the question; empty for a number and for words."""
        return _FIXED.get(self.kind, self.options)


class Schedule(Model):
    """When: so many days after an event, on a date, or every n months for a part of the panel."""

    after: Event | None = None
    days: Annotated[int, Field(ge=0, le=365)] = 0
    on: dt.date | None = None
    every_months: Annotated[int, Field(ge=1, le=36)] | None = None
    rotate: Annotated[int, Field(ge=1, le=24)] = 1  # the panel in so many parts, one a turn


class Survey(Model):
    """A few items, asked together."""

    items: Annotated[tuple[ItemId, ...], Field(min_length=1)]
    schedule: Schedule
    audience: Audience = Audience()
    reminder_after_days: Annotated[int, Field(ge=0, le=60)] = 7  # 0: no reminder
    closes_after_days: Annotated[int, Field(ge=1, le=365)] = 21


class Limits(Model):
    """How often a person may be asked for a survey, invitation and reminder together."""

    per_week: Annotated[int, Field(ge=1, le=7)] = 1
    per_month: Annotated[int, Field(ge=1, le=20)] = 2
    questions: Annotated[int, Field(ge=1, le=10)] = 3


class Wording(Model):
    """The words of one version of an item. `labels`: of its options; of an earlier version also those of a scale."""

    question: Annotated[str, Field(min_length=5, max_length=500)]
    labels: dict[str, Annotated[str, Field(min_length=1, max_length=50)]] = Field(default_factory=dict)


class ItemText(Wording):
    """The words of an item as it is asked now, and `before`: those of each earlier version, by its number."""

    before: dict[int, Wording] = Field(default_factory=dict)


class SurveyText(Model):
    """What a person is told before the first question. `why` says what becomes of the answers."""

    title: Annotated[str, Field(min_length=3, max_length=60)]
    why: Annotated[str, Field(min_length=10, max_length=400)]


class SurveyTexts(Model):
    """`<language>/surveys.yaml`. `words`: what else people write for a value of a scale; `controls`: for a button.

    `numbers`: figures in words. `name_cues` and `title_cues`: what stands before a name in an open answer.
    """

    scales: dict[str, dict[str, Annotated[str, Field(min_length=1, max_length=50)]]] = Field(default_factory=dict)
    words: dict[str, dict[str, list[str]]] = Field(default_factory=dict)
    controls: dict[str, list[str]] = Field(default_factory=dict)
    numbers: dict[str, list[str]] = Field(default_factory=dict)
    name_cues: list[str] = Field(default_factory=list)
    title_cues: list[str] = Field(default_factory=list)
    items: dict[str, ItemText] = Field(default_factory=dict)
    surveys: dict[str, SurveyText] = Field(default_factory=dict)


class Definition(Model):
    """`surveys.yaml`. `programme` names the whole: respondents of one programme have one pseudonym."""

    programme: Key
    limits: Limits = Limits()
    items: dict[ItemId, Item] = Field(default_factory=dict)
    surveys: dict[ItemId, Survey] = Field(default_factory=dict)


def _hash(item: Item, values: tuple[str, ...], words: list[Any]) -> str:
    data = json.dumps([item.kind, values, item.low, item.high, words], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(data.encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Surveys:
    """All surveys, with their words. Without a file there are none."""

    definition: Definition = field(default_factory=lambda: Definition(programme="none"))
    texts: Mapping[str, SurveyTexts] = field(default_factory=dict)

    @property
    def items(self) -> Mapping[str, Item]:
        return self.definition.items

    @property
    def surveys(self) -> Mapping[str, Survey]:
        return self.definition.surveys

    def question(self, item: str, language: str) -> str:
        return self.texts[language].items[item].question

    def label(self, item: str, value: str, language: str) -> str:
        """The words of a value; of a step between the ends of a 0-10 scale, the figure itself."""
        texts, scale = self.texts[language], self.items[item].scale
        labels = texts.scales[scale] if scale else texts.items[item].labels
        return labels.get(value, value)

    @cached_property
    def forms(self) -> Mapping[str, Mapping[str, str]]:
        """For each item what people may write for a value, folded, in every language: labels and common forms."""
        return {key: dict(self._forms_of(key)) for key in self.items}

    def _forms_of(self, key: str) -> Iterator[tuple[str, str]]:
        item = self.items[key]
        for texts in self.texts.values():
            for value in item.values:
                labels = texts.scales.get(item.scale, {}) if item.scale else texts.items[key].labels
                more = texts.words.get(item.scale or key, {}).get(value, [])
                yield from ((fold(form), value) for form in (*more, labels.get(value, "")) if form)

    @cached_property
    def controls(self) -> Mapping[str, str]:
        """What people write instead of a button of the survey, folded, in every language."""
        return {
            fold(form): control
            for texts in self.texts.values()
            for control, forms in texts.controls.items()
            for form in forms
        }

    def fingerprint(self, key: str) -> str:
        """A hash of everything that an answer's meaning hangs on: kind, values and words in all languages."""
        item = self.items[key]
        words = [
            [language, self.question(key, language), {value: self.label(key, value, language) for value in item.values}]
            for language in LANGUAGES
        ]
        return _hash(item, item.values, words)

    def earlier(self, key: str, version: int) -> dict[str, Wording]:
        """The words of an earlier version, by language. Only those languages that have them."""
        found = {language: self.texts[language].items[key].before.get(version) for language in LANGUAGES}
        return {language: wording for language, wording in found.items() if wording is not None}

    def earlier_fingerprint(self, key: str, version: int) -> str:
        """The same hash of the words that are kept of an earlier version. Its options are those that have a label."""
        item, wordings = self.items[key], self.earlier(key, version)
        values = _FIXED.get(item.kind) or tuple(next(iter(wordings.values())).labels)
        words = [
            [language, wording.question, {value: wording.labels.get(value, value) for value in values}]
            for language, wording in wordings.items()
        ]
        return _hash(item, values, words)

    @cached_property
    def numbers(self) -> Mapping[str, str]:
        """Figures in words, folded, in every language."""
        return {
            fold(form): number
            for texts in self.texts.values()
            for number, forms in texts.numbers.items()
            for form in forms
        }

    @property
    def name_cues(self) -> tuple[str, ...]:
        return tuple(cue for texts in self.texts.values() for cue in texts.name_cues)

    @property
    def title_cues(self) -> tuple[str, ...]:
        return tuple(cue for texts in self.texts.values() for cue in texts.title_cues)

    def longest(self, key: str) -> int:
        """How many questions anybody is asked at most: of items that exclude each other only one counts."""
        return max(len(path) for path in self.paths(key, lambda _: True))

    def paths(self, survey: str, fits: Callable[[str], bool]) -> Iterator[list[str]]:
        """Every way through a survey by the answers that later items hang on, of the items that fit a person."""
        items = self.surveys[survey].items
        decisive = {condition.item for key in items if (condition := self.items[key].ask_if) is not None}
        ways: list[tuple[list[str], dict[str, str]]] = [([], {})]
        for key in items:
            condition = self.items[key].ask_if
            longer = []
            for path, answers in ways:
                if not fits(key) or (condition is not None and answers.get(condition.item) not in condition.values):
                    longer.append((path, answers))
                    continue
                values = self.items[key].values if key in decisive else ("",)
                longer += [([*path, key], answers | {key: value}) for value in values]
            ways = longer
        yield from (path for path, _ in ways)
