"""Text as these people type it, brought to one form. Pure.

Two forms: `readable` for the sentence encoders, which want words as they are usually written; `words` for counting,
where every spelling of a word should be the same string.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from bot.locales import clean, fold, western_digits

MAX_CHARACTERS = 2000  # a longer text is cut: the start and the end say what it is about, and time stays bounded
_ENOUGH = 20_000  # characters that are looked at, at all
_OVERLAP = 200  # characters that two pieces of a long text share, so that no phrase is cut in two
_LONG_WORD = 30
_SHOUT = 8  # capitals from which a text without small letters is shouted, and no abbreviation

_ARABIC_MARKS = re.compile("[\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0640]")  # diacritics and tatweel
_INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200d\u2060\ufe0e\ufe0f]")
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")  # "heeeelp", "مررررحبا"
_TAGS = re.compile(r"<[^<>]{1,200}>")
_LINKS = re.compile(r"(?:https?://|www\.)\S+")
# Persian, Urdu and Kurdish keyboards give other code points for letters that look the same to an Arabic reader.
_KEYBOARDS = str.maketrans({"ک": "ك", "ی": "ي", "ە": "ه", "ہ": "ه", "ھ": "ه", "ۀ": "ه", "ے": "ي", "ێ": "ي", "ۆ": "و"})


def shorten(text: str) -> str:
    """At most MAX_CHARACTERS: the start and the end of a longer text."""
    if len(text) <= MAX_CHARACTERS:
        return text
    half = MAX_CHARACTERS // 2
    return f"{text[:half]} {text[-half:]}"


def stretches(text: str) -> list[str]:
    """The whole of a long text in pieces that are not cut, each with the end of the one before it."""
    text = text[:_ENOUGH]
    step = MAX_CHARACTERS - _OVERLAP
    return [text[start : start + MAX_CHARACTERS] for start in range(0, max(len(text) - _OVERLAP, 1), step)]


def readable(text: str) -> str:
    """The text without marks, tags, links and invisible characters; western digits; lower case where all is shouted."""
    text = shorten(clean(text[:_ENOUGH])).encode("utf-8", "ignore").decode()  # a lone surrogate can't be encoded
    text = unicodedata.normalize("NFKC", text)
    text = _LINKS.sub(" ", _TAGS.sub(" ", _ARABIC_MARKS.sub("", _INVISIBLE.sub("", text))))
    text = _REPEATED.sub(r"\1\1", western_digits(text))
    text = " ".join(text.split())
    return text.lower() if _shouted(text) else text


def _shouted(text: str) -> bool:
    return text.isupper() and sum(letter.isupper() for letter in text) >= _SHOUT


@lru_cache(maxsize=20_000)
def one_form(word: str) -> str:
    """A word as `words` gives it. Remembered, because messages are made of the same words."""
    return " ".join(words(word))


def count(texts: Iterable[str]) -> Counter[str]:
    """How often each word stands in some texts."""
    return Counter(word for text in texts for word in words(text))


def words(text: str) -> list[str]:
    """The words in one spelling: folded, Arabic letters of every keyboard the same, long repeats and long words cut."""
    return list(_words(text))


@lru_cache(maxsize=32)
def _words(text: str) -> tuple[str, ...]:
    """Remembered for a moment: rules, counting and the lexicon look at the same message."""
    folded = fold(readable(text).translate(_KEYBOARDS)).translate(_KEYBOARDS)
    return tuple(word[:_LONG_WORD] for word in _REPEATED.sub(r"\1\1", folded).split())
