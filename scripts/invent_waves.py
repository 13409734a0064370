"""Invent three waves of answers for the demo of the monitoring pages, and who was asked. Nobody real is among them.

python scripts/invent_waves.py bot/monitoring/demo_answers.csv bot/monitoring/demo_invitations.json
"""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
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


# Items that are on no scale of the study, with how often each option is chosen.
OPTIONS = {
    "has_work": {"yes": 0.3, "no": 0.7},
    "job_match": {"yes": 0.26, "partly": 0.14, "no": 0.6},
    "contact_other_country": {"week": 0.4, "month": 0.3, "less": 0.2, "never": 0.1},
}
SEVERAL = {
    "lessons_taken": {"dutch": 0.7, "pvt": 0.15, "map": 0.1},
    "barriers_to_taking_part": {"language": 0.7, "time": 0.4, "money": 0.2, "travel": 0.12, "childcare": 0.15},
}
ARRIVES = {"invited": 0.97, "delivered": 0.95, "read": 0.8}  # of the stage before


def others(random: np.random.Generator) -> dict[str, str]:
    """Answers of a person to the items that are on no scale."""
    found = {name: str(random.choice(list(odds), p=list(odds.values()))) for name, odds in OPTIONS.items()}
    for name, odds in SEVERAL.items():
        found[name] = ";".join(option for option, share in odds.items() if random.random() < share) or "none"
    found["work_hours"] = str(int(np.clip(random.normal(26, 9), 4, 45))) if found["has_work"] == "yes" else "-1"
    found["job_match"] = found["job_match"] if found["has_work"] == "yes" else "-1"
    found["anything_else"] = "-2" if random.random() < 0.8 else "Verzonnen woorden"
    return found


Place = tuple[tuple[str, object], ...]


def place_of(person: dict[str, str], wave: str, random: np.random.Generator, *, answered: bool) -> Place:
    """How far the invitation of a person came. Who answered got it; two in a hundred of those did not reach the end."""
    row: dict[str, object] = {
        "wave": wave,
        **{name: person[name] for name in ("type", "gender", "language", "channel")},
    }
    reached = True
    row["sampled"] = True
    for stage, share in ARRIVES.items():
        reached = reached and (answered or random.random() < share)
        row[stage] = bool(reached)
    row |= {"started": answered, "done": bool(answered and random.random() < 0.98)}
    return tuple(row.items())


def main(path: Path, invitations: Path) -> None:
    random = np.random.default_rng(11)
    items = load(ROOT / "content" / "baseline_2024.yaml").items
    people = [{name: str(random.choice(values, p=odds)) for name, (values, odds) in GROUPS.items()} for _ in range(420)]
    mood = random.normal(size=len(people))
    more, places = np.random.default_rng(12), Counter[Place]()
    names = list(others(np.random.default_rng(0)))
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["respondent", "wave", "asked_on", *GROUPS, *items, *names])
        for turn, (wave, day) in enumerate(WAVES.items()):
            chosen = np.flatnonzero(random.random(len(people)) < 0.55)
            places.update(place_of(one, wave, more, answered=n in set(chosen)) for n, one in enumerate(people))
            for number in chosen:
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
                told = others(more)
                rows.writerow([f"d{number:03}", wave, day, *person.values(), *answers, *(told[name] for name in names)])
    rows_asked = [dict(row) | {"people": people} for row, people in sorted(places.items(), key=str)]
    invitations.write_text("[\n" + ",\n".join(map(json.dumps, rows_asked)) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
