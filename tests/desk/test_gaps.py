"""What nobody answers: put together without identity, made into an answer, and given to everybody who asked."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot import content as texts
from bot import escalation
from bot.commands.content import check
from bot.contacts import Consent, Contact, Question, Route
from bot.content import proposal
from bot.desk import gaps, proposals
from bot.desk.grouping import Grouper
from bot.desk.telling import Teller
from bot.messages import Address
from bot.people import consented, find_or_create, save
from bot.pushes import PushRules
from bot.settings import ROOT
from bot.storage.models import OutboxRow, TicketRow
from bot.working_days import DeskHours
from tests.conftest import make_service
from tests.fakes import ScriptedUnderstander

_numbers = itertools.count(1)
TOPIC = "wait.bicycle"
NEAR = {"fiets": "pip.what", "oom": "work.rights"}


def person_asks(service, text="waar krijg ik een fiets", *, language="nl", channel="telegram", reason="no_answer"):
    """Somebody's question at the desk. Returns the ids of the contact and the ticket."""
    now, number = service.clock.now(), next(_numbers)
    address = Address(channel, f"{channel}:{number}")

    def make(connection):
        made = find_or_create(connection, service.vault, address, f"lane{number}", now)
        save(connection, Contact(made.contact.id, language, None, Consent.GIVEN))
        consented(connection, made.contact.id, now)
        near = next((topic for word, topic in NEAR.items() if word in text), "pip.when")
        question = Question(text, language, ((near, 0.4),), reason)
        route = Route(now + timedelta(days=1))
        return made.contact.id, escalation.open_ticket(connection, made.contact.id, question, route, now)

    return service.store.write(make)


def found(service):
    questions = service.store.read(lambda c: gaps.read(c, service.clock.now()))
    return gaps.find(questions, Grouper(ScriptedUnderstander().encode))


def close(service, ticket_id):
    done = sa.update(TicketRow).where(TicketRow.id == ticket_id)
    service.store.write(lambda c: c.execute(done.values(state=1, answered_at=service.clock.now())) and None)


@pytest.fixture
def both(settings, store, vault, clock, content, understander):
    return make_service(settings, store, vault, clock, content, understander)


def test_what_most_people_asked_comes_first_and_what_few_asked_is_hidden(both):
    for _ in range(3):
        person_asks(both, "mag mijn oom hier werken", reason="not_helped")
    for _ in range(4):
        person_asks(both)
    person_asks(both, "heel iets anders vraag ik nu")
    person_asks(both, "een persoon graag", reason="asked")
    result = found(both)
    assert [gap.people for gap in result.shown] == [4, 3]
    assert (result.asked, result.too_few) == (8, 1)


def test_one_person_who_asks_often_is_not_many_people(service):
    contact_id, _ = person_asks(service)
    person_asks(service)
    for _ in range(3):
        person_asks(service)
    service.store.write(lambda c: c.execute(sa.update(TicketRow).values(contact_id=contact_id)) and None)
    assert found(service).shown == ()


def test_examples_hide_numbers_and_addresses(service):
    for text in ("fiets bel 06 12345678", "fiets bel mij op a.b@example.org", "fiets bel 111222333"):
        person_asks(service, text)
    (gap,) = found(service).shown
    words = str(gap.examples)
    assert "fiets" in words
    assert not [secret for secret in ("12345678", "example.org", "111222333") if secret in words]


def test_old_questions_and_crises_are_no_gaps(service):
    for _ in range(3):
        person_asks(service)
        person_asks(service, reason="crisis")
    assert found(service).asked == 3
    service.clock.forward(timedelta(days=91))
    assert found(service).asked == 0


WORDS = {
    "nl": ("Een fiets krijgen", "Waar krijg ik een fiets?", "Vraag je klantregisseur.\n\nDaar krijg je een adres."),
    "en": ("Getting a bicycle", "Where do I get a bicycle?", "Ask your contact person.\n\nThey know an address."),
    "ar": ("الحصول على دراجة", "أين أحصل على دراجة؟", "اسأل موظف البلدية المسؤول عنك.\n\nهو يعرف العنوان."),
}


def form(**changes):
    filled = {
        "topic": TOPIC,
        "group": "waiting",
        "owner": "inburgering",
        "source_title": "Gemeente Nijmegen",
        "source_url": "https://www.nijmegen.nl/",
    }
    for language, (title, question, short) in WORDS.items():
        filled |= {f"{language}_title": title, f"{language}_question": question, f"{language}_short": short}
        filled |= {f"{language}_more": ""}
        filled[f"{language}_examples"] = "\n".join(f"{question} fiets{n}" for n in range(10))
    return filled | changes


@pytest.fixture
def folder(tmp_path):
    """A repository with only the content in it."""
    shutil.copytree(ROOT / "content", tmp_path / "repository" / "content")
    return tmp_path / "repository"


