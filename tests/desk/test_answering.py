"""An answer reaches the newcomer once, in their language; and only one person gives it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa

from bot.contacts import Thread
from bot.desk import answering
from bot.desk.settling import Outcome
from bot.locales import LRI, PDI
from bot.messages import CAPABILITIES, Kind
from bot.storage.models import ContactRow, MessageRow, OutboxRow, TicketEntryRow, TicketRow, TicketState, TimerRow
from tests.conftest import make_service
from tests.desk.asking import ARABIC, PIET, SANNE, answer, answer_with_topic, ask, close, listed, page
from tests.talk import keys


def rows(service, table):
    return service.store.read(lambda c: c.execute(sa.select(table).order_by(table.id)).all())


def test_an_answer_reaches_the_newcomer_with_the_question_and_two_buttons(service):
    talk, ticket_id = ask(service)
    result = answer(service, ticket_id)
    assert (result.outcome, result.accepted) == (Outcome.GOES_NOW, True)
    (message,) = talk.waits()
    assert keys([message]) == ["ticket.answer", "ticket.answer_group", "quote", "quote"]
    assert "“Wie belt mij terug?”" in message.text
    assert message.text.endswith("U kunt morgen komen.")
    assert talk.tokens == [f"rated:yes:{ticket_id}", f"rated:no:{ticket_id}"]
    ticket = page(service, ticket_id)
    assert (ticket.summary.state, ticket.answered_at) == (TicketState.ANSWERED, service.clock.now())
    assert [(entry.kind, entry.author) for entry in ticket.entries] == [("question", "newcomer"), ("answer", "Sanne")]


def test_on_whatsapp_the_number_of_a_button_says_whether_it_helped(service):
    talk, ticket_id = ask(service, channel="whatsapp")
    answer(service, ticket_id)
    (message,) = talk.waits()
    assert message.text.endswith("1. Dit helpt mij\n2. Dit helpt niet")
    assert keys(talk.says("1")) == ["feedback.thanks"]
    assert page(service, ticket_id).helped is True


def test_an_answer_that_does_not_help_opens_the_ticket_again_with_a_new_promise(service):
    talk, ticket_id = ask(service)
    answer(service, ticket_id)
    talk.waits()
    assert keys(talk.taps(f"rated:no:{ticket_id}")) == ["ticket.reopened"]
    assert listed(service)[0].reopened
    assert [timer.state for timer in rows(service, TimerRow) if timer.kind == "promise"] == [0]
    assert answer(service, ticket_id, "Anders dan").outcome is Outcome.GOES_NOW
    assert keys(talk.waits())[0] == "ticket.answer"
    assert page(service, ticket_id).helped is None


def test_the_promise_is_off_when_the_answer_is_given(service):
    talk, ticket_id = ask(service)
    other, other_id = ask(service, who="maria-l")
    answer(service, ticket_id)
    talk.waits()
    service.clock.forward(timedelta(days=7))
    assert talk.waits() == []
    assert "ticket.late" in [key for sent in service.channels["telegram"].sent for key in sent.message.keys]
    assert [page(service, number).summary.promises_missed for number in (ticket_id, other_id)] == [0, 1]
    del other


def test_an_arabic_reader_gets_the_frame_in_arabic_and_dutch_words_keep_their_order(service):
    talk, ticket_id = ask(service, ARABIC, language="ar")
    answer(service, ticket_id, "U kunt (morgen) komen!\nhttps://www.nijmegen.nl\nاتصل بـ 14 024")
    (message,) = talk.waits()
    assert message.language == "ar"
    assert f"«{ARABIC}»" in message.text
    lines = message.text.split("\n")
    assert f"{LRI}U kunt (morgen) komen!{PDI}" in lines[-3]
    assert lines[-2:] == ["https://www.nijmegen.nl", f"اتصل بـ {LRI}14 024{PDI}"]


def test_a_question_in_a_language_that_is_not_served_is_answered_in_the_chosen_one(service):
    talk, ticket_id = ask(service, "ናይ ቋንቋ", language="en", written="ti")
    answer(service, ticket_id)
    assert talk.waits()[0].language == "en"


def test_a_curated_answer_goes_out_in_the_newcomers_language_with_its_source(service):
    talk, ticket_id = ask(service, ARABIC, language="ar")
    assert answer_with_topic(service, ticket_id, "pip.what").outcome is Outcome.GOES_NOW
    (message,) = talk.waits()
    assert keys([message]) == ["ticket.answer", "answer:pip.what"]
    assert "المصدر" in message.text
    assert page(service, ticket_id).last_answer.text.endswith("(pip.what)")


def test_a_curated_answer_has_the_part_for_the_newcomers_group(service, content):
    topic = next(key for key in content.topics if content.answer(key, "nl").family)
    talk, ticket_id = ask(service)
    service.store.write(lambda c: c.execute(sa.update(ContactRow).values(resident_group="family")) and None)
    answer_with_topic(service, ticket_id, topic)
    assert keys(talk.waits()) == ["ticket.answer", f"answer:{topic}", f"answer:{topic}:family"]


def test_a_curated_answer_that_does_not_exist_or_is_too_old_is_refused(service):
    _, ticket_id = ask(service)
    assert answer_with_topic(service, ticket_id, "no.such").outcome is Outcome.NO_TOPIC
    service.clock.forward(date(2100, 1, 1) - date(2026, 1, 1))
    assert answer_with_topic(service, ticket_id, "pip.what").outcome is Outcome.NO_TOPIC
    assert len(listed(service)) == 1


def test_two_people_answer_and_the_second_hears_who_was_first(service):
    talk, ticket_id = ask(service)
    answer(service, ticket_id, "Eerst", who=SANNE)
    second = answer(service, ticket_id, "Dan", who=PIET)
    assert (second.outcome, second.accepted, second.by) == (Outcome.TAKEN, False, "Sanne")
    assert second.at == service.clock.now()
    assert [message.text.endswith("Eerst") for message in talk.waits()] == [True]


def test_two_people_at_the_same_instant_send_one_answer(store, settings, vault, clock, content, understander):
    service = make_service(settings, store, vault, clock, content, understander)
    talk, ticket_id = ask(service)
    together = Barrier(2)

    def press(who):
        together.wait()
        with store.engine.begin() as connection:
            return answering.answer(
                connection, ticket_id=ticket_id, text="Ja", who=who, now=clock.now(), content=content
            )

    with ThreadPoolExecutor(2) as people:
        outcomes = {result.outcome for result in people.map(press, (SANNE, PIET))}
    assert outcomes == {Outcome.GOES_NOW, Outcome.TAKEN}
    assert len(talk.waits()) == 1


def test_a_double_click_sends_one_answer_and_is_no_error(service):
    talk, ticket_id = ask(service)
    answer(service, ticket_id)
    again = answer(service, ticket_id)
    assert (again.outcome, again.accepted) == (Outcome.REPEATED, True)
    assert len(talk.waits()) == 1


def test_an_answer_into_a_shut_window_waits_and_goes_when_the_newcomer_writes(service):
    talk, ticket_id = ask(service, channel="whatsapp")
    service.clock.forward(timedelta(hours=25))
    talk.waits()
    assert answer(service, ticket_id).outcome is Outcome.WAITS_WINDOW
    assert page(service, ticket_id).delivery.value == "waits_window"
    assert all(message.template for message in talk.waits()), "the words wait; only the template may go"
    assert keys(talk.says("bedankt"))[0] == "ticket.answer"


def test_an_answer_that_waits_does_not_change_what_a_number_means(service):
    talk, ticket_id = ask(service, channel="whatsapp")
    service.clock.forward(timedelta(hours=25))
    before = Thread.from_json(rows(service, ContactRow)[0].thread).offered
    answer(service, ticket_id)
    assert Thread.from_json(rows(service, ContactRow)[0].thread).offered == before
    del talk


def test_an_answer_to_somebody_who_blocked_the_service_waits_until_they_come_back(service):
    talk, ticket_id = ask(service)
    talk.says("", Kind.BLOCKED)
    assert answer(service, ticket_id).outcome is Outcome.WAITS_BLOCKED
    assert page(service, ticket_id).delivery.value == "waits_blocked"
    talk.says("", Kind.UNBLOCKED)
    assert keys(talk.got)[-1] == "quote"


def test_an_answer_to_somebody_who_was_erased_is_refused(service):
    talk, ticket_id = ask(service)
    talk.taps("erase:yes")
    assert answer(service, ticket_id).outcome is Outcome.GONE
    assert talk.waits() == []


def test_an_answer_without_any_address_is_refused_and_changes_nothing(service):
    _, ticket_id = ask(service)
    service.store.write(lambda c: c.execute(sa.text("DELETE FROM address")) and None)
    assert answer(service, ticket_id).outcome is Outcome.UNREACHABLE
    assert page(service, ticket_id).summary.state is TicketState.OPEN
    assert close(service, ticket_id).accepted


def test_a_long_answer_is_cut_for_whatsapp_and_its_parts_stay_in_order(service):
    talk, ticket_id = ask(service, channel="whatsapp")
    answer(service, ticket_id, "Een zin van zes woorden. " * 110)
    messages = talk.waits()
    assert len(messages) > 1
    assert all(len(message.text) <= CAPABILITIES["whatsapp"].max_text for message in messages)
    assert [bool(message.options) for message in messages] == [False] * (len(messages) - 1) + [True]
    assert "ticket.answer" in messages[0].keys
    assert sum(message.text.count("Een zin") for message in messages) == 110
    assert page(service, ticket_id).delivery.value == "sent"


def test_an_answer_is_kept_in_the_conversation_only_with_consent(service):
    _, ticket_id = ask(service)
    kept = len(rows(service, MessageRow))
    answer(service, ticket_id)
    assert len(rows(service, MessageRow)) == kept + 1
    _, other_id = ask(service, who="maria-l")
    service.store.write(lambda c: c.execute(sa.update(ContactRow).values(consent="refused")) and None)
    kept = len(rows(service, MessageRow))
    answer(service, other_id)
    assert len(rows(service, MessageRow)) == kept


def test_characters_that_turn_the_direction_are_left_out_of_an_answer(service):
    talk, ticket_id = ask(service)
    answer(service, ticket_id, "Bel \u202e0613\u202c\x00 ons")
    assert talk.waits()[0].text.endswith("Bel 0613 ons")


@pytest.mark.parametrize("text", ["", " \n ", "\u202e\x00"])
def test_an_answer_needs_words(service, text):
    _, ticket_id = ask(service)
    with pytest.raises(ValueError, match="words"):
        answer(service, ticket_id, text)
    with pytest.raises(ValueError, match="reason"):
        close(service, ticket_id, text)


def test_closing_keeps_the_reason_and_sends_nothing_where_nothing_needs_to_be_heard(service):
    talk, ticket_id = ask(service)
    sent = len(rows(service, OutboxRow))
    assert close(service, ticket_id, why="double").outcome is Outcome.CLOSED
    assert page(service, ticket_id).summary.state is TicketState.CLOSED
    assert [(entry.kind, entry.text) for entry in rows(service, TicketEntryRow)][1:] == [("note", "Gebeld")]
    service.clock.forward(timedelta(days=7))
    talk.waits()
    assert len(rows(service, OutboxRow)) == sent


def test_a_closed_ticket_can_not_be_answered_and_the_other_way_round(service):
    _, first = ask(service, who="amina")
    _, second = ask(service, who="maria-l")
    close(service, first)
    answer(service, second)
    assert answer(service, first, who=PIET).outcome is Outcome.TAKEN
    assert close(service, second, who=PIET).outcome is Outcome.TAKEN
    assert [ticket.state for ticket in rows(service, TicketRow)] == [TicketState.CLOSED, TicketState.ANSWERED]


def test_a_ticket_whose_answers_were_not_kept_is_still_not_answered_twice(service):
    _, ticket_id = ask(service)
    answer(service, ticket_id)
    service.store.write(lambda c: c.execute(sa.delete(TicketEntryRow)) and None)
    assert answer(service, ticket_id).outcome is Outcome.TAKEN
