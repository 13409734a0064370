"""Codes in letters: easy to type, hard to guess, found in whatever people write around them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.link_codes import ALPHABET, LENGTH, UNREADABLE, find, is_code, new_code, written

codes = st.builds(lambda _: new_code(), st.integers())


def test_codes_differ_and_have_nothing_to_mix_up():
    made = {new_code() for _ in range(500)}
    assert len(made) == 500
    assert not set("".join(made)) & set("01OILAEU")
    assert all(is_code(code) for code in made)
    assert all(sum(char.isdigit() for char in code) > 1 for code in made)


@given(codes)
def test_a_code_is_found_however_it_is_typed(code):
    shown = written(code)
    arabic = shown.translate(str.maketrans("23456789", "٢٣٤٥٦٧٨٩"))
    for typed in (code, shown, shown.lower(), shown.replace("-", " "), arabic, f"code:{shown}.", " ".join(code)):
        found = find(typed)
        assert found is not None
        assert found.code == code
    in_arabic = find(f"رمزي في Wegwijs: {shown}")
    assert in_arabic is not None
    assert (in_arabic.code, in_arabic.rest) == (code, "رمزي في Wegwijs")
    beside = find(f"Hallo, mijn code is {shown}\nwanneer krijg ik les?")
    assert beside is not None
    assert (beside.code, beside.asks) == (code, True)
    assert code not in beside.rest


@given(codes, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_one_wrong_letter_is_seen_without_the_database(code, place, letter):
    slip = code[:place] + letter + code[place + 1 :]
    assert is_code(slip) == (slip == code)


@pytest.mark.parametrize(
    "text",
    [
        "wanneer krijg ik les?",
        "mijn nummer is 0612345678",
        "+31 6 12 34 56 78",
        "22 333 44 555 66 77",
        "NL91 ABNA 0417 1643 00",
        "123456782",
        "3SABCD1234567",
        "route b1 2025",
        "6511 PP Nijmegen",
        "",
        "😀" * 50,
    ],
)
def test_other_words_and_numbers_are_no_code(text):
    assert find(text) is None


@pytest.mark.parametrize("slip", ["X7GH-92QM-CR4", "x7gh 92qm cr4vv", "X7GH-92OM-CR4V", "X7GH-92QM-CR4W"])
def test_a_code_with_a_slip_is_known_as_one(slip):
    found = find(slip)
    assert found is not None
    assert found.code == UNREADABLE


@given(st.text(max_size=300))
def test_any_text_can_be_looked_at(text):
    find(text)


def test_a_found_code_shows_no_words_in_a_log():
    assert "geheim" not in repr(find(f"geheim {new_code()}"))
