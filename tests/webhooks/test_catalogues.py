"""Every sentence of the pages exists in both languages, and no translation is left over."""

from __future__ import annotations

from string import Formatter

import pytest
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from webhooks.pages import HERE, LANGUAGES, read_catalogue

AREAS = sorted(path.name for path in (HERE / "templates").iterdir() if path.is_dir())
EACH = [(area, language) for area in AREAS for language in LANGUAGES]


def in_templates(area):
    ids = set()
    for path in sorted((HERE / "templates" / area).glob("*.html")):
        with path.open("rb") as file:
            for _, function, words, _ in babel_extract(file, ("_", "gettext", "ngettext"), [], {}):
                texts = [words] if isinstance(words, str) else [word for word in words if isinstance(word, str)]
                ids.add(tuple(texts[:2]) if function == "ngettext" else texts[0])
    return ids


def catalogue(area, language):
    """`templates/<area>/` has its sentences in `<area>.po`."""
    with (HERE / "locale" / language / "LC_MESSAGES" / f"{area}.po").open("rb") as file:
        return [message for message in read_po(file, locale=language, abort_invalid=True) if message.id]


@pytest.mark.parametrize(("area", "language"), EACH)
def test_a_catalogue_holds_every_sentence_and_no_other(area, language):
    there = {message.id for message in catalogue(area, language)}
    assert in_templates(area) - there == set(), "add these"
    assert there - in_templates(area) == set(), "not used any more; take them out"


@pytest.mark.parametrize("area", AREAS)
def test_every_sentence_is_translated_into_dutch(area):
    missing = [message.id for message in catalogue(area, "nl") if not all(texts(message.string)) or message.fuzzy]
    assert missing == []


def test_a_sentence_in_two_areas_has_one_translation():
    dutch = {}
    for area in AREAS:
        for message in catalogue(area, "nl"):
            assert dutch.setdefault(message.id, message.string) == message.string, message.id


@pytest.mark.parametrize(("area", "language"), EACH)
def test_a_translation_has_the_same_placeholders(area, language):
    for message in catalogue(area, language):
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
