"""Who comes in: one password, a session that ends, forms that only our own pages can send."""

from __future__ import annotations

import time

import pytest
from starlette.requests import Request
from starlette.responses import Response

from bot.roles import Principal, Role
from bot.settings import load_settings
from tests.conftest import KEYS
from tests.webhooks.browser import log_in, make_browser, token_of
from webhooks import auth, desk, monitoring
from webhooks.auth import CLIENTS_KEPT, COOKIE, Attempts, Guard, Session, network, place_after_login
from webhooks.pages import HEADERS

PUBLIC = {("GET", "/desk/login"), ("POST", "/desk/login")}


@pytest.fixture
def browser(service):
    return make_browser(service)


def test_the_right_password_opens_the_desk(browser):
    response = log_in(browser, name="Sanne")
    assert (response.status_code, response.headers["location"]) == (303, "/desk")
    page = browser.get("/desk")
    assert page.status_code == 200
    assert "Sanne" in page.text


def test_a_wrong_password_is_said_to_be_wrong(browser):
    response = log_in(browser, "not it")
    assert response.status_code == 401
    assert "Wachtwoord: dit is niet het goede" in response.text
    assert browser.get("/desk").status_code == 303


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(browser):
    cookie = log_in(browser).headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=lax", "Secure", f"Max-Age={8 * 3600}", "Path=/"} <= set(cookie.split("; "))


def test_without_https_the_cookie_works_too(tmp_path):
    guard = Guard(load_settings(data_dir=tmp_path))
    response = Response()
    guard.remember(response, guard.enter("x"))
    assert "Secure" not in response.headers["set-cookie"]


@pytest.mark.parametrize("module", [desk, monitoring])
def test_every_page_asks_for_a_login_first(service, browser, module):
    routes = [(method, route.path) for route in module.router(service).routes for method in route.methods]
    closed = set(routes) - PUBLIC
    assert closed
    for method, path in closed:
        response = browser.request(method, path.replace("{ticket_id:int}", "1"), data={"token": "x"})
        if method == "GET":
            assert response.status_code == 303
            assert response.headers["location"].startswith("/desk/login?next=")
        else:
            assert response.status_code == 401


def test_a_page_is_only_for_its_roles(service, browser, monkeypatch):
    log_in(browser)
    nobody = property(lambda self: Principal(self.name, frozenset({Role.RESEARCHER})))
    monkeypatch.setattr(Session, "principal", nobody)
    assert browser.get("/desk").status_code == 403
    shown = browser.get("/monitoring")
    assert shown.status_code == 200
    assert '/desk">Vragen</a>' not in shown.text
    assert '/desk/content">Antwoorden</a>' in shown.text


def test_after_the_login_the_page_that_was_asked_for_comes(browser):
    place = browser.get("/monitoring").headers["location"]
    assert 'name="next" value="/monitoring"' in browser.get(place).text
    assert log_in(browser, next="/monitoring").headers["location"] == "/monitoring"
    assert browser.get(place).headers["location"] == "/monitoring"


@pytest.mark.parametrize(
    "place", ["//evil.example", "https://evil.example", "/desk\\@evil", "/telegram", "", "/desk/../x"]
)
def test_the_login_never_leads_elsewhere(place):
    assert place_after_login(place) == "/desk"


def test_a_login_form_of_another_site_is_refused(service, browser):
    for token in ("", "x", "é"):
        response = browser.post("/desk/login", data={"password": "a long enough password", "token": token})
        assert response.status_code == 403
        assert "te oud" in response.text
    other = make_browser(service)
    foreign = token_of(other.get("/desk/login"))
    assert browser.post("/desk/login", data={"password": "a long enough password", "token": foreign}).status_code == 403


def test_a_form_without_its_token_changes_nothing(browser):
    log_in(browser)
    for data in ({}, {"token": "x"}, {"token": "é" * 50}):
        response = browser.post("/desk/logout", data=data)
        assert response.status_code == 403
        assert "Dit formulier is geweigerd" in response.text
    assert browser.get("/desk").status_code == 200


def test_the_token_of_before_the_login_is_worth_nothing_after_it(browser):
    before = token_of(browser.get("/desk/login"))
    browser.post("/desk/login", data={"password": "a long enough password", "token": before})
    assert browser.post("/desk/logout", data={"token": before}).status_code == 403


