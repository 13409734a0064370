"""What is taken out of open answers, and what stays."""

from __future__ import annotations

import pytest

from bot.scrub import NameWords, scrub


@pytest.fixture(scope="module")
def words(content):
    return NameWords(content.surveys.name_cues, content.surveys.title_cues, ("Fatima Bakker",))


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Ik heet Ahmed Al Hassan en mijn nummer is 06-12345678", "Ik heet [name] en mijn nummer is [phone]"),
        ("ik heet ahmed en woon hier", "ik heet [name] en woon hier"),
        ("My name is Sara. Call +31 6 12345678", "My name is [name]. Call [phone]"),
        ("اسمي أحمد ورقمي ٠٦١٢٣٤٥٦٧٨", "اسمي [name] ورقمي [phone]"),
        ("mijn bsn is 111222333", "mijn bsn is [bsn]"),
        ("bsn 1112.22.333", "bsn [bsn]"),
        ("iban NL91 ABNA 0417 1643 00 dus", "iban [iban] dus"),
        ("mail ahmed@example.com of kijk op www.example.com", "mail [email] of kijk op [link]"),
        ("geboren op 12-03-1990 of 1 januari 1985", "geboren op [date] of [date]"),
        ("born on 3 March 1990", "born on [date]"),
        ("ولدت في ١٢/٣/١٩٩٠", "ولدت في [date]"),
        ("Fatima helpt mij goed, mevrouw de Vries niet", "[name] helpt mij goed, mevrouw [name] niet"),
        ("V-nummer 2801234567", "V-nummer [phone]"),
    ],
)
def test_personal_data_is_taken_out(said, kept, words):
    assert scrub(said, words) == kept


@pytest.mark.parametrize(
    "said",
    [
        "de lessen zijn te ver weg, 3 keer per week van 9.00 tot 12.30",
        "meer dan 2 jaar wachten op niveau B1, 50 euro per maand",
        "mijn docent is streng maar goed",
        "the teacher talks too fast",
        "الدروس بعيدة جدا عن بيتي",
        "زوجي لا يعمل",
    ],
)
def test_an_ordinary_answer_stays_as_it_is(said, words):
    assert scrub(said, words) == said
