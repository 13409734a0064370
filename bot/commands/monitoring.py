"""`wegwijs monitoring`: figures from a file of answers alone, so that others can check them."""

from __future__ import annotations

import argparse
import importlib
import json
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bot.content.load import read_content
from bot.errors import ContentError
from bot.monitoring import baseline as baselines
from bot.monitoring import exports, quarter_pdf
from bot.monitoring.answers import Answers, read_answers
from bot.monitoring.answers_file import AnswersError
from bot.monitoring.codebook import codebook
from bot.monitoring.protection import Rules
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
    answers = read_answers(options.answers, scales_of(baseline))
    return answers, baseline, wave_of(options.wave, answers.waves)


def _found(options: argparse.Namespace, content_dir: Path, *, strict: bool) -> dict[str, Any]:
    answers, baseline, wave = _read(options, content_dir)
    return make(answers, baseline, Options(Rules(options.min_people, strict=strict), wave, options.answers.name))


def quarter(options: argparse.Namespace, content_dir: Path) -> int:
    """Write the quarterly page of a wave as PDF."""
    page = _found(options, content_dir, strict=True)["quarter"]
    titles = importlib.import_module("webhooks.monitoring_report").titles(page, options.language)  # as in `_page`
    quarter_pdf.pdf(page, titles, options.language, options.output)
    return 0


def export(options: argparse.Namespace, content_dir: Path) -> int:
    """Write every file of an export into a folder, or into one zip file; prints the manifest."""
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
