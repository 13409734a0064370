"""Who comes in: sessions that end, roles, forms that only our own pages can send, headers on every page."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.accounts import accounts, sessions
from bot.roles import Principal, Role
from bot.storage.account_models import SessionRow
from tests.webhooks.browser import NOBODY, log_in, make_account, make_browser, open_session, send, token_of
from webhooks.auth import Guard, network, place_after_login
from webhooks.pages import HEADERS


@pytest.fixture
def browser(service):
    return make_browser(service)


def is_inside(browser):
    return browser.get("/desk/me").status_code == 200


def test_a_page_is_only_for_its_roles(browser):
    log_in(browser, Role.RESEARCHER)
    assert browser.get("/desk").status_code == 403
    shown = browser.get("/monitoring")
    assert shown.status_code == 200
    assert '/desk">Vragen</a>' not in shown.text
    assert '/desk/content">Antwoorden</a>' in shown.text


@pytest.mark.parametrize(
    "place", ["//evil.example", "https://evil.example", "/desk\\@evil", "/telegram", "", "/desk/../x"]
)
def test_the_login_never_leads_elsewhere(place):
    assert place_after_login(place, "/desk") == "/desk"


def test_a_form_without_its_token_changes_nothing(browser):
    log_in(browser)
    for data in ({}, {"token": "x"}, {"token": "é" * 50}):
        response = browser.post("/desk/logout", data=data)
        assert response.status_code == 403
        assert "Dit formulier is geweigerd" in response.text
    assert is_inside(browser)


def test_the_token_of_one_session_is_worth_nothing_in_another(service, browser):
    log_in(browser)
    other = make_browser(service)
    log_in(other)
    foreign = token_of(other.get("/desk/me"))
    assert browser.post("/desk/logout", data={"token": foreign}).status_code == 403


def test_logging_out_ends_the_session_on_the_server_too(service, browser):
    log_in(browser)
    kept = dict(browser.cookies)
    assert send(browser, "/desk/logout").headers["location"] == "/desk/login"
    browser.cookies.update(kept)
    assert not is_inside(browser)
    assert service.store.read(lambda c: c.execute(sa.select(SessionRow.id)).all()) == []


def test_a_session_ends_an_hour_after_its_last_use(clock, browser):
    log_in(browser)
    for _ in range(3):
        clock.machine += timedelta(minutes=59)
        assert is_inside(browser)
    clock.machine += timedelta(minutes=60)
    assert not is_inside(browser)


def test_a_session_ends_after_ten_hours_however_much_it_is_used(clock, browser):
    log_in(browser)
    for _ in range(11):
        assert is_inside(browser)
        clock.machine += timedelta(minutes=54)
    clock.machine += timedelta(minutes=7)
    assert not is_inside(browser)


def test_both_ends_are_settings(service, clock):
    service.settings = service.settings.model_copy(update={"session_idle_minutes": 5, "session_hours": 1})
    browser = make_browser(service)
    log_in(browser)
    clock.machine += timedelta(minutes=5)
    assert not is_inside(browser)


def test_a_list_that_refreshes_itself_is_nobody_who_works(clock, browser):
    log_in(browser)
    clock.machine += timedelta(minutes=59)
    assert browser.get("/desk", headers={"accept": "text/event-stream"}).status_code == 200
    clock.machine += timedelta(minutes=2)
    assert not is_inside(browser)


def test_moving_the_clock_of_a_demonstration_ends_no_session(clock, browser):
    log_in(browser)
    clock.forward(timedelta(days=3))
    assert is_inside(browser)


def change_roles(connection, account_id, now):
    accounts.change(connection, NOBODY, account_id, accounts.Wanted("Sanne", frozenset({Role.EDITOR})), now)


@pytest.mark.parametrize(
    "deed",
    [
        change_roles,
        lambda c, a, now: accounts.switch(c, NOBODY, a, now, on=False),
        lambda c, a, now: accounts.set_password(c, NOBODY, a, "another", now),
        lambda c, a, now: accounts.reset_totp(c, NOBODY, a, now),
    ],
)
def test_other_roles_a_new_password_or_switching_off_end_every_session_at_once(service, browser, clock, deed):
    make_account(service, Role.ADMIN)  # somebody is left
    account_id = log_in(browser)
    other = make_browser(service)
    open_session(other, account_id)
    service.store.write(lambda c: deed(c, account_id, clock.machine_now()))
    assert not is_inside(browser)
    assert not is_inside(other)


@pytest.mark.parametrize("value", ["x", "é", "gAAAAA", "a" * 5000, "' OR 1=1 --"])
def test_a_forged_session_is_no_session(service, value):
    browser = make_browser(service)
    log_in(browser)
    cookie = Guard(service).cookie.encode() + b"=" + value.encode("latin-1")
    assert make_browser(service).get("/desk/me", headers={b"cookie": cookie}).status_code == 303


def test_the_database_holds_nothing_that_opens_a_session(service, browser):
    log_in(browser)
    value = browser.cookies[Guard(service).cookie]
    kept = service.store.read(lambda c: c.execute(sa.select(SessionRow.hash)).scalar_one())
    assert kept == sessions.hash_of(value) != value


def test_an_ipv6_network_counts_as_one_client():
    assert network("2001:db8::1") == network("2001:db8::ffff") != network("2001:db8:0:1::1")
    assert network("192.0.2.1") != network("192.0.2.2")
    assert network("testclient") == "testclient"


def test_no_page_lets_a_script_run_or_shows_itself_in_a_frame(browser):
    log_in(browser)
    for path in (
        "/desk",
        "/desk/tickets/1",
        "/monitoring",
        "/desk/me",
        "/desk/accounts",
        "/desk/audit",
        "/desk/me/password",
    ):
        headers = browser.get(path).headers
        assert {name: headers.get(name) for name in HEADERS} == HEADERS
    browser.cookies.clear()
    for path in ("/desk/login", "/desk/login?next=/desk", "/desk"):
        headers = browser.get(path).headers
        assert {name: headers.get(name) for name in HEADERS} == HEADERS
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_a_klantregisseur_is_who_the_account_belongs_to(service, browser):
    account_id = make_account(service, Role.KLANTREGISSEUR, name="Piet")
    open_session(browser, account_id)
    account = service.store.read(lambda c: accounts.by_id(c, account_id))
    assert account.principal == Principal("Piet", frozenset({Role.KLANTREGISSEUR}), account_id)
    assert "Piet" in browser.get("/desk").text
