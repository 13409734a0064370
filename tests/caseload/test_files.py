"""The municipality's files: whatever comes, the faults are told with place and mend, and nothing is half done."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.desk import importing
from bot.desk.caseload import Change
from bot.desk.caseload_file import COLUMNS, read_people
from bot.desk.importing import File, Importer
from bot.desk.telling import Teller
from bot.roles import Principal
from bot.settings import ROOT
from bot.storage.models import ActorRow, PartyRow, SlotRow
from tests.caseload.people import rows

HEADER = ";".join(COLUMNS)
EXAMPLES = ROOT / "docs" / "examples"


def faults(text, encoding="utf-8"):
    data = text if isinstance(text, bytes) else text.encode(encoding)
    return [(fault.line, fault.key, fault.message) for fault in read_people(data, "people.csv", 2026).faults]


@given(st.binary(max_size=400))
def test_any_bytes_can_be_read(data):
    read_people(data, "people.csv", 2026)


cells = st.sampled_from(["P-1", "P-2", "", "=1+1", '"', "kr-1", "asielstatushouder", "1988", "ي", ";", "\r\n", " "])


@given(st.lists(cells, max_size=40))
def test_any_table_is_read_or_refused(parts):
    found = read_people((HEADER + "\n" + ";".join(parts)).encode(), "people.csv", 2026)
    assert len({line.person for line in found.lines}) == len(found.lines)
    assert not any(line.person.startswith(("=", "+", "-", "@")) for line in found.lines)
    assert all(fault.line > 0 and fault.message for fault in found.faults)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";"])
def test_what_offices_send_is_read(encoding, separator):
    text = f"{HEADER}\r\nP-é;kr-1;gezinsmigrant;;;en;;\r\n".replace(";", separator)
    found = read_people(text.encode(encoding), "people.csv", 2026)
    assert found.faults == []
    assert [line.person for line in found.lines] == ["P-é"]


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("", 1, "", "the file is empty"),
        ("person;type\nP-1;gezinsmigrant", 1, "klantregisseur", "this column is missing"),
        (f"{HEADER};name\n", 1, "name", "unknown column"),
        (f"{HEADER};type\n", 1, "type", "stands twice"),
        (f"{HEADER}\nP-1;;gezinsmigrant;;;;;\nP-1;;gezinsmigrant;;;;;", 3, "person", "the same person as on line 2"),
        (f"{HEADER}\n;;gezinsmigrant;;;;;", 2, "person", "the key of the person is missing"),
        (f"{HEADER}\nP-1;;vluchteling;;;;;", 2, "type", "write asielstatushouder or gezinsmigrant"),
        (f"{HEADER}\nP-1;;gezinsmigrant;;;;;88", 2, "birth_year", "write a year"),
        (f"{HEADER}\nP-1;;gezinsmigrant;;;;;2199", 2, "birth_year", "write a year"),
        (f"{HEADER}\n=HYPERLINK(1);;gezinsmigrant;;;;;", 2, "person", "starts like a formula"),
        (f"{HEADER}\nP-1;;gezinsmigrant;;;@SUM(A1);;", 2, "language", "starts like a formula"),
        (f"{HEADER}\nP-1;gezinsmigrant", 2, "", "2 cells where 8 are expected"),
        (f'{HEADER}\n"P-1;;gezinsmigrant;;;;;', 2, "", "quotation mark that is not closed"),
        (f"{HEADER}\nP-1\0", 1, "", "no text"),
    ],
)
def test_a_fault_has_its_place_and_its_mend(text, line, column, said):
    found = faults(text)
    assert any(place == line and key == column and said in message for place, key, message in found), found


def test_utf_16_is_refused_with_what_to_do():
    assert faults(HEADER, "utf-16") == [(1, "", "UTF-16; save it as 'CSV UTF-8'")]


def run(service, kind, data, *, apply=True):
    teller = Teller(service.content, service.settings.hours, service.clock.now())
    importer = Importer(service.vault, teller, Principal("test", frozenset()))
    file = File(kind, "file", data)
    return service.store.write(lambda c: importing.run(c, file, importer, apply=apply))


def test_the_examples_are_imported_and_a_second_time_nothing_changes(service):
    actors, people = (EXAMPLES / name for name in ("klantregisseurs.yaml", "people.csv"))
    assert run(service, "klantregisseurs", actors.read_bytes()).plan.faults == []
    first = run(service, "people", people.read_bytes())
    assert first.plan.count(Change.NEW) == 4
    assert first.applied is not None
    for kind, path in (("klantregisseurs", actors), ("people", people)):
        again = run(service, kind, path.read_bytes())
        assert again.plan.count(Change.UNCHANGED) == len(again.plan.lines) > 2
    assert len(rows(service, PartyRow)) == 4


def test_a_dry_run_and_a_file_with_a_fault_change_nothing(service):
    good, bad = f"{HEADER}\nP-1;;gezinsmigrant;;;;;", f"{HEADER}\nP-1;;gezinsmigrant;;;;;\nP-2;kr-9;gezinsmigrant;;;;;"
    assert run(service, "people", good.encode(), apply=False).applied is None
    report = run(service, "people", bad.encode())
    assert report.applied is None
    assert [(fault.line, fault.key) for fault in report.plan.faults] == [(3, "klantregisseur")]
    assert rows(service, PartyRow) == []


def test_a_file_without_slots_leaves_the_own_week(service):
    run(service, "klantregisseurs", b"kr-1:\n  name: Sanne de Wit\n  slots: ['di 09:00-11:00']\n")
    again = run(service, "klantregisseurs", b"kr-1:\n  name: Sanne Bakker\n")
    assert [line.what for line in again.plan.lines] == [("name",)]
    assert len(rows(service, SlotRow)) == 1
    assert rows(service, ActorRow)[0].name == "Sanne Bakker"
    run(service, "klantregisseurs", b"kr-1:\n  name: Sanne Bakker\n  slots: []\n")
    assert rows(service, SlotRow) == []
