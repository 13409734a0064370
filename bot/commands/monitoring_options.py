"""The options of `wegwijs monitoring`. Loads no library for statistics: every other command would wait for it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

Command = Callable[[argparse.Namespace], int]


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser], run: Command) -> None:
    """Add report, export and quarter; `options.what` says which one it is."""
    report = _one(parsers, "report", run, "figures from a file of answers alone")
    report.add_argument("--format", choices=("json", "html"), default="json")
    report.add_argument("--language", choices=("nl", "en"), default="nl", help="of the page")
    report.add_argument("--output", type=Path, metavar="FILE", help="where to write; on the screen when left out")
    report.add_argument("--wave", default="", help="one, or latest; when left out the latest answer of each person")
    report.add_argument("--invitations", type=Path, metavar="FILE.json", help="who was asked, for the response")
    report.add_argument("--strict", action="store_true", help="as the pages: a small rest of a total hides a group too")
    export = _one(parsers, "export", run, "answers to take along: CSV, XLSX, SPSS, Parquet, codebook, manifest")
    export.add_argument("--output", type=Path, required=True, metavar="FOLDER or FILE.zip")
    export.add_argument("--wave", default="", help="one wave; all when left out")
    quarter = _one(parsers, "quarter", run, "one page: what we heard, what changed, what to do")
    quarter.add_argument("--output", type=Path, required=True, metavar="FILE.pdf")
    quarter.add_argument("--language", choices=("nl", "en"), default="nl")
    quarter.add_argument("--wave", default="latest")
    quarter.add_argument("--report", type=Path, metavar="FILE.json", help="a report that was made before, in its place")


def _one(
    parsers: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: Command, text: str
) -> argparse.ArgumentParser:
    parser = parsers.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run, what=name)
    parser.add_argument("--answers", type=Path, required=name != "quarter", metavar="FILE.csv")
    parser.add_argument("--baseline", type=Path, metavar="FILE.yaml", help="the study to compare with (default: 2024)")
    parser.add_argument("--min-people", type=int, default=10, metavar="N", help="no figure of fewer people")
    return parser
