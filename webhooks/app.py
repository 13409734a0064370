"""The web application: the one place where routes meet the parts of the service."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from bot.service import Service, build
from bot.settings import Settings, load_settings
from bot.understanding import Understander
from bot.worker import settle
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
from webhooks.door import Application
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
CHORES_AFTER = 2.0  # seconds: eleven of them at once held up the first answer by 0.2 s
STOP_SECONDS = 20  # for what is under way when the service is told to stop
CASELOAD = (caseload, week)  # who guides whom: pages under the same switch


def create_app(service: Service) -> FastAPI:
    """The application of a service that is built. Starting it starts the worker."""
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


@contextlib.asynccontextmanager
async def open_doors(service: Service) -> AsyncIterator[None]:
    """Messages are accepted as long as this context lasts; nobody answers them yet."""
    settle()
    service.store.run_inline()
    try:
        yield
    finally:
        await service.close()


@contextlib.asynccontextmanager
async def running(service: Service) -> AsyncIterator[None]:
    """The worker runs as long as this context; what is in flight at the end is finished."""
    async with open_doors(service):
        worker = asyncio.create_task(service.worker.run())
        try:
            yield
        finally:
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker


def serve_app(settings: Settings | None = None, understander: Understander | None = None) -> FastAPI:
    """What uvicorn serves: everything built from the environment when the server starts."""
    service = build(settings or load_settings(), understander=understander)
    service.worker.chores_after = CHORES_AFTER
    app = create_app(service)
    app.router.lifespan_context = lambda _: running(service)
    return app


def run(app: FastAPI, settings: Settings) -> int:
    """Serve until a signal says stop; returns the exit code. Streams end by themselves at once, so a stop is quick."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )
    app.state.is_stopping = lambda: server.should_exit
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else 3
