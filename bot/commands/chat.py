"""`wegwijs chat`: talk to the service in the terminal, over the same inbox and outbox as everybody."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import locale
import os
import re
import secrets
import shutil
import sys
import textwrap
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from bot import simulation
from bot.errors import SettingsError, StoreUnavailableError
from bot.locales import AMSTERDAM, LANGUAGES, clean, moment, western_digits
from bot.messages import Address, InboundMessage, Kind
from bot.service import Service
from bot.simulation import Bubble

CHANNEL = "console"
MAX_TEXT = 4096
LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 30.0  # then the next line may be typed while the answer is still under way
WIDEST = 78
INDENT = "  "
PROMPT = "\n> "
NBSP = "\u00a0"

_STEP = re.compile(r"(\d{1,4})\s?([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def load_texts(language: str, folder: Path = Path(__file__).parent / "texts") -> dict[str, str]:
    """The terminal's own words."""
    texts: dict[str, str] = yaml.safe_load((folder / f"chat.{language}.yaml").read_text(encoding="utf-8"))
    return texts


async def chat(service: Service, language: str | None) -> int:
    """Talk until /quit or the end of the input. With a language its question and consent are answered beforehand.

    Returns 1 when the worker stopped by itself. Raises SettingsError where invented phones are switched off.
    """
    if CHANNEL not in service.channels:
        raise SettingsError(["WEGWIJS_SIMULATOR is false: the terminal is an invented phone, and there are none"])
    texts = load_texts(language or _machine_language())
    terminal = Terminal(service, texts, language)
    worker = asyncio.create_task(service.worker.run())
    talk = asyncio.create_task(terminal.talk())
    try:
        await asyncio.wait({worker, talk}, return_when=asyncio.FIRST_COMPLETED)
        if not talk.done():
            print(texts["stopped"], file=sys.stderr)
            return 1
        await talk
        print(texts["bye"])
        return 0
    finally:
        for task in (talk, worker):
            task.cancel()
        await asyncio.gather(talk, worker, return_exceptions=True)


def _machine_language() -> str:
    code = (locale.getlocale()[0] or "")[:2].lower()
    return code if code in LANGUAGES else "nl"


