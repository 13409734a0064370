"""Invent three waves of answers for the demo of the monitoring pages. Nobody real is among them.

python scripts/invent_waves.py bot/monitoring/demo_answers.csv
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np

from bot.monitoring.baseline import load
from bot.settings import ROOT

WAVES = {"2026-1": "2026-03-15", "2026-2": "2026-06-15", "2026-3": "2026-09-15"}
GROUPS = {
    "language": (("ar", "nl", "en"), (0.5, 0.26, 0.24)),
    "channel": (("telegram", "whatsapp"), (0.4, 0.6)),
    "type": (("asylum", "family"), (0.58, 0.42)),
    "gender": (("women", "men"), (0.42, 0.58)),
    "age_group": (("18-19", "20-29", "30-39", "40-49", "50-59"), (0.04, 0.34, 0.3, 0.22, 0.1)),
    "route": (("b1", "education", "z", "undecided"), (0.7, 0.1, 0.15, 0.05)),
    "phase": (("waiting_for_lessons", "lessons", "exam", "finished"), (0.12, 0.65, 0.15, 0.08)),
    "work_status": (("working", "not_working"), (0.3, 0.7)),
}
PROGRAMME = {"Q16", "Q17", "Q18", "Q19", "Q20"}
DRIFT = {"Q17": 0.25, "Q19": 0.2, "Q20": 0.3, "Q37": -0.3, "Q7": 0.1, "Q31": 0.15}  # from wave to wave


def main(path: Path) -> None:
    random = np.random.default_rng(11)
    items = load(ROOT / "content" / "baseline_2024.yaml").items
    people = [{name: str(random.choice(values, p=odds)) for name, (values, odds) in GROUPS.items()} for _ in range(420)]
    mood = random.normal(size=len(people))
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["respondent", "wave", "asked_on", *GROUPS, *items])
        for turn, (wave, day) in enumerate(WAVES.items()):
            for number in np.flatnonzero(random.random(len(people)) < 0.55):
                person, answers = people[number], []
                for name, item in items.items():
                    asked = not (name in PROGRAMME and person["phase"] == "waiting_for_lessons")
                    answered = random.random() < (0.15 if name in ("Q10", "Q13", "Q25", "Q26") else 0.85)
                    better = -1 if item.higher_is_worse else 1
                    value = (
                        item.total.m
                        + DRIFT.get(name, 0) * (turn + 1)
                        + item.total.sd * (0.6 * better * mood[number] + 0.8 * random.normal())
                    )
                    mark = int(np.clip(np.round(value), item.low, item.high))
                    answers.append(-1 if not asked else mark if answered else -2)
                rows.writerow([f"d{number:03}", wave, day, *person.values(), *answers])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
