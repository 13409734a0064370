"""The words of `lexicon.yaml`: terms in every spelling, dialect words, whole messages of small talk.

Terms are found by their list of spellings, and by their consonants: a word in Arabic letters or with a typing fault
that has the same skeleton becomes the term.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.understanding.normalise import one_form, words
from bot.understanding.skeleton import is_arabic, skeleton
from bot.yaml_files import read_yaml

_LONGEST = 4  # words of a term
_CLEAR_BONES = 4  # a shorter skeleton fits too many words
_END = re.compile(r"[?!.,;:؟،؛]*$")
_PREFIXES = ("وبال", "وعال", "بال", "عال", "لل", "وال", "فال", "كال", "ال", "ول", "وب", "ل", "ب", "و", "ع", "ف")


@dataclass(frozen=True)
class Lexicon:
    """`terms`: spelling (folded) to term. `bones`: skeleton to term. `dialects`: folded word to the common word.

    `latin`: an Arabic word in Latin letters to the word. `smalltalk`: a whole message to its kind.
    """

    terms: Mapping[str, str] = field(default_factory=dict)
    bones: Mapping[str, str] = field(default_factory=dict)
    dialects: Mapping[str, str] = field(default_factory=dict)
    latin: Mapping[str, str] = field(default_factory=dict)
    smalltalk: Mapping[str, str] = field(default_factory=dict)

    def rewrite(self, text: str, *, dialects: bool = False) -> str:
        """The text with terms, and if asked dialect words, replaced; the rest as it was written."""
        written = text.split()
        folded = [one_form(word) for word in written]
        done: list[str] = []
        at = 0
        while at < len(written):
            length, instead = self._longest(folded[at : at + _LONGEST], self.dialects if dialects else {})
            at += length
            done.append(instead + _END.findall(written[at - 1])[0] if instead else written[at - length])
        return " ".join(done)

    def _longest(self, folded: list[str], dialects: Mapping[str, str]) -> tuple[int, str]:
        for length in range(len(folded), 0, -1):
            phrase = " ".join(folded[:length])
            found = self._term(phrase) or dialects.get(phrase) or self._by_bones(phrase)
            if found:
                return length, found
        return 1, ""

    def _term(self, phrase: str) -> str:
        return next((self.terms[bare] for bare in _bare(phrase) if bare in self.terms), "")

    def _by_bones(self, phrase: str) -> str:
        if phrase.isdigit() or len(phrase) < _CLEAR_BONES:
            return ""
        for bare in _bare(phrase):
            bone = _bone(bare)
            if len(bone) >= _CLEAR_BONES and bone in self.bones and (is_arabic(bare) or _alike(bare, self.bones[bone])):
                return self.bones[bone]
        return ""


@lru_cache(maxsize=20_000)
def _bone(phrase: str) -> str:
    return "".join(map(skeleton, phrase.split()))


@lru_cache(maxsize=20_000)
def _bare(phrase: str) -> tuple[str, ...]:
    """The phrase, and in Arabic the phrase without the article and the short words that are written onto it."""
    if not is_arabic(phrase):
        return (phrase,)
    cut = (phrase.removeprefix(prefix) for prefix in _PREFIXES if phrase.startswith(prefix))
    return tuple(dict.fromkeys([phrase, *(rest for rest in cut if len(rest) > 1)]))


def _alike(word: str, term: str) -> bool:
    """In Latin letters the same consonants are not enough: the word must also start the same and be about as long."""
    bare = "".join(words(term))
    word = word.replace(" ", "")
    return word[:1] == bare[:1] and abs(len(word) - len(bare)) <= len(bare) // 4


def read_lexicon(content_dir: Path) -> Lexicon:
    """The lexicon of a content folder; an empty one where there is none."""
    data = read_yaml(content_dir / "lexicon.yaml", content_dir).data
    data = data if isinstance(data, dict) else {}
    terms: dict[str, str] = {}
    bones: dict[str, str] = {}
    for term, spellings in _section(data, "terms").items():
        for spelling in (str(term), *_flat(spellings)):
            folded = " ".join(words(spelling))
            terms.setdefault(folded, str(term))
            bone = _bone(folded)
            if len(bone) >= _CLEAR_BONES:
                bones.setdefault(bone, str(term))
    smalltalk = {
        " ".join(words(phrase)): str(kind)
        for kind, phrases in _section(data, "smalltalk").items()
        for phrase in _flat(phrases)
    }
    return Lexicon(terms, bones, _by_spelling(data, "dialects"), _by_spelling(data, "latin"), smalltalk)


def _by_spelling(data: dict[Any, Any], name: str) -> dict[str, str]:
    """Spelling to common word, of a section that has one list a common word for each language."""
    return {
        " ".join(words(spelling)): str(common)
        for by_common in _section(data, name).values()
        for common, spellings in (by_common.items() if isinstance(by_common, dict) else ())
        for spelling in _flat(spellings)
    }


def _section(data: dict[Any, Any], name: str) -> dict[Any, Any]:
    section = data.get(name)
    return section if isinstance(section, dict) else {}


def _flat(listed: Any) -> Iterable[str]:
    if isinstance(listed, list):
        for item in listed:
            yield from _flat(item)
    elif listed is not None:
        yield str(listed)
