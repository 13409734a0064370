"""The shape of every channel."""

from __future__ import annotations

from typing import Protocol

from bot.messages import Address, OutboundMessage
from bot.pace import Pace


class Channel(Protocol):
    """A way to reach people. `pace` is how fast it may be used."""

    name: str
    pace: Pace

    async def send(self, address: Address, message: OutboundMessage, callback: str | None) -> str:
        """Send one message; returns the provider's id. Raises SendError, and nothing else, when it was not taken.

        `callback` is the tap that this message answers, where the platform wants to be told.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
