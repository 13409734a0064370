"""Asking leave for a survey: when a timer says so, by a template, once more as a reminder. Pure."""

from __future__ import annotations

from dataclasses import replace

from bot.actions import (
    Action,
    ByTemplate,
    Choice,
    EndSurvey,
    Invite,
    Part,
    Postpone,
    Reply,
    Say,
    SurveyText,
)
from bot.contacts import Pulse
from bot.messages import Push
from bot.policy.situation import Situation
from bot.policy.survey_facts import Ending, SurveyFacts, count_items, next_item


def on_timer(situation: Situation) -> list[Action]:
    """An invitation or its reminder is due. Whether it may go was asked of `bot/pushes.py` under the contact's lock."""
    facts = situation.survey
    if facts is None or facts.is_dull:
        return []
    if not facts.is_open or facts.goes_at is None:
        return [EndSurvey(facts.invitation, Ending.NOT_REACHED)] if facts.state == "waiting" else []
    if facts.goes_at > situation.now:
        return [Postpone(facts.invitation, facts.goes_at, facts.waits)]
    reminder = facts.state != "waiting"
    if next_item(situation.content.surveys, facts, "", {}) is None:
        return (
            [EndSurvey(facts.invitation, Ending.NOT_REACHED)] if not reminder else []
        )  # no question is for this person
    pulse = situation.thread.pulse
    if pulse is None or pulse.invitation != facts.invitation:
        pulse = Pulse(facts.invitation)
    push = Push.REMINDER if reminder else Push.PULSE
    if facts.template_cost is not None:
        return [
            situation.remember(pulse=replace(pulse, called=True)),
            Invite(facts.invitation, push, facts.template_cost),
            call_by_template(situation, facts, facts.template_cost, push),
        ]
    return [
        situation.remember(pulse=replace(pulse, called=False)),
        Invite(facts.invitation, push),
        ask_leave(situation, facts, reminder=reminder, push=push),
    ]


def call_by_template(situation: Situation, facts: SurveyFacts, cost: int, push: Push) -> Reply:
    """Outside WhatsApp's window only a template goes. It says what it is about; leave is asked when somebody writes."""
    title = situation.content.surveys.texts[situation.language].surveys[facts.survey].title
    template = ByTemplate("survey", (title,), Choice("survey:open", "button.ok"), cost)
    return Reply((Say("survey.template", {"title": title}),), push=push, template=template)


def ask_leave(
    situation: Situation, facts: SurveyFacts, *, reminder: bool = False, push: Push | None = None, test: bool = False
) -> Reply:
    surveys = situation.content.surveys
    title = surveys.texts[situation.language].surveys[facts.survey].title
    count = Say("survey.how_many", {"n": count_items(surveys, facts)})
    tail: tuple[Part, ...] = (SurveyText(facts.survey, "why"), count, Say("survey.rights"))
    inv = facts.invitation
    yes = (Choice(f"survey:yes:{inv}", "button.survey_yes"), Choice(f"survey:later:{inv}", "button.survey_later"))
    no = (Choice(f"survey:no:{inv}", "button.survey_no"), Choice("survey:never", "button.survey_never"))
    if reminder and facts.state == "started":
        go = (Choice(f"survey:go:{inv}", "button.survey_go"), Choice(f"survey:end:{inv}", "button.survey_end"))
        return Reply((Say("survey.remind_started"),), (*go, no[1]), push=push)
    key = "survey.remind" if reminder else "survey.ask"
    parts = (*([Say("survey.test")] if test else []), Say(key, {"title": title}), *tail)
    return Reply(parts, yes + no, push=push)
