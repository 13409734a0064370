"""The caseload as the municipality gives it: first a plan of what a file would change, then all of it or nothing.

A file that is read twice changes nothing the second time. Nobody is removed: who is not in a file any more goes by the
retention time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.desk import handover, notices
from bot.desk.actors_file import ActorEntry
from bot.desk.calendar import Calendar
from bot.desk.caseload_file import PersonLine
from bot.desk.handover import Succession
from bot.desk.routing import calendar_of
from bot.desk.telling import Teller
from bot.errors import Fault
from bot.identifiers import Vault
from bot.messages import Address
from bot.storage.models import AbsenceRow, ActorRow, ContactRow, PartyRow, SlotRow

PARTY = "party"  # the "channel" under which the municipality's keys are hashed and sealed
_CHUNK = 500


class Change(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Line:
    """What a line of a file does. `what`: the columns that change."""

    line: int
    change: Change
    what: tuple[str, ...] = ()
    before: Mapping[str, Any] | None = None  # the row as it was
    values: dict[str, Any] = field(default_factory=dict)


@dataclass
class Plan:
    """What a file would do. With faults nothing of it may be applied."""

    lines: list[Line] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    not_in_file: int = 0

    def count(self, change: Change) -> int:
        return sum(line.change is change for line in self.lines)


@dataclass(frozen=True)
class Applied:
    """What else followed from a file."""

    tickets_moved: int = 0
    people_told: int = 0


def plan_people(connection: Connection, lines: Iterable[PersonLine], vault: Vault, file: str) -> Plan:
    """Compare the people of a file with the database."""
    actors = {row.code: row.id for row in connection.execute(sa.select(ActorRow.code, ActorRow.id))}
    known = {row["reference"]: dict(row) for row in connection.execute(sa.select(PartyRow.__table__)).mappings()}
    plan, seen = Plan(), set()
    for line in lines:
        if line.klantregisseur and line.klantregisseur not in actors:
            message = f"'{line.klantregisseur}' is nobody; import the klantregisseurs first, or correct the code"
            plan.faults.append(Fault(file, line.line, "klantregisseur", message))
            continue
        values = {
            "reference": vault.lookup(PARTY, line.person),
            "actor_id": actors.get(line.klantregisseur),
            "resident_group": line.group.value,
            "route": line.route,
            "phase": line.phase,
            "language": line.language,
            "gender": line.gender,
            "birth_year": line.birth_year,
        }
        if line.talked_on is not None:  # a file without the column takes nothing away
            values["talked_on"] = line.talked_on
        seen.add(values["reference"])
        row = known.get(str(values["reference"]))
        if row is None:
            sealed = {"sealed": vault.seal(Address(PARTY, line.person))}
            plan.lines.append(Line(line.line, Change.NEW, values=values | sealed))
            continue
        what = tuple(_COLUMN.get(name, name) for name, value in values.items() if row[name] != value)
        plan.lines.append(Line(line.line, Change.CHANGED if what else Change.UNCHANGED, what, row, values))
    plan.not_in_file = len(known.keys() - seen)
    return plan


_COLUMN = {"actor_id": "klantregisseur", "resident_group": "type", "talked_on": "progress_talk"}


def apply_people(connection: Connection, plan: Plan, teller: Teller) -> Applied:
    """Carry a plan out. Who got another klantregisseur is told, and their open tickets move along."""
    linked = [(line, line.before) for line in plan.lines if line.before is not None and line.before["contact_id"]]
    moving = [(line, before) for line, before in linked if "klantregisseur" in line.what]
    handover.lock_contacts(connection, [before["contact_id"] for _, before in linked])
    _keep_people(connection, plan, teller)
    for line, before in linked:
        if "type" in line.what:
            contact = sa.update(ContactRow).where(ContactRow.id == before["contact_id"])
            connection.execute(contact.values(group=line.values["resident_group"]))
    for line, before in linked:
        if "phase" in line.what and notices.is_to_tell(line.values["phase"], before["told"]):
            notices.plan(connection, notices.PHASE, before["contact_id"], teller)
    moved = told = 0
    for line, before in moving:
        change = Succession(before["id"], before["contact_id"], before["actor_id"], line.values["actor_id"])
        tickets, was_told = handover.new_klantregisseur(connection, change, teller)
        moved, told = moved + tickets, told + was_told
    return Applied(moved, told)


def _keep_people(connection: Connection, plan: Plan, teller: Teller) -> None:
    for line in plan.lines:
        values = {_ATTRIBUTE.get(name, name): value for name, value in line.values.items()}
        if line.before is None:
            connection.execute(sa.insert(PartyRow).values(**values, imported_at=teller.now))
        elif line.what:
            where = PartyRow.id == line.before["id"]
            connection.execute(sa.update(PartyRow).where(where).values(**values, imported_at=teller.now))
    same = [line.before["id"] for line in plan.lines if line.before is not None and not line.what]
    for chunk in _chunks(same):
        connection.execute(sa.update(PartyRow).where(PartyRow.id.in_(chunk)).values(imported_at=teller.now))


_ATTRIBUTE = {"resident_group": "group"}


def _chunks(ids: Sequence[Any]) -> Iterator[list[Any]]:
    rest = iter(ids)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def plan_actors(connection: Connection, entries: Iterable[ActorEntry]) -> Plan:
    """Compare the klantregisseurs of a file with the database."""
    known = {row["code"]: dict(row) for row in connection.execute(sa.select(ActorRow.__table__)).mappings()}
    plan, seen = Plan(), set()
    for entry in entries:
        seen.add(entry.code)
        values = {
            "code": entry.code,
            "name": entry.name,
            "email": entry.email,
            "languages": list(entry.languages),
            "active": entry.active,
            "calendar": entry.calendar,
        }
        row = known.get(entry.code)
        if row is None:
            plan.lines.append(Line(entry.line, Change.NEW, values=values))
            continue
        what = [name for name, value in values.items() if name != "calendar" and row[name] != value]
        now = calendar_of(connection, row["id"])
        values["calendar"] = calendar = Calendar(
            entry.calendar.slots if entry.has_slots else now.slots,
            entry.calendar.absences if entry.has_absences else now.absences,
        )
        what += ["slots"] * (sorted(now.slots) != sorted(calendar.slots))
        what += ["absences"] * (sorted(now.absences) != sorted(calendar.absences))
        change = Change.CHANGED if what else Change.UNCHANGED
        plan.lines.append(Line(entry.line, change, tuple(what), row, values))
    plan.not_in_file = len(known.keys() - seen)
    return plan


def apply_actors(connection: Connection, plan: Plan, teller: Teller) -> Applied:
    """Carry a plan out. Promises that can't be kept any more are made anew, and the newcomers told."""
    changed: list[int] = [line.before["id"] for line in plan.lines if line.before is not None and line.what]
    turned = [line.before["id"] for line in plan.lines if line.before is not None and "active" in line.what]
    theirs = [*handover.waiting_for(connection, changed), *handover.guided_by(connection, turned)]
    handover.lock_contacts(connection, theirs)
    for line in plan.lines:
        values = {name: value for name, value in line.values.items() if name != "calendar"}
        values["imported_at"] = teller.now
        if line.before is None:
            made = connection.execute(sa.insert(ActorRow).values(**values).returning(ActorRow.id)).scalar_one()
            keep_calendar(connection, made, line.values["calendar"])
        else:
            actor_id = line.before["id"]
            connection.execute(sa.update(ActorRow).where(ActorRow.id == actor_id).values(**values))
            if line.what:
                keep_calendar(connection, actor_id, line.values["calendar"])
    handover.came_or_left(connection, turned, teller)
    moved = told = 0
    for actor_id in changed:
        tickets, people = handover.mend_promises(connection, actor_id, teller)
        moved, told = moved + tickets, told + people
    return Applied(moved, told)


def keep_calendar(connection: Connection, actor_id: int, calendar: Calendar) -> None:
    """The week of a klantregisseur, in place of the one before."""
    connection.execute(sa.delete(SlotRow).where(SlotRow.actor_id == actor_id))
    connection.execute(sa.delete(AbsenceRow).where(AbsenceRow.actor_id == actor_id))
    for slot in calendar.slots:
        values = {"weekday": slot.weekday, "starts": slot.starts, "ends": slot.ends, "max_answers": slot.max_answers}
        connection.execute(sa.insert(SlotRow).values(actor_id=actor_id, **values))
    for away in calendar.absences:
        days = {"first_day": away.first_day, "last_day": away.last_day}
        connection.execute(sa.insert(AbsenceRow).values(actor_id=actor_id, **days))
