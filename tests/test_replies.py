"""What people see: figures in words, Arabic that doesn't turn around, stale answers, long texts."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot.actions import Choice, Quote, Reply, Say, Show
from bot.content.figures import quantity, show
from bot.content.schema import Figure, Span
from bot.locales import LANGUAGES, clean, fold, isolate_latin, moment
from bot.messages import CAPABILITIES, Address, InboundMessage, Kind, Option
from bot.policy.resolve import resolve
from bot.replies import render, split

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TELEGRAM, WHATSAPP = CAPABILITIES["telegram"], CAPABILITIES["whatsapp"]


@pytest.mark.parametrize(
    ("number", "unit", "language", "words"),
    [
        (1, "days", "nl", "1 dag"),
        (90, "days", "nl", "90 dagen"),
        (800, "hours", "nl", "800 uur"),
        (1, "weeks", "en", "1 week"),
        (2, "weeks", "ar", "أسبوعين"),
        (10, "weeks", "ar", "10 أسابيع"),
        (16, "weeks", "ar", "16 أسبوعًا"),
        (6, "months", "ar", "6 أشهر"),
        (100, "days", "ar", "100 يوم"),
        (3, "years", "ar", "3 سنوات"),
        (250, "eur", "nl", "€ 250"),
        (57.4, "eur", "nl", "€ 57,40"),
        (1500, "count", "nl", "1.500"),
        (63, "percent", "en", "63%"),
    ],
)
def test_a_figure_brings_its_unit_in_each_language(content, number, unit, language, words):
    assert quantity(number, unit, content, language) == words


def test_a_span_a_date_and_a_number_to_call(content):
    assert show(Figure(value=Span(min=6, max=8), unit="weeks"), content, "nl") == "6 tot 8 weken"
    assert show(Figure(value=date(2026, 12, 31), unit="date"), content, "en") == "31 December 2026"
    assert show(Figure(value="14 024", unit="phone"), content, "ar") == "\u206614 024\u2069"


def test_a_moment_is_told_in_dutch_time_whatever_the_season():
    assert moment(datetime(2026, 11, 26, 14, tzinfo=UTC), "nl") == "donderdag 26 november, 15:00"
    assert moment(datetime(2026, 7, 1, 13, tzinfo=UTC), "en") == "Wednesday 1 July, 15:00"
    assert moment(datetime(2026, 11, 26, 14, tzinfo=UTC), "ar") == "الخميس 26-11-2026، 15:00"
    with pytest.raises(ValueError, match="time zone"):
        moment(datetime(2026, 11, 26), "nl")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("capability", [TELEGRAM, WHATSAPP])
def test_every_answer_fits_in_one_message_with_its_buttons(content, language, capability):
    for topic, answer in content.answers[language].items():
        group = "asylum" if answer.asylum else "family"
        parts = (Show(topic), Show(topic, group)) if answer.part(group) else (Show(topic),)
        related = tuple(Choice(f"topic:{key}", topic=key) for key in content.topics[topic].related[:2])
        choices = (Choice(f"more:{topic}", "button.more"), *related, Choice("menu", "button.menu"))
        choices += (Choice("a", "button.other_asylum"), Choice("b", "button.helped"), Choice("c", "button.not_helped"))
        assert len(render(Reply(parts, choices), language, content, capability, NOW)) == 1, topic


def test_an_answer_shows_its_source_its_date_and_a_page(content):
    (message,) = render(Reply((Show("pip.when"),)), "nl", content, TELEGRAM, NOW)
    assert "Bron: " in message.text
    assert "Gecontroleerd op " in message.text
    assert message.text.rstrip().split("\n")[-1].startswith("https://")


def test_past_its_review_date_an_answer_says_so_and_later_it_is_withheld(content):
    topic = content.topics["pip.when"]
    late = datetime.combine(topic.review_by + timedelta(days=2), NOW.time(), UTC)
    (message,) = render(Reply((Show("pip.when"),)), "en", content, TELEGRAM, late)
    assert "may have changed" in message.text
    assert not content.is_withheld("pip.when", topic.review_by)
    assert content.is_withheld("pip.when", topic.withhold_after + timedelta(days=1))


def test_options_are_numbered_where_there_are_no_buttons(content):
    reply = Reply((Say("menu.ask"),), (Choice("menu:pip", "group.pip"), Choice("human", "button.person")))
    (telegram,) = render(reply, "nl", content, TELEGRAM, NOW)
    (whatsapp,) = render(reply, "nl", content, WHATSAPP, NOW)
    assert "1. " not in telegram.text
    assert "1. Mijn plan (PIP)\n2. Een persoon spreken" in whatsapp.text
    assert telegram.options == whatsapp.options


def test_latin_words_and_numbers_are_isolated_in_arabic():
    text = isolate_latin("اتصل بالبلدية: \u206614 024\u2069\n1. خطتي (PIP)\nhttps://www.nijmegen.nl\nDUO ترسل")
    for name in ("Stads- en wijkmonitor 2025", "08:30 - 17:00", "Bed & Brood", "MAP / PVT"):
        assert isolate_latin(f"انظر {name}.") == f"انظر \u2066{name}\u2069."
    assert text.split("\n") == [
        "اتصل بالبلدية: \u206614 024\u2069",
        "\u200f\u20661\u2069. خطتي (\u2066PIP\u2069)",
        "https://www.nijmegen.nl",
        "\u200f\u2066DUO\u2069 ترسل",
    ]


def test_a_link_in_an_arabic_line_stays_one_link():
    link = "https://wegwijs.example.org/my-data/unLSxgBAtwAyodotz4azAVDoiLDo_1LJaZmGcn--_x-"
    assert link in isolate_latin(f"هنا كل ما أحفظه عنك: {link}")


def test_what_stands_in_arabic_opens_and_closes_every_isolate(content):
    for topic in content.topics:
        (message,) = render(Reply((Show(topic),)), "ar", content, TELEGRAM, NOW)
        assert message.text.count("\u2066") == message.text.count("\u2069")
        torn = re.findall("[^\u2066]*\u2069[-–&/+ ]+\u2066[^\u2069]*", message.text)
        assert torn == [], "two halves of a Dutch name change places around what stands between them"


@given(st.text(max_size=400), st.integers(20, 200))
@hypothesis_settings(max_examples=200, deadline=None)
def test_a_long_text_is_cut_without_losing_a_letter(text, limit):
    pieces = split(text, limit)
    assert all(len(piece.encode("utf-16-le", "surrogatepass")) // 2 <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_cuts_are_between_paragraphs_where_possible():
    assert split("one two\n\nthree four", 14) == ["one two", "three four"]


@given(st.text())
@hypothesis_settings(deadline=None)
def test_cleaning_and_folding_are_stable(text):
    assert clean(clean(text)) == clean(text)
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("one", "other"), [("Stop!", "stop"), ("توقّف", "توقف"), ("أُريدُ", "اريد"), ("لغة", "لغه"), ("٣", "3")]
)
def test_the_same_word_folds_to_the_same(one, other):
    assert fold(one) == fold(other)


def test_words_of_the_desk_go_out_as_they_are(content):
    (message,) = render(Reply((Quote("2 < 3 {not a placeholder}"),)), "nl", content, TELEGRAM, NOW)
    assert message.text == "2 < 3 {not a placeholder}"


def test_a_question_copied_from_the_options_is_that_option():
    """People copy the line instead of writing its number; it may have more words than any command."""
    option = Option("topic:pip.contents", "ماذا يوجد في خطة الاندماج الشخصية (PIP)؟")
    copied = "ماذا يوجد في خطة الاندماج الشخصية \u2066(PIP)\u2069؟"
    message = InboundMessage("k", Address("whatsapp", "x"), Kind.TEXT, copied)
    assert resolve(message, [option], {}) == option.token
    assert resolve(replace(message, text="iets heel anders met meer dan zes woorden"), [option], {}) == ""
