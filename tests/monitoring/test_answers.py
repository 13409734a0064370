"""Files that people make: other separators, decimal signs, names; and everything that can be wrong in one."""

from __future__ import annotations

import pytest

from bot.cli import main
from bot.errors import AnswersError
from bot.monitoring.answers import item_of
from bot.monitoring.answers_file import SHOWN
from bot.monitoring.protection import Rules
from bot.monitoring.vocabulary import category, two_ages

TIDY = "respondent,wave,item,version,value,status,asked_on,language,channel,type,gender\n"


def values(answers):
    frame = answers.frame[answers.frame["status"] == "answered"]
    return [(r, i, v) for r, i, v in zip(frame["respondent"], frame["item"], frame["value"], strict=True)]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_separators_and_encodings_are_found_out(written, separator, encoding):
    text = "Respondent|Vraag|Antwoord|Geslacht\r\né1|Q3|4|vrouw\r\n"
    answers = written(text.replace("|", separator), encoding)
    assert values(answers) == [("é1", "Q3", 4.0)]
    assert list(answers.frame["gender"]) == ["women"]


def test_blanks_around_the_name_of_a_column_change_nothing_in_it(written):
    answers = written('respondent ;" item";value \n007;Q3;4\n')
    assert values(answers) == [("007", "Q3", 4.0)]


def test_a_decimal_comma_is_a_number_and_other_digits_too(written):
    answers = written('respondent;item;value\na;Q3;"4,0"\nb;Q3;٤\nc;Q20;7.0\n')
    assert values(answers) == [("a", "Q3", 4.0), ("b", "Q3", 4.0), ("c", "Q20", 7.0)]


def test_an_answer_between_two_marks_is_kept_and_told(written):
    answers = written("respondent;item;value\na;Q3;3,5\n")
    assert values(answers) == [("a", "Q3", 3.5)]
    assert answers.notes.counts == {"fraction": 1}


def test_a_wide_file_has_a_row_for_each_respondent(written):
    answers = written(
        "id;Type inburgeraar;Q3 Brede intake;q04;Q20;Q99\nr1;Gezinsmigrant;4;;10;\nr2;statushouder;-2;5;-1;3\n"
    )
    assert answers.layout == "wide"
    assert values(answers) == [("r1", "Q3", 4.0), ("r2", "Q4", 5.0), ("r1", "Q20", 10.0)]
    missing = answers.frame[answers.frame["status"] != "answered"]
    told = list(zip(missing["respondent"], missing["item"], missing["status"], strict=True))
    assert told == [("r2", "Q3", "skipped"), ("r1", "Q4", "no_answer"), ("r2", "Q20", "not_asked")]
    assert answers.notes.counts == {"unknown_item": 1}


def test_rows_that_break_a_rule_are_left_out_and_told_with_line_and_mend(written):
    answers = written(
        TIDY
        + "a,1,Q3,1,4,answered,2026-01-01,nl,telegram,asylum,women\n"
        + "b,1,Q77,1,4,answered,2026-01-01,nl,telegram,asylum,women\n"
        + "\n"
        + "c,1,Q3,1,6,answered,2026-01-01,nl,telegram,asylum,women\n"
        + "d,1,Q3,1,four,answered,2026-01-01,nl,telegram,asylum,women\n"
        + "e,1,Q3,1,4,skipped,2026-01-01,nl,telegram,asylum,women\n"
        + "f,1,Q3,1,4,perhaps,2026-01-01,nl,telegram,asylum,women\n"
        + "a,1,Q3,1,5,answered,2026-01-01,nl,telegram,asylum,women\n"
        + ",1,Q3,1,5,answered,2026-01-01,nl,telegram,asylum,women\n"
        + "g,1,Q3\n"
        + "a,2,Q3,1,2,answered,2026-02-01,nl,telegram,asylum,women\n"
    )
    assert values(answers) == [("a", "Q3", 4.0), ("a", "Q3", 2.0)]
    assert {note.code: note.line for note in answers.notes.first} == {
        "unknown_item": 3,
        "off_scale": 5,
        "not_a_number": 6,
        "value_without_answer": 7,
        "bad_status": 8,
        "duplicate_answer": 9,
        "no_respondent": 10,
        "bad_row": 11,
    }


