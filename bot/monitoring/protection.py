"""What may be shown of people: no figure of fewer than a set number of them, also none that can be worked out. Pure.

Two ways. *Open*: as the study printed its tables, for somebody who holds the answers anyway; people whose group isn't
known are no group. *Strict*: for everything that leaves the service (pages, exports, API); what is left of a total
after the groups that are shown must be enough people too, whoever they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MIN_PEOPLE = 10
SMALL_PERCENT = 5  # below this a percentage is only said to be below it
# Groups so small that the study has no column for them; they count with the people whose group isn't known.
REST = {"type": ("voluntary",), "gender": ("non_binary",)}


@dataclass(frozen=True)
class Rules:
    """How much is hidden. `min_people` is the least number of people behind a figure."""

    min_people: int = MIN_PEOPLE
    strict: bool = False


def hidden_groups(counts: Mapping[str, int], total: int, rules: Rules, background: str = "") -> set[str]:
    """The groups of one table that may not be shown, where the total is shown.

    Those with too few people, and then the smallest of the others as long as what is hidden could be worked out from
    the total and would be of too few.
    """
    hidden = {group for group, number in counts.items() if number < rules.min_people}
    unknown = total - sum(counts.values())
    rest = set(REST.get(background, ())) if unknown and not rules.strict else set()
    while True:
        left = sum(counts[group] for group in hidden) + unknown
        guarded = rules.strict or bool({group for group in hidden if counts[group]} - rest)
        if not guarded or left == 0 or left >= rules.min_people or len(hidden) == len(counts):
            return hidden
        hidden.add(min((number, group) for group, number in counts.items() if group not in hidden)[1])


def may_show(n: int, rules: Rules) -> bool:
    """Whether a figure of so many people may be shown."""
    return n >= rules.min_people


def hidden_cells(counts: Any, rules: Rules) -> Any:
    """The cells of a table with totals of rows, of columns and of all that may not be shown: a bool array.

    `counts` is an array of people, groups by waves; who has no group is a row like the others. Cells are hidden until
    no sum of shown figures gives a number of people between 1 and the least: rows and columns first, then by algebra.
    """
    counts = np.asarray(counts)
    hidden = (counts < rules.min_people) & (counts > 0)
    while True:
        risky = _thin_line(counts, hidden, rules) or _derivable(counts, hidden, rules)
        if risky is None:
            return hidden
        choices = [cell for cell in risky if not hidden[cell] and counts[cell] > 0]
        if not choices:
            return np.ones_like(hidden)
        hidden[min(choices, key=lambda cell: int(counts[cell]))] = True


Cells = list[tuple[int, int]]


def _thin_line(counts: Any, hidden: Any, rules: Rules) -> Cells | None:
    """A row or column in which what is hidden is of too few people together."""
    for axis in (0, 1):
        for line in range(counts.shape[axis]):
            cells = [(line, other) if axis == 0 else (other, line) for other in range(counts.shape[1 - axis])]
            left = sum(int(counts[cell]) for cell in cells if hidden[cell])
            if 0 < left < rules.min_people and any(not hidden[cell] and counts[cell] for cell in cells):
                return cells
    return None


def _derivable(counts: Any, hidden: Any, rules: Rules) -> Cells | None:
    """A hidden cell of too few people that the totals and the shown cells determine; its row and column then."""
    unknown: Cells = [(int(row), int(column)) for row, column in np.argwhere(hidden)]
    if not unknown:
        return None
    equations = np.array(
        [[cell[axis] == line for cell in unknown] for axis in (0, 1) for line in range(counts.shape[axis])], dtype=float
    )
    rank = np.linalg.matrix_rank(equations)
    for place, cell in enumerate(unknown):
        if counts[cell] >= rules.min_people:
            continue
        if np.linalg.matrix_rank(np.vstack([equations, np.eye(len(unknown))[place]])) == rank:
            return [(cell[0], other) for other in range(counts.shape[1])] + [
                (other, cell[1]) for other in range(counts.shape[0])
            ]
    return None


def protected(figures: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """Figures of a group that may be shown, with small shares rounded away where the rules are strict."""
    if not rules.strict:
        return figures
    shares = [
        {"value": one["value"], "percent": None, "below": SMALL_PERCENT} if one["percent"] < SMALL_PERCENT else one
        for one in figures["distribution"]
    ]
    return figures | {"distribution": shares}


def hidden_figures(rules: Rules) -> dict[str, Any]:
    """What stands in the place of figures that may not be shown. Not even the number of people does."""
    return {
        "m": None,
        "sd": None,
        "n": None,
        "interval": None,
        "distribution": [],
        "reason": "hidden",
        "fewer_than": rules.min_people,
    }


def ordered(groups: Sequence[str], known: Sequence[str]) -> list[str]:
    """Groups in the order of the vocabulary, then those that it doesn't know by name."""
    places = {group: place for place, group in enumerate(known)}
    return sorted(groups, key=lambda group: (places.get(group, len(places)), group))
