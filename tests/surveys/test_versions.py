"""Other words are another version; who answered the old one keeps it, in the file and in the codebook."""

from __future__ import annotations

import shutil
from dataclasses import replace

from bot import survey_figures
from bot.content.load import read_content
from bot.monitoring import baseline as baselines
from bot.monitoring.codebook import codebook
from bot.settings import ROOT
from tests.conftest import make_service
from tests.content.pack import write_pack
from tests.content.test_surveys import LANGUAGES, OLD, keep_words, new_wording
from tests.surveys.helping import invite
from tests.talk import Talk, keys


def reworded(content, folder):
    """The real surveys after somebody changed the words of one question."""
    pack = write_pack(folder / "content")
    for name in ("surveys.yaml", *(f"{language}/surveys.yaml" for language in LANGUAGES)):
        shutil.copy(ROOT / "content" / name, pack / name)
    new_wording(pack)
    for language, words in OLD.items():
        keep_words(pack, language, words)
    return replace(content, surveys=read_content(pack)[0].surveys)


def test_answers_before_and_after_a_change_of_words_keep_their_own(service, settings, vault, understander, tmp_path):
    first = Talk(service, "telegram").agrees("nl")
    invite(first, "after_intake", {"phase": "pip"})
    first.taps("survey:yes:1")
    assert OLD["nl"] in first.says("4")[-1].text
    first.says("2")
    changed = reworded(service.content, tmp_path)
    after = make_service(settings, service.store, vault, service.clock, changed, understander)  # it started again
    second = Talk(after, "telegram", who="another").agrees("nl")
    assert keys(invite(second, "after_intake", {"phase": "pip"}))[:1] == ["survey.ask"]
    second.taps("survey:yes:2")
    assert "(PIP) is duidelijk" in second.says("5")[-1].text
    second.says("5")
    waves = ("after_intake-2026-11-1", "after_intake-2026-11-2")
    rows = [row for wave in waves for row in after.store.read(lambda c, w=wave: survey_figures.rows(c, w))]
    named = [dict(zip(survey_figures.COLUMNS, row, strict=True)) for row in rows]
    found = [row for row in named if row["item"] == "pip_clear"]
    assert [(row["version"], row["value"]) for row in found] == [(1, "2"), (2, "5")]
    book = codebook(baselines.load(ROOT / "content" / "baseline_2024.yaml"), changed.surveys)
    entry = next(one.row() for one in book if one.item == "pip_clear")
    assert "(PIP) is duidelijk" in entry["wording_nl"]
    for language, words in OLD.items():
        assert f"1 ({language}): {words} [1 = " in entry["earlier_wordings"]
