"""Passwords: argon2id, and the rules for a new one (OWASP ASVS 5.0, chapter 6.2). Pure.

At least twelve characters of any kind, no rules on composition, no end date. What many people choose is refused by
its shape: a list of known passwords holds hardly any of twelve characters that these rules let through.
"""

from __future__ import annotations

import itertools
import re
import secrets
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH, MAX_LENGTH = 12, 128
MIN_DIFFERENT = 5  # letters: "aaaaaaaaaaaa" and "121212121212" are long, too
MIN_OWN = 5  # what must be left when common words, rows of keys and counting are taken out
# 19 MiB, two passes, one lane: the parameters that OWASP's Password Storage Cheat Sheet names for argon2id.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_COMMON = """
password passwort wachtwoord welkom welcome geheim secret letmein iloveyou ikhouvanjou admin administrator login
nijmegen wegwijs inburgering gemeente klantregisseur regisseur monkey dragon sunshine princess football voetbal
master superman batman shadow michael whatever trustno hello hallo lente zomer herfst winter januari februari
maart april juni juli augustus september oktober november december maandag dinsdag woensdag donderdag vrijdag
zaterdag zondag feyenoord ajax changeme default test demo correcthorsebatterystaple
manchester united liverpool barcelona chelsea arsenal minecraft pokemon starwars jesus christ mynameis unbelievable
chocolate computer internet
"""
_ROWS = (  # along the keyboard: across, down, to and fro; and the alphabet, alone and counted
    *("qwertyuiop", "asdfghjkl", "zxcvbnm", "azerty", "qwertz", "qweasdzxc", "qwaszx"),
    *("1qaz2wsx3edc4rfv", "zaq12wsxcde34rfv", "qazwsxedcrfvtgbyhnujm", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0"),
    *("abcdefghijklmnopqrstuvwxyz", "a1b2c3d4e5f6g7h8", "1a2b3c4d5e6f7g8h"),
)
_LEET = str.maketrans("013457@$!", "oieastasi")  # p@ssw0rd


def normal(password: str) -> str:
    """The same characters typed on another keyboard are the same password (NIST SP 800-63B 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def fault(password: str, *of_the_person: str) -> str:
    """Why a new password can't be taken: too_short, too_long, too_simple; empty when it can.

    `of_the_person`: the login and the name, which may not make up the password.
    """
    words = normal(password)
    if len(words) < MIN_LENGTH:
        return "too_short"
    if len(words) > MAX_LENGTH:
        return "too_long"
    if len(set(words.lower())) < MIN_DIFFERENT or len(_own(words, of_the_person)) < MIN_OWN:
        return "too_simple"
    return ""


def _own(words: str, of_the_person: tuple[str, ...]) -> str:
    """What is left of a password without what many choose: common words, own names, rows of keys, years, counting."""
    names = [part for text in of_the_person for part in re.split(r"[\W_]+", text.lower()) if len(part) > 2]
    common = sorted({*_COMMON.split(), *names, *_pieces()}, key=lambda word: (-len(word), word))
    plain = words.lower()
    return min((_without(common, spelled) for spelled in (plain, plain.translate(_LEET))), key=len)


def _without(common: list[str], left: str) -> str:
    for word in common:
        left = left.replace(word, "")
    left = re.sub(r"(19|20)\d\d", "", left)
    steps = itertools.pairwise(left)
    return left[:1] + "".join(after for before, after in steps if abs(ord(after) - ord(before)) > 1)


@cache
def _pieces() -> frozenset[str]:
    """Four neighbours on a row of keys and more, in both directions."""
    found = set()
    for row in _ROWS:
        for start in range(len(row) - 3):
            for end in range(start + 4, len(row) + 1):
                found |= {row[start:end], row[start:end][::-1]}
    return frozenset(found)


def one_time() -> str:
    """A password to hand over, for one login: 16 letters and digits in four groups, none that look alike (79 bits)."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def hash_of(password: str) -> str:
    """The argon2id hash to keep. Takes a core for some 50 ms, and 19 MiB: not on the event loop."""
    return _HASHER.hash(normal(password))


def is_right(kept: str | None, password: str) -> bool:
    """Whether a password belongs to a kept hash. Without one it takes as long, so that nobody learns who exists."""
    try:
        return _HASHER.verify(kept or _nobody(), normal(password)) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return _HASHER.hash(secrets.token_urlsafe(24))
