"""One HTTP client under both channels, on aiohttp: a POST costs a tenth of httpx's (docs/performance.md).

It holds its timeouts, repeats nothing, and tells what surely was not sent from what nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

CONNECT_SECONDS = 5.0
KEEP_SECONDS = 15.0  # an idle line is closed before the other side does so while a message is under way


class NeverSentError(Exception):
    """There was no connection: nothing left this machine."""


class MaybeSentError(Exception):
    """The line broke, or the answer did not come in time: nobody knows whether it arrived."""


@lru_cache(maxsize=64)
def _proxy(scheme: str, host: str) -> str | None:
    """The proxy that the environment names for a host (`HTTPS_PROXY`, `NO_PROXY`).

    aiohttp can look for it too, but in two threads at each request, which cost more than the request.
    """
    return None if proxy_bypass(host) else getproxies().get(scheme)


@dataclass(frozen=True)
class Answer:
    """What the other side said."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class HttpLine:
    """A client that keeps its connections. It opens itself at the first request; `close` it at the end.

    `timeout`: seconds for a whole request.
    """

    def __init__(self, timeout: float, connections: int = 16) -> None:
        self._timeout, self._connections = timeout, connections
        self._session: aiohttp.ClientSession | None = None

    async def request(self, method: str, url: str, *, timeout: float | None = None, **what: Any) -> Answer:  # noqa: ASYNC109  # of one request
        """Ask once. `what` as aiohttp names it: `data`, `json`, `params`, `headers`, `auth`.

        Raises NeverSentError or MaybeSentError.
        """
        limit = aiohttp.ClientTimeout(total=timeout or self._timeout, sock_connect=CONNECT_SECONDS)
        by = _proxy(*urlsplit(url)[:2])
        try:
            async with self._open().request(
                method, url, timeout=limit, allow_redirects=False, proxy=by, **what
            ) as answer:
                return Answer(answer.status, await answer.read(), dict(answer.headers))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NeverSentError(type(error).__name__) from None
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise MaybeSentError(type(error).__name__) from None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=KEEP_SECONDS)
            self._session = aiohttp.ClientSession(connector=connector)
        return self._session

    async def close(self) -> None:
        """Close what is open. The next request opens anew."""
        if self._session is not None:
            await self._session.close()
            self._session = None
