"""Typing faults in Dutch and English."""

import pytest

from bot.understanding.normalise import count
from bot.understanding.spelling import Spelling

TEXTS = ["my teacher speaks about the library", "the house and the computer", "what would that teacher do"] * 3


@pytest.fixture(scope="module")
def spelling() -> Spelling:
    return Spelling.of(count([*TEXTS, "a rare wordd"]))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("techer", "teacher"),  # a letter too few
        ("compjuter?", "computer?"),  # too many; the sign at the end stays
        ("hause", "house"),  # a vowel for a vowel
        ("taht", "that"),  # turned round
        ("libary", "library"),
    ],
)
def test_a_slip_is_mended(spelling: Spelling, written: str, meant: str) -> None:
    assert spelling.mend(f"the {written}") == f"the {meant}"


@pytest.mark.parametrize("word", ["teacher", "wordd", "could", "reach", "moust", "2026", "مدرسة", "tech", "a", ""])
def test_other_words_stay(spelling: Spelling, word: str) -> None:
    assert spelling.mend(word) == word
