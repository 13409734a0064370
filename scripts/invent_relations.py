"""Deal the invented answers of the study anew, so that its tables 7, 10 and 13 come out as well as they can.

    python scripts/invent_relations.py tests/monitoring/study_2024.csv

Means, deviations and numbers say nothing of who gave which answer, so the betas don't follow from them. Here people of
the same type and gender (and age or work, where a mark needs it) swap answers, which leaves every printed mean,
deviation and number as it is, until the printed betas, their stars and numbers come near (simulated annealing). What is
not printed in a table was not significant, and is kept so.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

PREDICTORS = ("Q18", "Q19", "Q20", "Q3", "Q4", "Q16", "Q17")
# beta and n of tables 10 and 13; what is missing is only said not to be significant
PRINTED = {
    "Q33": {"Q20": (0.26, 80)},
    "Q31": {
        "Q18": (0.35, 80), "Q19": (0.34, 80), "Q20": (0.54, 81), "Q3": (0.33, 90), "Q16": (0.26, 79), "Q17": (0.40, 80),
    },
    "Q32": {"Q18": (0.31, 80), "Q20": (0.39, 80), "Q3": (0.30, 90), "Q16": (0.31, 79), "Q17": (0.32, 80)},
    "Q36": {"Q18": (0.27, 73), "Q19": (0.48, 73), "Q20": (0.34, 73), "Q16": (0.39, 72), "Q17": (0.34, 73)},
    "Q37": {"Q18": (-0.28, 76), "Q16": (-0.29, 75)},
}  # fmt: skip
STARS = {
    ("Q33", "Q20"): 1, ("Q31", "Q18"): 2, ("Q31", "Q19"): 2, ("Q31", "Q20"): 3, ("Q31", "Q3"): 2, ("Q31", "Q16"): 1,
    ("Q31", "Q17"): 3, ("Q32", "Q18"): 2, ("Q32", "Q20"): 3, ("Q32", "Q3"): 2, ("Q32", "Q16"): 1, ("Q32", "Q17"): 2,
    ("Q36", "Q18"): 1, ("Q36", "Q19"): 3, ("Q36", "Q20"): 2, ("Q36", "Q16"): 2, ("Q36", "Q17"): 2, ("Q37", "Q18"): 1,
    ("Q37", "Q16"): 1,
}  # fmt: skip
LIMITS = (1.0, 0.05, 0.01, 0.001, 0.0)  # p of each number of stars lies between two of these
EXTRA = {"Q7": "age_group", "Q20": "work_status"}  # answers of these items stay within age or work too
GUIDED = 16  # 14 % of 112 used guidance to work
STEPS = 150_000


class Answers:
    """The answers of everybody as a matrix, with who may swap with whom."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self.names = (*PREDICTORS, *PRINTED)
        self.matrix = frame[list(self.names)].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float).copy()
        self.controls = controls(frame)
        self.known = known(frame)
        self.cells = {name: self._cells(name) for name in self.names}

    def _cells(self, name: str) -> list[Any]:
        keys = ["type", "gender", *([EXTRA[name]] if name in EXTRA else [])]
        return [cell for cell in self.frame.groupby(keys).indices.values() if len(cell) > 1]

    def pair(self, predictor: str, outcome: str) -> tuple[float, float, int]:
        """Standardised beta, its p and n, as `bot.monitoring.regression.beta` gives them."""
        x, y = (self.matrix[:, self.names.index(name)] for name in (predictor, outcome))
        used = self.known & ~np.isnan(x) & ~np.isnan(y)
        return fitted(x[used], y[used], self.controls[used])


def controls(frame: pd.DataFrame) -> Any:
    """A constant, and whether somebody is a woman and came for asylum."""
    ones = (frame[name].eq(group).to_numpy(float) for name, group in (("gender", "women"), ("type", "asylum")))
    return np.column_stack([np.ones(len(frame)), *ones])


def known(frame: pd.DataFrame) -> Any:
    """Whose gender and type are known."""
    return frame["gender"].isin(["women", "men"]).to_numpy() & frame["type"].isin(["asylum", "family"]).to_numpy()


