"""From content keys to the words of a message, in a language, for what a channel can show. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bot import locales
from bot.actions import ByTemplate, Choice, Everywhere, Notice, Part, Quote, Reply, Say, Show, SurveyText
from bot.content import Content
from bot.content.figures import fill, show
from bot.content.schema import PLACEHOLDER
from bot.locales import AMSTERDAM, LANGUAGES
from bot.messages import Capability, Option, OutboundMessage


@dataclass(frozen=True)
class Page:
    """What a text is written for: the content, a language, and the day in Nijmegen."""

    content: Content
    language: str
    today: date

    def say(self, key: str, params: dict[str, Any] | None = None) -> str:
        """A reply with its parameters and figures in place.

        Raises KeyError for a key or a parameter that isn't there.
        """
        params = params or {}
        text = self.content.replies[self.language][key]
        if isinstance(text, dict):
            number = float(params["n"])
            text = text.get(locales.plural(self.language, number), text["other"])
        return PLACEHOLDER.sub(lambda match: self._value(match[1], params), text)

    def _value(self, name: str, params: dict[str, Any]) -> str:  # noqa: PLR0911  # one line a kind of value
        if name not in params:
            return show(self.content.figures[name], self.content, self.language)
        value = params[name]
        if name == "language":
            return locales.NAMES[value]
        if isinstance(value, tuple):
            return locales.week(value, self.language)
        if isinstance(value, list):
            return locales.join(value, self.language)
        if isinstance(value, datetime):
            return locales.moment(value, self.language)
        if isinstance(value, date):
            return locales.day(value, self.language)
        return locales.number(value, self.language) if isinstance(value, int | float) else str(value)


def render(
    reply: Reply, language: str, content: Content, capability: Capability, now: datetime
) -> list[OutboundMessage]:
    """The message of a reply, cut in several only where a channel can't take it in one.

    `language` is the contact's; the reply's own goes before it. Options hang on the last part.
    """
    page = Page(content, reply.language or language, now.astimezone(AMSTERDAM).date())
    text = "\n\n".join(filter(None, (_part(page, part) for part in reply.parts)))
    footer = _footer(page, [part.topic for part in reply.parts if isinstance(part, Show)])
    options = tuple(_option(page, choice, capability) for choice in reply.choices[: capability.max_options])
    controls = tuple(_option(page, choice, capability) for choice in reply.controls)
    words = "" if capability.buttons else _worded(page, controls)
    blocks = [text, footer, "" if capability.buttons else _numbered(page, options), words]
    options += controls
    whole = "\n\n".join(filter(None, blocks))
    whole = locales.isolate_latin(whole) if page.language == "ar" else whole
    if reply.template is not None:
        return [_by_template(page, reply.template, whole, tuple(key for part in reply.parts for key in _keys(part)))]
    pieces = split(whole, capability.max_text)
    keys = tuple(key for part in reply.parts for key in _keys(part))
    messages = [OutboundMessage(piece, page.language, (), keys, reply.urgent) for piece in pieces[:-1]]
    return [*messages, OutboundMessage(pieces[-1], page.language, options, keys, reply.urgent)]


def _by_template(page: Page, template: ByTemplate, text: str, keys: tuple[str, ...]) -> OutboundMessage:
    """A template has its one button at the platform: it is no line of the text."""
    button = Option(template.button.token, page.say(template.button.label))
    name, values = template.name, template.variables
    return OutboundMessage(text, page.language, (button,), keys, template=name, variables=values, cost=template.cost)


def _keys(part: Part) -> tuple[str, ...]:
    if isinstance(part, Show):
        return (f"answer:{part.topic}" if part.part == "short" else f"answer:{part.topic}:{part.part}",)
    if isinstance(part, Notice):
        return (f"notice:{part.language}",)
    if isinstance(part, SurveyText):
        return (f"survey:{part.key}" if part.part == "question" else f"survey:{part.key}:{part.part}",)
    return ("quote",) if isinstance(part, Quote) else (part.key,)


def _part(page: Page, part: Part) -> str:
    if isinstance(part, Say):
        return page.say(part.key, part.params)
    if isinstance(part, Quote):
        return part.text
    if isinstance(part, SurveyText):
        return _survey_text(page, part)
    if isinstance(part, Notice):
        return page.content.notices.get(part.language, "")
    if isinstance(part, Everywhere):
        return "\n\n".join(Page(page.content, code, page.today).say(part.key) for code in LANGUAGES)
    answer = page.content.answer(part.topic, page.language)
    texts = [answer.part(part.part) or ""]
    if part.part == "short":
        known = (text for key, text in answer.when_known.items() if page.content.figures[key].value is not None)
        texts += known
    return "\n\n".join(fill(text, page.content, page.language) for text in texts)


def _survey_text(page: Page, part: SurveyText) -> str:
    surveys = page.content.surveys
    if part.part == "question":
        return surveys.question(part.key, page.language)
    words = surveys.texts[page.language].surveys[part.key]
    return words.title if part.part == "title" else words.why


def _footer(page: Page, topics: list[str]) -> str:
    """Where an answer comes from and when it was checked, once a message, and where to read on."""
    lines: list[str] = []
    for key in dict.fromkeys(topics):
        topic = page.content.topics[key]
        if page.content.is_stale(key, page.today):
            lines.append(page.say("answer.stale", {"date": topic.checked_on}))
        lines.append(page.say("answer.source", {"source": topic.sources[0].title, "date": topic.checked_on}))
        lines += topic.links[:1]
    return "\n".join(dict.fromkeys(lines))


def _option(page: Page, choice: Choice, capability: Capability) -> Option:
    return Option(choice.token, label(page, choice, capability), choice.size)


def label(page: Page, choice: Choice, capability: Capability) -> str:
    """The words of a choice: a topic's question, its short title where that is too long, a value, or a reply."""
    if choice.item:
        return _value(page, choice, capability)
    if not choice.topic:
        return page.say(choice.label, choice.params)
    answer = page.content.answer(choice.topic, page.language)
    return answer.question if len(answer.question) <= capability.max_label else answer.title


