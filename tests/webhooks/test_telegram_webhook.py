"""Telegram's door: only with the secret, 200 only after the commit, never a crash."""

from __future__ import annotations

import json
import logging

import pytest
import sqlalchemy as sa
import telegram as telegram_library
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot.messages import Kind
from bot.storage.models import InboxRow
from webhooks import telegram
from webhooks.limits import BodyLimit

SECRET = {"X-Telegram-Bot-Api-Secret-Token": "S-3cret_"}
PERSON = {"id": 7, "is_bot": False, "first_name": "Sam", "language_code": "ar"}
CHAT = {"id": 7, "type": "private", "first_name": "Sam"}


def update(**fields):
    return {"update_id": 1, **fields}


def text_message(text="Hallo", **fields):
    return update(message={"message_id": 1, "date": 1, "chat": CHAT, "from": PERSON, "text": text, **fields})


@pytest.fixture
def client(service):
    app = FastAPI()
    app.router.routes += telegram.routes(service)
    app.add_middleware(BodyLimit, limit=131072)
    with TestClient(app) as made:
        yield made


def kept(service):
    return service.store.read(lambda c: c.execute(sa.select(InboxRow.__table__)).all())


def test_a_message_is_kept_before_the_answer(client, service):
    assert client.post("/telegram", json=text_message(), headers=SECRET).status_code == 200
    (row,) = kept(service)
    assert (row.key, row.body["text"], row.body["hint"]) == ("tg:1", "Hallo", "ar")


def test_the_same_update_twice_is_kept_once(client, service):
    for _ in range(2):
        assert client.post("/telegram", json=text_message(), headers=SECRET).status_code == 200
    assert len(kept(service)) == 1


@pytest.mark.parametrize(
    "headers", [{}, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}, {"X-Telegram-Bot-Api-Secret-Token": "é"}]
)
def test_without_the_secret_nothing_is_kept(client, service, headers):
    encoded = {name: value.encode() for name, value in headers.items()}
    assert client.post("/telegram", json=text_message(), headers=encoded).status_code == 403
    assert kept(service) == []


def test_without_a_configured_secret_the_door_is_shut(service):
    service.settings = service.settings.model_copy(update={"telegram_webhook_secret": ""})
    app = FastAPI()
    app.router.routes += telegram.routes(service)
    answer = TestClient(app).post("/telegram", json=text_message(), headers={"X-Telegram-Bot-Api-Secret-Token": ""})
    assert answer.status_code == 403


def test_a_store_that_is_down_is_503_so_that_telegram_comes_back(client, monkeypatch):
    def broken(*_):
        raise sa.exc.OperationalError("INSERT", {}, Exception("locked"))

    monkeypatch.setattr("bot.inbox.insert", broken)
    assert client.post("/telegram", json=text_message(), headers=SECRET).status_code == 503
    monkeypatch.undo()
    assert client.post("/telegram", json=text_message(), headers=SECRET).status_code == 200


def test_a_body_over_the_limit_is_refused(client, service):
    body = json.dumps(text_message("a" * 1_000_000))
    assert client.post("/telegram", content=body, headers=SECRET).status_code == 413
    in_pieces = (body[at : at + 1000].encode() for at in range(0, len(body), 1000))
    assert client.post("/telegram", content=in_pieces, headers=SECRET).status_code == 413
    told = {"content-length": "9" * 5000}  # more than can be read as a number
    assert client.post("/telegram", content=b"{}", headers=SECRET | told).status_code == 413
    assert kept(service) == []


GROUP = {"id": -100, "type": "supergroup", "title": "g"}


