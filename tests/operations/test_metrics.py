"""What Prometheus reads: behind a token, and without a word of anybody."""

from __future__ import annotations

import json
import re

import pytest
import sqlalchemy as sa
import yaml
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from bot.settings import ROOT
from bot.storage.models import PromiseCountRow
from tests.talk import Talk
from webhooks.app import create_app

TOKEN = {"Authorization": "Bearer a-long-token"}
DEPLOY = ROOT / "deploy"
OF_PROMETHEUS = {"job", "instance"}  # labels that every sample gets when it is read


@pytest.fixture
def client(service):
    service.settings = service.settings.model_copy(update={"metrics_token": "a-long-token"})
    return TestClient(create_app(service))


def samples(client):
    text = client.get("/metrics", headers=TOKEN).text
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def figures(client):
    return {(sample.name, *sorted(sample.labels.values())): sample.value for sample in samples(client)}


def questions():
    """What the alert rules and the dashboard ask Prometheus, each with its place."""
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())["groups"][0]["rules"]
    yield from ((rule["alert"], rule["expr"]) for rule in rules)
    for panel in json.loads((DEPLOY / "grafana" / "wegwijs.json").read_text())["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
            yield panel["title"], f"by ({', '.join(re.findall(r'{{(.+?)}}', target['legendFormat']))}) {target['expr']}"


def unknown(expression, told):
    """Figures, labels and values of labels in a question that `told` doesn't hold; none where all is right."""
    named = re.findall(r"\b((?:wegwijs|process|up)(?:_[a-z]+)*)\b(?:\{(.*?)\})?", expression)
    for name, where in named:
        if name not in told:
            yield name
        for label, values in re.findall(r'(\w+)=~?"(.*?)"', where):
            if label not in OF_PROMETHEUS:
                yield from set(values.split("|")) - told.get(name, {}).get(label, set())
    labels = {label for name, _ in named for label in told.get(name, {})} | OF_PROMETHEUS
    for group in re.findall(r"by \((.*?)\)", expression):
        yield from set(filter(None, group.split(", "))) - labels


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
    assert found["wegwijs_outbox_rows", "dead"] == 0, "none is told: without it an alert sees no rise"
    assert_all_is_told(client, service)


def assert_all_is_told(client, service):
    """The alert rules and the dashboard ask for nothing that isn't there."""
    kept = {"day": service.clock.now().date(), "owner": "desk", "outcome": "kept", "n": 1}
    service.store.write(lambda c: c.execute(sa.insert(PromiseCountRow).values(**kept)))
    told = {"up": {}}
    for sample in samples(client):
        labels = told.setdefault(sample.name, {})
        for label, value in sample.labels.items():
            labels.setdefault(label, set()).add(value)
    assert {place: found for place, text in questions() if (found := list(unknown(text, told)))} == {}
    assert list(unknown('sum by (town) (wegwijs_outbox_rows{state="lost"}) + wegwijs_none', told)) == [
        "lost",
        "wegwijs_none",
        "town",
    ]


def test_a_database_that_is_away_is_told(client, service):
    service.store.engine.dispose()
    service.store.read = lambda _: (_ for _ in ()).throw(__import__("bot.errors").errors.StoreUnavailableError("gone"))
    assert figures(client)["wegwijs_database_up",] == 0