def _value(page: Page, choice: Choice, capability: Capability) -> str:
    """A value of a survey's item. On a button a scale shows its figure too: in any script the order stays plain."""
    kind = page.content.surveys.items[choice.item].kind
    if kind == "scale11":
        return choice.value  # the question says what the ends mean
    words = page.content.surveys.label(choice.item, choice.value, page.language)
    return f"{choice.value} · {words}" if kind == "scale5" and capability.buttons else words


def _worded(page: Page, controls: Iterable[Option]) -> str:
    """Options without a number: the words to write for them."""
    words = [control.label for control in controls]
    return page.say("options.word", {"words": locales.either(words, page.language)}) if words else ""


def _numbered(page: Page, options: Iterable[Option]) -> str:
    lines = [f"{number}. {option.label}" for number, option in enumerate(options, 1)]
    return "\n".join([page.say("options.number"), *lines]) if lines else ""


_CUTS = tuple(map(re.compile, (r"\n\n", r"\n", r"(?<=[.!?؟…]) ", r"\s")))  # between paragraphs, lines, sentences, words


def split(text: str, limit: int) -> list[str]:
    """A text in pieces of at most `limit` UTF-16 units, as Telegram counts.

    It is cut between paragraphs, lines, sentences or words. A text that fits is one piece; nothing but white space is
    lost.
    """
    if _length(text) <= limit:
        return [text]
    for place in _CUTS:
        head, tail = _cut(text, place, limit)
        if _length(head) > limit // 3:  # a short head would cost a message more
            return [head, *split(tail, limit)]
    at = limit // 2  # a single endless word: half the limit is safe for any script
    return [text[:at], *split(text[at:], limit)]


def _cut(text: str, place: re.Pattern[str], limit: int) -> tuple[str, str]:
    """The text before and after the last such place that lets the head fit."""
    for match in reversed(list(place.finditer(text, 0, limit + 1))):
        if _length(text[: match.start()]) <= limit:
            return text[: match.start()].rstrip(), text[match.start() :].lstrip()
    return "", text


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
