"""The municipality's two files, from their bytes to the database: read, planned, and applied in one transaction.

A dry run and the real thing are the same plan. With faults nothing is applied.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sqlalchemy.engine import Connection

from bot import audit
from bot.audit import Action
from bot.desk import caseload
from bot.desk.actors_file import read_actors
from bot.desk.caseload import Applied, Plan
from bot.desk.caseload_file import read_people
from bot.desk.telling import Teller
from bot.errors import Fault
from bot.identifiers import Vault
from bot.locales import AMSTERDAM
from bot.roles import Principal

Kind = Literal["people", "klantregisseurs"]
_ACTIONS: Mapping[Kind, Action] = {"people": "caseload.people", "klantregisseurs": "caseload.klantregisseurs"}


@dataclass(frozen=True)
class File:
    """A file as it came, with the name that its faults are told by."""

    kind: Kind
    name: str
    data: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """What tells that two files are the same."""
        return hashlib.sha256(self.kind.encode() + b":" + self.data).hexdigest()


@dataclass(frozen=True)
class Report:
    """What a file does, or did: `applied` is None after a dry run and where there are faults."""

    file: File
    plan: Plan
    applied: Applied | None = None
    encoding: str = ""


@dataclass(frozen=True)
class Importer:
    """Who imports, and with what."""

    vault: Vault
    teller: Teller
    who: Principal


def run(connection: Connection, file: File, importer: Importer, *, apply: bool) -> Report:
    """Plan a file, and apply it when asked to and there is no fault. A file that comes twice changes nothing."""
    report = _people(connection, file, importer) if file.kind == "people" else _actors(connection, file)
    plan = report.plan
    if plan.faults or not apply:
        return report
    carry_out = caseload.apply_people if file.kind == "people" else caseload.apply_actors
    applied = carry_out(connection, plan, importer.teller)
    counts = ",".join(f"{change.value}={plan.count(change)}" for change in caseload.Change)
    audit.record(connection, importer.who, _ACTIONS[file.kind], importer.teller.now, detail=counts)
    return Report(file, plan, applied, report.encoding)


def _people(connection: Connection, file: File, importer: Importer) -> Report:
    found = read_people(file.data, file.name, importer.teller.now.astimezone(AMSTERDAM).year)
    plan = caseload.plan_people(connection, found.lines, importer.vault, file.name)
    plan.faults = sorted([*found.faults, *plan.faults])
    return Report(file, plan, encoding=found.encoding)


def _actors(connection: Connection, file: File) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "klantregisseurs.yaml"
        path.write_bytes(file.data)
        entries, faults = read_actors(path)
    plan = caseload.plan_actors(connection, entries)
    plan.faults = sorted(Fault(file.name, fault.line, fault.key, fault.message) for fault in faults)
    return Report(file, plan)
