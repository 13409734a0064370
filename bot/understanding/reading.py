"""A message in the forms that the matching needs: as written, and with every word in its common form. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from bot.understanding.arabizi import Transliterator
from bot.understanding.examples import Example
from bot.understanding.language import ARABIC_IN_LATIN, Guess, Languages, common_words
from bot.understanding.lexicon import Lexicon
from bot.understanding.normalise import readable, words
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


def make_reader(lexicon: Lexicon, languages: Languages, examples: tuple[Example, ...]) -> Reader:
    """A reader that knows the words of the examples."""
    arabic = [example.text for example in examples if example.language == "ar"]
    others = [example.text for example in examples if example.language in _SPELLED]
    transliterator = Transliterator.of(
        arabic=(text for text in arabic if is_arabic(text)),
        in_latin=(text for text in arabic if not is_arabic(text)),
        dutch_english=others,
        lexicon=lexicon,
    )
    spelling = Spelling.of([*others, *lexicon.terms, *map(common_words, _SPELLED)])
    return Reader(lexicon, languages, transliterator, spelling)


def parts(text: str) -> list[str]:
    """The sentences of a message; a very short one stays with the one before it."""
    found: list[str] = []
    for part in _ENDS.split(text):
        if found and len(words(part)) < _SHORT:
            found[-1] = f"{found[-1]} {part}"
        elif part.strip():
            found.append(part.strip())
    return found
