"""Limits on the size of a request's body and address, before anything reads them."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_NUMBER = 2**63 - 1
MAX_PATH = 1000  # characters; a number of 5,000 digits in a path can't even be read as a number
MAX_DIGITS = 18  # of a length that is told; more than 4,300 cannot even be read as a number


class RowNumber(IntegerConvertor):
    """A number in an address, `{ticket_id:int}`. One that no column holds becomes the largest, which no row has.

    SQLite breaks on more; like this a page says by itself that there is no such thing.
    """

    def convert(self, value: str) -> int:
        return min(int(value), MAX_NUMBER)


def as_number(text: str | None) -> int | None:
    """The number of a row in a form or behind the `?` of an address; None for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < len(str(MAX_NUMBER)) else None


def bound_numbers() -> None:
    """From now on a route gets no number that breaks a statement. Before the routes are made."""
    register_url_convertor("int", RowNumber())


def is_told_too_long(headers: Mapping[bytes, bytes], limit: int) -> bool:
    """Whether a request tells of more than `limit` bytes, or of a length that is no number."""
    length = headers.get(b"content-length", b"0")
    return not length.isdigit() or len(length) > MAX_DIGITS or int(length) > limit


class BodyTooLargeError(Exception):
    """The body went over the limit while it was read."""


class BodyLimit:
    """Answers 413 to a body of more than `limit` bytes, also when its length isn't told beforehand.

    `larger`: paths that take more, and how much.
    """

    def __init__(self, app: ASGIApp, limit: int, larger: Mapping[str, int] | None = None) -> None:
        self.app, self.limit, self.larger = app, limit, larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if len(scope["path"]) > MAX_PATH:
            await _refuse(send, 414, b"The address is too long.\n")
            return
        limit = max(self.limit, self.larger.get(scope["path"], 0))
        if is_told_too_long(dict(scope["headers"]), limit):
            await _refuse(send)
            return
        try:
            await self.app(scope, _counted(receive, limit), send)
        except BodyTooLargeError:
            await _refuse(send)


def _counted(receive: Receive, limit: int) -> Receive:
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise BodyTooLargeError
        return message

    return counted


async def _refuse(send: Send, status: int = 413, words: bytes = b"The body is too large.\n") -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words})
