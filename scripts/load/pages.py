"""The desk's batch and the page of monitoring, with few rows and with many, through HTTP, in turn."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from bot.accounts import accounts, sessions
from bot.roles import EVERYTHING, Principal
from bot.service import build
from bot.settings import load_settings
from bot.storage.store import make_engine
from scripts.load.harness import Process, database, environment, people, process, table, until_it_listens
from scripts.load.scripted import Thinking
from webhooks.auth import Guard

PEOPLE = 2_000
LOOKS, WARM = 8, 2

TICKETS = (
    (
        "INSERT INTO ticket (contact_id, state, urgent, reason, language, candidates, owner, promises_missed,"
        " promise_at, created_at, answered_at, closed_at, reopened) {numbers}"
        " SELECT 1 + i % {people}, CASE WHEN i > {settled} THEN 0 ELSE 2 END, false, 'asked', 'nl',"
        " '[[\"pip.what\", 0.4]]', 'back-up desk', 0, {at}, {at}, CASE WHEN i > {settled} THEN NULL ELSE {at} END,"
        " CASE WHEN i > {settled} THEN NULL ELSE {at} END, 0 FROM n"
    ),
    (
        "INSERT INTO ticket_entry (ticket_id, kind, author, text, at)"
        " SELECT id, 'question', 'newcomer', 'Wat is de PIP nou precies, nummer ' || id, created_at FROM ticket"
    ),
)
ANSWERS = (
    (
        "INSERT INTO survey_answer (respondent, wave, item, version, study, value, status, asked_on, language, channel,"
        " type, gender, age_group, route, phase, work_status) {numbers}"
        " SELECT 'r' || i, 'pulse-2026-' || (i % 9), 'pip_clear', 1, '', CAST(1 + i % 5 AS TEXT), 'answered', {day},"
        " 'nl', 'whatsapp', 'asylum', 'women', '30-39', 'b1', 'plan', 'unknown' FROM n"
    ),
    (
        "INSERT INTO message (contact_id, inbound, text, keys, at) {numbers}"
        " SELECT 1 + i % {people}, i % 2 = 0, 'vraag ' || i, '[]', {at} FROM n"
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

    async def look(self, path: str, *, counts: bool) -> None:
        cpu, began = self.process.cpu(), time.perf_counter()
        async with httpx.AsyncClient(cookies=dict([self.cookie])) as browser:
            answer = await browser.get(f"http://127.0.0.1:{self.process.port}{path}", timeout=60)
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code} {answer.text[:300]}")
        if counts:
            self.times.setdefault(path, []).append(time.perf_counter() - began)
            self.cpus.setdefault(path, []).append(self.process.cpu() - cpu)


def fill(url: str, statements: tuple[str, ...], number: int, still_open: int) -> None:
    engine = make_engine(url)
    is_postgres = engine.dialect.name == "postgresql"
    at = "CURRENT_TIMESTAMP" if is_postgres else "strftime('%Y-%m-%d %H:%M:%f', 'now')"
    day = "CURRENT_DATE" if is_postgres else "date('now')"
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number})"
    with engine.begin() as connection:
        for statement in statements:
            given = {"numbers": numbers, "people": PEOPLE, "settled": number - still_open, "at": at, "day": day}
            words = statement.format(**given)
            connection.exec_driver_sql(words.replace("%", "%%") if is_postgres else words)
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


@contextlib.contextmanager
def site(name: str, database_name: str, tickets: int, still_open: int, answers: int) -> Iterator[Site]:
    with database(database_name) as (url, folder):
        people(url, PEOPLE)
        fill(url, TICKETS, tickets, still_open)
        fill(url, ANSWERS, answers, 0)
        values = environment(url, folder, 9) | {"WEGWIJS_DESK": "true"}
        settings = load_settings(**{key.removeprefix("WEGWIJS_").lower(): value for key, value in values.items()})
        cookie = log_in(settings)
        with process(values, "scripts.load.scripted", "serve") as served:
            yield Site(name, served, cookie, {}, {})


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
        for path in ("/desk", "/monitoring"):
            for one in sites:
                await one.look(path, counts=number >= WARM)


def rows(name: str, share: int) -> Iterator[tuple[str, ...]]:
    many, answers = 100_000 // share, 1_000_000 // share
    with (
        site("100 tickets, all open; 1,000 answers", name, 100, 100, 1_000) as small,
        site(f"{many:,} tickets, 100 open; {answers:,} answers", name, many, 100, answers) as large,
        site(f"{many:,} tickets, all open", name, many, many, 1_000) as full,
    ):
        asyncio.run(measure([small, large, full]))
        for path in ("/desk", "/monitoring"):
            base = statistics.median(small.times[path])
            for one in (small, large, full):
                took = statistics.median(one.times[path])
                cpu = statistics.mean(one.cpus[path])
                figures = (f"{1000 * took:.0f} ms", f"{took / base:.2f} ×", f"{1000 * cpu:.0f} ms")
                yield (name, path, one.name, *figures)


def run(options: argparse.Namespace) -> None:
    head = ("database", "page", "rows", "median", "of the small one", "CPU of the server")
    table(
        "Pages of those who work here", head, *(row for name in options.databases for row in rows(name, options.share))
    )
