"""The desk's batch and the page of monitoring, with few rows and with many, through HTTP, in turn."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from bot.accounts import accounts, sessions
from bot.roles import EVERYTHING, Principal
from bot.service import build
from bot.settings import ROOT, load_settings
from bot.storage.fact_models import PublishedRow
from bot.storage.store import make_engine
from bot.storage.survey_models import SurveyWaveRow
from scripts.load.harness import Process, database, environment, people, process, table, until_it_listens
from scripts.load.scripted import Thinking
from webhooks.auth import Guard

PEOPLE = 2_000
LOOKS, WARM = 20, 2
PAGES = ("/desk", "/monitoring", "/monitoring/survey")
DEMO = ROOT / "bot" / "monitoring" / "demo_answers.csv"
WAVE = "pulse-2026-1"

# Rows are spread over as many days as they are kept, so that retention finds nothing to do: tickets and messages 90,
# the queues 7 and 30, answers and counts a year. Tickets oldest first; those that are open came a day ago.
TICKETS = (
    (
        "INSERT INTO ticket (contact_id, state, urgent, reason, language, candidates, owner, promises_missed,"
        " promise_at, created_at, answered_at, closed_at, reopened) {numbers}"
        " SELECT 1 + i % {people}, CASE WHEN i > {settled} THEN 0 ELSE 2 END, false, 'no_answer', 'nl',"
        " '[[\"pip.what\", 0.4]]', 'back-up desk', 0, {at}, {at}, CASE WHEN i > {settled} THEN NULL ELSE {at} END,"
        " CASE WHEN i > {settled} THEN NULL ELSE {at} END, 0 FROM n"
    ),
    (
        "INSERT INTO ticket_entry (ticket_id, kind, author, text, at)"
        " SELECT id, 'question', 'newcomer', 'Wat is de PIP nou precies, nummer ' || id, created_at FROM ticket"
    ),
)
# As many messages as answers, each with its rows in both queues, and what became of them by day and topic.
ANSWERS = (
    (
        "INSERT INTO survey_answer (respondent, wave, item, version, study, value, status, asked_on, language, channel,"
        " type, gender, age_group, route, phase, work_status) {numbers}"
        " SELECT 'r' || i, '{wave}', 'pip_clear', 1, '', CAST(1 + i % 5 AS TEXT), 'answered', {day},"
        " 'nl', 'whatsapp', 'asylum', 'women', '30-39', 'b1', 'plan', 'unknown' FROM n"
    ),
    (
        "INSERT INTO message (contact_id, inbound, text, keys, at) {numbers}"
        " SELECT 1 + i % {people}, i % 2 = 0, 'vraag ' || i, '[]', {at} FROM n"
    ),
    (
        "INSERT INTO inbox (key, lane, channel, received_at, state, due_at, attempts) {numbers}"
        " SELECT 'in' || i, 'lane' || (i % {people}), 'whatsapp', {week}, 2, {week}, 1 FROM n"
    ),
    (
        "INSERT INTO outbox (key, lane, channel, contact_id, created_at, sent_at, state, due_at, attempts, priority)"
        " {numbers} SELECT 'out' || i, 'lane' || (i % {people}), 'whatsapp', 1 + i % {people}, {month}, {month}, 2,"
        " {month}, 1, 0 FROM n"
    ),
    (
        "INSERT INTO outcome_count (day, channel, language, outcome, topic, n) {numbers}"
        " SELECT {day}, 'whatsapp', CASE i % 3 WHEN 0 THEN 'nl' WHEN 1 THEN 'en' ELSE 'ar' END,"
        " CASE i % 2 WHEN 0 THEN 'answer' ELSE 'topic' END, 'topic.' || (i % 90), count(*)"
        " FROM n GROUP BY 1, 2, 3, 4, 5"
    ),
)


@dataclass
class Site:
    """A service with pages, and somebody who is logged in."""

    name: str
    process: Process
    cookie: tuple[str, str]
    times: dict[str, list[float]]
    cpus: dict[str, list[float]]
    first: dict[str, float]

    async def look(self, path: str, *, counts: bool) -> None:
        cpu, began = self.process.cpu(), time.perf_counter()
        async with httpx.AsyncClient(cookies=dict([self.cookie])) as browser:
            answer = await browser.get(f"http://127.0.0.1:{self.process.port}{path}", timeout=60)
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code} {answer.text[:300]}")
        self.first.setdefault(path, time.perf_counter() - began)
        if counts:
            self.times.setdefault(path, []).append(time.perf_counter() - began)
            self.cpus.setdefault(path, []).append(self.process.cpu() - cpu)


def fill(url: str, statements: tuple[str, ...], number: int, still_open: int) -> None:
    """Rows by the database itself: a million take half a minute."""
    engine = make_engine(url)
    is_postgres = engine.dialect.name == "postgresql"

    def ago(days: int) -> str:
        return f"(CASE WHEN i > {number - still_open} THEN 1 ELSE {days} - {days} * i / {number} END)"

    def at(days: int) -> str:
        if is_postgres:
            return f"CURRENT_TIMESTAMP - {ago(days)} * INTERVAL '1 day'"
        return f"datetime('now', '-' || {ago(days)} || ' days') || '.000000'"

    day = f"CURRENT_DATE - {ago(364)}::integer" if is_postgres else f"date('now', '-' || {ago(364)} || ' days')"
    last = f"{number}::bigint" if is_postgres else str(number)
    numbers = f"WITH RECURSIVE n(i) AS (SELECT {last} - {number} + 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number})"
    given = {"numbers": numbers, "people": PEOPLE, "settled": number - still_open, "day": day, "wave": WAVE}
    given |= {"at": at(88), "week": at(6), "month": at(28)}
    with engine.begin() as connection:
        for statement in statements:
            words = statement.format(**given)
            connection.exec_driver_sql(words.replace("%", "%%") if is_postgres else words)
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


def report() -> dict[str, Any]:
    """A report of invented answers, as a wave keeps it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        command = ("-m", "bot.cli", "monitoring", "report", "--strict", "--wave", "latest")
        files = ("--answers", str(DEMO), "--output", str(path))
        subprocess.run([sys.executable, *command, *files], check=True, capture_output=True, cwd=ROOT)  # our own
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def close_wave(url: str, document: dict[str, Any], people_in_it: int) -> None:
    """The answers are of a wave that is over, and its figures were made."""
    engine, now = make_engine(url), datetime.now(UTC)
    wave = {"code": WAVE, "survey": "programme", "state": "closed", "seed": 1, "created_by": "x", "created_at": now}
    kept = {"wave": WAVE, "kind": "report", "people": people_in_it, "at": now, "document": document}
    with engine.begin() as connection:
        connection.execute(sa.insert(SurveyWaveRow).values(**wave, live_at=now, closed_at=now))
        connection.execute(sa.insert(PublishedRow).values(**kept))
    engine.dispose()


