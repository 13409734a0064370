"""Plain text passes, the language of letters does not: measured on samples written for this test."""
# ruff: noqa: E501  # tables and samples read best with one line each

from __future__ import annotations

import re

import pytest

from bot.commands.content import check as run_check
from bot.content import editorial
from bot.content.load import read_content
from bot.content.readability import hardest, measure, sentences, syllables
from bot.settings import ROOT
from tests.content.pack import write_pack

LEVELS = editorial.read_levels(read_content(ROOT / "content")[1])
PLAIN = {
    "nl": (
        "Ben je het niet eens met de brief? Dan kun je dat binnen zes weken laten weten. Schrijf een brief aan de "
        "gemeente. Leg uit waarom je het er niet mee eens bent. Zet je naam, je adres en de datum erbij. Je krijgt "
        "daarna bericht. Heb je hulp nodig bij het schrijven? Ga dan naar het wijkcentrum bij jou in de buurt."
    ),
    "en": (
        "Do you not agree with the letter? You can tell us within six weeks. Write a letter to the municipality. "
        "Explain why you do not agree. Put your name, your address and the date in it. After that we let you know "
        "what happens next. Do you need help with writing? Go to the community centre in your area."
    ),
    "ar": (
        "لا توافق على الرسالة؟ أخبرنا خلال ستة أسابيع. اكتب رسالة إلى البلدية. اشرح لماذا لا توافق. ضع في الرسالة "
        "اسمك وعنوانك والتاريخ. بعد ذلك نخبرك ماذا سيحدث. هل تحتاج إلى مساعدة في الكتابة؟ اذهب إلى المركز القريب "
        "من بيتك. الناس هناك يساعدونك مجانًا."
    ),
}
OFFICIAL = {
    "nl": (
        "Indien u het niet eens bent met de onderhavige beschikking, kunt u ingevolge de Algemene wet bestuursrecht "
        "binnen zes weken na bekendmaking een gemotiveerd bezwaarschrift indienen. Teneinde de inburgeringsplichtige "
        "adequaat te kunnen faciliteren bij het realiseren van de geformuleerde doelstellingen, dienen de benodigde "
        "bewijsstukken volledig te worden overgelegd."
    ),
    "en": (
        "In the event that you wish to contest the aforementioned determination, you are required to submit a "
        "substantiated notice of objection within six weeks of notification. In order to adequately facilitate the "
        "realisation of the objectives formulated in the integration plan, all supporting documentation must be "
        "provided in a comprehensive manner."
    ),
    "ar": (
        "في حال عدم موافقتكم على القرار المذكور أعلاه، يتعين عليكم، بموجب القانون الإداري العام، تقديم اعتراض مسبب "
        "إلى الهيئة التنفيذية خلال مدة أقصاها ستة أسابيع من تاريخ الإخطار. وبغية تيسير تحقيق الأهداف المنصوص عليها "
        "في خطة الاندماج، ينبغي استيفاء جميع المستندات والوثائق الثبوتية المطلوبة في المواعيد المحددة."
    ),
}


def passes(text, language):
    limit, found = LEVELS.limits[language], measure(text, language, frozenset(LEVELS.terms))
    easy = found.score <= limit.score if language == "ar" else found.score >= limit.score
    return easy, found.longest_words <= limit.longest


@pytest.mark.parametrize("language", PLAIN)
def test_plain_text_passes_and_official_language_fails_on_words_and_on_sentences(language):
    assert passes(PLAIN[language], language) == (True, True)
    assert passes(OFFICIAL[language], language) == (False, False)


@pytest.mark.parametrize("language", ["nl", "en"])
def test_hard_words_fail_in_short_sentences_too(language):
    hard = {
        "nl": "De bezwaarprocedure vereist een gemotiveerde argumentatie. Noodzakelijke documentatie is verplicht.",
        "en": "Objection procedures require substantiated argumentation. Supporting documentation is obligatory.",
    }
    assert passes(hard[language], language) == (False, True)


def test_flesch_douma_is_the_published_formula():
    found = measure("De kat zit op de mat. Hij eet een appel.", "nl")
    assert found.words == 10
    assert found.syllables_per_word == 1.1
    assert found.score == pytest.approx(206.84 - 0.93 * 5 - 0.77 * 110)


def test_flesch_and_its_grade_are_the_published_formulas():
    found = measure("The cat sits on the mat. He eats an apple.", "en")
    assert found.score == pytest.approx(206.835 - 1.015 * 5 - 84.6 * 1.1)
    assert found.grade == pytest.approx(0.39 * 5 + 11.8 * 1.1 - 15.59)


def test_arabic_counts_words_and_long_words_without_the_article_and_the_vowel_signs():
    found = measure("اكتب رسالة إلى البلدية. والمدرسة مُهِمَّة.", "ar")
    assert (found.words, found.longest_words, found.long_percent) == (6, 4, 0)
    assert measure("يساعدونك مجانًا.", "ar").long_percent == 50


