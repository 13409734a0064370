"""`wegwijs monitoring`: figures from a file of answers alone, so that others can check them."""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bot.commands.quarter import read_json
from bot.content.load import read_content, read_surveys
from bot.errors import AnswersError, ContentError
from bot.monitoring import baseline as baselines
from bot.monitoring.answers import Answers, read_answers
from bot.monitoring.protection import Rules
from bot.monitoring.quarter import quarter as page_of
from bot.monitoring.questions import questions_of
from bot.monitoring.report import Options, make, scales_of, wave_of


def report(options: argparse.Namespace, content_dir: Path) -> int:
    """Print the report. What was left out of the figures is said on standard error as well, with line and mend."""
    found = _found(options, content_dir, strict=options.strict)
    _say_left_out(found["left_out"])
    text = (
        _page(found, options.language) if options.format == "html" else json.dumps(found, ensure_ascii=False, indent=2)
    )
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")
    else:
        print(text)
    return 0


def _read(options: argparse.Namespace, content_dir: Path) -> tuple[Answers, baselines.Baseline, str]:
    """The answers, the study to compare with, and the wave that is meant."""
    if options.min_people < 1:
        raise AnswersError("--min-people: at least 1")
    baseline = baselines.load(options.baseline or content_dir / baselines.FILE)
    questions = questions_of(read_surveys(content_dir), baseline.items)
    answers = read_answers(options.answers, scales_of(baseline), questions)
    return answers, baseline, wave_of(options.wave, answers.waves)


def _found(options: argparse.Namespace, content_dir: Path, *, strict: bool) -> dict[str, Any]:
    answers, baseline, wave = _read(options, content_dir)
    invitations = _invitations(options.invitations, wave) if getattr(options, "invitations", None) else []
    rules = Rules(options.min_people, strict=strict)
    gc.freeze()  # Holm's correction in statsmodels collects garbage each time: 0.1 s with all libraries loaded
    return make(answers, baseline, Options(rules, wave, options.answers.name, invitations))


def _invitations(path: Path, wave: str) -> list[dict[str, Any]]:
    """The rows of a wave; a row with `people` stands for so many."""
    rows = [row for row in read_json(path) if not wave or row["wave"] == wave]
    return [row for row in rows for _ in range(row.get("people", 1))]


def page_of_quarter(options: argparse.Namespace, content_dir: Path) -> dict[str, Any]:
    """The page of the quarter in which the wave that is meant had its last answer, with all waves of that quarter."""
    answers, baseline, wave = _read(options, content_dir)
    rules = Rules(options.min_people, strict=True)

    def report(one: str) -> dict[str, Any]:
        return make(answers, baseline, Options(rules, one, options.answers.name))

    found = report(wave)
    of = found["source"]["quarters"]
    name = of.get(wave, "")
    others = [one for one in answers.waves if name and of.get(one) == name]
    return page_of([found if one == wave else report(one) for one in others or [wave]], name)


def export(options: argparse.Namespace, content_dir: Path) -> int:
    """Write every file of an export into a folder, or into one zip file; prints the manifest."""
    from bot.monitoring import exports  # noqa: PLC0415  # the libraries of these files take half a second
    from bot.monitoring.codebook import codebook  # noqa: PLC0415

    answers, baseline, wave = _read(options, content_dir)
    content, reader = read_content(content_dir)
    if reader.faults:
        raise ContentError(sorted(reader.faults))
    data = exports.prepare(answers, wave, codebook(baseline, content.surveys), Rules(options.min_people, strict=True))
    about = {
        "filters": {"wave": wave or None, "min_people": options.min_people},
        "versions": {"wegwijs": version("wegwijs"), "content": content.version, "answers_sha256": answers.sha256},
    }
    zipped = options.output.suffix == ".zip"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) if zipped else options.output
        manifest = exports.write(data, folder, about=about, now=datetime.now(UTC))
        if zipped:
            shutil.make_archive(str(options.output.with_suffix("")), "zip", folder)
    print(json.dumps(manifest, ensure_ascii=False, indent=2))
    return 0


def _page(found: dict[str, Any], language: str) -> str:
    pages = importlib.import_module("webhooks.monitoring_report")  # by name: this module stands below the web
    return str(pages.page(found, language))


def _say_left_out(left_out: dict[str, Any]) -> None:
    for note in left_out["first"]:
        place = f"line {note['line']}: " if note["line"] else ""
        print(f"{place}{note['message']['en']}", file=sys.stderr)
    for code, number in left_out["counts"].items():
        print(f"{code}: {number}", file=sys.stderr)
