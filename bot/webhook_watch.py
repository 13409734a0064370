"""Whether Telegram sends to us: asked now and then, and noted for `/health/ready` and `/metrics`.

Twilio tells nobody which address it uses; there the time of the last message says as much as can be said.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot.channels.http import HttpLine, MaybeSentError, NeverSentError
from bot.clock import Clock
from bot.errors import StoreUnavailableError
from bot.storage.models import InboxRow, MarkerRow
from bot.storage.store import Store

log = logging.getLogger(__name__)

MARKER = "webhook_telegram"
EVERY = 600.0  # seconds between two looks
RECENT = timedelta(minutes=15)  # a delivery that failed so lately is news
SECONDS = 10.0


@dataclass(frozen=True)
class TelegramWatch:
    """Asks Telegram where it sends to, and notes: ok, elsewhere, failing, refused or unreachable."""

    store: Store
    clock: Clock
    api: str  # the address of the Bot API with the token: never logged
    wanted: str  # where it must send to

    async def run(self) -> None:
        while True:
            await self.once()
            await asyncio.sleep(EVERY)

    async def once(self) -> None:
        state, now = await self._ask(), self.clock.now()
        if state != "ok":
            log.warning("Telegram's webhook: %s", state)
        with contextlib.suppress(StoreUnavailableError):
            await self.store.awrite(lambda connection: _note(connection, state, now))

    async def _ask(self) -> str:
        line = HttpLine(SECONDS)
        try:
            answer = await line.request("POST", f"{self.api}/getWebhookInfo")
            body: dict[str, Any] = json.loads(answer.body)
        except (NeverSentError, MaybeSentError, ValueError):
            return "unreachable"
        finally:
            await line.close()
        if not body.get("ok"):
            return "refused"
        info = body["result"]
        if info.get("url") != self.wanted:
            return "elsewhere"
        failed_at = datetime.fromtimestamp(info.get("last_error_date") or 0, UTC)
        return "failing" if datetime.now(UTC) - failed_at < RECENT and info.get("pending_update_count") else "ok"


def _note(connection: Connection, state: str, now: datetime) -> None:
    value = json.dumps({"state": state, "at": now.isoformat()})
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(MarkerRow).values(name=MARKER, value=value)
    connection.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def telegram_state(connection: Connection) -> str:
    """What was noted last; "unknown" before the first look."""
    query = sa.select(MarkerRow.value).where(MarkerRow.name == MARKER)
    value = connection.execute(query).scalar_one_or_none()
    return str(json.loads(value)["state"]) if value else "unknown"


def last_received(connection: Connection, channel: str) -> datetime | None:
    """When the last message of a channel came in, as far back as the keys of messages are kept."""
    query = sa.select(InboxRow.received_at).where(InboxRow.channel == channel)
    return connection.execute(query.order_by(InboxRow.received_at.desc()).limit(1)).scalar_one_or_none()
