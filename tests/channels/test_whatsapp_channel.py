"""What each failure of Twilio means, and what leaves for WhatsApp."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

import httpx
import pytest
import respx
from twilio.rest import Client

from bot.channels.whatsapp import HttpClient, WhatsAppChannel
from bot.errors import Failure, SendError
from bot.messages import Address, OutboundMessage

ACCOUNT = "AC" + "0" * 32
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
PERSON = Address("whatsapp", "whatsapp:NL.1A2B", "whatsapp:NL.1A2B")


def send(answer, api_url=""):
    async def run():
        with respx.mock() as mock:
            route = mock.post(f"{api_url or 'https://api.twilio.com'}{PATH}")
            if callable(answer):
                route.side_effect = answer
            else:
                route.return_value = answer
            http = HttpClient(api_url)
            client = Client("SK1", "secret", ACCOUNT, http_client=http)
            channel = WhatsAppChannel(
                client, http, sender="whatsapp:+14155238886", status_callback="https://bot.example.org/whatsapp/status"
            )
            try:
                return await channel.send(PERSON, OutboundMessage("مرحبا", "ar"), None), route.calls
            finally:
                await channel.close()

    return asyncio.run(run())


def refusal(status, code):
    return httpx.Response(status, json={"code": code, "message": "no", "more_info": "", "status": status})


def raising(exception):
    def answer(request):
        raise exception("broken", request=request)

    return answer


@pytest.mark.parametrize("api_url", ["", "http://127.0.0.1:9200"])
def test_a_message_goes_to_the_address_as_it_was_received(api_url):
    provider_id, calls = send(httpx.Response(201, json={"sid": "SM" + "1" * 32}), api_url)
    form = {key: value[0] for key, value in parse_qs(calls[0].request.content.decode()).items()}
    assert provider_id == "SM" + "1" * 32
    assert form["To"] == "whatsapp:NL.1A2B"
    assert form["Body"] == "مرحبا"
    assert form["StatusCallback"] == "https://bot.example.org/whatsapp/status"


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (refusal(400, 63016), Failure.WINDOW),
        (refusal(400, 21610), Failure.BLOCKED),
        (refusal(400, 63014), Failure.BLOCKED),
        (refusal(400, 63003), Failure.PERMANENT),
        (refusal(400, 21617), Failure.PERMANENT),
        (refusal(400, 99999), Failure.PERMANENT),
        (refusal(429, 20429), Failure.TEMPORARY),
        (refusal(429, 0), Failure.TEMPORARY),
        (refusal(401, 20003), Failure.TEMPORARY),
        (refusal(500, 20500), Failure.UNKNOWN),
        (httpx.Response(502, text="<html>bad gateway</html>"), Failure.UNKNOWN),
        (raising(httpx.ConnectError), Failure.TEMPORARY),
        (raising(httpx.ReadTimeout), Failure.UNKNOWN),
        (raising(httpx.RemoteProtocolError), Failure.UNKNOWN),
    ],
)
def test_each_failure_says_what_to_do(answer, failure):
    with pytest.raises(SendError) as caught:
        send(answer)
    assert caught.value.failure is failure


def test_a_failing_post_is_made_once():
    calls = []

    def answer(request):
        calls.append(request)
        return httpx.Response(500, json={"code": 20500, "message": "no", "status": 500})

    with pytest.raises(SendError):
        send(answer)
    assert len(calls) == 1


def test_the_timeout_holds():
    async def run():
        released = asyncio.Event()

        async def hang(_, writer):
            await released.wait()
            writer.close()

        server = await asyncio.start_server(hang, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        http = HttpClient(f"http://127.0.0.1:{port}", timeout=0.2)
        try:
            with pytest.raises(httpx.ReadTimeout):
                await http.request("POST", "https://api.twilio.com/x", data={"a": "b"})
        finally:
            released.set()
            await http.close()
            server.close()
            await asyncio.sleep(0.05)

    asyncio.run(run())
