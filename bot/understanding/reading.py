"""A message in the forms that the matching needs: as written, and with every word in its common form. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from bot.understanding.arabizi import Transliterator
from bot.understanding.examples import Example
from bot.understanding.language import ARABIC_IN_LATIN, Guess, Languages, common_words
from bot.understanding.lexicon import Lexicon
from bot.understanding.normalise import count, readable, words
from bot.understanding.skeleton import is_arabic
from bot.understanding.spelling import Spelling

_ENDS = re.compile(r"(?<=[.!?؟;؛\n])\s+|\.{2,}")
_SPELLED = ("nl", "en")  # languages whose typing faults are mended
_SHORT = 3  # words: a shorter part belongs to the one before it


@dataclass(frozen=True)
class Reading:
    """`common`: dialect, Dutch terms and Arabic in Latin letters brought to one form. The encoders see this one."""

    text: str
    common: str
    guess: Guess
    in_arabic: str = ""  # Arabic in Latin letters, turned; dialect words as they are

    @cached_property
    def counted(self) -> str:
        """What the counting of words sees: both forms."""
        return self.text if self.common == self.text else f"{self.text} {self.common}"

    @property
    def views(self) -> tuple[str, ...]:
        """What the rules of danger look at."""
        return tuple(filter(None, (self.text, self.in_arabic, self.common)))


@dataclass(frozen=True)
class Reader:
    """Turns texts into readings."""

    lexicon: Lexicon
    languages: Languages
    transliterator: Transliterator
    spelling: Spelling = field(default_factory=Spelling)

    def read(self, text: str, hint: str) -> Reading:
        """Read a message; `hint` is the language that its sender chose."""
        text = readable(text)
        return self._read(text, self.languages.guess(text, hint))

    def read_example(self, example: Example) -> Reading:
        """Read an example, whose language is known."""
        text = readable(example.text)
        latin = example.language == "ar" and not is_arabic(text)
        return self._read(text, Guess(ARABIC_IN_LATIN if latin else example.language, 0.0))

    def _read(self, text: str, guess: Guess) -> Reading:
        mended = self.spelling.mend(text) if guess.name in _SPELLED else text
        common = self.lexicon.rewrite(mended)
        if guess.language != "ar":
            return Reading(text, common, guess)
        turned = self.transliterator.to_arabic(common) if guess.name == ARABIC_IN_LATIN else ""
        return Reading(text, self.lexicon.rewrite(turned or common, dialects=True), guess, turned)


@dataclass(frozen=True)
class Vocabulary:
    """How often each word stands in the examples. Counting takes seconds, so it is kept with the model."""

    arabic: Mapping[str, int]
    in_latin: Mapping[str, int]  # Arabic in Latin letters
    others: Mapping[str, int]  # Dutch and English

    @classmethod
    def of(cls, examples: Iterable[Example]) -> Vocabulary:
        """Count."""
        texts: dict[str, list[str]] = {"arabic": [], "in_latin": [], "others": []}
        for example in examples:
            if example.language == "ar":
                texts["arabic" if is_arabic(example.text) else "in_latin"].append(example.text)
            elif example.language in _SPELLED:
                texts["others"].append(example.text)
        return cls(**{name: count(found) for name, found in texts.items()})


def make_reader(lexicon: Lexicon, languages: Languages, vocabulary: Vocabulary) -> Reader:
    """A reader that knows the words of the examples."""
    transliterator = Transliterator.of(vocabulary.arabic, vocabulary.in_latin, vocabulary.others, lexicon)
    common = count([*lexicon.terms, *map(common_words, _SPELLED)])
    return Reader(lexicon, languages, transliterator, Spelling.of(common + Counter(vocabulary.others)))


def parts(text: str) -> list[str]:
    """The sentences of a message; a very short one stays with the one before it."""
    found: list[str] = []
    for part in _ENDS.split(text):
        if found and len(words(part)) < _SHORT:
            found[-1] = f"{found[-1]} {part}"
        elif part.strip():
            found.append(part.strip())
    return found
