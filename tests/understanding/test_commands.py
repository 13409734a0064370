"""`wegwijs ask` and `wegwijs evaluate`, as the contract of the command line has them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.commands.ask import ask
from bot.commands.evaluate import evaluate
from bot.errors import WegwijsError
from bot.understanding.engine import Engine
from tests.understanding.conftest import PACK, QUERIES


def _write(path: Path, lines: list[object]) -> Path:
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    return path


def test_ask_answers_every_line_in_order(engine: Engine, cache: Path, tmp_path: Path) -> None:
    messages = [
        {"id": "1", "lang": "nl", "text": "hoe laat gaat het zwembad open"},
        {"id": "2", "lang": "nl", "text": "my husband beats me"},
        {"id": "3", "lang": "ar", "text": "شكرا"},
        {"id": 4, "text": ""},
    ]
    target = tmp_path / "out.jsonl"
    assert ask(_write(tmp_path / "in.jsonl", messages), target, PACK, cache) == 0
    lines = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in lines] == ["1", "2", "3", 4]
    assert [line["outcome"] for line in lines] == ["answer", "crisis", "smalltalk", "smalltalk"]
    assert [line["topic"] for line in lines] == ["pool.hours", "danger.crisis", None, None]
    assert [line["language"] for line in lines] == ["nl", "en", "ar", "und"]
    assert all(len(line["candidates"]) >= 5 for line in lines)


def test_ask_says_why(engine: Engine, cache: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    ask(
        _write(tmp_path / "in.jsonl", [{"id": "1", "text": "afvalkalender van mijn straat"}]),
        target,
        PACK,
        cache,
        why=True,
    )
    why = json.loads(target.read_text(encoding="utf-8"))["why"]
    assert why["examples"][0][1] == "waste.pickup"
    assert why["words"][0][0] == "afvalkalender"


@pytest.mark.parametrize(("text", "told"), [("{", "no JSON"), ("[1]", "no JSON object")])
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(f'{{"id": 1}}\n{text}\n')
    with pytest.raises(WegwijsError, match=f":2: {told}"):
        ask(path, tmp_path / "out.jsonl", PACK, tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WegwijsError, match="can't be read"):
        ask(tmp_path / "none.jsonl", tmp_path / "out.jsonl", PACK, tmp_path)


def test_evaluate_prints_every_figure(engine: Engine, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(QUERIES, PACK, cache) == 0
    told = capsys.readouterr().out
    for part in ("first candidate right", "right within three", "crisis seen", "worst confused", "risk and coverage"):
        assert part in told
    assert "reliability" in told
    assert "<svg" in (cache / "risk-coverage.svg").read_text(encoding="utf-8")


def test_evaluate_leaves_out_topics_that_do_not_exist(
    engine: Engine, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queries = [
        {"id": "1", "lang": "nl", "text": "zwembad open?", "topics": ["pool.hours", "gone.topic"], "kind": "keyword"},
        {"id": "2", "lang": "nl", "text": "iets anders", "topics": ["gone.topic"], "kind": "plain"},
        {"id": "3", "lang": "nl", "text": "hallo", "topics": [], "kind": "smalltalk"},
    ]
    assert evaluate(_write(tmp_path / "q.jsonl", queries), PACK, cache, as_json=True) == 0
    told = capsys.readouterr()
    assert "gone.topic does not stand in the content: left out of 2 messages" in told.err
    found = json.loads(told.out)
    assert found["messages"] == 2
    assert found["by_language"]["nl"]["first candidate right"]["share"] == 1
    assert found["by_kind"]["smalltalk"]["small talk seen"]["share"] == 1


def test_evaluate_needs_a_message(engine: Engine, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(WegwijsError, match="no message"):
        evaluate(_write(tmp_path / "q.jsonl", []), PACK, cache)
