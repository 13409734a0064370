"""Invent 149 respondents whose answers give the figures that the study of 2024 printed. Nobody real is among them.

    python scripts/invent_study.py tests/monitoring/study_2024.csv

For each item the numbers of people in each cell (type x gender, for two items also age or work status) that gave each
answer are the unknowns of a small integer program (HiGHS, by scipy). Its constraints are the printed n, M and SD of the
total and of each group, and the shares that the text prints. Marks that need the cells themselves ("vanishes when
controlled for type") are reached by trying objectives. Answers are then dealt to people so that somebody who is
content on one item tends to be so on others.
"""

from __future__ import annotations

import csv
import itertools
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import statsmodels.api as sm
from scipy.optimize import Bounds, LinearConstraint, milp

from bot.monitoring.baseline import Item, Summary, load
from bot.settings import ROOT

TYPES, GENDERS = ("asylum", "family", ""), ("women", "men", "")
# people of each type and gender: with 75, 66 and 8 of each type and 45, 70 and 34 of each gender (table A.1 and A.2)
CELLS = {
    ("asylum", "women"): 13, ("asylum", "men"): 45, ("asylum", ""): 17,
    ("family", "women"): 31, ("family", "men"): 23, ("family", ""): 12,
    ("", "women"): 1, ("", "men"): 2, ("", ""): 5,
}  # fmt: skip
AGES = {"18-29": (("18-19", 4), ("20-29", 33)), "30+": (("30-39", 27), ("40-49", 21), ("50-59", 9))}
WORKING = {"asylum": 7, "family": 29, "": 1}
NOT_WORKING = {"asylum": 58, "family": 31, "": 1}
LANGUAGES = ("ar",) * 75 + ("nl",) * 39 + ("en",) * 35
# from the running text: at least `from` on the scale, in %
SHARES = {
    "Q18": {(4, 5): 56, (1, 2): 17}, "Q19": {(4, 5): 54, (1, 2): 25}, "Q17": {(4, 5): 55, (1, 2): 15},
    "Q3": {(4, 5): 65, (5, 5): 50, (1, 2): 15}, "Q4": {(4, 5): 63, (1, 2): 19}, "Q16": {(4, 5): 47, (1, 2): 22},
    "Q7": {(4, 5): 67, (1, 2): 15}, "Q10": {(4, 5): 53, (1, 2): 20}, "Q13": {(4, 5): 60, (1, 1): 10},
    "Q33": {(4, 5): 45, (1, 2): 16}, "Q32": {(1, 1): 7}, "Q36": {(4, 5): 61, (1, 2): 17},
}  # fmt: skip
EXTRA = {
    "Q7": ("age", {"18-29": (4.32, 22), "30+": (3.66, 41)}),
    "Q20": ("work", {"working": (5.17, 24), "not_working": (6.37, 68)}),
}
# No 48 whole answers have the M and SD printed for Q4 (GRIMMER test: sum and sum of squares are both even or both odd),
# no 54 the M printed for Q20 (GRIM test). So many answers lie halfway here, as when somebody ticks two boxes.
HALVES = {"Q4": ("family", 2), "Q20": ("men", 1)}
VANISHES, CONTROLLED = {"Q16", "Q17", "Q19"}, {"Q18", "Q3"}


@dataclass
class Person:
    """An invented respondent."""

    type: str
    gender: str
    age: str = ""  # 18-29, 30+ or unknown
    age_group: str = ""
    work: str = ""
    content: float = 0.0
    answers: dict[str, float] = field(default_factory=dict)

    def key(self, extra: str) -> tuple[str, str, str]:
        return (self.type, self.gender, getattr(self, extra) if extra else "")


def people(random: np.random.Generator) -> list[Person]:
    """Everybody, with background. Ages and work are dealt among those who are known by type."""
    made = [
        Person(kind, gender, content=float(random.normal())) for (kind, gender), n in CELLS.items() for _ in range(n)
    ]
    known = [person for person in made if person.gender] + [person for person in made if not person.gender]
    order = random.permutation(115)
    ages = [(two, group) for two, groups in AGES.items() for group, n in groups for _ in range(n)]
    for place, (two, group) in zip(order, ages, strict=False):
        known[place].age, known[place].age_group = two, group
    for kind in TYPES:
        mine = [person for person in known if person.type == kind]
        for person, work in zip(mine, _mixed(WORKING[kind], NOT_WORKING[kind], random), strict=False):
            person.work = work
    return made