@pytest.mark.parametrize(
    ("language", "word", "count"),
    [
        ("nl", "klantregisseur", 4), ("nl", "coördinatie", 5), ("nl", "ideeën", 3), ("nl", "nieuw", 1), ("nl", "gemeente", 3),
        ("nl", "beëindigen", 4), ("nl", "overheidsdienst", 4), ("nl", "mooie", 2), ("nl", "leeuw", 1), ("nl", "tv", 1),
        ("en", "municipality", 6), ("en", "language", 2), ("en", "table", 2), ("en", "wanted", 2), ("en", "asked", 1),
        ("en", "people", 2), ("en", "society", 4), ("en", "area", 3), ("en", "quiet", 2), ("en", "houses", 2), ("en", "the", 1),
    ],
)  # fmt: skip
def test_syllables(language, word, count):
    assert syllables(word, language) == count


def test_a_line_of_a_list_is_a_sentence_and_an_abbreviation_of_a_time_is_none():
    assert sentences("Neem mee:\n- je pas\n- een pen. Kom om 9.30 uur! Goed?") == [
        "Neem mee:", "je pas", "een pen.", "Kom om 9.30 uur!", "Goed?",
    ]  # fmt: skip


def test_terms_names_and_numbers_are_no_hard_words():
    text = "Vraag je klantregisseur om 1.234 euro bij VluchtelingenWerk."
    assert "klantregisseur" in hardest(text, "nl", set())
    assert hardest(text, "nl", {"klantregisseur"}) == ["euro", "Vraag", "bij", "je"]


def test_a_text_without_words_cannot_be_measured():
    with pytest.raises(ValueError, match="without words"):
        measure("... 。", "nl")


def write(pack, file, old, new):
    path = pack / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def found_in(pack):
    content, reader = read_content(pack)
    assert reader.faults == []
    return [str(fault) for fault in editorial.check(content, reader)[0]]


@pytest.fixture
def pack(tmp_path):
    return write_pack(tmp_path / "content")


def test_check_names_the_part_its_measure_and_the_words_to_change(pack, capsys):
    write(pack, "en/answers/pip.yaml", "Some more about it.", OFFICIAL["en"])
    assert run_check(pack) == 1
    told = capsys.readouterr().err
    assert "content/en/answers/pip.yaml:17: two.what.more: too hard to read (Flesch " in told
    assert "at least 65); shorter sentences, other words for: " in told
    assert re.search(r"two\.what\.more: a sentence of \d\d words, at most 19; cut it in two: 'In ", told)


def test_an_answer_of_small_hard_parts_is_too_hard_as_a_whole(pack):
    write(pack, "nl/answers/pip.yaml", "You get it within {deadline}. Call {phone}.\n  more: |\n    Some",
          "Gemotiveerde argumentatie vereist {deadline}, documentatie {phone} noodzakelijkerwijs.\n  more: |\n    Some")  # fmt: skip
    assert any(
        "two.what: too hard to read" in fault or "one.what: too hard to read" in fault for fault in found_in(pack)
    )


def test_an_exception_with_its_reason_lets_an_answer_pass_and_one_that_is_not_needed_is_named(pack):
    write(pack, "ar/answers/pip.yaml", "Some more about it.", OFFICIAL["ar"])
    assert any("two.what" in fault for fault in found_in(pack))
    write(pack, "readability.yaml", "exceptions: {}", "exceptions:\n  two.what: a law that must be quoted")
    assert found_in(pack) == []
    write(pack, "readability.yaml", "  two.what: a law", "  one.what: a law that is quoted\n  two.what: a law")
    assert [fault for fault in found_in(pack) if "one.what: this answer needs no exception; remove it" in fault]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("    score: 65", "    score: high", "limits.nl.score: Input should be a valid number"),
        ("  ar:\n    score: 32\n    longest: 18\n    reason", "  so:\n    score: 32\n    longest: 18\n    reason", "no limit for ar; add it"),
        ("exceptions: {}", "exceptions: {one.what: ''}", "exceptions.one.what: String should have at least 10 characters"),
    ],
)  # fmt: skip
def test_a_fault_in_the_limits_is_named(pack, old, new, says):
    write(pack, "readability.yaml", old, new)
    assert any("content/readability.yaml:" in fault and says in fault for fault in found_in(pack))


def test_the_summary_prints_the_distribution_and_the_drafts(pack, capsys):
    assert run_check(pack) == 0
    told = capsys.readouterr().out
    for start in ("nl: Flesch-Douma min ", "en: Flesch min ", "ar: LIX min "):
        assert f"  {start}" in told
    assert "(at most 32); longest sentence min " in told
    assert "2 of 2 topics are draft" in told
