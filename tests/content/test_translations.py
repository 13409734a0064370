"""A translation is known to be of the Dutch of now, or it is flagged."""
# ruff: noqa: E501  # tables and samples read best with one line each

from __future__ import annotations

import pytest

from bot.cli import main
from bot.content import editorial
from bot.content.load import read_content
from bot.content.translations import Lag, lags, stamp_of, stamped
from tests.content.pack import write_pack


@pytest.fixture
def pack(tmp_path):
    return write_pack(tmp_path / "content")


def run(what, pack, *more):
    return main(["content", what, *more, "--content", str(pack)])


def change(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def found_in(pack):
    content, reader = read_content(pack)
    return [str(fault) for fault in editorial.check(content, reader)[0]]


def test_a_change_in_the_dutch_flags_its_translations_until_they_are_stamped(pack, capsys):
    change(pack / "nl/answers/pip.yaml", "Call", "Ring")
    told = found_in(pack)
    assert told == [
        f"content/{language}/answers/pip.yaml:4: one.what.translated_from: translated from an older Dutch text; "
        "compare, then run: wegwijs content stamp one.what"
        for language in ("en", "ar")
    ]
    assert run("check", pack) == 1
    assert run("stamp", pack, "one.what") == 0
    assert "2 translations stamped; 0 were up to date" in capsys.readouterr().out
    assert found_in(pack) == []
    assert run("check", pack) == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [("title: nl two", "title: nl 2"), ("What is two", "What was two"), ("Some more about", "A bit about"), ("is open {", "opens {")],
)  # fmt: skip
def test_the_title_the_question_and_every_part_count(pack, old, new):
    change(pack / "nl/answers/pip.yaml", old, new)
    content, _ = read_content(pack)
    assert len(list(lags(content))) == 2


def test_a_translation_without_a_stamp_is_a_fault_and_a_stamp_in_the_dutch_is_one(pack):
    content, _ = read_content(pack)
    stamp = stamp_of(content.answer("one.what", "nl"))
    change(pack / "ar/answers/pip.yaml", f'  translated_from: "{stamp}"\n', "")
    change(pack / "nl/answers/pip.yaml", "  short: |", f'  translated_from: "{stamp}"\n  short: |')
    told = found_in(pack)
    assert "content/nl/answers/pip.yaml:4: one.what.translated_from: only a translation has this; remove it" in told
    assert any("ar/answers/pip.yaml:1: one.what.translated_from: not yet compared" in fault for fault in told)
    assert list(lags(read_content(pack)[0])) == [Lag("one.what", "ar", None)]


def test_stamping_changes_nothing_but_the_stamp(pack):
    path = pack / "ar/answers/pip.yaml"
    bare = "".join(line for line in path.read_text().splitlines(keepends=True) if "translated_from" not in line)
    odd = ("# by hand\n" + bare.replace("  title: ar one", "  title:   'ar one")).replace(
        "one.what\n", "one.what'\n", 1
    )
    path.write_bytes(odd.replace("\n", "\r\n").encode())
    assert run("stamp", pack) == 0
    lines = path.read_bytes().decode().split("\r\n")
    assert "\n".join(line for line in lines if "translated_from" not in line) == odd
    assert sum("translated_from" in line for line in lines) == 2
    before = path.read_bytes()
    assert run("stamp", pack) == 0
    assert path.read_bytes() == before


def test_a_stamp_is_a_text_even_when_it_looks_like_a_number():
    text = "a.b:\n  title: x\n  short: y\n"
    assert stamped(text, {("a.b", "short"): 3}, {"a.b": "12345678"}) == (
        'a.b:\n  title: x\n  translated_from: "12345678"\n  short: y\n'
    )


def test_a_file_that_the_program_would_spoil_is_left_as_it_was(pack, capsys):
    path = pack / "ar/answers/pip.yaml"
    path.write_text(
        "{one.what: {title: 'a one', question: 'b one', short: 'a text that is long enough {deadline} {phone}'}}\n"
    )
    before = path.read_bytes()
    assert run("stamp", pack, "one.what") == 1
    assert "by hand" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_an_unknown_topic_and_a_broken_file_are_refused(pack, capsys):
    assert run("stamp", pack, "six.what") == 1
    assert "no topic 'six.what'" in capsys.readouterr().err
    change(pack / "ar/answers/pip.yaml", "one.what:", "\tone.what:")
    assert run("stamp", pack) == 1
    assert run("lag", pack) == 1
    assert "a tab; use two spaces" in capsys.readouterr().err


def test_lag_shows_the_dutch_of_now_beside_the_translation(pack, capsys):
    assert run("lag", pack) == 0
    assert "0 translations to compare" in capsys.readouterr().out
    change(pack / "nl/answers/pip.yaml", "Call", "Ring")
    assert run("lag", pack) == 1
    told = capsys.readouterr().out
    assert "=== one.what · en · older Dutch" in told
    assert any(
        "Ring {phone}." in row.split("│")[0] and "Call {phone}." in row.split("│")[1]
        for row in told.splitlines()
        if "│" in row
    )
    assert "wegwijs content stamp one.what" in told
    assert "2 translations to compare" in told