def test_logging_out_ends_the_session(browser):
    log_in(browser)
    token = token_of(browser.get("/desk"))
    assert browser.post("/desk/logout", data={"token": token}).headers["location"] == "/desk/login"
    assert browser.get("/desk").status_code == 303


def test_a_session_ends_after_eight_hours(browser, monkeypatch):
    log_in(browser)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 8 * 3600 - 60)
    assert browser.get("/desk").status_code == 200
    monkeypatch.setattr(time, "time", lambda: now + 8 * 3600 + 60)
    assert browser.get("/desk").status_code == 303


@pytest.mark.parametrize("value", ["", "x", "é", "gAAAAA", "a" * 5000])
def test_a_forged_session_is_no_session(settings, value):
    request = Request({"type": "http", "headers": [(b"cookie", f"{COOKIE}={value}".encode("latin-1"))]})
    assert Guard(settings).session(request) is None


def test_a_sealed_address_is_no_session(settings, vault):
    sealed = vault._fernet.encrypt(b'["telegram", "1", null, null]').decode()
    request = Request({"type": "http", "headers": [(b"cookie", f"{COOKIE}={sealed}".encode())]})
    assert Guard(settings).session(request) is None


def test_a_new_password_ends_every_session(service, browser, settings):
    log_in(browser)
    service.settings = settings.model_copy(update={"desk_password": "another password"})
    other = make_browser(service)
    other.cookies = browser.cookies
    assert other.get("/desk").status_code == 303


def test_ten_wrong_passwords_shut_the_door_for_ten_minutes(browser, monkeypatch):
    for _ in range(auth.WRONG_ALLOWED):
        assert log_in(browser, "guess").status_code == 401
    response = log_in(browser)
    assert response.status_code == 429
    assert "Probeer het over 10 minuten opnieuw" in response.text
    assert 0 < int(response.headers["retry-after"]) <= 600


def test_wrong_passwords_are_forgotten_after_ten_minutes_and_kept_apart_by_client():
    moment = [0.0]
    attempts = Attempts(lambda: moment[0])
    for _ in range(auth.WRONG_ALLOWED):
        attempts.failed("192.0.2.1")
    assert (attempts.seconds_shut("192.0.2.1"), attempts.seconds_shut("192.0.2.2")) == (600, 0)
    moment[0] = 599
    assert attempts.seconds_shut("192.0.2.1") == 1
    moment[0] = 600
    assert attempts.seconds_shut("192.0.2.1") == 0


def test_many_clients_do_not_fill_the_memory():
    attempts = Attempts(lambda: 0.0)
    for number in range(CLIENTS_KEPT + 50):
        attempts.failed(f"client {number}")
    assert len(attempts._wrong) == CLIENTS_KEPT


def test_an_ipv6_network_counts_as_one_client():
    assert network("2001:db8::1") == network("2001:db8::ffff") != network("2001:db8:0:1::1")
    assert network("192.0.2.1") != network("192.0.2.2")
    assert network("testclient") == "testclient"


def test_a_demonstration_tells_its_password_and_takes_it(service, tmp_path):
    service.settings = load_settings(data_dir=tmp_path, **KEYS)
    browser = make_browser(service)
    browser.base_url = "http://localhost"
    assert "<code>demo</code>" in browser.get("/desk/login").text
    assert log_in(browser, "demo").status_code == 303


def test_without_a_password_and_without_the_chat_page_nobody_comes_in(service, tmp_path):
    service.settings = load_settings(data_dir=tmp_path, simulator=False, **KEYS)
    browser = make_browser(service)
    page = browser.get("/desk/login")
    assert "WEGWIJS_DESK_PASSWORD" in page.text
    assert 'name="password"' not in page.text
    assert not Guard(service.settings).knows("")
    assert not Guard(service.settings).knows("demo")


def test_a_set_password_is_never_shown(browser):
    assert "a long enough password" not in browser.get("/desk/login").text


def test_no_page_lets_a_script_run_or_shows_itself_in_a_frame(browser):
    log_in(browser)
    for path in ("/desk/login", "/desk", "/desk/tickets/1", "/monitoring", "/desk/login?next=/desk"):
        response = browser.get(path)
        assert (
            HEADERS.items()
            <= {
                name.title().replace("Frame-options", "Frame-Options"): value
                for name, value in response.headers.items()
            }.items()
        )
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
