"""Put a new version in place while people write: two processes on PostgreSQL, stopped and started one after the other.

SIGTERM ends a process gracefully, then it starts again, then the other one, a few rounds long, under load. At the end
every message must have had its effect and its answer once, in order, and no send may be left unknown. The made-up
Telegram, the load and the judge are those of `chaos.py`. Exit code 1 when anything is wrong.

    make rolling
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import chaos
import uvicorn

from bot import content as texts
from bot.content.figures import fill
from bot.storage.store import make_engine

PATIENCE = 40.0  # seconds for a graceful stop


@dataclass
class Stops:
    """How the processes ended."""

    number: int = 0
    longest: float = 0.0
    wrong_exits: int = 0


async def roll(servers: list[chaos.Server], rounds: int, load: asyncio.Task[None], stops: Stops) -> None:
    for _ in range(rounds):
        for server in servers:
            if load.done():
                return
            await stop(server, stops)
            await server.start()
            await chaos.wait_until_live(server.port)
            await asyncio.sleep(1)


async def stop(server: chaos.Server, stops: Stops) -> None:
    """Ask a process to end, and see that it does so by itself."""
    process = server.process
    assert process is not None
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.wait(), PATIENCE)
    stops.number += 1
    stops.longest = max(stops.longest, time.monotonic() - began)
    stops.wrong_exits += process.returncode not in (0, -signal.SIGTERM)


async def run(options: argparse.Namespace, folder: Path) -> int:
    rng = random.Random(options.seed)
    content = texts.load(chaos.ROOT / "content")
    first_words = {key: fill(content.answer(key, "nl").short, content, "nl").split("\n")[0] for key in content.topics}
    topics = [topic for topic, words in first_words.items() if list(first_words.values()).count(words) == 1]
    plan = {chat: rng.sample(topics, options.messages) for chat in range(1, options.people + 1)}
    options.postgresql = True
    url, stop_database = chaos.database(options, folder)
    chaos.prepare(url, options.people)
    telegram, port = chaos.Telegram(rng, wrong=0.0), chaos.free_port()
    double = uvicorn.Server(uvicorn.Config(telegram.app(), port=port, log_level="error"))
    serving = asyncio.create_task(double.serve())
    servers = [chaos.Server(chaos.free_port(), environment(url, folder, port)) for _ in range(2)]
    for server in servers:
        await server.start()
    for server in servers:
        await chaos.wait_until_live(server.port)
    try:
        return await under_load(options, servers, plan, (url, telegram, first_words))
    finally:
        for server in servers:
            await server.kill()
        double.should_exit = True
        await serving
        stop_database()


async def under_load(
    options: argparse.Namespace,
    servers: list[chaos.Server],
    plan: dict[int, list[str]],
    around: tuple[str, chaos.Telegram, dict[str, str]],
) -> int:
    url, telegram, first_words = around
    load, stops, began = (
        chaos.Load([server.port for server in servers], plan, random.Random(options.seed)),
        Stops(),
        time.monotonic(),
    )
    loading = asyncio.create_task(load.run(options.pace))
    await roll(servers, options.rounds, loading, stops)
    await loading
    engine = make_engine(url)
    await chaos.drain(engine, 180)
    found = chaos.judge(engine, plan, telegram, first_words)
    engine.dispose()
    print(f"PostgreSQL, two processes; seed {options.seed}; {time.monotonic() - began:.0f} s")
    print(f"restarts: {stops.number}, the longest stop {stops.longest:.1f} s, exits with an error: {stops.wrong_exits}")
    print(f"webhooks taken: {load.taken} of {load.tries} tries")
    for what, number in found.items():
        print(f"  {what:22} {number}")
    wrong = {what: number for what, number in found.items() if number and what != "messages"}
    if stops.wrong_exits or stops.number < 2 * options.rounds:
        wrong["restarts"] = stops.number
    print("0 lost, 0 doubled, 0 out of order, 0 unknown" if not wrong else f"WRONG: {wrong}")
    return 1 if wrong else 0


def environment(url: str, folder: Path, port: int) -> dict[str, str]:
    return {
        "WEGWIJS_DATABASE_URL": url,
        "WEGWIJS_DATA_DIR": str(folder / "data"),
        "WEGWIJS_TELEGRAM_TOKEN": chaos.TOKEN,
        "WEGWIJS_TELEGRAM_WEBHOOK_SECRET": chaos.SECRET,
        "WEGWIJS_TELEGRAM_API_URL": f"http://127.0.0.1:{port}",
        "WEGWIJS_SECRET_KEYS": chaos.KEYS["secret_keys"],
        "WEGWIJS_HASH_KEY": chaos.KEYS["hash_key"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="each process is restarted so often")
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--messages", type=int, default=30, help="for each person, at most 80")
    parser.add_argument("--pace", type=float, default=5.0, help="mean seconds between two taps of a person")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="roll-"))
    (folder / "data").mkdir()
    try:
        return asyncio.run(run(options, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
