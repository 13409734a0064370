"""Understands messages with a model fitted to a content folder. The only entrance: `load_understander`."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np

from bot.errors import WegwijsError
from bot.understanding.encoders import E5, Use
from bot.understanding.examples import OFF_TOPIC, PERSON, SMALLTALK
from bot.understanding.fit import model_path
from bot.understanding.kernel import FULL
from bot.understanding.model import Model, load
from bot.understanding.normalise import readable
from bot.understanding.outcome import Candidate, Outcome, Understander, Understanding

log = logging.getLogger(__name__)
CANDIDATES = 8


def load_understander(content_dir: Path, cache_dir: Path) -> Understander:
    """The engine for this content. Fits first when there is no model for it yet, or a broken one (once, a minute or two)."""
    path = model_path(content_dir, cache_dir)
    try:
        return Engine(load(path))
    except FileNotFoundError:
        log.info("fitting the understanding to %s", content_dir)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
        log.warning("the model %s can't be read (%s); fitting again", path, type(error).__name__)
    _fit_elsewhere(content_dir, cache_dir)
    return Engine(load(path))


def _fit_elsewhere(content_dir: Path, cache_dir: Path) -> None:
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))}
    command = [sys.executable, "-m", "bot.understanding.fit", str(content_dir.resolve()), str(cache_dir.resolve())]
    if subprocess.run(command, env=environment, check=False).returncode != 0:  # noqa: S603  # our own module
        raise WegwijsError("fitting the understanding failed; the lines above say why")


class Engine:
    """Thread-safe: nothing changes after the start."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._e5, self._use = E5(), Use()

    def understand(self, text: str, language: str) -> Understanding:
        """Understand a text. `language` is what the contact chose: a hint."""
        model = self._model
        text = readable(text)
        kernel = (
            FULL.e5 * model.e5.similarity(self._e5.encode([text]))[0]
            + FULL.use * model.use.similarity(self._use.encode([text]))[0]
            + FULL.grams * model.index.similarity(text)
        )
        head = model.heads["full"]
        scaled = head.sharpness * (kernel @ head.votes)
        chances = np.exp(scaled - scaled.max())
        chances /= chances.sum()
        danger = float((kernel @ model.heads["crisis_full"].votes)[0])
        best = np.argsort(-chances[: len(model.topics)])[:CANDIDATES]
        candidates = tuple(Candidate(model.topics[at], float(chances[at])) for at in best)
        other = {name: float(chances[at]) for at, name in enumerate(model.classes) if at >= len(model.topics)}
        return Understanding(_outcome(candidates, other, danger), language, candidates)


def _outcome(candidates: tuple[Candidate, ...], other: dict[str, float], danger: float) -> Outcome:
    away = other.get(PERSON, 0.0) + other.get(OFF_TOPIC, 0.0)
    if danger > 0.3:
        return Outcome.CRISIS
    if other.get(SMALLTALK, 0.0) > 0.5:
        return Outcome.SMALLTALK
    if away > max(0.35, candidates[0].confidence):
        return Outcome.ESCALATE
    if candidates[0].confidence > 0.5:
        return Outcome.ANSWER
    return Outcome.CLARIFY if sum(candidate.confidence for candidate in candidates[:3]) > 0.4 else Outcome.ESCALATE