@dataclass
class Terminal:
    """One conversation at a time. `shown` is the last row that was printed, `offered` the choices below it."""

    service: Service
    texts: dict[str, str]
    language: str | None
    phone: str = ""
    shown: int = 0
    offered: list[dict[str, str]] = field(default_factory=list)

    async def talk(self) -> None:
        print(self.texts["welcome"].rstrip())
        await self.begin()
        lines = read_lines()
        while (line := await self.listen(lines)) is not None:
            if not await self.obey(clean(line).strip()):
                return
        print()

    async def listen(self, lines: asyncio.Queue[str | None]) -> str | None:
        """The next line that is typed. What comes meanwhile, such as an answer of the desk, is printed at once."""
        print(PROMPT, end="", flush=True)
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    return await lines.get()
            if await self.print_new():
                print(PROMPT, end="", flush=True)

    async def begin(self) -> None:
        """Start on a new phone: the service asks for a language, or it is answered already."""
        self.phone, self.offered = f"terminal-{secrets.token_hex(5)}", []
        if self.language is None:
            await self.send(Kind.START)
            return
        for token in (f"lang:{self.language}", "consent:yes"):
            await self.send(Kind.TAP, token=token)

    async def obey(self, line: str) -> bool:
        """Carry out one line; False for the wish to stop."""
        command, _, argument = line.partition(" ")
        if command in ("/quit", "/exit"):
            return False
        if command == "/new":
            print(self.texts["new"])
            await self.begin()
        elif command == "/later":
            await self.later(argument.strip())
        elif command.startswith("/") and command != "/start":
            print(self.texts["unknown"])
        elif line:
            await self.say(line)
        return True

    async def later(self, step: str) -> None:
        try:
            await simulation.move_clock(self.service, read_step(step))
        except ValueError:
            print(self.texts["later_how"])
            return
        now = moment(self.service.clock.now(), self.language or _machine_language())
        print(self.texts["later"].format(moment=now))
        await self.wait()

    async def say(self, line: str) -> None:
        """A number taps the choice of that number; everything else is a message."""
        number = western_digits(line)
        if line == "/start":
            await self.send(Kind.START)
        elif len(line) > MAX_TEXT:
            print(self.texts["too_long"].format(limit=MAX_TEXT))
        elif number.isdecimal() and number.isascii() and 0 < int(number[:9]) <= len(self.offered):
            option = self.offered[int(number) - 1]
            await self.send(Kind.TAP, token=option["token"], shown=option["label"])
        else:
            if number.isdecimal() and self.offered:
                print(self.texts["no_number"])
            await self.send(Kind.TEXT, text=line, shown=line)

    async def send(self, kind: Kind, *, text: str = "", token: str = "", shown: str = "") -> None:
        address = Address(CHANNEL, self.phone)
        message = InboundMessage(f"console:{secrets.token_hex(16)}", address, kind, text, token, self.language or "")
        try:
            await simulation.send(self.service, message, Bubble(shown or token or "/start"))
        except StoreUnavailableError:
            print(self.texts["away"])
            return
        await self.wait()

    async def wait(self) -> None:
        """Until nothing is under way any more and all of it is printed."""
        address, vault = Address(CHANNEL, self.phone), self.service.vault
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while (await self.service.store.aread(lambda c: simulation.read_state(c, vault, address))).is_busy:
                    await self.print_new()
                    await asyncio.sleep(LOOK_SECONDS)
                await self.print_new()
                return
        print(self.texts["slow"])

    async def print_new(self) -> bool:
        """Print what the service said since the last look; whether there was anything."""
        after, phone = self.shown, self.phone
        rows = await self.service.store.aread(lambda c: simulation.read_screen(c, phone, after, 100))
        for row in rows:
            self.shown = row.id
            if not row.mine:
                self.offered = row.options
                print(as_text(row, width()))
        return any(not row.mine for row in rows)


def read_step(text: str) -> timedelta:
    """A length of time as it is typed: 3h, 1d, 2w. Raises ValueError for anything else."""
    match = _STEP.fullmatch(western_digits(text))
    if match is None:
        raise ValueError(text)
    return int(match[1]) * _UNITS[match[2]]


def width() -> int:
    return min(shutil.get_terminal_size().columns, WIDEST)


def as_text(row: Any, columns: int) -> str:
    """A message as a terminal shows it: in the order of writing, without invisible signs, never a number cut in two."""
    lines = [f"Wegwijs {row.at.astimezone(AMSTERDAM):%H:%M}"]
    for line in clean(row.text).rstrip().split("\n"):
        lines += _wrapped(line, INDENT, columns)
    for number, option in enumerate(row.options, 1):
        lines += _wrapped(f"[{number}] {clean(option['label'])}", INDENT, columns)
    return "\n" + "\n".join(lines)


def _wrapped(line: str, indent: str, columns: int) -> list[str]:
    whole = re.sub(r"(?<=\d) (?=\d)", NBSP, line)
    wrapped = textwrap.wrap(
        whole,
        columns,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [part.replace(NBSP, " ") for part in wrapped] or [""]


def read_lines() -> asyncio.Queue[str | None]:
    """The lines that are typed, then None. Read from the file descriptor in a thread that never holds up the end."""
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def put(line: str | None) -> None:
        with contextlib.suppress(RuntimeError):  # the conversation is over and its loop closed
            loop.call_soon_threadsafe(lines.put_nowait, line)

    threading.Thread(target=_read_all, args=(sys.stdin.fileno(), put), name="keyboard", daemon=True).start()
    return lines


def _read_all(descriptor: int, put: Callable[[str | None], None]) -> None:
    decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
    rest = ""
    with contextlib.suppress(OSError):
        while data := os.read(descriptor, 65536):
            *whole, rest = (rest + decode(data)).split("\n")
            for line in whole:
                put(line)
    if rest:
        put(rest)
    put(None)
