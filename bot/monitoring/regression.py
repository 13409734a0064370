"""Regressions as the study did them: a difference controlled for type or gender, and standardised betas with stars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # it ships no types
from scipy import stats
from statsmodels.regression.linear_model import OLS  # type: ignore[import-untyped]  # as above
from statsmodels.tools import add_constant  # type: ignore[import-untyped]  # as above

from bot.monitoring.descriptive import significant
from bot.monitoring.differences import ALPHA, NO_SPREAD, TOO_FEW

# What is controlled for: gender (women or men) and type (asylum or family). Who is neither falls out, as in the study.
CONTROLS = {"gender": ("women", "men"), "type": ("asylum", "family")}
STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
Figures = dict[str, Any]


def stars(p: float) -> str:
    """*** p < .001, ** p < .01, * p < .05, as the study prints them."""
    return next((marks for limit, marks in STARS if p < limit), "")


def controls_for(background: str, frame: pd.DataFrame) -> list[str]:
    """What a difference by this background is controlled for: type for gender, gender for type, both for others."""
    return [name for name in CONTROLS if name != background and name in frame]


def controlled(frame: pd.DataFrame, background: str, groups: Sequence[str]) -> Figures:
    """The difference between groups with the controls held equal. `frame` has `value` and the backgrounds.

    Two groups: the coefficient of the first against the second, its interval and p. More: the F test of all of them.
    """
    names = controls_for(background, frame)
    found: Figures = {"controlled_for": names}
    if not names:
        return found | {"reason": "no_controls"}
    used = frame[frame[background].isin(list(groups))]
    for name in names:
        used = used[used[name].isin(CONTROLS[name])]
    dummies = [(used[background] == group).to_numpy(dtype=float) for group in groups[:-1]]
    columns = np.column_stack([*dummies, *_dummies(used, names)])
    fitted = _fit(used["value"].to_numpy(), columns)
    if isinstance(fitted, str):
        return found | {"n": len(used), "reason": fitted}
    n_groups = len(dummies)
    joint = fitted.f_test(np.eye(n_groups, columns.shape[1] + 1, k=1)) if n_groups > 1 else None
    p = float(joint.pvalue) if joint is not None else float(fitted.pvalues[1])
    found |= {"n": len(used), "p": significant(p), "significant": bool(p < ALPHA)}
    if joint is None:
        low, high = fitted.conf_int(ALPHA)[1]
        found |= {"b": round(float(fitted.params[1]), 4), "low": round(float(low), 4), "high": round(float(high), 4)}
    else:
        found |= {"f": significant(float(np.squeeze(joint.fvalue)), 5)}
    return found


def beta(frame: pd.DataFrame, predictor: str, outcome: str) -> Figures:
    """Standardised coefficient of an item for another, controlled for gender and type.

    `frame` has a column for each item and the backgrounds. Everybody counts who answered both and has both backgrounds.
    """
    names = [name for name in CONTROLS if name in frame]
    used = frame[[predictor, outcome, *names]].dropna()
    for name in names:
        used = used[used[name].isin(CONTROLS[name])]
    found: Figures = {"predictor": predictor, "outcome": outcome, "n": len(used), "controlled_for": names}
    if len(used) < len(names) + 3:
        return found | {"reason": TOO_FEW}
    x, y = used[predictor].to_numpy(dtype=float), used[outcome].to_numpy(dtype=float)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return found | {"reason": NO_SPREAD}
    fitted = _fit(stats.zscore(y, ddof=1), np.column_stack([stats.zscore(x, ddof=1), *_dummies(used, names)]))
    if isinstance(fitted, str):
        return found | {"reason": fitted}
    p = float(fitted.pvalues[1])
    low, high = fitted.conf_int(ALPHA)[1]
    return found | {
        "beta": round(float(fitted.params[1]), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "p": significant(p),
        "stars": stars(p),
    }


def _dummies(used: pd.DataFrame, names: Sequence[str]) -> list[Any]:
    return [(used[name] == CONTROLS[name][0]).to_numpy(dtype=float) for name in names]


def _fit(outcome: Any, columns: Any) -> Any:
    """A fitted least squares regression, or the reason why there is none."""
    if len(outcome) < columns.shape[1] + 3:
        return TOO_FEW
    if np.ptp(outcome) == 0:
        return NO_SPREAD
    varying = columns[:, [np.ptp(columns[:, place]) != 0 for place in range(columns.shape[1])]]
    if varying.shape[1] < columns.shape[1]:
        return "no_variation_in_a_control"
    design = add_constant(columns, has_constant="add")
    if np.linalg.matrix_rank(design.T @ design) < design.shape[1]:
        return "groups_coincide"
    return OLS(outcome, design).fit(method="qr")


def relations(frame: pd.DataFrame, predictors: Sequence[str], outcomes: Mapping[str, str]) -> list[Figures]:
    """Every predictor with every outcome of which the file has answers."""
    pairs = [(p, o) for o in outcomes for p in predictors if p in frame and o in frame and p != o]
    return [beta(frame, predictor, outcome) for predictor, outcome in pairs]
