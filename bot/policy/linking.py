"""A code from a letter: linked with a welcome, or a kind word about what is wrong with it. And what a step brings."""

from __future__ import annotations

from bot.actions import Action, Ask, Choice, CountOutcome, CountTry, LinkParty, Part, Reply, Say, Show
from bot.link_codes import LinkFacts, LinkState
from bot.policy.answering import MENU_AND_PERSON, menu_reply
from bot.policy.situation import Situation

# The steps that are told about: the answer that prepares for each, what is said of our own accord, and at the welcome.
PHASES = {"intake": "intake.prepare", "pip": "pip.what"}
_NEWS = {"intake": "phase.intake", "pip": "phase.pip"}
_SOON = {"intake": "phase.intake_soon", "pip": "phase.pip_soon"}

_REPLIES = {
    LinkState.WRONG: "link.wrong",
    LinkState.EXPIRED: "link.expired",
    LinkState.USED: "link.used",
    LinkState.MINE: "link.mine",
    LinkState.OTHER: "link.other",
    LinkState.ENOUGH: "link.enough",
}


def on_code(situation: Situation, facts: LinkFacts) -> list[Action]:
    """What to do with a code of somebody who agreed. A question beside it is answered next."""
    asks: list[Action] = [Ask(situation.message.text)] if situation.message.extra.get("asks") else []
    return [*_link(situation, facts), *asks]


def _link(situation: Situation, facts: LinkFacts) -> list[Action]:
    counted = CountOutcome(f"link.{facts.state.value}", language=situation.language)
    forget = situation.remember(link="")
    if facts.state is not LinkState.VALID:
        tried: list[Action] = [CountTry()] if facts.counts else []
        return [forget, *tried, Reply((Say(_REPLIES[facts.state]),), MENU_AND_PERSON), counted]
    if facts.joins:
        return [forget, LinkParty(situation.thread.link), Reply((Say("link.joined"),), MENU_AND_PERSON), counted]
    return [forget, LinkParty(situation.thread.link), _welcome(situation, facts), counted]


def _welcome(situation: Situation, facts: LinkFacts) -> Reply:
    """Who the klantregisseur is, when they answer, and what to do meanwhile: once, at the first link."""
    parts: list[Part] = [Say("link.done")]
    parts.append(Say("welcome.own", {"name": facts.name}) if facts.name else Say("welcome.none"))
    if facts.name and facts.week:
        parts.append(Say("welcome.week", {"name": facts.name, "week": facts.week}))
    if not facts.welcomed:
        parts.append(Say("welcome.meanwhile"))
    more = _steps(situation, facts.phase)
    if not more:
        return menu_reply(tuple(parts), situation)
    return Reply((*parts, Say(_SOON[facts.phase])), (*more, *MENU_AND_PERSON))


def _steps(situation: Situation, phase: str) -> tuple[Choice, ...]:
    """The answers about the step that is near, to tap: the welcome is long enough."""
    topic = PHASES.get(phase, "")
    topics = [topic, *situation.content.topics[topic].related] if topic in situation.content.topics else []
    return tuple(Choice(f"topic:{key}", topic=key) for key in topics)


def phase_parts(phase: str) -> tuple[Part, ...]:
    """What is sent of our own accord when a step is near."""
    return (Say(_NEWS[phase]), Show(PHASES[phase]))
