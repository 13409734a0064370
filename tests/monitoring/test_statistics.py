"""Each statistic beside R on R's own data, or beside numpy on the same answers.

Figures of R 4: `t.test(extra ~ group, sleep)`, `wilcox.test`, `aov`/`oneway.test`/`kruskal.test` on PlantGrowth,
`p.adjust`. R prints them in `example(t.test)`, `example(sleep)`, `example(PlantGrowth)`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bot.monitoring.answers import Scale
from bot.monitoring.descriptive import describe, printed
from bot.monitoring.differences import compare, from_summaries, hedges, holm
from bot.monitoring.regression import beta, controlled, stars
from bot.monitoring.trends import _paired

SLEEP = {
    "1": np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]),
    "2": np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]),
}
PLANT_GROWTH = {
    "ctrl": np.array([4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14]),
    "trt1": np.array([4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69]),
    "trt2": np.array([6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26]),
}


def test_two_groups_as_r_prints_sleep():
    found = compare(SLEEP)
    assert found["student"] == {"t": -1.8608, "p": 0.07919, "df": 18.0}
    assert found["welch"] == {"t": -1.8608, "p": 0.07939, "df": 17.78}
    assert found["difference"] == {"value": -1.58, "low": -3.3655, "high": 0.2055}
    assert found["mann_whitney"] == {"u": 25.5, "p": 0.06933}


def test_a_paired_change_as_r_prints_sleep():
    """R: `with(sleep, t.test(extra[group == 2], extra[group == 1], paired = TRUE))`: 1.58, 0.7001142 to 2.4598858."""
    found = _paired(SLEEP["1"], SLEEP["2"], 1.58)
    assert (found["change"], found["low"], found["high"], found["n"]) == (1.58, 0.7, 2.46, 10)
    assert found["p"] == pytest.approx(0.002833, abs=1e-6)


def test_a_regression_as_r_prints_its_example():
    """R: `example(lm)`, Dobson's plant weights: groupTrt -0.3710, p 0.249; here with a control that says nothing."""
    frame = pd.DataFrame(
        {"value": [*PLANT_GROWTH["ctrl"], *PLANT_GROWTH["trt1"]], "gender": ["men"] * 10 + ["women"] * 10}
    )
    assert compare({"men": PLANT_GROWTH["ctrl"], "women": PLANT_GROWTH["trt1"]})["p"] == pytest.approx(0.249, abs=5e-4)
    even = frame.assign(type=["asylum", "family"] * 10)
    found = controlled(even, "gender", ["women", "men"])
    assert found["b"] == pytest.approx(-0.371, abs=1e-4)  # the control is balanced, so the coefficient stays


def test_more_groups_as_r_prints_plant_growth():
    found = compare(PLANT_GROWTH)
    assert found["anova"] == {"f": 4.8461, "p": 0.01591, "df": [2.0, 27.0]}
    assert found["kruskal_wallis"] == {"h": 7.9882, "p": 0.01842, "df": 2.0}
    assert found["welch_anova"] == {"f": 5.181, "p": 0.01739, "df": [2.0, 17.13]}
    assert found["eta_squared"]["value"] == pytest.approx(
        3.76634 / 14.25843, abs=1e-4
    )  # sums of squares of summary(aov)
    assert found["omega_squared"]["value"] == pytest.approx((3.76634 - 2 * 0.38860) / (14.25843 + 0.38860), abs=1e-4)


def test_the_interval_of_eta_squared_inverts_the_noncentral_f():
    ends = compare(PLANT_GROWTH)["eta_squared"]
    for end, tail in (("low", 0.975), ("high", 0.025)):
        noncentrality = 30 * ends[end] / (1 - ends[end])
        assert stats.ncf.cdf(4.84609, 2, 27, noncentrality) == pytest.approx(tail, abs=0.002)


def test_summaries_give_the_same_as_the_answers_they_sum_up():
    rows = [(values.mean(), values.std(ddof=1), len(values)) for values in SLEEP.values()]
    found, whole = from_summaries(*rows), compare(SLEEP)
    for name in ("student", "welch", "difference", "hedges_g", "p"):
        assert found[name] == whole[name], name


def test_hedges_g_is_cohens_d_with_the_correction_for_small_samples():
    first, second = SLEEP.values()
    pooled = np.sqrt((9 * first.var(ddof=1) + 9 * second.var(ddof=1)) / 18)
    assert hedges((first.mean(), first.std(ddof=1), 10), (second.mean(), second.std(ddof=1), 10))[
        "value"
    ] == pytest.approx((first.mean() - second.mean()) / pooled * (1 - 3 / (4 * 20 - 9)), abs=1e-4)


def test_holm_as_r_adjusts():
    tests = [{"p": p} for p in (0.01, 0.02, 0.03, 0.04)] + [{"reason": "too_few"}]
    holm(tests)
    assert [test.get("p_holm") for test in tests] == [0.04, 0.06, 0.06, 0.06, None]
    assert [test.get("significant_holm") for test in tests] == [True, False, False, False, None]


