"""The social map in the chat: organisations by what somebody looks for.

Filters are facts of `content/social_map.yaml`.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.actions import Action, Choice, CountOutcome, Reply, Say
from bot.content.schema import Organisation
from bot.policy.answering import MENU
from bot.policy.situation import Situation

PAGE = 7  # with "more", "search again" and the menu ten lines on WhatsApp
FILTERS: dict[str, Callable[[Organisation], bool]] = {
    "practise_dutch": lambda o: "practise_dutch" in o.themes,
    "meet_people": lambda o: "meet_people" in o.themes,
    "women": lambda o: "women" in o.themes or "women" in o.audience or "mothers" in o.audience,
    "food_clothes": lambda o: bool({"food", "clothes"} & set(o.themes)),
    "work": lambda o: "work" in o.themes,
    "letters": lambda o: bool({"letters", "legal", "money"} & set(o.themes)),
    "free": lambda o: o.cost == "free",
    "family": lambda o: "family" in o.audience or "everyone" in o.audience,
    "arabic": lambda o: "ar" in (o.languages or ()),
}


def on_map(situation: Situation, arguments: list[str]) -> list[Action]:
    """`map` asks what somebody looks for; `map:<filter>[:page]` lists the organisations that fit."""
    organisations = situation.content.organisations
    if not arguments:
        names = [name for name, fits in FILTERS.items() if any(fits(o) for o in organisations.values())]
        choices = tuple(Choice(f"map:{name}", f"filter.{name}") for name in names)
        return [situation.remember(), Reply((Say("map.ask"),), (*choices, MENU))]
    fits, page = FILTERS[arguments[0]], int(arguments[1]) if len(arguments) > 1 else 0
    found = [key for key, organisation in organisations.items() if fits(organisation)]
    shown = found[page * PAGE : (page + 1) * PAGE] if page >= 0 else []
    choices = tuple(Choice(f"topic:{key}", topic=key) for key in shown)
    if len(found) > (page + 1) * PAGE:
        choices = (*choices, Choice(f"map:{arguments[0]}:{page + 1}", "button.next_page"))
    key = "map.found" if shown else "map.nothing"
    return [
        situation.remember(),
        Reply((Say(f"filter.{arguments[0]}"), Say(key)), (*choices, Choice("map", "button.map_again"), MENU)),
        CountOutcome("map", language=situation.language),
    ]
