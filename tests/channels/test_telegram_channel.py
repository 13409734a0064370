"""What each failure of Telegram means, and what a message looks like there."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import parse_qs

import httpx
import pytest
import respx

from bot.channels.telegram import TelegramChannel, make_bot
from bot.errors import Failure, SendError
from bot.messages import Address, Option, OutboundMessage

API = "http://telegram.test"
HELLO = OutboundMessage("Hallo", "nl")


def send(answer, message=HELLO, callback=None):
    """Send one message to a Telegram that answers so; gives the id and the requests."""

    async def run():
        with respx.mock(assert_all_called=False) as mock:
            route = mock.post(f"{API}/bot123:TEST/sendMessage")
            route.side_effect = answer if callable(answer) else None
            if not callable(answer):
                route.return_value = answer
            query = mock.post(f"{API}/bot123:TEST/answerCallbackQuery")
            query.return_value = httpx.Response(400, json=error("Bad Request: query is too old", 400))
            mock.post(f"{API}/bot123:TEST/getMe").return_value = ok({"id": 123, "is_bot": True, "first_name": "b"})
            channel = TelegramChannel(make_bot("123:TEST", API))
            try:
                return await channel.send(Address("telegram", "7"), message, callback), route.calls, query.calls
            finally:
                await channel.close()

    return asyncio.run(run())


def ok(result):
    return httpx.Response(200, json={"ok": True, "result": result})


def error(description, code, **parameters):
    return {"ok": False, "error_code": code, "description": description, "parameters": parameters}


SENT = {"message_id": 5, "date": 1, "chat": {"id": 7, "type": "private"}, "text": "Hallo"}


def test_a_message_goes_as_plain_text_with_its_buttons():
    message = OutboundMessage("2 < 3 _x_", "nl", (Option("menu", "Menu"), Option("human", "Een persoon spreken")))
    provider_id, calls, _ = send(ok(SENT), message)
    form = {key: value[0] for key, value in parse_qs(calls[0].request.content.decode()).items()}
    assert provider_id == "5"
    assert form["text"] == "2 < 3 _x_"
    assert "parse_mode" not in form
    rows = json.loads(form["reply_markup"])["inline_keyboard"]
    assert [[button["callback_data"] for button in row] for row in rows] == [["menu"], ["human"]]


def test_a_tap_is_answered_and_one_of_long_ago_harms_nothing():
    provider_id, _, queries = send(ok(SENT), callback="q1")
    assert provider_id == "5"
    assert len(queries) == 1


def raising(exception):
    def answer(request):
        raise exception("broken", request=request)

    return answer


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (httpx.Response(429, json=error("Too Many Requests", 429, retry_after=7)), Failure.TEMPORARY),
        (httpx.Response(403, json=error("Forbidden: bot was blocked by the user", 403)), Failure.BLOCKED),
        (httpx.Response(403, json=error("Forbidden: user is deactivated", 403)), Failure.BLOCKED),
        (httpx.Response(400, json=error("Bad Request: chat not found", 400)), Failure.BLOCKED),
        (httpx.Response(400, json=error("Bad Request: message is too long", 400)), Failure.PERMANENT),
        (httpx.Response(502, json=error("Bad Gateway", 502)), Failure.TEMPORARY),
        (httpx.Response(404, json=error("Not Found", 404)), Failure.TEMPORARY),
        (raising(httpx.ConnectError), Failure.TEMPORARY),
        (raising(httpx.ConnectTimeout), Failure.TEMPORARY),
        (raising(httpx.PoolTimeout), Failure.TEMPORARY),
        (raising(httpx.ReadTimeout), Failure.UNKNOWN),
        (raising(httpx.WriteTimeout), Failure.UNKNOWN),
        (raising(httpx.RemoteProtocolError), Failure.UNKNOWN),
    ],
)
def test_each_failure_says_what_to_do(answer, failure):
    with pytest.raises(SendError) as caught:
        send(answer)
    assert caught.value.failure is failure


def test_the_wait_that_telegram_asks_for_is_kept():
    with pytest.raises(SendError) as caught:
        send(httpx.Response(429, json=error("Too Many Requests", 429, retry_after=7)))
    assert caught.value.retry_after == 7
