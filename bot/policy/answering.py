"""Free text: an answer, a question back, or a person. And what to do when somebody is in danger."""

from __future__ import annotations

from dataclasses import replace

from bot.actions import (
    Action,
    AddToTicket,
    Choice,
    CountOutcome,
    Notice,
    OpenTicket,
    Part,
    Reply,
    Say,
    Show,
)
from bot.contacts import Group, Question
from bot.locales import LANGUAGES
from bot.policy import after_answer
from bot.policy.situation import Situation
from bot.understanding import Outcome, Understanding

MAX_QUESTION = 2000  # characters of a question that are kept
MAX_OPEN_TICKETS = 5  # a person with more open questions is asked to wait
CANDIDATES_OFFERED = 3
TELLING = 4  # Latin letters: fewer say nothing of their language
ABOUT_NO_REPLY = ("klantregisseur.no_reply", "klantregisseur.complaint")  # never to the one whom it is about
RELATED_OFFERED = 2
MENU, WITHDRAW = after_answer.MENU, after_answer.WITHDRAW
PERSON = Choice("human", "button.person")
MENU_AND_PERSON = (MENU, PERSON)


def free_text(situation: Situation) -> list[Action]:
    """Words that are no command: what the understanding says, in the language that they were written in."""
    again = after_answer.in_words(situation)
    if again:
        return again
    if situation.thread.writing:
        return pass_on(situation, question_of(situation, "asked"))
    understanding = situation.understanding
    if understanding is None or not situation.message.text.strip():
        return [situation.remember(), menu_reply((Say("menu.ask"),), situation)]
    outcome = _BY_OUTCOME[understanding.outcome](situation, understanding)
    return [*outcome, CountOutcome(understanding.outcome.value, _best(understanding), understanding.language)]


def _best(understanding: Understanding) -> str:
    return understanding.candidates[0].topic if understanding.candidates else ""


def question_of(situation: Situation, reason: str) -> Question:
    """The question as it goes to a person, with what the service thought of it."""
    understanding = situation.understanding
    candidates = tuple((c.topic, round(c.confidence, 3)) for c in understanding.candidates[:5]) if understanding else ()
    language = understanding.language if understanding else situation.language
    return Question(situation.message.text.strip()[:MAX_QUESTION], language, candidates, reason)


def crisis(situation: Situation) -> list[Action]:
    """Help numbers at once, in the language written in, and an urgent ticket; also before language and consent."""
    written = situation.understanding.language if situation.understanding else ""
    language = written if written in LANGUAGES else situation.language
    parts: tuple[Part, ...] = (Say("crisis.help"),)
    if written and written not in LANGUAGES:
        parts = (Notice(f"crisis_{written}"), *parts)
    question = question_of(situation, "crisis")
    urgent = next((ticket.id for ticket in situation.tickets if ticket.urgent and ticket.waits), None)
    told: Action = AddToTicket(urgent, question.text) if urgent is not None else _open(situation, question)
    choices = (PERSON,) if situation.contact.known else ()
    return [told, Reply(parts, choices, language, urgent=True), CountOutcome("crisis", "health.crisis", written)]


def _answer(situation: Situation, understanding: Understanding) -> list[Action]:
    topics = [understanding.candidates[0].topic, *understanding.also][:2]
    question = question_of(situation, "not_helped")
    return show(situation, topics, question=question)


def show(situation: Situation, topics: list[str], question: Question | None = None) -> list[Action]:
    """The answer to a topic, with its next steps. One that is past its date is withheld, and a person is offered."""
    topic = topics[0]
    if topic not in situation.content.topics:
        return [situation.remember(), menu_reply((Say("tap.gone"),), situation)]
    if situation.content.is_withheld(topic, situation.today):
        return offer_person(situation, question or Question(_title(situation, topic), situation.language), "withheld")
    language, offer_language = answer_language(situation)
    shown = [key for key in topics if not situation.content.is_withheld(key, situation.today)]
    parts = tuple(part for key in shown for part in _parts(situation, key))
    choices = _next_steps(situation, topic, shown[1:])
    thread = situation.remember(
        last_topic=topic,
        question=question or situation.thread.question,
        nonce=situation.thread.nonce + (question is not None),
        group_asked=situation.thread.group_asked or any(choice.token.startswith("group:") for choice in choices),
    )
    if offer_language:
        parts = (*parts, Say("language.offer", {"language": language}))
        choices = (Choice(f"switch:{language}", "button.switch"), Choice(f"stay:{language}", "button.stay"), *choices)
    return [thread, Reply(notice(situation) + parts, choices, language)]


def notice(situation: Situation) -> tuple[Part, ...]:
    """A kind word to somebody who writes in a language that isn't served."""
    written = situation.understanding.language if situation.understanding else ""
    words = situation.message.text.strip()
    if words.isascii() and len(words) < TELLING:  # "OK" is of every language
        return ()
    return (Notice(written),) if written and written not in LANGUAGES and written != "und" else ()


def answer_language(situation: Situation) -> tuple[str, bool]:
    """The language to answer in, and whether to ask if it shall stay so. Asked once, never imposed."""
    written = situation.understanding.language if situation.understanding else situation.language
    if written == situation.language or written not in LANGUAGES:
        return situation.language, False
    return written, written not in situation.thread.languages_declined


