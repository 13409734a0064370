"""When a prepared answer goes out, and that a crash in the middle neither loses nor doubles it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.contacts import Consent
from bot.desk import answering, claims, prepared
from bot.desk.settling import Outcome
from bot.storage.desk_models import PreparedRow
from bot.storage.models import ContactRow, OutboxRow, TicketRow, TicketState
from tests.caseload.people import TUESDAY, make_actor, make_party, newest_contact, rows
from tests.conftest import make_service
from tests.desk.asking import PIET, SANNE, ask, deed
from tests.talk import Talk, keys
from tests.webhooks.browser import log_in, make_browser, send

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def prepare(service, ticket_id, who=SANNE, **words):
    done, facts = deed(service, ticket_id, who), words or {"text": "Klaargezet"}
    return service.store.write(lambda c: prepared.prepare(c, done, service.content, **facts))


def mine(service, slots=(TUESDAY,), absences=()):
    """A newcomer with a klantregisseur, and an open question."""
    actor_id = make_actor(service, slots=slots, absences=absences)
    Talk(service, "telegram").agrees("nl")
    make_party(service, actor_id, contact_id=newest_contact(service))
    return ask(service)


def due(service, actor_id, promise_at, now=MONDAY):
    return service.store.read(lambda c: prepared.due_at(c, actor_id, promise_at, now))


def test_it_goes_out_when_the_slot_begins_and_in_time_for_the_promise(service):
    actor_id, week = make_actor(service, slots=(TUESDAY,)), timedelta(days=7)
    away = make_actor(service, code="kr-2", slots=(TUESDAY,), absences=[(date(2026, 11, 24), date(2026, 11, 24))])
    starts, ends = datetime(2026, 11, 24, 8, 0, tzinfo=UTC), datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
    assert due(service, actor_id, ends) == starts
    assert due(service, away, ends + week) == starts + week
    assert due(service, None, ends) == starts  # the back-up desk: nine o'clock on the next working day
    assert due(service, None, starts + timedelta(hours=8), now=starts - timedelta(days=3)) == starts - timedelta(days=1)
    assert due(service, actor_id, ends, now=starts + timedelta(hours=1)) == ends - prepared.LAST_CALL
    assert due(service, actor_id, ends, now=ends - timedelta(minutes=20)) is None
    assert due(service, actor_id, MONDAY - timedelta(hours=1)) is None


def test_it_is_not_prepared_where_it_can_not_be_kept(service):
    _, ticket_id = mine(service)
    assert prepare(service, ticket_id, topic="no.such").outcome is Outcome.NO_TOPIC
    service.store.write(lambda c: claims.take(c, ticket_id, PIET, service.clock.now()))
    assert prepare(service, ticket_id).outcome is Outcome.CLAIMED
    service.clock.forward(timedelta(hours=24, minutes=45))
    assert prepare(service, ticket_id).outcome is Outcome.TOO_LATE
    with pytest.raises(ValueError, match="words or a topic"):
        prepare(service, ticket_id, text=" ")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda c: c.execute(sa.update(ContactRow).values(consent=Consent.REFUSED.value)), "consent"),
        (lambda c: c.execute(sa.update(TicketRow).values(actor_id=None)), "moved"),
        (lambda c: c.execute(sa.update(PreparedRow).values(topic="no.such")), "no_topic"),
    ],
)
def test_what_changed_meanwhile_holds_it_back(service, change, reason):
    talk, ticket_id = mine(service)
    assert prepare(service, ticket_id).outcome is Outcome.PREPARED
    service.store.write(lambda c: change(c) and None)
    service.clock.forward(timedelta(hours=23))
    assert talk.waits() == []
    assert [row.held for row in rows(service, PreparedRow)] == [reason]
    assert rows(service, TicketRow)[0].state == TicketState.OPEN


def test_somebody_else_who_is_at_it_holds_it_back(service):
    talk, ticket_id = mine(service)
    prepare(service, ticket_id)
    service.clock.forward(timedelta(hours=22, minutes=59))
    service.store.write(lambda c: claims.take(c, ticket_id, PIET, service.clock.now()))
    service.clock.forward(timedelta(minutes=1))
    assert talk.waits() == []
    assert [row.held for row in rows(service, PreparedRow)] == ["claimed"]


class CrashError(Exception):
    """The machine stops here."""


@pytest.mark.parametrize("place", ["give", "put"])
def test_a_crash_between_send_and_commit_neither_loses_nor_doubles_it(
    place, store, settings, vault, clock, content, understander, monkeypatch
):
    service = make_service(settings, store, vault, clock, content, understander)
    talk, ticket_id = mine(service)
    prepare(service, ticket_id)
    clock.forward(timedelta(hours=23))
    real = getattr(answering, place)

    def after(*arguments, **named):
        real(*arguments, **named)
        raise CrashError

    monkeypatch.setattr(answering, place, after)
    with pytest.raises(CrashError):
        talk.waits()
    assert not [row for row in rows(service, OutboxRow) if row.key.startswith("answer:")]
    assert [row.held for row in rows(service, PreparedRow)] == [None]
    monkeypatch.setattr(answering, place, real)
    again = make_service(settings, store, vault, clock, content, understander)
    clock.forward(timedelta(minutes=2))
    again.store.write(lambda c: c.execute(sa.text("UPDATE inbox SET state = 0 WHERE state = 1")) and None)
    for name, channel in again.channels.items():
        channel.sent = service.channels[name].sent
    talk.service = again
    assert keys(talk.waits())[0] == "ticket.answer"
    clock.forward(timedelta(days=2))
    assert [key for key in keys(talk.waits()) if key == "ticket.answer"] == []
    assert rows(again, TicketRow)[0].state == TicketState.ANSWERED


def test_held_back_it_stands_on_top_with_its_reason_and_can_be_taken_back(service):
    browser = make_browser(service)
    log_in(browser)
    talk, ticket_id = ask(service)
    place = f"/desk/tickets/{ticket_id}"
    assert send(browser, f"{place}/answer", send="prepare_text", text="<i>Klaar</i>").status_code == 303
    listed = browser.get("/desk").text
    assert "Klaargezet: deze gaan vanzelf weg" in listed
    service.clock.forward(timedelta(minutes=1))
    talk.says("hallo?")
    service.clock.forward(timedelta(hours=23))
    talk.waits()
    listed = browser.get("/desk").text
    assert listed.index("Tegengehouden: kijk hier eerst naar") < listed.index(place)
    assert "De nieuwkomer heeft daarna iets geschreven." in listed
    assert "&lt;i&gt;Klaar&lt;/i&gt;" in browser.get(place).text
    send(browser, f"{place}/take-back")
    assert "&lt;i&gt;Klaar&lt;/i&gt;</textarea>" in browser.get(place).text
    assert rows(service, PreparedRow) == []


def test_one_whose_time_passed_without_a_trace_is_shown_as_late(service):
    _, ticket_id = ask(service)
    prepare(service, ticket_id)
    late = service.clock.now() + timedelta(days=1)
    found = service.store.read(lambda c: prepared.of(c, [ticket_id], late))
    assert found[ticket_id].held == "late"