@pytest.mark.parametrize(
    "strange",
    [
        {},
        [],
        "text",
        None,
        {"update_id": "x"},
        update(),
        update(edited_message={"message_id": 1, "date": 1, "chat": CHAT, "text": "x"}),
        update(poll={"id": "1"}),
        update(message={}),
        update(message={"message_id": 1, "date": 1, "chat": GROUP, "from": PERSON, "text": "Hallo"}),
        update(callback_query={"id": "1", "from": PERSON, "chat_instance": "c"}),
        update(callback_query={"id": "1"}),
        update(my_chat_member={"chat": CHAT}),
        update(brand_new_kind={"a": 1}),
    ],
)
def test_what_is_no_concern_of_ours_is_acknowledged_and_left(client, service, strange):
    assert client.post("/telegram", json=strange, headers=SECRET).status_code == 200
    assert kept(service) == []


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{", b"[" * 100_000, b'{"update_id": 1e400}'])
def test_a_body_that_is_no_json_is_acknowledged(client, body):
    assert client.post("/telegram", content=body, headers=SECRET).status_code == 200


def test_a_strange_update_is_logged_by_its_id_and_not_by_its_words(client, caplog):
    caplog.set_level(logging.INFO)
    client.post("/telegram", json={"update_id": 77, "message": {"text": "my secret words"}}, headers=SECRET)
    assert "77" in caplog.text
    assert "secret words" not in caplog.text


FILE = {"file_id": "f", "file_unique_id": "u"}


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"voice": {**FILE, "duration": 3}}, Kind.VOICE),
        ({"photo": [{**FILE, "width": 1, "height": 1}], "caption": "mijn brief"}, Kind.IMAGE),
        ({"document": FILE}, Kind.DOCUMENT),
        ({"location": {"longitude": 5.8, "latitude": 51.8}}, Kind.LOCATION),
        ({"contact": {"phone_number": "1", "first_name": "x"}}, Kind.CARD),
        ({"dice": {"emoji": "🎲", "value": 3}}, Kind.OTHER),
    ],
)
def test_each_kind_of_message_is_told_apart(fields, kind):
    message = {"message_id": 1, "date": 1, "chat": CHAT, "from": PERSON, **fields}
    read = telegram.read(json.dumps(update(message=message)).encode())
    assert read.kind is kind
    assert read.text == fields.get("caption", "")


@pytest.mark.parametrize(
    ("text", "kind", "token"),
    [
        ("/start", Kind.START, ""),
        ("/start ref42", Kind.START, ""),
        ("/menu", Kind.TAP, "menu"),
        ("/person@wegwijs_bot", Kind.TAP, "human"),
        ("/stop", Kind.TAP, "stop"),
        ("/nonsense", Kind.TEXT, ""),
    ],
)
def test_commands(text, kind, token):
    read = telegram.read(json.dumps(text_message(text)).encode())
    assert (read.kind, read.token) == (kind, token)


def test_a_tap_and_a_block():
    tap = update(callback_query={"id": "9", "from": PERSON, "chat_instance": "c", "data": "topic:pip.what"})
    read = telegram.read(json.dumps(tap).encode())
    assert (read.kind, read.token, read.extra) == (Kind.TAP, "topic:pip.what", {"callback": "9"})
    member = {"user": {"id": 1, "is_bot": True, "first_name": "b"}, "status": "kicked", "until_date": 0}
    change = {"chat": CHAT, "from": PERSON, "date": 1, "old_chat_member": member, "new_chat_member": member}
    assert telegram.read(json.dumps(update(my_chat_member=change)).encode()).kind is Kind.BLOCKED


def test_characters_that_turn_the_text_or_break_the_database_are_taken_out():
    read = telegram.read(json.dumps(text_message("a\u0000b\u202ec\ud800d")).encode())
    assert read.text == "abcd"


@pytest.mark.parametrize(
    "fields",
    [
        {"message": {"message_id": 1, "date": 1, "chat": CHAT, "from": PERSON, "text": "Hallo"}},
        {"message": {"message_id": 1, "date": 1, "chat": CHAT, "from": PERSON, "voice": {**FILE, "duration": 3}}},
        {"callback_query": {"id": "9", "from": PERSON, "chat_instance": "c", "data": "menu"}},
    ],
)
def test_what_the_tests_make_up_is_an_update_to_the_library_too(fields):
    """A second opinion: python-telegram-bot reads the same updates, and the same things in them."""
    theirs = telegram_library.Update.de_json(update(**fields), None)
    ours = telegram.read(json.dumps(update(**fields)).encode())
    assert ours.key == f"tg:{theirs.update_id}"
    assert ours.address.value == str(theirs.effective_user.id)
    assert ours.text == ((theirs.message.text or "") if theirs.message else "")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["message", "chat", "id", "text", "from", "data", "date", "update_id"]), inner
        )
    ),
    max_leaves=20,
)


@given(ANYTHING)
@hypothesis_settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_update_crashes_the_parser(anything):
    telegram.read(json.dumps(anything).encode())
