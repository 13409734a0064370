"""How the answering goes, for the coordinator."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.engine import Connection

from bot import audit
from bot.desk import overview
from bot.roles import Role
from bot.service import Service
from webhooks.auth import Guard
from webhooks.pages import Pages


def router(service: Service) -> APIRouter:
    """The route `GET /desk/overview`."""
    guard = Guard(service)
    pages = Pages(guard)
    routes = APIRouter(
        tags=["overview"],
        route_class=pages.route_class(),
        dependencies=[Depends(guard.allow(Role.COORDINATOR))],
        include_in_schema=False,
    )

    @routes.get("/desk/overview")
    async def show(request: Request) -> Response:
        now, machine_now = service.clock.now(), service.clock.machine_now()
        facts = await service.store.aread(lambda connection: overview.read(connection, now))

        def looked(connection: Connection) -> None:
            audit.record(connection, request.state.session.principal, "overview.view", machine_now)

        await service.store.awrite(looked)
        return pages.render(
            request, "overview/overview.html", all=facts, days=overview.DAYS, ahead=overview.AHEAD, million=1_000_000
        )

    return routes
