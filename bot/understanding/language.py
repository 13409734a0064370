"""Which language is a short, mixed text written in? Pure.

Counts parts of words and compares with what each language uses. Learns from the word lists of `languages.yaml` and
from the examples of the content folder. Scripts that only some languages use narrow the choice first.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from bot.understanding.normalise import readable

UNKNOWN = "und"
ARABIC_IN_LATIN = "ar-latin"
_REPORTED = {ARABIC_IN_LATIN: "ar", "prs": "fa", "ckb": "ku", "ps": UNKNOWN}
_SCRIPTS = {
    "latin": (re.compile("[a-zà-öø-ÿāăąćčďđēęěğīįıłńňōőœřśşšťūůűźżžǧẍ]"), "nl en tr so fr es de pl pt ku ar-latin"),
    "arabic": (re.compile("[\u0620-\u06ff\u0750-\u077f]"), "ar fa ur ckb ps"),
    "ethiopic": (re.compile("[\u1200-\u137f]"), "ti am"),
    "cyrillic": (re.compile("[\u0400-\u04ff]"), "uk ru"),
    "other": (re.compile("[\u0590-\u05ff\u0700-\u074f\u0900-\u0fff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]"), ""),
}
NAMES = tuple(name for _, names in _SCRIPTS.values() for name in names.split())
_SIZES = (1, 2, 3, 4)
_FLOOR = 2e-5  # share of a piece that a language never showed
_MANY = 20_000  # pieces from which examples count as much as the word list
_HINT = 4.0  # the language that somebody chose counts like this much evidence (natural logarithm)
_A_WORD = 3  # pieces overlap: a word counts as about three of them
_MIXED = 0.35  # share of words in Arabic letters from which a mixed message is Arabic

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Guess:
    """A language by its name in the word lists (`ar-latin` is Arabic in Latin letters)."""

    name: str
    margin: float  # logarithm of how much likelier it is than the next

    @property
    def language(self) -> str:
        """As the rest of the program says it: ISO 639-1, or `und`."""
        return _REPORTED.get(self.name, self.name)


@dataclass(frozen=True)
class Languages:
    """Hashes of parts of words (sorted), and the logarithm of their share in each language of NAMES."""

    keys: NDArray[np.uint32]
    shares: NDArray[np.float16]

    @classmethod
    def learn(cls, texts: Iterable[tuple[str, str]]) -> Languages:
        """`texts`: language and text of examples; the word lists come on top."""
        listed = {
            name: Counter(key for word in text.split() for key in _pieces(word).tolist())
            for name, text in _word_lists().items()
        }
        seen: dict[str, Counter[int]] = defaultdict(Counter)
        for language, text in texts:
            name = ARABIC_IN_LATIN if language == "ar" and _script(text) == "latin" else language
            seen[{"prs": "fa"}.get(name, name)].update(key for word in _tokens(text) for key in _pieces(word).tolist())
        keys = np.array(sorted({key for counts in (listed, seen) for name in NAMES for key in counts[name]}), np.uint32)
        shares = np.stack([_shares(listed[name], seen[name], keys) for name in NAMES], axis=1)
        return cls(keys, shares.astype(np.float16))

    def guess(self, text: str, hint: str = "") -> Guess:
        """The likeliest language. `hint` is the language that the contact chose; it decides short and mixed texts."""
        script = _script(text)
        names = _SCRIPTS[script][1].split() if script else []
        if not names:
            return Guess(UNKNOWN, 0.0)
        pattern = _SCRIPTS[script][0]
        pieces = [_pieces(word) for word in _tokens(text) if pattern.search(word)]
        sizes = [len(keys) for keys in pieces]
        scores = self._score(
            np.concatenate(pieces), np.repeat(np.array([_A_WORD / size for size in sizes], np.float32), sizes)
        )
        chances = {name: scores[NAMES.index(name)] + _HINT * (name == hint) for name in names}
        first, second = sorted(names, key=lambda name: -chances[name])[:2]
        return Guess(first, float(chances[first] - chances[second]))

    def _score(self, wanted: NDArray[np.uint32], weights: Floats) -> Floats:
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        known = self.keys[at] == wanted
        found = np.where(known[:, None], self.shares[at], np.float16(np.log(_FLOOR))).astype(np.float32)
        return np.asarray(np.dot(weights, found), dtype=np.float32)


def _shares(listed: Counter[int], seen: Counter[int], keys: NDArray[np.uint32]) -> Floats:
    """Languages with more examples are not favoured: shares are mixed, not counts."""
    trust = min(1.0, seen.total() / _MANY) / 2
    mixed: NDArray[np.float64] = np.full(len(keys), _FLOOR)
    for counted, weight in ((listed, 1 - trust), (seen, trust)):
        if counted:
            mixed += weight / counted.total() * np.array([counted[int(key)] for key in keys])
    return np.asarray(np.log(mixed), dtype=np.float32)


def _script(text: str) -> str:
    """The script that most words use; nothing where there are no letters. Arabic wins in a mixed message."""
    tokens = _tokens(text)
    counted = {name: sum(bool(pattern.search(word)) for word in tokens) for name, (pattern, _) in _SCRIPTS.items()}
    total = sum(counted.values())
    if not total:
        return ""
    if counted["arabic"] >= _MIXED * total:
        return "arabic"
    return max(counted, key=lambda name: counted[name])


@lru_cache(maxsize=256)
def _tokens(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W_]+(?:['’\u200c][^\W_]+)*", readable(text).casefold()))


@lru_cache(maxsize=20_000)
def _pieces(word: str) -> NDArray[np.uint32]:
    framed = f" {word} "
    parts = [framed[at : at + size] for size in _SIZES for at in range(len(framed) - size + 1)]
    return np.array([zlib.crc32(part.encode()) for part in (framed, *parts)], dtype=np.uint32)


def common_words(language: str) -> str:
    """Everyday words of a language of NAMES, with spaces between."""
    return _word_lists().get(language, "")


@lru_cache(maxsize=1)
def _word_lists() -> dict[str, str]:
    loaded: dict[str, str] = yaml.safe_load((Path(__file__).parent / "languages.yaml").read_text(encoding="utf-8"))
    return loaded
