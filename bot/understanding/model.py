"""The fitted model: plain arrays in one file, and the scores they give a text."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bot.understanding.grams import GramIndex
from bot.understanding.kernel import Floats, Space

FORMAT = 1


@dataclass(frozen=True)
class Head:
    """Votes of the examples for each class, and how to turn scores into probabilities."""

    votes: Floats  # one row an example, one column a class
    sharpness: float  # factor on the scores before they become probabilities
    offset: float = 0.0


@dataclass(frozen=True)
class Model:
    """`classes` are the topics, then the other labels that are a class of their own."""

    topics: tuple[str, ...]
    classes: tuple[str, ...]
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    languages: tuple[str, ...]
    e5: Space
    use: Space
    index: GramIndex
    heads: dict[str, Head]  # full, fast, crisis_full, crisis_fast


def save(model: Model, path: Path) -> None:
    """Write the model as one npz without pickles, whole or not at all."""
    described = {
        "format": FORMAT,
        "topics": model.topics,
        "classes": model.classes,
        "texts": model.texts,
        "labels": model.labels,
        "languages": model.languages,
        "size": model.index.size,
        "unknown": model.index.unknown,
        "heads": {name: [head.sharpness, head.offset] for name, head in model.heads.items()},
    }
    arrays: dict[str, Any] = {
        "described": np.frombuffer(json.dumps(described).encode(), dtype=np.uint8),
        **{f"{name}_mean": space.mean for name, space in (("e5", model.e5), ("use", model.use))},
        **{f"{name}_rows": space.rows for name, space in (("e5", model.e5), ("use", model.use))},
        **{f"index_{name}": getattr(model.index, name) for name in ("keys", "weights", "starts", "texts", "shares")},
        **{f"votes_{name}": head.votes for name, head in model.heads.items()},
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
    with np.load(path, allow_pickle=False) as file:
        described = json.loads(file["described"].tobytes())
        if described["format"] != FORMAT:
            raise ValueError("another format")
        index = GramIndex(
            **{name: file[f"index_{name}"] for name in ("keys", "weights", "starts", "texts", "shares")},
            size=described["size"],
            unknown=described["unknown"],
        )
        return Model(
            topics=tuple(described["topics"]),
            classes=tuple(described["classes"]),
            texts=tuple(described["texts"]),
            labels=tuple(described["labels"]),
            languages=tuple(described["languages"]),
            e5=Space(file["e5_mean"], file["e5_rows"]),
            use=Space(file["use_mean"], file["use_rows"]),
            index=index,
            heads={name: Head(file[f"votes_{name}"], *values) for name, values in described["heads"].items()},
        )
