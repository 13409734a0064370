"""Somebody takes an urgent question, in the browser."""

from __future__ import annotations

import sqlalchemy as sa
from fastapi.testclient import TestClient

from bot.storage.account_models import AuditRow
from tests.desk.asking import ask, page
from tests.talk import Talk
from tests.webhooks.browser import BASE, log_in, send
from webhooks.app import create_app


def browser_of(service):
    browser = TestClient(create_app(service), base_url=BASE, follow_redirects=False)
    log_in(browser, name="Sanne")
    return browser


def test_whoever_takes_it_is_named_and_it_is_in_the_audit_log(service, understander):
    understander.means("ik wil niet meer leven", "crisis", "health.crisis")
    Talk(service, "telegram").agrees().says("ik wil niet meer leven")
    browser = browser_of(service)
    assert "Ik pak dit op" in browser.get("/desk/tickets/1").text
    answer = send(browser, "/desk/tickets/1/take")
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/tickets/1")
    assert "pakt dit op sinds" in browser.get("/desk/tickets/1").text
    assert page(service, 1).summary.taken_by == "Sanne"
    actions = service.store.read(lambda c: list(c.execute(sa.select(AuditRow.action)).scalars()))
    assert "ticket.take" in actions


def test_an_ordinary_question_has_no_such_button(service):
    _, ticket_id = ask(service)
    browser = browser_of(service)
    assert "Ik pak dit op" not in browser.get(f"/desk/tickets/{ticket_id}").text
    assert send(browser, f"/desk/tickets/{ticket_id}/take").status_code == 303
    assert page(service, ticket_id).summary.taken_by == ""


def test_a_question_that_is_gone(service):
    assert send(browser_of(service), "/desk/tickets/99/take").status_code == 404
