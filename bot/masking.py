"""Numbers that nobody should send in a chat, taken out of a text before it is kept. Pure.

What is recognised, and by what: a BSN by its 11-test and an IBAN by its check digits (library `python-stdnum`),
documents by the shape of Dutch and common foreign passports and permits, telephone numbers by `phonenumbers`, e-mail
addresses and dates by their shape. Digits may be of any script. A few harmless numbers are masked with them: that costs
less than one BSN that stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers
from stdnum import iban
from stdnum.nl import bsn

from bot.locales import western_digits

MASK = "•••"
Place = tuple[int, int]  # start and end in a text


class Secret(StrEnum):
    """A kind of number that is masked."""

    BSN = "bsn"
    IBAN = "iban"
    DOCUMENT = "document"
    PHONE = "phone"
    EMAIL = "email"
    DATE = "date"


AT_THE_DOOR = frozenset({Secret.BSN, Secret.IBAN, Secret.DOCUMENT})  # never kept, wherever it is written
EVERYTHING = frozenset(Secret)  # for texts that are read by people who must not know who wrote them


@dataclass(frozen=True)
class Masked:
    """A text without its secrets, and which kinds it had."""

    text: str
    found: frozenset[Secret]


_DIGIT = re.compile("[0-9]")
_DIGITS = re.compile(r"(?<![\w])\d(?:[ .\-]?\d){8}(?![\w])")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ .\-]?[A-Za-z0-9]){10,30}")
_DUTCH_DOCUMENT = re.compile(r"(?<![A-Za-z0-9])[A-NP-Za-np-z]{2}[A-NP-Za-np-z0-9]{6}\d(?![A-Za-z0-9])")
_FOREIGN_DOCUMENT = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z]{1,2} ?|[a-z]{1,2})\d{7,9}(?![A-Za-z0-9])")
# A V-number, with a few words between its name and its digits ("V-nummer is"); telephone numbers begin with a zero.
_V_NUMBER = re.compile(
    r"(?<![A-Za-z])[Vv](?:[ -]?(?:nummer|number|nr|no))?[^\d\n]{0,14}?([1-9]\d{2}[ .\-]?\d{3}[ .\-]?\d{4})(?!\d)"
)
_EMAIL = re.compile(r"[\w.+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,5}")
_DATE = re.compile(
    r"(?<!\d)(?:\d{1,2}[ ./\-]\d{1,2}[ ./\-](?:19|20)\d{2}|(?:19|20)\d{2}[./\-]\d{1,2}[./\-]\d{1,2})(?!\d)"
)
_MIN_DIGITS_IN_DOCUMENT = 3


def mask(text: str, kinds: frozenset[Secret] = AT_THE_DOOR) -> Masked:
    """The text with every secret of these kinds replaced by `MASK`."""
    plain = western_digits(text)  # the same length: places fit
    if not kinds & {Secret.EMAIL} and not _DIGIT.search(plain):  # most messages, and each is looked at
        return Masked(text, frozenset())
    places = sorted((start, -end, kind) for kind, start, end in _find(plain, kinds))
    if not places:
        return Masked(text, frozenset())
    parts, at = [], 0
    for start, minus_end, _ in places:
        if start >= at:
            parts += [text[at:start], MASK]
            at = -minus_end
    return Masked("".join([*parts, text[at:]]), frozenset(kind for *_, kind in places))


def _find(text: str, kinds: frozenset[Secret]) -> Iterator[tuple[Secret, int, int]]:
    for kind, places in _FINDERS.items():
        if kind in kinds:
            for start, end in places(text):
                yield kind, start, end


def _bsns(text: str) -> Iterator[Place]:
    return (m.span() for m in _DIGITS.finditer(text) if bsn.is_valid(re.sub(r"\D", "", m[0])))


def _phones(text: str) -> Iterator[Place]:
    found = phonenumbers.PhoneNumberMatcher(text, "NL", leniency=phonenumbers.Leniency.POSSIBLE)
    return ((match.start, match.end) for match in found)


def _ibans(text: str) -> Iterator[Place]:
    """The pattern takes words that follow along, so the end is looked for: the longest piece that is an IBAN."""
    for match in _IBAN.finditer(text):
        for end in range(len(match[0]), 14, -1):
            if iban.is_valid(match[0][:end]):
                yield match.start(), match.start() + end
                break


def _documents(text: str) -> Iterator[Place]:
    for match in _V_NUMBER.finditer(text):
        yield match.span(1)
    for pattern in (_DUTCH_DOCUMENT, _FOREIGN_DOCUMENT):
        for match in pattern.finditer(text):
            if sum(char.isdigit() for char in match[0]) >= _MIN_DIGITS_IN_DOCUMENT:
                yield match.span()


_FINDERS: dict[Secret, Callable[[str], Iterator[Place]]] = {
    Secret.BSN: _bsns,
    Secret.IBAN: _ibans,
    Secret.DOCUMENT: _documents,
    Secret.PHONE: _phones,
    Secret.EMAIL: lambda text: (match.span() for match in _EMAIL.finditer(text)),
    Secret.DATE: lambda text: (match.span() for match in _DATE.finditer(text)),
}
