"""What each part of the understanding brings: `python scripts/ablation.py FILE [FILE ...]`.

Fits the real content without a part, measures the first candidates on labelled files, and prints a table as markdown:
of all messages, and of the Dutch, English and Arabic ones. Takes some minutes and two gigabytes.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from bot.commands.evaluate import read_queries
from bot.settings import ROOT
from bot.understanding import fit
from bot.understanding.encoders import E5, Use, Vectors
from bot.understanding.examples import read_pack
from bot.understanding.grams import GramIndex
from bot.understanding.kernel import FAST, FULL, Floats, Mix, Space
from bot.understanding.lexicon import read_lexicon
from bot.understanding.measures import Query
from bot.understanding.model import Head
from bot.understanding.reading import Reader, Reading, make_reader
from bot.understanding.spelling import Spelling
from bot.understanding.vectors import vectors

CONTENT, CACHE = ROOT / "content", ROOT / "var" / "models"
Read = Callable[[Query], Reading]


@dataclass
class Bench:
    """The parts of the machine, fitted once; heads are fitted to the mix that is asked for."""

    cache: dict[str, tuple[Vectors, Vectors]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pack = read_pack(CONTENT)
        languages, vocabulary, readings = fit.read_all(CONTENT, self.pack)
        self.reader = make_reader(read_lexicon(CONTENT), languages, vocabulary)
        common = [reading.common for reading in readings]
        self.encoders = (E5(), Use(CACHE))
        self.e5, self.use = (Space.of(vectors(encoder, common, CONTENT, CACHE)) for encoder in self.encoders)
        self.index = GramIndex.build([reading.counted for reading in readings])
        self.counted = fit._gram_kernel(self.index)  # noqa: SLF001  # the fit taken apart is what this is for

    def head(self, mix: Mix) -> Head:
        return fit._fit_head(fit._mixed(mix, self.e5, self.use, self.counted), self.pack)  # noqa: SLF001  # as above

    def kernel(self, reading: Reading, mix: Mix) -> Floats:
        if reading.common not in self.cache:
            e5, use = (encoder.encode([reading.common]) for encoder in self.encoders)
            self.cache[reading.common] = e5, use
        e5, use = self.cache[reading.common]
        kernel = mix.grams * self.index.similarity(reading.counted) if mix.grams else np.float32(0)
        kernel = kernel + (mix.use * self.use.similarity(use)[0] if mix.use else 0)
        return np.asarray(kernel + (mix.e5 * self.e5.similarity(e5)[0] if mix.e5 else 0), dtype=np.float32)

    def right(self, head: Head, mix: Mix, query: Query, read: Read) -> bool:
        scores = head.scores(self.kernel(read(query), mix))
        if query.topics[0] != self.pack.crisis_topic:
            scores = scores.without(self.pack.topics.index(self.pack.crisis_topic))
        return self.pack.topics[int(scores.chances[: len(self.pack.topics)].argmax())] in query.topics


def share(found: list[bool]) -> str:
    return f"{100 * sum(found) / len(found):.1f}" if found else "-"


def row(bench: Bench, files: list[list[Query]], mix: Mix, head: Head, read: Read) -> str:
    cells = []
    for queries in files:
        by_language = defaultdict(list)
        for query in queries:
            by_language[query.lang].append(bench.right(head, mix, query, read))
        each = ", ".join(share(by_language[language]) for language in ("nl", "en", "ar"))
        cells.append(f"{share([one for found in by_language.values() for one in found])} ({each})")
    return " | ".join(cells)


def readers(reader: Reader) -> dict[str, Read]:
    """The ways to read a message; the examples are always read whole."""
    unmended = replace(reader, spelling=Spelling())

    def written(query: Query) -> Reading:
        reading = reader.read(query.text, query.lang)
        return replace(reading, common=reading.text)

    def unturned(query: Query) -> Reading:
        reading = reader.read(query.text, query.lang)
        return replace(reading, common=reader.lexicon.rewrite(reading.text)) if reading.in_arabic else reading

    return {
        "nothing": lambda query: reader.read(query.text, query.lang),
        "typing faults mended": lambda query: unmended.read(query.text, query.lang),
        "Arabic in Latin letters turned": unturned,
        "all common forms": written,
    }


def main(names: list[str]) -> None:
    bench = Bench()
    files = [[one for one in read_queries(Path(name), set(bench.pack.topics))[0] if one.topics] for name in names]
    print(f"| left out | {' | '.join(Path(name).stem for name in names)} |\n|{'---|' * (1 + len(names))}")
    ways = readers(bench.reader)
    head = bench.head(FULL)
    for name, read in ways.items():
        print(f"| {name} | {row(bench, files, FULL, head, read)} |", flush=True)
    mixes = {
        "e5 (what the quick path does)": FAST,
        "USE": Mix(0.6, 0, 0.4),
        "pieces of words": Mix(0.7, 0.3, 0),
        "both encoders": Mix(0, 0, 1),
        "e5 and pieces of words": Mix(0, 1, 0),
        "USE and pieces of words": Mix(1, 0, 0),
    }
    for name, mix in mixes.items():
        print(f"| {name} | {row(bench, files, mix, bench.head(mix), ways['nothing'])} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
