"""From what a person typed or tapped to the token that it stands for.

A button, its number, its label or a command word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.locales import fold
from bot.messages import InboundMessage, Kind, Option

MAX_WORDS = 6  # a longer message is never a command


def resolve(message: InboundMessage, offered: Sequence[Option], commands: Mapping[str, str]) -> str:
    """The token of a message, or "" when it is free text.

    A tap is its own token, whether it was offered or not: old buttons come back months later and still mean the same.
    """
    if message.kind is Kind.TAP:
        return message.token
    if message.kind is not Kind.TEXT:
        return ""
    text = fold(message.text)
    if not text or len(text.split()) > MAX_WORDS:
        return ""
    return _by_number(text, offered) or _by_label(text, offered) or commands.get(text, "")


def _by_number(text: str, offered: Sequence[Option]) -> str:
    if text.isascii() and text.isdigit() and len(text) <= 2:
        index = int(text) - 1
        if 0 <= index < len(offered):
            return offered[index].token
    return ""


def _by_label(text: str, offered: Sequence[Option]) -> str:
    for option in offered:
        if fold(option.label) == text:
            return option.token
    return ""