def people(n=60, seed=3):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"gender": random.choice(["women", "men"], n), "type": random.choice(["asylum", "family"], n)})
    frame["Q18"] = random.integers(1, 6, n)
    frame["Q31"] = frame["Q18"] + random.integers(0, 6, n) + (frame["gender"] == "men") * 2
    return frame


def least_squares(outcome, columns):
    """Coefficients and p of an ordinary regression, by numpy alone."""
    design = np.column_stack([np.ones(len(outcome)), *columns])
    coefficients, residuals, _, _ = np.linalg.lstsq(design, outcome, rcond=None)
    df = len(outcome) - design.shape[1]
    errors = np.sqrt(np.diag(np.linalg.inv(design.T @ design)) * residuals[0] / df)
    return coefficients, 2 * stats.t.sf(abs(coefficients / errors), df)


def test_a_beta_is_the_coefficient_of_standardised_answers_with_the_controls():
    frame = people()
    x, y = ((frame[name] - frame[name].mean()) / frame[name].std() for name in ("Q18", "Q31"))
    controls = [(frame["gender"] == "women").astype(float), (frame["type"] == "asylum").astype(float)]
    coefficients, p = least_squares(y.to_numpy(), [x, *controls])
    found = beta(frame, "Q18", "Q31")
    assert found["beta"] == pytest.approx(coefficients[1], abs=1e-4)
    assert found["p"] == pytest.approx(p[1], rel=1e-3)
    assert (found["n"], found["stars"], found["controlled_for"]) == (60, "***", ["gender", "type"])


def test_who_has_no_gender_or_type_falls_out_of_a_beta():
    frame = people()
    frame.loc[:9, "gender"] = None
    assert beta(frame, "Q18", "Q31")["n"] == 50


def test_a_controlled_difference_is_the_coefficient_of_the_group():
    frame = people().rename(columns={"Q31": "value"})
    columns = [(frame["gender"] == "women").astype(float), (frame["type"] == "asylum").astype(float)]
    coefficients, p = least_squares(frame["value"].to_numpy(dtype=float), columns)
    found = controlled(frame, "gender", ["women", "men"])
    assert found["b"] == pytest.approx(coefficients[1], abs=1e-4)
    assert found["p"] == pytest.approx(p[1], rel=1e-3)


def test_more_groups_are_tested_together_when_controlled():
    frame = people(120).rename(columns={"Q31": "value"})
    frame["age_group"] = np.random.default_rng(5).choice(["20-29", "30-39", "40-49"], 120)
    found = controlled(frame, "age_group", ["20-29", "30-39", "40-49"])
    full = [
        frame["age_group"] == "20-29",
        frame["age_group"] == "30-39",
        frame["gender"] == "women",
        frame["type"] == "asylum",
    ]

    def squares(columns):
        design = np.column_stack([np.ones(120), *(column.astype(float) for column in columns)])
        return np.linalg.lstsq(design, frame["value"].to_numpy(dtype=float), rcond=None)[1][0]

    f = ((squares(full[2:]) - squares(full)) / 2) / (squares(full) / 115)
    assert found["f"] == pytest.approx(f, rel=1e-3)
    assert found["p"] == pytest.approx(stats.f.sf(f, 2, 115), rel=1e-3)


def test_regressions_that_can_not_be_had_have_a_reason():
    frame = people()
    assert beta(frame.assign(Q18=3), "Q18", "Q31")["reason"] == "no_spread"
    assert beta(frame.head(3), "Q18", "Q31")["reason"] == "too_few"
    assert beta(frame.assign(type="asylum"), "Q18", "Q31")["reason"] == "no_variation_in_a_control"
    twins = frame.assign(type=np.where(frame["gender"] == "women", "asylum", "family"), value=frame["Q31"])
    assert controlled(twins, "gender", ["women", "men"])["reason"] == "groups_coincide"


def test_descriptives_beside_numpy():
    values = np.array([1.0, 2, 2, 5, 5, 5])
    found = describe(values, Scale("Q3", "intake", 1, 5))
    assert (found["m"], found["sd"], found["n"]) == (3.33, printed(float(np.std(values, ddof=1))), 6)
    assert [one["percent"] for one in found["distribution"]] == [17, 33, 0, 0, 50]
    half = stats.t.ppf(0.975, 5) * np.std(values, ddof=1) / np.sqrt(6)
    assert found["interval"] == {"low": printed(values.mean() - half), "high": printed(values.mean() + half)}


def test_halves_go_up_as_people_print_them():
    assert [printed(value) for value in (2.675, 1.005, 3.895, -0.004)] == [2.68, 1.01, 3.90, 0.0]


def test_stars():
    assert [stars(p) for p in (0.0009, 0.009, 0.049, 0.05)] == ["***", "**", "*", ""]
