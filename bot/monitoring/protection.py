"""What may be shown of people: no figure of fewer than a set number of them, also none that can be worked out. Pure.

Two ways. *Open*: as the study printed its tables, for somebody who holds the answers anyway; people whose group isn't
known are no group. *Strict*: for everything that leaves the service (pages, exports, API); what is left of a total
after the groups that are shown must be enough people too, whoever they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MIN_PEOPLE = 10
SMALL_PERCENT = 5  # below this a percentage is only said to be below it
# Groups so small that the study has no column for them; they count with the people whose group isn't known.
REST = {"type": ("voluntary",), "gender": ("non_binary",)}


@dataclass(frozen=True)
class Rules:
    """How much is hidden. `min_people` is the least number of people behind a figure."""

    min_people: int = MIN_PEOPLE
    strict: bool = False


def hidden_groups(
    counts: Mapping[str, int], total: int, rules: Rules, background: str = "", also: Collection[str] = ()
) -> set[str]:
    """The groups of one table that may not be shown, where the total is shown.

    Those with too few people (and those in `also`), and then the smallest of the others as long as what is hidden could
    be worked out from the total and would be of too few.
    """
    hidden = {group for group, number in counts.items() if number < rules.min_people or group in also}
    unknown = total - sum(counts.values())
    rest = set(REST.get(background, ())) if unknown and not rules.strict else set()
    while True:
        left = sum(counts[group] for group in hidden) + unknown
        guarded = rules.strict or bool({group for group in hidden if counts[group]} - rest)
        if not guarded or left == 0 or left >= rules.min_people or len(hidden) == len(counts):
            return hidden
        hidden.add(min((number, group) for group, number in counts.items() if group not in hidden)[1])


def hidden_everywhere(members: Mapping[str, Mapping[str, Any]], total: int, rules: Rules) -> dict[str, set[str]]:
    """The groups of each background that may not be shown, looking over all backgrounds together.

    `members` has for each background and group an array that says who of the `total` is in it. Where the rules are
    strict, no group may be all but a few of another one, nor several groups of one background together: women who all
    came for asylum would give away the few men who did, and 20-29 those of 18-19 in 18-29.
    """
    counts = {name: {group: int(who.sum()) for group, who in groups.items()} for name, groups in members.items()}
    hidden: dict[str, set[str]] = {name: set() for name in members}
    while True:
        hidden = {name: hidden_groups(counts[name], total, rules, name, hidden[name]) for name in members}
        again = _nearly_the_same(members, counts, hidden, rules) if rules.strict else None
        if again is None:
            return hidden
        hidden[again[0]].add(again[1])


def _nearly_the_same(
    members: Mapping[str, Mapping[str, Any]],
    counts: Mapping[str, Mapping[str, int]],
    hidden: Mapping[str, set[str]],
    rules: Rules,
) -> tuple[str, str] | None:
    """A shown group that gives away a few people together with others of its background; None when there is none."""
    for outer, whole_groups in members.items():
        for group, whole in whole_groups.items():
            if group in hidden[outer]:
                continue
            for inner in members:
                if inner == outer:
                    continue
                inside = [
                    (number, name)
                    for name, number in counts[inner].items()
                    if name not in hidden[inner]
                    and number <= counts[outer][group]
                    and not (members[inner][name] & ~whole).any()
                ]
                if inside and 0 < counts[outer][group] - sum(number for number, _ in inside) < rules.min_people:
                    return inner, min(inside)[1]
    return None


def may_show(n: int, rules: Rules) -> bool:
    """Whether a figure of so many people may be shown."""
    return n >= rules.min_people


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


def counted(number: int, rules: Rules) -> int:
    """A number of people as it may be told: to fives where the rules are strict, so that a step of a few isn't seen."""
    return int(number / 5 + 0.5) * 5 if rules.strict else number


def ordered(groups: Sequence[str], known: Sequence[str]) -> list[str]:
    """Groups in the order of the vocabulary, then those that it doesn't know by name."""
    places = {group: place for place, group in enumerate(known)}
    return sorted(groups, key=lambda group: (places.get(group, len(places)), group))