def test_a_respondent_that_stands_twice_counts_once(written):
    answers = written("respondent,Q3,Q4\na,1,2\na,5,5\nb,3,3\n")
    assert [value for _, _, value in values(answers)] == [1, 3, 2, 3]
    assert [(note.line, note.value) for note in answers.notes.first] == [(3, "a")]


def test_many_faults_are_counted_but_not_all_told(written):
    answers = written("respondent,item,value\n" + "".join(f"r{number},Q3,9\n" for number in range(100)))
    assert answers.notes.counts["off_scale"] == 100
    assert len(answers.notes.first) == SHOWN


def test_a_background_that_contradicts_itself_counts_once(written):
    answers = written("respondent,item,value,gender\na,Q3,1,women\na,Q4,2,men\nb,Q3,3,\nb,Q4,3,men\n")
    assert list(answers.frame["gender"]) == ["women", "women", "men", "men"]
    assert answers.notes.counts["conflicting_background"] == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("\n \n", "empty"),
        ("a,b\n1,2\n", "no column is known"),
        ("respondent,id,item,value\n1,2,Q3,4\n", "mean the same"),
        ("PK\0\0\x01", "no text file"),
    ],
)
def test_a_file_that_can_not_be_used_says_why(written, text, words):
    with pytest.raises(AnswersError, match=words):
        written(text)


def test_the_command_says_so_in_one_line(tmp_path, capsys):
    assert main(["monitoring", "report", "--answers", str(tmp_path / "none.csv")]) == 1
    assert "can't be read" in capsys.readouterr().err


def test_a_header_alone_gives_a_report_without_figures(report_of):
    report = report_of("respondent,item,value\n")
    assert report["items"]["Q3"]["total"] == {
        "m": None,
        "sd": None,
        "n": 0,
        "interval": None,
        "distribution": [],
        "reason": "no_answers",
    }


def test_a_wave_without_answers_has_no_figure_but_its_name(report_of):
    rows = "".join(f"r{number},1,Q3,4,answered\n" for number in range(12))
    text = f"respondent,wave,item,value,status\n{rows}r1,2,Q3,,skipped\n"
    report = report_of(text, wave="2")
    assert report["source"]["waves"] == ["1", "2"]
    assert report["items"]["Q3"]["total"]["reason"] == "no_answers"
    assert report_of(text)["items"]["Q3"]["total"]["n"] == 12  # all waves: the latest answer, not the latest silence


def test_equal_answers_and_a_group_of_one_give_reasons_and_no_figure(report_of):
    rows = "".join(f"r{number},Q3,4,{'women' if number % 2 else 'men'}\n" for number in range(30))
    item = report_of(f"respondent,item,value,gender\n{rows}")["items"]["Q3"]
    assert (item["total"]["sd"], item["total"]["reason"]) == (0, "no_spread")
    assert item["differences"]["gender"]["reason"] == "no_spread"
    assert "difference" in item["baseline"]["total"]  # 2024 has spread, so there is a test
    alone = report_of("respondent,item,value,gender\na,Q3,4,women\nb,Q3,2,men\nc,Q3,5,men\n", Rules(min_people=1))[
        "items"
    ]["Q3"]
    assert (alone["groups"]["gender"]["women"]["m"], alone["groups"]["gender"]["women"]["sd"]) == (4, None)
    assert alone["differences"]["gender"]["reason"] == "too_few"
    assert alone["baseline"]["women"]["reason"] == "too_few"


@pytest.mark.parametrize(
    ("name", "item"),
    [("q3", "Q3"), ("Q03", "Q3"), ("Q 3 intake", "Q3"), ("pip_clear", "Q4"), ("Q31", "Q31"), ("x", None)],
)
def test_names_of_items(scales, name, item):
    assert item_of(name, scales) == item


@pytest.mark.parametrize(
    ("text", "group"),
    [("20 t/m 29", "20-29"), ("25", "20-29"), ("18", "18-19"), ("60+", "60+"), ("ouder dan 60", "60+")],
)
def test_ages(text, group):
    assert category("age_group", text) == group


def test_two_ages():
    assert [two_ages(group) for group in ("18-19", "20-29", "30-39", "25-34", "60+")] == [
        "18-29",
        "18-29",
        "30+",
        None,
        "30+",
    ]
