"""What Prometheus reads: behind a token, and without a word of anybody."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from tests.talk import Talk
from webhooks.app import create_app

TOKEN = {"Authorization": "Bearer a-long-token"}


@pytest.fixture
def client(service):
    service.settings = service.settings.model_copy(update={"metrics_token": "a-long-token"})
    return TestClient(create_app(service))


def figures(client):
    text = client.get("/metrics", headers=TOKEN).text
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_only_who_shows_the_token_reads_it(client, service):
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer other"}).status_code == 401
    assert client.get("/metrics", headers=TOKEN).status_code == 200
    service.settings = service.settings.model_copy(update={"metrics_token": ""})
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401


def test_what_waits_and_what_became_of_messages_is_counted(client, service):
    talk = Talk(service).agrees("nl")
    before = figures(client)["wegwijs_messages_total", "console", "escalate", "nl"]
    service.conversation.understander.means("Wie belt mij?", "escalate", "pip.what")
    talk.says("Wie belt mij?")
    talk.taps(next(token for token in talk.tokens if token.startswith("pass:yes")))
    found = figures(client)
    assert found["wegwijs_database_up",] == 1
    assert found["wegwijs_tickets_open",] == 1
    assert found["wegwijs_tickets_urgent",] == 0
    assert found["wegwijs_messages_total", "console", "escalate", "nl"] == before + 1
    assert found["wegwijs_inbox_oldest_seconds",] == 0
    assert found["process_resident_memory_bytes",] > 1_000_000


def test_a_database_that_is_away_is_told(client, service):
    service.store.engine.dispose()
    service.store.read = lambda _: (_ for _ in ()).throw(__import__("bot.errors").errors.StoreUnavailableError("gone"))
    assert figures(client)["wegwijs_database_up",] == 0