def _mixed(working: int, others: int, random: np.random.Generator) -> list[str]:
    deck = ["working"] * working + ["not_working"] * others
    return [deck[place] for place in random.permutation(len(deck))]


def sums(row: Summary, parts: int) -> Iterator[tuple[float, float, float]]:
    """Every sum of answers that gives the printed mean, with the squares that give the printed SD.

    `parts` is 2 where an answer may lie halfway.
    """
    low, high = (math.ceil((row.m - 0.00499) * row.n * parts), math.floor((row.m + 0.00499) * row.n * parts))
    for total in (number / parts for number in range(low, high + 1)):
        least, most = ((max(row.sd + end, 0) ** 2 * (row.n - 1)) + total**2 / row.n for end in (-0.00499, 0.00499))
        yield total, least, most


Counts = dict[tuple[tuple[str, str, str], float], int]


class Program:
    """The integer program of one item."""

    def __init__(self, name: str, item: Item, room: dict[tuple[str, str, str], int]) -> None:
        self.name, self.item, self.room = name, item, room
        self.values = [
            value / 2 for value in range(2 * item.low, 2 * item.high + 1) if name in HALVES or value % 2 == 0
        ]
        self.index = {(cell, value): place for place, (cell, value) in enumerate(itertools.product(room, self.values))}
        self.rows: list[tuple[Any, float, float]] = []
        if name in HALVES:
            halves = {place: 1.0 for (_, value), place in self.index.items() if value % 1}
            outside = {self.index[key]: 1.0 for key in self.index if key[1] % 1 and HALVES[name][0] not in key[0]}
            self.add(halves, HALVES[name][1], HALVES[name][1])
            self.add(outside, 0, 0)

    def add(self, chosen: dict[int, float], low: float, high: float) -> None:
        row = np.zeros(len(self.index))
        for place, weight in chosen.items():
            row[place] = weight
        self.rows.append((row, low, high))

    def weights(self, cells: list[tuple[str, str, str]], power: int) -> dict[int, float]:
        return {self.index[cell, value]: float(value**power) for cell in cells for value in self.values}

    def group(self, row: Summary, cells: list[tuple[str, str, str]], chosen: tuple[float, float, float]) -> None:
        total, least, most = chosen
        self.add(self.weights(cells, 0), row.n, row.n)
        self.add(self.weights(cells, 1), total, total)
        self.add(self.weights(cells, 2), least, most)

    def shares(self) -> None:
        for (low, high), percent in SHARES.get(self.name, {}).items():
            n = self.item.total.n
            cells = {
                self.index[cell, value]: 1.0 for cell in self.room for value in self.values if low <= value <= high
            }
            self.add(cells, math.ceil((percent - 0.5) * n / 100), math.floor((percent + 0.4999) * n / 100))

    def solve(self, objective: Any) -> Counts | None:
        rows = [row for row, _, _ in self.rows]
        for cell in self.room:  # no more answers than people
            row = np.zeros(len(self.index))
            row[[self.index[cell, value] for value in self.values]] = 1
            rows.append(row)
        lows = [low for _, low, _ in self.rows] + [0] * len(self.room)
        highs = [high for _, _, high in self.rows] + list(self.room.values())
        found = milp(
            objective,
            constraints=LinearConstraint(np.array(rows), lows, highs),
            integrality=np.ones(len(self.index)),
            bounds=Bounds(0, np.inf),
            options={"time_limit": 20, "mip_rel_gap": 0.3},
        )
        if found.x is None:
            return None
        return {key: round(found.x[place]) for key, place in self.index.items()}


def cells_of(group: str, room: dict[tuple[str, str, str], int]) -> list[tuple[str, str, str]]:
    if group == "total":
        return list(room)
    return [cell for cell in room if group in cell]


