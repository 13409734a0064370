"""Calibration that is fitted on some of the messages and used on the others, so that the figures don't flatter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import optimize

from bot.understanding.decide import Calibration
from bot.understanding.engine import Engine, Look
from bot.understanding.measures import Judged

FOLDS = 5
_LEAST = 20  # messages to fit two numbers to; below that the figures would be noise


def cross_validated(engine: Engine, looks: Sequence[Look], judged: Sequence[Judged]) -> list[Judged]:
    """The same messages, each concluded with a calibration that was fitted on the other folds; none when too few.

    The costs of errors are not fitted: they say what an error is worth.
    """
    if len(judged) < FOLDS * _LEAST:
        return []
    found = []
    calibrations = [fitted(engine, *_without(fold, looks, judged)) for fold in range(FOLDS)]
    for at, (look, one) in enumerate(zip(looks, judged, strict=True)):
        found.append(replace(one, said=engine.conclude(look, calibrations[at % FOLDS])))
    return found


def _without(fold: int, looks: Sequence[Look], judged: Sequence[Judged]) -> tuple[list[Look], list[Judged]]:
    kept = [at for at in range(len(judged)) if at % FOLDS != fold]
    return [looks[at] for at in kept], [judged[at] for at in kept]


def fitted(engine: Engine, looks: Sequence[Look], judged: Sequence[Judged]) -> Calibration:
    """Slope and shift under which the first candidates' confidences are most likely (Platt 1999)."""
    plain = Calibration(1.0, 0.0)
    chances, right = [], []
    for look, one in zip(looks, judged, strict=True):
        if look.danger or look.smalltalk:
            continue  # they are not decided by chance
        first = engine.conclude(look, plain).candidates[0]
        chances.append(first.confidence)
        right.append(first.topic in one.query.topics)
    odds = np.log(np.array(chances) / (1 - np.array(chances)))
    signs = np.where(right, 1.0, -1.0)

    def loss(numbers: Sequence[float]) -> float:
        return float(np.logaddexp(0, -signs * (numbers[0] * odds + numbers[1])).mean())

    slope, shift = optimize.minimize(loss, (0.8, 0.5), method="Nelder-Mead").x
    return Calibration(float(slope), float(shift))
