"""The survey figures as pages: overview, item, groups, over time, response, the quarter on one page, and the export."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from bot import audit, survey_words
from bot.locales import AMSTERDAM
from bot.monitoring.quarter import between, quarter, quarter_of
from bot.monitoring.vocabulary import BACKGROUNDS, DERIVED
from bot.roles import Role
from bot.service import Service
from bot.survey_reports import (
    LATEST,
    PATIENCE,
    TOO_FEW,
    TOO_FEW_GONE,
    BeingMadeError,
    FiguresError,
    NoAnswersError,
    SurveyFigures,
)
from webhooks.auth import Guard
from webhooks.monitoring_report import asked, by_scale, row, titles
from webhooks.pages import HEADERS, PageError, Pages, page_language, static

Figures = dict[str, Any]
Values = Callable[[Figures], Figures | Awaitable[Figures]]  # what a template needs besides the report
READERS = (Role.COORDINATOR, Role.RESEARCHER)
LOOK_AGAIN = 4  # seconds until a page whose figures are being made looks again by itself


class SurveyPages:
    """Each method is a page; all need the report of the wave in the address."""

    def __init__(self, service: Service, guard: Guard) -> None:
        self.service, self.figures = service, SurveyFigures(service)
        self.pages = Pages(guard)
        self._styles = [static("chart.css"), static("monitoring.css")]

    async def show(self, request: Request, template: str, values: Values) -> Response:
        """A page of the wave in the address; where there are no figures, the page that says why."""
        try:
            found = await self.figures.report(wave_in(request), PATIENCE)
            more = values(found)
            more = await more if isinstance(more, Awaitable) else more
        except BeingMadeError:
            soon = self.pages.render(request, "monitoring/none.html", error="being_made", style_sheets=self._styles)
            soon.headers["Refresh"] = str(LOOK_AGAIN)
            return soon
        except (NoAnswersError, FiguresError) as error:
            return self.pages.render(request, "monitoring/none.html", error=str(error), style_sheets=self._styles)
        return self.pages.render(
            request,
            f"monitoring/{template}.html",
            found=found,
            wave=found["source"]["wave"],
            waves=found["source"]["waves"],
            demo=await self.figures.is_demo(),
            style_sheets=self._styles,
            **more,
        )

    def plain(self, template: str) -> Callable[[Request], Awaitable[Response]]:
        """A page that needs nothing besides the report."""

        async def page(request: Request) -> Response:
            return await self.show(request, template, lambda _: {})

        return page

    async def file(self, request: Request, kind: str, make: Callable[[str], Awaitable[bytes]]) -> Response:
        """Something to take along. Its name says what it is and of which wave."""
        try:
            found = await self.figures.report(wave_in(request), PATIENCE)
            wave = found["source"]["wave"]
            body = await make(wave)
        except NoAnswersError:
            raise PageError(404, "no_figures") from None
        except BeingMadeError:
            raise PageError(503, "being_made") from None
        except FiguresError as error:
            told = str(error) in (TOO_FEW_GONE, TOO_FEW)
            raise PageError(409 if told else 404, str(error) if told else "no_figures") from None
        name = "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in str(wave))
        media = {"pdf": "application/pdf", "zip": "application/zip"}[kind]
        headers = HEADERS | {"Content-Disposition": f'attachment; filename="wegwijs-{name}.{kind}"'}
        return Response(body, media_type=media, headers=headers)

    async def overview(self, request: Request) -> Response:
        return await self.show(request, "survey", lambda found: _overview(found, page_language(request)))

    async def one_item(self, request: Request, item: str) -> Response:
        return await self.show(request, "item", lambda found: {"item": _of(found["items"], item)})

    async def groups(self, request: Request, background: str) -> Response:
        _of(dict.fromkeys((*BACKGROUNDS, *DERIVED), True), background)
        return await self.show(request, "groups", lambda _: {"background": background})

    async def choices(self, request: Request) -> Response:
        return await self.show(request, "choices", await words_of(self, request))

    async def trend(self, request: Request) -> Response:
        def rows(found: Figures) -> Figures:
            return {"rows": _trend_rows(found), "shares": _share_rows(found, page_language(request))}

        return await self.show(request, "trend", rows)

    async def quarter(self, request: Request) -> Response:
        async def page(found: Figures) -> Figures:
            made = await self._quarter(request, found)
            return made | _by_scale(made["page"], page_language(request))

        return await self.show(request, "quarter", page)

    async def quarter_pdf(self, request: Request) -> Response:
        async def make(wave: str) -> bytes:
            made = await self._quarter(request, await self.figures.report(wave, PATIENCE))
            return await self.figures.quarter_pdf(made["page"], page_language(request))

        return await self.file(request, "pdf", make)

    async def _quarter(self, request: Request, found: Figures) -> Figures:
        """The page of the quarter in the address, else of the quarter in which the wave that is shown closed."""
        of = found["source"]["quarters"]
        today = quarter_of(self.service.clock.now().astimezone(AMSTERDAM).date())
        known = between(min(of.values()), max(today, *of.values())) if of else []
        asked_for = request.query_params.get("quarter", "")
        chosen = asked_for if asked_for in known else of.get(found["source"]["wave"], "")
        waves = [wave for wave in found["source"]["waves"] if of.get(wave) == chosen]
        reports = [await self.figures.report(wave, PATIENCE) for wave in waves] if chosen else [found]
        return {"page": quarter(reports, chosen), "chosen": chosen, "known": known}

    async def export(self, request: Request) -> Response:
        """The answers of a closed wave, a row each, made safe. Audited: it is the one place where rows leave."""

        async def rows(wave: str) -> bytes:
            body = await self.figures.export(wave)
            who, now = request.state.session.principal, self.service.clock.machine_now()
            await self.service.store.awrite(
                lambda c: audit.record(c, who, "survey.answers", now, detail=f"wave={wave}")
            )
            return body

        return await self.file(request, "zip", rows)


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
    pages: dict[str, Callable[..., Awaitable[Response]]] = {
        "survey": survey.overview,
        "relations": survey.plain("relations"),
        "funnel": survey.plain("funnel"),
        "choices": survey.choices,
        "trend": survey.trend,
        "items/{item}": survey.one_item,
        "groups/{background}": survey.groups,
        "quarter": survey.quarter,
        "quarter.pdf": survey.quarter_pdf,
    }
    for place, page in pages.items():
        routes.add_api_route(f"/monitoring/{place}", page, methods=["GET"])
    alone = [Depends(guard.allow(Role.RESEARCHER))]
    routes.add_api_route("/monitoring/export.zip", survey.export, methods=["GET"], dependencies=alone)
    return routes


async def words_of(survey: SurveyPages, request: Request) -> Values:
    """The open answers of the wave that were let through: read anew each time, so that who is erased is gone."""
    service = survey.service
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


def _share_rows(found: Figures, language: str) -> dict[str, list[Figures]]:
    """For each question with options a row of the chart for each option and wave: its share with Wilson's interval."""
    rows = {}
    for name, trend in found["choice_trends"].items():
        options = dict.fromkeys(one["value"] for wave in trend["waves"] for one in wave.get("options", ()))
        rows[name] = [
            _share_row(f"{trend['labels'].get(value, {}).get(language, value)} · {wave['wave']}", one)
            for value in options
            for wave in trend["waves"]
            for one in wave.get("options", ())
            if one["value"] == value
        ]
    return rows


def _share_row(name: str, one: Figures) -> Figures:
    if one["percent"] is None:
        return {"name": name, "m": None, "interval": None, "reason": f"< {one['below']} %", "before": None}
    ends = {"low": one["low"], "high": one["high"]}
    return {"name": name, "m": one["percent"], "interval": ends, "reason": "", "before": None}


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


def _by_scale(page: Figures, language: str) -> Figures:
    """What the template shows of a quarter: its titles, and the rows of each scale."""
    scales: dict[tuple[int, int], list[Figures]] = {}
    for one in page["rows"]:
        chart = {"name": one["label"][language], "interval": {"low": one["low"], "high": one["high"]}, "reason": ""}
        scales.setdefault((one["scale"]["low"], one["scale"]["high"]), []).append(one | chart)
    return {"titles": titles(page, language), "scales": scales}
