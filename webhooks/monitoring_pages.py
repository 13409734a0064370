"""The survey figures as pages: overview, item, groups, over time, response, the quarter on one page, and the export."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from bot import survey_words
from bot.monitoring.vocabulary import BACKGROUNDS, DERIVED
from bot.roles import Role
from bot.service import Service
from webhooks.auth import Guard
from webhooks.monitoring_figures import LATEST, TOO_FEW_GONE, FiguresError, NoAnswersError, SurveyFigures
from webhooks.monitoring_report import asked, by_scale, row, titles
from webhooks.pages import HEADERS, PageError, Pages, page_language, static

Figures = dict[str, Any]
READERS = (Role.COORDINATOR, Role.RESEARCHER)


class SurveyPages:
    """Each method is a page; all need the report of the wave in the address."""

    def __init__(self, service: Service, guard: Guard) -> None:
        self.figures = SurveyFigures(service)
        self.pages = Pages(guard)
        self._styles = [static("chart.css"), static("monitoring.css")]

    async def show(self, request: Request, template: str, values: Callable[[Figures], Figures]) -> Response:
        """A page of the wave in the address; where there are no figures, the page that says why."""
        try:
            found = await self.figures.report(wave_in(request))
        except (NoAnswersError, FiguresError) as error:
            return self.pages.render(
                request, "monitoring/none.html", status=200, error=str(error), style_sheets=self._styles
            )
        return self.pages.render(
            request,
            f"monitoring/{template}.html",
            found=found,
            wave=found["source"]["wave"],
            waves=found["source"]["waves"],
            demo=await self.figures.is_demo(),
            style_sheets=self._styles,
            **values(found),
        )

    def plain(self, template: str) -> Callable[[Request], Awaitable[Response]]:
        """A page that needs nothing besides the report."""

        async def page(request: Request) -> Response:
            return await self.show(request, template, lambda _: {})

        return page

    async def file(self, request: Request, kind: str, make: Callable[[str], Awaitable[bytes]]) -> Response:
        """Something to take along. Its name says what it is and of which wave."""
        try:
            found = await self.figures.report(wave_in(request))
            wave = found["source"]["wave"]
            body = await make(wave)
        except NoAnswersError:
            raise PageError(404, "no_figures") from None
        except FiguresError as error:
            gone = str(error) == TOO_FEW_GONE
            raise PageError(409 if gone else 404, TOO_FEW_GONE if gone else "no_figures") from None
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

    for name in ("relations", "funnel"):
        routes.add_api_route(f"/monitoring/{name}", survey.plain(name), methods=["GET"])

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

    @routes.get("/monitoring/choices")
    async def choices(request: Request) -> Response:
        return await survey.show(request, "choices", await words_of(service, survey, request))

    @routes.get("/monitoring/trend")
    async def trend(request: Request) -> Response:
        return await survey.show(request, "trend", lambda found: {"rows": _trend_rows(found)})

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


async def words_of(service: Service, survey: SurveyPages, request: Request) -> Callable[[Figures], Figures]:
    """The open answers of the wave that were let through: read anew each time, so that who is erased is gone."""
    own, least, wave = await survey.figures.waves(), service.settings.monitoring_min_people, wave_in(request)
    if not own:
        return lambda _: {"words": {}}
    chosen, items = own[-1] if wave == LATEST else wave, open_items(service)
    found = await service.store.aread(lambda connection: survey_words.shown(connection, chosen, items, least))
    return lambda _: {"words": found}


def open_items(service: Service) -> list[str]:
    """The items that are answered with words."""
    return [key for key, item in service.content.surveys.items.items() if item.kind == "open"]


def _of(things: Figures, name: str) -> Any:
    if name not in things:
        raise PageError(404, "no_figures")
    return things[name]


def _overview(found: Figures, language: str) -> Figures:
    there = asked(found["items"])
    scales = by_scale(there)
    return {
        "others": [item["label"][language] for name, item in found["items"].items() if name not in there],
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
    rows = _overview(found, language)
    return rows | {"page": found["quarter"], "titles": titles(found, language)}
