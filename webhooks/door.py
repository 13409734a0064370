"""The door of a channel: a webhook that is answered in front of FastAPI's layers.

Why: the layers around every page (errors, telemetry, limits, headers, routes) took longer than accepting a message does
(docs/performance.md). What they would have done for a webhook stands here: the size of a body, the headers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.settings import Settings
from webhooks.headers import safe_headers
from webhooks.limits import is_told_too_long


@dataclass(frozen=True, slots=True)
class Knock:
    """A request at a door. Names of headers are in small letters, as ASGI gives them."""

    path: str
    query: str
    headers: dict[bytes, bytes]
    body: bytes

    def header(self, name: bytes) -> str:
        """The value of a header, of which any bytes are read; "" without it."""
        return self.headers.get(name, b"").decode("latin-1")


@dataclass(frozen=True, slots=True)
class Said:
    """The answer: a status, and after how many seconds the provider shall come back."""

    status: int
    retry_after: int | None = None


Handler = Callable[[Knock], Awaitable[Said]]


class Door:
    """An ASGI application that reads one whole request of at most `limit` bytes, asks `handler`, and says a status."""

    def __init__(self, handler: Handler, limit: int, *, https: bool) -> None:
        self._handler, self._limit = handler, limit
        self._headers = [*safe_headers(https=https), (b"content-length", b"0")]
        self._bare = self._headers[:-1]  # a 204 must not tell a length (RFC 9110, 8.6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        body = await self._read(headers, receive)
        if body is None:
            await self._say(send, Said(413), [(b"connection", b"close")])
            return
        knock = Knock(scope["path"], scope["query_string"].decode("latin-1"), headers, body)
        await self._say(send, await self._handler(knock))

    async def _read(self, headers: dict[bytes, bytes], receive: Receive) -> bytes | None:
        """The body; None when it is too long, also when its length isn't told beforehand."""
        if is_told_too_long(headers, self._limit):
            return None
        body = b""
        while True:
            message: Message = await receive()
            part: bytes = message.get("body", b"")
            body += part
            if len(body) > self._limit:
                return None
            if not message.get("more_body"):
                return body

    async def _say(self, send: Send, said: Said, more: list[Any] | None = None) -> None:
        headers = (self._bare if said.status == 204 else self._headers) + (more or [])  # no content
        if said.retry_after is not None:
            headers.append((b"retry-after", b"%d" % said.retry_after))
        await send({"type": "http.response.start", "status": said.status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def door(path: str, handler: Handler, settings: Settings) -> Route:
    """A route whose endpoint is a Door."""
    https = settings.public_base_url.startswith("https://")
    return Route(path, Door(handler, settings.max_body_bytes, https=https), methods=["POST"])


class Doors:
    """An ASGI application: a POST to a door is answered there, everything else by the application `behind`."""

    def __init__(self, doors: Iterable[Route], behind: ASGIApp) -> None:
        self._doors, self._behind = {door.path: door.app for door in doors}, behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        await ((is_post and self._doors.get(scope["path"])) or self._behind)(scope, receive, send)
