"""`GET /metrics` for Prometheus: what an operator must know, and nothing of a person.

Read from the database, so that each process tells the same of all of them; only the figures of the process itself
(memory, processor) are its own.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.engine import Connection

from bot.content import Content
from bot.errors import StoreUnavailableError
from bot.locales import AMSTERDAM
from bot.service import Service
from bot.storage.models import InboxRow, LaneState, OutboxRow, OutcomeCountRow, PromiseCountRow, TicketRow, TicketState
from bot.webhook_watch import telegram_state

_STATES = {state.value: state.name.lower() for state in LaneState if state != LaneState.DONE}


def router(service: Service) -> APIRouter:
    """The route, open to who shows the token of the settings; without a token in the settings to nobody."""
    routes = APIRouter(tags=["health"], include_in_schema=False)
    process = CollectorRegistry()
    ProcessCollector(registry=process)
    PlatformCollector(registry=process)
    GCCollector(registry=process)

    @routes.get("/metrics")
    async def metrics(request: Request) -> Response:
        wanted = service.settings.metrics_token
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not wanted or not hmac.compare_digest(given.encode(), wanted.encode()):
            return PlainTextResponse("Show the token of WEGWIJS_METRICS_TOKEN.\n", status_code=401)
        now = service.clock.now()
        registry = CollectorRegistry()
        try:
            found = await service.store.aread(lambda connection: list(measure(connection, service.content, now)))
        except StoreUnavailableError:
            found = [_gauge("wegwijs_database_up", "Whether the database answers", 0)]
        registry.register(_Fixed(found))
        return Response(generate_latest(registry) + generate_latest(process), media_type=CONTENT_TYPE_LATEST)

    return routes


class _Fixed:
    """What was measured, for the library to write down."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        yield from self._found


def _gauge(name: str, text: str, value: float) -> Metric:
    metric = GaugeMetricFamily(name, text)
    metric.add_metric([], value)
    return metric


def measure(connection: Connection, content: Content, now: datetime) -> Iterator[Metric]:
    """Every figure, in one snapshot."""
    yield _gauge("wegwijs_database_up", "Whether the database answers", 1)
    yield from _queues(connection, now)
    yield from _tickets(connection, now)
    yield from _counts(connection)
    state = telegram_state(connection)
    yield _gauge("wegwijs_webhook_ok", "Whether Telegram sends here, as far as is known", state in ("ok", "unknown"))
    today = now.astimezone(AMSTERDAM).date()
    withheld = sum(content.is_withheld(topic, today) for topic in content.topics)
    yield _gauge("wegwijs_answers_withheld", "Answers past their date, which nobody gets", withheld)
    due = sum(topic.review_by < today for topic in content.topics.values())
    yield _gauge("wegwijs_answers_to_review", "Answers past the day of their review", due)


def _queues(connection: Connection, now: datetime) -> Iterator[Metric]:
    waiting: sa.ColumnElement[int] = sa.literal_column("2")
    for name, table, since in (("inbox", InboxRow, InboxRow.received_at), ("outbox", OutboxRow, OutboxRow.created_at)):
        rows = GaugeMetricFamily(f"wegwijs_{name}_rows", f"Rows of the {name} that aren't done", labels=["state"])
        counted = sa.select(table.state, sa.func.count(table.id)).group_by(table.state)
        found = {row[0]: row[1] for row in connection.execute(counted.where(table.state != LaneState.DONE))}
        for state, word in _STATES.items():  # none is told too: what is missing has no rise for an alert to see
            rows.add_metric([word], found.get(state, 0))
        yield rows
        oldest = connection.execute(sa.select(sa.func.min(since)).where(table.state < waiting)).scalar_one()
        seconds = max((now - oldest).total_seconds(), 0.0) if oldest else 0.0
        yield _gauge(f"wegwijs_{name}_oldest_seconds", f"Age of the oldest waiting row of the {name}", seconds)


def _tickets(connection: Connection, now: datetime) -> Iterator[Metric]:
    is_open = TicketRow.state == TicketState.OPEN

    def number(*where: Any) -> int:
        query = sa.select(sa.func.count(TicketRow.id)).where(is_open, *where)
        return connection.execute(query).scalar_one()

    yield _gauge("wegwijs_tickets_open", "Questions that wait for a person", number())
    yield _gauge("wegwijs_tickets_urgent", "Urgent questions that nobody answered", number(TicketRow.urgent))
    yield _gauge("wegwijs_tickets_late", "Questions past their promise", number(TicketRow.promise_at < now))


def _counts(connection: Connection) -> Iterator[Metric]:
    outcomes = CounterMetricFamily(
        "wegwijs_messages", "What became of messages", labels=["channel", "language", "outcome"]
    )
    columns = (OutcomeCountRow.channel, OutcomeCountRow.language, OutcomeCountRow.outcome)
    for *labels, total in connection.execute(sa.select(*columns, sa.func.sum(OutcomeCountRow.n)).group_by(*columns)):
        outcomes.add_metric([str(label) for label in labels], float(total))
    yield outcomes
    promises = CounterMetricFamily("wegwijs_promises", "Promises of an answer", labels=["outcome"])
    kept = sa.select(PromiseCountRow.outcome, sa.func.sum(PromiseCountRow.n)).group_by(PromiseCountRow.outcome)
    for outcome, total in connection.execute(kept):
        promises.add_metric([outcome], float(total))
    yield promises
