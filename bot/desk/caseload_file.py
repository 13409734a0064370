"""The municipality's list of people as a CSV file: read, checked, every fault with its line and mend. Pure.

Made for what offices really send: UTF-8 with or without its mark, or the Windows code page; commas or semicolons.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from bot.contacts import Group
from bot.errors import Fault

COLUMNS = ("person", "klantregisseur", "type", "route", "phase", "language", "gender", "birth_year")
MAY = ("progress_talk",)  # columns that may be there
MAX_BYTES = 20_000_000
MAX_LINES = 20_000  # of a file, empty ones too: they are written in one transaction, and others wait for it
MAX_COLUMNS = 50  # that are looked at; each unknown one is a fault
MAX_KEY = 64  # characters of a person's key
OLDEST = 1900
_TYPES = {
    "asielstatushouder": Group.ASYLUM,
    "asylum": Group.ASYLUM,
    "gezinsmigrant": Group.FAMILY,
    "family": Group.FAMILY,
}
_ROUTES = {
    "": "",
    "b1": "b1",
    "b1-route": "b1",
    "onderwijs": "education",
    "onderwijsroute": "education",
    "z": "z",
    "z-route": "z",
    "zelfredzaamheidsroute": "z",
}
_PHASES = {"": "", "intake": "intake", "pip": "pip", "traject": "trajectory", "afgerond": "done"}
_GENDERS = {"": None, "v": "f", "m": "m", "x": "x"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would carry out


@dataclass(frozen=True)
class PersonLine:
    """One person as the municipality has them."""

    line: int
    person: str
    klantregisseur: str
    group: Group
    route: str
    phase: str
    language: str
    gender: str | None
    birth_year: int | None
    talked_on: date | None = None


@dataclass
class PeopleFile:
    """What stands in a file. With faults nothing of it may be used."""

    file: str
    encoding: str = ""
    separator: str = ""
    empty: int = 0
    lines: list[PersonLine] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, line: int, column: str, message: str) -> None:
        self.faults.append(Fault(self.file, line, column, message))


def read_people(data: bytes, file: str, this_year: int) -> PeopleFile:
    """Read a file. Never raises for what stands in it: the faults are in the result."""
    found = PeopleFile(file)
    text = _decode(data, found)
    if found.faults:
        return found
    header = text.lstrip("\n").partition("\n")[0]
    found.separator = ";" if header.count(";") > header.count(",") else ","
    rows = _rows(text, found)
    names = next(((line, cells) for line, cells in rows if any(cells)), None)
    if names is None:
        if not found.faults:
            found.fault(1, "", f"the file is empty; the first line names the columns: {found.separator.join(COLUMNS)}")
        return found
    columns = _header(*names, found)
    if columns:
        _people(rows, columns, found, this_year)
    return found


def _decode(data: bytes, found: PeopleFile) -> str:
    if len(data) > MAX_BYTES:
        found.fault(1, "", f"larger than {MAX_BYTES // 1_000_000} MB; is this the right file?")
    elif data.startswith((b"\xff\xfe", b"\xfe\xff")):
        found.fault(1, "", "UTF-16; save it as 'CSV UTF-8'")
    elif b"\0" in data:
        found.fault(1, "", "no text; save the sheet as 'CSV UTF-8'")
    else:
        for name in ("utf-8-sig", "cp1252"):
            try:
                text = data.decode(name)
            except UnicodeDecodeError:
                continue
            found.encoding = name.removesuffix("-sig")
            return text.replace("\r\n", "\n").replace("\r", "\n")
        found.fault(1, "", "neither UTF-8 nor Windows-1252; save it as 'CSV UTF-8'")
    return ""


def _rows(text: str, found: PeopleFile) -> Iterator[tuple[int, list[str]]]:
    """Every line with its number, cells without the space around them."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=found.separator, strict=True)
    line = 1
    try:
        for cells in reader:
            if reader.line_num > MAX_LINES:
                found.fault(line, "", f"more than {MAX_LINES} lines; split it into files that each have the first line")
                return
            yield line, [cell.strip(" ") for cell in cells]
            line = reader.line_num + 1
    except csv.Error as error:
        found.fault(line, "", f"not readable as CSV ({error}); look for a quotation mark that is not closed")


