"""`wegwijs evaluate`: measure the understanding on a labelled file and print every figure."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bot.commands.ask import read_lines
from bot.errors import WegwijsError
from bot.understanding import folds, measures, pictures
from bot.understanding.engine import Engine, Look, load_understander
from bot.understanding.measures import FIGURES, Judged, Query

CONFUSIONS_SHOWN = 15
_COVERAGES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_NOTE = (
    "Any listed topic counts as right; intervals: 95 of 100 bootstrap resamples. The model is fitted on the example "
    "questions only; the slope and shift of the confidences and the costs were chosen with a look at the development "
    "messages, so on those the figures flatter (docs/understanding.md has figures of messages that nobody tuned on)."
)


def evaluate(file: Path, content_dir: Path, cache_dir: Path, *, as_json: bool = False, hurry: bool = False) -> int:
    """Print the figures; the pictures are written beside the model. `hurry`: as when many wait.

    Raises WegwijsError for a file that can't be used.
    """
    engine = load_understander(content_dir, cache_dir)
    queries, unknown = read_queries(file, set(engine.model.topics))
    for topic, count in sorted(unknown.items()):
        print(f"topic {topic} does not stand in the content: left out of {count} messages", file=sys.stderr)
    if not queries:
        raise WegwijsError(f"{file} holds no message that can be measured")
    looks, judged = zip(*(judge(engine, query, hurry=hurry) for query in queries), strict=True)
    crossed = folds.cross_validated(engine, looks, judged)
    saved = _draw(judged, cache_dir)
    if as_json:
        print(json.dumps(summary(judged, crossed), ensure_ascii=False, indent=2))
    else:
        lines = [_NOTE, "", *report(judged), "", *_crossed(crossed)]
        print("\n".join([*lines, *(f"picture: {path}" for path in saved)]))
    return 0


def read_queries(file: Path, topics: set[str]) -> tuple[list[Query], dict[str, int]]:
    """Labelled messages, without topics that don't exist; and those topics. Messages with no topic left are dropped."""
    queries, unknown = [], dict[str, int]()
    for line in read_lines(file):
        wanted = [str(topic) for topic in line.get("topics") or ()]
        known = tuple(topic for topic in wanted if topic in topics)
        for topic in set(wanted) - topics:
            unknown[topic] = unknown.get(topic, 0) + 1
        if wanted and not known:
            continue
        kind = str(line.get("kind") or ("plain" if known else "unanswerable"))
        queries.append(
            Query(str(line.get("id", "")), str(line.get("lang", "")), str(line.get("text", "")), known, kind)
        )
    return queries, unknown


def judge(engine: Engine, query: Query, *, hurry: bool = False) -> tuple[Look, Judged]:
    """Understand one message and time it."""
    start = time.perf_counter()
    look = engine.look(query.text, query.lang, hurry=hurry)
    said = engine.conclude(look)
    return look, Judged(query, said, time.perf_counter() - start, engine.crisis_topic)


def report(judged: Sequence[Judged]) -> list[str]:
    """The figures as lines of text."""
    lines = [f"{len(judged)} messages", "", *_by_language(judged)]
    lines += ["", *_kinds(judged), "", *_confusions(judged), "", *_curve(judged), "", *_reliability(judged), ""]
    return [*lines, *_times(judged), *_languages(judged)]


def _by_language(judged: Sequence[Judged]) -> list[str]:
    groups = {"all": list(judged), **measures.by(judged, lambda j: j.query.lang)}
    found = {name: measures.figures(group) for name, group in groups.items()}
    rows = [[_percent(found[group].get(name)) for group in groups] for name, _, _ in FIGURES]
    return [_row("", [*groups]), *(_row(name, cells) for (name, _, _), cells in zip(FIGURES, rows, strict=True))]


def _crossed(crossed: Sequence[Judged]) -> list[str]:
    title = f"cross-validated: slope and shift fitted on {folds.FOLDS - 1} of {folds.FOLDS} parts, used on the other"
    return [title, *_by_language(crossed), ""] if crossed else []


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{name:38}" + "".join(f"{cell:>22}" for cell in cells)


def _percent(figure: measures.Figure | None) -> str:
    if figure is None:
        return "-"
    return f"{100 * figure.share:5.1f} [{100 * figure.low:.0f}-{100 * figure.high:.0f}] {figure.count:>4}"


