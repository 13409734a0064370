"""An engine fitted to a small, made-up content pack, once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.understanding.engine import Engine, load_understander
from bot.understanding.lexicon import Lexicon, read_lexicon
from bot.understanding.reading import Reader

HERE = Path(__file__).parent
PACK = HERE / "pack"
QUERIES = HERE / "pack_queries.jsonl"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def engine(cache: Path) -> Engine:
    return load_understander(PACK, cache)


@pytest.fixture(scope="session")
def reader(engine: Engine) -> Reader:
    return engine.reader


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    """The real one: its words are worth testing."""
    return read_lexicon(HERE.parents[1] / "content")
