"""Fits the model to a content folder: `python -m bot.understanding.fit CONTENT CACHE`.

Runs in a process of its own, because it needs a gigabyte for some seconds that the service should not keep.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

from bot.understanding.encoders import E5, Encoder, Use, Vectors
from bot.understanding.examples import CRISIS, NOT_CRISIS, OFF_TOPIC, PERSON, SMALLTALK, Pack, fingerprint, read_pack
from bot.understanding.grams import GramIndex
from bot.understanding.kernel import FAST, FULL, Mix, Space
from bot.understanding.model import FORMAT, Head, Model, save, write_arrays
from bot.understanding.normalise import readable

Doubles = NDArray[np.float64]
RIDGE = 0.1  # how much the votes are held back; 0.03 to 0.3 give the same figures
_VECTORS = "vectors-{}.npz"

log = logging.getLogger(__name__)


def model_path(content_dir: Path, cache_dir: Path) -> Path:
    """Where the model of this content, for this version of the code, is kept."""
    return cache_dir / f"understanding-{FORMAT}-{fingerprint(content_dir)}.npz"


def fit(content_dir: Path, cache_dir: Path) -> Path:
    """Fit and save. Vectors of texts seen before come from the cache, so a changed example costs only itself."""
    pack = read_pack(content_dir)
    texts = [readable(example.text) for example in pack.examples]
    e5, use = Space.of(_vectors(E5(), texts, cache_dir)), Space.of(_vectors(Use(), texts, cache_dir))
    index = GramIndex.build(texts)
    parts = {
        "e5": e5.similarity(e5.rows + e5.mean),
        "use": use.similarity(use.rows + use.mean),
        "grams": np.stack([index.similarity(text) for text in texts]),
    }
    labels = [_head_label(example.label, pack) for example in pack.examples]
    classes = (*pack.topics, *(label for label in (PERSON, OFF_TOPIC, SMALLTALK) if label in labels))
    heads: dict[str, Head] = {}
    for name, mix in (("full", FULL), ("fast", FAST)):
        kernel = mix.e5 * parts["e5"] + mix.use * parts["use"] + mix.grams * parts["grams"]
        heads[name] = _topic_head(kernel, labels, classes)
        heads[f"crisis_{name}"] = _crisis_head(kernel, pack)
    model = Model(
        topics=pack.topics,
        classes=classes,
        texts=tuple(example.text for example in pack.examples),
        labels=tuple(example.label for example in pack.examples),
        languages=tuple(example.language for example in pack.examples),
        e5=e5,
        use=use,
        index=index,
        heads=heads,
    )
    path = model_path(content_dir, cache_dir)
    save(model, path)
    return path


def _head_label(label: str, pack: Pack) -> str:
    return pack.crisis_topic if label == CRISIS else label


def _topic_head(kernel: NDArray[np.float32], labels: Sequence[str], classes: Sequence[str]) -> Head:
    number = {name: at for at, name in enumerate(classes)}
    used = np.array([label in number for label in labels])
    truth = np.array([number[label] for label in labels if label in number])
    votes, left_out = _solve(kernel[np.ix_(used, used)], np.eye(len(classes))[truth])
    everyone = np.zeros((len(labels), len(classes)), dtype=np.float32)
    everyone[used] = votes
    return Head(everyone, _sharpness(left_out, truth))


def _crisis_head(kernel: NDArray[np.float32], pack: Pack) -> Head:
    danger = np.array([example.label in (CRISIS, pack.crisis_topic) for example in pack.examples])
    if not danger.any():
        return Head(np.zeros((len(danger), 1), dtype=np.float32), 1.0)
    votes, _ = _solve(kernel, danger[:, None].astype(np.float64))
    return Head(votes.astype(np.float32), 1.0)


def _solve(kernel: NDArray[np.float32], targets: Doubles) -> tuple[Doubles, Doubles]:
    """Votes, and the score of each example had it been left out."""
    matrix = kernel.astype(np.float64)
    matrix[np.diag_indices_from(matrix)] += RIDGE
    factor = linalg.cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    inverse, _ = linalg.lapack.dpotri(factor[0], lower=True)
    votes = linalg.cho_solve(factor, targets, check_finite=False)
    return votes, targets - votes / np.diag(inverse)[:, None]


def _sharpness(scores: Doubles, truth: NDArray[np.int64]) -> float:
    """The factor with which left-out scores, as a softmax, are best calibrated."""

    def loss(factor: float) -> float:
        scaled = factor * scores
        scaled -= scaled.max(axis=1, keepdims=True)
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(len(truth)), truth]))

    return float(optimize.minimize_scalar(loss, bounds=(1, 60), method="bounded").x)


def _vectors(encoder: Encoder, texts: Sequence[str], cache_dir: Path) -> Vectors:
    path = cache_dir / _VECTORS.format(encoder.name)
    known = _read_vectors(path)
    keys = [hashlib.sha256(text.encode()).hexdigest()[:24] for text in texts]
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    if missing:
        log.info("%s: %d new texts", encoder.name, len(missing))
        known.update(zip(missing, _encode(encoder, list(missing.values())), strict=True))
        kept = dict.fromkeys(keys)
        write_arrays(path, {"keys": np.array(list(kept)), "vectors": np.stack([known[key] for key in kept])})
    return np.stack([known[key] for key in keys])


def _encode(encoder: Encoder, texts: list[str]) -> Vectors:
    size = 64
    chunks = [texts[start : start + size] for start in range(0, len(texts), size)]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return np.concatenate(list(pool.map(encoder.encode, chunks)))


def _read_vectors(path: Path) -> dict[str, Vectors]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(zip(file["keys"].tolist(), file["vectors"], strict=True))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError):
        return {}


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    fit(Path(sys.argv[1]), Path(sys.argv[2]))
