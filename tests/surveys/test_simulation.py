"""A small town for two weeks: what `make simulate` does with thousands of people and a year."""

from __future__ import annotations

import random

import sqlalchemy as sa

from bot.storage.survey_models import SurveyWaveRow
from tests.surveys import town_checks, town_life
from tests.surveys.town import RULES, Got, Town

KILLS = {
    "killed before the commit of a turn",
    "killed before the platform had a message",
    "killed after the platform had a message",
    "killed while letting invitations go",
}


def test_two_weeks_of_surveys_break_no_rule_and_each_funnel_adds_up(content, tmp_path):
    town = Town(tmp_path, content, 60, random.Random(4), town_life.reacts, dies=0.3)
    town.settle()
    town_life.year(town, 14)
    total, faults = town_checks.funnels(town)
    assert faults == []
    assert list(town_checks.mistakes(town)) == []
    kills = {name: number for name, number in town.figures.items() if name.startswith("killed")}
    assert set(kills) == KILLS, "in each place"
    assert total["invited"] > 10
    assert total["ended as done"] > 3
    _and_the_checks_see_what_is_wrong(town)
    town.store.close()


def _and_the_checks_see_what_is_wrong(town):
    """The same town with a message at night, one too many and one after a never: a check that sees nothing is none."""
    someone = next(one for one in town.people.values() if one.got)
    first = someone.got[0]
    someone.got.append(Got(first.at.replace(hour=2), first.keys, first.invitation))
    someone.never_at = first.at.replace(year=2025)
    town.store.write(lambda c: c.execute(sa.update(SurveyWaveRow).values(spent=10**12)) and None)
    found = " ".join(town_checks.mistakes(town))
    for words in (
        "asked at",
        "after never",
        "asked 2 times",
        f"more than {town.content.surveys.definition.limits.per_week}",
    ):
        assert words in found
    assert "counted of" in found
    assert RULES.per_week
