"""A log line says which message it belongs to, and never a token."""

from __future__ import annotations

import json
import logging

import httpx
import pytest
import respx

from bot import logs


@pytest.fixture
def lines(capsys):
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure(as_json=True)
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_carries_the_key_of_its_message(lines):
    token = logs.trace.set("tg:4711")
    logging.getLogger("bot.worker").info("handled in %s ms", 12)
    logs.trace.reset(token)
    logging.getLogger("bot.worker").warning("nobody's")
    first, second = lines()
    assert (first["trace"], first["message"], first["level"]) == ("tg:4711", "handled in 12 ms", "info")
    assert second["trace"] == "-"


def test_an_error_is_named_by_its_type_alone(lines):
    try:
        int("amina said: help")
    except ValueError:
        logging.getLogger("x").exception("failed")
    (line,) = lines()
    assert line["error"] == "ValueError"
    assert "amina" not in json.dumps(line)


def test_the_http_client_does_not_print_the_token(lines):
    with respx.mock:
        respx.post("https://api.telegram.org/bot123:SECRET/getWebhookInfo").respond(json={"ok": True})
        httpx.post("https://api.telegram.org/bot123:SECRET/getWebhookInfo")
    assert lines() == []


@pytest.mark.parametrize(
    ("key", "origin"), [("reply:tg:7:1", "tg:7"), ("answer:3:9", "answer:3:9"), ("reply:timer:5:2", "timer:5")]
)
def test_a_reply_has_the_key_of_what_it_answers(key, origin):
    assert logs.origin(key) == origin
