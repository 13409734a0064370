"""A contact: one person who writes, perhaps over two channels, and where the conversation stands. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.messages import Option


class Consent(StrEnum):
    """Whether the person agreed that this service keeps what it needs to help."""

    NEW = "new"  # nothing asked yet
    ASKED = "asked"
    GIVEN = "given"
    REFUSED = "refused"


class Group(StrEnum):
    """Who somebody is under the Wet inburgering 2021: what the rules and the costs hang on."""

    ASYLUM = "asylum"  # asielstatushouder
    FAMILY = "family"  # gezinsmigrant


@dataclass(frozen=True)
class Question:
    """A question that waits for a yes before it goes to a person."""

    text: str
    language: str
    candidates: tuple[tuple[str, float], ...] = ()
    reason: str = "no_answer"  # why it goes on: see `bot/actions.py`, OpenTicket

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Question:
        candidates = tuple((topic, float(confidence)) for topic, confidence in data["candidates"])
        return cls(data["text"], data["language"], candidates, data["reason"])


@dataclass(frozen=True)
class Route:
    """Who takes a question, and by when it is answered. Without an actor it is the back-up desk."""

    promise_at: datetime
    actor_id: int | None = None
    name: str = ""  # of the klantregisseur, as the newcomer reads it


@dataclass(frozen=True)
class Pulse:
    """A survey under way: where it stands, never what was answered.

    Without an `item` only leave was asked. `asked` are the items that were shown, the way back.
    """

    invitation: int
    item: str = ""
    asked: tuple[str, ...] = ()
    paused: bool = False  # "later": not to be reminded of below every answer
    called: bool = False  # a template went, which asks no leave: that comes before the first question

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Pulse:
        called = data.get("called", False)  # a thread of an older version knows no such thing
        return cls(data["invitation"], data["item"], tuple(data["asked"]), data["paused"], called)


@dataclass(frozen=True)
class Thread:
    """What the conversation must remember between two messages, and nothing more.

    `offered` are the options of the last message, so that "2", a label or a tap mean the same. `kept` is the first
    question, until there is consent to answer it; `link` the hash of a code from a letter, likewise. `writing` means
    that the next message goes to a person as it is.
    """

    offered: tuple[Option, ...] = ()
    kept: str = ""
    link: str = ""
    question: Question | None = None
    nonce: int = 0  # grows with every question that waits for a yes; old buttons carry an old one
    last_topic: str = ""
    group_asked: bool = False
    writing: bool = False
    languages_declined: tuple[str, ...] = ()
    minute: str = ""  # and how many messages came in it: a flood is not answered one by one
    in_minute: int = 0
    pulse: Pulse | None = None

    def counted(self, received_at: datetime) -> Thread:
        """With one more message in the minute in which it came in; when it is handled is not the person's doing."""
        minute = received_at.strftime("%Y-%m-%dT%H:%M")
        return replace(self, minute=minute, in_minute=self.in_minute + 1 if minute == self.minute else 1)

    def to_json(self) -> dict[str, Any]:
        # Not `asdict`, which copies every word of every option: a tenth of what a message costs beside its commits.
        parts = {"question": self.question, "pulse": self.pulse}
        described = {name: part and vars(part) for name, part in parts.items()}
        return {**vars(self), "offered": [vars(option) for option in self.offered], **described}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Thread:
        """The thread that `to_json` described. Unknown keys of a newer version are ignored."""
        question = data.get("question")
        return cls(
            offered=tuple(Option(**option) for option in data.get("offered", ())),
            kept=data.get("kept", ""),
            link=data.get("link", ""),
            question=Question.from_json(question) if question else None,
            nonce=data.get("nonce", 0),
            last_topic=data.get("last_topic", ""),
            group_asked=data.get("group_asked", False),
            writing=data.get("writing", False),
            languages_declined=tuple(data.get("languages_declined", ())),
            minute=data.get("minute", ""),
            in_minute=data.get("in_minute", 0),
            pulse=Pulse.from_json(data["pulse"]) if data.get("pulse") else None,
        )


@dataclass(frozen=True)
class Contact:
    """The person as the policy sees them: no name, no number."""

    id: int
    language: str | None = None
    group: Group | None = None
    consent: Consent = Consent.NEW
    stopped: bool = False  # said "stop": nothing is sent on our own account
    thread: Thread = field(default_factory=Thread)

    @property
    def known(self) -> bool:
        """Whether this person chose a language and agreed: only then is there an ordinary conversation."""
        return self.language is not None and self.consent is Consent.GIVEN
