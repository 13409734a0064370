"""Items with options, numbers and words: shares, means, counts, what is wrong in a file, and what stays hidden."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from bot.monitoring.answers import read_answers
from bot.monitoring.baseline import SUBGROUPS
from bot.monitoring.choices import choices
from bot.monitoring.protection import Rules
from bot.monitoring.questions import Question, questions_of
from bot.monitoring.report import Options, make

HEADER = "respondent,item,value,status,gender\n"


@pytest.fixture(scope="module")
def questions(content, baseline):
    return questions_of(content.surveys, baseline.items)


@pytest.fixture
def report_with(tmp_path, scales, questions, baseline):
    def report(text, rules=None):
        path = tmp_path / "answers.csv"
        path.write_text(text, encoding="utf-8")
        answers = read_answers(path, scales, questions)
        return make(answers, baseline, Options(rules or Rules(), "", path.name)), answers.notes

    return report


def people(item, *groups):
    """Rows: how many of a gender gave which value."""
    numbers = iter(range(10_000))
    return "".join(
        f"r{next(numbers)},{item},{value},{'answered' if value else 'skipped'},{gender}\n"
        for gender, value, n in groups
        for _ in range(n)
    )


def test_shares_of_options_have_wilsons_interval_and_groups(report_with):
    rows = people("job_match", ("women", "yes", 12), ("women", "no", 18), ("men", "partly", 30), ("men", "", 20))
    found = report_with(HEADER + rows)[0]["choices"]["job_match"]
    shares = {one["value"]: one["percent"] for one in found["total"]["options"]}
    assert (found["total"]["n"], shares) == (60, {"yes": 20.0, "partly": 50.0, "no": 30.0})
    low, high = proportion_confint(12, 60, method="wilson")
    assert found["total"]["options"][0]["low"] == pytest.approx(100 * low, abs=0.06)
    assert found["total"]["options"][0]["high"] == pytest.approx(100 * high, abs=0.06)
    assert found["groups"]["gender"]["women"]["n"] == 30
    assert (found["asked"], found["answered"]["percent"]) == (80, 75.0)
    assert found["label"]["nl"]
    assert found["labels"]["partly"]["en"]


def test_several_options_count_for_each_and_an_answer_twice_once(report_with):
    rows = people("lessons_taken", ("women", "dutch;pvt", 10), ("men", "dutch;dutch", 10), ("men", "none", 20))
    found = report_with(HEADER + rows)[0]["choices"]["lessons_taken"]["total"]
    assert {one["value"]: one["percent"] for one in found["options"]} == {"dutch": 50, "pvt": 25, "map": 0, "none": 50}


def test_a_number_has_a_mean_and_words_have_only_a_count(report_with):
    rows = people("work_hours", ("women", "32", 10), ("men", "24", 10))
    rows += "".join(f"r{n},anything_else,Ik heet Bea en woon in de Dorpsstraat,answered,women\n" for n in range(12))
    found, _ = report_with(HEADER + rows)
    hours = found["choices"]["work_hours"]["total"]
    assert (hours["m"], hours["median"], hours["n"]) == (28, 28, 20)
    assert found["choices"]["anything_else"]["total"] == {"n": 12}
    assert "Dorpsstraat" not in str(found)


def test_what_is_no_option_no_number_or_off_the_scale_is_left_out_and_told_without_words(report_with):
    rows = (
        "a,job_match,maybe,answered,\n"
        "b,work_hours,many,answered,\n"
        "c,work_hours,900,answered,\n"
        "d,job_match,yes;no,answered,\n"
        "e,job_match,yes,perhaps,\n"
        "f,anything_else,Geheim,skipped,\n"
        ",job_match,yes,answered,\n"
        "g,job_match,yes,answered,\n"
        "g,job_match,no,answered,\n"
        "h,job_match,-2,,\n"
    )
    found, notes = report_with(HEADER + rows)
    assert dict(notes.counts) == {
        "unknown_option": 2,
        "not_a_number": 1,
        "off_scale": 1,
        "bad_status": 1,
        "value_without_answer": 1,
        "no_respondent": 1,
        "duplicate_answer": 1,
    }
    assert {note.code: note.line for note in notes.first if note.code != "unknown_option"}["off_scale"] == 4
    assert "Geheim" not in str(found)
    assert found["choices"]["job_match"]["total"]["reason"] == "hidden"  # one person
    assert found["source"]["answers"] == 1


def test_a_group_of_a_few_and_a_small_share_stay_hidden(report_with):
    rows = people("has_work", ("women", "yes", 4), ("women", "no", 5), ("men", "no", 60), ("men", "yes", 31))
    found = report_with(HEADER + rows, Rules(strict=True))[0]["choices"]["has_work"]
    assert found["groups"]["gender"]["women"]["reason"] == "hidden"
    assert found["groups"]["gender"]["men"]["reason"] == "hidden"  # the nine would follow from the total
    rows = people("job_match", ("women", "yes", 98), ("men", "no", 2))
    shares = report_with(HEADER + rows, Rules(strict=True))[0]["choices"]["job_match"]["total"]["options"]
    assert shares[2] == {"value": "no", "percent": None, "below": 5}


def test_chi_squared_as_r_prints_its_example():
    """R: `example(chisq.test)`, Agresti (2007) p. 39: X-squared = 30.07, df = 2, p-value = 2.954e-07."""
    table = {"women": (762, 327, 468), "men": (484, 239, 477)}
    rows = [
        (gender, option)
        for gender, counts in table.items()
        for option, n in zip("abc", counts, strict=True)
        for _ in range(n)
    ]
    frame = pd.DataFrame(rows, columns=["gender", "text"])
    frame = frame.assign(respondent=np.arange(len(frame)).astype(str), item="party", status="answered", value=np.nan)
    question = Question("party", "single", {"nl": "p", "en": "p"}, ("a", "b", "c"))
    test = choices(frame, {"party": question}, Rules())["party"]["differences"]["gender"]
    assert test["chi_squared"] == {"chi2": 30.07, "df": 2, "p": 2.954e-07}
    assert test["cramers_v"] == pytest.approx(np.sqrt(30.07 / 2757), abs=0.001)


def test_the_studys_tables_of_betas_come_out_of_the_invented_answers(study_report, baseline):
    """Tables 7, 10 and 13, to the printed digit with their stars."""
    now, printed = {}, {}
    for table in study_report["study_tables"].values():
        for row in table["rows"]:
            for cell in row["cells"]:
                beta = f"{cell['beta'] + 1e-9:.2f}" if cell.get("shown") else ""
                now[row["predictor"], cell["outcome"]] = beta + (cell["stars"] if beta else "")
                printed[row["predictor"], cell["outcome"]] = cell["printed"] or ""
    assert sum(map(bool, printed.values())) == 20
    assert now == printed
    table = study_report["study_tables"]["7"]["rows"][0]["cells"][0]
    assert (table["n"], table["size"]) == (112, "medium")
    assert set(SUBGROUPS) == {"asylum", "family", "women", "men"}
