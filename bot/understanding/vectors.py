"""Vectors of the example texts, kept so that a fit computes only what is new.

They stand in two places: beside the content, written by `wegwijs content vectors` and shipped with it, so that a fresh
installation need not compute them for minutes; and in the folder of the models, for texts that came later. A file that
is missing, broken or of other weights is as good as none.
"""

from __future__ import annotations

import hashlib
import logging
import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.understanding.arrays import write_arrays
from bot.understanding.encoders import Encoder, Vectors

_PROBE = "hoe lang, how long, quanto tempo"  # its vector says with which weights a file was made
_SAME = 0.02  # difference between two machines that is only rounding
_CHUNK = 32  # texts that one thread takes at a time
_STEPS = 127  # a number takes one byte; the cosine of two vectors changes by less than 0.002

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """A vector in one byte a number."""

    steps: NDArray[np.int8]
    scale: float

    @classmethod
    def of(cls, vector: Vectors) -> Row:
        """The nearest vector in whole steps."""
        scale = float(np.abs(vector).max()) / _STEPS or 1.0
        return cls(np.rint(vector / scale).astype(np.int8), scale)


def vectors_path(folder: Path, encoder: Encoder) -> Path:
    """Where a folder keeps the vectors of an encoder."""
    return folder / f"vectors-{encoder.name}.npz"


def vectors(encoder: Encoder, texts: Sequence[str], shipped: Path, cache: Path) -> Vectors:
    """One row a text. What neither folder has is computed, and kept in `cache`."""
    probe = encoder.encode([_PROBE])[0]
    known = {**_read(vectors_path(cache, encoder), probe), **_read(vectors_path(shipped, encoder), probe)}
    keys = [text_key(text) for text in texts]
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    if missing:
        log.info("%s: %d new texts", encoder.name, len(missing))
        known.update(zip(missing, map(Row.of, _encode(encoder, list(missing.values()))), strict=True))
        _write(vectors_path(cache, encoder), probe, {key: known[key] for key in keys})
    scales = np.array([known[key].scale for key in keys], dtype=np.float32)
    return np.stack([known[key].steps for key in keys]) * scales[:, None]


def ship(encoder: Encoder, texts: Sequence[str], shipped: Path, cache: Path) -> int:
    """Write the vectors of these texts beside the content; gives how many. Nothing else stays in the file."""
    probe = encoder.encode([_PROBE])[0]
    rows = map(Row.of, vectors(encoder, texts, shipped, cache))
    kept = dict(zip(map(text_key, texts), rows, strict=True))
    _write(vectors_path(shipped, encoder), probe, kept)
    vectors_path(shipped, encoder).chmod(0o644)  # it is no secret, unlike most that the service writes
    return len(kept)


def not_shipped(encoder_name: str, texts: Iterable[str], shipped: Path) -> int:
    """How many different texts have no vector beside the content. Raises OSError or ValueError for a broken file."""
    with np.load(shipped / f"vectors-{encoder_name}.npz", allow_pickle=False) as file:
        known = set(file["keys"].tolist())
    return len({text_key(text) for text in texts} - known)


def text_key(text: str) -> int:
    """What a text is found by."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _encode(encoder: Encoder, texts: list[str]) -> Vectors:
    chunks = [texts[start : start + _CHUNK] for start in range(0, len(texts), _CHUNK)]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return np.concatenate(list(pool.map(encoder.encode, chunks)))


def _write(path: Path, probe: Vectors, rows: Mapping[int, Row]) -> None:
    """Sorted and not compressed: a few new texts make a small difference in version control."""
    keys = sorted(rows)
    arrays = {
        "probe": probe,
        "keys": np.array(keys, dtype=np.uint64),
        "scales": np.array([rows[key].scale for key in keys], dtype=np.float32),
        "steps": np.stack([rows[key].steps for key in keys]),
    }
    write_arrays(path, arrays)


def _read(path: Path, probe: Vectors) -> dict[int, Row]:
    try:
        with path.open("rb") as stored, np.load(stored, allow_pickle=False) as file:
            found = file["probe"]
            if found.shape != probe.shape or not np.abs(found - probe).max() < _SAME:
                log.info("%s was made with other weights: not used", path)
                return {}
            steps, scales = file["steps"], file["scales"].tolist()
            if steps.dtype != np.int8 or steps.shape[1:] != probe.shape:
                return {}
            return {key: Row(row, scale) for key, row, scale in zip(file["keys"].tolist(), steps, scales, strict=True)}
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError):
        return {}
