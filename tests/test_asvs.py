"""The list of OWASP ASVS 5.0.0: no requirement of levels 1 and 2 is left out, and what a row names exists."""

from __future__ import annotations

import re

from bot.settings import ROOT

# Requirements of levels 1 and 2 in each section of the standard (its CSV of May 2025): 70 and 183.
COUNTS = {"1": 27, "2": 11, "3": 19, "4": 10, "5": 9, "6": 35, "7": 18, "8": 7, "9": 7, "10": 29, "11": 14, "12": 9}
COUNTS |= {"13": 13, "14": 9, "15": 13, "16": 16, "17": 7}
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| \d+\.\d+\.\d+ \|", line)
]


def test_every_requirement_has_one_row():
    numbers = [row[0] for row in ROWS]
    assert len(numbers) == len(set(numbers))
    found = [number.partition(".")[0] for number in numbers]
    assert {chapter: found.count(chapter) for chapter in dict.fromkeys(found)} == COUNTS
    assert [sum(row[1] == level for row in ROWS) for level in "12"] == [70, 183]


def test_what_shows_it_exists():
    for number, _, _, how, shown in ROWS:
        assert how, number
        if shown.startswith(("n/a: ", "reason: ")):
            assert len(shown) > len("reason: "), number
            continue
        path, _, name = shown.strip("`").partition("::")
        text = (ROOT / path).read_text(encoding="utf-8")
        assert f"def {name}(" in text if name else text, f"{number}: {shown}"


def test_the_sum_at_the_top_is_right():
    text = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
    reasons = sum(row[4].startswith("reason: ") for row in ROWS)
    left_out = sum(row[4].startswith("n/a: ") for row in ROWS)
    assert f"{len(ROWS) - reasons - left_out} requirements met" in text
    assert f"{reasons} with a reason" in text
    assert f"{left_out} that do not apply" in text
