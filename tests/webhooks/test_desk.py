"""The pages of the desk, as a browser without JavaScript meets them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot import pushes
from bot.desk import proposals
from bot.errors import Failure, SendError, StoreUnavailableError
from bot.messages import Kind, Push
from bot.pushes import PushRules
from bot.storage.models import LaneState, OutboxRow
from tests.desk.asking import ARABIC, answer, ask, close, page, teller
from tests.surveys.helping import contact_of
from tests.talk import keys
from tests.webhooks.browser import log_in, make_browser, send
from webhooks.desk_forms import MAX_ANSWER


@pytest.fixture
def browser(service):
    made = make_browser(service)
    log_in(made, name="Sanne")
    return made


def test_an_empty_desk_says_that_nothing_waits(browser):
    assert "Er wacht niets op antwoord" in browser.get("/desk").text


def test_the_list_tells_what_waits_and_by_when(service, browser):
    _, ticket_id = ask(service)
    text = browser.get("/desk").text
    assert f'href="/desk/tickets/{ticket_id}"' in text
    assert "Wie belt mij terug?" in text
    assert "dinsdag 24 november, 17:00" in text
    assert "62 %" in text
    assert "Geen gecontroleerd antwoord past" in text


def test_a_person_answers_a_ticket_and_the_answer_reaches_the_newcomer(service, browser):
    talk, ticket_id = ask(service)
    response = send(browser, f"/desk/tickets/{ticket_id}/answer", send="text", text="U kunt morgen komen.")
    assert (response.status_code, response.headers["location"]) == (303, f"/desk?done={ticket_id}")
    assert "Het antwoord is onderweg" in browser.get(f"/desk?done={ticket_id}").text
    assert talk.waits()[0].text.endswith("U kunt morgen komen.")
    done = browser.get(f"/desk/tickets/{ticket_id}").text
    assert "Het antwoord is verstuurd" in done
    assert "<bdi>Sanne</bdi>" in done
    assert 'name="text"' not in done


def test_bad_news_is_marked_with_the_answer_and_surveys_keep_away(service, browser):
    talk, ticket_id = ask(service)
    contact_id, now, rules = contact_of(talk), service.clock.now(), service.settings.push_rules
    for form in ({"text": "", "send": "text"}, {"text": "Helaas, nee.", "send": "text"}):
        send(browser, f"/desk/tickets/{ticket_id}/answer", bad_news="yes", **form)
        why = service.store.read(lambda c: pushes.may_push(c, contact_id, Push.PULSE, now, rules)).why
        assert (why == "bad_news") is bool(form["text"]), "an answer that was refused tells nobody anything"


def test_a_person_picks_a_checked_answer_and_it_goes_out_in_the_newcomers_language(service, browser):
    talk, ticket_id = ask(service, ARABIC, language="ar")
    send(browser, f"/desk/tickets/{ticket_id}/answer", send="topic", topic="pip.what", text="weggelegd")
    (message,) = talk.waits()
    assert (message.language, keys([message])) == ("ar", ["ticket.answer", "answer:pip.what"])


def test_two_people_answer_and_the_second_keeps_the_words(service, browser):
    talk, ticket_id = ask(service)
    colleague = make_browser(service)
    log_in(colleague, name="Piet")
    send(browser, f"/desk/tickets/{ticket_id}/answer", send="text", text="Eerst")
    response = send(colleague, f"/desk/tickets/{ticket_id}/answer", send="text", text="Tweede woorden")
    assert response.status_code == 409
    assert "Sanne was je voor" in response.text
    assert "Tweede woorden" in response.text
    assert [message.text.endswith("Eerst") for message in talk.waits()] == [True]


def test_a_double_click_looks_like_one(service, browser):
    talk, ticket_id = ask(service)
    for _ in range(2):
        assert send(browser, f"/desk/tickets/{ticket_id}/answer", send="text", text="Ja").status_code == 303
    assert len(talk.waits()) == 1


@pytest.mark.parametrize(
    ("fields", "error", "field"),
    [
        ({"send": "text", "text": "  "}, "Je antwoord: schrijf eerst iets", "text"),
        ({}, "Je antwoord: schrijf eerst iets", "text"),
        ({"send": "text", "text": "x" * (MAX_ANSWER + 1)}, "dit is te lang. Gebruik hooguit 3.000 tekens", "text"),
        ({"send": "topic", "text": "bewaard"}, "Gecontroleerd antwoord: kies er eerst een", "topic"),
        ({"send": "topic", "topic": "no.such", "text": "bewaard"}, "dit antwoord kan niet meer weg", "topic"),
    ],
)
def test_a_form_that_is_not_right_comes_back_with_its_words_and_names_the_field(service, browser, fields, error, field):
    talk, ticket_id = ask(service)
    response = send(browser, f"/desk/tickets/{ticket_id}/answer", **fields)
    assert response.status_code == 422
    assert error in response.text
    assert f'aria-describedby="{field}-hint {field}-error" aria-invalid="true"' in response.text
    assert "<title>Fout: " in response.text
    assert fields.get("text", "").strip() in response.text
    assert talk.waits() == []


def test_closing_needs_a_reason_and_says_that_nothing_was_sent(service, browser):
    talk, ticket_id = ask(service)
    refused = send(browser, f"/desk/tickets/{ticket_id}/close", why="other", reason=" ")
    assert refused.status_code == 422
    assert "schrijf waarom deze vraag gesloten wordt" in refused.text
    assert "Reden: kies waarom" in send(browser, f"/desk/tickets/{ticket_id}/close", reason="Gebeld").text
    assert (
        send(browser, f"/desk/tickets/{ticket_id}/close", why="double", reason="r" * (MAX_ANSWER + 1)).status_code
        == 422
    )
    response = send(browser, f"/desk/tickets/{ticket_id}/close", why="double", reason="Telefonisch geholpen")
    assert response.status_code == 303
    assert "De nieuwkomer heeft geen bericht gekregen" in browser.get(response.headers["location"]).text
    assert "Telefonisch geholpen" in browser.get(f"/desk/tickets/{ticket_id}").text
    assert talk.waits() == []


def test_the_page_says_beforehand_what_will_happen_to_an_answer(service, browser):
    _, ticket_id = ask(service, channel="whatsapp", who="amina")
    place = f"/desk/tickets/{ticket_id}"
    assert "Je antwoord gaat meteen. Dat mag op WhatsApp tot dinsdag 24 november, 09:55." in browser.get(place).text
    service.clock.forward(timedelta(hours=25))
    assert "Het WhatsApp-venster is dicht" in browser.get(place).text
    assert "venster dicht" in browser.get("/desk").text
    talk, other_id = ask(service, who="maria-l")
    assert "Je antwoord gaat meteen, via Telegram." in browser.get(f"/desk/tickets/{other_id}").text
    talk.says("", Kind.BLOCKED)
    assert "op Telegram geblokkeerd" in browser.get(f"/desk/tickets/{other_id}").text
    assert "heeft de dienst geblokkeerd" in browser.get("/desk").text


def test_an_answer_that_waits_is_said_to_wait(service, browser):
    _, ticket_id = ask(service, channel="whatsapp")
    service.clock.forward(timedelta(hours=25))
    response = send(browser, f"/desk/tickets/{ticket_id}/answer", send="text", text="Ja")
    assert "Het antwoord wacht: het WhatsApp-venster is dicht" in browser.get(response.headers["location"]).text


def test_somebody_who_wrote_stop_is_said_to_have_done_so(service, browser):
    talk, ticket_id = ask(service)
    talk.taps("stop")
    assert "Deze persoon schreef “stop”" in browser.get(f"/desk/tickets/{ticket_id}").text


def test_a_person_without_an_address_can_only_be_closed(service, browser):
    _, ticket_id = ask(service)
    service.store.write(lambda c: c.execute(sa.text("DELETE FROM address")) and None)
    text = browser.get(f"/desk/tickets/{ticket_id}").text
    assert 'name="text"' not in text
    assert 'name="reason"' in text
    assert "Niet meer bereikbaar" in browser.get("/desk").text
    response = send(browser, f"/desk/tickets/{ticket_id}/answer", send="text", text="Bewaar mij")
    assert response.status_code == 409
    assert "geen adres meer" in response.text


@pytest.mark.parametrize(
    "words", ["<script>alert(1)</script>", '=HYPERLINK("http://evil.example","x")', "{{ 7 * 1234567 }}", '" onload="x']
)
def test_what_a_newcomer_writes_is_shown_as_it_is_and_never_as_markup(service, browser, words):
    _, ticket_id = ask(service, words)
    for text in (browser.get("/desk").text, browser.get(f"/desk/tickets/{ticket_id}?conversation=1").text):
        assert "<script>" not in text
        assert ' onload="' not in text
        assert "8641969" not in text
        escaped = words.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&#34;")
        assert escaped in text


def test_what_a_colleague_writes_is_escaped_too(service):
    browser = make_browser(service)
    log_in(browser, name="<b>Piet</b>")
    _, ticket_id = ask(service)
    send(browser, f"/desk/tickets/{ticket_id}/answer", send="text", text="<img src=x>")
    text = browser.get(f"/desk/tickets/{ticket_id}").text + browser.get("/desk").text
    assert "<b>" not in text
    assert "<img" not in text
    assert "&lt;img src=x&gt;" in text


def test_an_arabic_question_is_marked_as_arabic_and_runs_from_the_right(service, browser):
    _, ticket_id = ask(service, ARABIC, language="ar")
    assert f'<bdi lang="ar" dir="auto">{ARABIC}</bdi>' in browser.get("/desk").text
    text = browser.get(f"/desk/tickets/{ticket_id}").text
    assert f'<p class="body" lang="ar" dir="auto">{ARABIC}</p>' in text
    assert "Deze persoon leest Arabisch" in text
    assert '<html lang="nl">' in text


def test_a_question_in_an_unknown_language_has_no_language_mark(service, browser):
    ask(service, "xyz", written="und")
    text = browser.get("/desk").text
    assert '<bdi dir="auto">xyz</bdi>' in text
    assert "Onbekende taal" in text


def test_the_conversation_comes_on_demand(service, browser):
    _, ticket_id = ask(service)
    place = f"/desk/tickets/{ticket_id}"
    assert "Hallo" not in browser.get(place).text
    assert "Hallo" in browser.get(f"{place}?conversation=1").text


@pytest.mark.parametrize("number", ["7", "0", str(2**63 - 1), str(2**63), "9" * 40])
def test_a_ticket_that_is_gone_is_said_to_be_gone_and_the_words_come_back(browser, number):
    response = browser.get(f"/desk/tickets/{number}")
    assert response.status_code == 404
    assert "Deze vraag is er niet" in response.text
    response = send(browser, f"/desk/tickets/{number}/answer", send="text", text="Bewaar mij")
    assert response.status_code in {404, 409}
    assert "Bewaar mij" in response.text


@pytest.mark.parametrize("done", ["x", "-1", "9" * 40, "²", ""])
def test_a_strange_address_is_no_error(browser, done):
    assert browser.get("/desk", params={"done": done}).status_code == 200


def test_a_session_that_ended_meanwhile_gives_the_words_back(service, browser):
    _, ticket_id = ask(service)
    browser.cookies.clear()
    response = browser.post(f"/desk/tickets/{ticket_id}/answer", data={"send": "text", "text": "Lang nagedacht"})
    assert response.status_code == 401
    assert "Lang nagedacht" in response.text
    assert "er is niets verstuurd" in response.text
    assert f'name="next" value="/desk/tickets/{ticket_id}"' in response.text


def test_a_database_that_is_away_is_said_plainly_and_the_words_come_back(service, browser, monkeypatch):
    _, ticket_id = ask(service)

    async def away(_):
        raise StoreUnavailableError("OperationalError")

    monkeypatch.setattr(service.store, "awrite", away)
    response = send(browser, f"/desk/tickets/{ticket_id}/answer", send="text", text="Lang nagedacht")
    assert response.status_code == 503
    assert "De database is niet bereikbaar" in response.text
    assert "Lang nagedacht" in response.text


def test_what_went_wrong_is_listed_without_words_or_names(service, browser):
    talk, ticket_id = ask(service)
    answer(service, ticket_id, "Geheime woorden")
    change = sa.update(OutboxRow).where(OutboxRow.key.like("answer:%"))
    service.store.write(lambda c: c.execute(change.values(state=LaneState.UNKNOWN, error="no answer in time")) and None)
    text = browser.get("/desk").text
    assert "Misschien aangekomen, misschien niet" in text
    assert "no answer in time" in text
    assert f'href="/desk/tickets/{ticket_id}">Vraag {ticket_id}' in text
    assert "Geheime woorden" not in text
    assert "Onbekend is of het antwoord is aangekomen" in browser.get(f"/desk/tickets/{ticket_id}").text
    del talk


@pytest.mark.parametrize("failure", [Failure.PERMANENT, Failure.UNKNOWN])
def test_what_did_not_arrive_is_sent_again_by_hand(service, browser, failure):
    talk, ticket_id = ask(service)

    def fail(_):
        raise SendError(failure, "x")

    service.channels["telegram"].fail = fail
    answer(service, ticket_id)
    assert talk.waits() == []
    place = f"/desk/tickets/{ticket_id}"
    assert f'action="{place}/again"' in browser.get(place).text
    service.channels["telegram"].fail = lambda _: None
    for status in (303, 409):  # the second click finds nothing to send
        assert send(browser, f"{place}/again").status_code == status
    assert len(talk.waits()) == 1
    assert "/again" not in browser.get(place).text


def test_what_is_not_kept_any_more_can_not_be_sent_again_and_the_page_says_why(service, browser):
    _, ticket_id = ask(service)
    answer(service, ticket_id)
    lost = sa.update(OutboxRow).where(OutboxRow.key.like("answer:%"))
    service.store.write(lambda c: c.execute(lost.values(state=LaneState.DEAD, payload=None)) and None)
    text = browser.get(f"/desk/tickets/{ticket_id}").text
    assert "/again" not in text
    assert "wordt maar twee dagen bewaard" in text


def test_a_checked_answer_that_went_to_all_who_asked_is_sent_again_too(service, browser):
    talk, ticket_id = ask(service)
    close(service, ticket_id, why="double")
    topic = next(iter(service.content.topics))
    service.store.write(lambda c: proposals.save(c, {"topic": topic}, [ticket_id], "Eva", service.clock.now()))
    service.store.write(lambda c: proposals.deliver(c, teller(service), PushRules()))
    lost = sa.update(OutboxRow).where(OutboxRow.key.like("gap:%")).values(state=LaneState.UNKNOWN)
    service.store.write(lambda c: c.execute(lost) and None)
    (place,) = re.findall(r'action="(/desk/sends/\d+/again)"', browser.get("/desk").text)
    answered = send(browser, place)
    assert answered.headers["location"] == "/desk?again=goes_now"
    assert "Het antwoord is onderweg" in browser.get("/desk?again=goes_now").text
    assert send(browser, place).headers["location"] == "/desk"  # the second click finds nothing to send
    assert [sent.keys[0] for sent in talk.waits()] == ["gap.answered"]
    service.store.write(lambda c: c.execute(lost) and None)
    talk.says("stop")
    assert place not in browser.get("/desk").text
    assert send(browser, place).status_code == 404
    assert send(browser, f"/desk/sends/{2**70}/again").status_code == 404


def test_the_newcomers_verdict_is_shown(service, browser):
    talk, ticket_id = ask(service)
    answer(service, ticket_id)
    talk.waits()
    talk.taps(f"rated:yes:{ticket_id}")
    assert "De nieuwkomer zegt: dit helpt mij" in browser.get(f"/desk/tickets/{ticket_id}").text


def test_every_state_of_a_ticket_has_a_page_in_both_languages(service, browser):
    ids = [ask(service, who=f"{'x' * length}")[1] for length in range(3, 7)]
    answer(service, ids[0])
    close(service, ids[1])
    for number in ids:
        for language, word in (("nl", "Vraag"), ("en", "Question")):
            text = browser.get(f"/desk/tickets/{number}?lang={language}").text
            assert f'<html lang="{language}">' in text
            assert f"{word} {number}" in text
    assert page(service, ids[0]).last_answer is not None


def test_the_language_is_dutch_unless_the_address_a_cookie_or_the_browser_says_otherwise(service):
    def language_of(response):
        return "nl" if "Inloggen" in response.text else "en"

    assert language_of(make_browser(service).get("/desk/login")) == "nl"
    english = make_browser(service, **{"accept-language": "fr;q=0.9, en-GB;q=0.8, nl;q=0.2"})
    assert language_of(english.get("/desk/login")) == "en"
    assert language_of(english.get("/desk/login?lang=nl")) == "nl"
    assert language_of(english.get("/desk/login")) == "nl"
    assert language_of(english.get("/desk/login?lang=xx")) == "nl"
    strange = make_browser(service, **{"accept-language": "en;q=x, ;;, nl;q="})
    assert language_of(strange.get("/desk/login")) == "nl"


def test_a_page_can_be_used_with_a_keyboard_and_read_aloud(service, browser):
    _, ticket_id = ask(service)
    for place in ("/desk", f"/desk/tickets/{ticket_id}", "/monitoring"):
        text = browser.get(place).text
        assert text.index('href="#main"') < text.index("<header") < text.index('<main id="main"')
        assert text.count("<h1>") == 1
        assert "<script>" not in text
        assert " style=" not in text
