"""`wegwijs monitoring quarter`: the page of a quarter as PDF. From a page that was made it needs no statistics."""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path
from typing import Any

from bot.errors import AnswersError
from bot.monitoring import quarter_pdf


def quarter(options: argparse.Namespace, content_dir: Path) -> int:
    """Write the quarterly page as PDF."""
    if not (options.answers or options.report):
        raise AnswersError("give --answers FILE.csv, or --report FILE.json")
    found = read_json(options.report) if options.report else {"quarter": _made(options, content_dir)}
    pages = importlib.import_module("webhooks.monitoring_report")  # by name: this module stands below the web
    quarter_pdf.pdf(found, pages.titles(found["quarter"], options.language), options.language, options.output)
    return 0


def read_json(path: Path) -> Any:
    """What a file of ours holds. Raises AnswersError when it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AnswersError(f"{path}: can't be read as JSON ({str(error)[:80]}); give the file that was made") from None


def _made(options: argparse.Namespace, content_dir: Path) -> Any:
    from bot.commands import monitoring  # noqa: PLC0415  # loads the libraries for statistics

    return monitoring.page_of_quarter(options, content_dir)
