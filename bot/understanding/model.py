"""The fitted model: plain arrays in one file, and the scores they give a message. Numpy only."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np

from bot.understanding.arrays import Arrays, read_arrays, write_arrays
from bot.understanding.examples import Example, fingerprint
from bot.understanding.grams import GramIndex
from bot.understanding.kernel import Floats, Space
from bot.understanding.language import Languages
from bot.understanding.reading import Vocabulary

FORMAT = 9  # raise it when fitted models of older code must not be used any more
_INDEX = ("keys", "weights", "starts", "texts", "shares")


@dataclass(frozen=True)
class Scores:
    """Chance of each class, and how much a message sounds like danger (1: as much as half of those that do)."""

    chances: Floats
    danger: float

    def without(self, place: int) -> Scores:
        """The same where one class is ruled out: its chance goes to the others."""
        chances = self.chances.copy()
        chances[place] = 0
        return Scores(chances / max(float(chances.sum()), 1e-6), self.danger)


@dataclass(frozen=True)
class Head:
    """Votes of each example (row) for each class, and in the last column for danger.

    Scores become chances as a softmax, after multiplication by `sharpness`, which was fitted on left-out examples.
    """

    votes: Floats
    sharpness: float

    def scores(self, kernel: Floats) -> Scores:
        """Scores of a message that is so much like each example."""
        return self._scores(kernel @ self.votes)

    def scores_of(self, kernels: Floats) -> list[Scores]:
        """The same of several messages, a row each."""
        return [self._scores(raw) for raw in kernels @ self.votes]

    def _scores(self, raw: Floats) -> Scores:
        scaled = self.sharpness * raw[:-1]
        chances = np.exp(scaled - scaled.max())
        return Scores(chances / chances.sum(), float(raw[-1]))


class Stored(Sequence[Example]):
    """Examples that are read when somebody asks why: in memory they would take 10 MB."""

    def __init__(self, texts: Arrays) -> None:
        self._bytes, self._ends = texts["examples"], texts["example_ends"]

    @overload
    def __getitem__(self, at: int) -> Example: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Example]: ...
    def __getitem__(self, at: int | slice) -> Example | Sequence[Example]:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        at = range(len(self))[at]
        start = self._ends[at - 1] if at else 0
        return Example(*json.loads(self._bytes[start : self._ends[at]].tobytes()))

    def __len__(self) -> int:
        return len(self._ends)


@dataclass(frozen=True)
class Model:
    """`classes` are the topics, then the other labels that are a class of their own."""

    topics: tuple[str, ...]
    classes: tuple[str, ...]
    examples: Sequence[Example]
    e5: Space
    use: Space
    index: GramIndex
    languages: Languages
    vocabulary: Vocabulary
    full: Head
    fast: Head


def model_path(content_dir: Path, cache_dir: Path) -> Path:
    """Where the model of this content, for this version of the code, is kept."""
    return cache_dir / f"understanding-{FORMAT}-{fingerprint(content_dir)}.npz"


def save(model: Model, path: Path) -> None:
    """Write the model as one npz without pickles, whole or not at all."""
    described = {
        "format": FORMAT,
        "topics": model.topics,
        "classes": model.classes,
        "unknown": model.index.unknown,
        "vocabulary": [model.vocabulary.arabic, model.vocabulary.in_latin, model.vocabulary.others],
        "sharpness": [model.full.sharpness, model.fast.sharpness],
    }
    texts = [json.dumps((example.text, example.label, example.language)).encode() for example in model.examples]
    arrays: dict[str, Any] = {
        "described": np.frombuffer(json.dumps(described).encode(), dtype=np.uint8),
        "examples": np.frombuffer(b"".join(texts), dtype=np.uint8),
        "example_ends": np.cumsum([len(text) for text in texts]),
        **{f"e5_{name}": getattr(model.e5, name) for name in ("mean", "basis", "rows")},
        **{f"use_{name}": getattr(model.use, name) for name in ("mean", "basis", "rows")},
        **{f"index_{name}": getattr(model.index, name) for name in _INDEX},
        "language_keys": model.languages.keys,
        "language_shares": model.languages.shares,
        "votes_full": model.full.votes,
        "votes_fast": model.fast.votes,
    }
    write_arrays(path, arrays)


def load(path: Path) -> Model:
    """A model whose arrays stay in their file. Raises one of `arrays.BROKEN` when it is missing or broken."""
    arrays = read_arrays(path)
    model = _model(arrays)
    if "examples" in arrays:
        return model
    with contextlib.suppress(OSError):  # of older code, whose arrays can't be mapped
        save(model, path)
        return _model(read_arrays(path))
    return model


def _model(arrays: Arrays) -> Model:
    described = json.loads(arrays["described"].tobytes())
    if described["format"] != FORMAT:
        raise ValueError("another format")
    listed = described.get("examples")
    examples = Stored(arrays) if listed is None else [Example(*fields) for fields in listed]
    e5, use = (Space(*(arrays[f"{name}_{part}"] for part in ("mean", "basis", "rows"))) for name in ("e5", "use"))
    model = Model(
        topics=tuple(described["topics"]),
        classes=tuple(described["classes"]),
        examples=examples,
        e5=e5,
        use=use,
        index=GramIndex(
            **{name: arrays[f"index_{name}"] for name in _INDEX}, size=len(examples), unknown=described["unknown"]
        ),
        vocabulary=Vocabulary(*described["vocabulary"]),
        languages=Languages(arrays["language_keys"], arrays["language_shares"]),
        full=Head(arrays["votes_full"], described["sharpness"][0]),
        fast=Head(arrays["votes_fast"], described["sharpness"][1]),
    )
    if {len(head.votes) for head in (model.full, model.fast)} != {len(examples)}:
        raise ValueError("votes and examples don't fit")
    return model
