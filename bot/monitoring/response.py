"""Who answered: the funnel with honest denominators, groups beside the population, and weights for what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # it ships no types
from scipy import stats
from statsmodels.stats.proportion import proportion_confint  # type: ignore[import-untyped]  # as above
from statsmodels.stats.weightstats import DescrStatsW  # type: ignore[import-untyped]  # as above

from bot.monitoring.baseline import Baseline
from bot.monitoring.descriptive import printed, significant
from bot.monitoring.protection import Rules, counted, hidden_groups, may_show
from bot.monitoring.regression import CONTROLS

STAGES = ("sampled", "invited", "delivered", "read", "started", "done")
BY = ("language", "channel", "type", "gender")
GONE = ("erased", "merged")  # of them no answers are kept: they are in no stage
Figures = dict[str, Any]


def share(part: int, whole: int) -> Figures:
    """A share in % with Wilson's 95 % interval; None of nothing."""
    if not whole:
        return {"percent": None, "low": None, "high": None}
    low, high = proportion_confint(part, whole, method="wilson")
    return {"percent": printed(100 * part / whole, 1), "low": printed(100 * low, 1), "high": printed(100 * high, 1)}


def steps(counts: Sequence[tuple[str, int]], rules: Rules) -> list[Figures]:
    """Stages one after the other, each with its share of the first stage and of the stage before.

    Where the rules are strict numbers are to fives, because the step from one stage to the next is a few people.
    """
    found: list[Figures] = []
    enough = [may_show(number, rules) for _, number in counts]
    counts = [(name, counted(number, rules)) for name, number in counts]
    for place, (name, number) in enumerate(counts):
        if not enough[place]:
            found.append({"stage": name, "n": None, "reason": "hidden"})
            continue
        first, before = counts[0][1], counts[max(place - 1, 0)][1]
        found.append(
            {"stage": name, "n": number, "of_first": share(number, first), "of_previous": share(number, before)}
        )
    return found


def funnel(
    answers: pd.DataFrame, invitations: Sequence[Mapping[str, Any]], items: Sequence[str], rules: Rules
) -> Figures:
    """The funnel of a wave: of everybody and by language, channel and type.

    `answers` is the frame of one wave; `invitations` has a row for each person with the backgrounds and a bool for each
    stage up to started, empty where only answers are known. Questions are shares of the people who were asked them.
    """
    invited = pd.DataFrame([one for one in invitations if one.get("ending") not in GONE])
    found: Figures = {"all": _one(answers, invited, items, rules), "by": {}}
    for background in BY:
        source = invited if background in invited else answers
        if background not in source:
            continue
        people = source if background in invited else source.drop_duplicates("respondent")
        counts = {str(group): int(n) for group, n in people[background].value_counts().items() if n}
        hidden = hidden_groups(counts, len(people), rules, background)
        found["by"][background] = {
            group: {"reason": "hidden"}
            if group in hidden
            else _one(_of(answers, background, group), _of(invited, background, group), items, rules)
            for group in sorted(counts)
        }
    return found


def _of(frame: pd.DataFrame, background: str, group: str) -> pd.DataFrame:
    return frame[frame[background] == group] if background in frame else frame.iloc[:0]


def _one(answers: pd.DataFrame, invited: pd.DataFrame, items: Sequence[str], rules: Rules) -> Figures:
    started = answers.loc[answers["status"].isin(["answered", "skipped", "broken_off"]), "respondent"]
    stopped = answers.loc[answers["status"] == "broken_off", "respondent"]
    begun = int(started.nunique())
    counts = [(stage, int(invited[stage].sum())) for stage in STAGES if stage in invited]
    counts = counts or [("started", begun), ("done", begun - int(stopped.nunique()))]
    asked = answers.loc[answers["status"] != "not_asked", ["item", "status"]]
    wholes = asked["item"].value_counts()
    parts = asked.loc[asked["status"] == "answered", "item"].value_counts()
    questions: list[Figures] = []
    for item in items:
        whole, part = int(wholes.get(item, 0)), int(parts.get(item, 0))
        if whole and may_show(whole, rules):
            whole, part = counted(whole, rules), counted(part, rules)
            questions.append({"item": item, "asked": whole, **share(min(part, whole), whole)})
        elif whole:
            questions.append({"item": item, "asked": None, "reason": "hidden"})
    return {"stages": steps(counts, rules), "questions": questions}


def representation(people: pd.DataFrame, baseline: Baseline, rules: Rules) -> Figures:
    """Respondents beside the population, by type and by gender; people whose group isn't known stand apart."""
    found: Figures = {}
    for background, groups in CONTROLS.items():
        if background not in people or not set(groups) <= set(baseline.population):
            continue
        counts = {group: int((people[background] == group).sum()) for group in groups}
        known = sum(counts.values())
        if not all(may_show(number, rules) for number in counts.values()):
            found[background] = {"reason": "hidden"}
            continue
        expected = [baseline.population[group] * known for group in groups]
        test = stats.chisquare(list(counts.values()), np.array(expected) / sum(expected) * known)
        found[background] = {
            "groups": {
                group: share(counts[group], known) | {"population": printed(100 * baseline.population[group], 1)}
                for group in groups
            },
            "n": known,
            "p": significant(float(test.pvalue)),
        }
    return found


def weights(people: pd.DataFrame, baseline: Baseline, rules: Rules) -> pd.Series | None:
    """A weight for each respondent (index: respondent) by type and gender together; None where a cell is too small.

    The population is known by type and by gender, not by both together: their shares are taken as independent.
    People without type or gender have no weight.
    """
    names = list(CONTROLS)
    population = baseline.population
    if not set(names) <= set(people) or not {group for groups in CONTROLS.values() for group in groups} <= set(
        population
    ):
        return None
    known = people[np.logical_and.reduce([people[name].isin(CONTROLS[name]) for name in names])]
    cells = known.groupby(names, observed=True)["respondent"].transform("size")
    if len(known.groupby(names, observed=True)) < 4 or int(cells.min()) < rules.min_people:
        return None
    wanted = np.prod([known[name].map(dict(population)).astype(float).to_numpy() for name in names], axis=0)
    return pd.Series(wanted / (cells.to_numpy() / len(known)), index=known["respondent"].astype(str))


def weighted(values: pd.Series, by: pd.Series) -> Figures | None:
    """The weighted mean of answers (index: respondent), with n and the n that it is worth (Kish)."""
    own = by.reindex(values.index.astype(str)).to_numpy(dtype=float)
    known = ~np.isnan(own)
    if known.sum() < 2:
        return None
    mean = DescrStatsW(values.to_numpy()[known], weights=own[known]).mean
    worth = float(own[known].sum() ** 2 / (own[known] ** 2).sum())
    return {"m": printed(float(mean)), "n": int(known.sum()), "n_effective": printed(worth, 1)}
