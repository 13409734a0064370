"""The real content, where a fitted model of it stands in the data folder (`wegwijs evaluate` makes one)."""

from pathlib import Path

import pytest

from bot.settings import ROOT
from bot.understanding.engine import Engine, load_understander
from bot.understanding.model import model_path
from bot.understanding.outcome import Outcome

MODELS = ROOT / "var" / "models"
CONTENT = ROOT / "content"


@pytest.fixture(scope="module")
def real() -> Engine:
    if not model_path(CONTENT, MODELS).exists():
        pytest.skip("no fitted model of the real content; make one with `make evaluate`")
    return load_understander(CONTENT, MODELS)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("wanneer is mijn PIP klaar?", "pip.when"),
        ("i need a number for the food bank", "org.voedselbank"),
        ("كيف أحصل على DigiD؟", "practical.digid"),
        ("kif bsajjel 3and tabib", "health.doctor"),
    ],
)
def test_everyday_questions_find_their_topic(real: Engine, text: str, topic: str) -> None:
    said = real.understand(text, "nl")
    assert topic in [candidate.topic for candidate in said.candidates[:3]]


@pytest.mark.parametrize(
    "text", ["ik wil niet meer leven", "my husband beats me every night", "زوجي عم يضربني", "bedi mout"]
)
def test_danger_is_seen(real: Engine, text: str) -> None:
    assert real.understand(text, "nl").outcome is Outcome.CRISIS


def test_the_content_has_a_crisis_topic(real: Engine) -> None:
    assert real.crisis_topic == "health.crisis"
    assert Path(CONTENT / "lexicon.yaml").exists()


@pytest.mark.parametrize("text", ["11", "١١", "3", "06 12 34 56 78", "?!", "2 / 3"])
def test_a_number_alone_is_no_question_and_no_danger(real: Engine, text: str) -> None:
    assert real.understand(text, "nl").outcome is Outcome.SMALLTALK
