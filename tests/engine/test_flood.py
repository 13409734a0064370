"""One person who sends very much is told once to slow down, and nobody else waits for it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.locales import LANGUAGES
from bot.messages import InboundMessage, Kind
from bot.policy import MANY
from tests.talk import Talk, keys


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_flood_is_answered_once_and_ends_with_the_minute(service, language):
    talk = Talk(service, "telegram").agrees(language)
    service.clock.forward(timedelta(minutes=1))
    got = [keys(talk.taps("menu")) for _ in range(MANY + 5)]
    assert got[:MANY] == [["menu.ask"]] * MANY
    assert got[MANY:] == [["flood.slow"], [], [], [], []]
    other = Talk(service, "telegram", who="somebody else").agrees(language)
    assert keys(other.taps("menu")) == ["menu.ask"]
    service.clock.forward(timedelta(minutes=1))
    assert keys(talk.taps("menu")) == ["menu.ask"]


def test_what_waited_for_us_is_no_flood(service):
    """Messages of several minutes that are handled at once, after the service was away."""
    talk = Talk(service, "telegram").agrees("nl")
    for number in range(2 * MANY):
        tap = InboundMessage(f"t:{number}", talk.address, Kind.TAP, token="menu")
        asyncio.run(service.inbox.accept(tap))
        service.clock.forward(timedelta(seconds=6))
    assert keys(talk.waits()) == ["menu.ask"] * (2 * MANY)


def test_danger_and_the_rights_of_people_go_through_a_flood(service, understander):
    talk = Talk(service, "telegram").agrees("nl")
    for _ in range(MANY + 3):
        talk.taps("menu")
    understander.means("ik wil dood", "crisis", "health.crisis")
    assert keys(talk.says("ik wil dood")) == ["crisis.help"]
    assert keys(talk.taps("stop")) == ["stop.done"]
