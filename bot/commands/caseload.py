"""`wegwijs caseload …`: the municipality's files into the database, and letters with codes."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot import content as texts
from bot.clock import Clock
from bot.content import Content
from bot.desk import importing
from bot.desk.caseload import Change, Plan
from bot.desk.importing import File, Importer, Kind, Report
from bot.desk.letters import Chats, Letter, Printer, make_letters
from bot.desk.telling import Teller
from bot.identifiers import Vault
from bot.roles import Principal
from bot.settings import Settings
from bot.storage.migrate import upgrade
from bot.storage.store import Store

WHO = Principal("command line", frozenset())


@dataclass(frozen=True)
class Office:
    """What the commands share."""

    settings: Settings
    store: Store
    vault: Vault
    content: Content
    clock: Clock

    @property
    def teller(self) -> Teller:
        return Teller(self.content, self.settings.hours, self.clock.now())


@contextlib.contextmanager
def office(settings: Settings) -> Iterator[Office]:
    """The database, also while the service works on it: nothing here takes rows of the queues."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = Store(settings.store_url)
    upgrade(store.engine)
    store.start()
    try:
        vault = Vault(settings.fernet_keys, settings.hash_key)
        yield Office(settings, store, vault, texts.load(settings.content_dir), Clock())
    finally:
        store.close()


def import_file(settings: Settings, kind: Kind, path: Path, *, apply: bool) -> int:
    """Print what each line of a file does; with `apply` and without faults also do it. 1 when there are faults."""
    file = File(kind, path.name, path.read_bytes())
    with office(settings) as there:
        importer = Importer(there.vault, there.teller, WHO)
        report = there.store.write(lambda connection: importing.run(connection, file, importer, apply=apply))
    for line in lines_of(report):
        print(line)
    for fault in report.plan.faults:
        print(fault, file=sys.stderr)
    print(_summary(report, apply=apply))
    return 1 if report.plan.faults else 0


def lines_of(report: Report) -> Iterator[str]:
    """One line for each line of the file. No key of a person: the line number is enough to find it."""
    for line in report.plan.lines:
        what = f": {', '.join(line.what)}" if line.what else ""
        yield f"{report.file.name}:{line.line}: {line.change.value}{what}"


def _counts(plan: Plan) -> str:
    return ", ".join(f"{plan.count(change)} {change.value}" for change in Change)


def _summary(report: Report, *, apply: bool) -> str:
    plan, applied = report.plan, report.applied
    known = f"{plan.not_in_file} known and not in this file"
    if plan.faults:
        return f"{_counts(plan)}, {len(plan.faults)} faults, {known}: nothing was changed; mend the faults first"
    if applied is None and not apply:
        return f"{_counts(plan)}, {known}: nothing was changed; add --apply to do it"
    assert applied is not None  # without faults and with --apply it was done
    followed = f"{applied.tickets_moved} open questions moved, {applied.people_told} people told"
    return f"{_counts(plan)}, {known}: done; {followed}"


def chats_of(settings: Settings) -> Chats:
    """Where newcomers find the chat, as the settings say."""
    number = "".join(char for char in settings.twilio_sender if char.isdigit()) if settings.has_whatsapp else ""
    return Chats(settings.telegram_bot if settings.has_telegram else "", number)


def letters(
    settings: Settings, output: Path, persons: Sequence[str] | None, page: Callable[[Sequence[Letter]], str]
) -> int:
    """Write a page with a sheet for each person. `page`: the letters as HTML."""
    with office(settings) as there:
        printer = Printer(there.content, there.vault, chats_of(settings), there.clock.now(), settings.link_code_days)
        sheets = there.store.write(lambda c: make_letters(c, persons, printer, WHO))
    for person in sheets.unknown:
        print(f"{person}: nobody has this key; import the people first, or correct it", file=sys.stderr)
    if sheets.unknown:
        print("no letter was made", file=sys.stderr)
        return 1
    output.touch(mode=0o600)
    output.write_text(page(sheets.letters), encoding="utf-8")
    if not any(letter.ways for letter in sheets.letters):
        print("no chat is set up: the letters have no link and no square; see WEGWIJS_TELEGRAM_BOT", file=sys.stderr)
    print(f"{len(sheets.letters)} letters in {output}; print it and delete it: the codes are in it")
    return 0
