"""How alike questions are, in numbers: the half of `grouping` that needs numpy (20 MB, and 27 MB more with scipy)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from bot.desk.grouping import ALMOST_ITS_WORDS, APART, ENCODED, SAME_TOPIC, SAME_WORDS, THOUGHT, Question, Vector


def loosely(questions: Sequence[Question], vector: Vector) -> list[int]:
    """The number of the group of each of at least two questions: words and topics together."""
    rows = np.hstack([_words(questions, vector), _topics(questions)])
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    distances = np.clip(1 - rows @ rows.T, 0, None)[np.triu_indices(len(questions), 1)]
    return _clusters(distances, "average", APART)


def closely(questions: Sequence[Question], vector: Vector) -> list[int]:
    """The same, where every two of a group are about one topic or have words that are alike."""
    rows = _words(questions, vector) * [[question.language in ENCODED] for question in questions]
    chances = _topics(questions, weigh=lambda chance, _: chance)
    enough = np.where(_of_other_topics(chances), ALMOST_ITS_WORDS, SAME_WORDS)
    alike = np.maximum(rows @ rows.T / enough, chances @ chances.T / SAME_TOPIC)
    distances = 1 / np.maximum(alike[np.triu_indices(len(questions), 1)], 1e-3)
    return _clusters(distances, "complete", 1)


def _words(questions: Sequence[Question], vector: Vector) -> NDArray[np.float64]:
    return np.array([vector(question.text) for question in questions], dtype=np.float64)


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
