"""What to do with a message: a list of actions. Pure; the order of the rules is here and nowhere else.

A cry for help comes before everything, then "stop", then language and consent, then buttons and command words, then
free text.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.actions import Action, CountOutcome, MarkBlocked, Reply, Resume, Say
from bot.contacts import Consent
from bot.messages import InboundMessage, Kind
from bot.policy import after_answer, answering, first_contact, linking, survey, timers
from bot.policy.answering import MENU
from bot.policy.resolve import resolve
from bot.policy.situation import OpenTicketFacts, Situation
from bot.policy.taps import HANDLERS, on_tap
from bot.understanding import Outcome

__all__ = [
    "HANDLERS",
    "OpenTicketFacts",
    "Situation",
    "asks_what_is_kept",
    "decide",
    "has_words",
    "needs_understanding",
]

_MEDIA = {
    Kind.VOICE: "voice",
    Kind.IMAGE: "image",
    Kind.VIDEO: "image",
    Kind.DOCUMENT: "document",
    Kind.STICKER: "sticker",
    Kind.LOCATION: "location",
    Kind.CARD: "card",
    Kind.OTHER: "other",
}

MANY = 30  # messages of one person in a minute: more is no conversation


def decide(situation: Situation) -> list[Action]:
    """The actions that answer this message, in the order in which they are to be carried out."""
    actions = _decide(situation)
    if not situation.message.extra.get("masked") or situation.is_crisis:
        return actions
    return [_with_warning(action) if isinstance(action, Reply) else action for action in actions]


def _with_warning(reply: Reply) -> Reply:
    """A number that identifies somebody was taken out of the message: say so, and ask not to send such numbers."""
    return replace(reply, parts=(Say("privacy.masked"), *reply.parts))


def _decide(situation: Situation) -> list[Action]:  # noqa: PLR0911  # one line a rule, in their order
    message, contact = situation.message, situation.contact
    if message.kind in (Kind.BLOCKED, Kind.UNBLOCKED):
        return [MarkBlocked(message.kind is Kind.BLOCKED)]
    if message.kind is Kind.TIMER:
        return timers.on_timer(situation)
    again: list[Action] = [Resume()] if contact.stopped else []
    if situation.is_crisis:
        return again + survey.break_off(situation) + answering.crisis(situation)
    token = resolve(message, contact.thread.offered, situation.content.commands)
    if token.partition(":")[0] in ("stop", "erase", "data"):  # rights of everybody, also without consent
        return on_tap(situation, token)
    not_now = _not_now(situation)
    if not_now is not None:
        return again + not_now
    if not contact.known:
        return again + first_contact.welcome(situation, token)
    if situation.link is not None:
        return again + linking.on_code(situation, situation.link)
    taken = survey.take(situation, token)
    if taken is not None:
        return again + taken
    return again + survey.keep_going(situation, _ordinary(situation, token))


def _ordinary(situation: Situation, token: str) -> list[Action]:
    """What isn't for a survey: photographs, buttons, command words, questions."""
    message = situation.message
    if message.kind in _MEDIA:
        return _media(situation, _MEDIA[message.kind])
    if token:
        return on_tap(situation, token)
    if message.kind is Kind.START:
        return on_tap(situation, "menu")
    if after_answer.waits_unseen(situation) and _is_smalltalk(situation):  # an "OK" or a greeting: the question comes
        return on_tap(situation, "ok")
    return answering.free_text(situation)


def _is_smalltalk(situation: Situation) -> bool:
    return situation.understanding is not None and situation.understanding.outcome is Outcome.SMALLTALK


def _not_now(situation: Situation) -> list[Action] | None:
    """What is said to somebody who gets no answer now; None for everybody else."""
    if situation.thread.in_minute > MANY:
        return _flood(situation)
    return _closed(situation, situation.closed_until) if situation.closed_until is not None else None


def _flood(situation: Situation) -> list[Action]:
    """Said once a minute; the rest of a flood is counted and gets no answer, so that others don't wait for it."""
    counted = CountOutcome("flood", language=situation.language)
    if situation.thread.in_minute > MANY + 1:
        return [counted]
    return [situation.remember(), Reply((Say("flood.slow"),), (MENU,), situation.language), counted]


def _closed(situation: Situation, until: datetime) -> list[Action]:
    say = Reply((Say("service.closed", {"moment": until}),), (), situation.language)
    return [situation.remember(), say, CountOutcome("closed", language=situation.language)]


def _media(situation: Situation, kind: str) -> list[Action]:
    """A photograph with words under it is answered by its words."""
    if situation.understanding is not None and situation.message.text.strip():
        return answering.free_text(situation)
    return [
        situation.remember(),
        Reply((Say(f"media.{kind}"),), answering.MENU_AND_PERSON),
        CountOutcome(f"media.{kind}", language=situation.language),
    ]


def has_words(message: InboundMessage) -> bool:
    """Whether there is anything to understand, whoever wrote it."""
    silent = (Kind.TAP, Kind.START, Kind.TIMER, Kind.BLOCKED, Kind.UNBLOCKED)
    return message.kind not in silent and bool(message.text.strip())


def needs_understanding(situation: Situation) -> bool:
    """Whether the words of a message must be understood, or a button or command says it all."""
    message, contact = situation.message, situation.contact
    if not has_words(message):
        return False
    if contact.consent is Consent.REFUSED and not contact.language:
        return True
    if survey.says_it_all(situation):
        return False
    return not resolve(message, contact.thread.offered, situation.content.commands)


def asks_what_is_kept(situation: Situation) -> bool:
    """Whether this message asks what is kept of the person: counting it takes time that others need not wait."""
    offered, commands = situation.contact.thread.offered, situation.content.commands
    return resolve(situation.message, offered, commands).startswith("data")
