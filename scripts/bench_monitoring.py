"""How long a report takes: 10,000 and 1,000,000 invented answers, and their ratio.

python scripts/bench_monitoring.py
"""

from __future__ import annotations

import csv
import tempfile
import time
from pathlib import Path

import numpy as np

from bot.monitoring import baseline as baselines
from bot.monitoring.answers import read_answers
from bot.monitoring.protection import Rules
from bot.monitoring.report import Options, make, scales_of
from bot.settings import ROOT

SIZES = (10_000, 1_000_000)
HEADER = "respondent,wave,item,version,value,status,asked_on,language,channel,type,gender,age_group,work_status"


def write(path: Path, size: int, items: dict[str, baselines.Item]) -> None:
    """Tidy answers of invented people: as many as it takes, each with every item."""
    random = np.random.default_rng(7)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        file.write(HEADER + "\n")
        for number in range(size // len(items) + 1):
            who = [
                random.choice(groups) for groups in (("nl", "en", "ar"), ("telegram", "whatsapp"), ("asylum", "family"))
            ]
            who += [
                random.choice(groups) for groups in (("women", "men"), ("20-29", "30-39"), ("working", "not_working"))
            ]
            values = random.random(len(items))
            for (name, item), value in zip(items.items(), values, strict=True):
                mark = item.low + int(value * (item.high - item.low + 1))
                rows.writerow([f"r{number}", f"w{number % 4}", name, 1, mark, "answered", "2026-01-01", *who])


def main() -> None:
    baseline = baselines.load(ROOT / "content" / "baseline_2024.yaml")
    took = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            path = Path(folder) / "answers.csv"
            write(path, size, dict(baseline.items))
            start = time.perf_counter()
            answers = read_answers(path, scales_of(baseline))
            read = time.perf_counter() - start
            make(answers, baseline, Options(Rules()))
            took[size] = time.perf_counter() - start
            print(f"{size:>9,} answers: {took[size]:.2f} s, of which reading {read:.2f} s")
    print(f"ratio: {took[SIZES[1]] / took[SIZES[0]]:.1f} for {SIZES[1] // SIZES[0]} times as many")


if __name__ == "__main__":
    main()
