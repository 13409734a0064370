"""Arabic in Latin letters."""

import pytest

from bot.understanding.arabizi import Transliterator, letter_by_letter
from bot.understanding.lexicon import Lexicon
from bot.understanding.normalise import count

ARABIC = ["امتى بيفتح المسبح", "وين المكتبة", "كيف بسجل بالكورس", "ما عندي رقم", "رقم الموظف", "بكرا بروح عالمدرسة"]
LATIN = ["shu hayda", "emta el course", "wen el maktabe", "hon men zaman"]
DUTCH = ["ik heb een gesprek met de gemeente over mijn cursus", "men zegt dat het gesprek in de gemeente is"]


@pytest.fixture
def transliterator() -> Transliterator:
    return Transliterator.of(
        count(ARABIC), count(LATIN), count(DUTCH), Lexicon(terms={"bsn": "BSN"}, latin={"elli": "اللي"})
    )


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("emta byefta7", "امتي بيفتح"),
        ("wen el maktabe", "وين المكتبه"),
        ("ma 3andi ra2m", "ما عندي رقم"),  # 2 is a silent letter or a ق
        ("el gesprek bel gemeente", "ال gesprek بال gemeente"),
        ("bsn ma 3andi", "bsn ما عندي"),
        ("el kors elli 3andi", "الكورس اللي عندي"),
    ],
)
def test_words_are_found_by_their_sound(transliterator: Transliterator, typed: str, expected: str) -> None:
    assert transliterator.to_arabic(typed) == expected


def test_an_unknown_word_is_turned_letter_by_letter(transliterator: Transliterator) -> None:
    assert letter_by_letter("shababik") == "شببيك"
    assert transliterator.candidates("mazboot")[-1] == letter_by_letter("mazboot")


def test_there_are_several_candidates(transliterator: Transliterator) -> None:
    assert len(transliterator.candidates("ra2m")) > 1


def test_many_ambiguous_signs_take_no_long_time(transliterator: Transliterator) -> None:
    assert transliterator.candidates("2g9ch8" * 5)
