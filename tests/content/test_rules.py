"""Each fault in the content is named with file, line, key and mend."""
# ruff: noqa: E501  # a table of faults reads best with one line a fault

from __future__ import annotations

import pytest

from bot.commands.content import check as run_check
from bot.content.load import read_content
from bot.content.rules import check, is_phone
from tests.content.pack import write_pack


@pytest.fixture
def pack(tmp_path):
    return write_pack(tmp_path / "content")


def faults(pack):
    content, reader = read_content(pack)
    return [str(fault) for fault in (reader.faults or check(content, reader))]


def test_the_pack_itself_is_sound(pack, capsys):
    assert faults(pack) == []
    assert run_check(pack) == 0
    assert "2 topics in 3 languages" in capsys.readouterr().out


def replaced(old, new, times=1):
    return lambda text: text.replace(old, new, times)


def appended(more):
    return lambda text: text + more


BROKEN = {
    "a tab": ("nl/answers/pip.yaml", replaced("  title", "\ttitle"), "nl/answers/pip.yaml:2: a tab; use two spaces"),
    "a key twice": ("nl/answers/pip.yaml", replaced("  question", "  title"), "nl/answers/pip.yaml:3: one.what.title: stands twice"),
    "a topic twice": ("topics.yaml", replaced("two.what:", "one.what:"), "one.what: stands twice (first on line 1)"),
    "no YAML": ("topics.yaml", replaced("group: pip", "group: [pip"), "not readable as YAML"),
    "a date that can't be": ("topics.yaml", replaced("2026-10-01", "2026-02-31"), "topics.yaml:4:"),
    "a date that is no date": ("topics.yaml", replaced("2027-04-01", "soon"), "topics.yaml:5: one.what.review_by:"),
    "dates in a wrong order": ("topics.yaml", replaced("2027-04-01", "2020-01-01"), "must follow each other in time"),
    "no source": ("topics.yaml", replaced("  sources:\n    - title: A source of the town\n      url: https://town.example/one.what\n", ""), "'sources' is missing"),
    "a link that is not https": ("topics.yaml", replaced("[https://town", "[http://town"), "must be a link that starts with https://"),
    "a key that is unknown": ("topics.yaml", replaced("  status: draft", "  status: draft\n  colour: red"), "topics.yaml:8: one.what.colour: unknown key"),
    "a related topic that isn't there": ("topics.yaml", replaced("[two.what]", "[six.what]"), "'six.what' does not exist"),
    "a language that is missing": ("ar/answers/pip.yaml", lambda text: text[: text.index("two.what:")], "no answer in 'ar'"),
    "an answer to no topic": ("nl/answers/pip.yaml", replaced("two.what:", "six.what:"), "unknown topic"),
    "a part that is missing": ("en/answers/pip.yaml", replaced("  more: |\n", "  family: |\n"), "part 'more' is missing"),
    "other placeholders": ("en/answers/pip.yaml", replaced("{deadline}", "ten weeks"), "other placeholders than the Dutch (deadline)"),
    "a placeholder that isn't there": ("nl/answers/pip.yaml", replaced("{deadline}", "{dedline}"), "{dedline} is no figure"),
    "a figure without a value in a text": ("nl/answers/pip.yaml", replaced("{deadline}", "{desk_hours}"), "{desk_hours} has no value yet"),
    "HTML": ("nl/answers/pip.yaml", replaced("Some more", "<b>Some</b> more"), "HTML or markdown"),
    "a link in a text": ("nl/answers/pip.yaml", replaced("Some more", "www.x.nl more"), "links belong in topics.yaml"),
    "a telephone number in a text": ("nl/answers/pip.yaml", replaced("Some more", "Bel 024-3292408"), "a telephone number ('024-3292408')"),
    "an invisible character": ("ar/answers/pip.yaml", replaced("Some more", "Some\u200f more"), "an invisible character"),
    "a text that is too long": ("nl/answers/pip.yaml", replaced("Some more", "woord " * 200), "shorten it to 1000"),
    "a title that is too long": ("nl/answers/pip.yaml", replaced("title: nl one.what", "title: nl one what is this all about"), "nl/answers/pip.yaml:2: one.what.title:"),
    "the same title": ("nl/answers/pip.yaml", replaced("title: nl two.what", "title: nl one.what"), "the same title as one.what"),
    "a figure without a date": ("figures/town.yaml", replaced("  as_of: 2026-10-01\n", ""), "'as_of' is missing"),
    "a telephone number that can't be": ("figures/town.yaml", replaced("value: 14 024", "value: 12345678901234567"), "not a Dutch telephone number"),
    "a figure that nobody uses": ("figures/town.yaml", appended("spare: {value: 1, unit: days, source: x, as_of: 2026-01-01, review_by: 2027-01-01, withhold_after: 2028-01-01}\n"), "no text uses this figure"),
    "a figure in two files": ("figures/town.yaml", appended("term_years: {value: 3, unit: years}\n"), "stands in another file too"),
    "a value without a question": ("figures/town.yaml", replaced("  to_confirm: When is the desk open?\n", ""), "write under to_confirm"),
    "an example twice": ("nl/examples/pip.yaml", replaced("nl two.what number 3", "NL one what, number 3!"), "stands at one.what too"),
    "too few examples": ("nl/examples/pip.yaml", replaced("  - nl one.what number 3\n", ""), "9 examples; write at least 10"),
    "examples that are no list": ("nl/examples/pip.yaml", lambda text: "one.what: yes\n" + text[text.index("two.what:") :], "nl/examples/pip.yaml:1: one.what: must be a list"),
    "examples of no topic": ("nl/examples/pip.yaml", replaced("two.what:", "six.what:"), "unknown topic"),
    "a reply that is missing": ("en/replies.yaml", replaced("  declined:", "  refused:"), "escalate.declined: is missing"),
    "a button that is too long": ("en/replies.yaml", replaced("menu: Menu", "menu: The menu with all the subjects"), "a button takes 24"),
    "a reply with other placeholders": ("en/replies.yaml", replaced("before {moment}", "soon"), "other placeholders than the Dutch"),
    "a command in capitals": ("nl/commands.yaml", replaced("mens,", "Mens,"), "write 'Mens' as 'mens'"),
    "a word with two meanings": ("en/commands.yaml", replaced("human: [", "human: [stop, "), "means human and stop"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_fault_is_named_with_its_place_and_its_mend(pack, name):
    file, change, says = BROKEN[name]
    path = pack / file
    before = path.read_text(encoding="utf-8")
    after = change(before)
    assert after != before, "the test must break something"
    path.write_text(after, encoding="utf-8")
    found = faults(pack)
    assert any(says in fault for fault in found), found[:5]


def test_every_fault_is_told_and_not_only_the_first(pack, capsys):
    topics = pack / "topics.yaml"
    topics.write_text(topics.read_text().replace("status: draft", "status: perhaps"))
    assert run_check(pack) == 1
    assert "2 faults" in capsys.readouterr().err


def test_a_file_that_is_not_utf_8_is_a_fault(pack):
    (pack / "nl/answers/pip.yaml").write_bytes(b"one.what: caf\xe9")
    assert any("not UTF-8" in fault for fault in faults(pack))


def test_a_missing_file_is_a_fault(pack):
    (pack / "ar/replies.yaml").unlink()
    assert any("the file is missing" in fault for fault in faults(pack))


@pytest.mark.parametrize(
    ("text", "valid"),
    [("14 024", True), ("112", True), ("0800-0113", True), ("024 329 9111", True), ("+31 24 329 9111", True), ("hello", False), ("12345678901234", False)],
)  # fmt: skip
def test_telephone_numbers(text, valid):
    assert is_phone(text) is valid
