"""Words of danger, as data in `<lang>/crisis.yaml`: a phrase that matches means a person is told at once. Pure.

The rules are the one half of the crisis track, made to be read and mended by people who know the languages; the other
half is a classifier (`fit.py`) for everything that is said in other words. Either is enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.understanding.normalise import words
from bot.yaml_files import read_yaml

_GAP = r"(?: \S+){0,2} "  # at most two other words between two words of a phrase


@dataclass(frozen=True)
class Rules:
    """`danger` and `safe`: compiled phrases with their source. `alone`: messages that are a cry for help as a whole."""

    danger: tuple[tuple[str, re.Pattern[str]], ...] = ()
    safe: tuple[re.Pattern[str], ...] = ()
    alone: frozenset[str] = frozenset()

    def match(self, texts: Iterable[str]) -> str:
        """The phrase that one of the texts (the same message in several readings) holds; nothing where all is well."""
        folded = [f" {' '.join(words(text))} " for text in texts]
        if cry := next((text.strip() for text in folded if text.strip() in self.alone), ""):
            return cry
        if any(pattern.search(text) for pattern in self.safe for text in folded):
            return ""
        return next((source for source, pattern in self.danger for text in folded if pattern.search(text)), "")


def read_rules(content_dir: Path) -> Rules:
    """The rules of all languages together: people write in other languages than the one they chose."""
    danger: list[tuple[str, re.Pattern[str]]] = []
    safe: list[re.Pattern[str]] = []
    alone: set[str] = set()
    for path in sorted(content_dir.glob("*/crisis.yaml")):
        data = read_yaml(path, content_dir).data
        data = data if isinstance(data, dict) else {}
        danger += [(phrase, compile_phrase(phrase)) for phrase in _phrases(data.get("danger"))]
        safe += [compile_phrase(phrase) for phrase in _phrases(data.get("safe"))]
        alone |= {" ".join(words(phrase)) for phrase in _phrases(data.get("alone"))}
    return Rules(tuple(danger), tuple(safe), frozenset(alone))


def compile_phrase(phrase: str) -> re.Pattern[str]:
    """A phrase of `crisis.yaml` as a pattern for folded text with a space at both ends."""
    slots = [[_word(choice) for choice in slot.split("/") if choice] for slot in phrase.split()]
    return re.compile(" " + _GAP.join(f"(?:{'|'.join(filter(None, slot))})" for slot in slots) + " ")


def _word(choice: str) -> str:
    ending = r"\S*" if choice.endswith("*") else ""
    return r" ".join(re.escape(word) for word in words(choice.replace("_", " "))) + ending


def _phrases(listed: Any) -> Sequence[str]:
    return [str(phrase) for phrase in listed] if isinstance(listed, list) else []
