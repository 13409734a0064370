"""`wegwijs content`: check the texts, and look at one as each channel shows it."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path

from bot.actions import Choice, Reply, Show
from bot.contacts import Group
from bot.content import Content, editorial
from bot.content.load import read_content
from bot.content.rules import check as faults_of
from bot.content.schema import Status
from bot.locales import LANGUAGES
from bot.messages import CAPABILITIES
from bot.monitoring import baseline
from bot.replies import render
from bot.yaml_files import read_yaml


def check(root: Path) -> int:
    """Every rule on the content; prints each fault with its place and its mend. Exit code 1 when there is one."""
    content, reader = read_content(root)
    faults = sorted(reader.faults) or sorted(faults_of(content, reader))
    if (root / baseline.FILE).exists():
        faults += baseline.check(read_yaml(root / baseline.FILE, root))[1]
    levels: list[str] = []
    if not faults:
        found, levels = editorial.check(content, reader)
        faults = sorted(found)
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        print(f"{len(faults)} faults", file=sys.stderr)
        return 1
    for line in summary(content, reader.root, levels):
        print(line)
    return 0


def summary(content: Content, root: Path, levels: list[str]) -> list[str]:
    """What there is, in figures."""
    oldest = min(content.topics.items(), key=lambda item: item[1].checked_on)
    waiting = sum(figure.value is None for figure in content.figures.values())
    stale = sum(content.is_stale(key, date.today()) for key in content.topics)  # noqa: DTZ011  # the editor's own day
    lines = [f"{len(content.topics)} topics in {len(LANGUAGES)} languages, {len(content.organisations)} organisations"]
    for language in LANGUAGES:
        answers = content.answers[language].values()
        words = sum(len(text.split()) for answer in answers for text in answer.parts().values())
        lines.append(f"{language}: {words} words")
    lines += ["reading level:", *(f"  {level}" for level in levels)]
    lines.append(f"{len(content.figures)} figures, {waiting} wait for the municipality")
    lines.append(f"oldest check: {oldest[1].checked_on} ({oldest[0]}); past their review date: {stale}")
    drafts = sum(topic.status is Status.DRAFT for topic in content.topics.values())
    lines.append(f"{drafts} of {len(content.topics)} topics are draft: a person of the municipality confirms each")
    lines.append(f"content {root.name}, version {content.version}: no faults")
    return lines


def preview(root: Path, topic: str, language: str) -> int:
    """An answer as Telegram and WhatsApp show it, for both groups where they differ."""
    content, reader = read_content(root)
    if topic not in content.topics or reader.faults:
        print(f"no topic '{topic}'" if not reader.faults else "\n".join(map(str, reader.faults)), file=sys.stderr)
        return 1
    answer = content.answer(topic, language)
    shows = [Reply((Show(topic),), _choices(content, topic))]
    shows += [Reply((Show(topic, part),)) for part in ("more", *Group) if answer.part(part)]
    for channel in ("telegram", "whatsapp"):
        print(f"=== {channel} · {answer.title} · {answer.question}")
        for reply in shows:
            for message in render(reply, language, content, CAPABILITIES[channel], datetime.now(UTC)):
                print(message.text)
                buttons = " ".join(f"[{option.label}]" for option in message.options)
                print(buttons if CAPABILITIES[channel].buttons else "")
                print("---")
    return 0


def _choices(content: Content, topic: str) -> tuple[Choice, ...]:
    more = (Choice(f"more:{topic}", "button.more"),) if content.answer(topic, "nl").more else ()
    return (*more, *(Choice(f"topic:{key}", topic=key) for key in content.topics[topic].related))


def to_confirm(root: Path) -> str:
    """What only the municipality knows, as the page `docs/to-confirm.md`: each figure, its question, what waits."""
    content, _ = read_content(root)
    lines = [
        "# What waits for the municipality",
        "",
        "Only the municipality knows these. Give the figure its `value` (with `source`, `as_of`, `review_by` and",
        "`withhold_after`) in the file named here; the sentence that waits for it then appears in three languages.",
        "Made by `wegwijs content to-confirm`.",
        "",
        "| figure | question | file | answers that wait |",
        "|---|---|---|---|",
    ]
    for key, figure in sorted(content.figures.items()):
        if figure.value is None:
            waiting = [topic for topic, answer in content.answers["nl"].items() if key in answer.when_known]
            file = content.where["figure", key][0]
            lines.append(f"| `{key}` | {figure.to_confirm} | `{file}` | {', '.join(waiting)} |")
    return "\n".join(lines) + "\n"
