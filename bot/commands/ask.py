"""`wegwijs ask`: understand a file of messages, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.errors import WegwijsError
from bot.understanding.engine import Engine, load_understander
from bot.understanding.outcome import Outcome, Understanding


def ask(input: Path, output: Path, content_dir: Path, cache_dir: Path, *, why: bool = False) -> int:  # noqa: A002
    """Read messages {id, lang, text}, write what the service makes of each, in the same order.

    Raises WegwijsError when a line can't be read.
    """
    messages = list(read_lines(input))
    engine = load_understander(content_dir, cache_dir)
    with output.open("w", encoding="utf-8") as file:
        for message in messages:
            text, language = str(message.get("text", "")), str(message.get("lang", ""))
            line = {"id": message.get("id"), **described(engine.understand(text, language))}
            if why:
                line["why"] = _why(engine, text, language)
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return 0


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file with one JSON object a line; empty lines are skipped. Raises WegwijsError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WegwijsError(f"{path} can't be read: {error}") from None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError as error:
            raise WegwijsError(f"{path}:{number}: no JSON: {error}") from None
        if not isinstance(found, dict):
            raise WegwijsError(f"{path}:{number}: no JSON object")
        yield found


def described(said: Understanding) -> dict[str, Any]:
    """An understanding as the contract of the command line has it."""
    topic = said.candidates[0].topic if said.outcome in (Outcome.ANSWER, Outcome.CRISIS) and said.candidates else None
    return {
        "outcome": said.outcome.value,
        "topic": topic,
        "candidates": [[candidate.topic, round(candidate.confidence, 4)] for candidate in said.candidates],
        "language": said.language,
        **({"also": list(said.also)} if said.also else {}),
    }


def _why(engine: Engine, text: str, language: str) -> dict[str, Any]:
    reason = engine.explain(text, language)
    return {
        "topic": reason.topic,
        "read_as": reason.common,
        "danger": round(reason.danger, 3),
        "danger_phrase": reason.rule,
        "examples": [[example, label, round(share, 3)] for example, label, share in reason.examples],
        "words": [[word, round(loss, 3)] for word, loss in reason.words],
    }
