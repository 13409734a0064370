"""The fitted model: plain arrays in one file, and the scores they give a message. Numpy only."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

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
        raw = kernel @ self.votes
        scaled = self.sharpness * raw[:-1]
        chances = np.exp(scaled - scaled.max())
        return Scores(chances / chances.sum(), float(raw[-1]))


@dataclass(frozen=True)
class Model:
    """`classes` are the topics, then the other labels that are a class of their own."""

    topics: tuple[str, ...]
    classes: tuple[str, ...]
    examples: tuple[Example, ...]
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
        "examples": [(example.text, example.label, example.language) for example in model.examples],
        "unknown": model.index.unknown,
        "vocabulary": [model.vocabulary.arabic, model.vocabulary.in_latin, model.vocabulary.others],
        "sharpness": [model.full.sharpness, model.fast.sharpness],
    }
    arrays: dict[str, Any] = {
        "described": np.frombuffer(json.dumps(described).encode(), dtype=np.uint8),
        **{f"e5_{name}": getattr(model.e5, name) for name in ("mean", "basis", "rows")},
        **{f"use_{name}": getattr(model.use, name) for name in ("mean", "basis", "rows")},
        **{f"index_{name}": getattr(model.index, name) for name in _INDEX},
        "language_keys": model.languages.keys,
        "language_shares": model.languages.shares,
        "votes_full": model.full.votes,
        "votes_fast": model.fast.votes,
    }
    write_arrays(path, arrays)


def write_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """An npz that appears at once: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load(path: Path) -> Model:
    """Read a model. Raises OSError, ValueError, KeyError or zipfile.BadZipFile when it is missing or broken."""
    with path.open("rb") as stored, np.load(stored, allow_pickle=False) as file:
        described = json.loads(file["described"].tobytes())
        if described["format"] != FORMAT:
            raise ValueError("another format")
        examples = tuple(Example(*fields) for fields in described["examples"])
        model = Model(
            topics=tuple(described["topics"]),
            classes=tuple(described["classes"]),
            examples=examples,
            e5=Space(file["e5_mean"], file["e5_basis"], file["e5_rows"]),
            use=Space(file["use_mean"], file["use_basis"], file["use_rows"]),
            index=GramIndex(
                **{name: file[f"index_{name}"] for name in _INDEX}, size=len(examples), unknown=described["unknown"]
            ),
            vocabulary=Vocabulary(*described["vocabulary"]),
            languages=Languages(file["language_keys"], file["language_shares"]),
            full=Head(file["votes_full"], described["sharpness"][0]),
            fast=Head(file["votes_fast"], described["sharpness"][1]),
        )
    if {len(head.votes) for head in (model.full, model.fast)} != {len(examples)}:
        raise ValueError("votes and examples don't fit")
    return model
