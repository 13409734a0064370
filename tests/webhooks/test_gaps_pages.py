"""The pages of gaps and proposals, as a browser without JavaScript meets them."""

from __future__ import annotations

import pytest

from bot.roles import Role
from tests.desk.test_gaps import form, person_asks
from tests.webhooks.browser import log_in, make_browser, send


@pytest.fixture
def browser(service):
    for _ in range(3):
        person_asks(service, "waar krijg ik een fiets, bel 06 12345678")
    made = make_browser(service)
    log_in(made, Role.EDITOR, name="Eva")
    return made


def test_an_editor_sees_what_many_asked_and_nobodys_number(browser):
    text = browser.get("/desk/gaps").text
    assert "3 mensen vroegen dit" in text
    assert "waar krijg ik een fiets" in text
    assert "12345678" not in text


def test_from_a_gap_to_a_patch(browser):
    page = browser.get("/desk/gaps/new?ticket=1").text
    assert "waar krijg ik een fiets" in page
    saved = send(browser, "/desk/gaps/new", ticket="1", **form())
    assert saved.status_code == 303
    place = saved.headers["location"]
    assert "vindt geen fout" in browser.get(place).text
    patch = browser.get(f"{place}/patch")
    assert patch.headers["content-disposition"] == 'attachment; filename="wait.bicycle.patch"'
    assert "+wait.bicycle:" in patch.text
    assert "topics.yaml:" in browser.get(f"{place}/yaml").text
    assert "3 vragen wachten erop" in browser.get("/desk/gaps").text


def test_a_draft_with_faults_is_kept_and_not_exported(browser):
    place = send(browser, "/desk/gaps/new", ticket="1", **form(nl_short="")).headers["location"]
    assert "Verbeter dit voordat" in browser.get(place).text
    assert browser.get(f"{place}/patch").status_code == 409
    mended = send(browser, f"{place}/save", **form())
    assert "vindt geen fout" in browser.get(mended.headers["location"]).text


@pytest.mark.parametrize("topic", ["pip.what", "", "../../etc", 'x"y.z'])
def test_an_id_that_can_not_be_keeps_what_was_typed(browser, topic):
    answer = send(browser, "/desk/gaps/new", ticket="1", **form(topic=topic))
    assert answer.status_code == 422
    assert "Een fiets krijgen" in answer.text


@pytest.mark.parametrize("place", ["/desk/gaps/new", "/desk/gaps/new?ticket=999", "/desk/gaps/proposals/7"])
def test_what_is_not_there(browser, place):
    assert browser.get(place).status_code == 404


@pytest.mark.parametrize("role", [Role.KLANTREGISSEUR, Role.DESK, Role.RESEARCHER, Role.ADMIN])
def test_others_may_not_look(service, role):
    browser = make_browser(service)
    log_in(browser, role)
    assert browser.get("/desk/gaps").status_code == 403
