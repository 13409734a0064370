"""Live update of the list of questions: server-sent events that say "something changed", in numbers only.

One look at the database a second for all listeners of a process, and none when nobody listens. It works over several
processes because the database is what they share. A page without a script, or whose stream ends, has its button.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator

from fastapi import APIRouter, Depends, Request, Response
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.types import Receive, Scope, Send

from bot.desk import news
from bot.desk.news import News, OpenTicket, State
from bot.errors import StoreUnavailableError
from bot.roles import ANSWERING, Principal
from bot.service import Service
from bot.storage.store import Store
from webhooks.auth import Guard
from webhooks.pages import HEADERS, Pages

LOOK_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0  # also how long it takes to see that a silent browser went away
STREAM_SECONDS = 300.0  # then the browser comes back by itself, and its session is checked again
STREAMS_PER_SESSION = 4  # a browser opens six connections to one server at most, and the pages need some
STREAMS = 400  # of one process
log = logging.getLogger(__name__)


class Watcher:
    """The open tickets, read once a second as long as somebody listens."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None
        self._looked = asyncio.Event()
        self.tickets: tuple[OpenTicket, ...] | None = None

    def has_room(self, key: str) -> bool:
        return self._listeners[key] < STREAMS_PER_SESSION and self._listeners.total() < STREAMS

    @contextlib.contextmanager
    def listening(self, key: str) -> Iterator[None]:
        """Count a listener of a session; the first one starts the looking, the last one ends it."""
        self._listeners[key] += 1
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._look())
        try:
            yield
        finally:
            self._listeners[key] -= 1
            self._listeners += Counter()  # drops those at zero
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task, self.tickets = None, None

    async def look(self) -> None:
        """Wait for the next look at the database, whatever it found."""
        await self._looked.wait()

    async def _look(self) -> None:
        while True:
            try:
                found = await self._store.aread(news.open_tickets)
                self.tickets = self.tickets if found == self.tickets else found  # the same object: nothing changed
            except StoreUnavailableError as error:
                log.warning("no look at the open questions: %s", error)
            self._looked.set()
            self._looked = asyncio.Event()
            await asyncio.sleep(LOOK_SECONDS)


class Stream(EventSourceResponse):
    """A stream that counts as a listener exactly as long as it runs, however it ends."""

    def __init__(self, content: AsyncIterator[bytes], watcher: Watcher, key: str) -> None:
        super().__init__(content, headers=HEADERS | {"X-Accel-Buffering": "no"})
        self._watcher, self._key = watcher, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._watcher.listening(self._key):
            await super().__call__(scope, receive, send)


def router(service: Service) -> APIRouter:
    """The route `GET /desk/events?since=…`, where `since` is the state that the page was made with."""
    guard = Guard(service)
    pages = Pages(guard)
    watcher = Watcher(service.store)
    routes = APIRouter(
        tags=["desk"],
        route_class=pages.route_class(),
        dependencies=[Depends(guard.allow(*ANSWERING))],
        include_in_schema=False,
    )

    @routes.get("/desk/events")
    async def events(request: Request) -> Response:
        session = request.state.session
        if not watcher.has_room(session.token):
            return Response(status_code=204, headers=HEADERS)  # a browser does not try again after this
        shown = request.query_params.get("since", "")[: news.MAX_TEXT]
        told = request.headers.get("last-event-id", shown)  # a browser that comes back was told already
        is_stopping: Callable[[], bool] = getattr(request.app.state, "is_stopping", lambda: False)

        def words(found: News) -> str:
            return pages.fragment(request, "shell/news.html", news=found)

        tellings = _tellings(watcher, session.principal, news.read_state(shown), told)
        return Stream(_stream(tellings, words, is_stopping), watcher, session.token)

    return routes


async def _tellings(
    watcher: Watcher, principal: Principal, shown: State, told: str
) -> AsyncIterator[tuple[str, News] | None]:
    """After each look: the new state with what is different from the page, or None where there is nothing to tell."""
    compared: tuple[OpenTicket, ...] | None = None
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(watcher.look(), 2 * LOOK_SECONDS)
        if watcher.tickets is None or watcher.tickets is compared:
            yield None
            continue
        compared = watcher.tickets
        state = str(news.state_of(compared, principal))
        yield None if state == told else (state, news.since(shown, compared, principal))
        told = state


async def _stream(
    tellings: AsyncIterator[tuple[str, News] | None],
    words: Callable[[News], str],
    is_stopping: Callable[[], bool],
) -> AsyncIterator[bytes]:
    """The events as a browser reads them, and a comment now and then where it is quiet."""
    clock = asyncio.get_running_loop().time
    started = beat = clock()
    yield b": here\n\n"
    async for telling in tellings:
        if is_stopping() or clock() - started > STREAM_SECONDS:
            return
        if telling is not None:
            beat = clock()
            yield format_sse_event(event="news", id=telling[0], data_str=words(telling[1]))
        elif clock() - beat > HEARTBEAT_SECONDS:
            beat = clock()
            yield b": still here\n\n"
