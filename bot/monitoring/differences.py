"""Whether groups differ: t-tests, analysis of variance, a check by ranks, effect sizes with intervals.

Every figure comes from scipy or statsmodels. A figure that can't be had is None, with the reason beside it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats
from statsmodels.stats.meta_analysis import effectsize_smd  # type: ignore[import-untyped]  # it ships no types
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]  # as above
from statsmodels.stats.oneway import (  # type: ignore[import-untyped]  # as above
    anova_oneway,
    confint_effectsize_oneway,
    convert_effectsize_fsqu,
)
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW  # type: ignore[import-untyped]  # as above

from bot.monitoring.descriptive import significant

ALPHA = 0.05
NO_SPREAD = "no_spread"  # everybody gave the same answer
TOO_FEW = "too_few"  # a group of one, or of none
Figures = dict[str, Any]


def compare(groups: Mapping[str, Any]) -> Figures:
    """Tests of two or more groups of answers, in the order given. `groups` holds an array for each.

    With two: Student, Welch, Mann-Whitney, the difference and Hedges' g, both with a 95 % interval.
    With more: analysis of variance (and Welch's), Kruskal-Wallis, eta squared and omega squared.
    """
    names, arrays = list(groups), [np.asarray(values, dtype=float) for values in groups.values()]
    found: Figures = {"groups": names, "n": [len(values) for values in arrays]}
    if len(arrays) < 2 or min(map(len, arrays)) < 2:
        return found | {"reason": TOO_FEW}
    if all(np.ptp(values) == 0 for values in arrays):
        return found | {"reason": NO_SPREAD}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a group without spread: the figure becomes None below
        return found | (_two(*arrays) if len(arrays) == 2 else _several(arrays))


def _two(first: Any, second: Any) -> Figures:
    student, welch = (stats.ttest_ind(first, second, equal_var=is_equal) for is_equal in (True, False))
    ends = welch.confidence_interval(1 - ALPHA)
    ranks = stats.mannwhitneyu(first, second, alternative="two-sided")
    return {
        "student": _test(student.statistic, student.pvalue, df=student.df),
        "welch": _test(welch.statistic, welch.pvalue, df=welch.df),
        "mann_whitney": _test(ranks.statistic, ranks.pvalue, name="u"),
        "difference": _interval(float(first.mean() - second.mean()), ends.low, ends.high),
        "hedges_g": hedges(_summary(first), _summary(second)),
        "p": significant(float(student.pvalue)),
        "significant": bool(student.pvalue < ALPHA),
    }


def _several(arrays: Sequence[Any]) -> Figures:
    plain = stats.f_oneway(*arrays)
    ranks = stats.kruskal(*arrays)
    n, k = sum(map(len, arrays)), len(arrays)
    found: Figures = {
        "anova": _test(plain.statistic, plain.pvalue, name="f", df=[k - 1, n - k]),
        "kruskal_wallis": _test(ranks.statistic, ranks.pvalue, name="h", df=k - 1),
        "p": significant(float(plain.pvalue)),
        "significant": bool(plain.pvalue < ALPHA),
        **_explained(float(plain.statistic), k - 1, n - k),
    }
    if all(np.ptp(values) > 0 for values in arrays):
        welch = anova_oneway(arrays, use_var="unequal")
        found["welch_anova"] = _test(welch.statistic, welch.pvalue, name="f", df=list(welch.df))
    return found


def _explained(f: float, between: int, within: int) -> Figures:
    """Eta squared with the interval from the noncentral F distribution, and omega squared."""
    effect = convert_effectsize_fsqu(f2=f * between / within)
    omega = (
        (f - 1) * between / (between * (f - 1) + between + within + 1)
    )  # Hays 1963; statsmodels gives its interval only
    ends = confint_effectsize_oneway(f, (between, within), nobs=between + within + 1)
    return {
        "eta_squared": _interval(float(effect.eta2), *(max(0.0, float(end)) for end in ends.eta2)),
        "omega_squared": _interval(omega, *(float(end) for end in ends.ci_omega2)),
    }


def from_summaries(first: tuple[float, float, int], second: tuple[float, float, int]) -> Figures:
    """The same for two groups of which only (M, SD, n) is known: Student, Welch, difference and Hedges' g."""
    (m1, s1, n1), (m2, s2, n2) = first, second
    found: Figures = {"n": [n1, n2]}
    if min(n1, n2) < 2:
        return found | {"reason": TOO_FEW}
    if s1 == 0 and s2 == 0:
        return found | {"reason": NO_SPREAD}
    student = stats.ttest_ind_from_stats(m1, s1, n1, m2, s2, n2, equal_var=True)
    welch = stats.ttest_ind_from_stats(m1, s1, n1, m2, s2, n2, equal_var=False)
    means = CompareMeans(_spread(*first), _spread(*second))
    return found | {
        "student": _test(student.statistic, student.pvalue, df=n1 + n2 - 2),
        "welch": _test(welch.statistic, welch.pvalue, df=float(means.dof_satt())),
        "difference": _interval(m1 - m2, *means.tconfint_diff(usevar="unequal")),
        "hedges_g": hedges(first, second),
        "p": significant(float(student.pvalue)),
        "significant": bool(student.pvalue < ALPHA),
    }


def _summary(values: Any) -> tuple[float, float, int]:
    return float(values.mean()), float(values.std(ddof=1)), len(values)


def _spread(m: float, sd: float, n: int) -> Any:
    """Two weighted values that have this mean, this standard deviation and this number of answers."""
    half = sd * np.sqrt((n - 1) / n)
    return DescrStatsW(np.array([m - half, m + half]), weights=np.array([n / 2, n / 2]))


def hedges(first: tuple[float, float, int], second: tuple[float, float, int]) -> Figures | None:
    """Hedges' g with its 95 % interval (Borenstein 2009, by statsmodels); None where nobody differs from anybody."""
    if first[1] == second[1] == 0:
        return None
    g, variance = effectsize_smd(*first, *second)
    low, high = stats.norm.interval(1 - ALPHA, loc=g, scale=np.sqrt(variance))
    return _interval(float(g), float(low), float(high))


def holm(tests: Sequence[Figures]) -> None:
    """Add `p_holm` and `significant_holm` to tests that belong together: one background, every item."""
    counted = [test for test in tests if test.get("p") is not None]
    if not counted:
        return
    rejected, corrected, _, _ = multipletests([test["p"] for test in counted], alpha=ALPHA, method="holm")
    for test, p, is_rejected in zip(counted, corrected, rejected, strict=True):
        test["p_holm"], test["significant_holm"] = significant(float(p)), bool(is_rejected)


def _test(statistic: float, p: float, *, df: Any = None, name: str = "t") -> Figures | None:
    if not np.isfinite(statistic) or not np.isfinite(p):
        return None
    found = {name: significant(float(statistic), 5), "p": significant(float(p))}
    return found if df is None else found | {"df": np.round(df, 2).tolist()}


def _interval(value: float, low: float, high: float) -> Figures:
    return {name: round(float(number), 4) for name, number in (("value", value), ("low", low), ("high", high))}
