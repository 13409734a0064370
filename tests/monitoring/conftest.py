"""Answers for the tests: the invented respondents of the study, and files written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.monitoring import baseline as baselines
from bot.monitoring.answers import read_answers
from bot.monitoring.protection import Rules
from bot.monitoring.questions import questions_of
from bot.monitoring.report import Options, make, scales_of
from bot.settings import ROOT

STUDY = Path(__file__).parent / "study_2024.csv"


@pytest.fixture(scope="session")
def baseline():
    return baselines.load(ROOT / "content" / "baseline_2024.yaml")


@pytest.fixture(scope="session")
def scales(baseline):
    return scales_of(baseline)


@pytest.fixture(scope="session")
def study(scales, content, baseline):
    return read_answers(STUDY, scales, questions_of(content.surveys, baseline.items))


@pytest.fixture(scope="session")
def study_report(study, baseline):
    return make(study, baseline, Options(Rules(), source="study_2024.csv"))


@pytest.fixture
def written(tmp_path, scales):
    """Read a file with this text."""

    def read(text, encoding="utf-8"):
        path = tmp_path / "answers.csv"
        path.write_bytes(text.encode(encoding))
        return read_answers(path, scales)

    return read


@pytest.fixture
def report_of(written, baseline):
    """The report of a file with this text."""

    def report(text, rules=None, wave=""):
        return make(written(text), baseline, Options(rules or Rules(), wave, "answers.csv"))

    return report
