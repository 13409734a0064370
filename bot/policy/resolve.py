"""From what a person typed or tapped to the token that it stands for.

A button, its number, its label or a command word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bot.locales import fold
from bot.messages import InboundMessage, Kind, Option

_TRIAL = re.compile(r"test (w\d{5})")  # staff try a wave out before it goes live: the code stands on its page
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
    if trial := _TRIAL.fullmatch(text):
        return f"survey:test:{trial[1]}"
    found = _by_number(text, offered) or _by_label(text, offered)  # a label may be a whole question, copied
    if found or not text or len(text.split()) > MAX_WORDS:
        return found
    meaning = commands.get(text, "")
    if meaning in _ANSWERS:
        meaning = _by_answer(meaning, offered)
    return meaning


# A plain yes or no means the one option that is a yes or a no; where none was offered it is free text.
_ANSWERS = {"yes": ("consent:yes", "pass:yes", "erase:yes", "rated:yes", "helped:yes", "switch", "survey:yes",
                    "survey:open"),
            "ok": ("ok", "survey:open"),
            "no": ("consent:no", "pass:no", "rated:no", "helped:no", "stay", "survey:no")}  # fmt: skip


def _by_answer(meaning: str, offered: Sequence[Option]) -> str:
    found = [option.token for option in offered if option.token.startswith(_ANSWERS[meaning])]
    return found[0] if found else ""


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
