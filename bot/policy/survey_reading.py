"""What somebody wrote as an answer: a digit of any script, a number, a label or another word for it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from bot.content.surveys import Item, Surveys
from bot.locales import clean, fold, western_digits

MAX_WORDS = 4  # "ongeveer 32 uur"; what is longer is no answer to a scale
MAX_OPEN = 1000  # characters of an open answer that are kept
_NUMBER = re.compile(r"(?<![\w.,])-?\d{1,15}(?:[.,٫]\d+)?(?!\w)")
_BETWEEN = re.compile(r"[,;،؛\n+&/]|\s(?:en|and|و)\s")


class Unread(Enum):
    """Why there is no answer in a text."""

    OUT_OF_RANGE = "out_of_range"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Answer:
    """The value as it is kept: of a multiple item the options with `;` between, in the item's order."""

    value: str


def read(surveys: Surveys, key: str, text: str) -> Answer | Unread:
    """The answer that a text is to an item."""
    item = surveys.items[key]
    if item.kind == "open":
        words = clean(text).strip()
        return Answer(words[:MAX_OPEN]) if words else Unread.UNCLEAR
    if item.kind == "multiple":
        return _several(surveys, key, item, text)
    return _one(surveys, key, item, text)


def _one(surveys: Surveys, key: str, item: Item, text: str) -> Answer | Unread:
    value = surveys.forms[key].get(fold(text))
    if value is not None:
        return Answer(value)
    number = _number(surveys, text, item)
    if number is None:
        return Unread.UNCLEAR
    return _by_number(item, number)


def _by_number(item: Item, number: float) -> Answer | Unread:
    if item.kind == "number":
        return Answer(str(round(number))) if item.low <= number <= item.high else Unread.OUT_OF_RANGE
    if number != int(number):
        return Unread.OUT_OF_RANGE
    if item.kind in ("scale5", "scale11"):
        return Answer(str(int(number))) if str(int(number)) in item.values else Unread.OUT_OF_RANGE
    return Answer(item.values[int(number) - 1]) if 1 <= number <= len(item.values) else Unread.OUT_OF_RANGE


def _number(surveys: Surveys, text: str, item: Item) -> float | None:
    """The one number in a short text; "8 van 10" and "8/10" are 8 where 10 is the end of the scale."""
    plain = western_digits(clean(text)).replace("٫", ".").strip()
    if "?" in plain or "؟" in plain or len(plain.split()) > MAX_WORDS:
        return None
    found = [float(match.replace(",", ".")) for match in _NUMBER.findall(plain)]
    if len(found) == 2 and item.values and str(int(found[1])) == item.values[-1]:
        found.pop()
    if not found and fold(plain) in surveys.numbers:
        return float(surveys.numbers[fold(plain)])
    return found[0] if len(found) == 1 else None


def _several(surveys: Surveys, key: str, item: Item, text: str) -> Answer | Unread:
    """Several numbers or labels in one message: "1, 3 en 4"."""
    whole = _one(surveys, key, item, text)
    if isinstance(whole, Answer):
        return whole
    plain = western_digits(clean(text)).strip()
    parts = [part.strip(" .") for part in _BETWEEN.split(plain) if part.strip(" .")]
    if len(parts) < 2 and re.fullmatch(r"[\d\s.]+", plain):
        parts = plain.replace(".", " ").split()
    if len(parts) < 2:
        return whole
    answers = [_one(surveys, key, item, part) for part in parts]
    for unread in answers:
        if isinstance(unread, Unread):
            return unread
    chosen = {answer.value for answer in answers if isinstance(answer, Answer)}
    return Answer(join(item, chosen))


def join(item: Item, chosen: set[str]) -> str:
    """Options as they are kept. The one that excludes all others stands alone only when it is the only one."""
    if len(chosen) > 1:
        chosen = chosen - {item.alone}
    return ";".join(option for option in item.options if option in chosen)


def toggle(item: Item, before: str, option: str) -> str:
    """One option more or less. The one that excludes all others takes them away."""
    chosen = set(filter(None, before.split(";")))
    if option in chosen:
        return join(item, chosen - {option})
    return option if option == item.alone else join(item, chosen | {option})
