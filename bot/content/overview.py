"""All answers side by side in every language, with what an editor must know of each: data for a page. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bot import locales
from bot.content.figures import show
from bot.content.load import Content
from bot.content.schema import PLACEHOLDER, Figure, Status, Topic, placeholders
from bot.content.translations import SOURCE, lags
from bot.locales import LANGUAGES


class Flag(StrEnum):
    """What is up with an answer."""

    DRAFT = "draft"  # nobody at the municipality confirmed it yet
    CONFIRMED = "confirmed"
    STALE = "stale"  # past a review date: it is shown with a warning
    WITHHELD = "withheld"  # past its second date: not shown any more
    LAGGING = "lagging"  # a translation was not compared with the Dutch of now
    WAITS = "waits"  # a sentence waits for a figure of the municipality


@dataclass(frozen=True)
class Column:
    """An answer in one language, its figures filled in. One that waits keeps its name between braces."""

    language: str
    direction: str
    title: str
    question: str
    parts: Mapping[str, str]
    lags: bool


@dataclass(frozen=True)
class FigureUse:
    """A figure that an answer stands on. Without a value it waits, and `figure.to_confirm` is the question."""

    key: str
    figure: Figure
    shown: str
    file: str


@dataclass(frozen=True)
class Row:
    """A topic with its answer in every language."""

    key: str
    topic: Topic
    flags: tuple[Flag, ...]
    columns: tuple[Column, ...]
    parts: tuple[str, ...]
    figures: tuple[FigureUse, ...]


@dataclass(frozen=True)
class Overview:
    """The rows that were asked for, by group; `groups` and `counts` are of all topics."""

    rows: Mapping[str, tuple[Row, ...]]
    groups: Mapping[str, int]
    counts: Mapping[Flag, int]
    total: int
    today: date
    version: str


def overview(content: Content, today: date, group: str = "") -> Overview:
    """The overview of a group, or of everything where there is no such group."""
    lagging = {(lag.topic, lag.language) for lag in lags(content)}
    flags = {topic: _flags(content, topic, today, lagging) for topic in content.topics}
    chosen = [group] if group in content.groups else list(content.groups)
    rows = {
        name: tuple(_row(content, topic, flags[topic], lagging) for topic in content.of_group(name)) for name in chosen
    }
    return Overview(
        rows=rows,
        groups={name: len(content.of_group(name)) for name in content.groups},
        counts=Counter(flag for found in flags.values() for flag in found),
        total=len(content.topics),
        today=today,
        version=content.version,
    )


def _flags(content: Content, topic: str, today: date, lagging: set[tuple[str, str]]) -> tuple[Flag, ...]:
    withheld = content.is_withheld(topic, today)
    holds = {
        Flag.DRAFT: content.topics[topic].status is Status.DRAFT,
        Flag.CONFIRMED: content.topics[topic].status is Status.CONFIRMED,
        Flag.STALE: content.is_stale(topic, today) and not withheld,
        Flag.WITHHELD: withheld,
        Flag.LAGGING: any((topic, language) in lagging for language in LANGUAGES),
        Flag.WAITS: any(content.figures[key].value is None for key in _used(content, topic)),
    }
    return tuple(flag for flag, is_so in holds.items() if is_so)


def _row(content: Content, topic: str, flags: tuple[Flag, ...], lagging: set[tuple[str, str]]) -> Row:
    columns = tuple(_column(content, topic, language, lagging) for language in LANGUAGES)
    uses = (
        FigureUse(
            key=key,
            figure=content.figures[key],
            shown="" if content.figures[key].value is None else show(content.figures[key], content, SOURCE),
            file=content.where["figure", key][0],
        )
        for key in _used(content, topic)
    )
    return Row(topic, content.topics[topic], flags, columns, tuple(columns[0].parts), tuple(uses))


def _column(content: Content, topic: str, language: str, lagging: set[tuple[str, str]]) -> Column:
    answer = content.answer(topic, language)
    return Column(
        language=language,
        direction=locales.direction(language),
        title=_isolated(answer.title, language),
        question=_isolated(answer.question, language),
        parts={part: _isolated(_filled(text, content, language), language) for part, text in answer.parts().items()},
        lags=(topic, language) in lagging,
    )


def _filled(text: str, content: Content, language: str) -> str:
    def value(name: str) -> str:
        figure = content.figures[name]
        return f"{{{name}}}" if figure.value is None else show(figure, content, language)

    return PLACEHOLDER.sub(lambda match: value(match[1]), text)


def _isolated(text: str, language: str) -> str:
    return locales.isolate_latin(text) if locales.direction(language) == "rtl" else text


def _used(content: Content, topic: str) -> list[str]:
    """Every figure of an answer, those that wait too."""
    texts = content.answers[SOURCE][topic].parts().values()
    return sorted(set().union(*(placeholders(text) for text in texts)))
