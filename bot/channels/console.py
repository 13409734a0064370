"""The screen of an invented phone, for the terminal, the chat page and tests.

Takes the same path as the real channels.
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from bot.clock import Clock
from bot.messages import Address, OutboundMessage, button_rows
from bot.pace import Pace
from bot.storage.models import ScreenRow
from bot.storage.store import Store


class ConsoleChannel:
    """Shows messages on `screen` rows. `name` decides what it can show (see CAPABILITIES)."""

    pace = Pace(per_second=200, gap=0, burst=50)

    def __init__(self, store: Store, clock: Clock, name: str = "console") -> None:
        self._store, self._clock, self.name = store, clock, name

    async def send(self, address: Address, message: OutboundMessage, callback: str | None) -> str:  # noqa: ARG002  # one shape
        options = [
            {"token": option.token, "label": option.label, "row": number}
            for number, row in enumerate(button_rows(message.options))
            for option in row
        ]
        values = {
            "phone": address.value,
            "mine": False,
            "text": message.text,
            "options": options,
            "language": message.language,
            "at": self._clock.now(),
        }
        await self._store.awrite(lambda connection: connection.execute(sa.insert(ScreenRow).values(**values)) and None)
        return secrets.token_hex(8)

    async def close(self) -> None:
        """Nothing is open."""
