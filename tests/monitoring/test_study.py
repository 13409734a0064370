"""Answers of invented people that give the study's tables 1, 3, 5, 9 and 12 (and 6 and 8) to the printed digit."""

from __future__ import annotations

import json
import re

import pytest

from bot.cli import main
from bot.monitoring import baseline as baselines
from bot.monitoring.baseline import SUBGROUPS
from bot.settings import ROOT
from tests.monitoring.conftest import STUDY

ITEMS = baselines.load(ROOT / "content" / "baseline_2024.yaml").items
PRINTED = [(name, group) for name, item in ITEMS.items() for group in item.published()]


@pytest.mark.parametrize(("name", "group"), PRINTED)
def test_a_printed_figure_comes_out_of_the_answers(study_report, name, group):
    item = study_report["items"][name]
    background, category = SUBGROUPS.get(group, ("", ""))
    found = item["groups"][background][category] if background else item["total"]
    row = ITEMS[name].published()[group]
    assert (found["m"], found["sd"], found["n"]) == (row.m, row.sd, row.n)


def marks(report, background, *, controlled=False):
    tests = {name: item["differences"][background] for name, item in report["items"].items() if ITEMS[name].women}
    return {
        name
        for name, test in tests.items()
        if (test["controlled"]["significant"] if controlled else test["significant"])
    }


def test_the_marks_of_the_study_come_out_by_students_test(study_report):
    assert marks(study_report, "type") == {"Q17", "Q19"}
    assert marks(study_report, "gender") == {"Q3", "Q16", "Q17", "Q19", "Q20"}  # Q20: see the check of the tool


def test_marks_vanish_or_appear_when_type_is_controlled_for(study_report):
    controlled = marks(study_report, "gender", controlled=True)
    assert {"Q3", "Q18"} <= controlled
    assert controlled.isdisjoint({"Q16", "Q17", "Q19"})


def test_age_and_work_differ_where_the_study_says(study_report):
    age = study_report["items"]["Q7"]
    assert age["groups"]["age"]["18-29"]["m"] == 4.32
    assert (age["groups"]["age"]["18-29"]["n"], age["groups"]["age"]["30+"]["n"]) == (22, 41)
    work = study_report["items"]["Q20"]
    assert (work["groups"]["work_status"]["working"]["m"], work["groups"]["work_status"]["not_working"]["m"]) == (
        5.17,
        6.37,
    )
    assert work["differences"]["work_status"]["highest"] == "not_working"


@pytest.mark.parametrize(
    ("name", "marked", "percent"), [("Q19", (1, 2), 25), ("Q36", (4, 5), 61), ("Q3", (5,), 50), ("Q32", (1,), 7)]
)
def test_shares_of_the_running_text_come_out(study_report, name, marked, percent):
    shares = {one["value"]: one["percent"] for one in study_report["items"][name]["total"]["distribution"]}
    assert sum(shares[mark] for mark in marked) == pytest.approx(percent, abs=1)


def test_the_tool_finds_the_studys_marks_in_its_printed_figures(study_report):
    check = study_report["tool_check"]
    assert check["marked"] == {"type": ["Q17", "Q19"], "gender": ["Q3", "Q16", "Q17", "Q19", "Q20"]}
    odd = {(line["item"], line["background"]): line for line in check["lines"] if line["verdict"] != "matches"}
    assert {key: line["verdict"] for key, line in odd.items()} == {
        ("Q18", "gender"): "controlled",
        ("Q20", "gender"): "not_reported",
    }
    assert odd["Q20", "gender"]["p"] == pytest.approx(0.0325, abs=0.001)
    assert "onderzoek meldt geen verschil" in odd["Q20", "gender"]["sentence"]["nl"]
    q7 = next(line for line in check["lines"] if (line["item"], line["background"]) == ("Q7", "type"))
    assert (q7["significant"], q7["verdict"]) == (False, "matches")


def test_beside_itself_nothing_differs_from_2024(study_report):
    for item in study_report["items"].values():
        for row in item["baseline"].values():
            if "difference" in row:
                assert row["difference"]["value"] == 0
                assert row["student"]["p"] == 1
                assert "toeval" in row["sentence"]["nl"]


def test_the_command_prints_the_report_as_json_and_as_a_page(capsys):
    assert main(["monitoring", "report", "--answers", str(STUDY)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["items"]["Q3"]["total"]["m"] == 3.9
    assert main(["monitoring", "report", "--answers", str(STUDY), "--format", "html", "--language", "nl"]) == 0
    page = capsys.readouterr().out
    assert "Cijfers van de peiling, naast 2024" in page
    assert re.search(r"3,90\s*<span class=\"small\">\(1,36; n&nbsp;113\)", page)
    assert "<script" not in page
    assert "http" not in page


def test_another_baseline_may_be_given_and_a_bad_one_is_told_with_its_place(tmp_path, capsys):
    other = tmp_path / "other.yaml"
    other.write_text("items:\n  Q3: {topic: intake, total: {m: 3.1, sd: 1.0, n: 50}}\n")
    assert main(["monitoring", "report", "--answers", str(STUDY), "--baseline", str(other)]) == 0
    row = json.loads(capsys.readouterr().out)["items"]["Q3"]["baseline"]["total"]
    assert row["difference"]["value"] == pytest.approx(0.8)
    assert row["sentence"]["en"].endswith("People are more positive than in 2024.")
    other.write_text("items:\n  Q3:\n    topic: intake\n    total: {m: 7.1, sd: 1.0, n: 50}\n")
    assert main(["monitoring", "report", "--answers", str(STUDY), "--baseline", str(other)]) == 1
    assert "other.yaml:2" in (error := capsys.readouterr().err)
    assert "outside the scale 1-5" in error


def test_a_higher_score_of_stress_is_worse(report_of):
    rows = "\n".join(f"r{number},2026,Q37,{8 + number % 2}" for number in range(40))
    row = report_of(f"respondent,wave,item,value\n{rows}\n")["items"]["Q37"]["baseline"]["total"]
    assert row["sentence"]["nl"].endswith("Mensen zijn minder positief dan in 2024.")
