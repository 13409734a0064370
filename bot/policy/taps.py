"""Buttons and command words. A token is `verb` or `verb:argument[:argument]`.

An unknown, stale or forged one is harmless.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.actions import (
    Action,
    Choice,
    ChooseGroup,
    ChooseLanguage,
    CountOutcome,
    Erase,
    RateTicket,
    Remember,
    Reply,
    Say,
    SendOwnData,
    Show,
    Stop,
)
from bot.contacts import Group, Question
from bot.locales import LANGUAGES
from bot.messages import Option
from bot.policy import after_answer, answering, social_map, survey
from bot.policy.answering import MENU, menu_reply
from bot.policy.situation import Situation

PAGE = 8  # topics a page of the menu: with "more" and "menu" still ten lines on WhatsApp

Handler = Callable[[Situation, list[str]], list[Action]]


def on_tap(situation: Situation, token: str) -> list[Action]:
    """The actions of a token. One that this version doesn't know, or with arguments that don't fit, shows the menu."""
    verb, *arguments = token.split(":")
    handler = HANDLERS.get(verb)
    if handler is None:
        return _gone(situation)
    try:
        return handler(situation, arguments)
    except (IndexError, ValueError, KeyError):
        return _gone(situation)


def _gone(situation: Situation) -> list[Action]:
    return [situation.remember(), menu_reply((Say("tap.gone"),), situation)]


def _menu(situation: Situation, arguments: list[str]) -> list[Action]:
    if not arguments:
        return [situation.remember(), menu_reply((Say("menu.ask"),), situation)]
    group, page = arguments[0], int(arguments[1]) if len(arguments) > 1 else 0
    topics = situation.content.of_group(group)[page * PAGE :]
    if not topics or page < 0:
        return _gone(situation)
    choices = [Choice(f"topic:{topic}", topic=topic) for topic in topics[:PAGE]]
    if len(topics) > PAGE:
        choices.append(Choice(f"menu:{group}:{page + 1}", "button.next_page"))
    return [situation.remember(), Reply((Say(f"group.{group}"), Say("menu.pick")), (*choices, MENU))]


def _topic(situation: Situation, arguments: list[str]) -> list[Action]:
    topic = arguments[0]
    if topic not in situation.content.topics:
        return _gone(situation)
    return [*answering.show(situation, [topic]), CountOutcome("topic", topic, situation.language)]


def _more(situation: Situation, arguments: list[str]) -> list[Action]:
    topic = arguments[0]
    if not situation.content.answer(topic, situation.language).more:
        return _gone(situation)
    if situation.content.is_withheld(topic, situation.today):
        return answering.show(situation, [topic])
    related = tuple(Choice(f"topic:{key}", topic=key) for key in situation.content.topics[topic].related)
    feedback = (Choice(f"helped:yes:{topic}", "button.helped"), Choice(f"helped:no:{topic}", "button.not_helped"), MENU)
    return [situation.remember(last_topic=topic), Reply((Show(topic, "more"),), related + feedback)]


def _group(situation: Situation, arguments: list[str]) -> list[Action]:
    group, topic = Group(arguments[0]), arguments[1]
    chosen = ChooseGroup(group)
    if topic not in situation.content.topics:
        return [chosen, *_gone(situation)]
    return [chosen, *_for_group(situation, group, topic)]


def _other(situation: Situation, arguments: list[str]) -> list[Action]:
    return _for_group(situation, Group(arguments[0]), arguments[1])


def _for_group(situation: Situation, group: Group, topic: str) -> list[Action]:
    answer = situation.content.answer(topic, situation.language)
    if situation.content.is_withheld(topic, situation.today):
        return answering.show(situation, [topic])
    part = Show(topic, group.value) if answer.part(group.value) else Say("answer.same")
    more = (Choice(f"more:{topic}", "button.more"),) if answer.more else ()
    return [situation.remember(last_topic=topic), Reply((part,), (*more, MENU))]


def _way(situation: Situation, topic: str) -> str:
    """How somebody came to the topic that they rate: at once, after a question back, or from the menu."""
    question = situation.thread.question
    if question is None or topic not in {key for key, _ in question.candidates}:
        return ".menu"
    return ".back" if question.reason == "no_answer" else ""


def _helped(situation: Situation, arguments: list[str]) -> list[Action]:
    helped, topic = arguments[0] == "yes", arguments[1]
    counted = CountOutcome(f"helped.{'yes' if helped else 'no'}{_way(situation, topic)}", topic, situation.language)
    if helped:
        return [situation.remember(question=None), Reply((Say("feedback.thanks"),), (MENU,)), counted]
    question = situation.thread.question
    if question is not None and topic not in {key for key, _ in question.candidates}:
        question = None  # it was about something else
    if question is None and topic in situation.content.topics:
        title = situation.content.answer(topic, situation.language).question
        question = Question(title, situation.language, ((topic, 1.0),), "not_helped")
    if question is None:
        return _gone(situation)
    nonce = situation.thread.nonce + 1
    others = [key for key, _ in question.candidates if key != topic][:2]
    choices = (
        *(Choice(f"topic:{key}", topic=key) for key in others if key in situation.content.topics),
        Choice(f"pass:yes:{nonce}", "button.pass_yes"),
        MENU,
    )
    return [situation.remember(question=question, nonce=nonce), Reply((Say("feedback.sorry"),), choices), counted]


def _none(situation: Situation, _: list[str]) -> list[Action]:
    question = situation.thread.question
    return answering.offer_person(situation, question) if question else _human(situation, [])


def _pass(situation: Situation, arguments: list[str]) -> list[Action]:
    question = situation.thread.question
    if int(arguments[1]) != situation.thread.nonce or question is None:
        return _gone(situation)
    if arguments[0] != "yes":
        return [situation.remember(question=None), menu_reply((Say("escalate.declined"),), situation)]
    return answering.pass_on(situation, question)


def _human(situation: Situation, _: list[str]) -> list[Action]:
    return [situation.remember(writing=True), Reply((Say("human.write"),), (MENU,))]


def _language(situation: Situation, _: list[str]) -> list[Action]:
    choices = tuple(Choice(f"lang:{code}", f"language.name.{code}") for code in LANGUAGES)
    return [situation.remember(), Reply((Say("language.ask"),), choices)]


def _choose_language(situation: Situation, arguments: list[str]) -> list[Action]:
    language = arguments[0]
    if language not in LANGUAGES:
        return _gone(situation)
    say = menu_reply((Say("language.changed"), Say("menu.ask")), situation, language)
    return [ChooseLanguage(language), situation.remember(), say]


def _stay(situation: Situation, arguments: list[str]) -> list[Action]:
    declined = tuple(dict.fromkeys((*situation.thread.languages_declined, arguments[0])))
    return [situation.remember(languages_declined=declined), Reply((Say("language.stays"),), (MENU,))]


def _stop(situation: Situation, _: list[str]) -> list[Action]:
    return [
        situation.remember(pulse=None),
        Stop(),
        Reply((Say("stop.done"),), (), situation.language),
        CountOutcome("stop", language=situation.language),
    ]


def _data(situation: Situation, arguments: list[str]) -> list[Action]:
    if arguments == ["file"]:
        return [situation.remember(), SendOwnData(), CountOutcome("data", language=situation.language)]
    choices = (Choice("data:file", "button.data_file"), Choice("erase", "button.erase"), MENU)
    return [situation.remember(), Reply((Say("data.kept", dict(situation.kept_facts)),), choices)]


def _erase(situation: Situation, arguments: list[str]) -> list[Action]:
    if arguments == ["yes"]:
        return [Erase(), Reply((Say("erase.done"),)), CountOutcome("erase")]
    choices = (Choice("erase:yes", "button.erase_yes"), Choice("menu", "button.erase_no"))
    return [situation.remember(), Reply((Say("erase.ask"),), choices)]


def _rated(situation: Situation, arguments: list[str]) -> list[Action]:
    helped, ticket_id = arguments[0] == "yes", int(arguments[1])
    ticket = next((ticket for ticket in situation.tickets if ticket.id == ticket_id), None)
    if ticket is None or (ticket.waits and (ticket.asked or ticket.urgent)):
        return _gone(situation)
    if helped:
        return [situation.remember(), RateTicket(ticket_id, helped), Reply((Say("feedback.thanks"),), (MENU,))]
    if ticket.answered:
        return after_answer.reopen(situation, ticket)
    return [situation.remember(), Reply((Say("ticket.reopened", {"moment": ticket.promise_at}),), (MENU,))]


def _unhelpful(situation: Situation, _: list[str]) -> list[Action]:
    """Words for "it does not help": about what was said last, where that is known; else a person is offered."""
    offered = [option.token for option in situation.thread.offered]
    said = next((token for token in offered if token.startswith(("rated:no:", "helped:no:"))), "")
    if said:
        return on_tap(situation, said)
    ticket = after_answer.recent(situation)
    return after_answer.reopen(situation, ticket) if ticket is not None else _human(situation, [])


def _ok(situation: Situation, _: list[str]) -> list[Action]:
    """An OK to a nudge or a template: the window is open again. What waited is on its way already."""
    waits = [ticket for ticket in situation.tickets if ticket.waits and not ticket.urgent and not ticket.asked]
    answered = [ticket.id for ticket in situation.tickets if ticket.answered]
    if after_answer.waits_unseen(situation):  # the question of the desk says it all
        return [Remember(replace(situation.thread, writing=False, offered=()))]
    if answered and not waits:  # nothing to say beside the answer, whose numbers count from now on
        return [Remember(replace(situation.thread, writing=False, offered=_rating(situation, answered[-1])))]
    if not waits:
        return [situation.remember(), menu_reply((Say("smalltalk.other"),), situation)]
    moment = min(ticket.promise_at for ticket in waits)
    return [situation.remember(), Reply((Say("window.ok", {"moment": moment}),), (MENU,))]


def _rating(situation: Situation, ticket_id: int) -> tuple[Option, ...]:
    replies = situation.content.replies[situation.language]
    words = (("yes", replies["button.rate_yes"]), ("no", replies["button.rate_no"]))
    return tuple(Option(f"rated:{verdict}:{ticket_id}", str(label)) for verdict, label in words)


HANDLERS: dict[str, Handler] = {
    "ok": _ok,
    "menu": _menu,
    "topic": _topic,
    "more": _more,
    "group": _group,
    "other": _other,
    "helped": _helped,
    "none": _none,
    "pass": _pass,
    "human": _human,
    "language": _language,
    "lang": _choose_language,
    "switch": _choose_language,
    "stay": _stay,
    "stop": _stop,
    "data": _data,
    "erase": _erase,
    "rated": _rated,
    "unhelpful": _unhelpful,
    "withdraw": after_answer.on_withdraw,
    "map": social_map.on_map,
    "survey": survey.on_tap,
}
