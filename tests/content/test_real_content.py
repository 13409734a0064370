"""The content that is served, and the pages made of it."""

from __future__ import annotations

from bot.commands.content import preview, to_confirm
from bot.content import editorial
from bot.content.load import read_content
from bot.content.rules import check
from bot.settings import ROOT


def test_the_content_has_no_fault():
    content, reader = read_content(ROOT / "content")
    assert reader.faults == []
    assert check(content, reader) == []


def test_the_content_is_easy_enough_and_its_translations_keep_up():
    content, reader = read_content(ROOT / "content")
    found, levels = editorial.check(content, reader)
    assert found == []
    assert [level[:3] for level in levels] == ["nl:", "en:", "ar:"]


def test_the_list_for_the_municipality_is_up_to_date():
    """If this fails: .venv/bin/wegwijs content to-confirm > docs/to-confirm.md"""
    assert (ROOT / "docs/to-confirm.md").read_text() == to_confirm(ROOT / "content")


def test_an_answer_can_be_previewed(capsys):
    assert preview(ROOT / "content", "pip.when", "ar") == 0
    assert "=== whatsapp" in capsys.readouterr().out
    assert preview(ROOT / "content", "no.such", "ar") == 1
