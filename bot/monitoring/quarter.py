"""The quarterly page: what we heard, what changed, what to do. From a report, as sentences. Pure."""

from __future__ import annotations

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


def quarter(found: Figures) -> Figures:
    """`best`, `lowest`, `changed` and `todo`: lists of sentences, each with nl and en; `response` where it is known."""
    items = {name: item for name, item in found["items"].items() if item["total"]["m"] is not None}
    ranked = sorted(items, key=lambda name: _place(items[name]))
    lowest = ranked[:SHOWN]
    differing = sorted((item for item in items.values() if _differs(item)), key=_size, reverse=True)
    changed = [item["baseline"]["total"]["sentence"] for item in differing]
    changed += [sentence for name in items if (sentence := _panel(name, found)) is not None]
    advice = dict.fromkeys(key for name in lowest for key, names in ADVICE.items() if name in names)
    return {
        "wave": found["source"]["wave"],
        "respondents": found["source"]["respondents"],
        "response": _response(found["funnel"]["all"]["stages"]),
        "best": [_heard(items[name]) for name in ranked[: SHOWN - 1 : -1][:SHOWN]],
        "lowest": [_heard(items[name]) for name in lowest],
        "changed": changed[:CHANGES] or [say("quarter", "nothing")],
        "more": max(0, len(changed) - CHANGES),
        "todo": [say("advice", key) for key in advice],
        "rows": [_row(item) for item in items.values()],
    }


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


def _heard(item: Figures) -> dict[str, str]:
    return say(
        "quarter", "heard", label=item["label"], m=item["total"]["m"], high=item["scale"]["high"], n=item["total"]["n"]
    )


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
