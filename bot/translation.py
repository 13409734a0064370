"""A translator for the desk: off unless an address is set. Only what people at the desk ask for goes to it.

It speaks the interface of LibreTranslate, which the municipality can run itself. What it makes is always shown before
it is sent, and marked as a machine's.
"""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from typing import Protocol

import httpx

from bot.errors import TranslationError

log = logging.getLogger(__name__)
CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 15.0
KEPT = 500  # translations of questions in memory, so that a page that is opened again asks nothing


class Translator(Protocol):
    """Anything that translates a text."""

    async def translate(self, text: str, source: str, target: str) -> str:
        """The text in another language; `source` and `target` as ISO 639-1. Raises TranslationError."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...


class LibreTranslator:
    """A LibreTranslate server: `POST /translate` with q, source, target and format, back comes `translatedText`."""

    def __init__(self, url: str, key: str = "", transport: httpx.AsyncBaseTransport | None = None) -> None:
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        self._client = httpx.AsyncClient(timeout=timeout, transport=transport)
        self._address, self._key = f"{url.rstrip('/')}/translate", key
        self._kept: OrderedDict[bytes, str] = OrderedDict()

    async def translate(self, text: str, source: str, target: str) -> str:
        place = hashlib.sha256(f"{source}>{target}:{text}".encode("utf-8", "surrogatepass")).digest()
        if place not in self._kept:
            self._kept[place] = await self._ask(text, source, target)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[place]

    async def _ask(self, text: str, source: str, target: str) -> str:
        body = {"q": text, "source": source, "target": target, "format": "text"}
        body |= {"api_key": self._key} if self._key else {}
        try:
            response = await self._client.post(self._address, json=body)
            response.raise_for_status()
            translated = response.json()["translatedText"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            log.warning("the translator failed: %s", type(error).__name__)
            raise TranslationError(type(error).__name__) from None
        if not isinstance(translated, str) or not translated.strip():
            raise TranslationError("no text came back")
        return translated

    async def close(self) -> None:
        await self._client.aclose()