def _kinds(judged: Sequence[Judged]) -> list[str]:
    shown = (
        "first candidate right",
        "right within three",
        "answered at once and right",
        "right after at most one question",
    )
    lines = [f"{'kind':20}{'n':>5}" + "".join(f"{name:>34}" for name in shown)]
    for kind, group in measures.by(judged, lambda j: j.query.kind).items():
        found = measures.figures(group)
        if any(name in found for name in shown):
            lines.append(f"{kind:20}{len(group):>5}" + "".join(f"{_percent(found.get(name)):>34}" for name in shown))
    return lines


def _confusions(judged: Sequence[Judged]) -> list[str]:
    lines = ["worst confused: wanted -> found"]
    for wanted, found, texts in measures.confusions(judged)[:CONFUSIONS_SHOWN]:
        lines += [f"{len(texts):>3}  {wanted} -> {found}", *(f"       {text[:150]}" for text in texts[:3])]
    return lines


def _curve(judged: Sequence[Judged]) -> list[str]:
    points = measures.risk_coverage(judged)
    rows = [f"{'share answered':>16}{'wrong among them':>20}"]
    for wanted in _COVERAGES if points else ():
        share, risk = points[max(0, round(wanted * len(points)) - 1)]
        rows.append(f"{share:>16.0%}{risk:>20.1%}  {'#' * round(100 * risk)}")
    return ["risk and coverage", *rows]


def _reliability(judged: Sequence[Judged]) -> list[str]:
    rows = [
        f"{low:>6.2f}-{high:<5.2f}{count:>6}{sure:>10.2f}{right:>9.2f}"
        for low, high, count, sure, right in _bins(judged)
    ]
    return ["reliability of the first candidate", f"{'confidence':>12}{'n':>6}{'mean':>10}{'right':>9}", *rows]


def _bins(judged: Sequence[Judged]) -> list[tuple[float, float, int, float, float]]:
    return measures.reliability([one for one in judged if not one.wants_smalltalk])


def _times(judged: Sequence[Judged]) -> list[str]:
    spent = [1000 * one.seconds for one in judged]
    high = quantiles(spent, n=20)[-1] if len(spent) > 1 else spent[0]
    return [f"time a message: median {median(spent):.1f} ms, 95 of 100 below {high:.1f} ms; memory {_resident()} MB"]


def _resident() -> int:
    status = Path("/proc/self/status")  # Linux only; elsewhere the figure is left at 0
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS")), 0)


def _languages(judged: Sequence[Judged]) -> list[str]:
    seen = measures.languages(judged)
    return [f"languages seen where {name} was chosen: {dict(counts.most_common(8))}" for name, counts in seen.items()]


def summary(judged: Sequence[Judged], crossed: Sequence[Judged] = ()) -> dict[str, Any]:
    """Every figure as JSON; `crossed`: the same messages, cross-validated."""
    groups = {"all": list(judged), **measures.by(judged, lambda j: j.query.lang)}
    kinds = measures.by(judged, lambda j: j.query.kind)
    return {
        "note": _NOTE,
        "messages": len(judged),
        "by_language": {name: _figures(group) for name, group in groups.items()},
        "cross_validated": _figures(crossed) if crossed else None,
        "by_kind": {name: _figures(group) for name, group in kinds.items()},
        "confusions": [{"wanted": w, "found": f, "texts": texts} for w, f, texts in measures.confusions(judged)],
        "risk_coverage": [[round(share, 4), round(risk, 4)] for share, risk in measures.risk_coverage(judged)],
        "reliability": [dict(zip(("low", "high", "n", "mean", "right"), row, strict=True)) for row in _bins(judged)],
        "median_ms": round(median(1000 * one.seconds for one in judged), 2),
        "resident_mb": _resident(),
    }


def _figures(group: Sequence[Judged]) -> dict[str, Any]:
    return {name: asdict(figure) for name, figure in measures.figures(group).items()}


def _draw(judged: Sequence[Judged], folder: Path) -> list[Path]:
    curve = measures.risk_coverage(judged)
    bins = [(sure, right) for _, _, _, sure, right in _bins(judged)]
    titles = ("Risk and coverage", "share of messages that is answered", "wrong among them")
    drawn = {
        "risk-coverage.svg": pictures.line(curve, titles, top=0.25),
        "reliability.svg": pictures.line(bins, ("Reliability", "confidence", "right"), diagonal=True),
    }
    for name, picture in drawn.items():
        (folder / name).write_text(picture, encoding="utf-8")
    return [folder / name for name in drawn]
