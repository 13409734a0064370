"""A template goes to Twilio by its ContentSid. The stand-in in `../shared/doubles` checks the form, if it is there."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import httpx
import pytest
from twilio.rest import Client

from bot.channels.whatsapp import HttpClient, WhatsAppChannel, send_error
from bot.errors import Failure, SendError
from bot.messages import Address, OutboundMessage
from tests.channels.wire import answer, wire
from tests.conftest import SHARED
from tests.test_doubles import free_port, wait_for

ACCOUNT, SID = "AC" + "0" * 32, "HX" + "a" * 32
PERSON = Address("whatsapp", "whatsapp:+31612345678")
TEMPLATE = OutboundMessage("Er is een antwoord.", "nl", template="answer", variables=("maandag\n23  november",))


def send(message, url=""):
    async def once():
        http = HttpClient(url)
        client = Client(ACCOUNT, "test-auth-token", http_client=http)
        templates = {("answer", "nl"): SID}
        channel = WhatsAppChannel(
            client, http, sender="whatsapp:+14155238886", status_callback=None, templates=templates
        )
        try:
            return await channel.send(PERSON, message, None)
        finally:
            await channel.close()

    return asyncio.run(once())


def test_a_template_has_a_sid_and_variables_and_no_body():
    with wire({"/Messages.json": answer(201, {"sid": "SM1"})}) as asked:
        assert send(TEMPLATE) == "SM1"
    form = asked[0][1]["data"]
    assert form["ContentSid"] == SID
    assert form["ContentVariables"] == '{"1": "maandag 23 november"}'
    assert "Body" not in form


def test_without_a_template_in_this_language_nothing_goes_out():
    with pytest.raises(SendError) as refused:
        send(OutboundMessage("x", "ar", template="answer"))
    assert refused.value.failure is Failure.PERMANENT


@pytest.mark.parametrize("code", [63013, 63027, 63028, 63040, 63041, 63042, 92007])
def test_a_template_that_can_not_go_is_not_tried_again(code):
    assert send_error(400, code).failure is Failure.PERMANENT


@pytest.mark.skipif(not (SHARED / "doubles").is_dir(), reason="the stand-ins lie outside this repository")
def test_the_stand_in_takes_it():
    port = free_port()
    script = str(SHARED / "doubles" / "twilio.py")
    command = [sys.executable, script, "--port", str(port), "--webhook-url", "http://127.0.0.1:9/whatsapp"]
    double = subprocess.Popen([*command, "--approved", SID], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    control = f"http://127.0.0.1:{port}/control"
    try:
        wait_for(lambda: httpx.get(f"{control}/sent").status_code == 200, 60)
        send(TEMPLATE, f"http://127.0.0.1:{port}")
        (sent,) = wait_for(lambda: httpx.get(f"{control}/sent").json())
        assert httpx.get(f"{control}/refused").json() == []
        assert SID in str(sent)
    finally:
        double.terminate()
        double.wait()
