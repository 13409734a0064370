"""Dialogues as data: `conversations/*.yaml` say who writes what, what it means, and with which content it is answered.

Content keys, not sentences, so that editors can change a text without touching a test. Every dialogue runs in three
languages, on a phone with buttons and on one without.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
import sqlalchemy as sa
import yaml

import bot.conversation
from bot.actions import Action
from bot.content import Content
from bot.desk import answering, asking_back, closing, handover, prepared
from bot.desk.settling import Deed
from bot.desk.telling import Teller
from bot.locales import LANGUAGES, clean
from bot.messages import CAPABILITIES, InboundMessage, Kind
from bot.policy import HANDLERS, decide
from bot.policy.resolve import resolve
from bot.roles import EVERYTHING, Principal
from bot.service import Service
from bot.storage.desk_models import PreparedRow
from bot.storage.models import ActorRow, SlotRow, TicketRow, TicketState
from tests import caseload_steps
from tests.caseload_steps import Municipality
from tests.fakes import ScriptedUnderstander
from tests.surveys.helping import answers_of, close_waves, invitation_states, invite, release
from tests.talk import Talk, keys

FILES = sorted((Path(__file__).parent / "conversations").glob("*.yaml"))
DIALOGUES = {
    f"{path.stem}: {dialogue['name']}": dialogue
    for path in FILES
    for dialogue in yaml.safe_load(path.read_text(encoding="utf-8"))
}
CHANNELS = ("telegram", "whatsapp")
SOMEBODY = Principal("desk", EVERYTHING)
seen_actions: Counter[str] = Counter()
seen_verbs: Counter[str] = Counter()


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    def watching(situation: Any) -> list[Any]:
        token = resolve(situation.message, situation.contact.thread.offered, situation.content.commands)
        seen_verbs[token.split(":")[0]] += 1
        actions = decide(situation)
        seen_actions.update(type(action).__name__ for action in actions)
        return actions

    monkeypatch.setattr(bot.conversation, "decide", watching)


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", DIALOGUES)
def test_conversation(
    name: str, language: str, channel: str, service: Service, understander: ScriptedUnderstander
) -> None:
    dialogue = DIALOGUES[name]
    if dialogue.get("only", channel) != channel:
        pytest.skip("buttons that only one channel has")
    talk = Talk(service, channel)
    if "starts" in dialogue:
        service.clock.at = caseload_steps.wall(dialogue["starts"]).astimezone(UTC)
    municipality = Municipality(service)
    municipality.employs(dialogue.get("klantregisseurs", {}))
    if dialogue.get("agreed", True):
        talk.agrees(language)
    for step in dialogue["steps"]:
        expected = {key: _localised(value, language, channel) for key, value in step.items()}
        _teach(understander, expected, language)
        got = caseload_steps.take(municipality, talk, expected)
        got = _do(talk, expected) if got is None else got
        caseload_steps.check(service, expected, got)
        _check(service, talk, expected, got)
        for message in got:
            assert len(message.text) <= CAPABILITIES[channel].max_text
            assert all(len(option.token.encode()) <= 64 for option in message.options)


def _localised(value: Any, language: str, channel: str = "") -> Any:
    if value == {}:
        return value
    if isinstance(value, dict) and set(value) <= set(CHANNELS):
        return value[channel]
    if isinstance(value, dict) and set(value) <= set(LANGUAGES):
        return value[language]
    if isinstance(value, dict):
        return {key: _localised(inner, language, channel) for key, inner in value.items()}
    if isinstance(value, list):
        return [_localised(inner, language, channel) for inner in value]
    return value.replace("LANG", language) if isinstance(value, str) else value


def _teach(understander: ScriptedUnderstander, step: dict[str, Any], language: str) -> None:
    if "means" not in step:
        return
    outcome, *topics = step["means"].split()
    also = tuple(topic[1:] for topic in topics if topic.startswith("+"))
    topics = [topic for topic in topics if not topic.startswith("+")]
    written = _localised(step.get("written_in", language), language)
    understander.means(step["says"], outcome, *topics, language=written, also=also)


def _do(talk: Talk, step: dict[str, Any]) -> list[Any]:  # noqa: PLR0911  # one line a kind of step
    if "later" in step:
        amount, unit = step["later"].split()
        talk.service.clock.forward(timedelta(**{unit: int(amount)}))
        release(talk.service)
        return talk.waits()
    if "survey" in step:
        return invite(talk, step["survey"], step.get("background", {}))
    if "wave_closes" in step:
        close_waves(talk.service)
        return []
    if any(name.startswith("desk_") for name in step):
        return _desk(talk, step)
    if "says" in step:
        return talk.says(step["says"])
    if "sends" in step:
        return talk.says(step.get("caption", ""), kind=Kind(step["sends"]))
    token = step["taps"]
    if token.startswith("forged "):
        return talk.taps(token.removeprefix("forged "))
    option = next((o for o in talk.last.options if re.fullmatch(token, o.token)), None)
    assert option is not None, f"{token} was not offered; offered: {talk.tokens}"
    if talk.channel == "whatsapp":  # no buttons: people write the number, or the words where there is none
        number = talk.last.options.index(option) + 1
        has_number = re.search(rf"(?<!\d){number}\W*\. \W*{re.escape(option.label)}", clean(talk.last.text))
        return talk.says(str(number) if has_number else option.label)
    return talk.taps(option.token)


def _desk(talk: Talk, step: dict[str, Any]) -> list[Any]:
    """Somebody at the desk does something with the newest ticket. With a topic as text it is a curated answer."""
    service = talk.service
    newest = service.store.read(lambda c: c.execute(sa.select(sa.func.max(TicketRow.id))).scalar_one())
    now, content = service.clock.now(), service.content
    deed = Deed(newest, SOMEBODY, now)
    teller = Teller(content, service.settings.hours, now)
    facts = {"ticket_id": newest, "who": SOMEBODY, "now": now, "content": content}
    verb = next(name for name in step if name.startswith("desk_"))
    text = step[verb]
    is_topic = text in content.topics
    work = {
        "desk_answers": lambda c: (
            answering.answer_with_topic(c, topic=text, **facts) if is_topic else answering.answer(c, text=text, **facts)
        ),
        "desk_prepares": lambda c: prepared.prepare(c, deed, content, **{"topic" if is_topic else "text": text}),
        "desk_asks_back": lambda c: asking_back.ask_back(c, deed, text, content),
        "desk_hands_over": lambda c: handover.hand_over(c, deed, _actor(c, text), "", teller),
        "desk_closes": lambda c: closing.close(c, deed, text, "", teller),
    }[verb]
    result = service.store.write(work)
    assert result.outcome.value in step.get("outcome", _USUAL[verb])
    return talk.waits()


_USUAL = {
    "desk_answers": "goes_now",
    "desk_prepares": "prepared",
    "desk_asks_back": "asked",
    "desk_hands_over": "handed_over",
    "desk_closes": "closed",
}


def _actor(connection: sa.Connection, code: str) -> int | None:
    """A klantregisseur who answers on Fridays, made when first named; "desk" is the back-up desk."""
    if code == "desk":
        return None
    known = connection.execute(sa.select(ActorRow.id).where(ActorRow.code == code)).scalar_one_or_none()
    if known is not None:
        return known
    values = {"code": code, "name": "Sanne de Wit", "languages": [], "active": True, "imported_at": datetime.now(UTC)}
    made = connection.execute(sa.insert(ActorRow).values(**values).returning(ActorRow.id)).scalar_one()
    slot = {"weekday": 4, "starts": time(9), "ends": time(11), "max_answers": 10}
    connection.execute(sa.insert(SlotRow).values(actor_id=made, **slot))
    return made


def _check(service: Service, talk: Talk, step: dict[str, Any], got: list[Any]) -> None:
    wanted = step.get("gets", step.get("gets_both"))  # both: what waited behind a shut window, and the reply
    if wanted is not None:
        assert keys(got) == wanted
        assert len(got) <= 1 + ("gets_both" in step), "one message a turn"
    for token in step.get("offers", []):
        assert any(re.fullmatch(token, offered) for offered in talk.tokens), f"{token} not in {talk.tokens}"
    for token in step.get("offers_not", []):
        assert not any(re.fullmatch(token, offered) for offered in talk.tokens)
    if "in_language" in step:
        assert {message.language for message in got} == {step["in_language"]}
    if "state" in step:
        query = sa.select(TicketRow.state).order_by(TicketRow.id.desc()).limit(1)
        assert TicketState(service.store.read(lambda c: c.execute(query).scalar_one())).name.lower() == step["state"]
    if "held" in step:
        query = sa.select(PreparedRow.held)
        assert list(service.store.read(lambda c: c.execute(query).scalars())) == step["held"]
    if "answers" in step:
        assert answers_of(service) == step["answers"]
    if "invitation" in step:
        assert invitation_states(service) == [step["invitation"]]
    if "tickets" in step:
        query = sa.select(TicketRow.reason).order_by(TicketRow.id)
        assert list(service.store.read(lambda c: c.execute(query).scalars())) == step["tickets"]


def test_every_action_and_every_button_has_a_conversation() -> None:
    if not seen_actions:
        pytest.skip("runs after the conversations")  # alone it can see nothing
    assert {action.__name__ for action in get_args(Action)} - set(seen_actions) == set()
    assert set(HANDLERS) - set(seen_verbs) == set()


def test_every_reply_is_said_in_a_conversation_or_is_a_label(content: Content) -> None:
    """A text that nothing says is a text that nobody checks."""
    source = "".join(path.read_text() for path in Path(bot.conversation.__file__).parent.rglob("*.py"))
    said = {key for key in content.replies["nl"] if key in source}
    families = (
        "group.",
        "filter.",
        "media.",
        "smalltalk.",
        "language.name",
        "telegram.",
        "unit.",
        "button.",
        "mydata.",
    )
    unknown = [key for key in content.replies["nl"] if key not in said and not key.startswith(families)]
    assert unknown == []


def test_a_message_repeated_by_the_provider_is_one_message(
    service: Service, understander: ScriptedUnderstander
) -> None:
    talk = Talk(service, "telegram")
    message = InboundMessage("tg:1", talk.address, Kind.TEXT, "Hallo")
    assert keys(talk.brings(message)) == ["start.hello"]
    assert talk.brings(message) == []
