"""Every sentence of the pages exists in both languages, and no translation is left over."""

from __future__ import annotations

from string import Formatter

import pytest
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from webhooks.pages import HERE, LANGUAGES, read_catalogue

TEMPLATES = sorted((HERE / "templates" / "desk").glob("*.html"))


def in_templates():
    ids = set()
    for path in TEMPLATES:
        with path.open("rb") as file:
            for _, function, words, _ in babel_extract(file, ("_", "gettext", "ngettext"), [], {}):
                texts = [words] if isinstance(words, str) else [word for word in words if isinstance(word, str)]
                ids.add(tuple(texts[:2]) if function == "ngettext" else texts[0])
    return ids


def catalogue(language):
    with (HERE / "locale" / language / "LC_MESSAGES" / "desk.po").open("rb") as file:
        return [message for message in read_po(file, locale=language) if message.id]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_holds_every_sentence_and_no_other(language):
    there = {message.id for message in catalogue(language)}
    assert in_templates() - there == set(), "add these"
    assert there - in_templates() == set(), "not used any more; take them out"


def test_every_sentence_is_translated_into_dutch():
    missing = [message.id for message in catalogue("nl") if not all(texts(message.string)) or message.fuzzy]
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_same_placeholders(language):
    for message in catalogue(language):
        for text in filter(None, texts(message.string)):
            assert placeholders(text) == placeholders(texts(message.id)[0]), message.id


def texts(value):
    return [value] if isinstance(value, str) else list(value)


def placeholders(text):
    marked = text.replace("{", "").replace("}", "").replace("%(", "{").replace(")d", "}").replace(")s", "}")
    return {name for _, name, _, _ in Formatter().parse(marked) if name}


def test_plurals_follow_the_number():
    dutch = read_catalogue("nl")
    assert dutch.ngettext("%(num)d message", "%(num)d messages", 1) == "%(num)d bericht"
    assert dutch.ngettext("%(num)d message", "%(num)d messages", 2) == "%(num)d berichten"
    assert read_catalogue("en").ngettext("%(num)d message", "%(num)d messages", 2) == "%(num)d messages"
