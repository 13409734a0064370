"""The klantregisseurs of the municipality as a YAML file: who they are and when they answer. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date, time
from pathlib import Path
from typing import Any

from bot.desk.calendar import FULL_SLOT, WEEKDAYS, Absence, Calendar, Slot, SlotError
from bot.errors import Fault
from bot.yaml_files import Document, Path_, read_yaml

MOST = 20_000  # parts of a file: some 700 klantregisseurs, each with a full week and absences
MAX_CODE, MAX_NAME, MAX_EMAIL = 40, 64, 254
_KEYS = {"name", "email", "languages", "slots", "absences", "active"}
DAYS = {"en": WEEKDAYS, "nl": ("ma", "di", "wo", "do", "vr")}
_DAYS = {name: number for names in DAYS.values() for number, name in enumerate(names)}
_SLOT = re.compile(r"([a-z]{2,3}) +(\d{1,2}:\d\d) *- *(\d{1,2}:\d\d)(?: +max +(\d{1,3}))?")
_ABSENCE = re.compile(r"(\d{4}-\d\d-\d\d)(?: *(?:\.\.| - ) *(\d{4}-\d\d-\d\d))?")


@dataclass(frozen=True)
class ActorEntry:
    """One klantregisseur as the file has them."""

    code: str
    name: str
    line: int
    email: str | None = None
    languages: tuple[str, ...] = ()
    active: bool = True
    calendar: Calendar = field(default_factory=Calendar)
    has_slots: bool = True  # whether the file says them; else what the klantregisseur wrote stays
    has_absences: bool = True


def read_actors(path: Path) -> tuple[list[ActorEntry], list[Fault]]:
    """Read a file. Never raises for what stands in it."""
    document = read_yaml(path, path.parent, MOST)
    if document.faults:
        return [], document.faults
    if not isinstance(document.data, dict):
        return [], [
            Fault(document.file, 1, "", "must be a mapping: the code of a klantregisseur, and below it the rest")
        ]
    entries = [_entry(document, code, value) for code, value in document.data.items()]
    return [entry for entry in entries if entry is not None], document.faults


def _entry(document: Document, code: Any, value: Any) -> ActorEntry | None:
    known = len(document.faults)

    def fault(path: Path_, message: str) -> None:
        document.faults.append(document.fault((code, *path), message))

    if not isinstance(code, str) or not 0 < len(code) <= MAX_CODE:
        fault((), f"not a code; put it between quotes, at most {MAX_CODE} characters")
        return None
    if not isinstance(value, dict):
        fault((), "must have at least a name below it")
        return None
    for key in value.keys() - _KEYS:
        fault((key,), f"unknown; the keys are {', '.join(sorted(_KEYS))}")
    name, email, active = value.get("name"), value.get("email"), value.get("active", True)
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or not name.isprintable():
        fault(("name",), f"missing or no text; write the name as newcomers read it, at most {MAX_NAME} characters")
    if email is not None and not (isinstance(email, str) and len(email) <= MAX_EMAIL and _is_email(email)):
        fault(("email",), "no e-mail address; correct it or leave it out")
    if not isinstance(active, bool):
        fault(("active",), "write true or false")
    languages = _languages(value.get("languages") or [], fault)
    calendar = _calendar(value, fault)
    if len(document.faults) > known:
        return None
    entry = ActorEntry(code, str(name), document.lines.get((code,), 1), email, languages, bool(active), calendar)
    return replace(entry, has_slots="slots" in value, has_absences="absences" in value)


def _is_email(text: str) -> bool:
    return re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text) is not None


def _languages(value: Any, fault: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        fault(("languages",), "must be a list, such as [nl, en]")
        return ()
    for index, code in enumerate(value):
        if not isinstance(code, str) or not re.fullmatch(r"[a-z]{2,3}", code):
            fault(("languages", index), "no code of a language; write two or three letters, 'no' between quotes")
    return tuple(str(code) for code in value)


def _calendar(value: dict[str, Any], fault: Any) -> Calendar:
    parts: dict[str, list[Any]] = {"slots": [], "absences": []}
    for key, read in (("slots", read_slot), ("absences", read_absence)):
        lines = value.get(key) or []
        if not isinstance(lines, list):
            fault((key,), "must be a list")
            continue
        for index, line in enumerate(lines):
            try:
                parts[key].append(read(str(line)))
            except ValueError as error:
                fault((key, index), str(error))
    try:
        return Calendar(tuple(sorted(parts["slots"])), tuple(sorted(parts["absences"])))
    except SlotError as error:
        fault(("slots",), str(error))
        return Calendar()


def read_slot(text: str) -> Slot:
    """A slot as it is written: "tue 09:00-11:00", "do 13:00-15:00 max 6". Raises ValueError."""
    match = _SLOT.fullmatch(text.strip().lower())
    if match is None or match[1] not in _DAYS:
        raise ValueError(f"'{text}' is no slot; write it as 'tue 09:00-11:00' (mon to fri), with 'max 6' if you wish")
    try:
        starts, ends = (time.fromisoformat(wall.zfill(5)) for wall in (match[2], match[3]))
    except ValueError:
        raise ValueError(f"'{text}': a time that no clock shows; correct it") from None
    return Slot(_DAYS[match[1]], starts, ends, int(match[4] or FULL_SLOT))


def read_absence(text: str) -> Absence:
    """An absence as it is written: "2026-12-24", "2026-12-21..2027-01-01". Raises ValueError."""
    match = _ABSENCE.fullmatch(text.strip())
    try:
        first = date.fromisoformat(match[1]) if match else None
        last = date.fromisoformat(match[2]) if match and match[2] else first
    except ValueError:
        raise ValueError(f"'{text}': a day that does not exist; correct it") from None
    if first is None or last is None:
        raise ValueError(f"'{text}' is no absence; write it as 2026-12-24 or 2026-12-21..2027-01-01")
    if last < first:
        raise ValueError(f"'{text}' ends before it starts; turn the days around")
    return Absence(first, last)
