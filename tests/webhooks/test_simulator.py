"""The chat page: what an invented person sends goes the way of all messages, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import re

import pytest
import sqlalchemy as sa

from bot import simulation
from bot.clock import Clock
from bot.errors import StoreUnavailableError
from bot.messages import Address, InboundMessage, Kind
from bot.service import _offset
from bot.simulation import Bubble
from bot.storage.models import InboxRow, ScreenRow
from tests.conftest import make_service
from tests.webhooks.phone import Phone, with_page

UUID = "0123456789abcdef0123456789abcdef"
HALF_A_LETTER = b'{"id": "0123456789", "channel": "console", "kind": "text", "text": "\\ud800"}'


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(autouse=True)
def _one_question(understander):
    understander.means("PIP?", "answer", "pip.what", language="ar")
    understander.means("Wat is het PIP?", "answer", "pip.what")


def test_a_conversation_with_buttons_from_start_to_answer(service):
    async def use(client):
        amina = Phone(client)
        start, hello = await amina.sends("start")
        assert (start["mine"], start["text"], hello["mine"]) == (True, "/start", False)
        assert [option["token"] for option in hello["options"]] == ["lang:nl", "lang:en", "lang:ar"]
        *_, choice, consent = await amina.taps("lang:ar")
        assert (choice["mine"], choice["text"], consent["language"]) == (True, "العربية", "ar")
        await amina.taps("consent:yes")
        *_, question, answer = await amina.sends("text", text="PIP?")
        assert (question["text"], question["mine"], question["language"]) == ("PIP?", True, "")
        assert "https://" in answer["text"]
        assert answer["language"] == "ar"

    with_page(service, use)


def test_a_phone_without_buttons_gets_numbered_lines_and_answers_with_a_number(service):
    async def use(client):
        tom = Phone(client, "tom-numbers", "console-numbers")
        _, hello = await tom.sends("text", text="Wat is het PIP?")
        assert hello["options"] == []
        assert "1. Nederlands" in hello["text"]
        await tom.sends("text", text="1")
        *_, answer = await tom.sends("text", text="1")
        assert "PIP" in answer["text"]
        assert re.search(r"^1\. ", answer["text"], re.MULTILINE)

    with_page(service, use)


@pytest.mark.parametrize("kind", ["voice", "image", "document", "location"])
def test_what_isnt_words_shows_as_what_it_is_and_gets_a_kind_answer(service, kind):
    async def use(client):
        maria = Phone(client, "maria")
        await maria.sends("start")
        await maria.taps("lang:nl")
        await maria.taps("consent:yes")
        *_, sent, answer = await maria.sends(kind)
        assert (sent["mine"], sent["kind"], sent["options"]) == (True, kind, [])
        assert not answer["mine"]

    with_page(service, use)


def test_who_blocks_the_service_gets_nothing_until_the_block_is_over(service):
    async def use(client):
        olena = Phone(client, "olena")
        before = await olena.sends("start")
        assert await olena.sends("blocked") == before
        assert (await olena.look())["blocked"] is True
        assert await olena.sends("unblocked") == before
        assert (await olena.look())["blocked"] is False

    with_page(service, use)


def test_each_phone_has_a_screen_of_its_own_and_a_new_one_is_empty(service):
    async def use(client):
        await Phone(client).sends("start")
        seen = await Phone(client, "new-0a1b2c").look()
        assert (seen["messages"], seen["busy"], seen["blocked"]) == ([], False, False)

    with_page(service, use)


def test_only_what_is_newer_comes_again_after_a_reconnect(service):
    async def use(client):
        amina = Phone(client)
        first, second = await amina.sends("start")
        assert (await amina.look(after=first["id"]))["messages"] == [second]
        assert (await amina.look(after=second["id"]))["messages"] == []

    with_page(service, use)


def test_a_long_screen_comes_in_parts_without_a_gap(service):
    async def use(client):
        row = {"phone": "amina", "mine": True, "text": "x", "options": [], "at": service.clock.now()}
        await service.store.awrite(lambda c: c.execute(sa.insert(ScreenRow), [row] * 250) and None)
        first = await Phone(client).look()
        rest = await Phone(client).look(after=first["messages"][-1]["id"])
        assert (len(first["messages"]), first["more"]) == (200, True)
        assert (len(rest["messages"]), rest["more"]) == (50, False)

    with_page(service, use, works=False)


def test_the_same_message_twice_is_shown_and_answered_once(service):
    async def use(client):
        amina = Phone(client)
        answers = await asyncio.gather(*(amina.posts("text", id=UUID, text="Hallo") for _ in range(3)))
        assert sorted(answer.json()["new"] for answer in answers) == [False, False, True]
        assert len(await amina.rests()) == 2
        assert (await amina.posts("text", id=UUID, text="Hallo")).json() == {"new": False}
        assert len(await amina.rests()) == 2

    with_page(service, use)


def test_what_the_database_does_not_take_is_not_shown_and_answers_503(service):
    async def use(client):
        async def refuses(_: InboundMessage) -> bool:
            raise StoreUnavailableError("locked")

        service.inbox.accept = refuses  # type: ignore[method-assign]
        answer = await Phone(client).posts("text", text="Hallo")
        assert (answer.status_code, set(answer.json())) == (503, {"error"})
        assert (await Phone(client).look())["messages"] == []

    with_page(service, use, works=False)


def test_an_answer_under_way_is_told(service):
    async def use(client):
        amina = Phone(client)
        await amina.posts("text", text="Hallo")
        assert (await amina.look())["busy"] is True
        assert (await Phone(client, "tom").look())["busy"] is False

    with_page(service, use, works=False)


def test_the_message_in_the_inbox_is_what_a_real_channel_would_make_of_it(service):
    async def use(client):
        await Phone(client, "amina-numbers", "console-numbers").posts("text", id=UUID, text="a\u202eb\r\nc\x00")
        query = sa.select(InboxRow.key, InboxRow.channel, InboxRow.sealed, InboxRow.body)
        row = service.store.read(lambda c: c.execute(query).one())
        assert (row.key, row.channel) == (f"console:{UUID}", "console-numbers")
        assert service.vault.open(row.sealed) == Address("console-numbers", "amina-numbers")
        assert (row.body["text"], row.body["hint"]) == ("ab\nc", "ar")

    with_page(service, use, works=False)


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"text": "x" * 4097}, "text"),
        ({"text": " \n\u200e\x01 "}, "text"),
        ({"channel": "telegram"}, "channel"),
        ({"kind": "timer"}, "kind"),
        ({"id": "x"}, "id"),
        ({"id": "a b c d e f g h"}, "id"),
        ({"language": "fr"}, "language"),
        ({"more": 1}, "more"),
        ({"kind": "tap", "token": "erase:yes"}, "token"),
        ({"kind": "tap", "token": "x" * 65}, "token"),
        ({"message": 2**63}, "message"),
    ],
)
def test_a_message_that_cannot_be_is_refused_with_one_line(service, change, names):
    async def use(client):
        body = {"id": UUID, "channel": "console", "kind": "text", "text": "Hallo"} | change
        answer = await client.post("/simulator/phones/amina/messages", json=body)
        assert (answer.status_code, set(answer.json())) == (422, {"error"})
        assert names in answer.json()["error"]
        assert (await Phone(client).look())["messages"] == []

    with_page(service, use, works=False)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'{"id": 1}', HALF_A_LETTER])
def test_a_body_that_is_no_message_is_refused_with_one_line(service, body):
    async def use(client):
        headers = {"content-type": "application/json"}
        answer = await client.post("/simulator/phones/amina/messages", content=body, headers=headers)
        assert answer.status_code in (400, 422)
        assert set(answer.json()) == {"error"}

    with_page(service, use, works=False)


@pytest.mark.parametrize(
    "path",
    [
        "/simulator?contact=A%20b",
        "/simulator?channel=whatsapp",
        "/simulator?language=fr",
        "/simulator/phones/Amina/messages?channel=console",
        f"/simulator/phones/{'a' * 41}/messages?channel=console",
        "/simulator/phones/amina%0a/messages?channel=console",
        "/simulator/phones/amina/messages",
        "/simulator/phones/amina/messages?channel=telegram",
        "/simulator/phones/amina/messages?channel=console&after=-1",
        "/simulator/phones/amina/messages?channel=console&after=9223372036854775808",
    ],
)
def test_an_address_that_cannot_be_is_refused_with_one_line(service, path):
    async def use(client):
        answer = await client.get(path)
        assert (answer.status_code, set(answer.json())) == (422, {"error"})

    with_page(service, use, works=False)


def test_a_button_of_another_phone_or_another_message_is_refused(service):
    async def use(client):
        amina = Phone(client)
        mine, hello = await amina.sends("start")
        assert (await amina.posts("tap", message=mine["id"], token="lang:ar")).status_code == 422
        assert (await Phone(client, "tom").posts("tap", message=hello["id"], token="lang:ar")).status_code == 422
        assert (await amina.posts("tap", message=hello["id"], token="erase:yes")).status_code == 422

    with_page(service, use)


def test_the_clock_goes_forward_and_stays_there_after_a_restart(service):
    async def use(client):
        seen = (await Phone(client).look(language="ar"))["clock"]
        for seconds in (3600, 7 * 86400):
            assert (await client.post("/simulator/clock", json={"seconds": seconds})).status_code == 200
        assert service.clock.offset.total_seconds() == 3600 + 7 * 86400
        moved = (await Phone(client).look(language="ar"))["clock"]
        assert seen != moved
        assert re.search("[\u0600-\u06ff]", moved)

    with_page(service, use, works=False)
    assert _offset(service.store).total_seconds() == 3600 + 7 * 86400


@pytest.mark.parametrize("seconds", [0, -3600, 367 * 86400, "soon", None, 1.5])
def test_the_clock_refuses_a_step_back_or_a_step_too_far(service, seconds):
    async def use(client):
        answer = await client.post("/simulator/clock", json={"seconds": seconds})
        assert (answer.status_code, set(answer.json())) == (422, {"error"})
        assert service.clock.offset.total_seconds() == 0

    with_page(service, use, works=False)


def test_the_clock_stops_at_ten_years(service):
    async def use(client):
        codes = [(await client.post("/simulator/clock", json={"seconds": 366 * 86400})).status_code for _ in range(10)]
        assert codes == [200] * 9 + [409]
        assert service.clock.offset < simulation.MAX_FORWARD

    with_page(service, use, works=False)


def test_a_bubble_is_taken_back_when_the_inbox_knows_the_message(service):
    async def use(client):
        message = InboundMessage("console:known", Address("console", "amina"), Kind.TEXT, "Hallo")
        await service.inbox.accept(message)
        assert await simulation.send(service, message, Bubble("Hallo")) is False
        assert (await Phone(client).look())["messages"] == []

    with_page(service, use, works=False)


def test_both_databases_keep_the_screen_and_the_clock(settings, store, vault, clock, content, understander):
    service = make_service(settings, store, vault, clock, content, understander)

    async def use(client):
        amina = Phone(client)
        assert len(await amina.sends("start")) == 2
        assert (await client.post("/simulator/clock", json={"seconds": 60})).status_code == 200
        assert (await client.post("/simulator/clock", json={"seconds": 60})).status_code == 200
        assert len(await amina.taps("lang:nl")) == 4

    with_page(service, use)
    assert _offset(store).total_seconds() == 120
