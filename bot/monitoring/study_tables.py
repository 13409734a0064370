"""The study's tables 7, 10 and 13 from answers: betas controlled for gender and type, as it prints them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # it ships no types

from bot.monitoring import regression
from bot.monitoring.protection import Rules
from bot.monitoring.sentences import say

# The rows and columns of each table, in the study's order. GUIDANCE and MATCH are items of the surveys.
GUIDANCE, MATCH, WORK = "work_guidance_used", "job_match", "work_status"
PROGRAMME = ("Q18", "Q19", "Q20", "Q3", "Q4", "Q16", "Q17")
TABLES = {
    "7": ((GUIDANCE,), (WORK, MATCH, "Q25", "Q26")),
    "10": (PROGRAMME, ("Q33", "Q31", "Q32")),
    "13": (PROGRAMME, ("Q36", "Q37")),
}
# An answer in words as a number. Who doesn't know of any guidance had none, as in the study (n = 112 has them in).
NUMBERS: Mapping[str, Mapping[str, float]] = {
    GUIDANCE: {"yes": 1, "no": 0, "unknown": 0},
    MATCH: {"yes": 2, "partly": 1, "no": 0},
    WORK: {"working": 1, "not_working": 0},
}
PRINTED_AS = {GUIDANCE: "work_guidance"}  # the name in baseline_2024.yaml
Figures = dict[str, Any]


def tables(
    wide: pd.DataFrame, relations: Sequence[Figures], printed: Mapping[str, Mapping[str, str | float]], rules: Rules
) -> Figures:
    """Each table as `rows` by predictor with `cells` by outcome: `beta`, `stars`, `n`, `p`, `printed` (2024).

    `wide` has a row for each respondent: items, backgrounds; `relations` are those made of it. `shown` says
    whether the study's table would print the cell (p < .05).
    """
    known = {(one["predictor"], one["outcome"]): one for one in relations}

    def beta(predictor: str, outcome: str) -> Figures | None:
        if predictor not in wide or outcome not in wide:
            return None
        return known.get((predictor, outcome)) or regression.beta(wide, predictor, outcome)

    return {
        number: {
            "outcomes": [{"outcome": outcome, "label": say("tables", outcome)} for outcome in outcomes],
            "rows": [
                {
                    "predictor": predictor,
                    "label": say("tables", predictor),
                    "cells": [
                        {"outcome": outcome, "printed": _printed(printed, predictor, outcome)}
                        | _cell(beta(predictor, outcome), rules)
                        for outcome in outcomes
                    ],
                }
                for predictor in predictors
            ],
        }
        for number, (predictors, outcomes) in TABLES.items()
    }


def as_numbers(others: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Guidance, job match and work as numbers, one row for each respondent (index of `people`)."""
    found = pd.DataFrame(index=people.index)
    given = others[others["status"] == "answered"]
    for name in (GUIDANCE, MATCH):
        mine = given[given["item"] == name].drop_duplicates("respondent", keep="last").set_index("respondent")["text"]
        found[name] = mine.map(NUMBERS[name]).reindex(people.index).astype(float)
    if WORK in people:
        found[WORK] = people[WORK].astype(str).map(NUMBERS[WORK]).astype(float)
    return found.dropna(axis=1, how="all")


def _printed(printed: Mapping[str, Mapping[str, str | float]], predictor: str, outcome: str) -> str | None:
    found = printed.get(outcome, {}).get(PRINTED_AS.get(predictor, predictor))
    return None if found is None else str(found)


def _cell(found: Figures | None, rules: Rules) -> Figures:
    if found is None or found["n"] == 0:
        return {"n": 0, "reason": "no_answers"}
    if found["n"] is None or found["n"] < rules.min_people:
        return {"n": None, "reason": "hidden"}
    if "reason" in found:
        return {"n": found["n"], "reason": found["reason"]}
    kept = {key: found[key] for key in ("beta", "low", "high", "p", "stars", "n")}
    return kept | {"shown": bool(kept["stars"]), "size": _size(kept["beta"])}


def _size(beta: float) -> str:
    """What the study calls a beta of this size."""
    size = np.abs(round(beta, 2))
    return "large" if size >= 0.5 else "medium" if size >= 0.3 else "small" if size >= 0.1 else "none"
