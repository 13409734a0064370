"""The login as a person does it: password, code, what is left to do; and how guessing is stopped."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa

from bot.accounts import accounts, tries
from bot.accounts.tries import ACCOUNT_TRIES, NETWORK_TRIES
from bot.roles import Role
from bot.settings import load_settings
from bot.storage.account_models import AccountRow, AuditRow
from tests.conftest import KEYS
from tests.webhooks.browser import PASSWORD, SECRET, give_password, make_account, make_browser, token_of
from webhooks.auth import Guard


@pytest.fixture
def sanne(service):
    return make_account(service, Role.DESK, login="sanne@nijmegen.example", password=PASSWORD)


@pytest.fixture
def browser(service, sanne):
    return make_browser(service)


def code(clock, steps=0):
    return pyotp.TOTP(SECRET).at(clock.machine_now() + timedelta(seconds=30 * steps))


def give_code(browser, value, **fields):
    token = token_of(browser.get("/desk/login/code"))
    return browser.post("/desk/login/code", data={"token": token, "code": value, **fields})


def log(service):
    return service.store.read(lambda c: c.execute(sa.select(AuditRow.action, AuditRow.detail)).all())


def test_a_password_and_a_code_open_the_first_page_of_the_own_work(service, browser, clock):
    first = give_password(browser, " Sanne@Nijmegen.example ")
    assert (first.status_code, first.headers["location"]) == (303, "/desk/login/code")
    second = give_code(browser, code(clock))
    assert (second.status_code, second.headers["location"]) == (303, "/desk")
    assert "Sanne" in browser.get("/desk").text
    assert ("login", "") in log(service)


def test_after_the_password_alone_nothing_is_open(browser):
    give_password(browser, "sanne@nijmegen.example")
    for path in ("/desk", "/desk/me", "/desk/me/password", "/desk/me/second-factor", "/monitoring"):
        assert browser.get(path).headers["location"] == "/desk/login/code"
    token = token_of(browser.get("/desk/login/code"))
    assert browser.post("/desk/me/sessions", data={"token": token}).headers["location"] == "/desk/login/code"


def test_the_page_that_was_asked_for_comes_after_both_steps(browser, clock):
    place = browser.get("/desk/tickets/7").headers["location"]
    assert 'name="next" value="/desk/tickets/7"' in browser.get(place).text
    first = give_password(browser, "sanne@nijmegen.example", next="/desk/tickets/7")
    assert 'name="next" value="/desk/tickets/7"' in browser.get(first.headers["location"]).text
    assert give_code(browser, code(clock), next="/desk/tickets/7").headers["location"] == "/desk/tickets/7"


def test_whether_the_name_or_the_password_is_wrong_is_not_told(service, browser):
    unknown, wrong = give_password(browser, "nobody"), give_password(browser, "sanne@nijmegen.example", "not it")
    assert unknown.status_code == wrong.status_code == 401
    assert "samen niet goed" in wrong.text
    assert unknown.text.replace("nobody", "") == wrong.text.replace("sanne@nijmegen.example", "")
    assert [action for action, _ in log(service)].count("login.failed") == 2


def test_whoever_was_switched_off_does_not_come_in(service, browser, sanne, clock):
    service.store.write(lambda c: c.execute(sa.update(AccountRow).where(AccountRow.id == sanne).values(active=False)))
    assert give_password(browser, "sanne@nijmegen.example").status_code == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser, service):
    cookie = give_password(browser, "sanne@nijmegen.example").headers["set-cookie"]
    assert cookie.startswith("__Host-wegwijs_desk=")
    assert {"HttpOnly", "SameSite=lax", "Secure", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_without_https_the_cookie_works_too(service):
    service.settings = service.settings.model_copy(update={"public_base_url": ""})
    guard = Guard(service)
    assert (guard.cookie, guard._secure) == ("wegwijs_desk", False)


def test_each_step_has_a_value_of_its_own(service, browser, clock):
    name = Guard(service).cookie
    browser.get("/desk/login")
    values = [browser.cookies[name]]
    give_password(browser, "sanne@nijmegen.example")
    values.append(browser.cookies[name])
    give_code(browser, code(clock))
    values.append(browser.cookies[name])
    assert len(set(values)) == 3
    browser.cookies.set(name, values[1], domain="bot.example.org", path="/")
    assert browser.get("/desk").status_code == 303


def test_a_login_form_of_another_site_is_refused(service, browser):
    for token in ("", "x", "é"):
        data = {"login": "sanne@nijmegen.example", "password": PASSWORD, "token": token}
        response = browser.post("/desk/login", data=data)
        assert response.status_code == 403
        assert "te oud" in response.text
    foreign = token_of(make_browser(service).get("/desk/login"))
    assert browser.post("/desk/login", data={**data, "token": foreign}).status_code == 403


def test_a_code_counts_once(service, browser, clock):
    give_password(browser, "sanne@nijmegen.example")
    seen = code(clock)
    assert give_code(browser, seen).status_code == 303
    other = make_browser(service)
    give_password(other, "sanne@nijmegen.example")
    refused = give_code(other, seen)
    assert refused.status_code == 401
    assert "al gebruikt" in refused.text
    assert give_code(other, code(clock, 1)).status_code == 303


@pytest.mark.parametrize("wrong", ["", "12345", "abcdef", "000000", "١٢٣٤٥٦"])
def test_a_wrong_code_is_refused(browser, wrong):
    give_password(browser, "sanne@nijmegen.example")
    assert give_code(browser, wrong).status_code == 401


def test_a_code_of_a_minute_and_a_half_ago_is_old(browser, clock):
    give_password(browser, "sanne@nijmegen.example")
    assert give_code(browser, code(clock, -3)).status_code == 401
    assert give_code(browser, code(clock, -1)).status_code == 303


def test_the_time_between_password_and_code_is_short(browser, clock):
    give_password(browser, "sanne@nijmegen.example")
    clock.machine += timedelta(minutes=10)
    assert browser.get("/desk/login/code").headers["location"].startswith("/desk/login?next=")


def test_a_password_for_one_login_leads_to_an_own_one_and_to_the_second_step(service):
    make_account(service, Role.DESK, login="new", password=PASSWORD, second_factor=False, must_change_password=True)
    browser = make_browser(service)
    give_password(browser, "new")
    assert browser.get("/desk").headers["location"] == "/desk/me/password"
    assert "Huidig wachtwoord" in browser.get("/desk/me/password").text
    assert browser.get("/desk/me/second-factor").headers["location"] == "/desk/me/password"


def test_guessing_at_an_account_is_stopped_over_all_networks_and_processes(service, browser, sanne):
    for number in range(ACCOUNT_TRIES):
        each = make_browser(service)  # its own application, as another process
        each._transport.client = (f"192.0.2.{number}", 1)
        assert give_password(each, "sanne@nijmegen.example", "guess").status_code == 401
    response = give_password(browser, "sanne@nijmegen.example")
    assert response.status_code == 429
    assert "Probeer het over 10 minuten opnieuw" in response.text
    assert 0 < int(response.headers["retry-after"]) <= 600
    assert give_password(browser, "nobody").status_code == 401  # other accounts are not shut


def test_a_colleague_in_a_known_browser_is_never_shut_out_by_the_tries_of_others(service, browser, clock):
    give_password(browser, "sanne@nijmegen.example")
    give_code(browser, code(clock))
    browser.cookies.delete(Guard(service).cookie)
    stranger = make_browser(service)
    stranger._transport.client = ("192.0.2.1", 1)
    for _ in range(ACCOUNT_TRIES):
        give_password(stranger, "sanne@nijmegen.example", "guess")
    assert give_password(stranger, "sanne@nijmegen.example", "guess").status_code == 429
    assert give_password(browser, "sanne@nijmegen.example").status_code == 303
    assert give_code(browser, code(clock, 1)).status_code == 303


def test_tries_while_it_is_shut_do_not_keep_it_shut(service, browser, clock):
    for _ in range(ACCOUNT_TRIES):
        give_password(browser, "sanne@nijmegen.example", "guess")
    for _ in range(9):
        clock.machine += timedelta(minutes=1)
        assert give_password(browser, "sanne@nijmegen.example", "guess").status_code == 429
    clock.machine += timedelta(minutes=1)
    assert give_password(browser, "sanne@nijmegen.example").status_code == 303


def test_a_network_is_shut_after_thirty_wrong_tries_and_right_ones_do_not_count(service, browser, clock):
    keys = Guard(service).keys(Request("testclient"), "x", None)
    for _ in range(NETWORK_TRIES - 1):
        service.store.write(lambda c: tries.take(c, tries.Keys(keys.network, "some account"), clock.machine_now()))
        service.store.write(lambda c: tries.forget(c, "some account"))
    assert give_password(browser, "sanne@nijmegen.example").status_code == 303
    assert give_password(make_browser(service), "nobody").status_code == 401
    assert give_password(make_browser(service), "sanne@nijmegen.example").status_code == 429


class Request:
    """As little of a request as the guard looks at."""

    def __init__(self, host):
        self.client, self.cookies = type("Client", (), {"host": host}), {}


def test_a_known_password_is_no_way_to_try_codes_without_end(service, browser, clock):
    statuses = []
    for _ in range(ACCOUNT_TRIES):
        each = make_browser(service)
        if give_password(each, "sanne@nijmegen.example").status_code == 429:
            break
        statuses.append(give_code(each, "000000").status_code)
    assert statuses == [401] * (ACCOUNT_TRIES // 2)


def test_invented_accounts_count_only_beside_the_invented_phones(service, tmp_path):
    make_account(service, Role.DESK, login="desk", password=PASSWORD, second_factor=False, is_demo=True)
    browser = make_browser(service)
    assert 'value="desk"' in browser.get("/desk/login").text
    assert give_password(browser, "desk").headers["location"] == "/desk"
    assert browser.get("/desk").status_code == 200  # without a second step
    service.settings = load_settings(
        data_dir=tmp_path, simulator=False, public_base_url="https://bot.example.org", **KEYS
    )
    other = make_browser(service)
    other.cookies = browser.cookies
    assert other.get("/desk").status_code == 303
    other.cookies.clear()
    assert 'value="desk"' not in other.get("/desk/login").text
    assert give_password(other, "desk").status_code == 401


def test_without_accounts_the_page_says_how_to_make_one(service):
    assert "<code>wegwijs accounts add</code>" in make_browser(service).get("/desk/login").text


def test_no_secret_stands_in_the_database_as_it_is(service, sanne):
    row = service.store.read(lambda c: c.execute(sa.select(AccountRow.__table__)).one())
    assert row.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD not in str(row)
    assert SECRET not in str(row)
    assert service.store.read(lambda c: accounts.by_id(c, sanne)).has_totp
