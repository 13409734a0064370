"""What each failure of Twilio means, and what leaves for WhatsApp."""

from __future__ import annotations

import asyncio
from base64 import b64decode

import pytest
from twilio.rest import Client

from bot.channels.http import MaybeSentError, NeverSentError
from bot.channels.whatsapp import HttpClient, WhatsAppChannel
from bot.errors import Failure, SendError
from bot.messages import Address, OutboundMessage
from tests.channels.wire import answer, wire

ACCOUNT = "AC" + "0" * 32
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
PERSON = Address("whatsapp", "whatsapp:NL.1A2B", "whatsapp:NL.1A2B")


def send(said, api_url=""):
    async def run():
        http = HttpClient(api_url)
        client = Client("SK1", "secret", ACCOUNT, http_client=http)
        channel = WhatsAppChannel(
            client, http, sender="whatsapp:+14155238886", status_callback="https://bot.example.org/whatsapp/status"
        )
        with wire({PATH: said}) as asked:
            try:
                return await channel.send(PERSON, OutboundMessage("مرحبا", "ar"), None), asked
            finally:
                await channel.close()

    return asyncio.run(run())


def refusal(status, code):
    return answer(status, {"code": code, "message": "no", "more_info": "", "status": status})


@pytest.mark.parametrize("api_url", ["", "http://127.0.0.1:9200"])
def test_a_message_goes_to_the_address_as_it_was_received(api_url):
    provider_id, ((url, what),) = send(answer(201, {"sid": "SM" + "1" * 32}), api_url)
    form = what["data"]
    assert url == f"{api_url or 'https://api.twilio.com'}{PATH}"
    assert b64decode(what["headers"]["Authorization"].removeprefix("Basic ")) == b"SK1:secret"
    assert provider_id == "SM" + "1" * 32
    assert form["To"] == "whatsapp:NL.1A2B"
    assert form["Body"] == "مرحبا"
    assert form["StatusCallback"] == "https://bot.example.org/whatsapp/status"


@pytest.mark.parametrize(
    ("said", "failure"),
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
        (answer(502, "<html>bad gateway</html>"), Failure.UNKNOWN),
        (answer(404, "<html>not found</html>"), Failure.PERMANENT),
        (answer(201, "<html>fine</html>"), Failure.UNKNOWN),
        (NeverSentError("no connection"), Failure.TEMPORARY),
        (MaybeSentError("no answer"), Failure.UNKNOWN),
    ],
)
def test_each_failure_says_what_to_do(said, failure):
    with pytest.raises(SendError) as caught:
        send(said)
    assert caught.value.failure is failure
