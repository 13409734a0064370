"""Words of danger, as data in `<lang>/crisis.yaml`: a phrase that matches means a person is told at once. Pure.

The rules are the one half of the crisis track, made to be read and mended by people who know the languages; the other
half is a classifier (`fit.py`) for everything that is said in other words. Either is enough.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from bot.understanding.normalise import words
from bot.yaml_files import read_yaml

_GAP = r"(?: \S+){0,2} "  # at most two other words between two words of a phrase


@dataclass(frozen=True)
class Phrases:
    """Phrases in their order. A text that holds one has a word by which it is found, so few are tried on each text."""

    sources: tuple[str, ...] = ()
    by_word: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    by_start: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # of a word whose end is left open
    always: tuple[int, ...] = ()  # places of those that are tried on every text

    @classmethod
    def of(cls, sources: Iterable[str]) -> Phrases:
        """Index phrases of `crisis.yaml`."""
        kept = tuple(sources)
        by_word: defaultdict[str, list[int]] = defaultdict(list)
        by_start: defaultdict[str, list[int]] = defaultdict(list)
        always = []
        for place, source in enumerate(kept):
            keys = _keys(source)
            for word, is_open in keys:
                (by_start if is_open else by_word)[word].append(place)
            if not keys:
                always.append(place)
        return cls(kept, _settled(by_word), _settled(by_start), tuple(always))

    def first(self, texts: Sequence[str]) -> str:
        """The first phrase that one of the texts, folded and with a space at both ends, holds; or nothing."""
        places = {place for text in texts for word in text.split() for place in self._found_by(word)}
        for place in sorted(places.union(self.always)):
            pattern = compile_phrase(self.sources[place])
            if any(map(pattern.search, texts)):
                return self.sources[place]
        return ""

    def _found_by(self, word: str) -> Iterator[int]:
        yield from self.by_word.get(word, ())
        for size in self._sizes:
            yield from self.by_start.get(word[:size], ())

    @cached_property
    def _sizes(self) -> tuple[int, ...]:
        return tuple({len(start) for start in self.by_start})


@dataclass(frozen=True)
class Rules:
    """`danger`, and `safe`: what only looks like it. `alone`: messages that are a cry for help as a whole."""

    danger: Phrases = Phrases()
    safe: Phrases = Phrases()
    alone: frozenset[str] = frozenset()

    def match(self, texts: Iterable[str]) -> str:
        """The phrase that one of the texts (the same message in several readings) holds; nothing where all is well."""
        folded = [f" {' '.join(words(text))} " for text in dict.fromkeys(texts)]
        if cry := next((text.strip() for text in folded if text.strip() in self.alone), ""):
            return cry
        return "" if self.safe.first(folded) else self.danger.first(folded)


def read_rules(content_dir: Path) -> Rules:
    """The rules of all languages together: people write in other languages than the one they chose."""
    danger: list[str] = []
    safe: list[str] = []
    alone: set[str] = set()
    for path in sorted(content_dir.glob("*/crisis.yaml")):
        data = read_yaml(path, content_dir).data
        data = data if isinstance(data, dict) else {}
        danger += _phrases(data.get("danger"))
        safe += _phrases(data.get("safe"))
        alone |= {" ".join(words(phrase)) for phrase in _phrases(data.get("alone"))}
    return Rules(Phrases.of(danger), Phrases.of(safe), frozenset(alone))


@lru_cache(maxsize=2_000)
def compile_phrase(phrase: str) -> re.Pattern[str]:
    """A phrase of `crisis.yaml` as a pattern for folded text with a space at both ends."""
    slots = [
        "|".join(" ".join(map(re.escape, spoken)) + r"\S*" * is_open for spoken, is_open in slot)
        for slot in _choices(phrase)
    ]
    return re.compile(" " + _GAP.join(f"(?:{slot})" for slot in slots) + " ")


def _choices(phrase: str) -> list[list[tuple[list[str], bool]]]:
    """For each slot of a phrase its choices: words, and whether the end of the last is left open."""
    slots = [
        [(words(choice.replace("_", " ")), choice.endswith("*")) for choice in slot.split("/")]
        for slot in phrase.split()
    ]
    return [[(spoken, is_open) for spoken, is_open in slot if spoken] for slot in slots]


def _keys(phrase: str) -> list[tuple[str, bool]]:
    """Words of which one stands in every text that holds the phrase: of the slot whose shortest choice is longest."""
    slots = [[(spoken[0], is_open and len(spoken) == 1) for spoken, is_open in slot] for slot in _choices(phrase)]
    return max(filter(None, slots), key=lambda slot: min(len(word) for word, _ in slot), default=[])


def _settled(listed: Mapping[str, list[int]]) -> dict[str, tuple[int, ...]]:
    return {word: tuple(places) for word, places in listed.items()}


def _phrases(listed: Any) -> Sequence[str]:
    return [str(phrase) for phrase in listed] if isinstance(listed, list) else []
