"""Figures from judged messages."""

import numpy as np
import pytest

from bot.understanding import folds, measures, pictures
from bot.understanding.decide import Calibration
from bot.understanding.engine import Look
from bot.understanding.language import Guess
from bot.understanding.measures import Judged, Query
from bot.understanding.model import Scores
from bot.understanding.outcome import Candidate, Outcome, Understanding
from bot.understanding.reading import Reading

READING = Reading("tekst", "tekst", Guess("nl", 1.0))
SCORES = Scores(np.ones(3, dtype=np.float32) / 3, 0.0)


def _judged(topics: str, outcome: Outcome, first: str = "a", sure: float = 0.9, kind: str = "plain") -> Judged:
    said = Understanding(outcome, "nl", (Candidate(first, sure), Candidate("b", 0.1), Candidate("c", 0.0)))
    return Judged(Query("1", "nl", "tekst", tuple(topics.split()), kind), said, 0.01, "x.crisis")


JUDGED = [
    _judged("a", Outcome.ANSWER),
    _judged("b", Outcome.CLARIFY, sure=0.4),
    _judged("z", Outcome.ANSWER, sure=0.8),
    _judged("", Outcome.ESCALATE, sure=0.2, kind="unanswerable"),
    _judged("", Outcome.SMALLTALK, sure=0.1, kind="smalltalk"),
    _judged("x.crisis", Outcome.CRISIS, first="x.crisis"),
]


def test_each_figure_counts_its_own_messages() -> None:
    found = measures.figures(JUDGED)
    assert found["first candidate right"].share == 0.5
    assert found["right within three"].share == 0.75
    assert found["answered at once and right"].share == 1 / 3
    assert found["right after at most one question"].share == 2 / 3
    assert found["wrong answer with confidence, of all"].share == 1 / 6
    assert found["must go to a person: handed over"].share == 1
    assert found["crisis seen"].share == 1
    assert found["false alarm, of no crisis"].share == 0
    assert found["small talk seen"].share == 1


def test_intervals_hold_the_share() -> None:
    figure = measures.figures(JUDGED)["first candidate right"]
    assert figure.low <= figure.share <= figure.high


def test_the_worst_pairs_come_with_their_texts() -> None:
    assert measures.confusions(JUDGED) == [("b", "a", ["tekst"]), ("z", "a", ["tekst"])]


def test_risk_rises_with_coverage_here() -> None:
    assert measures.risk_coverage(JUDGED) == [(0.25, 0.0), (0.5, 0.5), (0.75, 2 / 3), (1.0, 0.75)]


def test_reliability_sorts_by_confidence() -> None:
    rows = measures.reliability(JUDGED)
    assert sum(row[2] for row in rows) == len(JUDGED)
    assert pictures.line([(row[3], row[4]) for row in rows], ("t", "x", "y"), diagonal=True).startswith("<svg")


def test_a_calibration_is_fitted_on_the_other_folds_only() -> None:
    """First candidates whose chance is always 0.5 and that are right in nine of ten come out as about 0.9."""
    looks = [Look(READING, SCORES, danger=False) for _ in range(100)]
    judged = [_judged("b" if number % 10 == 0 else "a", Outcome.ANSWER) for number in range(100)]

    class Fake:
        def conclude(self, _: Look, calibration: Calibration) -> Understanding:
            return Understanding(Outcome.ANSWER, "nl", (Candidate("a", calibration.apply(0.5)),))

    crossed = folds.cross_validated(Fake(), looks, judged)
    confidences = [one.said.candidates[0].confidence for one in crossed]
    assert confidences == pytest.approx([1, *[7 / 8] * 4] * 20, abs=0.01), "all mistakes stand in the first fold"
    assert folds.cross_validated(Fake(), looks[:50], judged[:50]) == [], "too few to fit anything"
