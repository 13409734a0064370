"""The example questions of a content folder: what the matching learns from. Reads files, knows no model.

A pack needs `topics.yaml` and examples in at least one language; everything else (answers, lexicon, crisis rules) is
used where it stands. Faults in the files are the content check's business: what can't be read is left out here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import ContentError, Fault
from bot.yaml_files import read_yaml

# Labels in `_other.yaml` that are no topic.
PERSON, OFF_TOPIC, SMALLTALK, CRISIS, NOT_CRISIS = "person", "off_topic", "smalltalk", "crisis", "not_crisis"
OTHER_LABELS = (PERSON, OFF_TOPIC, SMALLTALK, CRISIS, NOT_CRISIS)
LANGUAGES_FILE = "_languages.yaml"  # examples in languages that have no folder of their own
CRISIS_SUFFIX = ".crisis"  # a topic with this ending is what people in danger are shown

_WATCHED = ("topics.yaml", "lexicon.yaml", "*/examples/*.yaml", "*/answers/*.yaml")


@dataclass(frozen=True)
class Example:
    """A text, what it means (a topic or one of OTHER_LABELS) and its language."""

    text: str
    label: str
    language: str


@dataclass(frozen=True)
class Pack:
    """What the matching needs of a content folder."""

    topics: tuple[str, ...]
    examples: tuple[Example, ...]

    @property
    def crisis_topic(self) -> str:
        """The topic shown to people in danger, or nothing where the pack has none."""
        return next((topic for topic in self.topics if topic.endswith(CRISIS_SUFFIX)), "")


def read_pack(content_dir: Path) -> Pack:
    """Topics and examples. Raises ContentError when there is nothing to learn from."""
    topics = _mapping(content_dir / "topics.yaml", content_dir)
    known = set(topics) | set(OTHER_LABELS)
    found = (*_examples(content_dir), *_answers(content_dir))
    examples = tuple(dict.fromkeys(example for example in found if example.label in known and example.text.strip()))
    if not any(example.label in topics for example in examples):
        fault = Fault(
            content_dir.name, 0, "", "no example questions for any topic; write content/<lang>/examples/*.yaml"
        )
        raise ContentError([fault])
    return Pack(tuple(str(topic) for topic in topics), examples)


def fingerprint(content_dir: Path) -> str:
    """Changes when a file that the matching learns from changes."""
    digest = hashlib.sha256()
    for pattern in _WATCHED:
        for path in sorted(content_dir.glob(pattern)):
            digest.update(str(path.relative_to(content_dir)).encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _mapping(path: Path, root: Path) -> dict[Any, Any]:
    data = read_yaml(path, root).data
    return data if isinstance(data, dict) else {}


def _examples(root: Path) -> Iterator[Example]:
    for path in sorted(root.glob("*/examples/*.yaml")):
        language = path.parent.parent.name
        data = _mapping(path, root)
        if path.name != LANGUAGES_FILE:
            yield from _labelled(data, language)
            continue
        for other, labelled in data.items():
            if isinstance(labelled, dict):
                yield from _labelled(labelled, str(other))


def _labelled(data: dict[Any, Any], language: str) -> Iterator[Example]:
    for label, texts in data.items():
        if isinstance(texts, list):
            yield from (Example(str(text), str(label), language) for text in texts)


def _answers(root: Path) -> Iterator[Example]:
    """The title and the question of an answer say what it is about, so they are examples too."""
    for path in sorted(root.glob("*/answers/*.yaml")):
        for label, answer in _mapping(path, root).items():
            if isinstance(answer, dict):
                for part in ("question", "title"):
                    if isinstance(answer.get(part), str):
                        yield Example(answer[part], str(label), path.parent.parent.name)
