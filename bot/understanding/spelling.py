"""Typing faults in Dutch and English: a word that nobody knows becomes the known word that is one slip away. Pure.

Known are the words of the examples and the answers. A slip is a letter too many, too few, wrong, or two turned round
(Damerau 1964: four in five typing faults are one of these). Found by deleting one letter on both sides (Garbe 2012).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.understanding.normalise import one_form

_SHORTEST = 5  # letters: a shorter word is one slip away from too many others, unless two letters are turned round
_LONG = 8  # letters from which any wrong letter is believed; in shorter words only a vowel for a vowel
_OFTEN = 3  # how often a word must stand in the texts to be what somebody meant
_VOWELS = frozenset("aeiouy")
_END = re.compile(r"[?!.,;:]*$")


@dataclass(frozen=True)
class Spelling:
    """`known`: words and how often they stand in the texts. `near`: words with one letter deleted, and the words."""

    known: Mapping[str, int] = field(default_factory=dict)
    near: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, known: Mapping[str, int]) -> Spelling:
        """Learn from the counted words of texts that are mostly written right."""
        near = defaultdict(list)
        for word, count in known.items():
            if count >= _OFTEN and _is_plain(word):
                for key in _deleted(word):
                    near[key].append(word)
        return cls(known, {key: tuple(found) for key, found in near.items()})

    def mend(self, text: str) -> str:
        """The text with the words that nobody knows replaced; as it was where there are none."""
        return " ".join(self._meant(written) for written in text.split())

    def _meant(self, written: str) -> str:
        word = one_form(written)
        if word in self.known or not _is_plain(word):
            return written
        found = {known for key in _deleted(word) for known in self.near.get(key, ()) if _one_slip(word, known)}
        if not found:
            return written
        ending: str = _END.findall(written)[0]
        return max(found, key=lambda known: (self.known[known], known)) + ending


def _is_plain(word: str) -> bool:
    return len(word) >= _SHORTEST - 1 and word.isascii() and word.isalpha()


def _deleted(word: str) -> Iterator[str]:
    yield word
    yield from (word[:at] + word[at + 1 :] for at in range(1, len(word)))  # the first letter is seldom wrong


def _one_slip(one: str, other: str) -> bool:
    """Whether two words that are the same with a letter deleted on one or both sides are one slip apart."""
    if len(one) != len(other):
        return abs(len(one) - len(other)) == 1 and min(len(one), len(other)) >= _SHORTEST - 1 and len(one) >= _SHORTEST
    differ = [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(differ) == 2:
        first, second = differ
        return second == first + 1 and (one[first], one[second]) == (other[second], other[first])
    vowels = len(differ) == 1 and {one[differ[0]], other[differ[0]]} <= _VOWELS
    return len(differ) == 1 and len(one) >= (_SHORTEST if vowels else _LONG)