def test_a_proposal_passes_the_content_check_and_its_patch_applies(service, folder, content, capsys):
    today = service.clock.now().date()
    made = proposals.from_form(form())
    assert proposal.faults(ROOT / "content", made, content, today) == []
    patch = proposal.patch(folder / "content", made, content, today)
    (folder / "new.patch").write_text(patch, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "apply", "--check", "new.patch"], cwd=folder, check=True)
    subprocess.run(["git", "apply", "new.patch"], cwd=folder, check=True)
    assert check(folder / "content") == 0, capsys.readouterr().err
    assert texts.load(folder / "content").answer(TOPIC, "ar").question == WORDS["ar"][1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"topic": "pip.what"}, "exists already"),
        ({"topic": "Not An Id"}, "Not An Id"),
        ({"group": "nothing"}, "group"),
        ({"nl_examples": "een vraag"}, "examples"),
        ({"en_title": "x" * 30}, "24 characters"),
        ({"nl_short": "Kijk op https://www.nijmegen.nl voor meer over je fiets."}, "a link"),
        ({"source_url": "javascript:alert(1)"}, "https://"),
    ],
)
def test_a_fault_of_a_proposal_names_the_place_and_the_mend(content, change, says):
    made = proposals.from_form(form(**change))
    found_faults = proposal.faults(ROOT / "content", made, content, content.topics["pip.what"].checked_on)
    assert any(says in str(fault) for fault in found_faults), found_faults


@pytest.fixture(scope="module")
def live(content):
    """The content with the proposal in it."""
    answers = {
        language: {**content.answers[language], TOPIC: content.answers[language]["pip.what"]}
        for language in content.answers
    }
    return replace(content, topics={**content.topics, TOPIC: content.topics["pip.what"]}, answers=answers)


def propose(service, tickets):
    now = service.clock.now()
    return service.store.write(lambda c: proposals.save(c, form(), tickets, "Eva", now))


def go_live(service, content):
    teller = Teller(content, DeskHours(), service.clock.now())
    return service.store.write(lambda c: proposals.deliver(c, teller, PushRules()))


def got(service):
    query = sa.select(OutboxRow.contact_id, OutboxRow.payload, OutboxRow.priority).where(OutboxRow.key.like("gap:%"))
    rows = service.store.read(lambda c: c.execute(query.order_by(OutboxRow.contact_id)).all())
    return [(row.contact_id, row.payload["language"], row.payload["keys"], row.priority) for row in rows]


def test_everybody_who_asked_gets_it_once_in_their_own_language(both, live):
    (amina, first), (tom, second) = person_asks(both, language="ar"), person_asks(both, language="nl")
    close(both, first)
    close(both, second)
    propose(both, [first, second])
    assert go_live(both, both.content) == 0
    for _ in range(3):
        go_live(both, live)
    keys = ["gap.answered", f"answer:{TOPIC}"]
    assert got(both) == [(amina, "ar", keys, 1), (tom, "nl", keys, 1)]
    (saved,) = both.store.read(proposals.saved)
    assert (saved.told, saved.offered, saved.asked) == (2, 0, 0)
    assert saved.live_at is not None


def test_an_open_question_is_offered_to_the_desk_and_not_answered_blindly(both, live):
    _, ticket_id = person_asks(both)
    propose(both, [ticket_id])
    go_live(both, live)
    assert got(both) == []
    candidates = both.store.read(
        lambda c: c.execute(sa.select(TicketRow.candidates).where(TicketRow.id == ticket_id)).scalar_one()
    )
    assert candidates == [[TOPIC, 1.0], ["pip.what", 0.4]]


def test_not_to_who_said_stop_and_at_night_only_in_the_morning(service, live):
    (stopped, first), (_, second) = person_asks(service), person_asks(service)
    close(service, first)
    close(service, second)
    service.store.write(lambda c: save(c, Contact(stopped, "nl", None, Consent.GIVEN, stopped=True)))
    propose(service, [first, second])
    service.clock.forward(timedelta(hours=12))
    go_live(service, live)
    assert got(service) == []
    service.clock.forward(timedelta(hours=12))
    go_live(service, live)
    assert [contact for contact, *_ in got(service)] != [stopped]
    assert len(got(service)) == 1


def test_a_person_who_asked_twice_gets_it_once(service, live):
    contact_id, first = person_asks(service)
    _, second = person_asks(service)
    service.store.write(lambda c: c.execute(sa.update(TicketRow).values(contact_id=contact_id)) and None)
    close(service, first)
    close(service, second)
    propose(service, [first, second])
    go_live(service, live)
    assert len(got(service)) == 1
    assert service.store.read(proposals.saved)[0].asked == 0


def test_a_shut_window_holds_it_and_a_live_proposal_can_not_be_changed(service, live):
    _, ticket_id = person_asks(service, channel="whatsapp")
    close(service, ticket_id)
    propose(service, [ticket_id])
    go_live(service, live)
    (row,) = service.store.read(lambda c: c.execute(sa.select(OutboxRow.state)).all())
    assert row.state == 5
    assert propose(service, [ticket_id]) is None


def test_who_was_erased_in_the_meantime_is_nowhere(service, live):
    contact_id, ticket_id = person_asks(service)
    close(service, ticket_id)
    propose(service, [ticket_id])
    service.store.write(lambda c: c.execute(sa.text(f"DELETE FROM contact WHERE id = {contact_id}")) and None)
    assert go_live(service, live) == 0
    assert got(service) == []
