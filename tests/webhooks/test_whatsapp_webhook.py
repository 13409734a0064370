"""Twilio's door: only what is signed for the public address, 2xx only after the commit."""

from __future__ import annotations

import contextlib
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from starlette.datastructures import FormData
from twilio.request_validator import RequestValidator

from bot.errors import BadMessageError
from bot.messages import Kind
from bot.storage.models import EarlyReceiptRow, InboxRow
from webhooks import whatsapp

BASE = "https://bot.example.org"
SID = "SM" + "1" * 32
FORM = {"MessageSid": SID, "From": "whatsapp:+31612345678", "To": "whatsapp:+14155238886", "Body": "Hallo"}


@pytest.fixture
def client(service):
    app = FastAPI()
    app.router.routes += whatsapp.routes(service)
    with TestClient(app) as made:
        yield made


def post(client, form, path="/whatsapp", secret="test-auth-token", url="", headers=None, algorithm=None):
    signature = RequestValidator(secret).compute_signature(url or BASE + path, FormData(form), algorithm)
    content_type = {"content-type": "application/x-www-form-urlencoded"}
    body = urlencode(list(form.items()) if isinstance(form, dict) else form)
    return client.post(path, content=body, headers={"x-twilio-signature": signature, **content_type, **(headers or {})})


def kept(service):
    return service.store.read(lambda c: c.execute(sa.select(InboxRow.__table__)).all())


def test_a_signed_message_is_kept_before_the_answer(client, service):
    assert post(client, FORM).status_code == 204
    (row,) = kept(service)
    assert (row.key, row.body["text"]) == (f"wa:{SID}", "Hallo")
    assert service.vault.open(row.sealed).value == "whatsapp:+31612345678"


def test_blank_unknown_and_repeated_fields_are_signed_too(client):
    form = [*FORM.items(), ("ProfileName", ""), ("New", "1"), ("New", "2")]
    assert post(client, form).status_code == 204


def test_a_shared_key_signs_with_its_own_algorithm(client):
    settings = {"X-Twilio-Webhooks-Signature-Settings": "key=k1,algorithm=HMAC_SHA256"}
    assert post(client, FORM, secret="shared-key", headers=settings, algorithm="HMAC_SHA256").status_code == 204
    assert post(client, FORM, secret="test-auth-token", headers=settings, algorithm="HMAC_SHA256").status_code == 403
    strange = {"X-Twilio-Webhooks-Signature-Settings": "key=k1,algorithm=ROT13"}
    assert post(client, FORM, secret="shared-key", headers=strange).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "another token"},
        {"url": "http://bot.example.org/whatsapp"},
        {"url": BASE + "/whatsapp/"},
        {"headers": {"x-twilio-signature": ""}},
        {"headers": {"x-twilio-signature": "é".encode()}},
    ],
)
def test_anything_else_is_refused(client, service, wrong):
    assert post(client, FORM, **wrong).status_code == 403
    assert kept(service) == []


def test_no_signature_and_no_form_are_refused(client):
    assert client.post("/whatsapp").status_code == 403
    assert client.post("/whatsapp", content=b"\xff=\xff").status_code == 403
    assert client.post("/whatsapp", json={"a": 1}).status_code == 403
    assert client.post("/whatsapp", content="&".join(f"a{n}=1" for n in range(5000))).status_code == 403


def test_without_configuration_the_door_is_shut(service):
    empty = {"twilio_account_sid": "", "twilio_auth_token": "", "twilio_shared_key": ""}
    service.settings = service.settings.model_copy(update=empty)
    app = FastAPI()
    app.router.routes += whatsapp.routes(service)
    for secret in ("", "test-auth-token"):
        assert post(TestClient(app), FORM, secret=secret).status_code == 403


def test_a_store_that_is_down_is_503(client, monkeypatch):
    def broken(*_):
        raise sa.exc.OperationalError("INSERT", {}, Exception("full"))

    monkeypatch.setattr("bot.inbox.insert", broken)
    assert post(client, FORM).status_code == 503


def parse(**fields):
    return whatsapp.parse(FormData(FORM | fields))


@pytest.mark.parametrize(
    ("fields", "kind", "token"),
    [
        ({}, Kind.TEXT, ""),
        ({"Body": "Ja", "ButtonPayload": "consent:yes", "ButtonText": "Ja"}, Kind.TAP, "consent:yes"),
        ({"Body": "Menu", "ListId": "menu", "ListTitle": "Menu"}, Kind.TAP, "menu"),
        ({"Body": "", "NumMedia": "1", "MediaContentType0": "audio/ogg"}, Kind.VOICE, ""),
        ({"Body": "kijk", "NumMedia": "1", "MediaContentType0": "image/jpeg"}, Kind.IMAGE, ""),
        ({"Body": "", "NumMedia": "1", "MediaContentType0": "image/webp"}, Kind.STICKER, ""),
        ({"Body": "", "NumMedia": "1", "MediaContentType0": "application/pdf"}, Kind.DOCUMENT, ""),
        ({"Body": "", "Latitude": "51.8", "Longitude": "5.8"}, Kind.LOCATION, ""),
        ({"Body": "", "MessageType": "contacts"}, Kind.CARD, ""),
        ({"Body": " "}, Kind.OTHER, ""),
        ({"Body": "STOP", "OptOutType": "STOP"}, Kind.TAP, "stop"),
    ],
)
def test_each_kind_of_message_is_told_apart(fields, kind, token):
    message = parse(**fields)
    assert (message.kind, message.token) == (kind, token)


def test_a_sender_without_a_number_is_known_by_the_user_id():
    message = parse(From="whatsapp:NL.1A2B3C", ExternalUserId="whatsapp:NL.1A2B3C", WaId="")
    assert (message.address.value, message.address.bsuid, message.address.phone) == (
        "whatsapp:NL.1A2B3C",
        "whatsapp:NL.1A2B3C",
        None,
    )


def test_a_user_id_is_never_read_as_a_number():
    message = parse(From="whatsapp:+31612345678", ExternalUserId="whatsapp:US.13491208655302741918")
    assert (message.address.phone, message.address.bsuid) == (
        "whatsapp:+31612345678",
        "whatsapp:US.13491208655302741918",
    )


@pytest.mark.parametrize(
    "fields", [{"From": "sms:+31612345678"}, {"From": ""}, {"From": "whatsapp:x"}, {"MessageSid": "1"}]
)
def test_a_message_that_cannot_be_answered_is_acknowledged(client, service, fields):
    with pytest.raises(BadMessageError):
        parse(**fields)
    assert post(client, FORM | fields).status_code == 204
    assert kept(service) == []


def test_a_receipt_is_kept_and_an_unknown_state_is_acknowledged(client, service):
    form = {"MessageSid": SID, "MessageStatus": "delivered"}
    assert post(client, form, path="/whatsapp/status").status_code == 204
    states = service.store.read(lambda c: list(c.execute(sa.select(EarlyReceiptRow.state)).scalars()))
    assert states == ["delivered"]
    for status in ("queued", "partially_delivered", "", "brand_new"):
        assert post(client, form | {"MessageStatus": status}, path="/whatsapp/status").status_code == 204
    assert client.post("/whatsapp/status").status_code == 403


@given(st.dictionaries(st.sampled_from([*FORM, "NumMedia", "MediaContentType0", "ListId"]), st.text(max_size=30)))
@hypothesis_settings(max_examples=300, deadline=None)
def test_no_form_crashes_the_parser(form):
    with contextlib.suppress(BadMessageError):
        whatsapp.parse(FormData(form))
    whatsapp.parse_receipt(FormData(form))
