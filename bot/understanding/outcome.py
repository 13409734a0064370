"""What understanding a message gives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.understanding.encoders import Vectors


class Outcome(StrEnum):
    """What to do with a message, by the confidence of its best candidate."""

    ANSWER = "answer"  # sure enough: show the answer
    CLARIFY = "clarify"  # ask which of a few is meant
    ESCALATE = "escalate"  # none fits: offer a person
    CRISIS = "crisis"  # danger: help numbers first
    SMALLTALK = "smalltalk"


@dataclass(frozen=True)
class Candidate:
    """A topic and how sure it is, calibrated: of ten candidates with 0.8 eight are right."""

    topic: str
    confidence: float


@dataclass(frozen=True)
class Understanding:
    """`language` is the language of the text (ISO 639-1, or `und`); `candidates` at least five, best first.

    `also` are further topics of a message that holds two questions. `smalltalk` is greeting, thanks, bye or other.
    """

    outcome: Outcome
    language: str
    candidates: tuple[Candidate, ...] = ()
    smalltalk: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reason:
    """Why a topic came first. `examples`: text, topic and share of the score; `words`: word, how much less without."""

    topic: str
    common: str  # the message in common words, as it was compared
    language: str
    rule: str  # the phrase of danger that was found
    danger: float
    examples: tuple[tuple[str, str, float], ...]
    words: tuple[tuple[str, float], ...]


class Understander(Protocol):
    """Anything that understands messages."""

    def understand(self, text: str, language: str, *, hurry: bool = False) -> Understanding:
        """Understand a text. `language` is what the contact chose (nl, en, ar): a hint. Never raises for any text.

        `hurry`: many wait; be quick where that costs little, but never about danger.
        """
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row of length 1 a text, to compare texts with each other."""
        ...
