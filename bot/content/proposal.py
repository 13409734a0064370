"""A new answer as a change of the content files: checked as the content check does it, exported as a patch or YAML.

Nothing here touches the content that runs: the patch goes to whoever keeps the files, who reads it and applies it.
"""

from __future__ import annotations

import difflib
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from bot.content import editorial
from bot.content.load import Content, read_content
from bot.content.rules import check
from bot.content.schema import Answer
from bot.content.translations import SOURCE, stamp_of
from bot.errors import Fault
from bot.locales import LANGUAGES

REVIEW_AFTER, WITHHOLD_AFTER = timedelta(days=180), timedelta(days=365)


@dataclass(frozen=True)
class Words:
    """The words of a proposal in one language."""

    title: str = ""
    question: str = ""
    short: str = ""
    more: str = ""
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """An answer that isn't there yet."""

    topic: str
    group: str
    owner: str
    source_title: str
    source_url: str
    words: Mapping[str, Words]


_ID = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+")
MAX_ID = 48


def is_id(topic: str) -> bool:
    """Whether this can be the id of a topic."""
    return len(topic) <= MAX_ID and _ID.fullmatch(topic) is not None


def entries(proposal: Proposal, content: Content, today: date) -> dict[str, dict[str, Any]]:
    """What is added to each file, by its path below the content folder."""
    name = _file_of(content, proposal.group)
    source = {"title": proposal.source_title} | ({"url": proposal.source_url} if proposal.source_url else {})
    topic = {
        "group": proposal.group,
        "audience": ["asylum", "family"],
        "owner": proposal.owner,
        "checked_on": today,
        "review_by": today + REVIEW_AFTER,
        "withhold_after": today + WITHHOLD_AFTER,
        "status": "draft",
        "sources": [source],
    }
    added: dict[str, dict[str, Any]] = {"topics.yaml": {proposal.topic: topic}}
    for language in LANGUAGES:
        words = proposal.words[language]
        added[f"{language}/answers/{name}"] = {proposal.topic: _answer(proposal, language)}
        added[f"{language}/examples/{name}"] = {proposal.topic: list(words.examples)}
    return added


def _file_of(content: Content, group: str) -> str:
    """The file in which the answers of a group stand."""
    topics = content.of_group(group)
    return Path(content.where[SOURCE, topics[-1]][0]).name if topics else f"{group or 'new'}.yaml"


def _answer(proposal: Proposal, language: str) -> dict[str, str]:
    words, dutch = proposal.words[language], proposal.words[SOURCE]
    answer = {"title": words.title, "question": words.question}
    if language != SOURCE:
        made = Answer.model_construct(
            title=dutch.title, question=dutch.question, short=dutch.short, more=dutch.more or None
        )
        answer["translated_from"] = stamp_of(made)
    return answer | {"short": words.short} | ({"more": words.more} if words.more else {})


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, the way editors write them."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _block)


def as_yaml(data: Mapping[str, Any]) -> str:
    return yaml.dump(dict(data), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10_000)


def changed(root: Path, added: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Path below the content folder, text as it is, and as it would be."""
    for name, entry in added.items():
        path = root / name
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        joined = before if not before or before.endswith("\n") else before + "\n"
        yield name, before, joined + as_yaml(entry)


def faults(root: Path, proposal: Proposal, content: Content, today: date) -> list[Fault]:
    """What the content check would say if the proposal stood in the content. Takes a tenth of a second or more."""
    if not is_id(proposal.topic):
        return [Fault("content/topics.yaml", 0, proposal.topic, "not an id; write one such as pip.change")]
    if proposal.topic in content.topics:
        return [Fault("content/topics.yaml", 0, proposal.topic, "this topic exists already; give it another id")]
    if not content.of_group(proposal.group):
        return [Fault("content/topics.yaml", 0, proposal.topic, "choose a group of the menu")]
    with tempfile.TemporaryDirectory(prefix="proposal-") as folder:
        copy = Path(folder) / "content"
        shutil.copytree(root, copy, ignore=shutil.ignore_patterns("*.npz"))
        for name, _, after in changed(root, entries(proposal, content, today)):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_text(after, encoding="utf-8")
        there, reader = read_content(copy)
        found = list(reader.faults or check(there, reader) or editorial.check(there, reader)[0])
        return sorted(found)


def patch(root: Path, proposal: Proposal, content: Content, today: date) -> str:
    """A unified diff against the content folder, for `git apply` at the top of the repository."""
    lines: list[str] = []
    for name, before, after in changed(root, entries(proposal, content, today)):
        old, new = f"a/content/{name}" if before else "/dev/null", f"b/content/{name}"
        diff = difflib.unified_diff(_lines(before), _lines(after), old, new)
        lines += (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in diff)
    return "".join(lines)


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)
