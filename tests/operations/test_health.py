"""Whether the service can work, and what people must look at."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from bot.channels.http import MaybeSentError, NeverSentError
from bot.messages import Address, InboundMessage, Kind
from bot.storage.models import LaneState, OutboxRow
from bot.webhook_watch import TelegramWatch
from tests.channels.wire import answer as said
from tests.channels.wire import wire
from tests.desk.asking import ask
from webhooks.app import create_app

API = "https://api.telegram.org/bot123:TEST"
WANTED = "https://bot.example.org/telegram"


def ready(service):
    answer = TestClient(create_app(service)).get("/health/ready")
    return answer.status_code, answer.json()


def look(service, answer=None, **info):
    """What Telegram answers, noted."""
    watch = TelegramWatch(service.store, service.clock, API, WANTED)
    result = {"url": WANTED, "pending_update_count": 0} | info
    with wire({f"{API}/getWebhookInfo": answer or said(200, {"ok": True, "result": result})}):
        asyncio.run(watch.once())


def test_a_healthy_service_says_everything_that_counts(service):
    look(service)
    ask(service)
    status, body = ready(service)
    assert (status, body["status"]) == (200, "ok")
    assert body["webhooks"] == {"telegram": "ok", "telegram_last_message_seconds": 0}
    assert body["oldest_check"] <= service.clock.now().date().isoformat()
    assert {name: body[name] for name in ("inbox_waiting", "outbox_waiting", "outbox_dead", "answers_withheld")} == {
        "inbox_waiting": 0,
        "outbox_waiting": 0,
        "outbox_dead": 0,
        "answers_withheld": 0,
    }


def test_somebody_who_waits_too_long_means_that_nobody_works(service):
    asyncio.run(service.inbox.accept(InboundMessage("k", Address("console", "a"), Kind.TEXT, "x")))
    service.clock.forward(timedelta(minutes=6))
    status, body = ready(service)
    assert (status, body["status"], body["inbox_waiting"]) == (503, "slow", 1)
    assert body["oldest_waiting_seconds"] == 360


def test_what_no_restart_mends_takes_no_process_away(service):
    look(service)
    ask(service)
    service.store.write(lambda c: c.execute(sa.update(OutboxRow).values(state=LaneState.DEAD)) and None)
    status, body = ready(service)
    assert (status, body["status"]) == (200, "attention")
    service.clock.forward(timedelta(days=3000))
    assert ready(service)[1]["answers_withheld"] > 80


@pytest.mark.parametrize(
    ("answer", "info", "state"),
    [
        (None, {"url": "https://elsewhere.example"}, "elsewhere"),
        (None, {"url": ""}, "elsewhere"),
        (said(401, {"ok": False}), {}, "refused"),
        (said(502, "<html>"), {}, "unreachable"),
        (NeverSentError("ClientConnectorError"), {}, "unreachable"),
        (MaybeSentError("TimeoutError"), {}, "unreachable"),
    ],
)
def test_a_webhook_that_is_wrong_is_told_without_its_token(service, caplog, answer, info, state):
    look(service, answer, **info)
    status, body = ready(service)
    assert (status, body["status"], body["webhooks"]["telegram"]) == (200, "attention", state)
    assert "123:TEST" not in caplog.text
    look(service)
    assert ready(service)[1]["status"] == "ok"
