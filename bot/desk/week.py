"""The own week and absences, as a klantregisseur writes them: one time or absence on each line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import audit
from bot.desk import handover
from bot.desk.actors_file import DAYS, read_absence, read_slot
from bot.desk.calendar import FULL_SLOT, WEEKDAYS, Absence, Calendar, Slot
from bot.desk.caseload import Applied, keep_calendar
from bot.desk.routing import calendar_of
from bot.desk.telling import Teller
from bot.roles import Principal
from bot.storage.models import ActorRow

MOST = 40  # lines of times, and of absences


class Wrong(StrEnum):
    """What is wrong with a line."""

    SLOT = "slot"  # can't be read as a time in the week
    BACKWARDS = "backwards"  # ends before it starts
    EMPTY = "empty"  # takes no answers
    OVERLAP = "overlap"  # with the line before it in the week
    ABSENCE = "absence"  # can't be read as days
    TURNED = "turned"  # the last day is before the first
    MANY = "many"


@dataclass(frozen=True)
class WeekFault:
    """A line that can't be kept. `line` counts from 1; 0 where it is about all of them."""

    wrong: Wrong
    line: int = 0
    text: str = ""

    @property
    def about_times(self) -> bool:
        return self.wrong not in (Wrong.ABSENCE, Wrong.TURNED)


@dataclass(frozen=True)
class Colleague:
    """A klantregisseur in a list, with when they answer."""

    id: int
    name: str
    active: bool
    calendar: Calendar


def read_week(slots: str, absences: str) -> tuple[Calendar, list[WeekFault]]:
    """The week of two texts. With faults the week is empty."""
    faults: list[WeekFault] = []
    times: dict[Slot, int] = {}
    for number, line in _lines(slots):
        slot = _read(read_slot, line)
        wrong = Wrong.SLOT if slot is None else _wrong_slot(slot)
        if wrong is not None:
            faults.append(WeekFault(wrong, number, line))
        elif slot is not None:
            times[slot] = number
    for first, second in pairwise(sorted(times)):
        if first.weekday == second.weekday and second.starts < first.ends:
            faults.append(WeekFault(Wrong.OVERLAP, times[second], str(second)))
    days: set[Absence] = set()
    for number, line in _lines(absences):
        absence = _read(read_absence, line)
        if absence is None:
            faults.append(WeekFault(_wrong_absence(line), number, line))
        else:
            days.add(absence)
    if len(times) > MOST or len(days) > MOST:
        faults.append(WeekFault(Wrong.MANY))
    return (Calendar(), faults) if faults else (Calendar(tuple(sorted(times)), tuple(sorted(days))), [])


def _lines(text: str) -> list[tuple[int, str]]:
    return [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def _read(read: Callable[[str], Any], line: str) -> Any:
    try:
        return read(line)
    except ValueError:
        return None


def _wrong_slot(slot: Slot) -> Wrong | None:
    if slot.starts >= slot.ends:
        return Wrong.BACKWARDS
    return Wrong.EMPTY if slot.max_answers < 1 else None


def _wrong_absence(line: str) -> Wrong:
    """Two days in the wrong order, or nothing that can be read."""
    first, _, last = line.partition("..")
    turned = bool(last) and all(_read(read_absence, day) is not None for day in (first, last))
    return Wrong.TURNED if turned else Wrong.ABSENCE


def written(calendar: Calendar, language: str) -> tuple[str, str]:
    """A week as it is written, with the days in a language of the pages."""
    names = dict(zip(WEEKDAYS, DAYS[language], strict=True))

    def slot_line(slot: Slot) -> str:
        line = str(slot)
        most = f" max {slot.max_answers}" if slot.max_answers != FULL_SLOT else ""
        return names[line[:3]] + line[3:] + most

    def absence_line(away: Absence) -> str:
        return str(away.first_day) + (f"..{away.last_day}" if away.last_day != away.first_day else "")

    slots = "\n".join(map(slot_line, sorted(calendar.slots)))
    return slots, "\n".join(map(absence_line, sorted(calendar.absences)))


def colleagues(connection: Connection) -> list[Colleague]:
    """Every klantregisseur at work, by name."""
    rows = connection.execute(sa.select(ActorRow.id, ActorRow.name, ActorRow.active).where(ActorRow.active))
    found = [Colleague(row.id, row.name, row.active, calendar_of(connection, row.id)) for row in rows.all()]
    return sorted(found, key=lambda colleague: colleague.name.casefold())


def colleague(connection: Connection, actor_id: int) -> Colleague | None:
    row = connection.execute(
        sa.select(ActorRow.id, ActorRow.name, ActorRow.active).where(ActorRow.id == actor_id)
    ).one_or_none()
    return Colleague(row.id, row.name, row.active, calendar_of(connection, row.id)) if row else None


def promises_that_move(connection: Connection, actor_id: int, calendar: Calendar, now: datetime) -> int:
    """How many open questions would get a new moment with another week."""
    return len(handover.broken_promises(connection, actor_id, calendar, now))


def save(
    connection: Connection, actor_id: int, calendar: Calendar, teller: Teller, who: Principal, *, expected: int
) -> Applied | None:
    """Keep a week; promises that can't be kept are made anew, and the newcomers told. The same week changes nothing.

    None when other than `expected` promises would move: somebody must look once more.
    """
    handover.lock_contacts(connection, handover.waiting_for(connection, [actor_id]))
    if promises_that_move(connection, actor_id, calendar, teller.now) != expected:
        return None
    keep_calendar(connection, actor_id, calendar)
    audit.record(connection, who, "caseload.week", teller.now, detail=f"actor={actor_id}")
    return Applied(*handover.mend_promises(connection, actor_id, teller))
