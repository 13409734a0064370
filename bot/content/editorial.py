"""What editors owe readers beyond sound files: texts that are easy enough, and translations that keep up.

`wegwijs content check` holds a change back for these. A running service doesn't stop for them: an answer that is hard
to read, or whose Dutch was changed yesterday, still helps more than none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, ValidationError

from bot.content.figures import fill
from bot.content.load import Content, Reader
from bot.content.readability import HIGHER_IS_EASIER, Measure, hardest, measure
from bot.content.schema import Answer, Model, placeholders
from bot.content.translations import SOURCE, lags
from bot.errors import Fault
from bot.locales import LANGUAGES

FILE = "readability.yaml"
NAMES = {"nl": "Flesch-Douma", "en": "Flesch", "ar": "LIX"}


class Limit(Model):
    score: float
    longest: int
    reason: Annotated[str, Field(min_length=20)]


class Levels(Model):
    """`content/readability.yaml`."""

    limits: dict[str, Limit]
    small: int
    terms: dict[str, Annotated[str, Field(min_length=3)]]
    exceptions: dict[str, Annotated[str, Field(min_length=10)]] = Field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """What a part of an answer measures; the part "whole" is all of it."""

    language: str
    topic: str
    part: str
    text: str
    measure: Measure


def check(content: Content, reader: Reader) -> tuple[list[Fault], list[str]]:
    """The faults, and the distribution of the reading level in words."""
    found = [*_lagging(content, reader)]
    levels = read_levels(reader)
    if isinstance(levels, Fault):
        return [*found, levels], []
    readings = list(measured(content, levels))
    found += _too_hard(content, reader, levels, readings)
    return found, [distribution(readings, language, levels.limits[language]) for language in LANGUAGES]


def read_levels(reader: Reader) -> Levels | Fault:
    document = reader.read(reader.root / FILE)
    if document.faults:
        return document.faults[0]
    try:
        levels = Levels.model_validate(document.data)
    except ValidationError as error:
        problem = error.errors()[0]
        return document.fault(problem["loc"], f"{problem['msg']}; see docs/content.md")
    missing = [language for language in LANGUAGES if language not in levels.limits]
    return document.fault(("limits",), f"no limit for {', '.join(missing)}; add it") if missing else levels


def measured(content: Content, levels: Levels) -> Iterator[Reading]:
    """Every part whose figures have values, and every answer as a whole. Names of organisations are no hard words."""
    names = {word.casefold() for one in content.organisations.values() for word in one.name.split()}
    terms = frozenset(levels.terms) | names
    for language in LANGUAGES:
        for topic, answer in content.answers[language].items():
            texts = _texts(content, answer, language)
            for part, text in (texts | {"whole": "\n\n".join(texts.values())}).items():
                yield Reading(language, topic, part, text, measure(text, language, terms))


def _texts(content: Content, answer: Answer, language: str) -> dict[str, str]:
    return {
        part: fill(text, content, language)
        for part, text in answer.parts().items()
        if all(content.figures[name].value is not None for name in placeholders(text))
    }


def _too_hard(content: Content, reader: Reader, levels: Levels, readings: list[Reading]) -> Iterator[Fault]:
    excused: set[str] = set()
    for reading in readings:
        limit = levels.limits[reading.language]
        messages = []
        if reading.part != "whole" and reading.measure.longest_words > limit.longest:
            words = f"a sentence of {reading.measure.longest_words} words, at most {limit.longest}"
            messages.append(f"{words}; cut it in two: '{reading.measure.longest}'")
        if reading.part == "whole" or reading.measure.words >= levels.small:
            messages += _too_hard_words(reading, limit, levels)
        if reading.topic in levels.exceptions:
            excused |= {reading.topic} if messages else set()
            continue
        part = "" if reading.part == "whole" else reading.part
        yield from (_fault(content, reader, reading.language, (reading.topic, part), text) for text in messages)
    document = reader.documents[f"{reader.root.name}/{FILE}"]
    for topic in sorted(levels.exceptions.keys() - excused):
        yield document.fault(("exceptions", topic), "this answer needs no exception; remove it")


def _too_hard_words(reading: Reading, limit: Limit, levels: Levels) -> Iterator[str]:
    score = reading.measure.score
    higher = HIGHER_IS_EASIER[reading.language]
    if score < limit.score if higher else score > limit.score:
        bound = f"{'at least' if higher else 'at most'} {limit.score:g}"
        hard = ", ".join(hardest(reading.text, reading.language, frozenset(levels.terms)))
        name = NAMES[reading.language]
        yield f"too hard to read ({name} {score:.1f}, {bound}); shorter sentences, other words for: {hard}"


def _lagging(content: Content, reader: Reader) -> Iterator[Fault]:
    for topic, answer in content.answers[SOURCE].items():
        if answer.translated_from is not None:
            message = "only a translation has this; remove it"
            yield _fault(content, reader, SOURCE, (topic, "translated_from"), message)
    for lag in lags(content):
        message = "translated from an older Dutch text" if lag.stamp else "not yet compared with the Dutch text"
        mend = f"{message}; compare, then run: wegwijs content stamp {lag.topic}"
        yield _fault(content, reader, lag.language, (lag.topic, "translated_from"), mend)


def _fault(content: Content, reader: Reader, language: str, path: tuple[str, str], message: str) -> Fault:
    file, _ = content.where[language, path[0]]
    return reader.documents[file].fault(tuple(filter(None, path)), message)


def distribution(readings: list[Reading], language: str, limit: Limit) -> str:
    """How the answers of a language measure: lowest, median, nine of ten under, highest."""
    ours = [reading for reading in readings if reading.language == language]
    scores = sorted(reading.measure.score for reading in ours if reading.part == "whole")
    longest = sorted(reading.measure.longest_words for reading in ours if reading.part != "whole")
    bound = f"{'at least' if HIGHER_IS_EASIER[language] else 'at most'} {limit.score:g}"
    line = f"{language}: {NAMES[language]} {_spread(scores)} ({bound}); longest sentence {_spread(longest)} words"
    if language == "en":
        grades = sorted(reading.measure.grade for reading in ours if reading.part == "whole")
        line += f"; school year {_spread(grades)}"
    return line


def _spread(values: list[float] | list[int]) -> str:
    if not values:
        return "nothing to measure"
    places: Mapping[str, float] = {"min": 0, "median": 0.5, "p90": 0.9, "max": 1}
    return ", ".join(f"{name} {values[round(place * (len(values) - 1))]:.0f}" for name, place in places.items())
