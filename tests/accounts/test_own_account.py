"""The own account: an own password, a second step, logging out elsewhere; each proves first who it is."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest

from bot.accounts import accounts, tries
from bot.roles import Role
from tests.webhooks.browser import (
    PASSWORD,
    SECRET,
    give_password,
    make_account,
    make_browser,
    open_session,
    send,
    token_of,
)

NEW = "een heel andere zin"


@pytest.fixture
def sanne(service):
    return make_account(service, Role.DESK, login="sanne", password=PASSWORD)


@pytest.fixture
def browser(service, sanne):
    made = make_browser(service)
    open_session(made, sanne)
    return made


def code(clock, steps=0, secret=SECRET):
    return pyotp.TOTP(secret).at(clock.machine_now() + timedelta(seconds=30 * steps))


def change(browser, password=PASSWORD, new=NEW, again=None):
    return send(browser, "/desk/me/password", password=password, new=new, again=new if again is None else again)


def test_a_new_password_counts_and_ends_every_other_session(service, sanne, browser):
    other = make_browser(service)
    open_session(other, sanne)
    assert change(browser).headers["location"] == "/desk/me?done=password"
    assert "Je bent overal elders uitgelogd" in browser.get("/desk/me?done=password").text
    assert other.get("/desk/me").status_code == 303
    assert give_password(other, "sanne").status_code == 401
    assert give_password(other, "sanne", NEW).headers["location"] == "/desk/login/code"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"password": "not it"}, "Huidig wachtwoord"),
        ({"new": "kort"}, "minder dan 12 tekens"),
        ({"new": "a1" * 65}, "meer dan 128 tekens"),
        ({"new": "Welkom2026!!"}, "te makkelijk te raden"),
        ({"again": "iets anders dan dat"}, "niet gelijk"),
        ({"new": PASSWORD}, "dat je al hebt"),
        ({"new": ""}, "minder dan 12 tekens"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changes(service, browser, fields, says):
    answer = change(browser, **fields)
    assert answer.status_code == 422
    assert says in answer.text
    assert give_password(make_browser(service), "sanne").status_code == 303


def test_a_stolen_session_can_not_guess_the_password_without_end(browser):
    for _ in range(tries.ACCOUNT_TRIES):
        assert change(browser, password="guess").status_code == 422
    assert change(browser).status_code == 422  # right, but shut


def enrol(service, clock):
    """A new colleague sets the second step up; returns the recovery codes."""
    make_account(service, Role.DESK, login="new", password=PASSWORD, second_factor=False)
    browser = make_browser(service)
    give_password(browser, "new")
    assert browser.get("/desk").headers["location"] == "/desk/me/second-factor"
    start = token_of(browser.get("/desk/me/second-factor"))
    browser.post("/desk/me/second-factor/start", data={"token": start})
    page = browser.get("/desk/me/second-factor")
    assert 'src="data:image/svg+xml' in page.text
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page.text)[1]
    wrong = browser.post("/desk/me/second-factor", data={"token": token_of(page), "code": "000000"})
    assert wrong.status_code == 422
    assert secret in wrong.text  # the same picture
    done = browser.post("/desk/me/second-factor", data={"token": token_of(page), "code": code(clock, secret=secret)})
    codes = re.findall(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", done.text)
    assert browser.get("/desk").status_code == 200
    return codes


def test_a_first_second_step_needs_no_more_than_the_login(service, clock):
    assert len(set(enrol(service, clock))) == 10


def test_a_recovery_code_opens_once_however_it_is_typed(service, clock):
    codes = enrol(service, clock)
    for typed, status in ((codes[0].upper().replace("-", " "), 303), (codes[0], 401), (codes[1], 303)):
        browser = make_browser(service)
        give_password(browser, "new")
        token = token_of(browser.get("/desk/login/code"))
        assert browser.post("/desk/login/code", data={"token": token, "code": typed}).status_code == status
    assert "Er zijn nog 8 herstelcodes over" in browser.get("/desk/me").text


@pytest.mark.parametrize("wrong", [{"password": "not it"}, {"code": "000000"}])
def test_another_phone_needs_the_password_and_a_code_of_the_old_one(service, sanne, browser, clock, wrong):
    fields = {"password": PASSWORD, "code": code(clock)} | wrong
    assert send(browser, "/desk/me/second-factor/start", **fields).status_code == 422
    kept = service.store.read(lambda c: accounts.secrets_of(c, sanne))
    assert kept.totp_pending is None


def test_another_phone_counts_from_its_first_code_on(service, sanne, browser, clock):
    send(browser, "/desk/me/second-factor/start", password=PASSWORD, code=code(clock))
    page = browser.get("/desk/me/second-factor")
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page.text)[1]
    sealed = service.store.read(lambda c: accounts.secrets_of(c, sanne)).totp_sealed
    assert service.vault.open_text(sealed) == SECRET  # the old one until the new one is confirmed
    assert send(browser, "/desk/me/second-factor", code=code(clock, secret=secret)).status_code == 200
    sealed = service.store.read(lambda c: accounts.secrets_of(c, sanne)).totp_sealed
    assert service.vault.open_text(sealed) == secret


def test_logging_out_elsewhere_keeps_this_browser(service, sanne, browser):
    other = make_browser(service)
    open_session(other, sanne)
    assert "Overal elders uitloggen" in browser.get("/desk/me").text
    send(browser, "/desk/me/sessions")
    assert other.get("/desk/me").status_code == 303
    assert browser.get("/desk/me").status_code == 200


def test_the_page_of_somebody_else_is_nowhere(browser):
    assert browser.get("/desk/me/1").status_code == 404
