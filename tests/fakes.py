"""Stand-ins that tests share. Everything else in the tests is the real thing."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from bot.clock import Clock
from bot.messages import Address, OutboundMessage
from bot.pace import Pace
from bot.understanding import Candidate, Outcome, Understanding
from bot.understanding.encoders import Vectors

SMALLTALK = {"hallo": "greeting", "bedankt": "thanks", "tot ziens": "bye"}


@dataclass
class ScriptedUnderstander:
    """Understands what the test told it: text to outcome and topics. Anything else is a question without an answer."""

    script: dict[str, Understanding] = field(default_factory=dict)

    def means(self, text: str, outcome: str, *topics: str, language: str = "nl", also: tuple[str, ...] = ()) -> None:
        confidences = [0.9, 0.5, 0.3, 0.2, 0.1]
        candidates = tuple(Candidate(topic, c) for topic, c in zip(topics, confidences, strict=False))
        kind = SMALLTALK.get(text.lower(), "other") if outcome == "smalltalk" else ""
        self.script[text] = Understanding(Outcome(outcome), language, candidates, kind, also)

    def understand(self, text: str, language: str, *, hurry: bool = False) -> Understanding:  # the interface
        return self.script.get(text, Understanding(Outcome.ESCALATE, language))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """A bag of words: texts with the same words are near each other."""
        rows = np.zeros((len(texts), 128), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().replace("?", "").split():
                row[zlib.crc32(word.encode()) % 128] += 1
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


class SetClock(Clock):
    """A clock that stands still until it is moved. `machine`: the time that logins go by, which `forward` leaves."""

    def __init__(self, at: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)) -> None:  # a moment doesn't change
        super().__init__()
        self.at = self.machine = at

    def now(self) -> datetime:
        return self.at

    def machine_now(self) -> datetime:
        return self.machine

    def forward(self, by: timedelta) -> None:
        self.at += by


@dataclass
class Sent:
    address: Address
    message: OutboundMessage
    callback: str | None


class CollectingChannel:
    """Keeps what is sent. `fail` may raise for a message."""

    def __init__(self, name: str, pace: Pace | None = None) -> None:
        self.name, self.pace = name, pace or Pace(per_second=1000, gap=0, burst=1000)
        self.sent: list[Sent] = []
        self.fail: Callable[[OutboundMessage], None] = lambda _: None

    async def send(self, address: Address, message: OutboundMessage, callback: str | None) -> str:
        self.fail(message)
        await asyncio.sleep(0)
        self.sent.append(Sent(address, message, callback))
        return f"{self.name}-{len(self.sent)}"

    async def close(self) -> None:
        """Nothing is open."""