def fitted(x: Any, y: Any, held: Any) -> tuple[float, float, int]:
    """Beta, p and n of a regression on one predictor and the controls, both standardised."""
    x, y = ((column - column.mean()) / column.std(ddof=1) for column in (x, y))
    projector = held @ np.linalg.solve(held.T @ held, held.T)
    left_x, left_y = x - projector @ x, y - projector @ y
    own = left_x @ left_x
    beta = float(left_x @ left_y / own)
    rest = left_y - beta * left_x
    df = len(x) - held.shape[1] - 1
    t = abs(beta) / np.sqrt(rest @ rest / df / own)
    return beta, float(2 * stats.t.sf(t, df)), len(x)


def cost(found: tuple[float, float, int], predictor: str, outcome: str) -> float:
    """How far a pair is from what is printed: the beta, the stars, and the number of people."""
    beta, p, n = found
    printed = PRINTED[outcome].get(predictor)
    wanted = STARS.get((outcome, predictor), 0)
    high, low = LIMITS[wanted], LIMITS[wanted + 1]
    p = max(p, 1e-9)
    wrong = 0.4 + np.log(p / high) if p >= high else 0.4 + np.log(low / p) if p < low else 0.0
    if printed is None:
        return wrong
    return wrong + 40 * max(0.0, abs(beta - printed[0]) - 0.0045) + 0.5 * abs(n - printed[1])


def anneal(answers: Answers, random: np.random.Generator) -> float:
    """Swap answers until nothing gets nearer; returns what is left of the cost."""
    pairs = [(p, o) for o in PRINTED for p in PREDICTORS]
    costs = {pair: cost(answers.pair(*pair), *pair) for pair in pairs}
    of = {name: [pair for pair in pairs if name in pair] for name in answers.names}
    for step in range(STEPS):
        heat = 0.3 * (1 - step / STEPS) ** 3 + 1e-6
        name = answers.names[random.integers(len(answers.names))]
        cell = answers.cells[name][random.integers(len(answers.cells[name]))]
        one, other = random.choice(cell, 2, replace=False)
        column = answers.matrix[:, answers.names.index(name)]
        if column[one] == column[other] or (np.isnan(column[one]) and np.isnan(column[other])):
            continue
        column[[one, other]] = column[[other, one]]
        fresh = {pair: cost(answers.pair(*pair), *pair) for pair in of[name]}
        change = sum(fresh.values()) - sum(costs[pair] for pair in of[name])
        if change <= 0 or random.random() < np.exp(-change / heat):
            costs |= fresh
        else:
            column[[one, other]] = column[[other, one]]
        if step % 10_000 == 0:
            print(f"{step}: {sum(costs.values()):.2f}", file=sys.stderr, flush=True)
    return sum(costs.values())


def guidance(frame: pd.DataFrame) -> Any:
    """Who used guidance to work (table 7: beta .33 with two stars for work, n 112): the draw that comes nearest.

    Two stars need guidance to hang together with type and gender: each cell of those and work has odds of its own.
    """
    random = np.random.default_rng(2025)
    who = np.flatnonzero(known(frame))
    part = frame.iloc[who]
    works, held = part["work_status"].eq("working").to_numpy(float), controls(part)
    cells = (4 * held[:, 1] + 2 * held[:, 2] + works).astype(int)
    best, chosen = np.inf, np.zeros(len(part))
    for _ in range(20_000):
        odds = np.exp(random.normal(0, 3, 8))[cells]
        used = np.zeros(len(part))
        used[random.choice(len(part), GUIDED, replace=False, p=odds / odds.sum())] = 1
        beta, p, _ = fitted(used, works, held)
        if 0.001 <= p < 0.01 and abs(beta - 0.33) < best:
            best, chosen = abs(beta - 0.33), used
    words = np.full(len(frame), "", dtype=object)
    words[who] = np.where(chosen == 1, "yes", "no")
    return words


def main(path: Path) -> None:
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    random = np.random.default_rng(2025)
    answers = Answers(frame)
    print(f"left: {anneal(answers, random):.3f}", file=sys.stderr)
    for place, name in enumerate(answers.names):
        frame[name] = [f"{value:g}" if not np.isnan(value) else "" for value in answers.matrix[:, place]]
    frame["work_guidance_used"] = guidance(frame)
    frame.to_csv(path, index=False, lineterminator="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
