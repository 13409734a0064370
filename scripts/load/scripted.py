"""The service with an understanding that takes a set time and costs nothing: for measuring what is around it.

python -m scripts.load.scripted serve|worker
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bot.service import build
from bot.settings import Settings, load_settings
from bot.understanding import Candidate, Outcome, Understanding
from bot.understanding.encoders import Vectors
from bot.worker import settle
from webhooks.server import Server

THINK = "LOAD_THINK_SECONDS"
READY = "LOAD_READY_FILE"  # made when a worker has begun


class Thinking:
    """Takes its time over every text, without the processor, and always has the same answer."""

    def __init__(self) -> None:
        self.seconds = float(os.environ.get(THINK, "0"))

    def understand(self, text: str, language: str, *, hurry: bool = False) -> Understanding:  # noqa: ARG002  # the interface
        time.sleep(self.seconds)
        return Understanding(Outcome.ANSWER, language, (Candidate("pip.what", 0.9),))

    def encode(self, texts: Sequence[str]) -> Vectors:
        rows = np.full((len(texts), 64), 0.001, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[zlib.crc32(word.encode()) % 64] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def serve(settings: Settings) -> int:
    service = build(settings, understander=Thinking())
    return Server(service).run()


async def work(settings: Settings) -> None:
    service = build(settings, understander=Thinking())
    settle()
    Path(f"{os.environ[READY]}.{os.getpid()}").touch()  # noqa: ASYNC240  # once, before there is anything to hold up
    await service.worker.run()


def main() -> int:
    settings = load_settings()
    if sys.argv[1] == "serve":
        return serve(settings)
    asyncio.run(work(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
