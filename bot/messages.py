"""What comes in and what goes out, in our own words. Knows no channel, no database, no language.

A channel turns a provider's update into an `InboundMessage` at the door; nothing behind the door sees the provider's
form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What an inbound message is."""

    TEXT = "text"
    TAP = "tap"  # a button or a list item
    START = "start"  # Telegram's /start, with or without a payload
    VOICE = "voice"
    IMAGE = "image"
    VIDEO = "video"
    DOCUMENT = "document"
    STICKER = "sticker"
    LOCATION = "location"
    CARD = "contact_card"
    OTHER = "other"
    BLOCKED = "blocked"  # the person shut us out
    UNBLOCKED = "unblocked"
    TIMER = "timer"  # a due timer of this contact


class Push(StrEnum):
    """A message of our own accord, by what it is for. All count together: `bot/pushes.py`."""

    NOTICE = "notice"  # something changed: another klantregisseur, another moment
    NUDGE = "nudge"  # an answer waits, write to get it
    REMINDER = "reminder"  # of something that was asked or agreed
    TEMPLATE = "template"  # an approved template outside WhatsApp's window
    PULSE = "pulse"  # may we ask you something
    WELCOME = "welcome"


@dataclass(frozen=True)
class Address:
    """Where a person can be reached on one channel.

    `value` is what to reply to, unchanged as received. A WhatsApp sender may have no telephone number: then `bsuid`
    (business-scoped user id) is all there is. The three are kept apart and never derived from each other.
    """

    channel: str
    value: str
    bsuid: str | None = None
    phone: str | None = None


@dataclass(frozen=True)
class InboundMessage:
    """One thing that a person did, or a timer that came due.

    `key` is unique over all time: channel plus the provider's id. `token` is the data of a tap. `extra` holds what a
    single kind needs (a callback's id, a timer's payload); plain JSON.
    """

    key: str
    address: Address
    kind: Kind
    text: str = ""
    token: str = ""
    hint: str = ""  # language of the app, only a hint
    extra: dict[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Everything but the address, as JSON for the inbox."""
        return {"kind": self.kind.value, "text": self.text, "token": self.token, "hint": self.hint, "extra": self.extra}

    @classmethod
    def from_row(cls, key: str, address: Address, body: dict[str, Any]) -> InboundMessage:
        """The message that `body()` described."""
        return cls(
            key=key,
            address=address,
            kind=Kind(body["kind"]),
            text=body["text"],
            token=body["token"],
            hint=body["hint"],
            extra=body["extra"],
        )


@dataclass(frozen=True)
class Option:
    """A button, or a numbered line where a channel has no buttons. `token` is at most 64 bytes (Telegram's limit).

    `size` is how buttons stand: "wide" alone in its row, "small" many in a row, "" by the length of its label.
    """

    token: str
    label: str
    size: str = ""


_SHORT_LABEL = 18  # two such buttons stand beside each other on a phone
_SMALL = 6  # figures of a scale: 0 to 5, and 6 to 10 below


def button_rows(options: Sequence[Option]) -> list[list[Option]]:
    """Buttons in the order given: short ones two in a row, long and wide ones alone, small ones six in a row."""
    rows: list[list[Option]] = []
    room, size = 0, ""
    for option in options:
        if room and option.size == size and _in_a_row(option) > 1:
            rows[-1].append(option)
            room -= 1
        else:
            rows.append([option])
            room = _in_a_row(option) - 1
        size = option.size
    return rows


def _in_a_row(option: Option) -> int:
    """How many such buttons stand in one row."""
    if option.size:
        return _SMALL if option.size == "small" else 1
    return 2 if len(option.label) <= _SHORT_LABEL else 1


@dataclass(frozen=True)
class OutboundMessage:
    """One message to a person, ready to send. `keys` names the content it was made of, for tests and figures.

    With `template` an approved template goes out instead of the words, filled with `variables`; the words stand for
    what the person reads. `cost`: of a message of our own accord, in millionths of a euro.
    """

    text: str
    language: str
    options: tuple[Option, ...] = ()
    keys: tuple[str, ...] = ()
    urgent: bool = False
    template: str = ""
    variables: tuple[str, ...] = ()
    cost: int = 0

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "options": [vars(option) for option in self.options]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> OutboundMessage:
        options = tuple(Option(**option) for option in data["options"])
        return cls(
            data["text"],
            data["language"],
            options,
            tuple(data["keys"]),
            data["urgent"],
            data.get("template", ""),
            tuple(data.get("variables", ())),
            data.get("cost", 0),
        )


@dataclass(frozen=True)
class Receipt:
    """What a provider says later about a message that we sent. States never step back."""

    channel: str
    provider_id: str
    state: str  # sent, delivered, read, failed
    code: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Capability:
    """What a channel can show. Lengths in characters as the platform counts them (see `docs/channels.md`)."""

    channel: str
    max_text: int  # of one message
    buttons: bool  # inline buttons; otherwise options are numbered lines in the text
    max_options: int
    max_label: int
    window_hours: int | None  # after a person's last message free text may go for so long; None: always
    paid: bool  # each message costs money, so one a turn


CAPABILITIES: dict[str, Capability] = {
    "telegram": Capability("telegram", 4096, buttons=True, max_options=24, max_label=64, window_hours=None, paid=False),
    "whatsapp": Capability("whatsapp", 1600, buttons=False, max_options=10, max_label=72, window_hours=24, paid=True),
    # Stand-ins that behave like the two, for the terminal and the chat page.
    "console": Capability("console", 4096, buttons=True, max_options=24, max_label=64, window_hours=None, paid=False),
    "console-numbers": Capability(
        "console-numbers", 1600, buttons=False, max_options=10, max_label=72, window_hours=24, paid=True
    ),
}
