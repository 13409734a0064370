"""Doors stand in front of the layers, and do what those would have done."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from webhooks.app import Application, create_app
from webhooks.door import Said, door
from webhooks.headers import HSTS, SAFE


@pytest.fixture
def opened(service):
    """A client of an application whose only door says what the test wants, and the requests that it got."""
    knocks = []

    async def handler(knock):
        knocks.append(knock)
        return Said(int(knock.header(b"x-say") or 200), 7 if knock.query else None)

    app = Application()
    settings = service.settings.model_copy(update={"max_body_bytes": 1024, "public_base_url": "https://a.example"})
    app.add_doors([door("/knock", handler, settings)])
    app.middleware("http")(_shut)
    return TestClient(app), knocks


async def _shut(request, call_next):
    raise AssertionError("a layer was asked")


def test_no_layer_is_asked_and_the_headers_of_every_answer_are_there(opened):
    client, knocks = opened
    answer = client.post("/knock?a=%20b", content=b"x" * 1024, headers={"X-Name": "é".encode()})
    assert (answer.status_code, answer.content, answer.headers["retry-after"]) == (200, b"", "7")
    for name, value in (*SAFE, HSTS):
        assert answer.headers[name.decode()] == value.decode()
    (knock,) = knocks
    assert (knock.path, knock.query, knock.body, knock.header(b"x-name")) == (
        "/knock",
        "a=%20b",
        b"x" * 1024,
        "\xc3\xa9",
    )


def test_no_content_tells_no_length(opened):
    assert "content-length" not in opened[0].post("/knock", headers={"x-say": "204"}).headers


@pytest.mark.parametrize("length", ["1025", "9" * 5000, "-1", "x", "²"])
def test_a_length_over_the_limit_or_no_length_is_refused_unread(opened, length):
    client, knocks = opened
    answer = client.post("/knock", content=b"x", headers={"content-length": length.encode()})
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert knocks == []


def test_a_body_in_pieces_is_refused_where_it_grows_over_the_limit(opened):
    client, knocks = opened
    assert client.post("/knock", content=(b"x" * 500 for _ in range(3))).status_code == 413
    assert client.post("/knock", content=(b"x" * 500 for _ in range(2))).status_code == 200
    assert [len(knock.body) for knock in knocks] == [1000]


def test_another_method_or_another_path_goes_the_ordinary_way(service):
    client = TestClient(create_app(service))
    assert client.get("/telegram").status_code == 405
    assert client.post("/telegram/").status_code == 404
    assert client.post("/telegram").status_code == 403
