"""The coordinator's page: a file is shown before it is applied, and letters are made once."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from bot import link_codes
from bot.commands.caseload import WHO
from bot.desk.letters import Chats, Printer, make_letters
from bot.storage.account_models import AuditRow
from bot.storage.linking_models import LinkCodeRow
from bot.storage.models import ActorRow, PartyRow
from tests.caseload.people import make_actor, make_party, rows
from tests.webhooks.browser import log_in, make_browser, token_of

HEADER = "person;klantregisseur;type;route;phase;language;gender;birth_year\n"
PEOPLE = HEADER + "P-1;kr-1;asielstatushouder;b1;;ar;v;1988\nP-2;;gezinsmigrant;;;en;;\n"


def done(service):
    """What the audit log says that was done here."""
    query = sa.select(AuditRow.action).where(AuditRow.action.like("caseload.%")).order_by(AuditRow.id)
    return list(service.store.read(lambda c: c.execute(query).scalars()))


@pytest.fixture
def browser(service):
    made = make_browser(service, **{"accept-language": "en"})
    log_in(made)
    return made


def check(browser, text, kind="people", name="people.csv"):
    token = token_of(browser.get("/desk/caseload"))
    data = text if isinstance(text, bytes) else text.encode()
    return browser.post(
        "/desk/caseload/check", data={"token": token, "kind": kind}, files={"file": (name, data, "text/csv")}
    )


def confirm(browser, page, **changed):
    form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    return browser.post("/desk/caseload/apply", data=form | changed, files={"none": b""})


def test_a_file_is_shown_and_then_applied(service, browser):
    make_actor(service)
    shown = check(browser, PEOPLE)
    assert shown.status_code == 200
    assert "What this file would change" in shown.text
    assert rows(service, PartyRow) == []
    page = confirm(browser, shown)
    assert page.status_code == 200
    assert "2 new, 0 changed, 0 unchanged" in page.text
    assert len(rows(service, PartyRow)) == 2
    assert done(service) == ["caseload.people"]
    again = check(browser, PEOPLE)
    assert "This file changes nothing" in again.text


def test_faults_are_named_with_line_and_mend_and_nothing_is_done(service, browser):
    shown = check(browser, HEADER + "P-1;kr-9;asielstatushouder;;;;;\n=1+1;;vluchteling;;;;;\n")
    assert shown.status_code == 422
    assert "3 faults" in shown.text
    assert "starts like a formula" in shown.text
    assert "&#39;kr-9&#39; is nobody" in shown.text
    assert "Yes, import this" not in shown.text
    assert confirm(browser, shown).status_code == 422
    assert rows(service, PartyRow) == []


def test_what_was_shown_is_what_is_applied(service, browser):
    make_actor(service)
    shown = check(browser, PEOPLE)
    make_party(service, None, "P-1")
    late = confirm(browser, shown)
    assert late.status_code == 409
    assert "meanwhile this file would do something else" in late.text
    assert len(rows(service, PartyRow)) == 1
    assert confirm(browser, late).status_code == 200
    assert len(rows(service, PartyRow)) == 2


def test_another_file_than_was_shown_is_not_applied(service, browser):
    make_actor(service)
    shown = check(browser, PEOPLE)
    other = re.search(r'name="held" value="([^"]*)"', check(browser, PEOPLE + "P-3;;gezinsmigrant;;;;;\n").text)[1]
    assert confirm(browser, shown, held=other).status_code == 409
    for held in ("", "%%%", other[:40]):
        assert confirm(browser, shown, held=held).status_code == 422
    assert rows(service, PartyRow) == []


def test_klantregisseurs_come_from_a_yaml_file(service, browser):
    text = "kr-1:\n  name: Sanne de Wit\n  slots: ['di 09:00-11:00']\n"
    confirm(browser, check(browser, text, "klantregisseurs", "actors.yaml"))
    assert [row.name for row in rows(service, ActorRow)] == ["Sanne de Wit"]
    wrong = check(browser, "kr-1: 3\n\t- x", "klantregisseurs", "actors.yaml")
    assert wrong.status_code == 422
    assert "actors.yaml" in wrong.text


def test_no_file_and_a_file_that_is_too_large(service, browser):
    token = token_of(browser.get("/desk/caseload"))
    assert browser.post("/desk/caseload/check", data={"token": token, "kind": "people"}).status_code == 422
    large = b"x" * (service.settings.max_upload_bytes + 100_000)
    assert check(browser, large).status_code == 413
    assert check(browser, b"x" * 200_000).status_code == 422  # more than an ordinary body, and no CSV


def test_nobody_else_sends_a_file(service):
    stranger = make_browser(service)
    files = {"file": ("people.csv", PEOPLE.encode(), "text/csv")}
    assert stranger.post("/desk/caseload/check", data={"kind": "people"}, files=files).status_code == 401
    log_in(stranger)
    assert stranger.post("/desk/caseload/check", data={"kind": "people"}, files=files).status_code == 403
    assert rows(service, PartyRow) == []


def letters(browser, **form):
    return browser.post("/desk/caseload/letters", data={"token": token_of(browser.get("/desk/caseload"))} | form)


def test_letters_are_made_for_keys_and_each_code_works_once(service, browser):
    make_party(service, None, "P-1", language="ar")
    make_party(service, None, "P-2", language="ti")
    page = letters(browser, persons="P-1\r\nP-2\r\n", who="some")
    assert page.status_code == 200
    assert re.findall(r'class="letter" lang="(\w+)" dir="(\w+)"', page.text) == [("ar", "rtl"), ("en", "ltr")]
    codes = re.findall(r'class="letter-code" dir="ltr">([A-Z0-9-]+)<', page.text)
    assert len(codes) == 2
    hashed = {service.vault.lookup("code", code.replace("-", "")) for code in codes}
    assert hashed == {row.hash for row in rows(service, LinkCodeRow)}
    assert "https://t.me" not in page.text  # no bot is named in the settings: only WhatsApp
    assert page.text.count("<svg") == 2
    assert done(service) == ["caseload.letter"] * 2
    assert page.headers["cache-control"] == "no-store"


def test_an_unknown_key_makes_no_letter(service, browser):
    make_party(service, None, "P-1")
    page = letters(browser, persons="P-1\nP-99", who="some")
    assert page.status_code == 422
    assert "P-99" in page.text
    assert rows(service, LinkCodeRow) == []
    assert letters(browser, persons="", who="some").status_code == 422
    assert letters(browser, persons="\n".join(map(str, range(501))), who="some").status_code == 422


def test_letters_for_everybody_without_an_account(service, browser):
    assert letters(browser, who="all").status_code == 422
    for key in ("P-1", "P-2"):
        make_party(service, None, key)
    assert letters(browser, who="all").text.count("letter-code") == 2
    first = {row.hash: row.expires_at for row in rows(service, LinkCodeRow)}
    letters(browser, who="all")
    now = service.clock.now()
    ended = [row for row in rows(service, LinkCodeRow) if row.hash in first]
    assert all(row.expires_at <= now for row in ended)  # a new letter ends the code of an earlier one


def test_links_of_the_letters(service, content, vault, clock, sqlite_store):
    make_party(service, None, "P-1", language="nl")
    printer = Printer(content, vault, Chats("wegwijs_bot", "31241234567"), clock.now(), 30)
    (letter,) = sqlite_store.write(lambda c: make_letters(c, None, printer, WHO)).letters
    telegram, whatsapp = (way.link for way in letter.ways)
    code = letter.code.replace("-", "")
    assert telegram == f"https://t.me/wegwijs_bot?start={code}"
    assert whatsapp == f"https://wa.me/31241234567?text=Mijn%20code%20voor%20Wegwijs%3A%20{letter.code}"
    assert link_codes.is_code(code)
    assert "22 december 2026" in letter.until  # the last whole day


def test_the_page_counts(service, browser):
    make_party(service, make_actor(service), "P-1")
    make_party(service, None, "P-2")
    page = browser.get("/desk/caseload")
    assert re.findall(r"<strong>(\d+)</strong></li>", page.text) == ["1", "2", "0", "1", "0"]
