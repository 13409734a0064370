"""A life through every path that keeps something of a person, with a word of its own in each thing that is said.

Each word is one of a kind, so that a find in the bytes of a database, or in a log, is a leak. For erasure and logs.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta

import httpx
import sqlalchemy as sa

from bot import link_codes, pushes, survey_events
from bot.alarm import Duty
from bot.desk import proposals
from bot.errors import Failure, SendError
from bot.messages import InboundMessage, Kind
from bot.storage.models import InboxRow, LaneState, TicketRow
from bot.translation import LibreTranslator
from tests.caseload.people import make_actor, make_party
from tests.caseload.test_linking import letter
from tests.desk.asking import ask
from tests.desk.test_gaps import form as proposal_form
from tests.surveys.helping import contact_of, live_wave, release
from tests.talk import Talk
from tests.webhooks.browser import log_in, make_browser, send

# What is said or written, and the word in it. Those that wait at the end for somebody or something are all there then.
WORDS = {
    "question": "kwetterzwaluw",
    "question of a day later": "glimwormpje",
    "answer": "ratelpopulier",
    "translation of the answer": "vlinderstruik",
    "crisis": "duindoornbes",
    "question that waits": "zandhagedis",
    "draft": "pimpelmees",
    "question back": "waterlelie",
    "reply to it": "korenbloem",
    "note of a colleague": "schubvaren",
    "reason of closing": "boomklever",
    "prepared answer": "spechtinktzwam",
    "its translation": "zonnehoed",
    "held answer": "dagpauwoog",
    "answer that may have arrived": "moerasvaren",
    "message that was given up": "libelle",
    "open answer of a survey": "wilgenroosje",
    "second chat": "hazelworm",
}
KEY = "P-kraanvogel"  # the person in the municipality's system
OTHERS = {"telegram": "whatsapp", "whatsapp": "telegram"}


@dataclass
class Life:
    """The two chats of the person, and everything else the person could be known by."""

    talk: Talk
    second: Talk
    secrets: list[str]
    page: httpx.Response  # everything that is kept, as the person sees it


def live(service, channel) -> Life:
    """Everything that somebody can do here, and everything that people who work here do with it."""
    service.conversation.duty = Duty("duty@example.org", "", 3, "https://bot.example.org", "nl")
    service.translator = LibreTranslator("http://translator.internal/", "key-1", httpx.MockTransport(_translates))
    browser = make_browser(service)
    log_in(browser)
    actor_id = make_actor(service)
    party = make_party(service, actor_id, KEY, phase="trajectory", birth_year=1988)
    talk, ticket_id = ask(service, f"Wie helpt mij met {WORDS['question']}?", channel=channel)
    codes = [letter(service, party)]
    talk.says(link_codes.written(link_codes.new_code()))  # a wrong one
    talk.says(codes[0])
    second, codes = _second_chat(service, channel, party, codes)
    _desk(service, browser, talk, ticket_id, actor_id)
    _survey(service, talk)
    service.clock.forward(timedelta(days=2))
    talk.says(f"En {WORDS['question of a day later']}?")
    _what_goes_wrong(service, talk)
    page = _own_data(browser, talk)
    _what_waits(service, browser, talk)
    cookies = [str(value) for value in browser.cookies.values()]
    return Life(talk, second, [*codes, *cookies, page.url.path.rpartition("/")[2], KEY], page)


def _translates(request):
    return httpx.Response(200, json={"translatedText": "[vertaald]"})


def _second_chat(service, channel, party, codes):
    """The other channel of the same person: it becomes one with the first by a code."""
    second = Talk(service, OTHERS[channel], who="amina elders").agrees("nl")
    second.says(f"Hier ben ik ook, {WORDS['second chat']}")
    codes = [*codes, letter(service, party)]
    second.says(f"{codes[-1]} {WORDS['second chat']}")
    return second, codes


def _passed_on(service, talk, text):
    """A question that waits at the desk; its number."""
    service.conversation.understander.means(text, "escalate")
    talk.says(text)
    talk.taps(next(token for token in talk.tokens if token.startswith("pass:yes")))
    return service.store.read(lambda c: c.execute(sa.select(sa.func.max(TicketRow.id))).scalar_one())


def _desk(service, browser, talk, ticket_id, actor_id):
    """A question handed over with a note, asked about, answered in a translation, and found unhelpful."""
    place = f"/desk/tickets/{ticket_id}"
    browser.get("/desk")
    browser.get(place)
    _sent(browser, f"{place}/hand-over", to=str(actor_id), note=f"Let op {WORDS['note of a colleague']}")
    _sent(browser, f"{place}/ask", question=f"Bedoel je {WORDS['question back']}?")
    talk.waits()
    talk.says(f"Ja, {WORDS['reply to it']}")
    browser.get(place)
    words = {"text": f"Bring your {WORDS['answer']}", "language": "nl", "written": "en"}
    translated = f"Neem je {WORDS['translation of the answer']} mee"
    _sent(browser, f"{place}/answer", send="text", translation_nl=translated, **words)
    talk.waits()
    talk.taps(f"rated:no:{ticket_id}")
    _sent(browser, f"{place}/close", why="other", reason=f"Gebeld over {WORDS['reason of closing']}")
    talk.waits()
    filled = proposal_form(nl_examples=f"Wie wil dat ook?\nWie helpt mij met {WORDS['question']}?")
    now = service.clock.now()
    service.store.write(lambda c: proposals.save(c, filled, [ticket_id], "Eva", now))


def _sent(browser, place, **fields):
    answer = send(browser, place, **fields)
    assert answer.status_code == 303, re.findall("<p.*</p>", answer.text)


def _survey(service, talk):
    contact_id, surveyor = contact_of(talk), service.conversation.surveyor
    service.store.write(lambda c: pushes.bad_news(c, contact_id, service.clock.now() - timedelta(days=20)))
    service.store.write(lambda c: survey_events.watch(c, surveyor, service.clock.now()))
    live_wave(service, "lessons_begun", [contact_id])
    service.clock.forward(timedelta(hours=1))
    release(service)
    talk.waits()
    talk.taps("survey:yes:1")
    for said in ("4", "10", f"De {WORDS['open answer of a survey']} praat te snel"):
        talk.says(said)


def _what_goes_wrong(service, talk):
    """A message that no try could handle, and an answer of which nobody knows whether it arrived."""
    lost = f"Dit breekt op {WORDS['message that was given up']}"
    message = InboundMessage("dead:1", talk.address, Kind.TEXT, lost)
    asyncio.run(service.inbox.accept(message))
    given_up = sa.update(InboxRow).where(InboxRow.key == "dead:1").values(state=LaneState.DEAD, error="ValueError")
    service.store.write(lambda c: c.execute(given_up) and None)


def _own_data(browser, talk):
    (message,) = talk.taps("data:file")
    return browser.get(re.search(r"/my-data/[\w-]+", message.text)[0])


def _what_waits(service, browser, talk):
    """At the moment of the wish: a draft, a prepared answer, a send that nobody knows of, a crisis, an answer held."""
    unknown = _passed_on(service, talk, "Kan dat morgen?")
    _sent(browser, f"/desk/tickets/{unknown}/answer", send="text", text=WORDS["answer that may have arrived"])
    service.channels[talk.channel].fail = _no_answer
    talk.waits()
    service.channels[talk.channel].fail = lambda _: None
    prepared = _passed_on(service, talk, f"Nog een vraag over {WORDS['question that waits']}")
    words = {"text": f"Later {WORDS['prepared answer']}", "language": "nl", "written": "en"}
    translated = f"Straks {WORDS['its translation']}"
    _sent(browser, f"/desk/tickets/{prepared}/answer", send="prepare_text", translation_nl=translated, **words)
    _sent(browser, f"/desk/tickets/{prepared}/draft", text=f"Misschien {WORDS['draft']}")
    danger = f"ik wil niet meer {WORDS['crisis']}"
    service.conversation.understander.means(danger, "crisis", "health.crisis")
    talk.says(danger)
    talk.taps("human")
    talk.brings(InboundMessage("blocked:1", talk.address, Kind.BLOCKED))
    urgent = service.store.read(lambda c: c.execute(sa.select(TicketRow.id).where(TicketRow.urgent)).scalar_one())
    _sent(browser, f"/desk/tickets/{urgent}/answer", send="text", text=f"Dan {WORDS['held answer']}")
    talk.waits()


def _no_answer(_):
    raise SendError(Failure.UNKNOWN, "no answer in time")
