"""Each row of the threat model names a test that exists, or says why there is none."""

from __future__ import annotations

import pytest

from bot.settings import ROOT

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and line[2] in "STRIDE" and line[3] == " "
]


def test_every_letter_of_stride_has_rows():
    assert {row[0] for row in ROWS} == set("STRIDE")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_what_stands_against_a_threat_is_shown(row):
    shown = row[3]
    if shown.startswith("none: "):
        assert len(shown) > 12
        return
    path, _, name = shown.strip("`").partition("::")
    text = (ROOT / path).read_text(encoding="utf-8")
    assert f"def {name}(" in text if name else text
