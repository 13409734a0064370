"""The surveys' own rules, each broken once in a copy of the real files."""

from __future__ import annotations

import shutil

import pytest
import yaml

from bot.content.load import read_content
from bot.content.rules import check
from bot.settings import ROOT
from tests.content.pack import write_pack

LANGUAGES = ("nl", "en", "ar")


@pytest.fixture
def pack(tmp_path):
    root = write_pack(tmp_path / "content")
    for name in ("surveys.yaml", *(f"{language}/surveys.yaml" for language in LANGUAGES)):
        shutil.copy(ROOT / "content" / name, root / name)
    return root


def faults(root):
    content, reader = read_content(root)
    return [str(fault) for fault in reader.faults or check(content, reader) if "survey" in fault.file]


def broken(pack, file, old, new):
    path = pack / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return faults(pack)


def test_the_real_surveys_are_sound(pack):
    assert faults(pack) == []


def test_the_study_is_asked_whole(content):
    studies = {item.study for item in content.surveys.items.values() if item.study}
    assert studies == {f"Q{n}" for n in (3, 4, 7, 10, 13, 16, 17, 18, 19, 20, 25, 26, 31, 32, 33, 36, 37)}
    used = {key for survey in content.surveys.surveys.values() for key in survey.items}
    assert used == set(content.surveys.items)


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("ar/surveys.yaml", '"3": محايد, "4": أوافق,', '"4": أوافق,', "scales.agree: no label for 3"),
        ("en/surveys.yaml", "  stress: {", "  strass: {", "scales.stress: this scale has no labels here"),
        ("ar/surveys.yaml", "  pip_clear:", "  pip_klar:", "no words for 'pip_clear' in 'ar'"),
        ("nl/surveys.yaml", "(PIP) is helder", "(PIP) is duidelijk", "add version 2: '"),
        ("nl/surveys.yaml", "[eens, wel eens, ja]", "[eens, neutraal, ja]", "'neutraal' means 3 and 4"),
        ("nl/surveys.yaml", "[klaar,", "[ja,", "'ja' is an answer to"),
        ("nl/surveys.yaml", "skip: [", "skippen: [", "no words for 'skip'"),
        ("surveys.yaml", "scale: satisfied", "scale: pleased", "scales.pleased: this scale has no labels"),
        ("surveys.yaml", "study: Q4", "study: Q3", "Q3 stands at another item too"),
        ("surveys.yaml", "kind: open", "kind: essay", "items.lessons_improve.kind"),
        ("surveys.yaml", "items: [brede_intake_helped, pip_clear", "items: [pip", "'pip' is no item"),
        ("surveys.yaml", "[answered_well, answered_why]", "[answered_why, answered_well]", "must stand before it"),
        ("surveys.yaml", "values: [partly,", "values: [maybe,", "maybe: not among the values"),
        ("surveys.yaml", "after: brede_intake, days: 14", "days: 14", "give one of 'after', 'on' and 'every_months'"),
        ("surveys.yaml", "every_months: 6", "every_months: 0", "schedule.every_months"),
        ("surveys.yaml", "reminder_after_days: 0", "reminder_after_days: 3", "in one week break the limit"),
        ("surveys.yaml", "reminder_after_days: 0", "reminder_after_days: 9", "must come before the survey closes"),
        ("surveys.yaml", "after: lessons_end, days: 14", "after: lessons_start, days: 92", "break the limit a month"),
        ("surveys.yaml", "[initiatives_known, ", "[initiatives_known, pip_clear, ", "up to 4 questions"),
        ("surveys.yaml", "high: 80", "high: 0", "a number needs low and high"),
    ],
)
def test_a_fault_names_its_place_and_its_mend(pack, file, old, new, says):
    found = broken(pack, file, old, new)
    assert any(says in fault for fault in found), found
    assert all(fault.startswith("content/") and ".yaml:" in fault for fault in found)


def test_two_surveys_after_one_event_keep_a_week_between(pack):
    calm = "\n    reminder_after_days: 0"
    assert broken(pack, "surveys.yaml", "lessons_start, days: 90}", "lessons_start, days: 90}" + calm) == []
    more = f"  again:\n    items: [programme_stress]\n    schedule: {{after: lessons_start, days: 93}}{calm}\n"
    path = pack / "surveys.yaml"
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    for language in LANGUAGES:
        path = pack / language / "surveys.yaml"
        text = path.read_text(encoding="utf-8") + "  again: {title: Again, why: Because we want to know}\n"
        path.write_text(text, encoding="utf-8")
    assert any("3 days from 'lessons_begun' for the same people" in fault for fault in faults(pack))


OLD = {
    "nl": "Mijn persoonlijke plan van de gemeente (PIP) is helder. Ik weet wat ik kan verwachten en wat ik moet doen.",
    "en": "My personal plan from the municipality (PIP) is clear. I know what I can expect and what I have to do.",
    "ar": "خطتي الشخصية من البلدية (PIP) واضحة. أعرف ماذا أتوقع وما المطلوب مني.",
}


def new_wording(pack):
    """Somebody changes a word of a question, and does what the check says about the version."""
    found = broken(pack, "nl/surveys.yaml", "(PIP) is helder", "(PIP) is duidelijk")
    stamp = found[0].split("'")[1]
    text = (pack / "surveys.yaml").read_text(encoding="utf-8")
    end = text.index("}", text.index('versions: {1: "', text.index("  pip_clear:")))
    (pack / "surveys.yaml").write_text(text[:end] + f', 2: "{stamp}"' + text[end:], encoding="utf-8")


def keep_words(pack, language, question):
    """And keeps the old words where the check says."""
    labels = yaml.safe_load((pack / language / "surveys.yaml").read_text(encoding="utf-8"))["scales"]["agree"]
    path = pack / language / "surveys.yaml"
    text = path.read_text(encoding="utf-8")
    end = text.index("}", text.index("  pip_clear: {"))
    kept = yaml.safe_dump({1: {"question": question, "labels": labels}}, allow_unicode=True, default_flow_style=True)
    path.write_text(f"{text[:end]}, before: {' '.join(kept.split())}{text[end:]}", encoding="utf-8")


def test_a_new_wording_keeps_the_old_version_with_its_words(pack):
    new_wording(pack)
    found = faults(pack)
    assert len(found) == 3, "in each language"
    assert all("no words of version 1; write its question" in fault for fault in found)
    for language, words in OLD.items():
        keep_words(pack, language, words)
    assert faults(pack) == []
    surveys = read_content(pack)[0].surveys
    assert surveys.items["pip_clear"].version == 2
    assert [wording.question for wording in surveys.earlier("pip_clear", 1).values()] == [*OLD.values()]
    wrong = broken(pack, "nl/surveys.yaml", OLD["nl"], "Iets anders dat nooit zo gevraagd is.")
    assert any("these are not the words of version 1" in fault for fault in wrong)
