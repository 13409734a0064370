"""Files that researchers take along, read back with the libraries that they use."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest

from bot.cli import main
from bot.monitoring import exports
from bot.monitoring.answers import read_answers
from bot.monitoring.codebook import codebook
from bot.monitoring.protection import Rules
from bot.monitoring.questions import questions_of
from bot.monitoring.report import Options, make
from bot.monitoring.vocabulary import BACKGROUNDS
from tests.monitoring.conftest import STUDY

NOW = datetime(2026, 11, 25, 22, 0, tzinfo=UTC)
STRICT = Rules(strict=True)


@pytest.fixture(scope="module")
def variables(baseline, content):
    return codebook(baseline, content.surveys)


@pytest.fixture(scope="module")
def folder(study, variables, tmp_path_factory):
    place = tmp_path_factory.mktemp("export")
    exports.write(exports.prepare(study, "", variables, STRICT), place, about={"filters": {}}, now=NOW)
    return place


def test_figures_of_an_export_are_those_of_the_answers(folder, scales, baseline, study_report):
    for name in ("answers_wide.csv", "answers_tidy.csv"):
        report = make(read_answers(folder / name, scales), baseline, Options(Rules()))
        for item in report["items"]:
            assert report["items"][item]["total"] == study_report["items"][item]["total"], (name, item)


def test_spss_reads_labels_and_missing_values(folder):
    frame, meta = pyreadstat.read_sav(folder / "answers.sav", user_missing=True)
    assert meta.column_names_to_labels["Q3"].startswith("De brede intake")
    labels = meta.variable_value_labels["Q3"]
    assert (labels[1.0], labels[5.0], labels[-2.0]) == ("Helemaal niet mee eens", "Helemaal mee eens", "skipped")
    assert meta.missing_ranges["Q3"] == [{"lo": -4.0, "hi": -1.0}]
    assert meta.variable_measure["Q3"] == "ordinal"
    valid, _ = pyreadstat.read_sav(folder / "answers.sav")
    assert (round(valid["Q3"].mean(), 2), valid["Q3"].count()) == (3.90, 113)
    assert set(frame["Q3"].unique()) <= {-4, 1, 2, 3, 4, 5}


def test_options_have_columns_and_labels_and_words_have_none(tmp_path, scales, baseline, content, variables):
    path = tmp_path / "answers.csv"
    rows = "".join(
        f"r{n},job_match,{'yes' if n < 12 else 'no'},answered\nr{n},lessons_taken,dutch;pvt,answered\n"
        f"r{n},work_hours,{20 + n % 3},answered\nr{n},anything_else,Geheim,answered\n"
        for n in range(30)
    )
    path.write_text(f"respondent,item,value,status\n{rows}r30,job_match,,skipped\n")
    known = questions_of(content.surveys, baseline.items)
    answers = read_answers(path, scales, known)
    exports.write(exports.prepare(answers, "", variables, STRICT), tmp_path / "out", about={}, now=NOW)
    frame, meta = pyreadstat.read_sav(tmp_path / "out" / "answers.sav", user_missing=True)
    labels = meta.variable_value_labels
    assert (labels["job_match"][1.0], labels["job_match"][-2.0]) == ("Ja", "skipped")
    assert labels["lessons_taken__pvt"][1.0] == "ja"
    assert meta.column_names_to_labels["lessons_taken__pvt"].startswith("PVT")
    assert meta.column_names_to_labels["type"] == "Type inburgeraar"
    assert sorted(frame["job_match"].value_counts().items()) == [(-2, 1), (1, 12), (3, 18)]
    assert (frame["lessons_taken__pvt"].sum(), frame["lessons_taken__map"].sum()) == (30 - 1, 0 - 1)  # -1: not asked
    assert "anything_else" not in frame.columns
    again = make(read_answers(tmp_path / "out" / "answers_tidy.csv", scales, known), baseline, Options(Rules()))
    first = make(answers, baseline, Options(Rules()))
    assert again["choices"]["job_match"]["total"] == first["choices"]["job_match"]["total"]
    wide = make(read_answers(tmp_path / "out" / "answers_wide.csv", scales, known), baseline, Options(Rules()))
    assert wide["choices"]["job_match"]["total"] == first["choices"]["job_match"]["total"]
    assert all(b"Geheim" not in file.read_bytes() for file in (tmp_path / "out").iterdir())


def test_a_spreadsheet_has_the_answers_and_the_codebook(folder):
    book = openpyxl.load_workbook(folder / "answers.xlsx")
    assert book.sheetnames == ["answers", "codebook"]
    header, *rows = book["answers"].iter_rows(values_only=True)
    column = header.index("Q3")
    values = [row[column] for row in rows if row[column] > 0]
    assert (round(float(np.mean(values)), 2), len(values)) == (3.90, 113)
    words = {row[0]: row for row in book["codebook"].iter_rows(values_only=True)}
    assert words["Q3"][words["name"].index("wording_ar")]


def test_parquet_and_csv_hold_the_same(folder):
    for name in ("answers_wide", "answers_tidy"):
        table = pd.read_parquet(folder / f"{name}.parquet")
        text = pd.read_csv(folder / f"{name}.csv", sep=";", decimal=",", encoding="utf-8-sig", keep_default_na=False)
        assert list(table.columns) == list(text.columns)
        assert len(table) == len(text)
    assert pd.read_parquet(folder / "answers_tidy.parquet")["value"].sum() == pytest.approx(
        pd.read_csv(folder / "answers_tidy.csv", sep=";", decimal=",")["value"].sum()
    )


def test_csv_is_marked_as_utf8_and_runs_no_formula(folder):
    assert (folder / "answers_wide.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert [exports.safe(value) for value in ("=1+1", "@x", "-2", "nl", -2)] == ["'=1+1", "'@x", "'-2", "nl", -2]


def test_a_formula_in_an_answers_file_stays_a_text(written, variables, tmp_path):
    answers = written('respondent,wave,item,value\na,"=cmd()",Q3,4\n')
    exports.write(exports.prepare(answers, "", variables, STRICT), tmp_path / "out", about={}, now=NOW)
    assert "'=cmd()" in (tmp_path / "out" / "answers_tidy.csv").read_text("utf-8-sig")
    sheet = openpyxl.load_workbook(tmp_path / "out" / "answers.xlsx")["answers"]
    assert [(cell.data_type, cell.value) for cell in sheet[2]][1] == ("s", "=cmd()")


def test_the_same_answers_give_the_same_bytes_and_the_manifest_says_which(study, variables, folder, tmp_path):
    manifest = exports.write(
        exports.prepare(study, "", variables, STRICT), tmp_path / "again", about={"filters": {}}, now=NOW
    )
    assert manifest == json.loads((folder / "manifest.json").read_text())
    for name, entry in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == entry["sha256"]
    assert (manifest["respondents"], manifest["answers"]) == (149, 1547)  # with 112 about guidance to work


def test_no_background_is_shared_by_too_few_and_no_pseudonym_goes_out(study, variables):
    data = exports.prepare(study, "", variables, STRICT)
    sizes = data.wide.groupby(list(BACKGROUNDS)).size()
    assert sizes.min() >= STRICT.min_people
    assert len(sizes) > 3  # not everything is taken away
    assert not set(map(str, data.wide["respondent"])) & set(study.frame["respondent"].astype(str))


def test_a_person_alone_in_every_group_keeps_no_background(written, variables):
    rows = "".join(f"r{number},Q3,4,asylum,women,{20 + number % 3 * 10},ar\n" for number in range(60))
    answers = written(f"respondent,item,value,type,gender,age_group,language\n{rows}x,Q3,1,family,men,60,en\n")
    wide = exports.prepare(answers, "", variables, STRICT).wide
    alone = wide[wide["Q3"] == 1].iloc[0]
    assert [alone[name] for name in BACKGROUNDS] == [""] * len(BACKGROUNDS)
    assert ((wide[list(BACKGROUNDS)] == "").all(axis=1)).sum() >= STRICT.min_people


def test_the_command_writes_every_file(tmp_path, capsys):
    assert main(["monitoring", "export", "--answers", str(STUDY), "--output", str(tmp_path / "out")]) == 0
    manifest = json.loads(capsys.readouterr().out)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*manifest["files"], "manifest.json"}
    assert manifest["filters"] == {"wave": None, "min_people": 10}
    assert main(["monitoring", "export", "--answers", str(STUDY), "--output", str(tmp_path), "--wave", "2030"]) == 1
    assert "it has 2024" in capsys.readouterr().err
