"""The survey figures for programs: JSON after the Dutch API design rules, behind the login or a key of the settings.

Rules that apply here (NLGov REST API Design Rules): only GET, resources in the plural, no slash at the end, the major
version in the address and the whole one in the header API-Version, errors as problem+json (RFC 9457), camelCase keys,
an OpenAPI document that anybody may read at `openapi.json`.
"""

from __future__ import annotations

import hmac
import math
import re
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as PathParameter
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel

from bot.errors import WegwijsError
from bot.monitoring import facts, operations
from bot.service import Service
from bot.survey_reports import (
    LATEST,
    PATIENCE,
    TOO_FEW_GONE,
    BeingMadeError,
    FiguresError,
    NoAnswersError,
    SurveyFigures,
)
from webhooks import monitoring_schema as schema
from webhooks.auth import Guard, LoginNeededError, NotYoursError
from webhooks.monitoring import Running
from webhooks.monitoring_pages import LOOK_AGAIN, READERS

VERSION = "1.2.0"
BASE = "/api/monitoring/v1"
HEADERS = {
    "API-Version": VERSION,
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
TEXTS = {TOO_FEW_GONE: "Too few people are gone since this wave was last shown: new figures would tell about them"}
WaveName = Annotated[
    str | None, Query(max_length=60, description="which closed wave; the latest when left out", examples=["2026-1"])
]
_UNDERSCORE = re.compile(r"_([a-z0-9])")
# Keys below these are names of things (items, groups, waves), not of fields: they stay as they are.
_NAMES = {
    "items",
    "groups",
    "differences",
    "baseline",
    "trends",
    "by",
    "representation",
    "counts",
    "marked",
    "quarters",
}
# Resources with what they answer, in the order of the document.
RESOURCES: tuple[tuple[str, str, str, type[BaseModel]], ...] = (
    ("/waves", "waves", "The waves that there are, and which one figures are of", schema.Waves),
    ("/items", "items", "Mean, deviation, number and distribution of every item, beside 2024", schema.Items),
    ("/items/{item}", "item", "All figures of one item: groups, differences, trend", schema.WholeItem),
    ("/choices", "choices", "Questions with options, numbers or words", schema.Choices),
    ("/relations", "relations", "Standardised coefficients, controlled for gender and type", schema.Relations),
    ("/funnel", "funnel", "Response, and respondents beside the population", schema.Funnel),
    ("/checks", "checks", "The tool's check of itself on what the study of 2024 printed", schema.Checks),
    ("/operations", "operations", "How the service ran in the last days and months", schema.Operations),
)


class ProblemError(WegwijsError):
    """An answer that is an error, as problem+json."""

    def __init__(self, status: int, title: str) -> None:
        super().__init__(title)
        self.status, self.title = status, title


class ProblemRoute(APIRoute):
    """Routes whose errors are problem+json (RFC 9457)."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def with_problems(request: Request) -> Response:
            try:
                return await handler(request)
            except ProblemError as error:
                return _problem(request, error.status, error.title)
            except RequestValidationError as error:
                first = error.errors()[0]
                return _problem(request, 422, f"{first['loc'][-1]}: {first['msg']}")

        return with_problems


def _problem(request: Request, status: int, title: str) -> Response:
    body = schema.Problem(title=title, status=status, instance=request.url.path).model_dump()
    again = {"Retry-After": str(LOOK_AGAIN)} if status == 503 else {}
    return JSONResponse(body, status, HEADERS | again, media_type="application/problem+json")


def camel(value: Any, *, names: bool = False) -> Any:
    """The same with keys in camelCase. `names`: these keys name things and stay as they are."""
    if isinstance(value, list):
        return [camel(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key if names else _UNDERSCORE.sub(lambda match: match[1].upper(), key): camel(
            inner, names=not names and key in _NAMES
        )
        for key, inner in value.items()
    }


class Api:
    """The resources. Each needs the login or the key; figures are of the wave in the address, else of the latest."""

    def __init__(self, service: Service) -> None:
        self._service, self._figures, self._running = service, SurveyFigures(service), Running(service)
        self._allowed = Guard(service).allow(*READERS)

    async def let_in(self, request: Request) -> None:
        """Raises ProblemError (401 or 403) for who has neither a login with the role nor the key."""
        key, given = self._service.settings.monitoring_api_key, request.headers.get("authorization", "")
        if key and hmac.compare_digest(given.encode(), f"Bearer {key}".encode()):
            return
        try:
            await self._allowed(request)
        except LoginNeededError:
            raise ProblemError(401, "Log in, or send the key: Authorization: Bearer") from None
        except NotYoursError:
            raise ProblemError(403, "Only researchers and coordinators may read figures") from None

    async def _report(self, request: Request, wave: str | None) -> dict[str, Any]:
        await self.let_in(request)
        try:
            return await self._figures.report(wave or LATEST, PATIENCE)
        except BeingMadeError:
            raise ProblemError(503, "The figures are being made: ask again in some seconds") from None
        except NoAnswersError:
            raise ProblemError(404, "There are no answers of a closed wave yet") from None
        except FiguresError as error:
            raise ProblemError(404, TEXTS.get(str(error), str(error))) from None

    async def waves(self, request: Request, wave: WaveName = None) -> Response:
        return _reply((await self._report(request, wave))["source"])

    async def items(self, request: Request, wave: WaveName = None) -> Response:
        found = await self._report(request, wave)
        kept = ("topic", "label", "scale", "higher_is_worse", "total", "baseline", "weighted")
        return _reply({"items": {name: {key: item[key] for key in kept} for name, item in found["items"].items()}})

    async def item(
        self,
        request: Request,
        item: Annotated[str, PathParameter(description="number in the study", examples=["Q17"])],
        wave: WaveName = None,
    ) -> Response:
        found = await self._report(request, wave)
        if item not in found["items"]:
            raise ProblemError(404, "There is no such item")
        return _reply(found["items"][item] | {"trend": found["trends"][item]})

    async def relations(self, request: Request, wave: WaveName = None) -> Response:
        found = await self._report(request, wave)
        return _reply({name: found[name] for name in ("relations", "study_tables")})

    async def choices(self, request: Request, wave: WaveName = None) -> Response:
        found = await self._report(request, wave)
        over_time = {name: trend["waves"] for name, trend in found["choice_trends"].items()}
        return _reply(
            {"items": {name: item | {"trend": over_time.get(name, [])} for name, item in found["choices"].items()}}
        )

    async def funnel(self, request: Request, wave: WaveName = None) -> Response:
        found = await self._report(request, wave)
        return _reply({"funnel": found["funnel"], "representation": found["representation"]})

    async def checks(self, request: Request, wave: WaveName = None) -> Response:
        return _reply((await self._report(request, wave))["tool_check"])

    async def operations(self, request: Request) -> Response:
        await self.let_in(request)
        counted = await self._running.read()
        found, months = counted.figures, counted.months
        waits = {name: round(wait.total_seconds() / 3600, 1) if wait else None for name, wait in _waits(found).items()}
        return _reply(
            {
                "days": operations.DAYS,
                "outcomes": [{"outcome": one.name, "count": one.count, "share": one.share} for one in found.outcomes],
                "rated": [{"way": one.name, "count": one.count, "helped": one.share} for one in found.rated],
                "unanswered": [{"topic": topic, "count": number} for topic, number in found.unanswered],
                "topics": [_topic(row, found) for row in found.topics],
                "months": [asdict(month) | _ended(month) for month in months],
                "kept_share": found.kept_share,
                **waits,
            }
        )


def _topic(row: operations.TopicRow, found: operations.Figures) -> dict[str, Any]:
    tongues, months = (
        dict(zip(names, numbers, strict=True))
        for names, numbers in ((found.languages, row.by_language), (found.months, row.by_month))
    )
    return {"topic": row.topic, "by_language": tongues, "by_month": months}


def _ended(month: facts.Month) -> dict[str, float | None]:
    """Hours without an end (longer than every bin) are no number in JSON."""
    waits = {name: getattr(month, name) for name in ("median_hours", "p90_hours")}
    return {name: hours if hours is not None and math.isfinite(hours) else None for name, hours in waits.items()}


def _reply(value: Any) -> Response:
    return JSONResponse(camel(value), headers=HEADERS)


def router(service: Service) -> APIRouter:
    """The routes below `/api/monitoring/v1`."""
    api, routes = Api(service), APIRouter(prefix=BASE, tags=["monitoring"], route_class=ProblemRoute)
    problem = {"content": {"application/problem+json": {"schema": schema.Problem.model_json_schema()}}}
    version = {"API-Version": {"description": "the whole version", "schema": {"type": "string"}}}
    problems: dict[int | str, dict[str, Any]] = {
        401: problem | {"description": "No login and no key"},
        403: problem | {"description": "A login without the role"},
        404: problem | {"description": "No such wave or item, or no figures yet"},
        422: problem | {"description": "A parameter that can't be"},
        503: problem | {"description": "The figures are being made; Retry-After says when to ask again"},
    }
    for path, name, summary, shape in RESOURCES:
        responses: dict[int | str, dict[str, Any]] = {200: {"model": shape, "headers": version}, **problems}
        routes.add_api_route(
            path,
            getattr(api, name),
            methods=["GET"],
            summary=summary,
            operation_id=f"get{name.capitalize()}",
            responses=responses,
            response_model=None,
        )

    @routes.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        mine = [route for route in routes.routes if isinstance(route, APIRoute)]
        return JSONResponse(document(mine), headers=HEADERS | {"Access-Control-Allow-Origin": "*"})

    return routes


def document(routes: list[APIRoute]) -> dict[str, Any]:
    """The OpenAPI document: who may call, and every resource. Collections are small and complete: no pages."""
    about = (
        "Figures that name nobody: none of fewer people than the settings say, none that can be worked out. "
        "Collections are small and always complete, so there are no pages of them."
    )
    found = get_openapi(
        title="Wegwijs monitoring",
        version=VERSION,
        description=about,
        routes=routes,
        contact={"name": "Gemeente Nijmegen", "url": "https://www.nijmegen.nl/"},
        license_info={"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
        servers=[{"url": "/", "description": "where the service runs"}],
        tags=[{"name": "monitoring", "description": "Surveys beside the study of 2024, and how the service runs"}],
    )
    schemes = {
        "key": {"type": "http", "scheme": "bearer", "description": "WEGWIJS_MONITORING_API_KEY"},
        "login": {"type": "apiKey", "in": "cookie", "name": "wegwijs_desk", "description": "the login of the pages"},
    }
    found["components"]["securitySchemes"] = schemes
    found["security"] = [{"key": []}, {"login": []}]
    return found


def _waits(found: operations.Figures) -> dict[str, Any]:
    return {"median_wait_hours": found.median_wait, "p90_wait_hours": found.p90_wait}
