"""What the forms of the desk hold, read once and checked. Knows no page and no database."""

from __future__ import annotations

from dataclasses import dataclass

from bot.desk.answering import Translation
from bot.locales import LANGUAGES, clean
from webhooks.limits import as_number

MAX_ANSWER = 3000  # characters: one message on Telegram, two on WhatsApp


@dataclass(frozen=True)
class Answer:
    """An answer as it was typed or chosen. `error` is a code of `words.html`; empty when all is well.

    `send` is the button: `text`, `topic`, `prepare_text`, `prepare_topic` or `preview`.
    """

    send: str
    text: str = ""
    topic: str = ""
    written: str = ""  # the language that the text was written in
    error: str = ""

    @property
    def is_topic(self) -> bool:
        return self.send.endswith("topic")

    @property
    def is_prepared(self) -> bool:
        return self.send.startswith("prepare")


def read_answer(form: dict[str, str], page_language: str) -> Answer:
    """The answer of a form. Raises nothing: what is wrong stands in `error`."""
    send = form.get("send", "text")
    written = form.get("written", "")
    written = written if written in LANGUAGES else page_language
    if send in ("topic", "prepare_topic"):
        topic = form.get("topic", "")
        return Answer(send, clean(form.get("text", "")), topic, written, "" if topic else "no_choice")
    text = clean(form.get("text", "")).strip()
    error = "empty" if not text else "too_long" if len(text) > MAX_ANSWER else ""
    return Answer(send, text, "", written, error)


def read_translation(form: dict[str, str], language: str) -> Translation | None:
    """The translation into a language that was shown before; None where there was none."""
    text = clean(form.get(f"translation_{language}", "")).strip()
    return Translation(text[: 4 * MAX_ANSWER], language) if text else None


def read_ids(values: list[str], limit: int) -> list[int]:
    """Numbers of tickets in an address or a form, each once; what is no number is left out."""
    return list(dict.fromkeys(number for value in values if (number := as_number(value))))[:limit]
