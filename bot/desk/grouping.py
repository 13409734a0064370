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

import numpy as np
from numpy.typing import NDArray

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

Encode = Callable[[Sequence[str]], Vectors]


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
        rows = self._words(questions) * [[question.language in ENCODED] for question in questions]
        chances = _topics(questions, weigh=lambda chance, _: chance)
        enough = np.where(_of_other_topics(chances), ALMOST_ITS_WORDS, SAME_WORDS)
        alike = np.maximum(rows @ rows.T / enough, chances @ chances.T / SAME_TOPIC)
        distances = 1 / np.maximum(alike[np.triu_indices(len(questions), 1)], 1e-3)
        groups: dict[int, list[int]] = {}
        for place, label in enumerate(_clusters(distances, "complete", 1)):
            groups.setdefault(label, []).append(place)
        return list(groups.values())

    def _labels(self, questions: Sequence[Question]) -> list[int]:
        if len(questions) < 2:
            return list(range(len(questions)))
        rows = np.hstack([self._words(questions), _topics(questions)])
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        distances = np.clip(1 - rows @ rows.T, 0, None)[np.triu_indices(len(questions), 1)]
        return _clusters(distances, "average", APART)

    def _words(self, questions: Sequence[Question]) -> NDArray[np.float64]:
        return np.array([self._vector(question.text) for question in questions], dtype=np.float64)


def _clusters(distances: NDArray[np.float64], method: str, apart: float) -> list[int]:
    """The number of the group of each place."""
    from scipy.cluster.hierarchy import fcluster, linkage  # noqa: PLC0415  # 27 MB and 0.3 s that a server needs only here

    return [int(label) for label in fcluster(linkage(distances, method), apart, "distance")]


def _of_other_topics(chances: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Of which two questions each is thought to be about a topic, but not about the same one."""
    if not chances.shape[1]:
        return np.zeros((len(chances), len(chances)), dtype=bool)
    first, thought = chances.argmax(axis=1), chances.max(axis=1) > THOUGHT
    apart: NDArray[np.bool_] = (first[:, None] != first) & thought[:, None] & thought
    return apart


def _hellinger(chance: float, whole: float) -> float:
    return max(chance, 0.0) ** 0.5 / whole**0.5 if whole > 0 else 0.0


def _topics(questions: Sequence[Question], weigh: Callable[[float, float], float] = _hellinger) -> NDArray[np.float64]:
    """A row for each question: its chances, or their square roots (Hellinger), which make a row of length 1."""
    names = sorted({topic for question in questions for topic, _ in question.candidates})
    column = {topic: number for number, topic in enumerate(names)}
    rows = np.zeros((len(questions), len(names)))
    for row, question in zip(rows, questions, strict=True):
        whole = sum(chance for _, chance in question.candidates)
        for topic, chance in question.candidates:
            row[column[topic]] = weigh(chance, whole)
    return rows
