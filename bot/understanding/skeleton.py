"""The consonants of a word, the same in Arabic and in Latin letters. Pure.

"إنبورخرينغ", "inburgering" and "enborxering" have one skeleton, and so have "موعد" and "maw3ed". People who write
Arabic in Latin letters leave out vowels or write them each in their own way, but agree on most consonants; Dutch
words heard and written in Arabic letters keep theirs. So counting skeletons matches across scripts without a
dictionary.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SIGNS = (
    ("b", "بپbp"),
    ("t", "تطثt6"),
    ("j", "جj"),
    ("c", "شچ"),
    ("h", "حهh7"),
    ("x", "خغگgx58"),  # the Dutch g is heard as خ or غ
    ("d", "دضd"),
    ("z", "ذزظz"),
    ("r", "رr"),
    ("s", "سصs"),
    ("3", "ع3"),
    ("f", "فڤfv"),
    ("k", "قكکkqc9"),
    ("l", "لl"),
    ("m", "مm"),
    ("n", "نn"),
    ("", "اوييىئؤءةآأإیwy2aeiou"),
)
_CONSONANT = {letter: sign for sign, letters in _SIGNS for letter in letters}
_DIGRAPHS = (("sch", "sx"), ("ch", "C"), ("sh", "C"), ("kh", "x"), ("gh", "x"), ("th", "t"), ("dh", "d"), ("ck", "k"))
_LATIN = re.compile("[a-z]")
_ARABIC = re.compile("[\u0620-\u06ff]")
_DOUBLE = re.compile(r"(.)\1+")


def is_arabic(word: str) -> bool:
    """Whether a word has Arabic letters."""
    return bool(_ARABIC.search(word))


@lru_cache(maxsize=20_000)
def skeleton(word: str) -> str:
    """The consonants of a folded word; signs of other scripts stay as they are."""
    if _LATIN.search(word):
        for letters, sign in _DIGRAPHS:
            word = word.replace(letters, sign)
        signs = "".join("c" if letter == "C" else _CONSONANT.get(letter, "") for letter in word)
    else:
        signs = "".join(_CONSONANT.get(letter, letter) for letter in word)
    signs = _DOUBLE.sub(r"\1", signs)
    return signs[:-1] if len(signs) > 1 and signs.endswith("h") else signs  # ة, ه and the h of "7ayah" come and go
