"""The quarterly page: what we heard, what changed, what to do. From a report, as sentences. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from bot.monitoring.sentences import LANGUAGES, decimal, say

SHOWN = 3
CHANGES = 6  # one page has no room for more
# Which recommendation of the study belongs to which items.
ADVICE = {
    "klantregisseur": ("Q3", "Q4", "Q16", "Q17"),
    "support": ("Q18", "Q19", "Q20"),
    "lessons": ("Q7", "Q10"),
    "work": ("Q13", "Q25", "Q26"),
    "social": ("Q31", "Q32", "Q33"),
    "wellbeing": ("Q36", "Q37"),
}
Figures = dict[str, Any]


def quarter_of(day: date) -> str:
    """The quarter of a day: "2026-3"."""
    return f"{day.year}-{(day.month + 2) // 3}"


def quarter_of_text(day: str) -> str:
    """The quarter of a day as a file writes it; empty where that is no day."""
    try:
        return quarter_of(date.fromisoformat(day[:10]))
    except ValueError:
        return ""


def between(first: str, last: str) -> list[str]:
    """Every quarter from the first to the last, the last one included."""
    ends = [int(year) * 4 + int(number) - 1 for year, number in (one.split("-") for one in (first, last))]
    return [f"{place // 4}-{place % 4 + 1}" for place in range(ends[0], ends[1] + 1)]


def quarter(reports: Sequence[Figures], name: str = "") -> Figures:
    """The page of a quarter from the reports of the waves that closed in it, oldest first; there may be none.

    `best`, `lowest`, `changed` and `todo` are lists of sentences, each with nl and en. Each item counts once, from the
    latest of these waves that asked it: who answered in two waves may be the same person, so nothing is added up.
    `name` is the quarter ("2026-3"), where that is known.
    """
    items = _latest(reports)
    ranked = sorted(items, key=lambda key: _place(items[key]))
    lowest = ranked[:SHOWN]
    differing = sorted((item for item in items.values() if _differs(item)), key=_size, reverse=True)
    changed = [item["baseline"]["total"]["sentence"] for item in differing]
    changed += [sentence for report in reports for key in items if (sentence := _panel(key, report)) is not None]
    advice = dict.fromkeys(key for one in lowest for key, names in ADVICE.items() if one in names)
    several = len(reports) > 1
    return {
        "quarter": name,
        "waves": [report["source"]["wave"] for report in reports],
        "about": [_about(report) for report in reports],
        "best": [_heard(items[key], several=several) for key in ranked[: SHOWN - 1 : -1][:SHOWN]],
        "lowest": [_heard(items[key], several=several) for key in lowest],
        "changed": changed[:CHANGES] or ([say("quarter", "nothing")] if items else []),
        "more": max(0, len(changed) - CHANGES),
        "todo": [say("advice", key) for key in advice],
        "rows": [_row(item) for item in items.values()],
    }


def _latest(reports: Sequence[Figures]) -> Figures:
    """Each item with a mean, from the last report that has one."""
    found: Figures = {}
    for report in reports:
        wave = report["source"]["wave"]
        shown = {key: item for key, item in report["items"].items() if item["total"]["m"] is not None}
        found |= {key: item | {"wave": wave} for key, item in shown.items()}
    return {key: found[key] for report in reports[:1] for key in report["items"] if key in found}


def _about(report: Figures) -> dict[str, str]:
    """Who answered in a wave, and of how many who were asked."""
    wave, number = report["source"]["wave"] or "", report["source"]["respondents"]
    few = say("quarter", "few", n=report["protection"]["min_people"])
    first = say("quarter", "wave" if wave else "all_waves", wave=wave, n=few if number is None else number)
    response = _response(report["funnel"]["all"]["stages"])
    return {one: " ".join([first[one], *(sentence[one] for sentence in response)]) for one in LANGUAGES}


def _response(stages: list[Figures]) -> list[dict[str, str]]:
    """How many of those who were asked answered; empty where nobody knows who was asked."""
    known = {one["stage"]: one for one in stages if one["n"] is not None}
    if not {"invited", "started", "done"} <= set(known):
        return []
    numbers = {name: known[name]["n"] for name in ("invited", "started", "done")}
    percent = known["done"]["of_first"]["percent"]
    return [say("quarter", "response", percent={one: decimal(percent, one, 0) for one in LANGUAGES}, **numbers)]


def _size(item: Figures) -> float:
    return abs(float((item["baseline"]["total"].get("hedges_g") or {"value": 0})["value"]))


def _row(item: Figures) -> Figures:
    """A row of the chart: where now and 2024 stand on the scale of the item."""
    total, before = item["total"], item["baseline"].get("total", {})
    ends = total.get("interval") or {"low": total["m"], "high": total["m"]}
    return {
        "label": item["label"],
        "wave": item["wave"],
        "scale": item["scale"],
        "m": total["m"],
        "n": total["n"],
        "low": ends["low"],
        "high": ends["high"],
        "before": before.get("m_2024"),
    }


def _place(item: Figures) -> float:
    """Where a mean stands between the worst (0) and the best (1) of its scale."""
    low, high = item["scale"]["low"], item["scale"]["high"]
    share = (item["total"]["m"] - low) / (high - low)
    return float(1 - share if item["higher_is_worse"] else share)


def _heard(item: Figures, *, several: bool) -> dict[str, str]:
    total = item["total"]
    values = {"m": total["m"], "high": item["scale"]["high"], "n": total["n"]}
    key = "heard_in" if several else "heard"
    return say("quarter", key, label=item["label"], wave=item["wave"], **values)


def _differs(item: Figures) -> bool:
    row = item["baseline"].get("total", {})
    return "difference" in row and not row["difference"]["low"] <= 0 <= row["difference"]["high"]


def _panel(name: str, found: Figures) -> dict[str, str] | None:
    """The change within the panel up to this wave, where it is more than chance can be."""
    for change in found["trends"][name]["changes"]:
        panel = change.get("panel", {})
        if change["to"] == found["source"]["wave"] and panel.get("significant"):
            values = {key: panel[key] for key in ("change", "low", "high", "n")}
            return say("quarter", "panel", label=found["items"][name]["label"], **values)
    return None