def _title(situation: Situation, topic: str) -> str:
    return situation.content.answer(topic, situation.language).question


def _parts(situation: Situation, topic: str) -> tuple[Part, ...]:
    answer = situation.content.answer(topic, situation.language)
    group = situation.contact.group
    parts: tuple[Part, ...] = (Show(topic),)
    return (*parts, Show(topic, group.value)) if group and answer.part(group.value) else parts


def _next_steps(situation: Situation, topic: str, also: list[str]) -> tuple[Choice, ...]:
    answer = situation.content.answer(topic, situation.language)
    choices = [Choice(f"more:{topic}", "button.more")] if answer.more else []
    choices += group_choices(situation, topic)
    related = [key for key in situation.content.topics[topic].related if key not in also][:RELATED_OFFERED]
    choices += [Choice(f"topic:{key}", topic=key) for key in related]
    if topic == "social.map" and situation.content.organisations:
        choices.append(Choice("map", "button.map"))
    choices += [Choice(f"helped:yes:{topic}", "button.helped"), Choice(f"helped:no:{topic}", "button.not_helped"), MENU]
    return tuple(choices)


def group_choices(situation: Situation, topic: str) -> list[Choice]:
    """Who are you: asked once, where an answer differs. When known, the other group is one tap away."""
    answer = situation.content.answer(topic, situation.language)
    there = [group for group in Group if answer.part(group.value)]
    if not there:
        return []
    if situation.contact.group is not None:
        others = [group for group in there if group is not situation.contact.group]
        return [Choice(f"other:{group.value}:{topic}", f"button.other_{group.value}") for group in others]
    return [Choice(f"group:{group.value}:{topic}", f"button.group_{group.value}") for group in Group]


def _clarify(situation: Situation, understanding: Understanding) -> list[Action]:
    topics = [candidate.topic for candidate in understanding.candidates[:CANDIDATES_OFFERED]]
    choices = (*(Choice(f"topic:{topic}", topic=topic) for topic in topics), Choice("none", "button.none_of_these"))
    language, _ = answer_language(situation)
    return [
        situation.remember(question=question_of(situation, "no_answer"), nonce=situation.thread.nonce + 1),
        Reply((*notice(situation), Say("clarify.ask")), choices, language),
    ]


def _escalate(situation: Situation, _: Understanding) -> list[Action]:
    return offer_person(situation, question_of(situation, "no_answer"))


def offer_person(situation: Situation, question: Question, reason: str = "") -> list[Action]:
    """No answer here: shall a person look at it? Nothing goes on without a yes."""
    question = question if not reason else Question(question.text, question.language, question.candidates, reason)
    nonce = situation.thread.nonce + 1
    choices = (Choice(f"pass:yes:{nonce}", "button.pass_yes"), Choice(f"pass:no:{nonce}", "button.pass_no"), MENU)
    language, _ = answer_language(situation)
    say = Say("answer.withheld") if question.reason == "withheld" else Say("escalate.offer")
    return [situation.remember(question=question, nonce=nonce), Reply((*notice(situation), say), choices, language)]


def pass_on(situation: Situation, question: Question) -> list[Action]:
    """Make a ticket of a question and say by when the answer comes."""
    if len([ticket for ticket in situation.tickets if ticket.waits]) >= MAX_OPEN_TICKETS:
        return [situation.remember(), Reply((Say("ticket.enough"),), (MENU,))]
    if question.candidates and question.candidates[0][0] in ABOUT_NO_REPLY:
        question = replace(question, reason="no_reply")
    opened = _open(situation, question)
    facts = {"moment": opened.route.promise_at}
    own = opened.route.actor_id is not None
    say = Say("ticket.opened_own", facts | {"name": opened.route.name}) if own else Say("ticket.opened", facts)
    return [
        situation.remember(question=None, nonce=situation.thread.nonce + 1),
        opened,
        Reply((say,), (WITHDRAW, MENU)),
        CountOutcome("ticket", question.candidates[0][0] if question.candidates else "", question.language),
    ]


def _open(situation: Situation, question: Question) -> OpenTicket:
    return OpenTicket(question, situation.route(question.reason))


def _smalltalk(situation: Situation, understanding: Understanding) -> list[Action]:
    kind = understanding.smalltalk if understanding.smalltalk in ("greeting", "thanks", "bye") else "other"
    language, _ = answer_language(situation)
    say = (*notice(situation), Say(f"smalltalk.{kind}"))
    if kind in ("greeting", "other"):
        return [situation.remember(), menu_reply(say, situation, language)]
    return [situation.remember(), Reply(say, (), language)]


def menu_reply(parts: tuple[Part, ...], situation: Situation, language: str | None = None) -> Reply:
    """Some words, and the menu by group below them."""
    groups = tuple(Choice(f"menu:{group}", f"group.{group}") for group in situation.content.groups)
    return Reply(parts, (*groups, PERSON), language)


def _crisis(situation: Situation, _: Understanding) -> list[Action]:
    return crisis(situation)


_BY_OUTCOME = {
    Outcome.ANSWER: _answer,
    Outcome.CLARIFY: _clarify,
    Outcome.ESCALATE: _escalate,
    Outcome.SMALLTALK: _smalltalk,
    Outcome.CRISIS: _crisis,
}
