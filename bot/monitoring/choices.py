"""Figures of items that are on no scale of the study: shares of options, means of numbers, counts of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # it ships no types
from scipy import stats

from bot.monitoring.answers import Scale
from bot.monitoring.descriptive import describe, printed, significant
from bot.monitoring.protection import REST, SMALL_PERCENT, Rules, hidden_everywhere, may_show, ordered, protected
from bot.monitoring.questions import NUMBERS, Question, parts
from bot.monitoring.response import share
from bot.monitoring.vocabulary import BACKGROUNDS, DERIVED, groups_of

ALPHA = 0.05
Figures = dict[str, Any]


def choices(frame: pd.DataFrame, questions: Mapping[str, Question], rules: Rules) -> Figures:
    """The figures of each such item that was asked: of everybody, of groups, and whether two groups differ.

    `frame` has one row for each respondent and item. Of open answers only their number is told.
    """
    found: Figures = {}
    for name, question in questions.items():
        asked = frame[(frame["item"] == name) & (frame["status"] != "not_asked")]
        if len(asked):
            found[name] = _item(asked, question, rules)
    return found


def _item(asked: pd.DataFrame, question: Question, rules: Rules) -> Figures:
    given = asked[asked["status"] == "answered"]
    total = figures_of(given, question, rules)
    found: Figures = {
        "kind": question.kind,
        "label": dict(question.label),
        "labels": {value: dict(words) for value, words in question.labels.items()},
        "total": total,
        "groups": {},
        "differences": {},
    }
    if may_show(len(asked), rules) and (total["n"] or not len(given)):
        found["asked"] = len(asked)
        found |= {"answered": share(len(given), len(asked))} if total["n"] else {}
    if total["n"] is None or question.kind == "open":
        return found
    members = members_of(given, (*BACKGROUNDS, *DERIVED))
    hidden = hidden_everywhere(members, len(given), rules)
    for background, groups in members.items():
        shown = {
            group: {"n": None, "reason": "hidden", "fewer_than": rules.min_people}
            if group in hidden[background]
            else figures_of(given[groups[group]], question, rules)
            for group in ordered(list(groups), groups_of(background))
        }
        found["groups"][background] = shown
        if question.kind == "single":
            found["differences"][background] = _difference(given, background, shown, question)
    return found


def members_of(given: pd.DataFrame, backgrounds: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Who of the rows is in each group of each background that the answers have."""
    found: dict[str, dict[str, Any]] = {}
    for background in backgrounds:
        if background in given:
            column = given[background].astype("category").cat
            codes = column.codes.to_numpy()
            groups = {str(name): codes == place for place, name in enumerate(column.categories)}
            found[background] = {name: who for name, who in groups.items() if who.any()}
    return {background: groups for background, groups in found.items() if groups}


def figures_of(given: pd.DataFrame, question: Question, rules: Rules) -> Figures:
    """Of these answers to one question: shares of its options, mean and median of numbers, or how many wrote words."""
    n = len(given)
    if n == 0:
        return {"n": 0, "reason": "no_answers"}
    if not may_show(n, rules):
        return {"n": None, "reason": "hidden", "fewer_than": rules.min_people}
    if question.kind == "open":
        return {"n": n}
    if question.kind in NUMBERS:
        scale = Scale(question.item, question.item, question.low, question.high, question.higher_is_worse)
        found = protected(describe(given["value"].to_numpy(), scale), rules)
        median = printed(float(np.median(given["value"])), 1)
        return found | {"median": median} | ({"distribution": []} if question.kind == "number" else {})
    counts = counted(given["text"], question.options)
    return {"n": n, "options": [_option(value, number, n, rules) for value, number in counts.items()]}


def counted(texts: pd.Series, values: Sequence[str]) -> dict[str, int]:
    """How many chose each option; with several options a person counts for each."""
    counts = dict.fromkeys(values, 0)
    for text, number in texts.value_counts().items():
        for value in dict.fromkeys(parts(str(text))):
            counts[value] += int(number)
    return counts


def _option(value: str, number: int, n: int, rules: Rules) -> Figures:
    """The share of an option in whole %, with Wilson's interval; a small one is only said to be small."""
    found = share(number, n)
    percent = printed(100 * number / n, 0)
    if rules.strict and percent < SMALL_PERCENT:
        return {"value": value, "percent": None, "below": SMALL_PERCENT}
    return {"value": value, "percent": percent, "low": found["low"], "high": found["high"]}


def _difference(given: pd.DataFrame, background: str, groups: Figures, question: Question) -> Figures:
    """Chi-squared of the options by the groups that are shown (no correction), with Cramer's V."""
    shown = [group for group, figures in groups.items() if figures["n"] and group not in REST.get(background, ())]
    if len(shown) < 2:
        return {"groups": shown, "reason": "too_few"}
    columns = given[background].astype(str)
    table = np.array(
        [list(counted(given.loc[columns == group, "text"], question.options).values()) for group in shown], dtype=float
    )
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return {"groups": shown, "reason": "no_spread"}
    test = stats.chi2_contingency(table, correction=False)
    found: Figures = {
        "groups": shown,
        "chi_squared": {
            "chi2": significant(float(test.statistic), 5),
            "df": int(test.dof),
            "p": significant(float(test.pvalue)),
        },
        "cramers_v": printed(float(stats.contingency.association(table.astype(int), method="cramer")), 3),
        "p": significant(float(test.pvalue)),
        "significant": bool(test.pvalue < ALPHA),
    }
    if test.expected_freq.min() < 5:
        found["note"] = "few_expected"  # the test is not to be trusted where fewer than five are expected in a cell
    return found
