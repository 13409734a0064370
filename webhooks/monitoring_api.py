"""The survey figures for programs: JSON after the Dutch API design rules, behind the login or a key of the settings.

Rules that apply here (NLGov REST API Design Rules): only GET, resources in the plural, no slash at the end, the major
version in the address and the whole one in the header API-Version, errors as problem+json (RFC 9457), camelCase keys,
an OpenAPI document that anybody may read at `openapi.json`.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from bot.errors import WegwijsError
from bot.monitoring import operations
from bot.service import Service
from webhooks.auth import Guard, LoginNeededError, NotYoursError
from webhooks.monitoring_figures import FiguresError, NoAnswersError, SurveyFigures
from webhooks.monitoring_pages import READERS, wave_in

VERSION = "1.0.0"
BASE = "/api/monitoring/v1"
HEADERS = {"API-Version": VERSION, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_UNDERSCORE = re.compile(r"_([a-z0-9])")
# Keys below these are names of things (items, groups, waves), not of fields: they stay as they are.
_NAMES = {"items", "groups", "differences", "baseline", "trends", "by", "representation", "counts", "marked"}


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
                body = {
                    "type": "about:blank",
                    "title": error.title,
                    "status": error.status,
                    "instance": request.url.path,
                }
                return JSONResponse(body, error.status, HEADERS, media_type="application/problem+json")

        return with_problems


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
        self._service, self._figures = service, SurveyFigures(service)
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

    async def _report(self, request: Request) -> dict[str, Any]:
        await self.let_in(request)
        try:
            return await self._figures.report(wave_in(request))
        except NoAnswersError:
            raise ProblemError(404, "There are no answers of a closed wave yet") from None
        except FiguresError as error:
            raise ProblemError(404, str(error)) from None

    async def waves(self, request: Request) -> Response:
        return _reply((await self._report(request))["source"])

    async def items(self, request: Request) -> Response:
        found = await self._report(request)
        kept = ("topic", "label", "scale", "higher_is_worse", "total", "baseline", "weighted")
        return _reply({"items": {name: {key: item[key] for key in kept} for name, item in found["items"].items()}})

    async def item(self, request: Request, item: str) -> Response:
        found = await self._report(request)
        if item not in found["items"]:
            raise ProblemError(404, "There is no such item")
        return _reply(found["items"][item] | {"trend": found["trends"][item]})

    async def relations(self, request: Request) -> Response:
        return _reply({"relations": (await self._report(request))["relations"]})

    async def funnel(self, request: Request) -> Response:
        found = await self._report(request)
        return _reply({"funnel": found["funnel"], "representation": found["representation"]})

    async def checks(self, request: Request) -> Response:
        return _reply((await self._report(request))["tool_check"])

    async def operations(self, request: Request) -> Response:
        await self.let_in(request)
        now = self._service.clock.now()
        counts = await self._service.store.aread(lambda connection: operations.count(connection, now))
        found = operations.publish(counts)
        outcomes = [{"outcome": one.name, "count": one.count, "share": one.share} for one in found.outcomes]
        waits = {name: round(wait.total_seconds() / 3600, 1) if wait else None for name, wait in _waits(found).items()}
        return _reply({"days": operations.DAYS, "outcomes": outcomes, "kept_share": found.kept_share, **waits})


def _reply(value: Any) -> Response:
    return JSONResponse(camel(value), headers=HEADERS)


def router(service: Service) -> APIRouter:
    """The routes below `/api/monitoring/v1`."""
    api, routes = Api(service), APIRouter(prefix=BASE, tags=["monitoring"], route_class=ProblemRoute)
    for path, resource, summary in (
        ("/waves", api.waves, "The waves that there are, and which one figures are of"),
        ("/items", api.items, "Mean, deviation, number and distribution of every item, beside 2024"),
        ("/items/{item}", api.item, "All figures of one item: groups, differences, trend"),
        ("/relations", api.relations, "Standardised coefficients, controlled for gender and type"),
        ("/funnel", api.funnel, "Response, and respondents beside the population"),
        ("/checks", api.checks, "The tool's check of itself on what the study of 2024 printed"),
        ("/operations", api.operations, "How the service ran in the last days"),
    ):
        routes.add_api_route(path, resource, methods=["GET"], summary=summary)

    @routes.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        mine = [route for route in routes.routes if isinstance(route, APIRoute)]
        about = "Figures that name nobody: none of fewer people than the settings say, none that can be worked out."
        document = get_openapi(title="Wegwijs monitoring", version=VERSION, description=about, routes=mine)
        return JSONResponse(document, headers=HEADERS)

    return routes


def _waits(found: operations.Figures) -> dict[str, Any]:
    return {"median_wait_hours": found.median_wait, "p90_wait_hours": found.p90_wait}
