"""A machine's translation is seen before it goes, is marked for the newcomer, and its failure loses nothing."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import httpx
import pytest

from bot.errors import TranslationError
from bot.storage.desk_models import DraftRow, PreparedRow
from bot.storage.models import TicketEntryRow
from bot.translation import LibreTranslator
from tests.caseload.people import rows
from tests.desk.asking import ARABIC, ask
from tests.talk import keys
from tests.webhooks.browser import log_in, make_browser, send

TRANSLATIONS = {"U kunt morgen komen.": "يمكنك أن تأتي غدًا.", ARABIC: "Kan ik de afspraak van donderdag veranderen?"}


class Server:
    """A LibreTranslate server as its documentation describes it, in memory."""

    def __init__(self):
        self.asked, self.fails = [], None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(json.loads(request.content))
        if self.fails is not None:
            return self.fails(request)
        return httpx.Response(200, json={"translatedText": TRANSLATIONS.get(self.asked[-1]["q"], "<b>iets</b>")})


def times_out(request):
    raise httpx.ReadTimeout("too slow", request=request)


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def browser(service, server):
    service.translator = LibreTranslator("http://translator.internal/", "key-1", httpx.MockTransport(server))
    made = make_browser(service)
    log_in(made)
    return made


def hidden(text, name):
    place = text.index(f'name="{name}" value="') + len(f'name="{name}" value="')
    return text[place : text.index('"', place)]


def test_the_question_is_shown_translated_and_asked_for_only_once(service, browser, server):
    _, ticket_id = ask(service, ARABIC, language="ar")
    for _ in range(2):
        page = browser.get(f"/desk/tickets/{ticket_id}").text
        assert "Kan ik de afspraak van donderdag veranderen?" in page
        assert ARABIC in page
    assert server.asked == [{"q": ARABIC, "source": "ar", "target": "nl", "format": "text", "api_key": "key-1"}]


def test_a_translation_is_shown_first_and_goes_out_marked_with_the_original_kept(service, browser):
    talk, ticket_id = ask(service, ARABIC, language="ar")
    place = f"/desk/tickets/{ticket_id}/answer"
    preview = send(browser, place, send="preview", text="U kunt morgen komen.", written="nl")
    assert preview.status_code == 200
    assert "Dit krijgt de nieuwkomer" in preview.text
    assert "يمكنك أن تأتي غدًا." in preview.text
    assert talk.waits() == []
    fields = {name: hidden(preview.text, name) for name in ("text", "language", "translation_ar")}
    assert send(browser, place, send="text", **fields).status_code == 303
    (message,) = talk.waits()
    assert keys([message]) == ["ticket.answer", "ticket.answer_group", "quote", "ticket.machine_translation", "quote"]
    assert message.text.endswith("يمكنك أن تأتي غدًا.")
    entry = rows(service, TicketEntryRow)[-1]
    assert (entry.text, entry.translation, entry.language) == ("U kunt morgen komen.", "يمكنك أن تأتي غدًا.", "ar")
    page = browser.get(f"/desk/tickets/{ticket_id}").text
    assert "U kunt morgen komen." in page
    assert "Wat de nieuwkomer kreeg, vertaald door een computer" in page


def test_a_translation_can_be_prepared_and_is_looked_at_when_the_language_changed(service, browser):
    talk, ticket_id = ask(service, ARABIC, language="ar")
    fields = {"text": "U kunt morgen komen.", "language": "ar", "translation_ar": "يمكنك أن تأتي غدًا."}
    assert send(browser, f"/desk/tickets/{ticket_id}/answer", send="prepare_text", **fields).status_code == 303
    talk.taps("lang:en")
    for _ in range(24):
        service.clock.forward(timedelta(hours=1))
        assert "ticket.answer" not in keys(talk.waits())
    assert [row.held for row in rows(service, PreparedRow)] == ["language"]


@pytest.mark.parametrize(
    "fails",
    [
        times_out,
        lambda _: httpx.Response(500),
        lambda _: httpx.Response(200, text="<html>no</html>"),
        lambda _: httpx.Response(200, json={"error": "quota"}),
        lambda _: httpx.Response(200, json={"translatedText": " "}),
        lambda _: httpx.Response(200, json=["translatedText"]),
    ],
)
def test_a_translator_that_fails_is_said_plainly_and_the_words_are_kept(service, browser, server, fails):
    talk, ticket_id = ask(service, ARABIC, language="ar")
    server.fails = fails
    assert browser.get(f"/desk/tickets/{ticket_id}").status_code == 200
    words = {"send": "preview", "text": "U kunt morgen komen.", "written": "nl"}
    response = send(browser, f"/desk/tickets/{ticket_id}/answer", **words)
    assert response.status_code == 502
    assert "De vertaler reageert nu niet. Je woorden zijn bewaard." in response.text
    assert "U kunt morgen komen.</textarea>" in response.text
    assert [row.text for row in rows(service, DraftRow)] == ["U kunt morgen komen."]
    assert talk.waits() == []


def test_nothing_to_translate_is_said(service, browser):
    _, ticket_id = ask(service)
    words = {"send": "preview", "text": "U kunt morgen komen.", "written": "nl"}
    response = send(browser, f"/desk/tickets/{ticket_id}/answer", **words)
    assert (response.status_code, "Er is niets te vertalen" in response.text) == (422, True)


def test_what_a_machine_makes_is_never_markup(service, browser):
    _, ticket_id = ask(service, ARABIC, language="ar")
    words = {"send": "preview", "text": "Nog iets", "written": "nl"}
    text = send(browser, f"/desk/tickets/{ticket_id}/answer", **words).text
    assert "<b>iets" not in text
    assert "&lt;b&gt;iets&lt;/b&gt;" in text


def test_a_question_back_is_translated_too(service, browser):
    talk, ticket_id = ask(service, ARABIC, language="ar")
    place = f"/desk/tickets/{ticket_id}/ask"
    preview = send(browser, place, send="preview", question="U kunt morgen komen.", written="nl")
    fields = {name: hidden(preview.text, name) for name in ("question", "language", "translation_ar")}
    assert send(browser, place, send="text", **fields).status_code == 303
    (message,) = talk.waits()
    assert "ticket.machine_translation" in message.keys
    assert "يمكنك أن تأتي غدًا." in message.text


def test_without_a_translator_the_page_says_what_the_newcomer_gets(service):
    browser = make_browser(service)
    log_in(browser)
    _, ticket_id = ask(service, ARABIC, language="ar")
    text = browser.get(f"/desk/tickets/{ticket_id}").text
    assert "Deze persoon leest Arabisch." in text
    assert "er wordt niets vertaald" in text
    assert 'value="preview"' not in text


def test_the_errors_of_a_translator_hold_no_words():
    translator = LibreTranslator("http://127.0.0.1:9", transport=httpx.MockTransport(times_out))
    with pytest.raises(TranslationError, match=r"^ReadTimeout$"):
        asyncio.run(translator.translate("geheim", "nl", "ar"))
