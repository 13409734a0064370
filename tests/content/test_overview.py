"""All answers side by side, as data."""
# ruff: noqa: E501  # tables and samples read best with one line each

from __future__ import annotations

from datetime import date

import pytest

from bot.content.load import read_content
from bot.content.overview import Flag, overview
from bot.locales import LRI
from tests.content.pack import write_pack

TODAY = date(2026, 11, 23)


@pytest.fixture
def pack(tmp_path):
    return write_pack(tmp_path / "content")


def see(pack, today=TODAY, group=""):
    return overview(read_content(pack)[0], today, group)


def flags(pack, today=TODAY):
    return [set(row.flags) for row in see(pack, today).rows["pip"]]


def test_a_row_holds_the_answer_in_every_language_with_its_figures_filled_in(pack):
    row = see(pack).rows["pip"][1]
    assert [column.language for column in row.columns] == ["nl", "en", "ar"]
    assert [column.direction for column in row.columns] == ["ltr", "ltr", "rtl"]
    assert row.parts == ("short", "more", "when_known.desk_hours")
    assert [column.parts["short"][:27] for column in row.columns[:2]] == [
        "You get it within 10 weken.",
        "You get it within 10 weeks.",
    ]
    assert LRI in row.columns[2].parts["short"]
    assert row.columns[0].parts["when_known.desk_hours"] == "The desk is open {desk_hours}."


def test_figures_come_with_their_value_or_with_the_question_that_waits(pack):
    uses = {use.key: use for use in see(pack).rows["pip"][1].figures}
    assert uses["deadline"].shown == "10 weken"
    assert uses["deadline"].file == "content/figures/town.yaml"
    assert uses["desk_hours"].shown == ""
    assert uses["desk_hours"].figure.to_confirm == "When is the desk open?"


def test_flags_say_what_is_up(pack):
    assert flags(pack) == [{Flag.DRAFT, Flag.WAITS}] * 2
    topics = pack / "topics.yaml"
    topics.write_text(topics.read_text().replace("status: draft", "status: confirmed", 1))
    town = pack / "figures/town.yaml"
    town.write_text(
        town.read_text().replace(
            "value: null",
            "value: from 9 to 5\n  source: The town\n  as_of: 2026-10-01\n  review_by: 2027-04-01\n  withhold_after: 2027-10-01",
        )
    )
    assert flags(pack) == [{Flag.CONFIRMED}, {Flag.DRAFT}]
    assert flags(pack, date(2027, 4, 2)) == [{Flag.CONFIRMED, Flag.STALE}, {Flag.DRAFT, Flag.STALE}]
    assert flags(pack, date(2027, 10, 2))[0] == {Flag.CONFIRMED, Flag.WITHHELD}
    assert see(pack, date(2027, 10, 2)).counts == {Flag.CONFIRMED: 1, Flag.DRAFT: 1, Flag.WITHHELD: 2}


def test_a_lagging_translation_is_flagged_in_its_own_column(pack):
    path = pack / "ar/answers/pip.yaml"
    path.write_text(path.read_text().replace('translated_from: "', 'translated_from: "0', 1))
    row = see(pack).rows["pip"][0]
    assert Flag.LAGGING in row.flags
    assert [column.lags for column in row.columns] == [False, False, True]


def test_one_group_can_be_asked_for_and_an_unknown_one_stands_for_all(pack):
    topics = pack / "topics.yaml"
    topics.write_text(topics.read_text().replace("group: pip", "group: work", 1))
    assert list(see(pack, group="work").rows) == ["work"]
    assert see(pack, group="work").groups == {"work": 1, "pip": 1}
    assert see(pack, group="work").total == 2
    assert list(see(pack, group="all").rows) == ["work", "pip"]
