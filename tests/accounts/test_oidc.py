"""The municipality's own login, against a real OpenID Connect server on this machine; and all that is refused."""

from __future__ import annotations

import asyncio
import warnings
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
import sqlalchemy as sa

from bot.accounts import accounts
from bot.roles import Role
from bot.storage.account_models import AccountRow, AuditRow
from bot.storage.models import ActorRow
from tests.webhooks.browser import NOBODY, give_password, make_account, make_browser, send
from webhooks.openid import Attempt, Client, ProviderError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the server's own imports
    import oidc_provider_mock

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the server's
CALLBACK = "https://bot.example.org/desk/oidc/callback"
USERS = {
    "sanne": {"name": "Sanne de Wit", "roles": ["WW-KR", "other"], "medewerker": "KR01"},
    "joost": {"name": "Joost", "roles": "WW-COORD"},
    "visitor": {"name": "Visitor", "roles": ["other"]},
    "nothing": {"name": "Nothing"},
}


def start_server(**options):
    users = [oidc_provider_mock.User(sub=sub, claims=claims) for sub, claims in USERS.items()]
    return oidc_provider_mock.run_server_in_thread(user_claims=users, **options)


@pytest.fixture(scope="module")
def provider():
    with start_server(require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def browser(service, provider):
    return browser_for(service, provider)


def browser_for(service, provider, **changes):
    values = {
        "oidc_issuer": provider,
        "oidc_client_id": "wegwijs",
        "oidc_client_secret": "secret",
        "oidc_roles": "WW-KR=klantregisseur,WW-COORD=coordinator",
        "oidc_actor_claim": "medewerker",
    }
    service.settings = service.settings.model_copy(update=values | changes)
    return make_browser(service)


def at_the_provider(address, who="sanne", **changes):
    """Log in there as somebody; returns where the provider sends the browser back to, as a path of ours."""
    parts = urlsplit(address)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()} | changes
    there = f"{parts.scheme}://{parts.netloc}{parts.path}?{urlencode(asked)}"
    form = {"action": "deny"} if who is None else {"sub": who}
    answer = httpx.post(there, data=form, follow_redirects=False)
    back = urlsplit(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == CALLBACK
    return f"{back.path}?{back.query}"


def begin(browser, wanted=""):
    page = browser.get("/desk/login")
    assert "/desk/oidc/login" in page.text
    answer = browser.get("/desk/oidc/login", params={"next": wanted})
    assert answer.status_code == 303
    return answer.headers["location"]


def come_in(browser, who="sanne", wanted=""):
    return browser.get(at_the_provider(begin(browser, wanted), who))


def everybody(service):
    return service.store.read(accounts.everybody)


def actions(service):
    return service.store.read(lambda c: c.execute(sa.select(AuditRow.action)).scalars().all())


def test_who_has_a_role_there_comes_in_and_gets_an_account(service, browser, clock):
    service.store.write(
        lambda c: c.execute(
            sa.insert(ActorRow).values(code="KR01", name="S. de Wit", languages=["nl"], imported_at=clock.now())
        )
    )
    answer = come_in(browser, wanted="/desk/tickets/7")
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/tickets/7")
    (account,) = everybody(service)
    assert (account.name, account.roles, account.login) == ("Sanne de Wit", {Role.KLANTREGISSEUR}, "")
    assert account.is_external
    assert account.actor_id is not None
    assert browser.get("/desk").status_code == 200  # no second step of ours: the municipality asks for its own
    assert browser.get("/monitoring").status_code == 403
    assert [one for one in actions(service) if one != "batch.view"] == ["account.add", "login"]


def test_the_request_carries_state_nonce_and_a_challenge(browser):
    asked = parse_qs(urlsplit(begin(browser)).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert len({asked[name][0] for name in ("state", "nonce", "code_challenge")}) == 3
    assert asked["redirect_uri"] == [CALLBACK]
    again = parse_qs(urlsplit(begin(browser)).query)
    assert {name: again[name] for name in ("state", "nonce")} != {name: asked[name] for name in ("state", "nonce")}


def test_a_second_login_finds_the_same_account_and_takes_over_what_changed(service, browser, provider):
    come_in(browser, "joost")
    old = make_browser(service)
    come_in(old, "joost")
    httpx.put(f"{provider}/users/joost", json={"name": "Joost Bakker", "roles": ["WW-KR"]})
    try:
        new = make_browser(service)
        come_in(new, "joost")
        (account,) = everybody(service)
        assert (account.name, account.roles) == ("Joost Bakker", {Role.KLANTREGISSEUR})
        assert old.get("/desk/me").status_code == 303  # other roles end other sessions
        assert new.get("/desk/me").status_code == 200
    finally:
        httpx.put(f"{provider}/users/joost", json=USERS["joost"])


@pytest.mark.parametrize("who", ["visitor", "nothing"])
def test_nobody_gets_in_without_a_role(service, browser, who):
    answer = come_in(browser, who)
    assert answer.status_code == 403
    assert "geen van je rollen geeft hier toegang" in answer.text
    assert browser.get("/desk/me").status_code == 303
    assert everybody(service) == []
    assert actions(service) == ["login.refused"]


def test_who_lost_the_role_there_is_out_here_too(service, browser, provider):
    come_in(browser, "joost")
    httpx.put(f"{provider}/users/joost", json={"name": "Joost", "roles": []})
    try:
        assert come_in(make_browser(service), "joost").status_code == 403
        assert browser.get("/desk/me").status_code == 303
    finally:
        httpx.put(f"{provider}/users/joost", json=USERS["joost"])


def test_who_is_switched_off_here_does_not_come_in(service, browser, clock):
    come_in(browser, "joost")
    (account,) = everybody(service)
    service.store.write(lambda c: accounts.switch(c, NOBODY, account.id, clock.machine_now(), on=False))
    answer = come_in(browser, "joost")
    assert answer.status_code == 403
    assert "uitgezet" in answer.text


def test_an_answer_with_another_state_or_in_another_browser_is_refused(service, browser):
    back = at_the_provider(begin(browser), state="forged")
    assert "Begin opnieuw" in browser.get(back).text
    back = at_the_provider(begin(browser))
    assert make_browser(service).get(back).status_code == 403
    assert everybody(service) == []


def test_an_answer_after_ten_minutes_is_refused(service, browser, monkeypatch):
    back = at_the_provider(begin(browser))
    whole = service.vault._fernet.decrypt
    monkeypatch.setattr(
        service.vault._fernet, "decrypt", lambda token, ttl=None: whole(token, -1 if ttl == 600 else ttl)
    )
    assert browser.get(back).status_code == 403


def test_an_answer_counts_once(service, browser):
    back = at_the_provider(begin(browser))
    assert browser.get(back).status_code == 303
    assert browser.get(back).status_code == 403


@pytest.mark.parametrize("change", [{"nonce": "forged"}, {"client_id": "another"}])
def test_a_token_of_another_login_or_for_another_service_is_refused(service, browser, change):
    answer = browser.get(at_the_provider(begin(browser), **change))
    assert answer.status_code == 502
    assert everybody(service) == []


def test_an_expired_token_is_refused(service):
    with start_server(access_token_max_age=timedelta(minutes=-5)) as server:
        browser = browser_for(service, f"http://localhost:{server.server_port}")
        assert come_in(browser).status_code == 502
    assert everybody(service) == []


def test_who_says_no_there_is_told(browser):
    address = begin(browser)
    assert browser.get("/desk/oidc/callback?error=access_denied&state=x").status_code == 403
    address = begin(browser)
    state = parse_qs(urlsplit(address).query)["state"][0]
    answer = browser.get("/desk/oidc/callback", params={"error": "access_denied", "state": state})
    assert answer.status_code == 403
    assert "liet je niet door" in answer.text


def test_a_provider_that_is_away_or_another_one_is_told(service, browser, provider):
    for issuer in ("http://localhost:9", f"{provider}/"):
        answer = browser_for(service, issuer).get("/desk/oidc/login")
        assert answer.status_code == 502
        assert "kan nu niet worden gebruikt" in answer.text


def token_for(provider, client_id):
    """A real token response of the provider, the keys, and the nonce it was asked with."""
    client = Client(provider, client_id, "secret", CALLBACK)
    attempt = Attempt.new("")
    found = asyncio.run(client.discover())
    code = parse_qs(urlsplit(at_the_provider(client.begin(found, attempt))).query)["code"][0]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": attempt.verifier,
    }
    token = httpx.post(found.token_endpoint, data=form, auth=(client_id, "secret")).json()
    return client, token, httpx.get(found.jwks_uri).json(), attempt.nonce


def test_every_part_of_an_id_token_is_checked(provider):
    client, token, keys, nonce = token_for(provider, "wegwijs")
    assert client.check(token, keys, nonce)["sub"] == "sanne"
    head, body, _ = token["id_token"].split(".")
    unsigned = "eyJhbGciOiJub25lIn0." + body + "."
    wrong = [
        (client, token, keys, "another nonce"),
        (Client(provider, "another", "secret", CALLBACK), token, keys, nonce),
        (Client("https://another.example", "wegwijs", "secret", CALLBACK), token, keys, nonce),
        (client, token, {"keys": []}, nonce),
        (client, {**token, "id_token": unsigned}, keys, nonce),
        (client, {**token, "id_token": f"{head}.{body}.AAAA"}, keys, nonce),
        (client, {**token, "id_token": "x"}, keys, nonce),
        (client, {}, keys, nonce),
    ]
    for each, given, known, expected in wrong:
        with pytest.raises(ProviderError):
            each.check(given, known, expected)


def test_logging_out_offers_to_log_out_there_too(browser, provider):
    come_in(browser, "joost")
    place = send(browser, "/desk/logout").headers["location"]
    page = browser.get(place)
    assert "/desk/oidc/logout" in page.text
    there = browser.get("/desk/oidc/logout").headers["location"]
    assert there.startswith(f"{provider}/oauth2/end_session?")
    assert parse_qs(urlsplit(there).query)["post_logout_redirect_uri"] == ["https://bot.example.org/desk/login"]


def test_an_account_of_the_municipality_has_no_password_here(service, browser, clock):
    come_in(browser, "joost")
    assert browser.get("/desk/me/password").status_code == 404
    assert browser.get("/desk/me/second-factor").status_code == 404
    service.store.write(lambda c: c.execute(sa.update(AccountRow).values(login="joost")))
    assert give_password(make_browser(service), "joost", "").status_code == 401


def test_local_accounts_stay_beside_it(service, browser):
    make_account(service, Role.ADMIN, login="bram", password="kat fiets wolk")
    assert give_password(browser, "bram", "kat fiets wolk").headers["location"] == "/desk/login/code"


def test_without_a_provider_the_routes_are_not_there(service):
    browser = make_browser(service)
    assert browser.get("/desk/oidc/login").status_code == 404
    assert "/desk/oidc" not in browser.get("/desk/login").text
