"""The first minutes: a language, what this service is, and a yes or a plain no.

The first question is kept meanwhile.
"""

from __future__ import annotations

from dataclasses import replace

from bot.actions import (
    Action,
    Ask,
    AskConsent,
    Choice,
    ChooseLanguage,
    CountOutcome,
    Everywhere,
    GiveConsent,
    Part,
    RefuseConsent,
    Remember,
    Reply,
    Say,
)
from bot.contacts import Consent
from bot.locales import LANGUAGES
from bot.policy.answering import MAX_QUESTION, menu_reply
from bot.policy.linking import on_code
from bot.policy.situation import Situation
from bot.understanding import Outcome

LANGUAGE_CHOICES = tuple(Choice(f"lang:{code}", f"language.name.{code}") for code in LANGUAGES)
CONSENT_CHOICES = (Choice("consent:yes", "button.consent_yes"), Choice("consent:no", "button.consent_no"))


def welcome(situation: Situation, token: str) -> list[Action]:
    """Somebody without a language or without consent."""
    if token.startswith("lang:") and token[5:] in LANGUAGES:
        return _ask_consent(token[5:])
    if situation.contact.language is None:
        return _ask_language(situation)
    if token == "consent:yes":
        return _agreed(situation)
    if token == "consent:no":
        return [RefuseConsent(), Reply((Say("consent.refused"),)), CountOutcome("consent.no")]
    if token in ("language", "menu") and situation.contact.consent is not Consent.REFUSED:
        return _ask_language(situation)
    return _ask_again(situation)


def _keep(situation: Situation) -> str:
    """The questions to come back to: everything said so far, photo captions too, but no greeting, button or command."""
    understanding = situation.understanding
    extra = situation.message.extra
    said = "" if extra.get("code") and not extra.get("asks") else situation.message.text.strip()
    if not said or understanding is None or understanding.outcome is Outcome.SMALLTALK:
        return situation.thread.kept
    kept = situation.thread.kept.split("\n") if situation.thread.kept else []
    return "\n".join(dict.fromkeys([*kept, said]))[:MAX_QUESTION]


def _ask_language(situation: Situation) -> list[Action]:
    return [
        Remember(replace(situation.thread, kept=_keep(situation))),
        Reply((Everywhere("start.hello"),), LANGUAGE_CHOICES),
        CountOutcome("start.language"),
    ]


def _ask_consent(language: str) -> list[Action]:
    parts: tuple[Part, ...] = (Say("start.who"), Say("consent.keeps"), Say("consent.ask"))
    return [ChooseLanguage(language), AskConsent(), Reply(parts, CONSENT_CHOICES, language)]


def _agreed(situation: Situation) -> list[Action]:
    kept, bare = situation.thread.kept, replace(situation.thread, kept="")
    if situation.link is not None:
        asks: list[Action] = [Ask(kept)] if kept else []
        known = replace(situation, contact=replace(situation.contact, thread=bare))
        return [GiveConsent(), *on_code(known, situation.link), *asks]
    if kept:
        return [GiveConsent(), Ask(kept), Remember(bare)]
    return [GiveConsent(), menu_reply((Say("consent.thanks"), Say("menu.ask")), situation)]


def _ask_again(situation: Situation) -> list[Action]:
    key = "consent.again" if situation.contact.consent is Consent.REFUSED else "consent.first"
    return [
        Remember(replace(situation.thread, kept=_keep(situation))),
        AskConsent(),
        Reply((Say(key), Say("consent.keeps"), Say("consent.ask")), CONSENT_CHOICES),
    ]
