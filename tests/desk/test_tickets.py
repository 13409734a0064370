"""What the desk sees of tickets."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from bot.desk import tickets, troubles
from bot.desk.tickets import Delivery, ReachState, answer_language, shorten
from bot.errors import Failure, SendError
from bot.messages import Kind
from bot.monitoring import operations
from bot.storage.models import AddressRow, InboxRow, LaneState, OutboxRow
from bot.understanding import Outcome, Understanding
from tests.conftest import make_service
from tests.desk.asking import ARABIC, SANNE, answer, ask, close, listed, page


def test_a_ticket_shows_its_question_its_language_and_what_it_may_be_about(service):
    _, ticket_id = ask(service, ARABIC, language="ar")
    (ticket,) = listed(service)
    assert (ticket.id, ticket.first_words, ticket.language, ticket.answer_language) == (ticket_id, ARABIC, "ar", "ar")
    assert [sure for _, sure in ticket.candidates] == [0.62, 0.31]
    assert ticket.waiting_since == service.clock.now()
    assert ticket.promise_at > service.clock.now()
    assert (ticket.entries, ticket.reason, ticket.urgent, ticket.reopened) == (1, "no_answer", False, False)


def test_urgent_tickets_come_first_and_then_the_earliest_promise(service):
    _, early = ask(service, who="amina")
    service.clock.forward(timedelta(days=1))
    _, late = ask(service, who="maria-l")
    talk, _ = ask(service, who="yonas-gebre")
    service.conversation.understander.script["gevaar"] = Understanding(Outcome.CRISIS, "nl")
    talk.says("gevaar")
    order = listed(service)
    assert [ticket.urgent for ticket in order] == [True, False, False, False]
    assert [ticket.id for ticket in order][1:3] == [early, late]


def test_more_words_of_the_newcomer_are_counted_and_the_first_ones_are_shown(service):
    service.conversation.understander.script["gevaar"] = Understanding(Outcome.CRISIS, "nl")
    service.conversation.understander.script["nog steeds"] = Understanding(Outcome.CRISIS, "nl")
    talk, _ = ask(service)
    talk.says("gevaar")
    talk.says("nog steeds")
    urgent = listed(service)[0]
    assert (urgent.entries, urgent.first_words) == (2, "gevaar")
    assert [entry.text for entry in page(service, urgent.id).entries] == ["gevaar", "nog steeds"]


def test_the_window_of_whatsapp_is_known_and_telegram_has_none(service):
    ask(service, channel="whatsapp", who="amina")
    ask(service, channel="telegram", who="maria")
    reaches = {ticket.reach.channel: ticket.reach for ticket in listed(service)}
    now = service.clock.now()
    assert reaches["whatsapp"].state(now) is ReachState.OPEN
    assert now + timedelta(hours=23) < reaches["whatsapp"].shuts_at < now + timedelta(hours=24)
    later = now + timedelta(hours=24)
    assert reaches["whatsapp"].state(later) is ReachState.SHUT
    assert (reaches["telegram"].state(later), reaches["telegram"].shuts_at) == (ReachState.OPEN, None)


def test_somebody_who_blocked_the_service_is_shown_as_blocked(service):
    talk, _ = ask(service)
    talk.says("", Kind.BLOCKED)
    assert listed(service)[0].reach.state(service.clock.now()) is ReachState.BLOCKED


def test_an_address_that_is_not_blocked_goes_before_one_used_later(service):
    talk, _ = ask(service)
    (contact_id,) = {ticket.contact_id for ticket in listed(service)}
    now = service.clock.now()
    other = {"contact_id": contact_id, "channel": "whatsapp", "lookup": "x", "lane": "x", "sealed": "x"}
    service.store.write(
        lambda c: (
            c.execute(sa.insert(AddressRow).values(used_at=now + timedelta(hours=1), blocked_at=now, **other)) and None
        )
    )
    assert listed(service)[0].reach.channel == talk.channel


def test_the_conversation_before_a_ticket_is_there_on_demand_and_nothing_after_it(service):
    talk, ticket_id = ask(service)
    service.clock.forward(timedelta(minutes=1))
    talk.says("Nog iets anders")
    said = service.store.read(lambda c: tickets.conversation_before(c, ticket_id))
    assert [utterance.text for utterance in said if utterance.inbound] == ["Hallo", "Wie belt mij terug?"]
    assert said[-1].at <= listed(service)[0].waiting_since


def test_a_ticket_of_somebody_who_was_erased_is_gone(service):
    talk, ticket_id = ask(service)
    talk.taps("erase:yes")
    assert page(service, ticket_id) is None
    assert listed(service) == []


def test_an_answered_or_closed_ticket_leaves_the_list_and_keeps_its_page(service):
    _, first = ask(service, who="amina")
    _, second = ask(service, who="maria-l")
    answer(service, first)
    close(service, second)
    assert listed(service) == []
    assert [page(service, number).last_answer is not None for number in (first, second)] == [True, False]
    assert service.store.read(lambda c: tickets.count_open(c, SANNE)) == 0


def test_a_page_tells_where_the_answer_is_from_outbox_to_read(service):
    talk, ticket_id = ask(service, channel="whatsapp")
    answer(service, ticket_id)
    assert page(service, ticket_id).delivery is Delivery.GOES_NOW
    talk.waits()
    assert page(service, ticket_id).delivery is Delivery.SENT
    for state in (Delivery.DELIVERED, Delivery.READ):
        change = sa.update(OutboxRow).values(delivery=state.value)
        service.store.write(lambda c, change=change: c.execute(change) and None)
        assert page(service, ticket_id).delivery is state


def test_a_page_tells_when_nobody_knows_or_when_it_failed(service):
    for who, failure, delivery in (
        ("amina", Failure.UNKNOWN, Delivery.UNKNOWN),
        ("maria-l", Failure.PERMANENT, Delivery.FAILED),
    ):
        talk, ticket_id = ask(service, who=who)

        def refuse(_, failure=failure):
            raise SendError(failure, "code 400")

        service.channels["telegram"].fail = refuse
        answer(service, ticket_id)
        talk.waits()
        service.channels["telegram"].fail = lambda _: None
        assert page(service, ticket_id).delivery is delivery
        (trouble, *_) = service.store.read(lambda c: troubles.attention(c, SANNE))
        assert (trouble.ticket_id, trouble.error) == (ticket_id, "code 400")


def test_what_can_not_be_handled_needs_attention_and_names_nobody(service):
    talk, _ = ask(service)
    dead = sa.update(InboxRow).where(InboxRow.id == 1).values(state=LaneState.DEAD, error="KeyError")
    service.store.write(lambda c: c.execute(dead) and None)
    (trouble,) = service.store.read(lambda c: troubles.attention(c, SANNE))
    assert (trouble.kind, trouble.error, trouble.ticket_id) == ("unread", "KeyError", None)
    assert talk.address.value not in str(trouble)


def test_an_answer_is_in_the_chosen_language_else_that_of_the_question_else_dutch():
    assert answer_language("ar", "nl") == "ar"
    assert answer_language(None, "en") == "en"
    assert answer_language(None, "ti") == "nl"


def test_the_first_words_of_a_long_question_end_at_a_word():
    assert shorten("een\n twee drie", 9) == "een twee…"
    assert shorten("eenwoord", 3) == "een…"
    assert shorten("kort", 9) == "kort"


def test_the_desk_reads_the_same_on_both_databases(store, settings, vault, clock, content, understander):
    service = make_service(settings, store, vault, clock, content, understander)
    _, ticket_id = ask(service, ARABIC, language="ar")
    (ticket,) = listed(service)
    assert (ticket.id, ticket.first_words, ticket.reach.channel) == (ticket_id, ARABIC, "telegram")
    assert page(service, ticket_id).delivery is None
    assert service.store.read(lambda c: tickets.conversation_before(c, ticket_id))
    assert service.store.read(lambda c: troubles.attention(c, SANNE)) == []
    counts = service.store.read(lambda c: operations.count(c, clock.now()))
    assert (counts.tickets.open_now, counts.outcomes["escalate"]) == (1, 2)  # the greeting was not understood either
