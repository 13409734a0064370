"""Arabic in Latin letters, turned to Arabic: "emta byefta7" becomes "امتى بيفتح". Pure.

Each word gets several candidates: words of the Arabic examples with the same consonants, ranked by how well the
vowels agree and how common they are. A word that nobody used before is turned letter by letter. Dutch and English
words stay.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import islice, product
from math import log

from bot.understanding.lexicon import Lexicon
from bot.understanding.normalise import words
from bot.understanding.skeleton import is_arabic, skeleton

_MOST = 16  # readings of one word that are tried
_CLEARLY_LATIN = 4  # letters from which a Dutch or English word that no Arabic example has is left alone
_COMMON, _CLEAR = 0.1, 0.15  # what a common word, and each consonant that is accounted for, add to the likeness
_GOOD = 0.5  # likeness from which a known word is believed
# Signs that stand for several letters, by region and habit. In a skeleton 2 is silent and g is a Dutch g.
_READINGS = {
    "2": ("2", "q"),
    "g": ("g", "j", "q"),
    "9": ("q", "s"),
    "th": ("th", "z"),
    "ch": ("ch", "k"),
    "8": ("8", "q"),
}
_SIGN = re.compile("th|ch|[2g98]")
_STARTS_WITH_VOWEL = re.compile("^[aeiou]")
# Longest first. Short vowels inside a word are not written.
_PAIR = re.compile(r"(\S+)=(\S*)")
_TABLE = dict(
    _PAIR.findall(
        "sch=سخ tch=تش sh=ش ch=ش kh=خ gh=غ th=ث dh=ذ ph=ف 3'=غ 7'=خ aa=ا ee=ي ii=ي oo=و ou=و uu=و ei=ي "
        "a= e= i=ي o=و u=و y=ي w=و 2=ء 3=ع 4=ذ 5=خ 6=ط 7=ح 8=غ 9=ق b=ب p=ب t=ت j=ج g=ج x=خ d=د r=ر z=ز "
        "s=س f=ف v=ف q=ق k=ك c=ك l=ل m=م n=ن h=ه"
    )
)
_UNIT = re.compile("|".join(_TABLE))
_SPOKEN_ARTICLES = dict(_PAIR.findall("el=ال al=ال il=ال bel=بال bil=بال lal=لل lil=لل fel=بال 3al=عال"))
_ARTICLES = {
    "el": "ال",
    "al": "ال",
    "il": "ال",
    "bel": "بال",
    "bil": "بال",
    "lal": "لل",
    "lil": "لل",
    "fel": "بال",
    "3al": "عال",
}
_ARTICLES = {article: article for article in _SPOKEN_ARTICLES.values()}  # written onto the next word


def letter_by_letter(word: str) -> str:
    """A word in Arabic letters as it sounds; short vowels inside a word are left out."""
    word = _UNIT.sub(lambda found: "\0" + found[0], word).lstrip("\0")
    units = word.split("\0")
    written = [_TABLE.get(unit, unit) for unit in units]
    if units[0] in ("a", "e", "i", "o", "u"):
        written[0] = "ا"
    if len(units) > 1 and units[-1] == "a":
        written[-1] = "ا"
    if len(units) > 1 and units[-1] in ("e", "é"):
        written[-1] = "ه"
    return "".join(written)


@dataclass(frozen=True)
class Transliterator:
    """`by_bone`: the Arabic words of a skeleton and how often they were seen. `latin`: words that are left alone.

    `known`: spellings that people agree on, from the lexicon.
    """

    by_bone: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    latin: frozenset[str] = frozenset()
    known: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        arabic: Mapping[str, int],
        in_latin: Mapping[str, int],
        dutch_english: Mapping[str, int],
        lexicon: Lexicon,
    ) -> Transliterator:
        """Learn from counted words: Arabic, Arabic in Latin letters, and languages whose words must stay."""
        by_bone: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for word, count in arabic.items():
            if is_arabic(word):
                by_bone[skeleton(word)].append((word, count))
        more, less = max(1, sum(in_latin.values())), max(1, sum(dutch_english.values()))
        latin = {
            word
            for word, count in dutch_english.items()
            if count / less > in_latin.get(word, 0) / more and (word in in_latin or len(word) >= _CLEARLY_LATIN)
        }
        latin.update(word for term in lexicon.terms.values() for word in words(term) if not is_arabic(word))
        return cls({bone: tuple(found) for bone, found in by_bone.items()}, frozenset(latin), lexicon.latin)

    def to_arabic(self, text: str) -> str:
        """The whole text; words that are not Arabic stay."""
        turned: list[str] = []
        for word in words(text):
            best = self.candidates(word)[0]
            article = turned.pop() if turned and turned[-1] in _ARTICLES and is_arabic(best) else ""
            turned.append(_ARTICLES.get(article, "") + best)
        return " ".join(turned)

    def candidates(self, word: str) -> tuple[str, ...]:
        """Readings of one word, likeliest first; the word itself where it is no Arabic."""
        return self._remembered(word)

    @cached_property
    def _remembered(self) -> Callable[[str], tuple[str, ...]]:
        return lru_cache(maxsize=5_000)(self._candidates)

    def _candidates(self, word: str) -> tuple[str, ...]:
        if word in _SPOKEN_ARTICLES or word in self.known:
            return (_SPOKEN_ARTICLES.get(word) or self.known[word],)
        if word in self.latin or word.isdigit() or is_arabic(word):
            return (word,)
        plain = letter_by_letter(word)
        found: dict[str, float] = {}
        for reading in _readings(word):
            sounds = letter_by_letter(reading)
            bone = skeleton(reading)
            for known, count in self.by_bone.get(bone, ()):
                alike = _likeness(sounds, known)
                if alike >= _GOOD:
                    rank = alike + _COMMON * log(count) + _CLEAR * len(bone)
                    found[known] = max(found.get(known, 0.0), rank)
        ranked = sorted(found, key=lambda known: -found[known])
        return (*ranked[:5], plain)


def _readings(word: str) -> Iterable[str]:
    """The word with each sign that can be several letters as each of them; a first vowel may hide an ع."""
    parts = _SIGN.split(word)
    choices = [_READINGS[sign] for sign in _SIGN.findall(word)]
    variants = (
        "".join(part + sign for part, sign in zip(parts, (*chosen, ""), strict=True)) for chosen in product(*choices)
    )
    for variant in islice(variants, _MOST):
        yield variant
        if _STARTS_WITH_VOWEL.match(variant):
            yield "3" + variant


def _likeness(sounds: str, known: str) -> float:
    """1 for the same letters; long vowels that one side leaves out cost little."""
    previous = [0.0]
    for letter in known:
        previous.append(previous[-1] + _cost(letter))
    for sound in sounds:
        current = [previous[0] + _cost(sound)]
        for at, letter in enumerate(known, 1):
            swap = 0.0 if sound == letter else 0.3 if skeleton(sound) == skeleton(letter) else 1.0
            current.append(min(previous[at] + _cost(sound), current[at - 1] + _cost(letter), previous[at - 1] + swap))
        previous = current
    return 1 - previous[-1] / max(len(sounds), len(known), 1)


def _cost(letter: str) -> float:
    return 0.4 if letter in "اويىءئؤه" else 1.0
