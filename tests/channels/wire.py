"""A platform at the other end of the line: says what it is told to say, and keeps what it was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from bot.channels.http import Answer, HttpLine


def answer(status: int, body: Any) -> Answer:
    """An answer with a body: text as it is, anything else as JSON."""
    return Answer(status, (body if isinstance(body, str) else json.dumps(body)).encode(), {})


@contextmanager
def wire(answers: dict[str, Answer | Exception]) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Answers by the end of the address; gives the requests: the address, and what went with it."""
    asked: list[tuple[str, dict[str, Any]]] = []

    async def request(_line: HttpLine, _method: str, url: str, **what: Any) -> Answer:
        asked.append((url, what))
        said = next(said for end, said in answers.items() if url.endswith(end))
        if isinstance(said, Exception):
            raise said
        return said

    with patch.object(HttpLine, "request", request):
        yield asked
