"""The web application: the one place where routes meet the parts of the service."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.service import Service
from webhooks import (
    accounts,
    caseload,
    content_pages,
    desk,
    events,
    gaps,
    health,
    login,
    metrics,
    monitoring,
    monitoring_api,
    monitoring_pages,
    monitoring_words,
    overview,
    own_account,
    own_data,
    retention_page,
    simulator,
    surveys,
    telegram,
    urgent,
    week,
    whatsapp,
)
from webhooks.door import Doors
from webhooks.headers import SafeHeaders
from webhooks.limits import BodyLimit, bound_numbers

# Every page for people who work here: one switch.
DESK = (
    login,
    own_account,
    accounts,
    desk,
    events,
    content_pages,
    monitoring,
    surveys,
    urgent,
    gaps,
    overview,
    retention_page,
    monitoring_pages,
    monitoring_words,
    monitoring_api,
)
CASELOAD = (caseload, week)  # who guides whom: pages under the same switch


class Application(FastAPI):
    """FastAPI, with doors in front of its layers. They are ordinary routes too, for whoever lists them."""

    def add_doors(self, doors: list[Route]) -> None:
        """Take routes whose endpoint is a Door. To be called once."""
        self.router.routes[:0] = doors
        self._front = Doors(doors, super().__call__)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._front(scope, receive, send)


def create_app(service: Service) -> FastAPI:
    """The application of a service that is built: pages and doors. `webhooks.server` runs it."""
    settings = service.settings
    bound_numbers()
    app = Application(
        title="Wegwijs",
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url=None if settings.is_production else "/openapi.json",
    )
    app.add_doors([*telegram.routes(service), *whatsapp.routes(service)])
    app.include_router(health.router(service))
    app.include_router(metrics.router(service))
    app.include_router(own_data.router(service))
    if settings.desk:
        for area in (*DESK, *CASELOAD):
            if settings.surveys or area is not surveys:
                app.include_router(area.router(service))
    if settings.desk and settings.oidc_issuer:
        from webhooks import oidc  # noqa: PLC0415  # its libraries take 0.1 s, and most have no provider

        app.include_router(oidc.router(service))
    if settings.simulator:
        app.include_router(simulator.router(service))
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    larger = caseload.larger_bodies(settings.max_upload_bytes)
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes, larger=larger)
    app.add_middleware(SafeHeaders, https=settings.public_base_url.startswith("https://"))
    app.state.service = service
    return app
