"""One-time codes in letters: made, written, and found in what people type. Pure.

The letters are those of Open Location Code: no 0, O, 1, I or L to mix up, and no vowels that would make words of it.
Eleven are drawn at random (47 bits), the twelfth is a check by Luhn's rule mod N, so a slip of the finger is seen
without asking the database.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum

from bot.locales import western_digits

ALPHABET = "23456789CFGHJMPQRVWX"
LENGTH = 12
GROUP = 4
UNREADABLE = "?"  # stands for a code that was meant as one and can't be one
_BETWEEN = r"[\s\-–—._·]{0,3}"
_LETTERS = rf"(?:[{ALPHABET}]{_BETWEEN}){{{LENGTH - 1}}}[{ALPHABET}]"
_CODE = re.compile(rf"(?<![A-Z0-9])(?=({_LETTERS})(?![A-Z0-9]))", re.IGNORECASE)  # ahead: one may start in another
# A whole message of about that length, without vowels but for the O and I that are no zero and no one.
_NEARLY = re.compile(r"[B-DF-HIJ-NOP-TV-Z0-9]{11,13}", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s\-–—._·]+")
_ASKS = ("?", "؟")


class LinkState(StrEnum):
    """What a code is worth at this moment."""

    VALID = "valid"
    WRONG = "wrong"
    EXPIRED = "expired"  # past its day, or a newer letter took its place
    USED = "used"
    MINE = "mine"  # this person used it: nothing to do
    OTHER = "other"  # the account is somebody else's already
    ENOUGH = "enough"  # too many wrong ones lately


@dataclass(frozen=True)
class LinkFacts:
    """A code that somebody sent, as the database knows it, and whom it would link to.

    `week`: when the klantregisseur answers, as weekday (Monday is 0), start and end in Dutch time.
    """

    state: LinkState
    counts: bool = False  # a wrong try that counts
    joins: bool = False  # the person has another chat, which becomes one with this
    welcomed: bool = False
    name: str = ""  # of the klantregisseur
    week: tuple[tuple[int, time, time], ...] = ()
    phase: str = ""  # there is something to tell about, and it wasn't told


@dataclass(frozen=True)
class Found:
    """A code in a text, or UNREADABLE, and the words beside it."""

    code: str
    rest: str = field(default="", repr=False)

    @property
    def asks(self) -> bool:
        """Whether the words beside the code are a question."""
        return any(mark in self.rest for mark in _ASKS)


def new_code() -> str:
    """A code that nobody can guess, with two letters and two digits at least: no telephone number looks like it."""
    while True:
        drawn = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
        code = drawn + _check(drawn)
        if _is_mixed(code):
            return code


def written(code: str) -> str:
    """As it stands in a letter: "X7GH-92QM-CR4V"."""
    return "-".join(code[at : at + GROUP] for at in range(0, LENGTH, GROUP))


def is_code(code: str) -> bool:
    """Whether a code may be one of ours."""
    return len(code) == LENGTH and set(code) <= set(ALPHABET) and _is_mixed(code) and _check(code[:-1]) == code[-1]


def find(text: str) -> Found | None:
    """The code in a text: with spaces or hyphens, in small letters, with digits of any script. None where none is.

    Something that was meant as a code and has a slip in it is found too, as UNREADABLE.
    """
    plain = western_digits(text)
    matches = [(match.start(1), match.end(1), _bare(match[1])) for match in _CODE.finditer(plain)]
    found = next((match for match in matches if is_code(match[2])), None)
    if found is None:
        slip = next((match for match in matches if _is_mixed(match[2])), None)
        if slip is not None:
            found = (*slip[:2], UNREADABLE)
        elif _NEARLY.fullmatch(_bare(plain)) and _is_mixed(_bare(plain)):
            return Found(UNREADABLE)
    if found is None:
        return None
    starts, ends, code = found
    return Found(code, f"{text[:starts].rstrip(' :')} {text[ends:]}".strip())


def _bare(text: str) -> str:
    return _SEPARATORS.sub("", text).upper()


def _is_mixed(code: str) -> bool:
    digits = sum(char.isdigit() for char in code)
    return digits > 1 and len(code) - digits > 1


def _check(drawn: str) -> str:
    """The last letter: Luhn's rule mod N (ISO/IEC 7812-1 annex B, for any alphabet of even length)."""
    total = 0
    for place, char in enumerate(reversed(drawn)):
        value = ALPHABET.index(char) * (2 - place % 2)
        total += value // len(ALPHABET) + value % len(ALPHABET)
    return ALPHABET[-total % len(ALPHABET)]
