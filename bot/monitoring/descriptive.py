"""Mean, standard deviation, number and distribution of answers. By numpy and scipy; no formula of our own."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
from scipy import stats

from bot.monitoring.answers import Scale


def describe(values: Any, scale: Scale) -> dict[str, Any]:
    """The figures of some answers: m, sd (n - 1), n, the 95 % interval of m, and the distribution in whole %.

    `values` is an array of numbers on the scale; an answer between two marks gets a place of its own. Without answers m
    is None, for fewer than two sd is, without spread the interval (Student's t) is.
    """
    n = len(values)
    counts = dict(zip(*(part.tolist() for part in np.unique(values, return_counts=True)), strict=True))
    marks = sorted({*range(scale.low, scale.high + 1), *counts})
    return {
        "m": printed(float(np.mean(values))) if n else None,
        "sd": printed(float(np.std(values, ddof=1))) if n > 1 else None,
        "n": n,
        "interval": _interval(values) if n > 1 and np.ptp(values) > 0 else None,
        "distribution": [
            {"value": mark, "percent": printed(100 * counts.get(mark, 0) / n, 0)} for mark in (marks if n else [])
        ],
    }


def _interval(values: Any) -> dict[str, float]:
    low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
    return {"low": printed(float(low)), "high": printed(float(high))}


def printed(value: float, digits: int = 2) -> float:
    """As a study prints it: half goes up, also where the binary number lies a hair below the half."""
    if not math.isfinite(value):
        raise ValueError("only a finite number can be printed")
    step = Decimal(1).scaleb(-digits)
    return float(Decimal(repr(round(float(value), 10))).quantize(step, ROUND_HALF_UP))


def significant(value: float, digits: int = 4) -> float:
    """A number to so many figures that count: 0.00012345 is 0.0001235."""
    return float(f"{value:.{digits}g}")
