"""The funnel, who is missing, weights, and what changed from wave to wave."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bot.monitoring import response
from bot.monitoring.protection import Rules
from bot.monitoring.report import Options, make


def test_wilson_as_r_prints_it():
    """R: `prop.test(15, 148, correct = FALSE)$conf.int` is 0.0623905 0.1604776 (also in `?binconf` of Hmisc's kind)."""
    found = response.share(15, 148)
    z = stats.norm.ppf(0.975)
    p, n = 15 / 148, 148
    middle, half = (
        (p + z**2 / (2 * n)) / (1 + z**2 / n),
        z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)),
    )
    assert (found["low"], found["high"]) == pytest.approx((100 * (middle - half), 100 * (middle + half)), abs=0.06)
    assert response.share(0, 0)["percent"] is None


def test_the_funnel_of_the_study_has_its_denominators():
    counts = [("invited", 518), ("read", 237), ("started", 178), ("done", 149)]
    found = response.steps(counts, Rules())
    assert [step["of_first"]["percent"] for step in found] == [100, 45.8, 34.4, 28.8]
    assert found[3]["of_previous"]["percent"] == pytest.approx(83.7)
    assert response.steps([("invited", 40), ("started", 3)], Rules())[1] == {
        "stage": "started",
        "n": None,
        "reason": "hidden",
    }


def test_a_question_is_a_share_of_those_who_were_asked_it(report_of):
    rows = "".join(f"r{n},1,Q3,{4 if n < 15 else ''},{'answered' if n < 15 else 'skipped'},nl\n" for n in range(20))
    rows += "".join(f"s{n},1,Q3,,not_asked,nl\n" for n in range(30)) + "".join(
        f"r{n},1,Q4,,broken_off,nl\n" for n in range(5)
    )
    funnel = report_of(f"respondent,wave,item,value,status,language\n{rows}", wave="1")["funnel"]["all"]
    assert funnel["questions"][0] | {"low": 0, "high": 0} == {
        "item": "Q3",
        "asked": 20,
        "percent": 75.0,
        "low": 0,
        "high": 0,
    }
    assert [(step["stage"], step["n"]) for step in funnel["stages"]] == [("started", 20), ("done", 15)]


def test_the_funnel_of_invitations_leaves_out_who_has_no_answers_any_more(baseline, written):
    rows = "".join(f"r{n},1,Q3,4,answered,{'ar' if n % 2 else 'nl'}\n" for n in range(24))
    answers = written(f"respondent,wave,item,value,status,language\n{rows}")
    place = {"wave": "1", "type": "asylum", "gender": "women", "channel": "telegram", "sampled": True}
    asked = [
        place
        | {"language": "ar" if n % 2 else "nl", "ending": "done" if n < 24 else "silent", "done": n < 24}
        | {"invited": n < 56, "delivered": n < 50, "read": n < 40, "started": n < 24}
        for n in range(60)
    ]
    asked += [asked[0] | {"ending": "erased"}] * 5
    found = make(answers, baseline, Options(Rules(), "1", "x", asked))["funnel"]
    told = [(one["stage"], one["n"]) for one in found["all"]["stages"]]
    assert told == [("sampled", 60), ("invited", 56), ("delivered", 50), ("read", 40), ("started", 24), ("done", 24)]
    assert found["all"]["stages"][-1]["of_first"]["percent"] == 40
    assert found["by"]["language"]["ar"]["stages"][0]["n"] == 30
    assert set(found["by"]) == {"language", "channel", "type", "gender"}


def test_respondents_beside_the_population(study_report):
    gender = study_report["representation"]["gender"]
    assert gender["groups"]["women"]["percent"] == 39.1  # 45 of 115
    assert gender["groups"]["women"]["population"] == 50
    assert gender["p"] == pytest.approx(stats.binomtest(45, 115).pvalue, abs=0.01)


def test_weights_give_the_population_its_measure(baseline):
    people = pd.DataFrame({"type": ["asylum"] * 30 + ["family"] * 70, "gender": (["women"] * 10 + ["men"] * 10) * 5})
    people["respondent"] = [f"r{number}" for number in range(100)]
    weights = response.weights(people, baseline, Rules())
    by = people.assign(weight=weights.to_numpy()).groupby("type")["weight"].sum() / weights.sum()
    assert by["asylum"] == pytest.approx(0.64)
    values = pd.Series(np.where(people["type"] == "asylum", 5.0, 1.0), index=people["respondent"])
    found = response.weighted(values, weights)
    assert found["m"] == pytest.approx(0.64 * 5 + 0.36 * 1)
    assert found["n"] == 100
    assert found["n_effective"] == pytest.approx(weights.sum() ** 2 / (weights**2).sum(), abs=0.1)
    assert response.weights(people.head(35), baseline, Rules()) is None  # five of family are too few


def two_waves(change):
    rows = [f"r{n},1,Q20,{n % 5 + 1},2026-01-01\n" for n in range(40)]
    rows += [f"r{n},2,Q20,{n % 5 + 1 + change(n)},2026-04-01\n" for n in range(20)]
    rows += [f"s{n},2,Q20,9,2026-04-01\n" for n in range(20)]
    return "respondent,wave,item,value,asked_on\n" + "".join(rows)


def test_change_within_the_panel_stands_apart_from_change_of_who_answered(report_of):
    trend = report_of(two_waves(lambda n: 1 + n % 2))["trends"]["Q20"]
    assert [wave["m"] for wave in trend["waves"]] == [3.0, 6.75]
    change = trend["changes"][0]
    assert (change["all"], change["panel"]["n"], change["panel"]["change"]) == (3.75, 20, 1.5)
    assert change["panel"]["who_answered"] == 2.25
    steps = np.array([1 + n % 2 for n in range(20)])
    test = stats.ttest_1samp(steps, 0)
    assert change["panel"]["p"] == pytest.approx(test.pvalue, rel=1e-3)
    assert change["panel"]["low"] == pytest.approx(test.confidence_interval().low, abs=0.01)


def test_a_panel_that_all_changed_alike_has_no_test(report_of):
    panel = report_of(two_waves(lambda _: 1))["trends"]["Q20"]["changes"][0]["panel"]
    assert (panel["change"], panel["reason"]) == (1, "no_spread")
