"""The report of a file of answers as one page that needs nothing else, to open, print or send."""

from __future__ import annotations

from html import unescape
from typing import Any

from bot.monitoring.baseline import SUBGROUPS
from webhooks.pages import HERE, environment

COLUMNS = {"total": ""} | {group: background for group, (background, _) in SUBGROUPS.items()}
Figures = dict[str, Any]


def page(found: Figures, language: str) -> str:
    """A report as HTML in Dutch or English."""
    template = environment(language).get_template("monitoring/report.html")
    scales = by_scale(asked(found["items"]))
    return template.render(
        language=language,
        found=found,
        style="".join((HERE / "static" / name).read_text(encoding="utf-8") for name in ("report.css", "chart.css")),
        scales=[(low, high, names) for (low, high), names in scales.items()],
        rows={ends: [row(found["items"][name], language) for name in names] for ends, names in scales.items()},
        columns=COLUMNS,
        backgrounds=found["source"]["backgrounds"],
        relations=matrix(found["relations"]),
        study_tables=found["study_tables"],
    )


def titles(page: Figures, language: str) -> dict[str, str]:
    """The headings of the page of a quarter, by part."""
    year, _, number = page["quarter"].partition("-")
    values = {"year": year, "number": number, "waves": page["waves"], "more": page["more"]}
    text = unescape(environment(language).get_template("monitoring/titles.html").render(values))
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def asked(items: Figures) -> Figures:
    """The items that somebody was asked in this wave; a wave has only a few of them."""
    return {
        name: item for name, item in items.items() if item["total"].get("reason") != "no_answers" or item["missing"]
    }


def by_scale(items: Figures) -> dict[tuple[int, int], list[str]]:
    """The items of each scale, because means can only be drawn beside others of the same scale."""
    scales: dict[tuple[int, int], list[str]] = {}
    for name, item in items.items():
        scales.setdefault((item["scale"]["low"], item["scale"]["high"]), []).append(name)
    return scales


def row(item: Figures, language: str) -> Figures:
    """A row of the chart: the mean of now and of 2024."""
    total, before = item["total"], item["baseline"].get("total", {})
    return {
        "name": item["label"][language],
        "m": total["m"],
        "interval": total.get("interval"),
        "reason": total.get("reason", ""),
        "before": before.get("m_2024"),
    }


def matrix(relations: list[Figures]) -> Figures:
    """Relations as a table: predictors down, outcomes across. Empty when there are none."""
    if not relations:
        return {}
    of = {(one["predictor"], one["outcome"]): one for one in relations}
    return {
        "predictors": list(dict.fromkeys(predictor for predictor, _ in of)),
        "outcomes": list(dict.fromkeys(outcome for _, outcome in of)),
        "of": of,
    }
