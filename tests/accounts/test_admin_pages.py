"""Accounts and the audit log as an admin uses them."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot import audit
from bot.accounts import accounts, tries
from bot.roles import Principal, Role
from bot.storage.models import ActorRow
from tests.webhooks.browser import PASSWORD, give_password, log_in, make_account, make_browser, send
from webhooks.pages import environment


@pytest.fixture
def browser(service):
    made = make_browser(service)
    made.admin_id = log_in(made, Role.ADMIN, name="Bram")
    return made


@pytest.fixture
def actor(service, clock):
    values = {"code": "KR01", "name": "S. de Wit", "languages": ["nl"], "imported_at": clock.now()}
    return service.store.write(
        lambda c: c.execute(sa.insert(ActorRow).values(**values).returning(ActorRow.id)).scalar_one()
    )


def account(service, login):
    return service.store.read(lambda c: accounts.by_login(c, login))


def test_a_new_account_gets_a_password_that_is_shown_once(service, browser, actor):
    page = send(
        browser, "/desk/accounts", login="Piet@x.example", name="Piet", actor="KR01", **{"role.klantregisseur": "1"}
    )
    assert page.status_code == 200
    password = re.search(r"<code>([a-z0-9-]{19})</code>", page.text)[1]
    made = account(service, "piet@x.example")
    assert (made.name, made.roles, made.actor_id) == ("Piet", {Role.KLANTREGISSEUR}, actor)
    assert password not in browser.get(f"/desk/accounts/{made.id}").text
    piet = make_browser(service)
    assert give_password(piet, "piet@x.example", password).status_code == 303
    assert piet.get("/desk").headers["location"] == "/desk/me/password"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"login": "x"}, "minstens twee tekens"),
        ({"login": "a b"}, "geen spaties"),
        ({"login": "<b>x</b>"}, "geen spaties"),
        ({"login": "taken"}, "iemand heeft deze al"),
        ({"name": " "}, "tussen 1 en 64 tekens"),
        ({"name": "x" * 65}, "tussen 1 en 64 tekens"),
        ({"role.desk": None}, "kies er minstens één"),
        ({"role.desk": None, "role.boss": "1"}, "kies er minstens één"),
        ({"actor": "KR99"}, "staat niet in de caseload"),
        ({"actor": "KR01"}, "alleen voor een account met de rol klantregisseur"),
    ],
)
def test_what_can_not_be_is_said_and_what_was_typed_stays(service, browser, actor, fields, says):
    make_account(service, Role.DESK, login="taken")
    before = len(service.store.read(accounts.everybody))
    form = {"login": "piet", "name": "Piet", "role.desk": "1"} | fields
    page = send(browser, "/desk/accounts", **{name: value for name, value in form.items() if value is not None})
    assert page.status_code == 422
    assert says in page.text
    assert 'value="Piet"' in page.text or "name" in fields
    assert len(service.store.read(accounts.everybody)) == before


def test_other_roles_count_at_once(service, browser):
    colleague = make_browser(service)
    piet = log_in(colleague, Role.DESK, name="Piet")
    place = send(browser, f"/desk/accounts/{piet}", name="Piet Bakker", **{"role.editor": "1"}).headers["location"]
    assert "beëindigen meteen elke sessie" in browser.get(place).text
    assert colleague.get("/desk").status_code == 303
    kept = service.store.read(lambda c: accounts.by_id(c, piet))
    assert (kept.name, kept.roles) == ("Piet Bakker", {Role.EDITOR})


def test_another_name_alone_ends_no_session(service, browser):
    colleague = make_browser(service)
    piet = log_in(colleague, Role.DESK, name="Piet")
    send(browser, f"/desk/accounts/{piet}", name="Piet Bakker", **{"role.desk": "1"})
    assert "Piet Bakker" in colleague.get("/desk").text


@pytest.mark.parametrize("deed", ["", "/switch"])
def test_the_last_admin_stays(service, browser, deed):
    fields = {"name": "Bram", "role.desk": "1", "on": "0"}
    page = send(browser, f"/desk/accounts/{browser.admin_id}{deed}", **fields)
    assert page.status_code == 422
    assert "laatste beheerder" in page.text
    make_account(service, Role.ADMIN)
    assert send(browser, f"/desk/accounts/{browser.admin_id}{deed}", **fields).status_code == 303


def test_switching_off_and_on(service, browser):
    colleague = make_browser(service)
    piet = make_account(service, Role.DESK, login="piet", password=PASSWORD)
    send(browser, f"/desk/accounts/{piet}/switch", on="0")
    assert give_password(colleague, "piet").status_code == 401
    assert "uitgezet" in browser.get("/desk/accounts").text
    send(browser, f"/desk/accounts/{piet}/switch", on="1")
    assert give_password(colleague, "piet").status_code == 303


def test_a_new_password_opens_an_account_that_was_shut(service, browser):
    piet = make_account(service, Role.DESK, login="piet", password=PASSWORD)
    stranger = make_browser(service)
    for _ in range(tries.ACCOUNT_TRIES):
        give_password(stranger, "piet", "guess")
    assert give_password(stranger, "piet").status_code == 429
    page = send(browser, f"/desk/accounts/{piet}/password")
    password = re.search(r"<code>([a-z0-9-]{19})</code>", page.text)[1]
    assert give_password(stranger, "piet", password).headers["location"] == "/desk/login/code"


def test_a_lost_phone(service, browser):
    piet = make_account(service, Role.DESK, login="piet", password=PASSWORD)
    send(browser, f"/desk/accounts/{piet}/second-factor")
    colleague = make_browser(service)
    give_password(colleague, "piet")
    assert colleague.get("/desk").headers["location"] == "/desk/me/second-factor"


@pytest.mark.parametrize("place", ["/desk/accounts/99", f"/desk/accounts/{2**63}", f"/desk/accounts/{'9' * 30}"])
def test_an_account_that_is_not_there(browser, place):
    for answer in (browser.get(place), send(browser, place, name="x"), send(browser, f"{place}/password")):
        assert answer.status_code == 404
        assert "Dit account is er niet" in answer.text


def write(service, at, who="Sanne", account_id=7, action="ticket.view", **more):
    service.store.write(lambda c: audit.record(c, Principal(who, frozenset(), account_id), action, at, **more))


LOOKED, ANSWERED = "bekeek een vraag", "beantwoordde een vraag"


def lines(page):
    """The deeds of the log, in the words of its page."""
    return [html.unescape(words) for words in re.findall(r'data-label="Wat">([^<]+)</td>', page.text)]


def test_the_log_is_searched_by_person_deed_day_and_newcomer(service, browser):
    day = datetime(2026, 11, 20, 12, tzinfo=UTC)
    write(service, day, contact_id=5)
    write(service, day + timedelta(hours=11), account_id=8, action="ticket.answer", contact_id=6, ticket_id=3)
    for query, found in (
        ("account=7", [LOOKED]),
        ("action=ticket.answer", [ANSWERED]),
        ("day=2026-11-20", [LOOKED]),  # 23:00 UTC is the next day in Nijmegen
        ("day=2026-11-21", [ANSWERED]),
        ("contact=6", [ANSWERED]),
        ("ticket=3", [ANSWERED]),
        ("account=7&contact=6", []),
    ):
        assert lines(browser.get(f"/desk/audit?{query}")) == found, query
    for wrong in ("account=x", "day=2026-13-99", "before=-1", f"contact={'9' * 40}", "ticket=١"):
        assert browser.get(f"/desk/audit?{wrong}").status_code == 200


def test_the_log_comes_in_pages(service, browser):
    for number in range(60):
        write(service, datetime(2026, 11, 20, tzinfo=UTC), ticket_id=number)
    first = browser.get("/desk/audit?action=ticket.view")
    assert len(lines(first)) == 50
    place = re.search(r'href="(/desk/audit\?[^"]*before=\d+)"', first.text)[1].replace("&amp;", "&")
    second = browser.get(place)
    assert len(lines(second)) == 10
    assert "before=" not in second.text


def test_every_deed_of_an_admin_stands_in_the_log(service, browser):
    piet = make_account(service, Role.DESK, login="piet", password=PASSWORD)
    send(browser, f"/desk/accounts/{piet}", name="Piet", **{"role.editor": "1"})
    send(browser, f"/desk/accounts/{piet}/password")
    send(browser, f"/desk/accounts/{piet}/second-factor")
    send(browser, f"/desk/accounts/{piet}/switch", on="0")
    found = lines(browser.get(f"/desk/audit?account={browser.admin_id}"))
    assert found == [
        "zette een account uit",
        "wiste de tweede stap van een account",
        "gaf een account een nieuw wachtwoord",
        "wijzigde een account",
        "logde in",
    ]


def test_the_log_as_a_file_keeps_the_codes_and_is_a_deed_itself(service, browser):
    day = datetime(2026, 11, 20, 12, tzinfo=UTC)
    write(service, day, who="=Piet", action="ticket.close", ticket_id=3, detail="reason=spoken")
    write(service, day, account_id=8)
    page = browser.get("/desk/audit?account=7")
    assert "Ik heb deze persoon gesproken" in page.text
    place = re.search(r'href="(/desk/audit\.csv[^"]*)"', page.text)[1]
    (row,) = csv.DictReader(io.StringIO(browser.get(place).text))
    assert (row["who"], row["ticket_id"]) == ("'=Piet", "3")
    assert (row["action"], row["detail"]) == ("ticket.close", "reason=spoken")
    assert lines(browser.get(f"/desk/audit?account={browser.admin_id}"))[0] == "bewaarde het logboek als bestand"


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_deed_has_words(language):
    say = environment(language).get_template("accounts/deeds.html").module
    words = [str(say.deed(action)).strip() for action in sorted(audit.ACTIONS)]
    assert len(set(words)) == len(words)
    assert not [one for one in words if "." in one or "_" in one]
