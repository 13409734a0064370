"""The cheapest outcome is taken."""

import numpy as np
import pytest

from bot.understanding.decide import CALIBRATION, Chances, decide, rank
from bot.understanding.model import Scores
from bot.understanding.outcome import Candidate, Outcome


def _chances(first: float, second: float = 0.0, third: float = 0.0, person: float = 0.0, small: float = 0.0) -> Chances:
    return Chances((Candidate("a", first), Candidate("b", second), Candidate("c", third)), person, small)


@pytest.mark.parametrize(
    ("chances", "outcome"),
    [
        (_chances(0.97), Outcome.ANSWER),
        (_chances(0.5, 0.4), Outcome.CLARIFY),
        (_chances(0.4, 0.3, 0.2), Outcome.CLARIFY),
        (_chances(0.05, 0.02, person=0.9), Outcome.ESCALATE),
        (_chances(0.01, small=0.95), Outcome.SMALLTALK),
        (_chances(0.1, 0.05, 0.05), Outcome.ESCALATE),
    ],
)
def test_the_outcome_follows_the_chances(chances: Chances, outcome: Outcome) -> None:
    assert decide(chances) is outcome


def test_candidates_come_best_first_and_confidence_rises_with_the_chance() -> None:
    scores = Scores(np.array([0.1, 0.6, 0.2, 0.1], dtype=np.float32), 0.0)
    found = rank(scores, ["a", "b", "c"], ["a", "b", "c", "person"])
    assert [candidate.topic for candidate in found.candidates] == ["b", "c", "a"]
    assert found.person == pytest.approx(0.1)
    assert CALIBRATION.apply(0.2) < CALIBRATION.apply(0.6) < CALIBRATION.apply(1.0) <= 1


def test_a_class_that_is_ruled_out_leaves_its_chance_to_the_others() -> None:
    scores = Scores(np.array([0.5, 0.3, 0.2], dtype=np.float32), 0.1).without(0)
    assert scores.chances.tolist() == pytest.approx([0, 0.6, 0.4])
    assert scores.danger == 0.1


def test_the_way_to_help_is_the_last_of_the_topics_in_a_question_back() -> None:
    chances = _chances(0.5, 0.3, 0.2)
    for topic, found in (("help", ["a", "b", "help", "c"]), ("a", ["b", "c", "a"])):
        assert [candidate.topic for candidate in chances.with_last_offered(topic).candidates] == found
