"""Headers that every answer carries: route, file or refusal. Pages set stricter ones themselves."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")  # ASVS 5.0, 3.4.1


def safe_headers(*, https: bool) -> tuple[tuple[bytes, bytes], ...]:
    """The headers. `https`: browsers shall never come without it again."""
    return (*SAFE, HSTS) if https else SAFE


class SafeHeaders:
    """Adds to each answer what its route did not set."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self._headers = safe_headers(https=https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(pair for pair in self._headers if pair[0] not in there)]
            await send(message)

        await self.app(scope, receive, with_headers)
