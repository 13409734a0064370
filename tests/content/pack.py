"""A small sound content pack, written to a folder, so that a test can break one thing in it."""

from __future__ import annotations

import contextlib
import io
import shutil
from pathlib import Path

from bot.commands.translations import stamp
from bot.settings import ROOT

TOPIC = """{key}:
  group: pip
  owner: service
  checked_on: 2026-10-01
  review_by: 2027-04-01
  withhold_after: 2027-10-01
  status: draft
  sources:
    - title: A source of the town
      url: https://town.example/{key}
  links: [https://town.example/{key}]
  related: [{other}]
"""
ANSWER = """{key}:
  title: {language} {key}
  question: What is {key} in {language}?
  short: |
    You get it within {{deadline}}. Call {{phone}}.
  more: |
    Some more about it.
  when_known:
    desk_hours: The desk is open {{desk_hours}}.
"""
FIGURES = """deadline:
  value: 10
  unit: weeks
  source: A law
  as_of: 2026-10-01
  review_by: 2027-04-01
  withhold_after: 2027-10-01
phone:
  value: 14 024
  unit: phone
  source: The town
  as_of: 2026-10-01
  review_by: 2027-04-01
  withhold_after: 2027-10-01
desk_hours:
  value: null
  unit: text
  to_confirm: When is the desk open?
"""


def write_pack(root: Path) -> Path:
    """Two topics, three languages, ten examples each, stamped; replies, commands and levels are the real ones."""
    root.mkdir()
    (root / "figures").mkdir()
    shutil.copy(ROOT / "content/figures/shared.yaml", root / "figures/shared.yaml")
    (root / "figures/town.yaml").write_text(FIGURES)
    (root / "topics.yaml").write_text(
        TOPIC.format(key="one.what", other="two.what") + TOPIC.format(key="two.what", other="one.what")
    )
    shutil.copy(ROOT / "content/notices.yaml", root / "notices.yaml")
    shutil.copy(ROOT / "content/readability.yaml", root / "readability.yaml")
    used = "phone_emergency phone_suicide phone_suicide_long phone_veilig_thuis phone_municipality term_years"
    for language in ("nl", "en", "ar"):
        (root / language / "answers").mkdir(parents=True)
        (root / language / "examples").mkdir()
        for name in ("replies.yaml", "commands.yaml"):
            shutil.copy(ROOT / "content" / language / name, root / language / name)
        answers = "".join(ANSWER.format(key=key, language=language) for key in ("one.what", "two.what"))
        extra = " ".join(f"{{{name}}}" for name in used.split())
        (root / language / "answers/pip.yaml").write_text(answers.replace("Some more", f"{extra} some more", 1))
        examples = "".join(
            f"{key}:\n" + "".join(f"  - {language} {key} number {n}\n" for n in range(10))
            for key in ("one.what", "two.what")
        )
        (root / language / "examples/pip.yaml").write_text(examples)
    with contextlib.redirect_stdout(io.StringIO()):
        assert stamp(root, []) == 0
    return root
