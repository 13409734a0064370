"""The survey figures as pages: overview, item, groups, over time, response, the quarter on one page, and the export."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from bot.monitoring.vocabulary import BACKGROUNDS, DERIVED
from bot.roles import Role
from bot.service import Service
from webhooks.auth import Guard
from webhooks.monitoring_figures import LATEST, FiguresError, NoAnswersError, SurveyFigures
from webhooks.monitoring_report import by_scale, row, titles
from webhooks.pages import HEADERS, PageError, Pages, page_language, static

Figures = dict[str, Any]
READERS = (Role.COORDINATOR, Role.RESEARCHER)


class SurveyPages:
    """Each method is a page; all need the report of the wave in the address."""

    def __init__(self, service: Service, guard: Guard) -> None:
        self.figures = SurveyFigures(service)
        self.pages = Pages(guard)
        self._style = static("monitoring.css")

    async def show(self, request: Request, template: str, values: Callable[[Figures], Figures]) -> Response:
        """A page of the wave in the address; where there are no figures, the page that says why."""
        try:
            found = await self.figures.report(wave_in(request))
        except (NoAnswersError, FiguresError) as error:
            return self.pages.render(
                request, "monitoring/none.html", status=200, error=str(error), chart_style=self._style
            )
        return self.pages.render(
            request,
            f"monitoring/{template}.html",
            found=found,
            wave=found["source"]["wave"],
            waves=found["source"]["waves"],
            demo=await self.figures.is_demo(),
            chart_style=self._style,
            **values(found),
        )

    async def file(self, request: Request, kind: str, make: Callable[[str], Awaitable[bytes]]) -> Response:
        """Something to take along. Its name says what it is and of which wave."""
        try:
            found = await self.figures.report(wave_in(request))
            wave = found["source"]["wave"]
            body = await make(wave)
        except (NoAnswersError, FiguresError):
            raise PageError(404, "no_figures") from None
        name = "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in str(wave))
        media = {"pdf": "application/pdf", "zip": "application/zip"}[kind]
        headers = HEADERS | {"Content-Disposition": f'attachment; filename="wegwijs-{name}.{kind}"'}
        return Response(body, media_type=media, headers=headers)


def wave_in(request: Request) -> str:
    """The wave that the address names; else the latest."""
    return request.query_params.get("wave", "")[:60] or LATEST


def router(service: Service) -> APIRouter:
    """The routes below `/monitoring` that show figures of surveys."""
    guard = Guard(service)
    survey = SurveyPages(service, guard)
    routes = APIRouter(
        tags=["monitoring"],
        route_class=survey.pages.route_class(),
        dependencies=[Depends(guard.allow(*READERS))],
        include_in_schema=False,
    )

    @routes.get("/monitoring/survey")
    async def overview(request: Request) -> Response:
        return await survey.show(request, "survey", lambda found: _overview(found, page_language(request)))

    @routes.get("/monitoring/items/{item}")
    async def one_item(request: Request, item: str) -> Response:
        return await survey.show(request, "item", lambda found: {"item": _of(found["items"], item)})

    @routes.get("/monitoring/groups/{background}")
    async def groups(request: Request, background: str) -> Response:
        _of(dict.fromkeys((*BACKGROUNDS, *DERIVED), True), background)
        return await survey.show(request, "groups", lambda _: {"background": background})

    @routes.get("/monitoring/trend")
    async def trend(request: Request) -> Response:
        return await survey.show(request, "trend", lambda found: {"rows": _trend_rows(found)})

    @routes.get("/monitoring/funnel")
    async def funnel(request: Request) -> Response:
        return await survey.show(request, "funnel", lambda _: {})

    @routes.get("/monitoring/quarter")
    async def quarter(request: Request) -> Response:
        return await survey.show(request, "quarter", lambda found: _quarter(found, page_language(request)))

    @routes.get("/monitoring/quarter.pdf")
    async def quarter_pdf(request: Request) -> Response:
        language = page_language(request)
        return await survey.file(request, "pdf", lambda wave: survey.figures.quarter_pdf(wave, language))

    @routes.get("/monitoring/export.zip")
    async def export(request: Request) -> Response:
        return await survey.file(request, "zip", survey.figures.export)

    return routes


def _of(things: Figures, name: str) -> Any:
    if name not in things:
        raise PageError(404, "no_figures")
    return things[name]


def _overview(found: Figures, language: str) -> Figures:
    scales = by_scale(found["items"])
    return {
        "scales": [(low, high, names) for (low, high), names in scales.items()],
        "rows": {ends: [row(found["items"][name], language) for name in names] for ends, names in scales.items()},
        "backgrounds": found["source"]["backgrounds"],
    }


def _trend_rows(found: Figures) -> dict[str, list[Figures]]:
    """For each item a row of the chart for each wave; 2024 stands in the first."""
    rows = {}
    for name, trend in found["trends"].items():
        before = found["items"][name]["baseline"].get("total", {}).get("m_2024")
        rows[name] = [
            {
                "name": wave["wave"],
                "m": wave["m"],
                "interval": wave.get("interval"),
                "reason": wave.get("reason", ""),
                "before": None if place else before,
            }
            for place, wave in enumerate(trend["waves"])
        ]
    return rows


def _quarter(found: Figures, language: str) -> Figures:
    page = found["quarter"]
    return {"page": page, "titles": titles(page, language)}