def _header(line: int, cells: list[str], found: PeopleFile) -> list[str]:
    """The names of the columns; empty when they don't fit."""
    if len(cells) > MAX_COLUMNS:
        found.fault(line, "", f"{len(cells)} columns; is this the right file?")
        return []
    names = [cell.casefold() for cell in cells]
    for name in COLUMNS:
        if name not in names:
            found.fault(line, name, "this column is missing; add it (its cells may be empty, except person and type)")
    for name in names:
        if name not in COLUMNS + MAY:
            found.fault(line, name, f"unknown column; the columns are {', '.join(COLUMNS + MAY)}")
        elif names.count(name) > 1:
            found.fault(line, name, "this column stands twice; keep one")
    return [] if found.faults else names


def _people(rows: Iterator[tuple[int, list[str]]], columns: list[str], found: PeopleFile, this_year: int) -> None:
    seen: dict[str, int] = {}
    for line, cells in rows:
        if not any(cells):
            found.empty += 1
            continue
        if len(cells) != len(columns):
            found.fault(line, "", f"{len(cells)} cells where {len(columns)} are expected; look for a stray separator")
            continue
        person = _person(line, dict(zip(columns, cells, strict=True)), found, this_year)
        if person is None:
            continue
        if person.person in seen:
            found.fault(line, "person", f"the same person as on line {seen[person.person]}; keep one of the two")
            continue
        seen[person.person] = line
        found.lines.append(person)


def _person(line: int, cells: dict[str, str], found: PeopleFile, this_year: int) -> PersonLine | None:
    known = len(found.faults)
    values: dict[str, Any] = {}
    for column, cell in cells.items():
        if cell.startswith(_FORMULA):
            found.fault(line, column, "starts like a formula; write the plain value, or leave the cell empty")
            continue
        try:
            values[column] = _READ[column](cell, this_year)
        except (ValueError, KeyError):
            found.fault(line, column, _MENDS[column].format(oldest=OLDEST, this_year=this_year))
    if len(found.faults) > known:
        return None
    return PersonLine(
        line,
        values["person"],
        values["klantregisseur"],
        values["type"],
        values["route"],
        values["phase"],
        values["language"],
        values["gender"],
        values["birth_year"],
        values.get("progress_talk"),
    )


def _key(cell: str, _: int) -> str:
    if not cell or len(cell) > MAX_KEY or not cell.isprintable():
        raise ValueError
    return cell


def _code(cell: str, _: int) -> str:
    return _key(cell, 0) if cell else ""


def _language(cell: str, _: int) -> str:
    if cell and not re.fullmatch(r"[A-Za-z]{2,3}", cell):
        raise ValueError
    return cell.lower()


def _birth_year(cell: str, this_year: int) -> int | None:
    if not cell:
        return None
    if not re.fullmatch(r"[0-9]{4}", cell) or not OLDEST <= int(cell) <= this_year:
        raise ValueError
    return int(cell)


def _day(cell: str, this_year: int) -> date | None:
    """A day as 2026-11-23 or 23-11-2026, not after this year."""
    if not cell:
        return None
    day = datetime.strptime(cell, "%Y-%m-%d" if re.match(r"[0-9]{4}-", cell) else "%d-%m-%Y").date()  # noqa: DTZ007  # a day
    if not OLDEST <= day.year <= this_year:
        raise ValueError
    return day


_READ: dict[str, Callable[[str, int], Any]] = {
    "person": _key,
    "klantregisseur": _code,
    "type": lambda cell, _: _TYPES[cell.casefold()],
    "route": lambda cell, _: _ROUTES[cell.casefold()],
    "phase": lambda cell, _: _PHASES[cell.casefold()],
    "language": _language,
    "gender": lambda cell, _: _GENDERS[cell.casefold()],
    "birth_year": _birth_year,
    "progress_talk": _day,
}
_MENDS = {
    "person": "the key of the person is missing or too long; write the key of your own system, at most 64 characters",
    "klantregisseur": "no code; write the code of the klantregisseur, or leave the cell empty",
    "type": "unknown; write asielstatushouder or gezinsmigrant",
    "route": "unknown; write b1, onderwijs or z, or leave the cell empty",
    "phase": "unknown; write intake, pip, traject or afgerond, or leave the cell empty",
    "language": "unknown; write a code of two or three letters such as nl, ar or ti, or leave the cell empty",
    "gender": "unknown; write v, m or x, or leave the cell empty",
    "progress_talk": "no day, or after this year; write the last talk as 2026-11-23, or leave the cell empty",
    "birth_year": "no year; write a year from {oldest} to {this_year}, or leave the cell empty",
}
