"""My batch: urgent first, what means the same together, and one answer for all of a group."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa

from bot.desk import asking_back, batch, tickets
from bot.desk.grouping import Grouper, Question
from bot.roles import Principal, Role
from bot.storage.models import TicketRow, TicketState
from bot.translation import LibreTranslator
from tests.caseload.people import make_actor, make_party, newest_contact, rows
from tests.desk.asking import SANNE, answer, ask, close, deed
from tests.desk.test_translation import Server
from tests.talk import Talk, keys
from tests.webhooks.browser import log_in, make_browser, send

HOURS = ("hoeveel uur heb ik nog over", "hoeveel uur heb ik nog over van mijn lessen", "hoeveel uur heb ik over")


@pytest.fixture
def browser(service):
    made = make_browser(service)
    log_in(made)
    return made


def make_group(service, languages=("nl", "en", "ar")):
    """The same question of several people, each in an own language, and one that is another."""
    asked = [
        ask(service, f"{HOURS[0]} {number}", language=language, who="x" * (number + 3))
        for number, language in enumerate(languages)
    ]
    other = Talk(service, "telegram", "somebody-else").agrees("nl")
    other.says("mijn huis is koud")
    other.taps(next(token for token in other.tokens if token.startswith("pass:yes")))
    return asked, (other, rows(service, TicketRow)[-1].id)


def read(service, who=SANNE):
    return service.store.read(lambda c: batch.read(c, who, service.clock.now(), service.settings.hours))


def test_a_klantregisseur_sees_what_is_due_before_the_next_slot_and_what_can_wait(service):
    actor_id = make_actor(service)  # Tuesday 9-11, Thursday 13-15
    talk = Talk(service, "telegram").agrees("nl")
    make_party(service, actor_id, contact_id=newest_contact(service))
    _, first = ask(service)
    service.clock.forward(timedelta(days=1))  # Tuesday, 10:00: in the slot, an hour left
    talk.says("vraag twee")
    talk.taps(next(token for token in talk.tokens if token.startswith("pass:yes")))
    service.clock.forward(timedelta(minutes=45))
    talk.says("vraag drie")
    talk.taps(next(token for token in talk.tokens if token.startswith("pass:yes")))
    who = Principal("Sanne", frozenset({Role.KLANTREGISSEUR}), actor_id=actor_id)
    mine = read(service, who)
    assert mine.slot == (datetime(2026, 11, 24, 8, tzinfo=UTC), datetime(2026, 11, 24, 10, tzinfo=UTC))
    assert [line.ticket.id for line in mine.due] == [first, first + 1]
    assert [line.ticket.id for line in mine.later] == [first + 2]


def test_what_means_the_same_as_a_question_of_now_is_answered_with_it(service, browser):
    asked, (_, other) = make_group(service, languages=("nl", "nl"))
    later = service.clock.now() + timedelta(days=9)
    for number in (asked[1][1], other):
        change = sa.update(TicketRow).where(TicketRow.id == number).values(promise_at=later)
        service.store.write(lambda c, change=change: c.execute(change))
    text = browser.get("/desk").text
    now, after = text[text.index('id="due"') : text.index('id="later"')], text[text.index('id="later"') :]
    assert '<span class="count">2</span>' in now
    assert f'id="t{asked[1][1]}"' in now, "it need not wait nine days more"
    assert f"/desk/tickets/{other}" in after
    assert '<span class="count">1</span>' in after


def test_questions_that_mean_the_same_are_together_and_urgent_ones_alone(service, browser):
    asked, (_, other) = make_group(service)
    crisis = Talk(service, "telegram", "in-danger-now").agrees("nl")
    service.conversation.understander.means("ik wil dood", "crisis", "health.crisis")
    crisis.says("ik wil dood")
    text = browser.get("/desk").text
    assert "3 vragen met dezelfde betekenis" in text
    assert text.index("ik wil dood") < text.index("3 vragen met dezelfde betekenis")
    urgent = text[text.index("ik wil dood") : text.index("3 vragen met dezelfde betekenis")]
    assert "Meteen antwoorden" in urgent
    assert "Antwoord vóór" not in urgent  # "32 uur over" says the opposite of the alarm
    group = text[text.index("<fieldset>") : text.index("</fieldset>")]
    assert all(f'value="{ticket_id}"' in group for _, ticket_id in asked)
    assert f'value="{other}"' not in group


def test_one_checked_answer_reaches_each_in_the_own_language_and_who_is_not_ticked_waits(service, browser):
    asked, _ = make_group(service)
    ids = [ticket_id for _, ticket_id in asked]
    assert browser.get("/desk/together", params={"t": ids}).status_code == 200
    chosen = {f"t_{number}": "1" for number in ids[:2]}
    fields = {"all": ",".join(map(str, ids)), "send": "topic", "topic": "pip.what"}
    response = send(browser, "/desk/together", **fields, **chosen)
    assert response.headers["location"] == f"/desk?done={ids[0]},{ids[1]}"
    got = [talk.waits() for talk, _ in asked]
    assert [(m.language, keys([m])[1]) for messages in got for m in messages] == [
        ("nl", "answer:pip.what"),
        ("en", "answer:pip.what"),
    ]
    assert [row.state for row in rows(service, TicketRow)][:3] == [1, 1, 0]
    assert browser.get(response.headers["location"]).text.count("is afgehandeld") >= 2


def test_own_words_go_translated_to_who_reads_another_language(service):
    service.translator = LibreTranslator("http://translator.internal", transport=httpx.MockTransport(Server()))
    browser = make_browser(service)
    log_in(browser)
    asked, _ = make_group(service, ("nl", "ar"))
    ids = [ticket_id for _, ticket_id in asked]
    fields = {"all": ",".join(map(str, ids)), "text": "U kunt morgen komen.", "written": "nl"}
    fields |= {f"t_{number}": "1" for number in ids}
    preview = send(browser, "/desk/together", send="preview", **fields).text
    assert "يمكنك أن تأتي غدًا." in preview
    fields["translation_ar"] = "يمكنك أن تأتي غدًا."
    assert send(browser, "/desk/together", send="text", **fields).status_code == 303
    (dutch,), (arabic,) = (talk.waits() for talk, _ in asked)
    assert dutch.text.endswith("U kunt morgen komen.")
    assert "ticket.machine_translation" not in dutch.keys
    assert arabic.text.endswith("يمكنك أن تأتي غدًا.")
    assert "ticket.machine_translation" in arabic.keys


def test_one_that_fails_stops_no_other_and_is_named(service, browser):
    asked, _ = make_group(service)
    ids = [ticket_id for _, ticket_id in asked]
    answer(service, ids[1])
    fields = {"all": ",".join(map(str, ids)), "send": "text", "text": "Nog tien uur."}
    response = send(browser, "/desk/together", **fields, **{f"t_{number}": "1" for number in ids})
    assert response.status_code == 409
    assert "2 vragen zijn beantwoord." in response.text
    assert f"Vraag {ids[1]}" in response.text
    assert [len(talk.waits()) for talk, _ in asked] == [1, 1, 1]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"send": "text", "text": "Ja"}, "Vink ten minste één vraag aan"),
        ({"send": "text", "text": " "}, "schrijf eerst iets"),
        ({"send": "topic"}, "kies er eerst een"),
    ],
)
def test_a_group_form_that_is_not_right_comes_back(service, browser, fields, words):
    _, ticket_id = ask(service)
    response = send(browser, "/desk/together", all=str(ticket_id), **fields)
    assert response.status_code == 422
    assert words in response.text


@pytest.mark.parametrize("ids", ["x", "", "0", "9" * 40, "-1"])
def test_strange_numbers_are_no_group(browser, ids):
    response = browser.get("/desk/together", params={"t": ids}, follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (303, "/desk"), "as when nothing was ticked"


def test_what_waits_for_the_newcomer_and_what_is_not_needed_any_more_is_shown_apart(service, browser):
    talk, first = ask(service)
    _, second = ask(service, who="maria-l")
    service.store.write(lambda c: asking_back.ask_back(c, deed(service, second), "Waar?", service.content))
    talk.taps(f"withdraw:{first}")
    text = browser.get("/desk").text
    assert "Wacht op de nieuwkomer" in text
    assert "Niet meer nodig, zeggen de nieuwkomers" in text
    assert "Niet meer nodig." in browser.get(f"/desk/tickets/{first}").text
    assert [row.state for row in rows(service, TicketRow)] == [TicketState.CLOSED, TicketState.ASKED]


def test_answers_that_did_not_help_twice_are_a_signal_for_the_coordinator_only(service):
    talk, ticket_id = ask(service)
    for _ in range(2):
        answer(service, ticket_id, f"Antwoord {service.clock.now()}")
        talk.waits()
        talk.taps(f"rated:no:{ticket_id}")
        service.clock.forward(timedelta(minutes=1))
    assert [ticket.id for ticket in service.store.read(tickets.signals)] == [ticket_id]
    assert [ticket.id for ticket in read(service).signals] == [ticket_id]
    assert read(service, Principal("Piet", frozenset({Role.DESK}))).signals == ()
    close(service, ticket_id)
    assert service.store.read(tickets.signals) == []


def test_questions_about_one_topic_are_close_and_a_chain_joins_nothing(understander):
    grouper = Grouper(understander.encode)

    def about(text, language="nl", **chances):
        return Question(text, tuple(chances.items()), language)

    chain = [about("een", a=0.8), about("twee", a=0.8, b=0.8), about("drie", b=0.8)]
    assert grouper.closely(chain) in ([[0, 1], [2]], [[0], [1, 2]])
    assert grouper.closely([about("waar is de les"), about("waar is de les?")]) == [[0, 1]]
    strange = [about("ናይ ቋንቋ", "ti"), about("ናይ ቋንቋ", "ti")]
    assert grouper.closely(strange) == [[0], [1]]
    assert grouper.closely([]) == []
