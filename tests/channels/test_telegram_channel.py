"""What each failure of Telegram means, and what a message looks like there."""

from __future__ import annotations

import asyncio
import json

import pytest

from bot.channels.http import MaybeSentError, NeverSentError
from bot.channels.telegram import TelegramChannel, make_bot
from bot.errors import Failure, SendError
from bot.messages import Address, Option, OutboundMessage
from tests.channels.wire import answer, wire

API = "http://telegram.test"
HELLO = OutboundMessage("Hallo", "nl")


def send(said, message=HELLO, callback=None):
    """Send one message to a Telegram that answers so; gives the id and the requests."""

    async def run():
        old = answer(400, error("Bad Request: query is too old", 400))
        channel = TelegramChannel(make_bot("123:TEST", API))
        with wire({"/bot123:TEST/sendMessage": said, "/bot123:TEST/answerCallbackQuery": old}) as asked:
            try:
                return await channel.send(Address("telegram", "7"), message, callback), asked
            finally:
                await channel.close()

    return asyncio.run(run())


def ok(result):
    return answer(200, {"ok": True, "result": result})


def error(description, code, **parameters):
    return {"ok": False, "error_code": code, "description": description, "parameters": parameters}


SENT = {"message_id": 5, "date": 1, "chat": {"id": 7, "type": "private"}, "text": "Hallo"}


def test_a_message_goes_as_plain_text_with_its_buttons():
    message = OutboundMessage("2 < 3 _x_", "nl", (Option("menu", "Menu"), Option("human", "Een persoon spreken")))
    provider_id, ((_, what),) = send(ok(SENT), message)
    form = what["data"]
    assert provider_id == "5"
    assert form["text"] == "2 < 3 _x_"
    assert "parse_mode" not in form
    rows = json.loads(form["reply_markup"])["inline_keyboard"]
    assert [[button["callback_data"] for button in row] for row in rows] == [["menu"], ["human"]]


def test_a_tap_is_answered_and_one_of_long_ago_harms_nothing():
    provider_id, asked = send(ok(SENT), callback="q1")
    assert provider_id == "5"
    assert [url.rpartition("/")[2] for url, _ in asked] == ["answerCallbackQuery", "sendMessage"]


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        (answer(429, error("Too Many Requests", 429, retry_after=7)), Failure.TEMPORARY),
        (answer(403, error("Forbidden: bot was blocked by the user", 403)), Failure.BLOCKED),
        (answer(403, error("Forbidden: user is deactivated", 403)), Failure.BLOCKED),
        (answer(400, error("Bad Request: chat not found", 400)), Failure.BLOCKED),
        (answer(400, error("Bad Request: message is too long", 400)), Failure.PERMANENT),
        (answer(502, error("Bad Gateway", 502)), Failure.TEMPORARY),
        (answer(404, error("Not Found", 404)), Failure.TEMPORARY),
        (NeverSentError("no connection"), Failure.TEMPORARY),
        (MaybeSentError("no answer"), Failure.UNKNOWN),
    ],
)
def test_each_failure_says_what_to_do(said, failure):
    with pytest.raises(SendError) as caught:
        send(said)
    assert caught.value.failure is failure


def test_the_wait_that_telegram_asks_for_is_kept():
    with pytest.raises(SendError) as caught:
        send(answer(429, error("Too Many Requests", 429, retry_after=7)))
    assert caught.value.retry_after == 7
