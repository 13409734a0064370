"""How hard a text is to read, by published measures that need no word lists. Pure.

Dutch: Flesch-Douma, 206.84 - 0.93 x words a sentence - 77 x syllables a word (W.H. Douma, "De leesbaarheid van
landbouwbladen", Wageningen 1960). 60-70 is normal, 70-80 fairly easy.
English: Flesch reading ease, 206.835 - 1.015 x words a sentence - 84.6 x syllables a word (R. Flesch, "A new
readability yardstick", 1948), and the Flesch-Kincaid grade of the same two (Kincaid and others, 1975).
Arabic: written without vowels, so syllables can't be counted. Words a sentence plus the percentage of long words, the
form of LIX (C.H. Björnsson, "Läsbarhet", 1968; lower is easier). A long word has more than five letters, the "hard
word" of OSMAN (El-Haj and Rayson, LREC 2016); the article and what is written to it don't count. Length of words and
sentences is also what AARI found to carry the level of Arabic school texts (Al-Tamimi and others, 2014).

A term that must be used, a name and a number count as words of their sentence, but not as hard words.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

LONG = {"nl": 6, "en": 6, "ar": 5}  # letters; a word with more is long (LIX; OSMAN for Arabic)
HIGHER_IS_EASIER = {"nl": True, "en": True, "ar": False}
_LIST_MARK = re.compile(r"^[-–•]\s+")
_SENTENCE_END = re.compile(r"(?<=[.!?؟…])[\"”»)]*\s+")
_LETTERS = r"(?:[^\W_][\u0300-\u036f\u0640\u064b-\u0652\u0670]*)+"  # with the signs written over and under them
_WORD = re.compile(rf"{_LETTERS}(?:[-'’./]{_LETTERS})*")
_ARABIC = re.compile("[\u0621-\u064a]")
_MARKS = re.compile("[\u0640\u064b-\u0652\u0670]")  # vowel signs and the stretching line
_ARTICLE = re.compile(r"^[وف]?(?:[بك]?ال|لل)(?=\w{3})")  # "the", with "and", "in", "to" written to it
_VOWELS = {
    "nl": re.compile(r"aai|ooi|oei|eeu|ieu|aa|ee|oo|uu|ie|oe|eu|ui|[eë]i|ij|au|ou|[aeiouyáéíóúàèìòùäëïöüâêîôû]"),
    "en": re.compile(r"[aeiouyáéíóúàèìòùäëïöüâêîôû]+"),
}
_SILENT = re.compile(r"(?:[^aeiouyl]|[aeiouy]l)e$|[^aeiouytd]ed$|[^aeiouysxzcg]es$")
_TWO_BEATS = re.compile(
    r"(?<![ctg])ia(?!ge)|uie|(?<![tn])(?<!nc)ie[nt](?=[tc]|$|y)|e[ao]$|eum|iod|(?<![ctgx])iou|[^aeiou]ying"
)
_ODD = {"people": 2, "every": 2, "everyone": 3, "something": 2, "sometimes": 2}


@dataclass(frozen=True)
class Measure:
    """What a text measures. `score` is the measure of its language; see the module."""

    language: str
    words: int
    words_per_sentence: float
    longest: str  # the longest sentence
    longest_words: int
    syllables_per_word: float  # 0 for Arabic
    long_percent: float
    score: float

    @property
    def grade(self) -> float:
        """Flesch-Kincaid: the American school year that reads this. Meant for English."""
        return 0.39 * self.words_per_sentence + 11.8 * self.syllables_per_word - 15.59


def sentences(text: str) -> list[str]:
    """The sentences of a text. A line of a list is one, and so is what stands before a list."""
    lines = (_LIST_MARK.sub("", line.strip()) for line in text.split("\n"))
    return [part for line in lines for part in _SENTENCE_END.split(line) if _WORD.search(part)]


@lru_cache(maxsize=20_000)
def syllables(word: str, language: str) -> int:
    """The syllables of a word, by its vowels; at least one."""
    word = word.casefold()
    if language == "en" and word in _ODD:
        return _ODD[word]
    count = len(_VOWELS[language].findall(word))
    if language == "en":
        count += len(_TWO_BEATS.findall(word)) - bool(_SILENT.search(word) and count > 1)
    return max(1, count)


def measure(text: str, language: str, terms: AbstractSet[str] = frozenset()) -> Measure:
    """Measure a text. `terms` are words in lower case that must be used. Raises ValueError for a text without words."""
    found = [(sentence, _WORD.findall(sentence)) for sentence in sentences(text)]
    if not found:
        raise ValueError("a text without words")
    counted = [word for _, words in found for word in _counted(words, language, terms)]
    total = sum(len(words) for _, words in found)
    longest, its_words = max(found, key=lambda item: len(item[1]))
    average = total / len(found)
    long = sum(_letters(word, language) > LONG[language] for word in counted)
    percent = 100 * long / total
    beats = 0.0
    if language != "ar" and counted:
        beats = sum(syllables(word, language) for word in counted) / len(counted)
    return Measure(
        language=language,
        words=total,
        words_per_sentence=average,
        longest=longest,
        longest_words=len(its_words),
        syllables_per_word=beats,
        long_percent=percent,
        score=_score(language, average, beats, percent),
    )


def hardest(text: str, language: str, terms: AbstractSet[str], most: int = 4) -> list[str]:
    """The words that weigh most in the score, to look at first."""
    words = {word for sentence in sentences(text) for word in _counted(_WORD.findall(sentence), language, terms)}
    weight = _letters if language == "ar" else syllables
    return sorted(words, key=lambda word: (-weight(word, language), word))[:most]


def _score(language: str, words: float, beats: float, long_percent: float) -> float:
    if language == "nl":
        return 206.84 - 0.93 * words - 77 * beats
    return 206.835 - 1.015 * words - 84.6 * beats if language == "en" else words + long_percent


def _counted(words: list[str], language: str, terms: AbstractSet[str]) -> list[str]:
    """The words of a sentence that say how hard it is: no terms, no names, no numbers, no foreign letters."""
    if language == "ar":
        return [word for word in words if _ARABIC.search(word)]
    plain = (word for place, word in enumerate(words) if place == 0 or not any(map(str.isupper, word)))
    return [word for word in plain if word.casefold() not in terms and not any(map(str.isdigit, word))]


def _letters(word: str, language: str) -> int:
    return len(_ARTICLE.sub("", _MARKS.sub("", word)) if language == "ar" else word)
