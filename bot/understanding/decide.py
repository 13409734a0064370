"""What to do with a message, from chances. The costs of errors stand here, and nowhere else. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.understanding.examples import OFF_TOPIC, PERSON, SMALLTALK
from bot.understanding.model import Scores
from bot.understanding.outcome import Candidate, Outcome

OFFERED = 3  # topics in a question back
CANDIDATES = 8


@dataclass(frozen=True)
class Costs:
    """How bad each error is. The cheapest outcome, as far as the chances say, is taken.

    A wrong answer is the worst: somebody acts on it. A question back costs a tap. A person costs time and a day of
    waiting.
    """

    wrong_answer: float = 6.0
    question_back: float = 1.0
    not_among_those_asked: float = 3.0
    needless_person: float = 2.8
    chatted_away: float = 8.0  # a real question taken for small talk


@dataclass(frozen=True)
class Limits:
    """Where the crisis track and the quick path begin."""

    danger: float = 0.655  # from this score of the classifier it is a crisis; half of those that are reach 1
    perhaps: float = 0.45  # from this score a question back also offers the way to help
    sentence_danger: float = 1.4  # the same for one sentence of a long message, which may tell of something else
    quick_danger: float = 0.32  # from this score without e5 the quick path is not taken
    quick: float = 0.90  # chance from which the answer without e5 stands


@dataclass(frozen=True)
class Calibration:
    """From the chances of left-out examples to those of messages: `slope` and `shift` of the log-odds.

    An example counts for one topic only, while a message often has several right answers, so the chances that were
    fitted on examples are too careful. Chosen with a look at the development messages and at our own 1,089.
    """

    slope: float = 0.8
    shift: float = 0.7

    def apply(self, chance: float) -> float:
        """The chance that a candidate is right."""
        chance = min(max(chance, 1e-6), 1 - 1e-6)
        return 1 / (1 + math.exp(-(self.slope * math.log(chance / (1 - chance)) + self.shift)))


COSTS, LIMITS, CALIBRATION = Costs(), Limits(), Calibration()


@dataclass(frozen=True)
class Chances:
    """Topics best first, and the chance that none fits: a person is needed, or it is small talk."""

    candidates: tuple[Candidate, ...]
    person: float
    smalltalk: float

    def with_last_offered(self, topic: str) -> Chances:
        """The same with a topic as the last of those that a question back offers."""
        others = [candidate for candidate in self.candidates if candidate.topic != topic]
        chance = min([candidate.confidence for candidate in others[:OFFERED]], default=0.0)
        return Chances(
            (*others[: OFFERED - 1], Candidate(topic, chance), *others[OFFERED - 1 :]), self.person, self.smalltalk
        )


def rank(
    scores: Scores, topics: Sequence[str], classes: Sequence[str], calibration: Calibration = CALIBRATION
) -> Chances:
    """Order the topics by chance; sure candidates leave less for the others."""
    best = np.argsort(-scores.chances[: len(topics)], kind="stable")[:CANDIDATES]
    other = dict(zip(classes[len(topics) :], scores.chances[len(topics) :].tolist(), strict=True))
    candidates = tuple(Candidate(topics[at], calibration.apply(float(scores.chances[at]))) for at in best)
    return Chances(candidates, other.get(PERSON, 0.0) + other.get(OFF_TOPIC, 0.0), other.get(SMALLTALK, 0.0))


def decide(chances: Chances, costs: Costs = COSTS) -> Outcome:
    """The outcome that is expected to cost least (danger is looked at before)."""
    first = chances.candidates[0].confidence
    among = min(1.0, sum(candidate.confidence for candidate in chances.candidates[:OFFERED]))
    expected = {
        Outcome.ANSWER: costs.wrong_answer * (1 - first),
        Outcome.CLARIFY: costs.question_back + costs.not_among_those_asked * (1 - among),
        Outcome.ESCALATE: costs.needless_person * (1 - chances.person),
        Outcome.SMALLTALK: costs.chatted_away * (1 - chances.smalltalk),
    }
    return min(expected, key=lambda outcome: expected[outcome])
