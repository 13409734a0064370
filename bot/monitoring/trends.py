"""Items over time: each wave with its interval, and what changed within the people who answered twice."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # it ships no types
from scipy import stats

from bot.monitoring.answers import Answers, Scale
from bot.monitoring.choices import figures_of
from bot.monitoring.descriptive import describe, printed, significant
from bot.monitoring.differences import ALPHA, NO_SPREAD
from bot.monitoring.protection import Rules, hidden_figures, may_show, protected

Figures = dict[str, Any]


def trends(answers: Answers, rules: Rules) -> Figures:
    """For each item `waves` (figures of each that has answers to it) and `changes` from one of those to the next."""
    given = answers.frame[answers.frame["status"] == "answered"]
    names = answers.waves
    found: Figures = {}
    for name, scale in answers.scales.items():
        part = given[given["item"] == name]
        waves = {wave: part[part["wave"] == wave].set_index("respondent")["value"] for wave in names}
        asked = [wave for wave in names if len(waves[wave])]  # a wave has only some of the items
        changes = [_change(first, second, waves, rules) for first, second in pairwise(asked)]
        found[name] = {"waves": [_wave(wave, waves, scale, rules) for wave in asked], "changes": changes}
    return found


def choice_trends(answers: Answers, rules: Rules) -> Figures:
    """For each question on no scale of the study that was answered: `waves`, oldest first, of those that asked it.

    Options have their share with Wilson's interval, numbers a mean with its interval. Of words there is nothing to see
    over time.
    """
    given = answers.others[answers.others["status"] == "answered"]
    found: Figures = {}
    for name, question in answers.questions.items():
        part = given[given["item"] == name]
        if question.kind != "open" and len(part):
            by_wave = {wave: part[part["wave"] == wave] for wave in answers.waves}
            waves = [{"wave": wave} | figures_of(rows, question, rules) for wave, rows in by_wave.items() if len(rows)]
            labels = {value: dict(words) for value, words in question.labels.items()}
            found[name] = {"kind": question.kind, "label": dict(question.label), "labels": labels, "waves": waves}
    return found


def _wave(name: str, waves: Mapping[str, pd.Series], scale: Scale, rules: Rules) -> Figures:
    values = waves[name].to_numpy()
    shown = protected(describe(values, scale), rules) if may_show(len(values), rules) else hidden_figures(rules)
    return {"wave": name} | shown


def _change(first: str, second: str, waves: Mapping[str, pd.Series], rules: Rules) -> Figures:
    """The change of all who answered, the part within the panel (paired), and the rest: who answered changed.

    The panel is hidden where it, or those who answered only once, are too few people: one follows from the other.
    """
    before, after = waves[first], waves[second]
    found: Figures = {"from": first, "to": second}
    panel = before.index.intersection(after.index)
    if not (may_show(len(before), rules) and may_show(len(after), rules)):
        return found | {"reason": "hidden"}
    whole = float(after.mean() - before.mean())
    found["all"] = printed(whole)
    once = [len(before) - len(panel), len(after) - len(panel)]
    if len(panel) == 0:
        return found | {"panel": {"n": 0, "reason": "no_answers"}}
    if not may_show(len(panel), rules) or any(0 < number < rules.min_people for number in once):
        return found | {"panel": {"n": None, "reason": "hidden"}}
    return found | {"panel": _paired(before.loc[panel].to_numpy(), after.loc[panel].to_numpy(), whole)}


def _paired(before: Any, after: Any, whole: float) -> Figures:
    change = float(np.mean(after - before))
    found: Figures = {"n": len(before), "change": printed(change), "who_answered": printed(whole - change)}
    if np.ptp(after - before) == 0:
        return found | {"reason": NO_SPREAD}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nearly equal answers
        test = stats.ttest_rel(after, before)
        ends = test.confidence_interval(1 - ALPHA)
    return found | {
        "low": printed(float(ends.low)),
        "high": printed(float(ends.high)),
        "p": significant(float(test.pvalue)),
        "significant": bool(test.pvalue < ALPHA),
    }
