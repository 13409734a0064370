"""What a curious person tries: subtracting figures from each other, over groups, waves and what is missing."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from bot.monitoring.answers import read_answers
from bot.monitoring.protection import Rules, hidden_groups
from bot.monitoring.report import Options, make
from bot.monitoring.vocabulary import BACKGROUNDS

STRICT = Rules(strict=True)


@pytest.mark.parametrize(
    ("counts", "total", "hidden"),
    [
        ({"women": 30, "men": 40}, 70, set()),
        (
            {"women": 9, "men": 40, "non_binary": 30},
            79,
            {"women", "non_binary"},
        ),  # alone it would follow from the total
        ({"women": 9, "men": 40}, 49, {"women", "men"}),
        ({"a": 4, "b": 7, "c": 50}, 61, {"a", "b"}),  # together eleven: nobody can tell them apart
        ({"a": 4, "b": 5, "c": 20, "d": 50}, 79, {"a", "b", "c"}),
        ({"women": 30, "men": 40}, 75, {"women"}),  # five whose gender isn't known would follow from the total
        ({"women": 30, "men": 40}, 80, set()),
        ({}, 3, set()),
    ],
)
def test_what_is_hidden_can_not_be_worked_out_from_the_total(counts, total, hidden):
    assert hidden_groups(counts, total, STRICT) == hidden


def test_a_report_for_who_holds_the_answers_shows_what_the_study_printed():
    """Two people without a known type hide nothing there; a small named group still does."""
    assert hidden_groups({"asylum": 64, "family": 47}, 113, Rules(), "type") == set()
    with_one = {"asylum": 64, "family": 47, "voluntary": 1}
    assert hidden_groups(with_one, 114, Rules(), "type") == {"voluntary"}  # lost among two whose type isn't known
    assert hidden_groups(with_one, 112, Rules(), "type") == {"voluntary", "family"}
    assert hidden_groups({"asylum": 64, "family": 47, "voluntary": 1}, 114, STRICT, "type") == {"voluntary", "family"}
    assert hidden_groups({"women": 3, "men": 30}, 33, Rules(), "gender") == {"women", "men"}


def population(seed, size=160):
    """A small population with rare groups, many unknown, and items that only some answer."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"respondent": [f"r{number}" for number in range(size)]})
    frame["type"] = random.choice(["asylum", "family", "voluntary", ""], size, p=[0.5, 0.4, 0.04, 0.06])
    frame["gender"] = random.choice(["women", "men", "non_binary", ""], size, p=[0.4, 0.5, 0.02, 0.08])
    frame["language"] = random.choice(["ar", "nl", "en"], size, p=[0.8, 0.14, 0.06])
    frame["age_group"] = random.choice(["18-19", "20-29", "30-39", "40-49", ""], size)
    waves = []
    for wave in ("1", "2"):
        part = frame[random.random(size) < 0.7].assign(wave=wave)
        for item in ("Q3", "Q17", "Q20"):
            part[item] = np.where(random.random(len(part)) < 0.6, random.integers(1, 6, len(part)).astype(str), "")
        waves.append(part)
    return pd.concat(waves)


def published_sets(report, people, item):
    """Every set of people of which the report shows a figure."""
    answered = people[people[item] != ""]
    found = {("", "total"): set(answered["respondent"])} if report["items"][item]["total"]["n"] else {}
    for background, groups in report["items"][item]["groups"].items():
        column = "age_group" if background == "age" else background
        for group, figures in groups.items():
            if figures["n"] is not None:
                members = answered[answered[column].map(lambda own, g=group, b=background: in_group(own, g, b))]
                found[background, group] = set(members["respondent"])
                assert len(members) == figures["n"]
    return found


def in_group(own, group, background):
    if background == "age":
        return own in (("18-19", "20-29") if group == "18-29" else ("30-39", "40-49"))
    return own == group


@pytest.mark.parametrize("seed", range(3))
def test_no_difference_of_published_figures_is_of_too_few(tmp_path, scales, baseline, seed):
    """Every published figure of an item in a wave against every other, also of another background, and against several.

    None contains another one, or all published groups of one background that lie in it, but for a few people.
    """
    people = population(seed)
    path = tmp_path / "answers.csv"
    people.to_csv(path, index=False)
    answers = read_answers(path, scales)
    for wave in ("1", "2"):
        report = make(answers, baseline, Options(STRICT, wave))
        mine = people[people["wave"] == wave]
        for item in ("Q3", "Q17", "Q20"):
            published = published_sets(report, mine, item)
            assert published
            assert all(len(members) >= 10 for members in published.values())
            attack(published)
            by_background(report, mine, item)


