"""`wegwijs content lag` and `stamp`: translations whose Dutch changed since somebody compared them."""

from __future__ import annotations

import sys
import textwrap
from collections import defaultdict
from itertools import zip_longest
from pathlib import Path
from typing import Any

import yaml

from bot.content.load import Content, Reader, read_content
from bot.content.translations import SOURCE, TRANSLATIONS, lags, stamp_of, stamped
from bot.errors import WegwijsError

WIDTH = 58  # of a column


def lag(root: Path) -> int:
    """Every translation to compare, beside the Dutch of now. Exit code 1 when there is one."""
    content, reader = read_content(root)
    if _refused(reader):
        return 1
    found = list(lags(content))
    for one in found:
        since = "older Dutch" if one.stamp else "never compared"
        print(f"=== {one.topic} · {one.language} · {since}")
        for left, right in _beside(content, one.topic, one.language):
            print(f"{left:<{WIDTH}} │ {right}".rstrip())
        print(f"--- when they say the same: wegwijs content stamp {one.topic}\n")
    print(f"{len(found)} translations to compare with the Dutch")
    return 1 if found else 0


def _beside(content: Content, topic: str, language: str) -> list[tuple[str, str]]:
    dutch, other = content.answer(topic, SOURCE), content.answer(topic, language)
    theirs = {"title": other.title, "question": other.question} | other.parts()
    lines: list[tuple[str, str]] = []
    for part, text in ({"title": dutch.title, "question": dutch.question} | dutch.parts()).items():
        lines.append((f"[{part}]", ""))
        lines += zip_longest(_column(text), _column(theirs.get(part, "(missing)")), fillvalue="")
    return lines


def _column(text: str) -> list[str]:
    return [row for line in text.strip().split("\n") for row in (textwrap.wrap(line, WIDTH) or [""])]


def stamp(root: Path, topics: list[str]) -> int:
    """Write down that the translations of these topics, or of all, were compared with the Dutch of now."""
    content, reader = read_content(root)
    unknown = [topic for topic in topics if topic not in content.answers[SOURCE]]
    if unknown or _refused(reader):
        print("".join(f"no topic '{topic}'\n" for topic in unknown), end="", file=sys.stderr)
        return 1
    wanted = set(topics or content.answers[SOURCE])
    stamps: dict[str, dict[str, str]] = defaultdict(dict)
    for one in lags(content):
        if one.topic in wanted:
            file = content.where[one.language, one.topic][0]
            stamps[file][one.topic] = stamp_of(content.answer(one.topic, SOURCE))
    for file, of_file in stamps.items():
        _write(root.parent / file, reader, file, of_file)
    count = sum(map(len, stamps.values()))
    print(f"{count} translations stamped; {len(wanted) * len(TRANSLATIONS) - count} were up to date")
    return 0


def _write(path: Path, reader: Reader, file: str, stamps: dict[str, str]) -> None:
    """Put the stamps into a file. Raises WegwijsError, with the file as it was, where that would change a text."""
    before = path.read_bytes().decode("utf-8")
    after = stamped(before, reader.documents[file].lines, stamps)
    try:
        same = _words(after) == _words(before)
    except yaml.YAMLError:
        same = False
    if not same:
        raise WegwijsError(f"{file}: this file can't be stamped by the program; write translated_from by hand")
    path.write_bytes(after.encode("utf-8"))


def _words(text: str) -> dict[str, Any]:
    data: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return {topic: {key: value for key, value in of.items() if key != "translated_from"} for topic, of in data.items()}


def _refused(reader: Reader) -> bool:
    """Files that can't be read come first: their lines aren't known."""
    for fault in sorted(reader.faults):
        print(fault, file=sys.stderr)
    return bool(reader.faults)
