"""Words, parts of words and skeletons of words, counted and compared (tf-idf, cosine). Numpy only.

Catches what the encoders miss: names, Dutch terms, dialect words, typing faults, Arabic in Latin letters.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bot.understanding.normalise import words
from bot.understanding.skeleton import skeleton

_WORD_PARTS = (2, 3, 4, 5)
_SKELETON_PARTS = (2, 3, 4)
STEPS = 65_535  # of a share: numpy reads whole numbers twice as fast as half floats
_RARE_ENOUGH = 50  # texts: a feature of fewer always has its list

Floats = NDArray[np.float32]


def _features(text: str) -> NDArray[np.uint32]:
    """The hash of every feature of a text."""
    plain = words(text)
    bones = [bone for bone in map(skeleton, plain) if bone]
    pairs = [
        _hash(f"{kind}{first} {second}")
        for kind, row in (("b", plain), ("T", bones))
        for first, second in pairwise(row)
    ]
    return np.concatenate([*map(_of_word, plain), np.array(pairs, dtype=np.uint32)])


@lru_cache(maxsize=20_000)
def _of_word(word: str) -> NDArray[np.uint32]:
    """The word, its skeleton and the parts of both. The first letter says which kind a feature is."""
    bone = skeleton(word)
    features = [f"w{word}", *(f"c{part}" for part in _parts(word, _WORD_PARTS))]
    if bone:
        features += [f"S{bone}", *(f"k{part}" for part in _parts(bone, _SKELETON_PARTS))]
    return np.array([_hash(feature) for feature in features], dtype=np.uint32)


def _hash(feature: str) -> int:
    return zlib.crc32(feature.encode())


def _parts(word: str, sizes: tuple[int, ...]) -> list[str]:
    framed = f"<{word}>"
    return [framed[start : start + size] for size in sizes for start in range(len(framed) - size + 1)]


def _counts(text: str) -> tuple[NDArray[np.uint32], Floats]:
    """Hashes of the features of a text, sorted, and their damped counts."""
    keys, counts = np.unique(_features(text), return_counts=True)
    return keys, 1 + np.log(counts.astype(np.float32))


@dataclass(frozen=True)
class GramIndex:
    """For each known feature the texts that have it: an inverted index."""

    keys: NDArray[np.uint32]  # sorted
    weights: Floats  # of each key: inverse document frequency
    starts: NDArray[np.int32]  # where the list of each key starts; one more than keys
    texts: NDArray[np.uint16]
    shares: NDArray[np.uint16]  # weight of the feature in that text in steps of 1/65,535, texts having length 1
    size: int  # number of texts
    unknown: float  # weight of a feature that no text has

    @classmethod
    def build(cls, texts: Sequence[str]) -> GramIndex:
        """Index texts (at most 65,535). What stands in an eighth of them says nothing: it has a weight, but no list."""
        counted = [_counts(text) for text in texts]
        flat = np.concatenate([keys for keys, _ in counted])
        owner = np.repeat(np.arange(len(texts), dtype=np.uint16), [len(keys) for keys, _ in counted])
        keys, inverse, frequency = np.unique(flat, return_inverse=True, return_counts=True)
        weights = (np.log((1 + len(texts)) / (1 + frequency)) + 1).astype(np.float32)
        shares = np.concatenate([values for _, values in counted]) * weights[inverse]
        lengths = np.sqrt(np.bincount(owner, shares**2, len(texts))).astype(np.float32)
        shares /= np.maximum(lengths[owner], 1e-6)
        frequency = np.where(frequency > max(_RARE_ENOUGH, len(texts) // 8), 0, frequency)
        order = np.argsort(inverse, kind="stable")
        order = order[frequency[inverse[order]] > 0]
        starts = np.concatenate([[0], np.cumsum(frequency)]).astype(np.int32)
        unknown = float(np.log(1 + len(texts)) + 1)
        steps = np.round(shares[order] * STEPS).astype(np.uint16)
        return cls(keys, weights, starts, owner[order], steps, len(texts), unknown)

    def similarity(self, text: str) -> Floats:
        """Cosine of a text with every indexed text."""
        keys, values = _counts(text)
        if not len(keys) or not len(self.keys):
            return np.zeros(self.size, dtype=np.float32)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = self.keys[at] == keys
        length = np.sqrt(np.sum((values * np.where(known, self.weights[at], self.unknown)) ** 2))
        at, values = at[known], values[known] * self.weights[at[known]] / length
        starts, ends = self.starts[at], self.starts[at + 1]
        if not len(at):
            return np.zeros(self.size, dtype=np.float32)
        lists = list(zip(starts.tolist(), ends.tolist(), strict=True))
        shares = np.concatenate([self.shares[start:end] for start, end in lists])
        product = shares * np.repeat((values / STEPS).astype(np.float32), ends - starts)
        return np.bincount(np.concatenate([self.texts[start:end] for start, end in lists]), product, self.size).astype(
            np.float32
        )
