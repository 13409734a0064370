"""The page of a quarter: several waves may have closed in it, one or none."""

from __future__ import annotations

from datetime import date

import pytest

from bot.monitoring.quarter import between, quarter, quarter_of, quarter_of_text


def report(wave, people, **means):
    """A report with these means; an item that wasn't asked has none."""
    items = {
        name: {
            "label": {"nl": name, "en": name},
            "scale": {"low": 1, "high": 5},
            "higher_is_worse": False,
            "total": {"m": means.get(name), "n": 40, "interval": {"low": 1.0, "high": 5.0}},
            "baseline": {},
        }
        for name in ("Q3", "Q17", "Q25", "Q33")
    }
    return {
        "items": items,
        "source": {"wave": wave, "respondents": people},
        "protection": {"min_people": 10},
        "funnel": {"all": {"stages": []}},
        "trends": {name: {"changes": []} for name in items},
    }


def test_each_item_is_told_once_from_the_latest_wave_that_asked_it():
    page = quarter([report("first", 50, Q3=2.0, Q17=4.5), report("second", 60, Q3=3.0, Q33=2.5)], "2026-3")
    assert page["waves"] == ["first", "second"]
    assert [one["en"] for one in page["about"]] == [
        "Wave first: 50 people answered.",
        "Wave second: 60 people answered.",
    ]
    assert {(row["label"]["nl"], row["wave"], row["m"]) for row in page["rows"]} == {
        ("Q3", "second", 3.0),
        ("Q17", "first", 4.5),
        ("Q33", "second", 2.5),
    }
    assert page["lowest"][0]["nl"] == "Q33: gemiddeld 2,50 op een schaal tot 5 (n = 40; ronde second)."


def test_of_one_wave_no_item_repeats_its_name_and_few_people_are_not_counted():
    page = quarter([report("only", None, Q3=2.0)], "2026-3")
    assert page["lowest"][0]["en"] == "Q3: 2.00 on average on a scale up to 5 (n = 40)."
    assert page["about"][0]["nl"] == "Ronde only: minder dan 10 mensen gaven antwoord."


def test_of_no_wave_nothing_is_told():
    page = quarter([], "2026-4")
    assert not any(page[part] for part in ("waves", "about", "best", "lowest", "changed", "todo", "rows"))


def test_quarters_follow_each_other_over_the_years():
    assert between("2025-3", "2026-2") == ["2025-3", "2025-4", "2026-1", "2026-2"]
    assert [quarter_of(date(2026, month, 1)) for month in (1, 3, 4, 12)] == ["2026-1", "2026-1", "2026-2", "2026-4"]


@pytest.mark.parametrize(("text", "name"), [("2026-09-15", "2026-3"), ("2026-09", ""), ("", ""), ("soon", "")])
def test_what_is_no_day_has_no_quarter(text, name):
    assert quarter_of_text(text) == name
