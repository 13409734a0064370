"""`wegwijs monitoring`: figures from a file of answers alone, so that others can check them."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bot.content.load import read_content
from bot.errors import ContentError
from bot.monitoring import baseline as baselines
from bot.monitoring import exports
from bot.monitoring.answers import read_answers
from bot.monitoring.answers_file import AnswersError
from bot.monitoring.codebook import codebook
from bot.monitoring.protection import Rules
from bot.monitoring.report import Options, make, scales_of


def report(options: argparse.Namespace, content_dir: Path) -> int:
    """Print the report. What was left out of the figures is said on standard error as well, with line and mend."""
    if options.min_people < 1:
        raise AnswersError("--min-people: at least 1")
    baseline = baselines.load(options.baseline or content_dir / baselines.FILE)
    answers = read_answers(options.answers, scales_of(baseline))
    _check_wave(options.wave, answers.waves)
    rules = Rules(options.min_people, strict=options.strict)
    found = make(answers, baseline, Options(rules, options.wave, options.answers.name))
    _say_left_out(found["left_out"])
    text = (
        json.dumps(found, ensure_ascii=False, indent=2) if options.format == "json" else _page(found, options.language)
    )
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")
    else:
        print(text)
    return 0


def export(options: argparse.Namespace, content_dir: Path) -> int:
    """Write every file of an export; prints the manifest."""
    baseline = baselines.load(options.baseline or content_dir / baselines.FILE)
    answers = read_answers(options.answers, scales_of(baseline))
    _check_wave(options.wave, answers.waves)
    content, reader = read_content(content_dir)
    if reader.faults:
        raise ContentError(sorted(reader.faults))
    rules = Rules(options.min_people, strict=True)
    data = exports.prepare(answers, options.wave, codebook(baseline, content.surveys), rules)
    about = {
        "filters": {"wave": options.wave or None, "min_people": options.min_people},
        "versions": {"wegwijs": version("wegwijs"), "content": content.version, "answers_sha256": answers.sha256},
    }
    manifest = exports.write(data, options.output, about=about, now=datetime.now(UTC))
    print(json.dumps(manifest, ensure_ascii=False, indent=2))
    return 0


def _check_wave(wave: str, waves: list[str]) -> None:
    if wave and wave not in waves:
        raise AnswersError(f"--wave: '{wave}' is not in the file; it has {', '.join(waves)}")


def _page(found: dict[str, Any], language: str) -> str:
    pages = importlib.import_module("webhooks.monitoring_report")  # by name: this module stands below the web
    return str(pages.page(found, language))


def _say_left_out(left_out: dict[str, Any]) -> None:
    for note in left_out["first"]:
        place = f"line {note['line']}: " if note["line"] else ""
        print(f"{place}{note['message']['en']}", file=sys.stderr)
    for code, number in left_out["counts"].items():
        print(f"{code}: {number}", file=sys.stderr)
