"""Who sees which question: the own caseload, the back-up desk's, or all. Also in forms, not only in lists."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.desk import asking_back, batch, claims, drafts, handover, prepared, tickets
from bot.desk.access import visible
from bot.desk.settling import Outcome
from bot.roles import Principal, Role
from bot.storage.account_models import AuditRow
from bot.storage.desk_models import DraftRow
from bot.storage.models import OutboxRow, TicketRow
from tests.caseload.people import make_actor, make_party, newest_contact, rows
from tests.desk.asking import answer, answer_with_topic, ask, close, deed, teller
from tests.talk import Talk
from tests.webhooks.browser import log_in, make_browser, send


def klantregisseur(actor_id):
    return Principal("Sanne", frozenset({Role.KLANTREGISSEUR}), actor_id=actor_id)


DESK = Principal("Piet", frozenset({Role.DESK}))
COORDINATOR = Principal("Co", frozenset({Role.COORDINATOR}))
RESEARCHER = Principal("Re", frozenset({Role.RESEARCHER, Role.EDITOR, Role.ADMIN}))


@pytest.fixture
def asked(service):
    """Three open questions: of a klantregisseur's newcomer, of another's, and of somebody without one."""
    found = {}
    for code, who in (("mine", "amina"), ("other", "maria-l")):
        actor_id = make_actor(service, code, name=code)
        Talk(service, "telegram", who).agrees("nl")
        make_party(service, actor_id, key=code, contact_id=newest_contact(service))
        found[code] = (actor_id, ask(service, who=who)[1])
    return found | {"desk": (None, ask(service, who="somebody-else")[1])}


def test_the_condition_of_the_queries_says_the_same_as_the_rule(service, asked):
    everybody = [klantregisseur(asked["mine"][0]), klantregisseur(None), DESK, COORDINATOR, RESEARCHER]
    for who in everybody:
        seen = service.store.read(lambda c, w=who: set(c.execute(sa.select(TicketRow.id).where(visible(w))).scalars()))
        assert seen == {ticket for actor_id, ticket in asked.values() if who.sees_tickets_of(actor_id)}


def test_a_klantregisseur_has_the_own_batch_and_the_back_up_desk_its_own(service, asked):
    def batch_of(who):
        now, hours = service.clock.now(), service.settings.hours
        found = service.store.read(lambda c: batch.read(c, who, now, hours))
        return {line.ticket.id for line in (*found.urgent, *found.due, *found.later)}, found.total

    assert batch_of(klantregisseur(asked["mine"][0])) == ({asked["mine"][1]}, 1)
    assert batch_of(DESK) == ({asked["desk"][1]}, 1)
    assert batch_of(COORDINATOR)[1] == 3
    assert batch_of(RESEARCHER) == (set(), 0)


def test_nobody_does_anything_with_the_question_of_somebody_else(service, asked, content):
    sanne, (_, other) = klantregisseur(asked["mine"][0]), asked["other"]
    before, now = len(rows(service, OutboxRow)), service.clock.now()
    done = deed(service, other, sanne)
    assert answer(service, other, who=sanne).outcome is Outcome.GONE
    assert answer_with_topic(service, other, "pip.what", who=sanne).outcome is Outcome.GONE
    assert close(service, other, who=sanne).outcome is Outcome.GONE
    for work in (
        lambda c: asking_back.ask_back(c, done, "Waar?", content),
        lambda c: handover.hand_over(c, done, None, "", teller(service)),
        lambda c: prepared.prepare(c, done, content, text="Morgen"),
        lambda c: prepared.take_back(c, done),
    ):
        assert service.store.write(work).outcome is Outcome.GONE
    assert service.store.write(lambda c: claims.take(c, other, sanne, now, over=True)) is None
    assert service.store.write(lambda c: drafts.save(c, other, sanne, "weg", now)) is False
    assert service.store.read(lambda c: tickets.some(c, [other], sanne)) == []
    assert (rows(service, DraftRow), len(rows(service, OutboxRow))) == ([], before)
    assert not [row for row in rows(service, AuditRow) if row.ticket_id == other]


POSTS = {
    "answer": {"send": "text", "text": "Woorden"},
    "draft": {"text": "Woorden"},
    "ask": {"question": "Waar?"},
    "close": {"why": "double"},
    "hand-over": {"to": "desk"},
    "take-back": {},
}


def test_pages_and_forms_of_somebody_elses_question_are_not_there(service, asked):
    browser = make_browser(service)
    log_in(browser, Role.KLANTREGISSEUR, actor_id=asked["mine"][0])
    (_, mine), (_, other), (_, desk) = asked["mine"], asked["other"], asked["desk"]
    assert browser.get(f"/desk/tickets/{mine}").status_code == 200
    listed = browser.get("/desk").text
    assert f"/desk/tickets/{mine}" in listed
    for number in (other, desk):
        assert f"/desk/tickets/{number}" not in listed
        assert browser.get(f"/desk/tickets/{number}").status_code == 404
        assert browser.get(f"/desk/together?t={number}").status_code == 404
        assert f"/desk/tickets/{number}" not in browser.get(f"/desk?done={number}").text
        for name, fields in POSTS.items():
            assert send(browser, f"/desk/tickets/{number}/{name}", **fields).status_code == 404, name
    assert send(browser, f"/desk/tickets/{other}/claim").status_code == 404
    assert {ticket.state for ticket in rows(service, TicketRow)} == {0}


def test_every_look_and_every_deed_is_written_down_without_words(service, asked):
    browser = make_browser(service)
    account_id = log_in(browser, Role.KLANTREGISSEUR, actor_id=asked["mine"][0])
    _, ticket_id = asked["mine"]
    browser.get(f"/desk/tickets/{ticket_id}?conversation=1")
    send(browser, f"/desk/tickets/{ticket_id}/answer", send="text", text="Geheim antwoord")
    mine = [row for row in rows(service, AuditRow) if row.ticket_id == ticket_id]
    assert [(row.action, row.detail) for row in mine] == [("ticket.view", "conversation=1"), ("ticket.answer", "")]
    assert {row.account_id for row in mine} == {account_id}
    assert "Geheim" not in repr(rows(service, AuditRow))
