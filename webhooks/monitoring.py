"""The monitoring page: how the service runs, in figures that name nobody. Behind the same login as the desk."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.engine import Connection

from bot.monitoring import facts, operations
from bot.monitoring.operations import MIN_COUNT, Figures
from bot.roles import Role
from bot.service import Service
from bot.settings import Settings
from webhooks.auth import Guard
from webhooks.pages import Pages, page_language, static

KEPT = timedelta(minutes=1)
BAR, GAP, HEIGHT = 8, 3, 60  # of the chart, in its own units


@dataclass(frozen=True)
class Bar:
    """A day in a chart. No height where the figure isn't shown."""

    x: int
    height: float


@dataclass(frozen=True)
class Counted:
    """How the service ran, counted at a moment."""

    at: datetime
    figures: Figures
    months: list[facts.Month]


class Running:
    """Counts how the service runs, at most once in `KEPT`: in a busy year there is much to count for each look."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._counted: Counted | None = None
        self._one_at_a_time = asyncio.Lock()

    async def read(self) -> Counted:
        """The counts of now, or of a moment ago."""
        async with self._one_at_a_time:
            now = self._service.clock.now()
            if self._counted is None or not timedelta() <= now - self._counted.at < KEPT:
                self._counted = await self._service.store.aread(lambda connection: self._count(connection, now))
            return self._counted

    def _count(self, connection: Connection, now: datetime) -> Counted:
        months = facts.months(connection, now, prices(self._service.settings))
        return Counted(now, operations.publish(operations.count(connection, now)), months)


def router(service: Service) -> APIRouter:
    """The route `GET /monitoring`."""
    guard = Guard(service)
    pages, running = Pages(guard), Running(service)
    routes = APIRouter(
        tags=["monitoring"],
        route_class=pages.route_class(),
        dependencies=[Depends(guard.allow(Role.COORDINATOR, Role.RESEARCHER))],
        include_in_schema=False,
    )

    @routes.get("/monitoring")
    async def show(request: Request) -> Response:
        counted = await running.read()
        figures = counted.figures
        titles = {topic: answer.title for topic, answer in service.content.answers[page_language(request)].items()}
        return pages.render(
            request,
            "desk/monitoring.html",
            figures=figures,
            counted_at=counted.at,
            months=counted.months,
            titles=titles,
            charts=charts(figures),
            bar_width=BAR,
            chart_height=HEIGHT,
            chart_width=len(figures.days) * (BAR + GAP),
            highest=_highest(figures),
            min_count=MIN_COUNT,
            days=operations.DAYS,
            month_count=operations.MONTHS,
            style_sheets=[static("monitoring.css")],
        )

    return routes


def prices(settings: Settings) -> dict[str, float]:
    """What a message costs, by channel, where that is known."""
    known = {"telegram": settings.message_price_telegram, "whatsapp": settings.message_price_whatsapp}
    return {channel: price for channel, price in known.items() if price is not None}


def _highest(figures: Figures) -> int:
    return max((count or 0 for day in figures.days for count in day.counts), default=0)


def charts(figures: Figures) -> dict[str, list[Bar]]:
    """A row of bars for each language with a figure to show, oldest day first, all on one scale."""
    highest = _highest(figures)
    found: dict[str, list[Bar]] = {}
    for place, language in enumerate(figures.languages):
        counts = [day.counts[place] or 0 for day in reversed(figures.days)]
        if any(counts):
            heights = [round(HEIGHT * count / highest, 1) for count in counts]
            found[language] = [Bar(number * (BAR + GAP), height) for number, height in enumerate(heights)]
    return found
