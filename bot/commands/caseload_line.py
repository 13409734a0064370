"""The arguments of `wegwijs caseload …`. What they do is imported only when it is done."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any


def add_to(commands: Any) -> None:
    """Add the commands to those of the parser."""
    caseload = commands.add_parser("caseload", help="klantregisseurs, the people they guide, letters with codes")
    what = caseload.add_subparsers(required=True, metavar="WHAT")
    for name, text in (
        ("klantregisseurs", "klantregisseurs with their weeks, from a YAML file"),
        ("people", "the people they guide, from a CSV file"),
    ):
        one = what.add_parser(name, help=text, description=f"{text}; shows what would change")
        one.set_defaults(run=_import, kind=name)
        one.add_argument("file", type=Path)
        one.add_argument("--apply", action="store_true", help="do it, if there are no faults")
    text = "letters with a new code for everybody without an account"
    letters = what.add_parser("letters", help=text, description=text)
    letters.set_defaults(run=_letters)
    letters.add_argument("--output", type=Path, required=True, metavar="FILE.html")
    letters.add_argument("--person", action="append", metavar="KEY", help="only for this person; may be repeated")
    letters.add_argument("--language", choices=("nl", "en"), default="nl", help="of the words around the letters")


def _import(options: argparse.Namespace) -> int:
    from bot.commands.caseload import import_file  # noqa: PLC0415  # only when it is done
    from bot.settings import load_settings  # noqa: PLC0415  # as above

    return import_file(load_settings(), options.kind, options.file, apply=options.apply)


def _letters(options: argparse.Namespace) -> int:
    from bot.commands.caseload import letters  # noqa: PLC0415  # as above
    from bot.settings import load_settings  # noqa: PLC0415  # as above

    pages = importlib.import_module("webhooks.caseload")  # by name: this module stands below the web
    return letters(
        load_settings(), options.output, options.person, lambda made: pages.letters_file(made, options.language)
    )
