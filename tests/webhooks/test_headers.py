"""Headers of every answer, whoever asks for what; and what a refusal leaves in the log."""

from __future__ import annotations

import logging

import pytest

from bot.roles import Role
from tests.webhooks.browser import log_in, make_browser, send

PLACES = (
    "/health/live",
    "/health/ready",
    "/metrics",
    "/openapi.json",
    "/my-data/none",
    "/simulator",
    "/static/desk.css",
    "/static/none.css",
    "/nowhere",
    "/desk",
    "/desk/login",
    "/desk/me",
    "/desk/content",
    "/api/monitoring/v1/waves",
    "/telegram",
    f"/desk/tickets/{'9' * 5000}",
)


@pytest.fixture
def browser(service):
    return make_browser(service)


def test_every_answer_has_the_headers_of_safety(browser):
    log_in(browser)
    answers = [browser.get(place) for place in PLACES]
    answers += [browser.post("/telegram", content=b"x" * 200_000), browser.options("/desk"), browser.post("/whatsapp")]
    for answer in answers:
        headers = answer.headers
        assert headers["x-content-type-options"] == "nosniff", answer.url
        assert "default-src 'none'" in headers["content-security-policy"], answer.url
        assert "frame-ancestors 'none'" in headers["content-security-policy"], answer.url
        assert headers["referrer-policy"] in ("no-referrer", "same-origin"), answer.url
        assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains", answer.url
        assert headers.get_list("content-security-policy") == [headers["content-security-policy"]], answer.url
        assert "access-control-allow-origin" not in headers, answer.url
        assert not answer.content or "content-type" in headers, answer.url
        if headers.get("content-type", "").startswith("text/"):
            assert "charset=utf-8" in headers["content-type"], answer.url


def test_without_https_nobody_is_told_to_use_it(service):
    service.settings = service.settings.model_copy(update={"public_base_url": ""})
    assert "strict-transport-security" not in make_browser(service).get("/health/live").headers


def test_no_file_but_those_meant_for_it_is_served(browser):
    for place in ("/static/", "/static", "/.git/config", "/static/../app.py", "/static/%2e%2e/app.py", "/.env"):
        answer = browser.get(place)
        assert answer.status_code in (404, 405), place
        assert "import" not in answer.text, place


def test_trace_is_refused(browser):
    for place in ("/desk", "/telegram", "/health/live", "/static/desk.css"):
        assert browser.request("TRACE", place).status_code == 405, place


def test_logging_out_clears_what_the_browser_kept(browser):
    log_in(browser)
    assert send(browser, "/desk/logout").headers["clear-site-data"] == '"cache", "storage"'


def test_a_refusal_is_in_the_log_without_what_was_sent(browser, caplog):
    caplog.set_level(logging.INFO, logger="webhooks")
    account = log_in(browser, Role.EDITOR)
    assert browser.get("/desk/tickets/7?note=egelskop").status_code == 403
    assert browser.post("/desk/logout", data={"token": "forged", "text": "egelskop"}).status_code == 403
    assert f"refused (not_yours): account {account} at GET /desk/tickets/{{ticket_id:int}}" in caplog.text
    assert f"refused (forged): account {account} at POST /desk/logout" in caplog.text
    assert "egelskop" not in caplog.text
