"""What goes when: every kind of row that is kept for a time, how much there is of it, and what was deleted."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.engine import Connection

from bot import audit, retention
from bot.locales import AMSTERDAM
from bot.retention import Done, Standing
from bot.roles import Role
from bot.service import Service
from bot.worker import RETENTION_SECONDS
from webhooks.auth import Guard
from webhooks.pages import Pages


def router(service: Service) -> APIRouter:
    """The route `GET /desk/retention`."""
    guard = Guard(service)
    pages = Pages(guard)
    routes = APIRouter(
        tags=["retention"],
        route_class=pages.route_class(),
        dependencies=[Depends(guard.allow(Role.ADMIN))],
        include_in_schema=False,
    )
    rules = retention.rules(service.content, service.settings.retention_days)

    def read(connection: Connection) -> tuple[list[Standing], Done]:
        return [retention.standing(connection, rule) for rule in rules], retention.done(connection)

    @routes.get("/desk/retention")
    async def show(request: Request) -> Response:
        now = service.clock.machine_now()
        standing, done = await service.store.aread(read)
        who = request.state.session.principal
        await service.store.awrite(lambda c: audit.record(c, who, "retention.view", now))
        rows = [
            {
                "name": one.rule.name,
                "days": one.rule.age / timedelta(days=1),
                "changed": one.rule.name in service.settings.retention_days,
                "now": one.rows,
                "first": _day(one),
                "lately": done.lately(one.rule.name),
                "last": _last(done, one.rule.name),
            }
            for one in standing
        ]
        every, shown = round(RETENTION_SECONDS / 60), retention.DAYS_SHOWN
        return pages.render(request, "retention/retention.html", rows=rows, done=done, shown=shown, every=every)

    return routes


def _last(done: Done, name: str) -> tuple[date, int] | None:
    """The day on which something of a kind was last deleted, and how much."""
    last = done.last(name)
    return (date.fromisoformat(last[0]), last[1]) if last else None


def _day(one: Standing) -> date | None:
    first = one.first_goes_at
    return first.astimezone(AMSTERDAM).date() if isinstance(first, datetime) else first
