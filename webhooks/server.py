"""What listens: messages are accepted at once, and the pages are built right after, beside them.

Why: FastAPI, its 150 routes and the words of the pages are a quarter of a start, and no message needs them
(docs/adr/0015-messages-before-pages.md). Whoever asks for a page earlier waits for it, and so does `/health/ready`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import uvicorn
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.service import Service
from bot.worker import settle
from webhooks import telegram, whatsapp
from webhooks.door import Doors

PAGES_AFTER = 1.0  # seconds, when nobody asks for one: side by side, pages and a first answer would wait for each other
STOP_SECONDS = 20  # for what is under way when the service is told to stop

Life = Callable[[Service], AbstractAsyncContextManager[None]]


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


class Server:
    """An ASGI application, and the server that runs it. `life`: what goes on as long as it listens."""

    def __init__(self, service: Service, life: Life = running) -> None:
        settings = service.settings
        self._service, self._life = service, life
        self._doors = Doors([*telegram.routes(service), *whatsapp.routes(service)], self._page)
        self._lifespan = Router(lifespan=self._live)
        self._wanted = asyncio.Event()
        self._fault: BaseException | None = None
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                self,
                host=settings.host,
                port=settings.port,
                access_log=False,
                log_config=None,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )

    def run(self) -> int:
        """Serve until a signal says stop; returns the exit code. Raises what went wrong with the pages.

        Streams end by themselves at once, so a stop is quick.
        """
        with contextlib.suppress(KeyboardInterrupt):
            self._uvicorn.run()
        if self._fault is not None:
            raise self._fault
        return 0 if self._uvicorn.started else 3

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._doors(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        self._wanted.set()
        pages = await asyncio.shield(self._pages)
        await pages(scope, receive, send)

    @contextlib.asynccontextmanager
    async def _live(self, _: object) -> AsyncIterator[None]:
        async with self._life(self._service):
            self._pages = asyncio.create_task(self._build())
            self._pages.add_done_callback(self._built)
            try:
                yield
            finally:
                self._pages.cancel()

    async def _build(self) -> ASGIApp:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wanted.wait(), PAGES_AFTER)
        return await asyncio.to_thread(self._make)

    def _make(self) -> ASGIApp:
        """In a thread: messages come in meanwhile."""
        gc.disable()  # as at the rest of the start: what is made here stays
        try:
            from webhooks.app import create_app  # noqa: PLC0415  # the reason of this module

            app = create_app(self._service)
        finally:
            gc.freeze()
            gc.enable()
        app.state.is_stopping = lambda: self._uvicorn.should_exit
        return app

    def _built(self, pages: asyncio.Task[ASGIApp]) -> None:
        """A fault of the pages ends the server as it would have ended a start."""
        if not pages.cancelled() and (fault := pages.exception()):
            self._fault, self._uvicorn.should_exit = fault, True
