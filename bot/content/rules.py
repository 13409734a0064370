"""What must hold over all the content, beyond the form of each file. One function a rule; each names the mend."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date

import phonenumbers

from bot import locales
from bot.content import survey_rules
from bot.content.figures import fill
from bot.content.load import Content, Reader, Text
from bot.content.schema import Answer, Figure, placeholders
from bot.errors import Fault
from bot.locales import LANGUAGES

LIMITS = {"short": 600, "more": 1000, "asylum": 350, "family": 350}  # characters, figures filled in
LABEL_LIMIT = 24  # a WhatsApp list item; Telegram's buttons are wider
EXAMPLES_PER_TOPIC = 10
_HTML = re.compile(r"</?[a-zA-Z][^>]*>|&[a-z]+;|\*\*|```|\]\(")
_LINK = re.compile(r"https?://|www\.")
_PHONE = re.compile(r"(?<![\w-])(?:0\d{2,3}[- ]?\d{4,7}|14 ?0\d{2,3}|\+31[\d -]{8,})(?![\w-])")
_INVISIBLE = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def check(content: Content, reader: Reader, *, thorough: bool = True) -> list[Fault]:
    """Every rule on a content of sound form; not `thorough`: all but the rules of the example questions."""
    rules = (
        _topics,
        _pairs,
        _figures,
        _answers,
        _parity,
        _titles,
        _organisations,
        _replies,
        _commands,
        _surveys,
        *([_examples] if thorough else []),
    )
    faults: list[Fault] = []
    stumbled: list[Exception] = []
    for rule in rules:
        try:
            faults += rule(content, reader)
        except (KeyError, ValueError, TypeError) as error:
            stumbled.append(error)  # over what another rule names: a reply or a figure that isn't there
    if stumbled and not faults:
        raise stumbled[0]
    return faults


def _at(content: Content, kind: str, key: str, message: str, part: str = "") -> Fault:
    file, line = content.where.get((kind, key), ("content", 1))
    return Fault(file, line, f"{key}.{part}" if part else key, message)


def _topics(content: Content, _: Reader) -> Iterator[Fault]:
    for key, topic in content.topics.items():
        for related in topic.related:
            if related not in content.topics:
                yield _at(content, "topic", key, f"related topic '{related}' does not exist; correct or remove it")
            if related == key:
                yield _at(content, "topic", key, "a topic is not related to itself; remove it")
        if not topic.checked_on < topic.review_by < topic.withhold_after:
            yield _at(content, "topic", key, "checked_on, review_by and withhold_after must follow each other in time")


def _pairs(content: Content, _: Reader) -> Iterator[Fault]:
    for language in LANGUAGES:
        answers = content.answers[language]
        for key in content.topics.keys() - answers.keys():
            yield _at(content, "topic", key, f"no answer in '{language}'; write it in content/{language}/answers/")
        for key in answers.keys() - content.topics.keys():
            yield _at(content, language, key, "unknown topic; add it to topics.yaml or remove the answer")


def _figures(content: Content, _: Reader) -> Iterator[Fault]:
    used: set[str] = set()
    for answers in content.answers.values():
        used |= {name for answer in answers.values() for text in answer.parts().values() for name in placeholders(text)}
    for texts in content.replies.values():
        used |= {name for text in texts.values() if isinstance(text, str) for name in placeholders(text)}
    for key, figure in content.figures.items():
        if key not in used:
            yield _at(content, "figure", key, "no text uses this figure; use it or remove it")
        yield from (_at(content, "figure", key, message) for message in _figure_faults(figure))


def _figure_faults(figure: Figure) -> Iterator[str]:
    if figure.value is None:
        if not figure.to_confirm:
            yield "no value; give one, or write under to_confirm what the municipality must tell"
        return
    for name in ("source", "as_of", "review_by", "withhold_after"):
        if getattr(figure, name) is None:
            yield f"'{name}' is missing; a figure needs its source and its dates"
    if figure.unit == "phone" and not (isinstance(figure.value, str) and is_phone(figure.value)):
        yield "not a Dutch telephone number; correct it, between quotes"
    if figure.unit == "date" and not isinstance(figure.value, date):
        yield "not a date; write it as 2026-11-23, without quotes"
    dates = (figure.as_of, figure.review_by, figure.withhold_after)
    if all(dates) and list(dates) != sorted(day for day in dates if day):
        yield "as_of, review_by and withhold_after must follow each other in time"


def is_phone(text: str) -> bool:
    """Whether a text is a Dutch telephone number, a municipality's 14+area number, or a short number such as 112."""
    digits = re.sub(r"\D", "", text)
    if re.fullmatch(r"140\d{2,3}", digits) or digits in ("112", "113"):
        return True
    try:
        number = phonenumbers.parse(text, "NL")
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(number)


def _answers(content: Content, _: Reader) -> Iterator[Fault]:
    for language, answers in content.answers.items():
        for key, answer in answers.items():
            for part, text in answer.parts().items():
                for message in _text_faults(content, text, part):
                    yield _at(content, language, key, message, part)
                if not placeholders(text) - set(content.figures):
                    yield from _too_long(content, language, key, part)


def _text_faults(content: Content, text: str, part: str) -> Iterator[str]:
    waits_for = part.removeprefix("when_known.") if part.startswith("when_known.") else ""
    for name in sorted(placeholders(text) - set(content.figures)):
        yield f"placeholder {{{name}}} is no figure; add it to content/figures/ or correct the name"
    for name in sorted(placeholders(text) & set(content.figures)):
        if content.figures[name].value is None and name != waits_for:
            yield f"{{{name}}} has no value yet; use it only under when_known"
    if waits_for and waits_for not in content.figures:
        yield f"'{waits_for}' is no figure; add it to content/figures/ with value null and to_confirm"
    if _HTML.search(text):
        yield "HTML or markdown; write plain text"
    if _LINK.search(text):
        yield "a link; links belong in topics.yaml"
    if found := _PHONE.search(text):
        yield f"a telephone number ('{found[0]}'); put it into content/figures/ and use its placeholder"
    if _INVISIBLE.search(text):
        yield "an invisible character; the program isolates Latin words itself, remove it"


