"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy.engine import Connection

from bot.errors import StoreUnavailableError
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
        try:
            facts = await service.store.aread(_facts)
        except (StoreUnavailableError, sa.exc.SQLAlchemyError):
            return JSONResponse({"status": "database unavailable"}, status_code=503)
        oldest = facts.pop("oldest")
        waits = (service.clock.now() - oldest) if oldest else timedelta()
        ok = waits < SLOW
        body = {"status": "ok" if ok else "slow", "oldest_waiting_seconds": round(waits.total_seconds()), **facts}
        return JSONResponse(body, status_code=200 if ok else 503)

    return routes


def _facts(connection: Connection) -> dict[str, Any]:
    waiting = InboxRow.state < sa.literal_column("2")
    attention = sa.select(sa.func.count()).select_from(OutboxRow)
    return {
        "oldest": connection.execute(sa.select(sa.func.min(InboxRow.due_at)).where(waiting)).scalar_one(),
        "inbox_waiting": connection.execute(sa.select(sa.func.count(InboxRow.id)).where(waiting)).scalar_one(),
        "outbox_unknown": connection.execute(attention.where(OutboxRow.state == LaneState.UNKNOWN)).scalar_one(),
        "outbox_dead": connection.execute(attention.where(OutboxRow.state == LaneState.DEAD)).scalar_one(),
    }
