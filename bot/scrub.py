"""Personal data in an open answer: taken out before the answer is kept. Pure.

What can be recognised by its form or its check digits is replaced by what it was: telephone numbers, e-mail addresses,
links, BSN (11-test), IBAN, dates, and names after a word that announces one. It can't find every name:
`docs/privacy.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import phonenumbers
from babel import Locale
from stdnum import iban
from stdnum.nl import bsn

from bot.locales import LANGUAGES, clean, western_digits

PHONE, EMAIL, LINK, BSN, IBAN, DATE, NAME = "[phone]", "[email]", "[link]", "[bsn]", "[iban]", "[date]", "[name]"
_EMAIL = re.compile(r"[^\s@<>()\[\],;:]+\s?(?:@|\(at\)|\[at\])\s?[^\s@<>()\[\],;:]+\.[^\s@<>()\[\],;:.]{2,}")
_LINK = re.compile(r"(?:https?://|www\.)\S+|(?<![\w@])@\w{3,}")
_IBAN = re.compile(r"\b[A-Za-z]{2}\d{2}(?:[ .-]?[A-Za-z0-9]{2,4}){3,8}\b")
_DIGITS = re.compile(r"(?<![\w])\+?\d(?:[ ./()-]{0,2}\d){5,17}(?!\w)")
_NUMERIC_DATE = re.compile(r"(?<!\d)(?:\d{1,2}[-/. ]\d{1,2}[-/. ](?:\d{4}|\d{2})|\d{4}[-/.]\d{1,2}[-/.]\d{1,2})(?!\d)")
_BETWEEN = "(?:(?:van|de|der|den|ter|ten|el|al|bin|abu|abd|ben)[ -]+)*"
_CAPITAL = r"[A-ZÀ-Þ][\w'’-]*"
_FULL_NAME = rf"{_BETWEEN}{_CAPITAL}(?:\s+{_BETWEEN}{_CAPITAL}){{0,3}}"
_ANY_NAME = rf"(?:(?-i:{_FULL_NAME})|[^\W\d_][\w'’-]*)"
_MIN_NAME = 3


@dataclass(frozen=True)
class NameWords:
    """What tells of a name: `cues` ("ik heet") before any word, `titles` ("mevrouw") before one with a capital.

    `names`: people who work here, known to the service.
    """

    cues: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@cache
def _worded_date() -> re.Pattern[str]:
    """A date with the name of a month. Made for the first open answer, not at each start: it takes 40 ms."""
    names = {
        name.rstrip(".")
        for language in (*LANGUAGES, "ar_SY")
        for width in ("wide", "abbreviated")
        for name in Locale.parse(language).months["format"][width].values()
    }
    month, ordinal = "|".join(map(re.escape, sorted(names, key=len, reverse=True))), "(?:e|th|st|nd|rd)?"
    return re.compile(
        rf"(?<!\w)\d{{1,2}}{ordinal}\s+(?:of\s+)?(?:{month})\.?\s*,?\s*(?:\d{{4}})?(?!\w)"
        rf"|(?<!\w)(?:{month})\s+\d{{1,2}}{ordinal},?\s+\d{{4}}(?!\w)",
        re.IGNORECASE,
    )


def scrub(text: str, words: NameWords = NameWords()) -> str:  # frozen
    """The text without personal data."""
    text = western_digits(clean(text)).strip()
    text = _EMAIL.sub(EMAIL, text)
    text = _LINK.sub(LINK, text)
    text = _IBAN.sub(_iban, text)
    text = _NUMERIC_DATE.sub(DATE, text)
    text = _worded_date().sub(DATE, text)
    text = _DIGITS.sub(_long_number, text)
    for match in reversed(list(phonenumbers.PhoneNumberMatcher(text, "NL"))):
        text = text[: match.start] + PHONE + text[match.end :]
    text = _known_names(text, words.names)
    text = _after(text, words.cues, _ANY_NAME)
    return _after(text, words.titles, rf"(?-i:{_FULL_NAME})")


def _iban(match: re.Match[str]) -> str:
    """The longest beginning that is an IBAN; the words after it stay."""
    found = match[0]
    for end in range(len(found), 14, -1):
        if found[end - 1].isalnum() and iban.is_valid(re.sub(r"[ .-]", "", found[:end])):
            return IBAN + found[end:]
    return found


def _long_number(match: re.Match[str]) -> str:
    """A BSN by its 11-test; any other long number is taken for a telephone number, a client number or the like."""
    digits = re.sub(r"\D", "", match[0])
    if len(digits) in (8, 9) and bsn.is_valid(digits):
        return BSN
    return PHONE if len(digits) >= 7 else match[0]


def _known_names(text: str, names: Iterable[str]) -> str:
    """Names of klantregisseurs, whole or each part that is no common short word."""
    parts = {part for name in names for part in (name, *name.split()) if len(part) > _MIN_NAME}
    for part in sorted(parts, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", NAME, text, flags=re.IGNORECASE)
    return re.sub(rf"{re.escape(NAME)}(?:\s+{re.escape(NAME)})+", NAME, text)


def _after(text: str, cues: Sequence[str], name: str) -> str:
    if not cues:
        return text
    cue = "|".join(re.escape(word) for word in sorted(cues, key=len, reverse=True))
    return re.sub(rf"((?<!\w)(?:{cue})\.?\s+){name}", lambda match: match[1] + NAME, text, flags=re.IGNORECASE)
