"""Opens every route of the application as every role, and compares with `authorisation.yaml`."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
import yaml

from bot import escalation, people
from bot.contacts import Question, Route
from bot.messages import Address
from bot.roles import Role
from bot.settings import ROOT
from bot.storage.models import ActorRow, TicketRow
from bot.survey_reports import NoAnswersError, SurveyFigures
from tests.test_guards import routes
from tests.webhooks.browser import make_account, make_browser, open_session
from webhooks.app import create_app
from webhooks.auth import Guard

MATRIX = yaml.safe_load((ROOT / "tests" / "authorisation.yaml").read_text(encoding="utf-8"))["routes"]
BEHIND_THE_LOGIN = {route: who for route, who in MATRIX.items() if who not in ("public", "signed", "on the way")}
OF_WHOM = ("own", "of another", "of nobody")
NUMBER = 1  # of whatever a route is about, where it is no question: an account that nobody uses
ENDS = {"/desk/logout"}  # the session


def rules():
    """Route, whose question it is about, and who may."""
    for route, who in BEHIND_THE_LOGIN.items():
        if isinstance(who, dict):
            assert set(who) == set(OF_WHOM), route
            yield from ((route, whose, frozenset(who[whose])) for whose in OF_WHOM)
        else:
            yield route, "", frozenset(Role if who == "everybody" else who)


RULES = list(rules())


@pytest.fixture
def browser(service, clock, monkeypatch):
    """With two klantregisseurs, a colleague whom the routes may do something to, and a session for each role.

    Without answers to a survey: making figures of them takes longer than everything else, and it is not about those.
    """
    monkeypatch.setattr(SurveyFigures, "_file", no_answers)

    def actors(connection):
        for code in ("KR01", "KR02"):
            values = {"code": code, "name": code, "languages": ["nl"], "imported_at": clock.now()}
            connection.execute(sa.insert(ActorRow).values(**values))
        return connection.execute(sa.select(ActorRow.id).order_by(ActorRow.code)).scalars().all()

    with make_browser(service) as made:  # one event loop for all requests
        made.app.state.is_stopping = lambda: True  # so that a stream of news ends at its first look
        made.actor_ids = service.store.write(actors)
        made.values = {}
        assert make_account(service, Role.ADMIN) == NUMBER
        yield made


def no_answers(_):
    raise NoAnswersError


def become(browser, role):
    """Go on with the session of a role; logging in for every request would take longer than all the answers.

    Returns the token of its forms.
    """
    guard = Guard(browser.app.state.service)
    if role not in browser.values:
        actor_id = browser.actor_ids[0] if role is Role.KLANTREGISSEUR else None
        browser.values[role] = open_session(browser, make_account(guard.service, role, actor_id=actor_id))
    browser.cookies.clear()
    browser.cookies.set(guard.cookie, browser.values[role], domain=browser.base_url.host, path="/")
    return guard.token(browser.values[role])


def new_question(service, actor_id, who):
    now = service.clock.now()

    def make(connection):
        person = people.find_or_create(connection, service.vault, Address("telegram", who), who, now)
        question = Question("Wie belt mij terug?", "nl")
        ticket_id = escalation.open_ticket(connection, person.contact.id, question, Route(now), now)
        connection.execute(sa.update(TicketRow).where(TicketRow.id == ticket_id).values(actor_id=actor_id))
        return ticket_id

    return service.store.write(make)


def open_route(service, browser, route, whose, role):
    """The status of a route for somebody with one role."""
    method, path = route.split(" ")
    mine, other = browser.actor_ids
    number = NUMBER
    if whose:
        number = new_question(service, {"own": mine, "of another": other}.get(whose), f"{role}{whose}{route}")
    token = become(browser, role)
    place = re.sub(r"\{\w+(:\w+)?\}", str(number), path)
    if method == "GET":
        return browser.get(place)
    answer = browser.post(place, data={"token": token})
    if path in ENDS:
        del browser.values[role]
    onward = answer.headers.get("location", "")
    # Some forms answer "look at it" whatever became of them; what is seen there counts.
    return browser.get(onward) if whose and onward.startswith(f"/desk/tickets/{number}") else answer


def is_refused_from_another_site(browser, route, role):
    """Whether a form without the token of the session gets nothing done, sent by somebody who may."""
    token = become(browser, role)
    place = re.sub(r"\{\w+(:\w+)?\}", str(NUMBER), route.removeprefix("POST "))
    return browser.post(place, data={"token": token[::-1]}).status_code == 403


def fault(answer, whose, *, may):
    """What is wrong with an answer; empty when somebody who may got through, or somebody who may not did not."""
    status, place = answer.status_code, answer.headers.get("location", "")
    if not may:
        return "" if status in ((403, 404) if whose else (403,)) else f"got through with {status}"
    shut = status in (401, 403) or status >= 500 or "/desk/login?" in place or (whose and status == 404)
    return f"was refused with {status}" if shut else ""


def test_every_role_gets_what_its_task_needs_and_no_more(service, browser):
    """One application for all of it: making one takes longer than all its answers."""
    wrong = []
    for route, whose, allowed in RULES:
        assert allowed <= set(Role), f"{route}: a role that there isn't"
        if route.startswith("POST"):
            assert is_refused_from_another_site(browser, route, min(allowed)), f"{route} takes a form of another site"
        for role in Role:
            said = fault(open_route(service, browser, route, whose, role), whose, may=role in allowed)
            if said:
                wrong.append(f"{role} at {route} {whose}: {said}")
    assert wrong == []


def test_an_admin_or_researcher_never_sees_a_question_of_a_newcomer():
    for route, _, allowed in RULES:
        if "tickets" in route or route == "GET /desk":
            assert not allowed & {Role.ADMIN, Role.RESEARCHER, Role.EDITOR}, route


def test_no_row_is_left_over(service):
    service.settings = service.settings.model_copy(update={"oidc_issuer": "https://login.example"})
    there = {f"{method} {path}" for method, path in routes(create_app(service))}
    assert set(MATRIX) - there == set(), "not there any more; take them out"
