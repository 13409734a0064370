"""Two people never answer the same question: who opens it has it for a while, and others see that."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.desk import claims, drafts
from bot.desk.settling import Outcome
from bot.storage.desk_models import ClaimRow, DraftRow
from tests.caseload.people import rows
from tests.desk.asking import PIET, SANNE, answer, ask
from tests.webhooks.browser import log_in, make_browser, send


@pytest.fixture
def two(service):
    sanne, piet = make_browser(service), make_browser(service)
    log_in(sanne, name="Sanne")
    log_in(piet, name="Piet")
    return sanne, piet


def test_two_browsers_at_one_question(service, two):
    sanne, piet = two
    talk, ticket_id = ask(service)
    place = f"/desk/tickets/{ticket_id}"
    assert 'name="text"' in sanne.get(place).text
    page = piet.get(place).text
    assert "Sanne beantwoordt deze vraag" in page
    assert 'name="text"' not in page
    assert "Sanne beantwoordt deze vraag" in piet.get("/desk").text
    assert "beantwoordt deze vraag" not in sanne.get("/desk").text
    refused = send(piet, f"{place}/answer", send="text", text="Mijn woorden")
    assert refused.status_code == 409
    assert "Mijn woorden" in refused.text
    assert send(sanne, f"{place}/answer", send="text", text="Van Sanne").status_code == 303
    assert [message.text.endswith("Van Sanne") for message in talk.waits()] == [True]
    assert rows(service, ClaimRow) == []


def test_taking_over_is_explicit_and_then_the_first_one_is_refused(service, two):
    sanne, piet = two
    talk, ticket_id = ask(service)
    place = f"/desk/tickets/{ticket_id}"
    sanne.get(place)
    assert send(piet, f"{place}/claim").headers["location"] == place
    assert 'name="text"' in piet.get(place).text
    assert send(sanne, f"{place}/answer", send="text", text="Te laat").status_code == 409
    assert send(piet, f"{place}/answer", send="text", text="Van Piet").status_code == 303
    assert len(talk.waits()) == 1


def test_a_claim_ends_by_itself_and_a_draft_makes_it_last(service):
    _, ticket_id = ask(service)
    start = service.clock.now()
    first = service.store.write(lambda c: claims.take(c, ticket_id, SANNE, start))
    assert (first.name, first.until) == ("Sanne", start + claims.CLAIM)
    later = start + claims.CLAIM - timedelta(minutes=1)
    service.store.write(lambda c: drafts.save(c, ticket_id, SANNE, "Half", later))
    there = service.store.write(lambda c: claims.take(c, ticket_id, PIET, start + claims.CLAIM))
    assert there.name == "Sanne"
    after = later + claims.CLAIM
    assert service.store.write(lambda c: claims.take(c, ticket_id, PIET, after)).name == "Piet"


def test_leaving_a_question_to_others(service, two):
    sanne, piet = two
    _, ticket_id = ask(service)
    sanne.get(f"/desk/tickets/{ticket_id}")
    assert send(sanne, f"/desk/tickets/{ticket_id}/leave").headers["location"] == "/desk"
    assert 'name="text"' in piet.get(f"/desk/tickets/{ticket_id}").text
    assert send(sanne, "/desk/tickets/999/leave").headers["location"] == "/desk", "gone meanwhile: left it is anyway"
    assert send(sanne, "/desk/tickets/999/claim").status_code == 404


def test_a_claim_of_nobodys_question_is_none(service):
    _, ticket_id = ask(service)
    answer(service, ticket_id)
    assert service.store.write(lambda c: claims.take(c, ticket_id, SANNE, service.clock.now())) is None
    assert rows(service, ClaimRow) == []


def test_a_draft_is_kept_for_one_person_and_gone_when_it_is_sent(service, two):
    sanne, piet = two
    _, ticket_id = ask(service)
    place = f"/desk/tickets/{ticket_id}"
    assert send(sanne, f"{place}/draft", text="<b>Half</b> =1+1").status_code == 303
    assert send(sanne, f"{place}/draft", text="<b>Half</b> =1+1 en meer", by="browser").status_code == 204
    page = sanne.get(f"{place}?kept=1").text
    assert "&lt;b&gt;Half&lt;/b&gt; =1+1 en meer</textarea>" in page
    assert "Je concept is bewaard" in page
    send(piet, f"{place}/claim")
    assert "Half" not in piet.get(place).text
    assert answer(service, ticket_id, who=PIET).outcome is Outcome.CLAIMED  # a principal without the account of Piet
    send(piet, f"{place}/answer", send="text", text="Van Piet")
    assert "en meer</textarea>" in sanne.get(place).text  # to copy: words are never lost
    assert len(rows(service, DraftRow)) == 1


def test_a_draft_without_words_is_no_draft(service):
    _, ticket_id = ask(service)
    for text in ("Half", "  "):
        assert service.store.write(lambda c, t=text: drafts.save(c, ticket_id, SANNE, t, service.clock.now()))
    assert rows(service, DraftRow) == []
