"""Somebody takes an urgent question upon them: the alarm is quiet for an hour."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.engine import Connection

from bot import alarm, audit
from bot.desk import tickets
from bot.escalation import BACK_UP_DESK
from bot.roles import ANSWERING, Principal
from bot.service import Service
from webhooks.auth import Guard
from webhooks.pages import HEADERS, PageError, Pages


def router(service: Service) -> APIRouter:
    """The route `POST /desk/tickets/{ticket_id}/take`."""
    guard = Guard(service)
    pages = Pages(guard)
    routes = APIRouter(
        tags=["desk"],
        route_class=pages.route_class(),
        dependencies=[Depends(guard.allow(*ANSWERING))],
        include_in_schema=False,
    )

    @routes.post("/desk/tickets/{ticket_id:int}/take")
    async def take(request: Request, ticket_id: int) -> Response:
        who: Principal = request.state.session.principal
        now = service.clock.now()

        def work(connection: Connection) -> None:
            page = tickets.ticket(connection, ticket_id, who)
            if page is None:
                raise PageError(404, "gone")
            if alarm.take(connection, ticket_id, who.name or BACK_UP_DESK, now):
                audit.record(connection, who, "ticket.take", now, ticket_id=ticket_id)

        await service.store.awrite(work)
        return RedirectResponse(f"/desk/tickets/{ticket_id}", status_code=303, headers=HEADERS)

    return routes