def programs(name: str, item: Item, room: dict[tuple[str, str, str], int]) -> Iterator[Program]:
    """A program for each way in which the printed means can come about."""
    printed = item.published()
    extra = EXTRA.get(name)
    for with_shares in (*[True] * 12, *[False] * 12):
        for chosen in itertools.product(*(list(sums(row, 1 + (name in HALVES))) for row in printed.values())):
            program = Program(name, item, room)
            for (group, row), one in zip(printed.items(), chosen, strict=True):
                program.group(row, cells_of(group, room), one)
            for group, (mean, n) in (extra[1] if extra else {}).items():
                cells = cells_of(group, room)
                program.add(program.weights(cells, 0), n, n)
                program.add(program.weights(cells, 1), (mean - 0.00499) * n, (mean + 0.00499) * n)
            if with_shares:
                program.shares()
            yield program


def gender_p(counts: Counts) -> float:
    """P of gender when type is controlled for, as the study did."""
    rows = [
        (value, cell[1] == "women", cell[0] == "family")
        for (cell, value), n in counts.items()
        for _ in range(n)
        if cell[0] and cell[1]
    ]
    data = np.array(rows, dtype=float)
    return float(sm.OLS(data[:, 0], sm.add_constant(data[:, 1:])).fit().pvalues[1])


def fits(name: str, counts: Counts) -> bool:
    if name in VANISHES:
        return gender_p(counts) >= 0.05
    return name not in CONTROLLED or gender_p(counts) < 0.05


def answers(name: str, item: Item, everybody: list[Person], random: np.random.Generator) -> Counts:
    """How many people of each cell give each answer."""
    extra = EXTRA.get(name, ("",))[0]
    room: dict[tuple[str, str, str], int] = {}
    for person in everybody:
        room[person.key(extra)] = room.get(person.key(extra), 0) + 1
    best = None
    for attempt, program in enumerate(programs(name, item, room)):
        objective = random.normal(size=len(program.index)) * 0.1
        if name in VANISHES | CONTROLLED:
            sign = -1 if name in VANISHES else 1
            for (cell, value), place in program.index.items():
                if cell[:2] == ("asylum", "women") or cell[:2] == ("family", "men"):
                    objective[place] += (attempt % 5) * 0.3 * (1 if cell[1] == "women" else -1) * sign * value
        counts = program.solve(objective)
        if counts and fits(name, counts):
            return counts
        best = best or counts
    if best is None:
        raise SystemExit(f"{name}: no answers give the printed figures")
    print(f"{name}: the mark is not reached", file=sys.stderr)
    return best


def deal(name: str, item: Item, everybody: list[Person], counts: dict[Any, int], random: np.random.Generator) -> None:
    """Give answers to people: those who are more content tend to get the better ones."""
    extra = EXTRA.get(name, ("",))[0]
    better = -1 if item.higher_is_worse else 1
    for cell in {key for key, _ in counts}:
        given = sorted(
            (value for (key, value), n in counts.items() for _ in range(n) if key == cell), key=lambda v: v * better
        )
        mine = [person for person in everybody if person.key(extra) == cell]
        chosen = [mine[place] for place in sorted(random.permutation(len(mine))[: len(given)])]
        chosen.sort(key=lambda person: person.content + float(random.normal(scale=1.1)))
        for person, value in zip(chosen, given, strict=True):
            person.answers[name] = int(value) if value % 1 == 0 else value


def write(path: Path, everybody: list[Person], items: dict[str, Item], random: np.random.Generator) -> None:
    """One row for each respondent; empty where somebody did not answer."""
    languages = random.permutation(LANGUAGES)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["respondent", "wave", "type", "gender", "age_group", "work_status", "language", *items])
        order = random.permutation(len(everybody))
        for place, person in enumerate(everybody[number] for number in order):
            given = [person.answers.get(name, "") for name in items]
            known = [person.type, person.gender, person.age_group, person.work, languages[place]]
            rows.writerow([f"r{place + 1:03}", "2024", *known, *given])


def main(path: Path) -> None:
    random = np.random.default_rng(2024)
    items = dict(load(ROOT / "content" / "baseline_2024.yaml").items)
    everybody = people(random)
    for name, item in items.items():
        deal(name, item, everybody, answers(name, item, everybody, random), random)
    write(path, everybody, items, random)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
