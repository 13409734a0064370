"""Figures beside those of the study of 2024, and the tool's check of itself on what the study printed."""

from __future__ import annotations

from typing import Any

from bot.monitoring.baseline import Baseline, Item, Summary
from bot.monitoring.descriptive import printed
from bot.monitoring.differences import from_summaries
from bot.monitoring.sentences import p_value, say

PAIRS = {"type": ("asylum", "family"), "gender": ("women", "men")}
Figures = dict[str, Any]


def label(name: str, item: Item) -> dict[str, str]:
    """What an item is called in tables and sentences."""
    return {language: f"{name} {(item.label or {}).get(language, item.topic)}" for language in ("nl", "en")}


def against(name: str, item: Item, row: Summary | None, now: Figures, least: int) -> Figures | None:
    """Figures of now beside a printed row: the difference (Welch's interval), tests, and a sentence in two languages.

    None where the study printed none. `now` is what `describe` gave, or what stands in its place when it is hidden.
    """
    if row is None:
        return None
    found: Figures = {"m_2024": row.m, "sd_2024": row.sd, "n_2024": row.n}
    title = label(name, item)
    if now["m"] is None:
        return found | {
            "reason": now.get("reason", "no_answers"),
            "sentence": say("baseline", "too_few", label=title, least=least),
        }
    values: Figures = {"label": title, "m": now["m"], "m0": row.m}
    if now["sd"] is None:
        return found | {"reason": "too_few", "sentence": say("baseline", "no_test", **values)}
    tests = from_summaries((now["m"], now["sd"], now["n"]), (row.m, row.sd, row.n))
    if "reason" in tests:
        return found | {"reason": tests["reason"], "sentence": say("baseline", "no_test", **values)}
    return found | tests | {"sentence": _sentence(tests, values, higher_is_worse=item.higher_is_worse)}


def _sentence(tests: Figures, values: Figures, *, higher_is_worse: bool) -> dict[str, str]:
    """Whether it differs is Welch's verdict, whose interval the sentence names."""
    between = tests["difference"]
    values |= {"low": printed(between["low"]), "high": printed(between["high"])}
    if tests["welch"] is None or between["low"] <= 0 <= between["high"]:
        return say("baseline", "same", difference=printed(between["value"]), **values)
    up = between["value"] > 0
    if not up:
        values |= {"low": printed(-between["high"]), "high": printed(-between["low"])}
    meaning = say("baseline", "better" if up != higher_is_worse else "worse")
    return say(
        "baseline", "higher" if up else "lower", difference=printed(abs(between["value"])), meaning=meaning, **values
    )


def check(baseline: Baseline) -> Figures:
    """Student's test from the printed figures beside what the study says differs (p < .05)."""
    lines = [
        line
        for background, pair in PAIRS.items()
        for name, item in baseline.items.items()
        if (line := _line(baseline, background, name, item, pair)) is not None
    ]
    marked = {
        background: [line["item"] for line in lines if line["background"] == background and line["significant"]]
        for background in PAIRS
    }
    return {"marked": marked, "lines": lines, "agrees": all(line["verdict"] == "matches" for line in lines)}


def _line(baseline: Baseline, background: str, name: str, item: Item, pair: tuple[str, str]) -> Figures | None:
    rows = item.published()
    if not set(pair) <= set(rows):
        return None
    first, second = (rows[group] for group in pair)
    tests = from_summaries((first.m, first.sd, first.n), (second.m, second.sd, second.n))
    mark = baseline.published_differences.get(background, {}).get(name, "")
    verdict = _verdict(mark, significant=tests["significant"])
    found = "yes" if tests["significant"] else "no"
    words = say("check", verdict, item=name, background=background, p=p_value(tests["p"]), verdict=say("check", found))
    return {
        "item": name,
        "background": background,
        "published": mark,
        "t": tests["student"]["t"],
        "df": tests["student"]["df"],
        "p": tests["p"],
        "significant": tests["significant"],
        "verdict": verdict,
        "sentence": words,
    }


def _verdict(mark: str, *, significant: bool) -> str:
    """A mark that "vanishes" is there without control, one that is "controlled" only with it."""
    if mark.endswith("(controlled)"):
        return "controlled"
    if bool(mark) == significant:
        return "matches"
    return "not_reported" if significant else "not_found"
