"""Which translations were made from an older Dutch text. Pure.

A translation carries `translated_from`: the fingerprint of the Dutch answer that it was compared with. When the Dutch
changes, the fingerprints differ until somebody has compared them again and stamped the translation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.content.load import Content
from bot.content.schema import Answer
from bot.locales import LANGUAGES
from bot.yaml_files import Path_

SOURCE, *TRANSLATIONS = LANGUAGES
LENGTH = 8  # characters of the fingerprint


@dataclass(frozen=True)
class Lag:
    """A translation that isn't known to say what the Dutch says now. `stamp` is the one it carries, if any."""

    topic: str
    language: str
    stamp: str | None


def stamp_of(answer: Answer) -> str:
    """The fingerprint of a Dutch answer: its title, its question and every part."""
    words = json.dumps([answer.title, answer.question, answer.parts()], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(words.encode()).hexdigest()[:LENGTH]


def lags(content: Content) -> Iterator[Lag]:
    """Every translation whose stamp is missing or of an older Dutch text, in the order of the topics."""
    for topic, dutch in content.answers[SOURCE].items():
        stamp = stamp_of(dutch)
        for language in TRANSLATIONS:
            answer = content.answers[language].get(topic)
            if answer is not None and answer.translated_from != stamp:
                yield Lag(topic, language, answer.translated_from)


def stamped(text: str, lines: Mapping[Path_, int], stamps: Mapping[str, str]) -> str:
    """The text of an answers file with the stamp of each topic in place. No other line is touched.

    `lines` are those of the document that was read from this text. A new stamp stands before `short`.
    """
    rows = text.split("\n")
    edits = []
    for topic, stamp in stamps.items():
        there = lines.get((topic, "translated_from"))
        place = there or lines.get((topic, "short"))
        if place is not None:
            edits.append((place - 1, bool(there), stamp))
    for place, replaces, stamp in sorted(edits, reverse=True):
        ending = "\r" if rows[place].endswith("\r") else ""
        rows[place : place + replaces] = [f'  translated_from: "{stamp}"{ending}']
    return "\n".join(rows)
