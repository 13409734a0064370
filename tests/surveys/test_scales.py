"""Scales keep their meaning in every language and on both channels: order, digits and labels."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.channels.telegram import keyboard
from bot.locales import LANGUAGES
from bot.messages import CAPABILITIES
from bot.policy import survey
from bot.replies import render

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
FIVE, ELEVEN = "comfort_with_locals", "social_network_support"


def messages(content, language, channel):
    replies = survey.preview(content, "social_life", language, channel, NOW)
    found = [render(reply, language, content, CAPABILITIES[channel], NOW)[0] for reply in replies]
    return {message.keys[-1].removeprefix("survey:"): message for message in found[1:]}


def values(message):
    return [option for option in message.options if option.token.startswith("survey:a:")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_five_labels_stand_in_their_order_each_with_its_figure(content, language):
    shown = values(messages(content, language, "telegram")[FIVE])
    labels = content.surveys.texts[language].scales["comfortable"]
    assert [option.label for option in shown] == [f"{n} · {labels[n]}" for n in "12345"]
    assert [option.token[-1] for option in shown] == list("12345")
    assert [len(row) for row in keyboard(tuple(shown)).inline_keyboard] == [1] * 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_eleven_figures_are_figures_and_the_question_tells_the_ends(content, language):
    message = messages(content, language, "telegram")[ELEVEN]
    assert [option.label for option in values(message)] == [str(n) for n in range(11)]
    assert [len(row) for row in keyboard(tuple(values(message))).inline_keyboard] == [6, 5]
    labels = content.surveys.texts[language].scales["support"]
    plain = message.text.replace("\u2066", "").replace("\u2069", "")
    assert f"0 ({labels['0'].lower()})" in plain.lower()
    assert f"10 ({labels['10'].lower()})" in plain.lower()


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_buttons_the_number_before_a_label_is_its_value(content, language):
    message = messages(content, language, "whatsapp")[FIVE]
    labels = content.surveys.texts[language].scales["comfortable"]
    plain = message.text.replace("\u2066", "").replace("\u2069", "").replace("\u200f", "")
    places = [plain.index(f"{n}. {labels[n]}") for n in "12345"]
    assert places == sorted(places)
    assert not values(messages(content, language, "whatsapp")[ELEVEN]), "the figure itself is written"


def test_every_item_fits_a_button_and_a_message(content):
    for key in content.surveys.surveys:
        for language in LANGUAGES:
            for channel in ("telegram", "whatsapp"):
                for reply in survey.preview(content, key, language, channel, NOW):
                    capability = CAPABILITIES[channel]
                    rendered = render(reply, language, content, capability, NOW)
                    assert len(rendered) == 1, "one message a turn"
                    for option in rendered[0].options:
                        assert len(option.token.encode()) <= 64
                        assert len(option.label) <= capability.max_label
