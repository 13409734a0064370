"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy.engine import Connection

from bot import webhook_watch
from bot.errors import StoreUnavailableError
from bot.locales import AMSTERDAM
from bot.service import Service
from bot.storage.models import InboxRow, LaneState, OutboxRow

SLOW = timedelta(minutes=5)  # a message that waits longer means that nobody works


def router(service: Service) -> APIRouter:
    """The routes `GET /health/live` and `GET /health/ready`."""
    routes = APIRouter(tags=["health"])

    @routes.get("/health/live")
    async def live() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @routes.get("/health/ready")
    async def ready() -> JSONResponse:
        """503 when nothing can be done here. What people must look at, and no restart mends, is "attention"."""
        now = service.clock.now()
        try:
            facts = await service.store.aread(lambda connection: _facts(connection, service, now))
        except (StoreUnavailableError, sa.exc.SQLAlchemyError):
            return JSONResponse({"status": "database unavailable"}, status_code=503)
        slow = facts["oldest_waiting_seconds"] >= SLOW.total_seconds()
        attention = facts["answers_withheld"] or facts["outbox_dead"] or _is_broken(facts["webhooks"])
        status = "slow" if slow else "attention" if attention else "ok"
        return JSONResponse({"status": status} | facts, status_code=503 if slow else 200)

    return routes


def _is_broken(webhooks: dict[str, Any]) -> bool:
    return webhooks.get("telegram", "ok") not in ("ok", "unknown")


def _facts(connection: Connection, service: Service, now: datetime) -> dict[str, Any]:
    waiting: sa.ColumnElement[int] = sa.literal_column("2")
    attention = sa.select(sa.func.count()).select_from(OutboxRow)
    received = sa.select(sa.func.count(), sa.func.min(InboxRow.due_at)).where(InboxRow.state < waiting)
    to_send = sa.select(sa.func.count(), sa.func.min(OutboxRow.due_at)).where(OutboxRow.state < waiting)
    inbox, oldest = connection.execute(received).one()
    outbox, oldest_to_send = connection.execute(to_send).one()
    today, topics = now.astimezone(AMSTERDAM).date(), service.content.topics
    return {
        "oldest_waiting_seconds": _age(oldest, now),
        "inbox_waiting": inbox,
        "outbox_waiting": outbox,
        "oldest_to_send_seconds": _age(oldest_to_send, now),
        "outbox_unknown": connection.execute(attention.where(OutboxRow.state == LaneState.UNKNOWN)).scalar_one(),
        "outbox_dead": connection.execute(attention.where(OutboxRow.state == LaneState.DEAD)).scalar_one(),
        "answers_withheld": sum(service.content.is_withheld(topic, today) for topic in topics),
        "answers_to_review": sum(topic.review_by < today for topic in topics.values()),
        "oldest_check": min(topic.checked_on for topic in topics.values()).isoformat() if topics else None,
        "webhooks": _webhooks(connection, service, now),
    }


def _webhooks(connection: Connection, service: Service, now: datetime) -> dict[str, Any]:
    """Of each channel that is on: whether the platform sends to us, and how long ago it last did."""
    found: dict[str, Any] = {}
    settings = service.settings
    if settings.has_telegram:
        found["telegram"] = webhook_watch.telegram_state(connection)
    for channel, is_on in (("telegram", settings.has_telegram), ("whatsapp", settings.has_whatsapp)):
        last = webhook_watch.last_received(connection, channel) if is_on else None
        found |= {f"{channel}_last_message_seconds": _age(last, now)} if last else {}
    return found


def _age(moment: datetime | None, now: datetime) -> int:
    return max(0, round((now - moment).total_seconds())) if moment else 0
