"""The desk: the batch of tickets that wait for somebody. Works without JavaScript."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.engine import Connection

from bot import audit
from bot.desk import batch, news, resending, tickets, troubles
from bot.desk.batch import Batch, Line
from bot.desk.grouping import Grouper
from bot.desk.settling import Outcome
from bot.roles import ANSWERING, Role
from bot.service import Service
from webhooks import desk_curated, desk_ticket, desk_together
from webhooks.auth import Guard
from webhooks.desk_forms import read_ids
from webhooks.pages import PageError, Pages, page_language

PATIENCE = 2.0  # seconds that the list waits for questions to be put together
DONE_SHOWN = 40  # tickets whose fate is told after they were dealt with
_AGAIN = {Outcome.GOES_NOW, Outcome.WAITS_WINDOW}  # what is told of an answer that was sent again


def router(service: Service) -> APIRouter:
    """The routes of `/desk`."""
    guard = Guard(service)
    pages = Pages(guard)
    desk = Desk(service, pages)
    routes = APIRouter(tags=["desk"], route_class=pages.route_class(), include_in_schema=False)
    may_answer = [Depends(guard.allow(*ANSWERING))]
    routes.add_api_route("/desk", desk.index, methods=["GET"], dependencies=may_answer)
    see_all = [Depends(guard.allow(Role.DESK, Role.COORDINATOR))]
    routes.add_api_route("/desk/sends/{send_id:int}/again", desk.send_again, methods=["POST"], dependencies=see_all)
    desk_ticket.add_routes(routes, service, guard, pages)
    desk_together.add_routes(routes, service, guard, pages)
    return routes


class Desk:
    """The list behind the login."""

    def __init__(self, service: Service, pages: Pages) -> None:
        self._service, self._pages = service, pages
        self._grouper = Grouper(service.conversation.understander.encode)

    async def index(self, request: Request) -> Response:
        """My batch; and what became of the tickets that were just dealt with."""
        who, now = request.state.session.principal, self._service.clock.now()
        done_ids = read_ids(request.query_params.get("done", "").split(","), DONE_SHOWN)

        def read(connection: Connection) -> dict[str, Any]:
            audit.record(connection, who, "batch.view", now)
            found = (tickets.ticket(connection, number, who) for number in done_ids)
            return {
                "state": news.state_of(news.open_tickets(connection), who),
                "batch": batch.read(connection, who, now, self._service.settings.hours),
                "troubles": troubles.attention(connection, who),
                "done": [page for page in found if page is not None],
            }

        facts: dict[str, Any] = await self._service.store.awrite(read)
        mine: Batch = facts["batch"]
        now_due = {line.ticket.id for line in mine.due}
        lines = (*mine.due, *mine.later)
        groups = await self._together(lines)
        facts["grouped"] = groups is not None
        groups = groups if groups is not None else [(line,) for line in lines]
        facts["due"] = [group for group in groups if group[0].ticket.id in now_due]  # takes along what means the same
        facts["later"] = groups[len(facts["due"]) :]
        facts |= {"now": now, "titles": desk_curated.titles(self._service.content, page_language(request))}
        facts["again"] = again if (again := request.query_params.get("again")) in _AGAIN else ""
        return self._pages.render(request, "desk/list.html", **facts)

    async def send_again(self, request: Request, send_id: int) -> Response:
        """A checked answer that belongs to no question, and may not have arrived, goes once more."""
        who, now = request.state.session.principal, self._service.clock.now()
        result = await self._service.store.awrite(lambda c: resending.send_gap_again(c, send_id, who, now))
        if result.outcome in {Outcome.GONE, Outcome.UNREACHABLE}:
            raise PageError(404, "gone")
        return desk_ticket.go(f"/desk?again={result.outcome.value}" if result.accepted else "/desk")

    async def _together(self, lines: tuple[Line, ...]) -> list[tuple[Line, ...]] | None:
        """In groups of the same meaning; None when that takes too long: the work goes on, for the next look."""
        work = asyncio.ensure_future(asyncio.to_thread(batch.together, lines, self._grouper))
        done, _ = await asyncio.wait({work}, timeout=PATIENCE)
        return work.result() if done else None
