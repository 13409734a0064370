"""One form for every way of typing."""

import pytest

from bot.understanding.normalise import MAX_CHARACTERS, readable, words
from bot.understanding.skeleton import skeleton


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("  Hallo   daar ", "Hallo daar"),
        ("WAAR IS MIJN PLAN", "waar is mijn plan"),
        ("PIP?", "PIP?"),
        ("مـــرحـــبـــا", "مرحبا"),
        ("أُريدُ مَوعِداً", "أريد موعدا"),
        ("٨٠٠ uur", "800 uur"),
        ("help!!! heeeeelp", "help!!! heelp"),
        ("<b>wanneer</b> <script>x</script>", "wanneer x"),
        ("kijk https://voorbeeld.nl/a?b=c even", "kijk even"),
        ("\u202eabc\u202c\u200f", "abc"),
        ("\ud800 kapot", "kapot"),
        ("\x00\x01", ""),
    ],
)
def test_a_text_becomes_readable(typed: str, expected: str) -> None:
    assert readable(typed) == expected


def test_a_very_long_text_keeps_its_start_and_its_end() -> None:
    text = readable("begin " + "x y " * 20_000 + "eind")
    assert len(text) <= MAX_CHARACTERS + 1
    assert text.startswith("begin")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("إلى المدرسة", "الي المدرسه"),  # letters that people write either way
        ("کتاب علی", "كتاب علي"),  # a Persian keyboard
        ("Café", "cafe"),
        ("٣ أيام", "3 ايام"),
    ],
)
def test_spellings_of_a_word_are_the_same_words(one: str, other: str) -> None:
    assert words(one) == words(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("inburgering", "انبورخرينغ"),
        ("uitkering", "اويتكيرينغ"),
        ("klantregiseur", "klantregisseur"),
        ("gemeente", "خيمينته"),
        ("maw3ed", "موعد"),
        ("7ayati", "حياتي"),
    ],
)
def test_words_that_sound_alike_have_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)
