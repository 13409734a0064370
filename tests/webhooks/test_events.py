"""The stream that says that a list changed: what it tells, to whom, and that it ends."""

from __future__ import annotations

import asyncio

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bot.desk import news
from bot.errors import StoreUnavailableError
from bot.roles import Principal, Role
from tests.desk.asking import answer, ask
from tests.webhooks.browser import BASE, log_in
from webhooks import desk, events

DESK = Principal("Sanne", frozenset({Role.DESK}))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(events, "LOOK_SECONDS", 0.02)


@pytest.fixture
def browser(service):
    app = FastAPI()
    app.include_router(desk.router(service))
    app.include_router(events.router(service))
    app.state.service = service
    app.state.is_stopping = lambda: True  # so that a stream ends at its first look
    with TestClient(app, base_url=BASE, follow_redirects=False) as made:
        yield made


async def listen(service, steps, *, shown=None, is_stopping=lambda: False):
    """The chunks of a stream, one after each step; a step changes something."""
    watcher = events.Watcher(service.store)
    begin = news.State() if shown is None else shown
    tellings = events._tellings(watcher, DESK, begin, str(begin))
    chunks = []
    with watcher.listening("somebody"):
        stream = events._stream(tellings, lambda found: f"{found.new} {found.gone}", is_stopping)
        chunks.append(await anext(stream))
        for step in steps:
            await asyncio.to_thread(step)
            chunks.append(await asyncio.wait_for(anext(stream), 5))
        await stream.aclose()
        await tellings.aclose()
    return chunks


def test_each_change_is_told_once(service):
    _, first = ask(service)
    shown = service.store.read(lambda c: news.state_of(news.open_tickets(c), DESK))
    steps = [lambda: ask(service, "Nog een", who="olena") and None, lambda: answer(service, first)]
    here, one, two = asyncio.run(listen(service, steps, shown=shown))
    assert here == b": here\n\n"
    assert b"event: news\ndata: 1 0\nid: 2-2-" in one
    assert b"event: news\ndata: 1 1\nid: 2-1-" in two


def test_a_page_that_is_old_already_is_told_at_once(service):
    ask(service)
    _, told = asyncio.run(listen(service, [lambda: None]))
    assert b"data: 1 0\n" in told


def test_where_it_is_quiet_a_heartbeat_keeps_the_line_open(service, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.05)
    shown = news.state_of([], DESK)
    assert asyncio.run(listen(service, [lambda: None], shown=shown)) == [b": here\n\n", b": still here\n\n"]


def test_the_service_that_stops_ends_every_stream(service):
    with pytest.raises(StopAsyncIteration):
        asyncio.run(listen(service, [lambda: None], is_stopping=lambda: True))


def test_a_stream_ends_by_itself_so_that_the_session_is_checked_again(service, monkeypatch):
    monkeypatch.setattr(events, "STREAM_SECONDS", 0.0)
    with pytest.raises(StopAsyncIteration):
        asyncio.run(listen(service, [lambda: None]))


def test_a_database_that_is_away_ends_nothing(service, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.05)
    service.store.engine.dispose()
    monkeypatch.setattr(service.store, "aread", away)
    assert asyncio.run(listen(service, [lambda: None]))[1] == b": still here\n\n"


async def away(_):
    raise StoreUnavailableError("away")


def test_nobody_listens_and_nothing_is_read(service):
    async def listen_and_leave():
        watcher = events.Watcher(service.store)
        with watcher.listening("a"), watcher.listening("b"):
            await asyncio.wait_for(watcher.look(), 5)
            assert watcher.tickets == ()
        assert watcher._task is None
        assert watcher.tickets is None
        assert watcher.has_room("a")

    asyncio.run(listen_and_leave())


def test_one_session_gets_a_few_streams_and_no_more(service):
    async def fill():
        watcher = events.Watcher(service.store)
        with watcher.listening("a"), watcher.listening("a"), watcher.listening("a"):
            assert watcher.has_room("a")
            with watcher.listening("a"):
                assert not watcher.has_room("a")
                assert watcher.has_room("b")
        assert watcher.has_room("a")

    asyncio.run(fill())


def test_the_stream_is_for_who_answers_and_says_so_in_its_headers(browser):
    assert browser.get("/desk/events").status_code == 303
    log_in(browser)
    response = browser.get("/desk/events", params={"since": "x" * 500})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-accel-buffering"] == "no"


def test_the_page_carries_the_state_that_the_stream_begins_with(service, browser):
    log_in(browser)
    ask(service)
    state = service.store.read(lambda c: news.state_of(news.open_tickets(c), DESK))
    assert f'data-live="{state}"' in browser.get("/desk").text
