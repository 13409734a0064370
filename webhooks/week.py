"""The own week of a klantregisseur, and everybody's for the coordinator."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.engine import Connection

from bot.desk import week
from bot.desk.actors_file import DAYS
from bot.desk.caseload import Applied
from bot.desk.telling import Teller
from bot.desk.week import Colleague
from bot.locales import clean
from bot.roles import Role
from bot.service import Service
from webhooks.auth import Guard
from webhooks.limits import as_number
from webhooks.pages import PageError, Pages, page_language

MAX_TEXT = 5000


def router(service: Service) -> APIRouter:
    """The routes of `/desk/week`."""
    guard = Guard(service)
    pages = Pages(guard)
    area = Weeks(service, pages)
    routes = APIRouter(
        tags=["desk"],
        route_class=pages.route_class(),
        include_in_schema=False,
        dependencies=[Depends(guard.allow(Role.KLANTREGISSEUR, Role.COORDINATOR))],
    )
    routes.add_api_route("/desk/week", area.show, methods=["GET"])
    routes.add_api_route("/desk/week/save", area.save, methods=["POST"])
    return routes


class Weeks:
    """The pages. A coordinator sees and changes every week, a klantregisseur the own one."""

    def __init__(self, service: Service, pages: Pages) -> None:
        self._service, self._pages = service, pages

    async def show(self, request: Request) -> Response:
        principal = request.state.session.principal
        wanted = request.query_params.get("actor", "")
        if not wanted and principal.has(Role.COORDINATOR):
            everybody = await self._service.store.aread(week.colleagues)
            return self._pages.render(request, "caseload/weeks.html", colleagues=everybody, own=principal.actor_id)
        return await self._form(request, await self._colleague(request, wanted or str(principal.actor_id or "")))

    async def _colleague(self, request: Request, wanted: str) -> Colleague:
        """Whose week it is. 404 for nobody, and for somebody else's where it is not to be seen."""
        principal = request.state.session.principal
        actor_id = as_number(wanted) or 0
        if not principal.has(Role.COORDINATOR) and actor_id != principal.actor_id:
            raise PageError(404, "gone")
        found = await self._service.store.aread(lambda connection: week.colleague(connection, actor_id))
        if found is None:
            raise PageError(404, "gone")
        return found

    async def _form(self, request: Request, who: Colleague, status: int = 200, **values: Any) -> Response:
        slots, absences = week.written(who.calendar, page_language(request))
        facts: dict[str, Any] = {"who": who, "slots": slots, "absences": absences}
        facts |= {
            "faults": [],
            "moves": None,
            "applied": None,
            "day": DAYS[page_language(request)][1],
        }
        return self._pages.render(request, "caseload/week.html", status=status, **(facts | values))

    async def save(self, request: Request) -> Response:
        """Keep a week. Where open promises would move, the number is shown first."""
        form = request.state.form
        who = await self._colleague(request, form.get("actor", ""))
        typed = {name: clean(form.get(name, ""))[:MAX_TEXT] for name in ("slots", "absences")}
        calendar, faults = week.read_week(typed["slots"], typed["absences"])
        if faults:
            return await self._form(request, who, 422, faults=faults, **typed)
        service = self._service
        expected = int(form["moves"]) if re.fullmatch("[0-9]{1,8}", form.get("moves", "")) else 0
        teller = Teller(service.content, service.settings.hours, service.clock.now())
        principal = request.state.session.principal

        def work(connection: Connection) -> Applied | None:
            return week.save(connection, who.id, calendar, teller, principal, expected=expected)

        applied = await service.store.awrite(work)
        if applied is None:
            moves = await service.store.aread(
                lambda connection: week.promises_that_move(connection, who.id, calendar, teller.now)
            )
            return await self._form(request, who, 409, moves=moves, **typed)
        return await self._form(request, await self._colleague(request, str(who.id)), applied=applied)
