"""What each failure of Twilio means, and what leaves for WhatsApp."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import encode_basic_auth
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from bot.channels.http import MaybeSentError, NeverSentError
from bot.channels.whatsapp import Account, WhatsAppChannel
from bot.errors import Failure, SendError
from bot.messages import Address, OutboundMessage
from tests.channels.wire import answer, wire

ACCOUNT = "AC" + "0" * 32
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
PERSON = Address("whatsapp", "whatsapp:NL.1A2B", "whatsapp:NL.1A2B")


HELLO = OutboundMessage("مرحبا", "ar")
SENDER, CALLBACK = "whatsapp:+14155238886", "https://bot.example.org/whatsapp/status"


def send(said, api_url="", message=HELLO):
    async def run():
        account, templates = Account(ACCOUNT, "SK1", "secret", api_url), {("answer", "nl"): "HX1"}
        channel = WhatsAppChannel(account, sender=SENDER, status_callback=CALLBACK, templates=templates)
        with wire({PATH: said}) as asked:
            try:
                return await channel.send(PERSON, message, None), asked
            finally:
                await channel.close()

    return asyncio.run(run())


class Heard(HttpClient):
    """Keeps what Twilio's library would send."""

    def __init__(self):
        self.timeout = None

    def request(self, method, uri, *, data, headers, auth, **_):
        self.said = method, uri, data, headers, auth
        return Response(201, '{"sid": "SM1"}')


def refusal(status, code):
    return answer(status, {"code": code, "message": "no", "more_info": "", "status": status})


def test_a_message_goes_to_the_address_as_it_was_received():
    provider_id, ((url, what),) = send(answer(201, {"sid": "SM" + "1" * 32}), "http://127.0.0.1:9200")
    assert url == f"http://127.0.0.1:9200{PATH}"
    assert provider_id == "SM" + "1" * 32
    assert what["data"]["To"] == "whatsapp:NL.1A2B"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (HELLO, {"body": "مرحبا"}),
        (
            OutboundMessage("x", "nl", template="answer", variables=("maandag",)),
            {"content_sid": "HX1", "content_variables": '{"1": "maandag"}'},
        ),
    ],
)
def test_a_second_opinion_the_library_of_twilio_sends_the_same(message, words):
    _, ((url, what),) = send(answer(201, {"sid": "SM1"}), message=message)
    theirs = Client("SK1", "secret", ACCOUNT, http_client=Heard())
    theirs.messages.create(to=PERSON.value, from_=SENDER, status_callback=CALLBACK, **words)
    method, uri, form, headers, proof = theirs.http_client.said
    assert (method, uri) == ("POST", url)
    assert {name: value for name, value in form.items() if isinstance(value, str)} == what["data"]
    assert what["headers"] == {"Authorization": encode_basic_auth(*proof), "Accept": headers["Accept"]}


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
