"""Fits the model to a content folder: `python -m bot.understanding.fit CONTENT MODEL`.

Runs in a process of its own, because it needs a gigabyte for some seconds that the service should not keep.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize, sparse

from bot.errors import ContentError
from bot.understanding.encoders import E5, Use
from bot.understanding.examples import CRISIS, NOT_CRISIS, OFF_TOPIC, PERSON, SMALLTALK, Pack, read_pack
from bot.understanding.grams import STEPS, GramIndex
from bot.understanding.kernel import FAST, FULL, Floats, Mix, Space, bell
from bot.understanding.language import Languages
from bot.understanding.lexicon import read_lexicon
from bot.understanding.model import Head, Model, save
from bot.understanding.reading import Reading, Vocabulary, make_reader
from bot.understanding.vectors import vectors

Doubles = NDArray[np.float64]

RIDGE = 0.1  # how much votes are held back; from 0.03 to 0.3 the figures are the same
ALARMING = -0.15  # what alarming words that are no crisis count as danger; examples of other topics count 0
_BLOCK = 512  # rows of a kernel that are made at once: the whole would need a gigabyte more

log = logging.getLogger(__name__)


def fit(content_dir: Path, path: Path) -> None:
    """Fit and save. Vectors of texts seen before come from the same folder, so a changed example costs only itself."""
    pack = read_pack(content_dir)
    languages, vocabulary, readings = read_all(content_dir, pack)
    common = [reading.common for reading in readings]
    e5, use = (Space.of(vectors(encoder, common, content_dir, path.parent)) for encoder in (E5(), Use(path.parent)))
    index = GramIndex.build([reading.counted for reading in readings])
    counted = _gram_kernel(index)
    full, fast = (_fit_head(_mixed(mix, e5, use, counted), pack) for mix in (FULL, FAST))
    save(Model(pack.topics, _classes(pack), pack.examples, e5, use, index, languages, vocabulary, full, fast), path)


def read_all(content_dir: Path, pack: Pack) -> tuple[Languages, Vocabulary, list[Reading]]:
    """What the examples teach about languages and words, and the examples as the matching reads them."""
    vocabulary = Vocabulary.of(pack.examples)
    languages = Languages.learn((example.language, example.text) for example in pack.examples)
    reader = make_reader(read_lexicon(content_dir), languages, vocabulary)
    return languages, vocabulary, [reader.read_example(example) for example in pack.examples]


def _classes(pack: Pack) -> tuple[str, ...]:
    labels = {example.label for example in pack.examples}
    return (*pack.topics, *(label for label in (PERSON, OFF_TOPIC, SMALLTALK) if label in labels))


def _mixed(mix: Mix, e5: Space, use: Space, counted: Floats) -> Floats:
    kernel = mix.grams * counted
    for share, space in ((mix.e5, e5), (mix.use, use)):
        if share:
            alike = bell(space.rows @ space.rows.T)
            alike *= share
            kernel += alike
    return kernel


def _gram_kernel(index: GramIndex) -> Floats:
    lists = (index.shares / np.float32(STEPS), index.texts.astype(np.int32), index.starts)
    columns = sparse.csc_matrix(lists, shape=(index.size, len(index.keys)))
    rows, columns = columns.tocsr(), columns.T.tocsr()
    kernel = np.empty((index.size, index.size), dtype=np.float32)
    for start in range(0, index.size, _BLOCK):
        (rows[start : start + _BLOCK] @ columns).toarray(out=kernel[start : start + _BLOCK])
    return kernel


def _fit_head(kernel: Floats, pack: Pack) -> Head:
    classes = _classes(pack)
    targets = np.stack([_target(example.label, classes, pack.crisis_topic) for example in pack.examples])
    counts = np.asarray(targets[:, :-1].max(axis=1) > 0)
    votes, left_out = _solve(kernel, targets, free=~counts)
    sharpness = _sharpness(left_out[counts, :-1], targets[counts, :-1].argmax(axis=1))
    votes[:, -1] /= _typical(left_out[targets[:, -1] > 0, -1])
    return Head(np.ascontiguousarray(votes), sharpness)


def _typical(dangers: Doubles) -> float:
    """What a left-out message of danger scores: 1 from then on, so limits mean the same for every pack."""
    return max(float(np.median(dangers)), 0.2) if len(dangers) else 1.0


def _target(label: str, classes: Sequence[str], crisis_topic: str) -> Doubles:
    """What an example votes for: its class, and in the last column danger."""
    target = np.zeros(len(classes) + 1)
    danger = label == CRISIS or (label == crisis_topic and bool(label))
    topic = crisis_topic if label == CRISIS else label
    if topic in classes:
        target[classes.index(topic)] = 1
    target[-1] = 1.0 if danger else ALARMING if label == NOT_CRISIS else 0.0
    return target


def _solve(kernel: Floats, targets: Doubles, free: NDArray[np.bool_]) -> tuple[Floats, Doubles]:
    """Votes, and the scores that each example would get if it had been left out. Uses up the kernel.

    `free` examples belong to no class: they vote for what the others say of them, so they count for danger only.
    """
    matrix = kernel.T  # it is symmetric, and columns in a row spare a copy
    matrix[np.diag_indices_from(matrix)] += RIDGE
    factor, _ = linalg.cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    votes = linalg.cho_solve((factor, True), targets.astype(np.float32), check_finite=False)
    inverse, _ = linalg.lapack.strtri(factor, lower=1, overwrite_c=1)
    diagonal = np.array([column[at:] @ column[at:] for at, column in enumerate(inverse.T)])[:, None]
    said = np.zeros_like(targets)
    said[free, :-1] = (targets - votes / diagonal)[free, :-1]
    votes += _product(inverse, free, said[free])
    return votes, targets + said - votes / diagonal


def _product(inverse: Floats, rows: NDArray[np.bool_], values: Doubles) -> Floats:
    """The inverse of the kernel times values that stand in some rows; `inverse` is that of its lower factor."""
    columns = inverse[:, rows]
    for column, at in zip(columns.T, np.flatnonzero(rows), strict=True):
        column[:at] = 0  # above the diagonal stands something else
    half = columns @ values.astype(np.float32)
    product: Floats = linalg.blas.strmm(1.0, inverse, half, lower=1, trans_a=1)
    return product


def _sharpness(scores: Doubles, truth: NDArray[np.int64]) -> float:
    """The factor with which left-out scores, as a softmax, are best calibrated."""

    def loss(factor: float) -> float:
        scaled = factor * scores
        scaled -= scaled.max(axis=1, keepdims=True)
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(len(truth)), truth]))

    return float(optimize.minimize_scalar(loss, bounds=(1, 60), method="bounded").x)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    try:
        fit(Path(sys.argv[1]), Path(sys.argv[2]))
    except ContentError as error:
        sys.exit(str(error))
