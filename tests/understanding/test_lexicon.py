"""Terms and dialect words in every writing."""

import pytest

from bot.understanding.lexicon import Lexicon


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("wat is voedsel bank?", "wat is voedselbank?"),
        ("mijn klantregiseur belt niet", "mijn klantregisseur belt niet"),
        ("huis van compasie, waar", "Huis van Compassie, waar"),
        ("عندي اويتكيرينغ", "عندي uitkering"),
        ("بالخيمينتي", "gemeente"),
        ("رسالة من الاي ان دي", "رسالة من IND"),
        ("gewoon een zin", "gewoon een zin"),
    ],
)
def test_a_term_is_found_in_every_writing(lexicon: Lexicon, typed: str, expected: str) -> None:
    assert lexicon.rewrite(typed) == expected


def test_dialect_words_become_the_common_word_only_when_asked(lexicon: Lexicon) -> None:
    assert lexicon.rewrite("شلون بدي سجل، وين؟", dialects=True) == "كيف أريد أسجل، أين؟"
    assert lexicon.rewrite("شلون بدي سجل، وين؟") == "شلون بدي سجل، وين؟"


def test_a_short_word_is_no_term_by_its_consonants(lexicon: Lexicon) -> None:
    assert lexicon.rewrite("de tolk en de taal") == "de tolk en de taal"
    assert lexicon.rewrite("nog een dag") == "nog een dag"
