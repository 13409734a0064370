"""Why the service thinks what it thinks: the example questions and the words that carried a decision."""

from __future__ import annotations

import numpy as np

from bot.understanding.engine import Engine
from bot.understanding.outcome import Reason
from bot.understanding.reading import Reading

NEAREST, WORDS = 3, 5
MOST_WORDS = 40  # of a message that are tried
_EDGES = ".,;:!?…\"'()«»“”؟،؛"


def explain(engine: Engine, text: str, language: str) -> Reason:
    """What carried the best topic of a message. Never raises for any text."""
    reading = engine.reader.read(text, language)
    model = engine.model
    kernel = engine.kernel(reading)
    scores = model.full.scores(kernel)
    best = int(np.argmax(scores.chances[: len(model.topics)]))
    shares = kernel * model.full.votes[:, best]
    nearest = [int(at) for at in np.argsort(-shares)[:NEAREST]]
    total = float(np.sum(np.maximum(shares, 0))) or 1.0
    examples = tuple((model.examples[at].text, model.examples[at].label, float(shares[at]) / total) for at in nearest)
    carried = _words(engine, reading, best)
    rule = engine.rules.match(reading.views)
    topic = model.topics[best]
    return Reason(topic, reading.common, reading.guess.language, rule, scores.danger, examples, carried)


def _words(engine: Engine, reading: Reading, best: int) -> tuple[tuple[str, float], ...]:
    """Leave out each word in turn and see how the chance falls, as far as the quick measures see it."""
    spoken = reading.common.split()[:MOST_WORDS]
    if len(spoken) < 2:
        return tuple((word, 1.0) for word in spoken)
    whole = _score(engine, reading, best)
    losses = []
    for at, word in enumerate(spoken):
        rest = " ".join((*spoken[:at], *spoken[at + 1 :]))
        losses.append((word, whole - _score(engine, Reading(rest, rest, reading.guess), best)))
    losses.sort(key=lambda loss: -loss[1])
    return tuple((word.strip(_EDGES), loss) for word, loss in losses[:WORDS] if loss > 0)


def _score(engine: Engine, reading: Reading, best: int) -> float:
    return float(engine.kernel(reading, quick=True) @ engine.model.fast.votes[:, best])