def attack(published):
    """Subtract figures from each other: one from another, and the groups of a background from what they lie in."""
    for (first, one), (second, other) in itertools.permutations(published.items(), 2):
        assert not one < other or len(other - one) >= 10, (first, second)
    for (outer, name), whole in published.items():
        for background in {key[0] for key in published} - {outer}:
            inside = [part for key, part in published.items() if key[0] == background and part <= whole]
            rest = whole - set().union(*inside)
            assert not inside or not rest or len(rest) >= 10, (outer, name, background)


def by_background(report, mine, item):
    """The rest of the total after the shown groups of one background is nobody, or enough people."""
    answered = mine[mine[item] != ""]
    for background, groups in report["items"][item]["groups"].items():
        column = "age_group" if background == "age" else background
        shown = [group for group, figures in groups.items() if figures["n"] is not None]
        rest = answered[~answered[column].map(lambda own, s=shown, b=background: any(in_group(own, g, b) for g in s))]
        assert not shown or len(rest) == 0 or len(rest) >= 10, (background, shown, len(rest))


@pytest.mark.parametrize("seed", range(3))
def test_two_waves_do_not_give_away_who_answered_only_one(tmp_path, scales, baseline, seed):
    people = population(seed, size=60)
    path = tmp_path / "answers.csv"
    people.to_csv(path, index=False)
    report = make(read_answers(path, scales), baseline, Options(STRICT, "2"))
    for item in ("Q3", "Q17", "Q20"):
        first, second = (set(people[(people["wave"] == w) & (people[item] != "")]["respondent"]) for w in ("1", "2"))
        change = report["trends"][item]["changes"][0]
        if "all" in change:
            assert min(len(first), len(second)) >= 10
        if change.get("panel", {}).get("n"):
            assert all(number == 0 or number >= 10 for number in (len(first - second), len(second - first)))


def test_tests_and_betas_of_too_few_people_are_not_shown(report_of):
    rows = "".join(f"r{n},Q18,{1 + n % 5},asylum,women\nr{n},Q31,{n % 10},asylum,women\n" for n in range(9))
    report = report_of(f"respondent,item,value,type,gender\n{rows}", STRICT)
    assert report["relations"] == []
    assert report["items"]["Q18"]["total"]["m"] is None
    assert report["items"]["Q18"]["differences"] == {}
    assert "9" not in str(report["items"]["Q18"]["total"])


def test_small_shares_are_rounded_away(report_of):
    rows = "".join(f"r{number},Q3,{1 if number < 2 else 4}\n" for number in range(100))
    shares = report_of(f"respondent,item,value\n{rows}", STRICT)["items"]["Q3"]["total"]["distribution"]
    assert shares[0] == {"value": 1, "percent": None, "below": 5}
    assert shares[3] == {"value": 4, "percent": 98.0}


def test_groups_that_nearly_coincide_do_not_give_the_few_away(report_of):
    """All women came for asylum, and four men: women beside asylum would tell what those four answered."""
    rows = [(f"w{n}", 1 + n % 5, "asylum", "women", "20-29") for n in range(30)]
    rows += [(f"a{n}", 5, "asylum", "men", "18-19") for n in range(4)]
    rows += [(f"m{n}", 1 + n % 5, "family", "men", "20-29" if n % 2 else "30-39") for n in range(40)]
    text = "respondent,item,value,type,gender,age_group\n"
    text += "".join(f"{name},Q3,{value},{','.join(groups)}\n" for name, value, *groups in rows)
    shown = shown_groups(report_of(text, STRICT))
    assert not {("type", "asylum"), ("gender", "women")} <= shown
    assert not {("age_group", "20-29"), ("age", "18-29")} <= shown
    assert ("gender", "women") in shown_groups(report_of(text))


def shown_groups(report):
    groups = report["items"]["Q3"]["groups"]
    return {(name, group) for name, of in groups.items() for group, one in of.items() if one["n"]}


def test_a_funnel_tells_no_step_of_a_few(report_of):
    rows = "".join(f"r{n},1,Q3,4,answered\n" for n in range(38)) + "".join(f"s{n},1,Q3,,broken_off\n" for n in range(3))
    funnel = report_of(f"respondent,wave,item,value,status\n{rows}", STRICT, wave="1")["funnel"]["all"]
    assert [one["n"] for one in funnel["stages"]] == [40, 40]
    assert funnel["questions"][0]["asked"] == 40


def test_every_background_is_under_the_rules():
    assert set(BACKGROUNDS) == {"type", "gender", "age_group", "work_status", "route", "phase", "language", "channel"}
