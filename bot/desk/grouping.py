"""Questions that mean the same, put together: for the batch of a klantregisseur and for the gaps of the editors.

Two things are compared: the words, by a sentence encoder that knows many languages (2 ms a question), and what the
understanding made of them, the chances of the topics that every ticket carries. Measured on 63 unseen questions of 15
topics in three languages, with their own topic taken out of the chances: of two questions in one group 72 % belong
together, and 33 % of the pairs that do are found; the words alone reach 23 % at the same precision. So a group is an
offer, never a decision: whoever answers it sees every question of it.

For a batch `closely` asks for more: both are probably about one topic, or their words are alike (nearly the same ones
where they are thought to be about two topics), and so every two of a group. What that brings stands in docs/desk.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.understanding.encoders import Vectors

MOST = 2000  # questions that are compared with each other: 2 million pairs, a second
APART = 0.70  # distance (1 - cosine) from which two questions are different
_CACHED = 8192
SAME_TOPIC = 0.5  # chance that two questions are about the same topic
SAME_WORDS = 0.5  # cosine of two questions that no topic joins
ALMOST_ITS_WORDS = 0.7  # the same, where both are thought to be about topics, and not about the same one
THOUGHT = 0.3  # chance from which a question is thought to be about a topic
# What the encoder was made for. Of other languages it sees only letters that it doesn't know, all alike.
ENCODED = frozenset(("ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh"))

Encode = Callable[[Sequence[str]], "Vectors"]
Vector = Callable[[str], Any]  # the vector of one text


@dataclass(frozen=True)
class Question:
    """What is compared: the words, and the topics they were thought to be about with their chances."""

    text: str
    candidates: tuple[tuple[str, float], ...] = ()
    language: str = ""


class Grouper:
    """Puts questions together. Remembers the vectors of words that it saw; safe to call from several threads."""

    def __init__(self, encode: Encode) -> None:
        self._vector = lru_cache(maxsize=_CACHED)(lambda text: encode([text])[0])

    def group(self, questions: Sequence[Question]) -> list[list[int]]:
        """Places of questions that mean the same, the largest group first; within a group in the order given.

        Every place comes back exactly once; what is beyond `MOST` stands alone.
        """
        near, rest = questions[:MOST], range(min(MOST, len(questions)), len(questions))
        groups: dict[int, list[int]] = {}
        for place, label in enumerate(self._labels(near)):
            groups.setdefault(label, []).append(place)
        found = [*groups.values(), *([place] for place in rest)]
        return sorted(found, key=lambda group: (-len(group), group[0]))

    def closely(self, questions: Sequence[Question]) -> list[list[int]]:
        """Places of questions of which every two in a group mean the same; groups and members in the order given."""
        if len(questions) < 2:
            return [[place] for place in range(len(questions))]
        from bot.desk import likeness  # noqa: PLC0415  # as below

        groups: dict[int, list[int]] = {}
        for place, label in enumerate(likeness.closely(questions, self._vector)):
            groups.setdefault(label, []).append(place)
        return list(groups.values())

    def _labels(self, questions: Sequence[Question]) -> list[int]:
        if len(questions) < 2:
            return list(range(len(questions)))
        from bot.desk import likeness  # noqa: PLC0415  # numpy: 20 MB that a server needs only here

        return likeness.loosely(questions, self._vector)