@contextlib.contextmanager
def site(database_name: str, size: tuple[int, int, int], document: dict[str, Any]) -> Iterator[Site]:
    """A service with so many tickets, of which so many are open, and so many answers."""
    tickets, still_open, answers = size
    name = f"{tickets:,} tickets, {still_open:,} open; {answers:,} answers"
    with database(database_name) as (url, folder):
        people(url, PEOPLE)
        fill(url, TICKETS, tickets, still_open)
        fill(url, ANSWERS, answers, 0)
        close_wave(url, document, answers)
        values = environment(url, folder, 9) | {"WEGWIJS_DESK": "true"}
        settings = load_settings(**{key.removeprefix("WEGWIJS_").lower(): value for key, value in values.items()})
        cookie = log_in(settings)
        with process(values, "scripts.load.scripted", "serve") as served:
            yield Site(name, served, cookie, {}, {}, {})


def log_in(settings: object) -> tuple[str, str]:
    """A session of somebody with every role, made in the database before the service starts."""
    service = build(settings, understander=Thinking(), channels={})  # type: ignore[arg-type]
    value, now = sessions.new_value(), service.clock.machine_now()

    def start(connection):  # noqa: ANN001, ANN202  # a closure of the store
        wanted = accounts.Wanted("Sanne", frozenset(EVERYTHING), None)
        nobody = Principal("load", frozenset())
        options = {"password_hash": "none", "must_change_password": False}
        made = accounts.add(connection, nobody, "sanne", wanted, now, **options)
        sealed = service.vault.seal_text("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
        connection.exec_driver_sql(f"UPDATE account SET totp_sealed = '{sealed}' WHERE id = {made}")
        sessions.start(connection, accounts.by_id(connection, made), value, now)

    service.store.write(start)
    cookie = Guard(service).cookie
    asyncio.run(service.close())
    return cookie, value


async def measure(sites: list[Site]) -> None:
    for one in sites:
        await until_it_listens(one.process)
    for number in range(WARM + LOOKS):
        for path in PAGES:
            for one in sites:
                await one.look(path, counts=number >= WARM)


def rows(name: str, share: int) -> Iterator[tuple[str, ...]]:
    many, answers, document = 100_000 // share, 1_000_000 // share, report()
    sizes = ((100, 100, 1_000), (many, 100, answers), (many, 2_000 // share, 1_000))
    with contextlib.ExitStack() as stack:
        sites = [stack.enter_context(site(name, size, document)) for size in sizes]
        asyncio.run(measure(sites))
        for path in PAGES:
            base, least = statistics.median(sites[0].times[path]), statistics.mean(sites[0].cpus[path])
            for one in sites:
                took, cpu = statistics.median(one.times[path]), statistics.mean(one.cpus[path])
                wall = (f"{1000 * one.first[path]:.0f} ms", f"{1000 * took:.0f} ms", f"{took / base:.2f} ×")
                yield (name, path, one.name, *wall, f"{1000 * cpu:.0f} ms", f"{cpu / max(least, 0.001):.2f} ×")


def run(options: argparse.Namespace) -> None:
    times = ("first look", "median", "of the small one")
    head = ("database", "page", "rows", *times, "CPU of the server", "of the small one")
    table(
        "Pages of those who work here", head, *(row for name in options.databases for row in rows(name, options.share))
    )
