"""A newcomer and the code of a letter: linked, refused with a kind word, and never a way to guess."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot import link_codes, people
from bot.desk import linking
from bot.messages import InboundMessage, Kind
from bot.storage.linking_models import LinkCodeRow, LinkTryRow
from bot.storage.models import ContactRow, InboxRow, MessageRow, PartyRow
from tests.caseload.people import make_actor, make_party, newest_contact, rows
from tests.talk import Talk, keys


def letter(service, party_id, days=30):
    """The code of a new letter, as it stands there."""
    now = service.clock.now()
    made = service.store.write(lambda c: linking.make_codes(c, [party_id], service.vault, now, days))
    return link_codes.written(made[party_id][0])


@pytest.fixture
def party(service):
    return make_party(service, make_actor(service))


def linked_to(service, party_id):
    return service.store.read(
        lambda c: c.execute(sa.select(PartyRow.contact_id).where(PartyRow.id == party_id)).scalar_one()
    )


def test_a_code_links_and_welcomes(service, party):
    talk = Talk(service, "telegram").agrees("nl")
    (got,) = talk.says(letter(service, party))
    assert got.keys == ("link.done", "welcome.own", "welcome.week", "welcome.meanwhile")
    assert "Sanne de Wit beantwoordt vragen op dinsdag 09:00–11:00 en donderdag 13:00–15:00" in got.text
    assert "menu:pip" in talk.tokens
    assert linked_to(service, party) == newest_contact(service)
    assert rows(service, ContactRow)[0].resident_group == "asylum"
    assert rows(service, LinkCodeRow)[0].used_at == service.clock.now()


def test_by_the_link_of_the_letter_before_language_and_consent(service, party):
    code = letter(service, party)
    talk = Talk(service, "telegram")
    start = {"payload": code.replace("-", "")}
    assert keys(talk.brings(InboundMessage("tg:1", talk.address, Kind.START, extra=start))) == ["start.hello"]
    assert linked_to(service, party) is None
    talk.taps("lang:ar")
    got = talk.taps("consent:yes")
    assert keys(got)[:2] == ["link.done", "welcome.own"]
    assert got[0].language == "ar"
    assert linked_to(service, party) is not None


def test_on_whatsapp_with_the_words_that_stood_ready(service, party, understander):
    code = letter(service, party)
    talk = Talk(service, "whatsapp")
    understander.means("Mijn code voor Wegwijs", "escalate")
    assert keys(talk.says(f"Mijn code voor Wegwijs: {code}")) == ["start.hello"]
    talk.taps("lang:nl")
    assert keys(talk.taps("consent:yes"))[0] == "link.done"  # and the words before the code are no question


def test_a_question_beside_the_code_is_answered_too(service, party, understander):
    talk = Talk(service, "telegram").agrees("nl")
    understander.means("Wat is mijn plan?", "answer", "pip.what")
    got = talk.says(f"Wat is mijn plan? {letter(service, party)}")
    assert [message.keys[0] for message in got] == ["link.done", "answer:pip.what"]


def test_a_question_of_the_first_contact_is_answered_after_the_welcome(service, party, understander):
    talk = Talk(service, "telegram")
    understander.means("Wat is mijn plan?", "answer", "pip.what")
    talk.says("Wat is mijn plan?")
    talk.says(letter(service, party))
    talk.taps("lang:nl")
    assert [message.keys[0] for message in talk.taps("consent:yes")] == ["link.done", "answer:pip.what"]


def test_who_says_no_is_not_linked(service, party):
    talk = Talk(service, "telegram")
    talk.says(letter(service, party))
    talk.taps("lang:nl")
    assert keys(talk.taps("consent:no")) == ["consent.refused"]
    assert linked_to(service, party) is None
    assert rows(service, ContactRow)[0].thread["link"] == ""


def test_kind_words_for_a_code_that_does_not_work(service, party):
    talk = Talk(service, "telegram").agrees("nl")
    assert keys(talk.says(link_codes.new_code())) == ["link.wrong"]
    assert keys(talk.says("X7GH-92QM-CR4W")) == ["link.wrong"]  # a slip of the finger doesn't count as a try
    assert len(rows(service, LinkTryRow)) == 1
    first, second = letter(service, party), letter(service, party)
    assert keys(talk.says(first)) == ["link.expired"]
    assert keys(talk.says(second))[0] == "link.done"
    assert keys(talk.says(second)) == ["link.mine"]
    assert keys(Talk(service, "telegram", "omar").agrees("nl").says(second)) == ["link.used"]


def test_a_code_ends_after_its_days(service, party):
    code = letter(service, party, days=30)
    talk = Talk(service, "telegram").agrees("nl")
    service.clock.forward(timedelta(days=30))
    assert keys(talk.says(code)) == ["link.expired"]
    assert linked_to(service, party) is None


def test_an_account_is_one_person(service, party):
    talk = Talk(service, "telegram").agrees("nl")
    talk.says(letter(service, party))
    other = make_party(service, None, "P-2")
    assert keys(talk.says(letter(service, other))) == ["link.other"]
    assert linked_to(service, other) is None


def test_after_five_wrong_codes_none_is_looked_at_until_the_next_day(service, party):
    talk = Talk(service, "telegram").agrees("nl")
    for _ in range(5):
        assert keys(talk.says(link_codes.new_code())) == ["link.wrong"]
    code = letter(service, party)
    assert keys(talk.says(code)) == ["link.enough"]
    assert linked_to(service, party) is None
    service.clock.forward(timedelta(days=1))
    assert keys(talk.says(code))[0] == "link.done"


def test_many_guesses_of_many_people_shut_the_door_for_an_hour(service, party, caplog):
    now = service.clock.now()
    tries = [{"contact_id": None, "at": now}] * (linking.TRIES_OF_ALL - 1)
    service.store.write(lambda c: c.execute(sa.insert(LinkTryRow), tries) and None)
    talk = Talk(service, "telegram").agrees("nl")
    assert keys(talk.says(link_codes.new_code())) == ["link.wrong"]
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR] == [
        "200 wrong codes in an hour: codes are not looked at until it is quiet again"
    ]
    code = letter(service, party)
    assert keys(talk.says(code)) == ["link.enough"]
    service.clock.forward(timedelta(hours=1))
    assert keys(talk.says(code))[0] == "link.done"


def test_deleting_oneself_does_not_give_new_tries_to_everybody(service):
    talk = Talk(service, "telegram").agrees("nl")
    talk.says(link_codes.new_code())
    talk.taps("erase:yes")
    assert [row.contact_id for row in rows(service, LinkTryRow)] == [None]


def test_a_code_is_kept_nowhere(service, party, caplog):
    caplog.set_level(logging.DEBUG)
    code = letter(service, party)
    wrong = link_codes.written(link_codes.new_code())
    talk = Talk(service, "telegram").agrees("nl")
    talk.says(f"mijn code {wrong}")
    talk.says(f"mijn code {code}")
    kept = str([*rows(service, MessageRow), *rows(service, ContactRow), *rows(service, InboxRow)]) + caplog.text
    assert "mijn code" in kept
    for secret in (code, wrong, code.replace("-", ""), wrong.replace("-", "")):
        assert secret not in kept
    assert code.replace("-", "") not in str(rows(service, LinkCodeRow))


def test_somebody_in_danger_is_helped_before_the_code(service, party, understander):
    talk = Talk(service, "telegram").agrees("nl")
    understander.means("help mij nu", "crisis", "health.crisis")
    assert keys(talk.says(f"help mij nu {letter(service, party)}")) == ["crisis.help"]


def test_without_a_klantregisseur_colleagues_answer(service):
    party = make_party(service, None)
    (got,) = Talk(service, "telegram").agrees("nl").says(letter(service, party))
    assert got.keys == ("link.done", "welcome.none", "welcome.meanwhile")


def test_the_step_that_is_near_comes_with_the_welcome_and_counts_as_told(service):
    party = make_party(service, make_actor(service), phase="intake")
    talk = Talk(service, "telegram").agrees("nl")
    (got,) = talk.says(letter(service, party))
    assert got.keys[-1] == "phase.intake_soon"
    assert "topic:intake.prepare" in talk.tokens
    assert rows(service, PartyRow)[0].told == ["intake"]


def test_who_comes_back_after_a_deletion_is_linked_by_a_new_letter(service, party):
    talk = Talk(service, "telegram").agrees("nl")
    talk.says(letter(service, party))
    talk.taps("erase:yes")
    assert linked_to(service, party) is None
    talk = Talk(service, "telegram", "amira").agrees("nl")
    (got,) = talk.says(letter(service, party))
    assert got.keys == ("link.done", "welcome.own", "welcome.week")  # the welcome itself came once


def test_two_people_and_one_code_at_the_same_moment(service, party):
    """Only one of them is linked, whoever it is."""
    code = letter(service, party)
    talks = [Talk(service, "telegram", "a" * number).agrees("nl") for number in range(1, 5)]
    hashed = service.vault.lookup(linking.CODE, code.replace("-", ""))
    now = service.clock.now()

    def use(talk):
        def work(connection):
            person = people.find(connection, service.vault, talk.address, lock=True)
            facts = linking.look(connection, hashed, person.contact.id, now)
            if facts.state is link_codes.LinkState.VALID:
                linking.link(connection, hashed, person.contact.id, now)
            return facts.state.value

        return work

    states = [service.store.submit(use(talk)) for talk in talks]
    assert sorted(state.result() for state in states) == ["used", "used", "used", "valid"]