def _too_long(content: Content, language: str, key: str, part: str) -> Iterator[Fault]:
    limit = LIMITS.get(part)
    text = content.answers[language][key].parts()[part]
    if limit is None or any(content.figures[name].value is None for name in placeholders(text)):
        return
    length = len(fill(text, content, language))
    if length > limit:
        yield _at(content, language, key, f"{length} characters; shorten it to {limit}", part)


def _parity(content: Content, _: Reader) -> Iterator[Fault]:
    for key, dutch in content.answers["nl"].items():
        for language in LANGUAGES[1:]:
            other = content.answers[language].get(key)
            if other is not None:
                yield from (_at(content, language, key, message) for message in _differences(dutch, other))


def _differences(dutch: Answer, other: Answer) -> Iterator[str]:
    ours, theirs = dutch.parts(), other.parts()
    for part in ours.keys() - theirs.keys():
        yield f"part '{part}' is missing, the Dutch has it; translate it"
    for part in theirs.keys() - ours.keys():
        yield f"part '{part}' stands here but not in the Dutch; remove it or add it there"
    for part in ours.keys() & theirs.keys():
        if placeholders(ours[part]) != placeholders(theirs[part]):
            different = ", ".join(sorted(placeholders(ours[part]) ^ placeholders(theirs[part])))
            yield f"part '{part}' has other placeholders than the Dutch ({different}); make them the same"


def _titles(content: Content, _: Reader) -> Iterator[Fault]:
    for language, answers in content.answers.items():
        seen: dict[str, str] = {}
        for key, answer in answers.items():
            title = answer.title.casefold()
            if title in seen:
                yield _at(content, language, key, f"the same title as {seen[title]}; make it different", "title")
            seen[title] = key


def _organisations(content: Content, _: Reader) -> Iterator[Fault]:
    for key in content.organisations:
        if key not in content.topics:
            yield Fault("content/social_map.yaml", 1, key, "no such topic; the key must be that of its topic")


def _replies(content: Content, _: Reader) -> Iterator[Fault]:
    dutch = content.replies["nl"]
    for language in LANGUAGES:
        file = f"content/{language}/replies.yaml"
        replies = content.replies[language]
        for key in dutch.keys() - replies.keys():
            yield Fault(file, 1, key, "is missing, the Dutch has it; translate it")
        for key in replies.keys() - dutch.keys():
            yield Fault(file, 1, key, "stands here but not in the Dutch; remove it or add it there")
        for key in dutch.keys() & replies.keys():
            if _names(dutch[key]) != _names(replies[key]):
                yield Fault(file, 1, key, "other placeholders than the Dutch; make them the same")
        for key, text in replies.items():
            if isinstance(text, str) and key.startswith("button.") and len(text) > LABEL_LIMIT:
                yield Fault(file, 1, key, f"{len(text)} characters; a button takes {LABEL_LIMIT}")


def _names(text: Text) -> set[str]:
    return placeholders(text if isinstance(text, str) else text["other"])


def _commands(_: Content, reader: Reader) -> Iterator[Fault]:
    meanings: dict[str, set[str]] = defaultdict(set)
    for language in LANGUAGES:
        document = reader.documents.get(f"{reader.root.name}/{language}/commands.yaml")
        for token, forms in (document.data if document else {}).items():
            for form in forms if isinstance(forms, list) else []:
                meanings[str(form)].add(str(token))
                if str(form) != locales.fold(str(form)):
                    message = f"write '{form}' as '{locales.fold(str(form))}': lower case, without marks"
                    yield Fault(f"content/{language}/commands.yaml", 1, str(token), message)
    for form, tokens in meanings.items():
        if len(tokens) > 1:
            yield Fault("content/*/commands.yaml", 1, form, f"means {' and '.join(sorted(tokens))}; keep one")


def _surveys(content: Content, reader: Reader) -> Iterator[Fault]:
    name = reader.root.name
    definition = reader.documents.get(f"{name}/surveys.yaml")
    if definition is not None:
        words = {language: reader.documents[f"{name}/{language}/surveys.yaml"] for language in LANGUAGES}
        yield from survey_rules.check(content.surveys, definition, words)


def _examples(content: Content, reader: Reader) -> Iterator[Fault]:
    for language in LANGUAGES:
        counts: dict[str, int] = dict.fromkeys(content.topics, 0)
        seen: dict[str, str] = {}
        for path in sorted((reader.root / language / "examples").glob("[!_]*.yaml")):
            document = reader.read(path)
            for topic, texts in document.data.items():
                if topic not in content.topics:
                    yield document.fault((topic,), "unknown topic; correct the name or remove it")
                    continue
                if not isinstance(texts, list | None):
                    yield document.fault((topic,), "must be a list of questions, one a line with '- ' before it")
                    continue
                for index, text in enumerate(texts or []):
                    counts[topic] += 1
                    form = locales.fold(str(text))
                    if form in seen:
                        yield document.fault((topic, index), f"'{text}' stands at {seen[form]} too; keep one")
                    seen[form] = topic
        for topic, count in counts.items():
            if count < EXAMPLES_PER_TOPIC:
                message = f"{count} examples; write at least {EXAMPLES_PER_TOPIC}"
                yield Fault(f"content/{language}/examples/", 0, topic, message)
