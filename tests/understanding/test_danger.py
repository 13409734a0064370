"""Phrases of danger, with the real rules."""

from pathlib import Path

import pytest

from bot.understanding.danger import Phrases, Rules, compile_phrase, read_rules
from bot.understanding.normalise import words

CONTENT = Path(__file__).parents[2] / "content"


@pytest.fixture(scope="module")
def rules() -> Rules:
    return read_rules(CONTENT)


@pytest.mark.parametrize(
    "text",
    [
        "Ik wil echt niet meer leven",
        "mijn buurman slaat zijn vrouw",
        "ZE GAAN MIJ VERMOORDEN",
        "i want to die",
        "he says he will kill me",
        "they forced me to marry",
        "لا أريد أن أعيش",
        "بدي موت",
        "جوزي بيضربني كل يوم",
        "عايز أنتحر",
    ],
)
def test_plain_words_of_danger_match(rules: Rules, text: str) -> None:
    assert rules.match([text])


@pytest.mark.parametrize(
    "text",
    [
        "mijn telefoon is dood",
        "dit examen wordt mijn dood haha",
        "ik sla een les over",
        "this exam is killing me",
        "how do i end my contract",
        "الانتظار يقتلني",
        "متى موعد الامتحان",
        "",
    ],
)
def test_words_that_only_sound_alarming_do_not(rules: Rules, text: str) -> None:
    assert not rules.match([text])


@pytest.mark.parametrize("text", ["112", "112!!", "١١٢", "SOS", "Noodgeval.", "طوارئ", "is3af"])
def test_a_cry_is_enough_where_it_is_the_whole_message(rules: Rules, text: str) -> None:
    assert rules.match([text])
    assert not rules.match([f"{text} en 24 andere woorden van het examen"])


def test_a_phrase_allows_two_words_between_and_no_more() -> None:
    pattern = compile_phrase("wil/wou dood*")
    for text, found in (("ik wil echt nu doodgaan", True), ("ik wil niet dat het dier dood is", False)):
        assert bool(pattern.search(f" {' '.join(words(text))} ")) is found


def test_a_phrase_is_found_by_its_word_as_by_trying_all(rules: Rules) -> None:
    for phrases in (rules.danger, rules.safe):
        for source in phrases.sources:
            text = f" {' en '.join(_first_choice(slot) for slot in source.split())} "
            every = next(other for other in phrases.sources if compile_phrase(other).search(text))
            assert phrases.first([" niets ", text]) == every
    odd = Phrases.of(["?/! dood", "?"])  # a slot without letters says nothing
    assert (odd.by_word, odd.always) == ({"dood": (0,)}, (1,))


def _first_choice(slot: str) -> str:
    choice = next(filter(None, slot.split("/")))
    return " ".join(words(choice.replace("_", " "))) + ("en" if choice.endswith("*") else "")
