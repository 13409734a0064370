"""The curated answers that a form offers, in the language of the page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.actions import Reply, Show
from bot.content import Content
from bot.locales import AMSTERDAM
from bot.messages import CAPABILITIES
from bot.replies import render

THOUGHT_OF = 3  # topics whose words are shown beside the form


def titles(content: Content, language: str) -> dict[str, str]:
    """The question of each topic."""
    answers = content.answers[language]
    return {topic: answers[topic].question for topic in content.topics}


def choices(content: Content, language: str, candidates: Sequence[tuple[str, float]], now: datetime) -> dict[str, Any]:
    """The curated answers to choose from: those that were thought of first, with their words, then all by group."""
    today = now.astimezone(AMSTERDAM).date()
    fresh = [topic for topic in content.topics if not content.is_withheld(topic, today)]

    def words(topic: str) -> str:
        return render(Reply((Show(topic),)), language, content, CAPABILITIES["telegram"], now)[0].text

    likely = [(topic, sure, words(topic)) for topic, sure in candidates if topic in fresh][:THOUGHT_OF]
    groups = [(group, [topic for topic in content.of_group(group) if topic in fresh]) for group in content.groups]
    names = {group: content.replies[language][f"group.{group}"] for group in content.groups}
    return {"thought_of": likely, "groups": groups, "group_names": names, "titles": titles(content, language)}
