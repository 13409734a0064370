"""Telegram, through python-telegram-bot's `Bot` as a typed client only: both channels share one inbox and one worker.

Plain text without any markup, so a stray `<` or `_` can't make a message fail. Errors by `docs/channels.md`.
"""

from __future__ import annotations

import contextlib
import os
from datetime import timedelta
from typing import Any

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

from bot.channels.http import HttpLine, MaybeSentError, NeverSentError
from bot.errors import Failure, SendError
from bot.messages import Address, Option, OutboundMessage, button_rows
from bot.pace import Pace

READ_SECONDS = 15.0


def make_bot(token: str, api_url: str) -> Bot:
    """A client of the Bot API. `api_url` is Telegram's own, or a double's in tests."""
    os.environ.setdefault(
        "PTB_TIMEDELTA", "true"
    )  # waits as timedelta, the library's coming default, instead of a warning
    files = f"{api_url}/file/bot"
    return Bot(token, base_url=f"{api_url}/bot", base_file_url=files, request=Request(), get_updates_request=Request())


class Request(BaseRequest):
    """The library's way out, on our client. Uploads are not made here, so a request is a form."""

    def __init__(self, timeout: float = READ_SECONDS) -> None:
        self._line, self._timeout = HttpLine(timeout), timeout

    @property
    def read_timeout(self) -> float:
        return self._timeout

    async def initialize(self) -> None:
        """The client opens itself."""

    async def shutdown(self) -> None:
        await self._line.close()

    async def do_request(  # noqa: PLR0917  # the interface is the library's
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = None,
        write_timeout: Any = None,  # noqa: ARG002  # one limit holds for the whole request
        connect_timeout: Any = None,  # noqa: ARG002
        pool_timeout: Any = None,  # noqa: ARG002
    ) -> tuple[int, bytes]:
        data = request_data.json_parameters if request_data else None
        limit = read_timeout if isinstance(read_timeout, int | float) else None
        try:
            answer = await self._line.request(method, url, timeout=limit, data=data)
        except (NeverSentError, MaybeSentError) as error:
            raise NetworkError(str(error)) from error
        return answer.status, answer.body


class TelegramChannel:
    """Sends to chats. A bot can only write to somebody who wrote first."""

    name = "telegram"
    pace = Pace(per_second=25, gap=1.0, burst=10)  # 30 a second and one a second per chat are the platform's limits

    def __init__(self, bot: Bot) -> None:
        self.bot = bot

    async def send(self, address: Address, message: OutboundMessage, callback: str | None) -> str:
        if callback:
            await self._answer(callback)
        try:
            sent = await self.bot.send_message(
                chat_id=int(address.value),
                text=message.text,
                reply_markup=keyboard(message.options),
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
        except TelegramError as error:
            raise send_error(error) from None
        return str(sent.message_id)

    async def _answer(self, callback: str) -> None:
        """Stop the button's spinner. A tap of long ago can't be answered any more, and need not be."""
        with contextlib.suppress(TelegramError):
            await self.bot.answer_callback_query(callback)

    async def close(self) -> None:
        with contextlib.suppress(TelegramError, RuntimeError):
            await self.bot.shutdown()


def keyboard(options: tuple[Option, ...]) -> InlineKeyboardMarkup | None:
    """Inline buttons, in rows."""
    rows = [
        [InlineKeyboardButton(option.label, callback_data=option.token) for option in row]
        for row in button_rows(options)
    ]
    return InlineKeyboardMarkup(rows) if rows else None


def send_error(error: TelegramError) -> SendError:
    """What an error of the library means for the next step."""
    code = f"{type(error).__name__}: {_reason(error)}"
    if isinstance(error, RetryAfter):
        wait = error.retry_after
        seconds = wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
        return SendError(Failure.TEMPORARY, "429", seconds)
    if isinstance(error, Forbidden):
        return SendError(Failure.BLOCKED, code)
    if isinstance(error, BadRequest):
        gone = "chat not found" in str(error).lower()
        return SendError(Failure.BLOCKED if gone else Failure.PERMANENT, code)
    if isinstance(error, InvalidToken):
        return SendError(Failure.TEMPORARY, code)  # a wrong setting: people mend it, the message waits
    if isinstance(error, NetworkError):
        return _network_error(error, code)
    return SendError(Failure.PERMANENT, code)


def _network_error(error: NetworkError, code: str) -> SendError:
    if isinstance(error, TimedOut) or isinstance(error.__cause__, MaybeSentError):
        return SendError(Failure.UNKNOWN, code)
    return SendError(Failure.TEMPORARY, code)  # no connection, or a 5xx answer: the library raises that without a cause


def _reason(error: TelegramError) -> str:
    """The platform's own sentence, without anything that might name a person."""
    return str(error)[:80]
