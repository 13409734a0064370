"""How long the figures of surveys take: a report of 10,000 and of 1,000,000 invented answers, and the page's reading.

python scripts/bench_monitoring.py
"""

from __future__ import annotations

import csv
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np
import sqlalchemy as sa

from bot import publication, survey_figures
from bot.monitoring import baseline as baselines
from bot.monitoring.answers import read_answers
from bot.monitoring.protection import Rules
from bot.monitoring.report import Options, make, scales_of
from bot.settings import ROOT
from bot.storage.fact_models import PublishedRow
from bot.storage.migrate import upgrade
from bot.storage.research_models import SurveyAnswerRow
from bot.storage.store import Store
from bot.storage.survey_models import SurveyWaveRow

SIZES = (10_000, 1_000_000)
PAGE_SIZES = (1_000, 1_000_000)
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


def report() -> None:
    """A report of so many answers."""
    baseline = baselines.load(ROOT / "content" / "baseline_2024.yaml")
    took = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            path = Path(folder) / "answers.csv"
            write(path, size, dict(baseline.items))
            start, cpu = time.perf_counter(), time.process_time()
            answers = read_answers(path, scales_of(baseline))
            read = time.process_time() - cpu
            make(answers, baseline, Options(Rules()))
            took[size] = time.process_time() - cpu
            whole = time.perf_counter() - start
            print(f"{size:>9,} answers: {took[size]:.2f} s CPU, {read:.2f} s of it reading; {whole:.2f} s in all")
    print(f"ratio: {took[SIZES[1]] / took[SIZES[0]]:.1f} for {SIZES[1] // SIZES[0]} times as many")


def page() -> None:
    """What the overview reads when figures are there, from a database with so many answers."""
    found = {}
    for size in PAGE_SIZES:
        with tempfile.TemporaryDirectory() as folder:
            store = Store(f"sqlite:///{folder}/bench.sqlite3")
            upgrade(store.engine)
            store.start()
            store.write(lambda connection, size=size: fill(connection, size))
            times = []
            for _ in range(30):
                start = time.perf_counter()
                waves = store.read(survey_figures.closed_waves)
                store.read(lambda connection, wave=waves[-1:]: publication.reports(connection, wave))
                times.append(time.perf_counter() - start)
            store.close()
        found[size] = median(times)
        print(
            f"{size:>9,} answers in the database: the page reads its figures in {found[size] * 1000:.2f} ms", flush=True
        )
    print(
        f"ratio: {found[PAGE_SIZES[1]] / found[PAGE_SIZES[0]]:.2f} for {PAGE_SIZES[1] // PAGE_SIZES[0]} times as many"
    )


def fill(connection: sa.Connection, size: int) -> None:
    """One closed wave with so many answers and a report of 300 kB."""
    now = datetime(2026, 11, 1, tzinfo=UTC)
    wave = {"code": "bench", "survey": "programme", "state": "closed", "seed": 1, "created_by": "x", "created_at": now}
    connection.execute(sa.insert(SurveyWaveRow).values(**wave, live_at=now, closed_at=now))
    common = {"wave": "bench", "version": 1, "value": "4", "status": "answered", "asked_on": now.date()}
    common |= dict.fromkeys(("type", "gender", "age_group", "route", "phase", "work_status"), "unknown")
    common |= {"language": "ar", "channel": "telegram", "item": "klantregisseur_satisfaction"}
    for start in range(0, size, 50_000):
        rows = [common | {"respondent": f"{n:032d}"} for n in range(start, min(start + 50_000, size))]
        connection.execute(sa.insert(SurveyAnswerRow), rows)
    document = {"format": 2, "source": {}, "filling": ["x" * 100] * 3000}
    published = {"wave": "bench", "kind": "report", "people": size, "at": now, "document": document}
    connection.execute(sa.insert(PublishedRow).values(**published))


if __name__ == "__main__":
    page()
    report()
