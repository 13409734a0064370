"""A survey in the chat: leave first, one question at a time, back, skip, later, stop; other questions in between. Pure.

Tokens: `survey:<what>:<invitation>[:<item>[:<value>]]`. An old button names its item, so a double tap or a button of
long ago changes nothing: the question of now is shown again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from bot.actions import (
    Action,
    Choice,
    EndSurvey,
    KeepAnswer,
    Part,
    RefuseSurveys,
    Remember,
    Reply,
    Say,
    StartSurvey,
    SurveyText,
    Unlogged,
)
from bot.contacts import Consent, Contact, Pulse
from bot.content import Content
from bot.content.surveys import Item
from bot.locales import fold
from bot.messages import CAPABILITIES, Address, InboundMessage, Kind, Push
from bot.policy.answering import MENU
from bot.policy.situation import Situation
from bot.policy.survey_asking import ask_leave, call_by_template
from bot.policy.survey_facts import Ending, SurveyFacts, count_items, next_item
from bot.policy.survey_reading import Answer, Unread, read, toggle
from bot.understanding import Outcome

MEDIA = {Kind.VOICE, Kind.IMAGE, Kind.VIDEO, Kind.DOCUMENT, Kind.STICKER, Kind.LOCATION, Kind.CARD, Kind.OTHER}
MAX_ANSWER_WORDS = 4  # a longer text that isn't understood is a question for a person, not a try at an answer
_QUESTIONS = (Outcome.ANSWER, Outcome.CLARIFY)


def preview(content: Content, survey: str, language: str, channel: str, now: datetime) -> Iterator[Reply]:
    """Every message of a survey as somebody gets it whom all of it is for, one after the other."""
    situation, facts = _previewed(content, survey, language, channel, now)
    yield ask_leave(situation, facts)
    asked: tuple[str, ...] = ()
    for item in content.surveys.surveys[survey].items:
        asked = (*asked, item)
        yield _question(situation, facts, Pulse(0, item, asked))


def preview_template(content: Content, survey: str, language: str, channel: str, now: datetime) -> Reply:  # as above
    """What goes instead of the first message while the window of a channel is shut."""
    return call_by_template(*_previewed(content, survey, language, channel, now), 0, Push.PULSE)


def _previewed(  # as above
    content: Content, survey: str, language: str, channel: str, now: datetime
) -> tuple[Situation, SurveyFacts]:
    message = InboundMessage("preview", Address(channel, ""), Kind.TEXT)
    situation = Situation(Contact(0, language, consent=Consent.GIVEN), message, content, now, now)
    return situation, SurveyFacts(0, survey, is_open=True, state="asked", for_all=True)


def take(situation: Situation, token: str) -> list[Action] | None:
    """What a message means while a survey waits for an answer; None when it is not for the survey."""
    facts, pulse = situation.survey, situation.thread.pulse
    if facts is None or pulse is None or situation.message.kind is Kind.TAP:
        return None
    is_text, text = situation.message.kind is Kind.TEXT, fold(situation.message.text)
    if is_text and (control := _control_word(situation, text)):
        return _control(situation, control)
    by_label = token.startswith("survey:") and not token.startswith("survey:a:") and not text.isdigit()
    if not pulse.item or not is_in_front(situation) or by_label:
        return None
    if not facts.is_open:
        return _closed(situation, facts)
    if situation.message.kind in MEDIA:
        return [Unlogged(), _question(situation, facts, pulse, Say("survey.voice"))]
    return _read(situation, facts, pulse, token) if is_text else None


def _control_word(situation: Situation, text: str) -> str | None:
    """What is written instead of a button; "no" to a template too, which has a button for yes alone."""
    is_called = any(option.token == "survey:open" for option in situation.thread.offered)
    if is_called and situation.content.commands.get(text) == "no":
        return "no"
    return situation.content.surveys.controls.get(text)


def says_it_all(situation: Situation) -> bool:
    """Whether the words of a message are an answer by themselves and nothing needs to be understood."""
    pulse, surveys = situation.thread.pulse, situation.content.surveys
    if pulse is None or pulse.item not in surveys.items or situation.message.kind is not Kind.TEXT:
        return False
    if fold(situation.message.text) in surveys.controls:
        return True
    is_open = surveys.items[pulse.item].kind == "open"
    return (
        not is_open and is_in_front(situation) and isinstance(read(surveys, pulse.item, situation.message.text), Answer)
    )


def is_in_front(situation: Situation) -> bool:
    """Whether the last message was a question of the survey, so that a plain "3" is its answer."""
    return any(option.token.startswith("survey:skip:") for option in situation.thread.offered)


def _read(situation: Situation, facts: SurveyFacts, pulse: Pulse, token: str) -> list[Action] | None:
    surveys = situation.content.surveys
    item = surveys.items[pulse.item]
    understanding = situation.understanding
    outcome = understanding.outcome if understanding is not None else None
    if item.kind == "open":
        asks = outcome in _QUESTIONS and situation.message.text.rstrip().endswith(("?", "؟"))
        if asks or (token and not token.startswith("survey:")):
            return None
    found = read(surveys, pulse.item, situation.message.text)
    if isinstance(found, Answer):
        return _answered(situation, facts, pulse, found.value)
    if found is Unread.OUT_OF_RANGE:
        return [Unlogged(), _question(situation, facts, pulse, _range(item))]
    words = len(situation.message.text.split())
    if token or outcome in _QUESTIONS or words > MAX_ANSWER_WORDS or outcome is Outcome.SMALLTALK:
        return None
    return [Unlogged(), _question(situation, facts, pulse, Say("survey.unclear"))]


def _range(item: Item) -> Say:
    if item.kind == "number":
        return Say("survey.out_of_range", {"low": item.low, "high": item.high})
    low, high = (1, len(item.values)) if item.options else (int(item.values[0]), int(item.values[-1]))
    return Say("survey.out_of_range", {"low": low, "high": high})


def on_tap(situation: Situation, arguments: list[str]) -> list[Action]:
    """A button of a survey. Raises IndexError or ValueError for a token that was never made: the caller says so."""
    what, facts = arguments[0], situation.survey
    if what == "never":
        return _never(situation)
    if facts is None or not facts.is_open or facts.state in set(Ending):
        return _closed(situation, facts)
    if what == "test":  # `test:<code>`, found by its code
        return [situation.remember(pulse=Pulse(facts.invitation)), ask_leave(situation, facts, test=True)]
    pulse = situation.thread.pulse
    if pulse is None or pulse.invitation != facts.invitation:
        pulse = Pulse(facts.invitation)  # the thread was wiped meanwhile: begin at the first that has no answer
    if what == "open":  # the button of a template; it has no number, and the invitation is the one that was remembered
        return _leave(situation, facts, pulse)
    if facts.invitation != int(arguments[1]):
        return _closed(situation, facts)
    return _on_button(situation, facts, replace(pulse, paused=False), arguments)


def _leave(situation: Situation, facts: SurveyFacts, pulse: Pulse) -> list[Action]:
    pulse = replace(pulse, paused=False, called=False)
    return [situation.remember(pulse=pulse), ask_leave(situation, facts)]


def _on_button(situation: Situation, facts: SurveyFacts, pulse: Pulse, arguments: list[str]) -> list[Action]:
    what, rest = arguments[0], arguments[2:]
    if what == "later":
        return [situation.remember(pulse=replace(pulse, paused=True)), _later(facts)]
    if what in ("no", "end"):
        return _end_early(situation, facts)
    if pulse.called:  # "go on", and nobody said yet what it is about and why: leave first
        return _leave(situation, facts, pulse)
    if what in ("yes", "go") or not pulse.item:
        return _go(situation, facts, pulse)
    if rest[0] != pulse.item:  # a double tap, or a button further up
        return [Unlogged(), _question(situation, facts, pulse)]
    return _on_item(situation, facts, pulse, [what, *rest[1:]])


def _on_item(situation: Situation, facts: SurveyFacts, pulse: Pulse, token: list[str]) -> list[Action]:
    what, value = token[0], token[-1]
    item = situation.content.surveys.items[pulse.item]
    if what == "back":
        return _back(situation, facts, pulse)
    if what == "skip":
        return _answered(situation, facts, pulse, None)
    chosen = facts.answers.get(pulse.item) or ""
    if what == "enough":
        if not chosen:
            return [Unlogged(), _question(situation, facts, pulse, Say("survey.chosen_none"))]
        return _answered(situation, facts, pulse, chosen)
    if what != "a" or value not in item.values:
        raise ValueError("no such button")
    if item.kind != "multiple":
        return _answered(situation, facts, pulse, value)
    chosen = toggle(item, chosen, value)
    changed = replace(facts, answers={**facts.answers, pulse.item: chosen or None})
    keep: Action = KeepAnswer(facts.invitation, pulse.item, chosen or None)
    return [Unlogged(), keep, _question(situation, changed, pulse)]


def _control(situation: Situation, control: str) -> list[Action] | None:
    """A word instead of a button: only where that button is there."""
    facts, pulse = situation.survey, situation.thread.pulse
    if facts is None or pulse is None or not facts.is_open:
        return None
    if control in ("go", "later", "no"):
        return on_tap(situation, [control, str(facts.invitation)])
    if not pulse.item or not is_in_front(situation):
        return None
    return on_tap(situation, [control, str(facts.invitation), pulse.item])


def _go(situation: Situation, facts: SurveyFacts, pulse: Pulse) -> list[Action]:
    """Begin, or show the question of now again."""
    started: list[Action] = [] if facts.state == "started" else [StartSurvey(facts.invitation)]
    if not pulse.item:
        first = next((key for key in _order(situation, facts) if key not in facts.answers), None)
        if first is None:
            return [*started, *_finish(situation, facts)]
        pulse = replace(pulse, item=first, asked=(*_order(situation, facts, upto=first), first))
    return [
        *started,
        Unlogged(),
        situation.remember(pulse=pulse),
        _question(situation, facts, pulse),
    ]


def _order(situation: Situation, facts: SurveyFacts, upto: str = "") -> list[str]:
    """The items of this person in their order, by what was answered so far; those before one of them."""
    surveys, found, key = situation.content.surveys, [], next_item(situation.content.surveys, facts, "", facts.answers)
    while key is not None and key != upto:
        found.append(key)
        key = next_item(surveys, facts, key, facts.answers)
    return found


def _answered(situation: Situation, facts: SurveyFacts, pulse: Pulse, value: str | None) -> list[Action]:
    kept: list[Action] = [Unlogged(), KeepAnswer(facts.invitation, pulse.item, value)]
    answers = {**facts.answers, pulse.item: value}
    following = next_item(situation.content.surveys, facts, pulse.item, answers)
    facts = replace(facts, answers=answers)
    if following is None:
        return [*kept, *_finish(situation, facts)]
    pulse = replace(pulse, item=following, asked=(*pulse.asked, following))
    return [*kept, situation.remember(pulse=pulse), _question(situation, facts, pulse)]


def _back(situation: Situation, facts: SurveyFacts, pulse: Pulse) -> list[Action]:
    if len(pulse.asked) < 2:
        return [Unlogged(), _question(situation, facts, pulse, Say("survey.first"))]
    asked = pulse.asked[:-1]
    pulse = replace(pulse, item=asked[-1], asked=asked)
    return [Unlogged(), situation.remember(pulse=pulse), _question(situation, facts, pulse)]


def _question(situation: Situation, facts: SurveyFacts, pulse: Pulse, before: Part | None = None) -> Reply:
    """The question of now: its place, its words, its values, and what else may be done."""
    surveys, key = situation.content.surveys, pulse.item
    item, inv = surveys.items[key], facts.invitation
    buttons = CAPABILITIES[situation.message.address.channel].buttons
    total = max(count_items(surveys, facts), len(pulse.asked))
    place = Say("survey.number", {"n": len(pulse.asked), "total": total})
    parts: tuple[Part, ...] = (*([before] if before else []), place, SurveyText(key, "question"))
    shown = (
        item.values if buttons or item.kind != "scale11" else ()
    )  # eleven numbered lines: the figure itself is shorter
    size = "small" if item.kind == "scale11" else "wide"
    choices = tuple(Choice(f"survey:a:{inv}:{key}:{value}", item=key, value=value, size=size) for value in shown)
    controls = [Choice(f"survey:skip:{inv}:{key}", "button.survey_skip")]
    if len(pulse.asked) > 1:
        controls.append(Choice(f"survey:back:{inv}:{key}", "button.survey_back"))
    controls.append(Choice(f"survey:later:{inv}", "button.survey_pause"))
    if item.kind == "multiple":
        parts = (*parts, _chosen(situation, facts, key, buttons=buttons))
        if buttons:
            controls.insert(0, Choice(f"survey:enough:{inv}:{key}", "button.survey_enough"))
    return Reply(parts, choices, controls=tuple(controls))


def _chosen(situation: Situation, facts: SurveyFacts, key: str, *, buttons: bool) -> Say:
    chosen = [value for value in (facts.answers.get(key) or "").split(";") if value]
    if not buttons:
        return Say("survey.choose_more_numbers")
    if not chosen:
        return Say("survey.choose_more")
    surveys, language = situation.content.surveys, situation.language
    return Say("survey.chosen", {"labels": [surveys.label(key, value, language) for value in chosen]})


def _finish(situation: Situation, facts: SurveyFacts) -> list[Action]:
    """Thanks, and something in return: how others answered, when enough did."""
    others, surveys = facts.others, situation.content.surveys
    back = Say("survey.others_later")
    if others is not None:
        values = surveys.items[others.item].values
        back = Say(
            "survey.others",
            {
                "question": surveys.question(others.item, situation.language).rstrip(".؟?"),
                "mean": others.mean,
                "low": int(values[0]),
                "high": int(values[-1]),
                "n": others.n,
            },
        )
    return [
        EndSurvey(facts.invitation, Ending.DONE),
        situation.remember(pulse=None),
        Reply((Say("survey.thanks"), back), (MENU,)),
    ]


def _later(facts: SurveyFacts) -> Reply:
    return Reply((Say("survey.later"),), (Choice(f"survey:go:{facts.invitation}", "button.survey_go"), MENU))


def _end_early(situation: Situation, facts: SurveyFacts) -> list[Action]:
    begun = facts.state == "started"
    return [
        Unlogged(),
        EndSurvey(facts.invitation, Ending.BROKEN_OFF if begun else Ending.DECLINED),
        situation.remember(pulse=None),
        Reply((Say("survey.broken_off" if begun else "survey.declined"),), (MENU,)),
    ]


def _never(situation: Situation) -> list[Action]:
    return [
        RefuseSurveys(),
        situation.remember(pulse=None),
        Reply((Say("survey.never"),), (MENU,)),
    ]


def _closed(situation: Situation, facts: SurveyFacts | None) -> list[Action]:
    """Too late: the wave is closed, or everything was answered."""
    mine = facts is not None and situation.thread.pulse is not None
    keep = situation.thread.pulse if mine and facts is not None and facts.is_open else None
    return [Unlogged(), situation.remember(pulse=keep), Reply((Say("survey.closed"),), (MENU,))]


def keep_going(situation: Situation, actions: list[Action]) -> list[Action]:
    """A normal question in the middle was answered: the way back to the survey stands first below the answer."""
    facts, pulse = situation.survey, situation.thread.pulse
    if facts is None or pulse is None or not pulse.item or not facts.is_open or pulse.paused:
        return actions
    go = Choice(f"survey:go:{facts.invitation}", "button.survey_go")
    kept = [action.thread.pulse for action in actions if isinstance(action, Remember)]
    if any(pulse is None for pulse in kept):
        return actions
    last = max((index for index, action in enumerate(actions) if isinstance(action, Reply)), default=None)
    if last is None:
        return actions
    reply = actions[last]
    assert isinstance(reply, Reply)  # by the line above
    if any(choice.token.startswith("survey:") for choice in reply.choices + reply.controls):
        return actions
    return [*actions[:last], replace(reply, choices=(go, *reply.choices)), *actions[last + 1 :]]


def break_off(situation: Situation) -> list[Action]:
    """A cry for help: the survey is over without a word."""
    facts, pulse = situation.survey, situation.thread.pulse
    if pulse is None:
        return []
    ended: list[Action] = []
    if facts is not None and facts.is_open and facts.state in ("asked", "started"):
        begun = facts.state == "started"
        ended = [EndSurvey(facts.invitation, Ending.BROKEN_OFF if begun else Ending.DECLINED)]
    return [*ended, situation.remember(pulse=None)]
