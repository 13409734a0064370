"""Understands messages with a model fitted to a content folder. The entrance is `load_understander`."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.errors import WegwijsError
from bot.understanding import decide
from bot.understanding.arrays import BROKEN
from bot.understanding.danger import Rules, read_rules
from bot.understanding.encoders import E5, Encoder, Use, Vectors
from bot.understanding.examples import CRISIS_SUFFIX
from bot.understanding.kernel import FAST, FULL, Floats, Mix
from bot.understanding.lexicon import read_lexicon
from bot.understanding.model import Model, Scores, load, model_path
from bot.understanding.normalise import MAX_CHARACTERS, stretches, words
from bot.understanding.outcome import Candidate, Outcome, Reason, Understanding
from bot.understanding.reading import Reader, Reading, make_reader, parts

log = logging.getLogger(__name__)

Near = tuple[Floats, Floats]
Message = tuple[str, str]  # a text, and the language that its sender chose
Said = Understanding | Exception

_QUESTIONS = 4  # of one message that are looked at
_KEPT = 3  # fitted models: of this content, of the one before it, of a pack that somebody measures
_LONG = 250  # characters from which the sentences of a message are looked at one by one
_END = 500  # characters
_SENTENCES = 60  # of a message that are: two seconds at most
_TOGETHER = 8  # sentences that the fast encoder gets at once; more gain little and would be looked at for nothing
_ALSO = 0.9  # chance from which a sentence of its own is a second question


def load_understander(content_dir: Path, cache_dir: Path) -> Engine:
    """The engine for this content. Fits first when there is no model for it, or a broken one: once, a minute or two."""
    path = model_path(content_dir, cache_dir)
    try:
        model = load(path)
    except FileNotFoundError:
        log.info("fitting the understanding to %s", content_dir)
        model = _fit(content_dir, path)
    except BROKEN as error:
        log.warning("the model %s can't be read (%s); fitting again", path, type(error).__name__)
        model = _fit(content_dir, path)
    reader = make_reader(read_lexicon(content_dir), model.languages, model.vocabulary)
    return Engine(model, reader, read_rules(content_dir), E5(), Use(path.parent))


def _fit(content_dir: Path, path: Path) -> Model:
    """In another process, so that this one does not keep the memory."""
    root = str(Path(__file__).parents[2])
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")])),
        "OPENBLAS_NUM_THREADS": "1",  # on a busy machine its threads wait for one another: four times slower
    }
    command = [sys.executable, "-m", "bot.understanding.fit", str(content_dir.resolve()), str(path.resolve())]
    if subprocess.run(command, env=environment, check=False).returncode != 0:  # noqa: S603  # our own module
        raise WegwijsError("fitting the understanding failed; the lines above say why")
    fitted = sorted(path.parent.glob("understanding-*.npz"), key=lambda found: found.stat().st_mtime)
    for old in fitted[:-_KEPT]:
        old.unlink(missing_ok=True)
    return load(path)


@dataclass(frozen=True)
class Opened:
    """A message that was read. `danger`: a rule says so. `kind`: as `smalltalk` of a Look."""

    text: str
    language: str
    reading: Reading
    danger: bool
    kind: str


@dataclass(frozen=True)
class Look:
    """A message before the decision. `smalltalk`: its kind where the whole message is a friendly phrase."""

    reading: Reading
    scores: Scores
    danger: bool
    smalltalk: str = ""


def _ends(text: str) -> str:
    """What the slow encoder sees of a text: of a very long one both ends, for it takes 3 s over 4,096 characters."""
    return text if len(text) <= 2 * _END else f"{text[:_END]} {text[-_END:]}"


class Engine:
    """An `Understander`. Thread-safe: nothing changes after the start."""

    def __init__(self, model: Model, reader: Reader, rules: Rules, e5: Encoder, use: Encoder) -> None:
        self.model, self.reader, self.rules = model, reader, rules
        self._e5, self._use = e5, use
        self.crisis_topic = next((topic for topic in model.topics if topic.endswith(CRISIS_SUFFIX)), "")

    def understand(self, text: str, language: str, *, hurry: bool = False) -> Understanding:
        """Understand a text. `language` is what the contact chose: a hint. Never raises for any text.

        `hurry`: the slow encoder is asked only about danger. That costs a point or two (docs/understanding.md).
        """
        return self.conclude(self.look(text, language, hurry=hurry))

    def understand_many(self, messages: Sequence[Message], *, hurry: bool = False) -> Iterator[tuple[int, Said]]:
        """As `understand` for each (text, language), together, which takes less; never raises.

        Gives the place of a message and what it means as soon as that is known, so none waits for those that take long.
        A message that can't be understood gives its error instead.
        """
        opened = {}
        for place, message in enumerate(messages):
            try:
                opened[place] = self._open(*message)
            except Exception as error:  # noqa: BLE001  # it must not take the others with it
                yield place, error
        if not opened:
            return
        try:
            nears = self.nears([one.reading for one in opened.values()])
            quick = self._quick(nears)
        except Exception:  # noqa: BLE001  # whichever it was: one by one it fails alone
            yield from ((place, self._alone(messages[place], hurry=hurry)) for place in opened)
            return
        found = list(zip(opened.items(), nears, quick, strict=True))
        found.sort(key=lambda each: self._takes_long(each[0][1], each[2], hurry=hurry))
        for (place, one), near, scores in found:
            try:
                yield place, self.conclude(self._close(one, near, scores, hurry=hurry))
            except Exception as error:  # noqa: BLE001  # as above
                yield place, error

    def _alone(self, message: Message, *, hurry: bool) -> Said:
        try:
            return self.understand(*message, hurry=hurry)
        except Exception as error:  # noqa: BLE001  # as above
            return error

    def look(self, text: str, language: str, *, hurry: bool = False) -> Look:
        """What stands in a message, before anything is decided."""
        opened = self._open(text, language)
        near = self.near(opened.reading)
        return self._close(opened, near, self.scores(opened.reading, quick=True, near=near), hurry=hurry)

    def _open(self, text: str, language: str) -> Opened:
        reading = self.reader.read(text, language)
        folded = " ".join(words(reading.text))
        says_something = any(map(str.isalpha, folded))  # a number alone is a slip, or a choice from a list that is gone
        kind = self.reader.lexicon.smalltalk.get(folded, "" if says_something else "other")
        return Opened(text, language, reading, bool(self.rules.match(reading.views)), kind)

    def _takes_long(self, opened: Opened, quick: Scores, *, hurry: bool) -> bool:
        """Whether the slow encoder is needed, or sentences are looked at."""
        return opened.danger or len(opened.text) >= _LONG or not (opened.kind or self._sure(quick, hurry=hurry))

    def _close(self, opened: Opened, near: Near, quick: Scores, *, hurry: bool) -> Look:
        scores, danger, kind = quick, opened.danger or self._inside(opened), opened.kind
        if danger or not (kind or self._sure(scores, hurry=hurry)):
            scores = self._thorough(opened.reading, scores, near)
            danger = bool(self.crisis_topic) and (danger or scores.danger >= decide.LIMITS.danger)
        return Look(opened.reading, scores, danger, "" if danger else kind)

    def conclude(self, look: Look, calibration: decide.Calibration = decide.CALIBRATION) -> Understanding:
        """What to do with a message, by the chances that a calibration makes of its scores."""
        if look.danger:
            return self._crisis(look.reading, self._rank(look.scores, calibration))
        chances = self._safe(look.scores, calibration)
        outcome = Outcome.SMALLTALK if look.smalltalk else decide.decide(chances)
        kind = look.smalltalk or (self._smalltalk(look.reading) if outcome is Outcome.SMALLTALK else "")
        also = self._also(look.reading, chances) if outcome is Outcome.ANSWER else ()
        return Understanding(outcome, look.reading.guess.language, chances.candidates, kind, also)

    def explain(self, text: str, language: str) -> Reason:
        """What carried the best topic of a message. Never raises for any text."""
        from bot.understanding.explain import explain  # noqa: PLC0415  # that module needs this one

        return explain(self, text, language)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The fast encoder's view of some texts, to compare them with each other."""
        return self._use.encode([self.reader.read(text, "nl").common for text in texts])

    def scores(self, reading: Reading, *, quick: bool = False, near: Near | None = None) -> Scores:
        """Chances of all classes; `quick` leaves out the slow encoder. `near`: what `near` gave for this message."""
        return (self.model.fast if quick else self.model.full).scores(self.kernel(reading, quick=quick, near=near))

    def kernel(self, reading: Reading, *, quick: bool = False, near: Near | None = None) -> Floats:
        """How much the message is like each example."""
        mix = FAST if quick else FULL
        kernel = self._mix(mix, near or self.near(reading))
        if mix.e5:
            kernel += mix.e5 * self.model.e5.similarity(self._e5.encode([_ends(reading.common)]))[0]
        return kernel

    def near(self, reading: Reading) -> Near:
        """Likeness to each example by words and by the fast encoder: what both heads need."""
        return self.nears([reading])[0]

    def nears(self, readings: Sequence[Reading]) -> list[Near]:
        """The same of several: the fast encoder takes half as long for each of eight as for one."""
        use = self.model.use.similarity(self._use.encode([reading.common for reading in readings]))
        return [(self.model.index.similarity(reading.counted), row) for reading, row in zip(readings, use, strict=True)]

    @staticmethod
    def _mix(mix: Mix, near: Near) -> Floats:
        grams, use = near
        return mix.grams * grams + mix.use * use

    def _inside(self, opened: Opened) -> bool:
        """Danger in the middle of a long message: a phrase, or a sentence that alone sounds like it."""
        text = opened.text
        if len(text) < _LONG:
            return False
        sentences: list[str] = []
        for stretch in stretches(text):
            reading = opened.reading if stretch == text else self.reader.read(stretch, opened.language)
            if len(text) > MAX_CHARACTERS and self.rules.match(reading.views):
                return True
            sentences += parts(reading.text)
        return any(
            self._sounds_dangerous(sentences[start : min(start + _TOGETHER, _SENTENCES)], opened.language)
            for start in range(0, min(len(sentences), _SENTENCES), _TOGETHER)
        )

    def _sounds_dangerous(self, sentences: Sequence[str], language: str) -> bool:
        """Whether one of some sentences does, alone."""
        readings = [self.reader.read(sentence, language) for sentence in sentences]
        nears = self.nears(readings)
        for reading, near, quick in zip(readings, nears, self._quick(nears), strict=True):
            if quick.danger < decide.LIMITS.danger:
                continue
            if self._thorough(reading, quick, near).danger >= decide.LIMITS.sentence_danger:
                return True
        return False

    def _thorough(self, reading: Reading, quick: Scores, near: Near) -> Scores:
        """The scores with the slow encoder. Danger is the mean of both views: it is surer than either."""
        full = self.scores(reading, near=near)
        return Scores(full.chances, (full.danger + quick.danger) / 2)

    def _rank(self, scores: Scores, calibration: decide.Calibration = decide.CALIBRATION) -> decide.Chances:
        return decide.rank(scores, self.model.topics, self.model.classes, calibration)

    def _safe(self, scores: Scores, calibration: decide.Calibration) -> decide.Chances:
        """The chances of a message that tells of no danger, so it is not about that.

        Where that is not certain, the way to help stands among the topics of a question back.
        """
        if not self.crisis_topic:
            return self._rank(scores, calibration)
        chances = self._rank(scores.without(self.model.topics.index(self.crisis_topic)), calibration)
        return chances.with_last_offered(self.crisis_topic) if scores.danger >= decide.LIMITS.perhaps else chances

    def _sure(self, quick: Scores, *, hurry: bool) -> bool:
        first = self._rank(quick).candidates[0]
        return (hurry or first.confidence >= decide.LIMITS.quick) and quick.danger < decide.LIMITS.quick_danger

    def _crisis(self, reading: Reading, chances: decide.Chances) -> Understanding:
        others = [candidate for candidate in chances.candidates if candidate.topic != self.crisis_topic]
        first = next((c for c in chances.candidates if c.topic == self.crisis_topic), Candidate(self.crisis_topic, 0.0))
        sure = Candidate(first.topic, max(first.confidence, others[0].confidence if others else 0.0))
        return Understanding(Outcome.CRISIS, reading.guess.language, (sure, *others))

    def _smalltalk(self, reading: Reading) -> str:
        """The kind of a friendly message that is no phrase of the lexicon: the longest phrase in it decides."""
        folded = " ".join(words(reading.text))
        found = [phrase for phrase in self.reader.lexicon.smalltalk if f" {phrase} " in f" {folded} "]
        kinds = self.reader.lexicon.smalltalk
        return kinds[max(found, key=lambda phrase: (kinds[phrase] != "other", len(phrase)))] if found else "other"

    def _also(self, reading: Reading, chances: decide.Chances) -> tuple[str, ...]:
        """The topic of a second question. Each question must stand in a sentence of its own that is clear by itself."""
        questions = [part for part in parts(reading.text) if part.endswith(("?", "؟"))]
        if len(questions) < 2:
            return ()
        read = [self.reader.read(question, reading.guess.language) for question in questions[:_QUESTIONS]]
        best = [self._rank(scores).candidates[0] for scores in self._quick(self.nears(read))]
        others = (chances.candidates[0].topic, self.crisis_topic)
        return tuple(one.topic for one in best if one.confidence >= _ALSO and one.topic not in others)[:1]

    def _quick(self, nears: Sequence[Near]) -> list[Scores]:
        return self.model.fast.scores_of(np.array([self._mix(FAST, near) for near in nears]))
