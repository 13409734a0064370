"""Where the survey figures of the pages come from: a process of its own computes them, a small cache keeps them.

The libraries for statistics take more memory than the whole server; so they live only as long as a computation does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from bot import publication, survey_figures
from bot.errors import WegwijsError
from bot.monitoring.vocabulary import FORMAT
from bot.service import Service
from bot.settings import ROOT

KEPT = 12  # reports in memory: one for each wave, 300 kB each
SECONDS = 120.0
DEMO = ROOT / "bot" / "monitoring" / "demo_answers.csv"
DEMO_ASKED = DEMO.with_name("demo_invitations.json")
LATEST = "latest"
TOO_FEW_GONE = "too_few_gone"
Figures = dict[str, Any]


class NoAnswersError(WegwijsError):
    """There is no file of answers to make figures of."""


class FiguresError(WegwijsError):
    """The figures could not be made. Says why, in one line."""


@dataclass(frozen=True)
class Source:
    """A file of answers, a mark that is another one as soon as the file is, and who was invited."""

    path: Path
    mark: str
    options: tuple[str, ...] = ()


class SurveyFigures:
    """Reports by wave, always strict: nothing that leaves here is of fewer people than the rules say.

    Those of our own closed waves are kept as they were first shown (`bot/publication.py`). Those of a file that the
    setting names, or of the demonstration, live in memory.
    """

    def __init__(self, service: Service) -> None:
        self._settings, self._store, self._clock = service.settings, service.store, service.clock
        self._reports: OrderedDict[tuple[str, str, str], Figures] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    async def waves(self) -> list[str]:
        """Our own closed waves; none where figures come from a file."""
        return [] if self._settings.monitoring_answers else await self._store.aread(survey_figures.closed_waves)

    async def is_demo(self) -> bool:
        """Whether the figures are of invented people."""
        if self._settings.monitoring_answers or not self._settings.has_demo_accounts:
            return False
        return not await self.waves()

    async def report(self, wave: str = LATEST) -> Figures:
        """The report of a wave, by default the latest. Raises NoAnswersError or FiguresError."""
        own = await self.waves()
        if not own:
            return await self._of_file(wave)
        wave = own[-1] if wave == LATEST else wave
        if wave not in own:
            raise FiguresError(f"'{wave}' is no closed wave; there are {', '.join(own)}")
        async with self._one_at_a_time:
            found = self._reports.get((wave, "", "")) or await self._published(own, wave)
            self._remember((wave, "", ""), found)
        return found | {"source": found["source"] | {"waves": own}}

    async def _published(self, own: list[str], wave: str) -> Figures:
        """The report of a wave as it was shown, and where it never was, of that wave and those before it."""
        until = own[: own.index(wave) + 1]
        before = await self._store.aread(lambda connection: publication.reports(connection, until))
        for place, code in enumerate(until, 1):
            if before.get(code, {}).get("format") != FORMAT:
                await self._publish(until[:place], before)
        return before[wave]

    async def _publish(self, waves: list[str], before: dict[str, Figures]) -> None:
        """Make the report of the last of these waves and keep it. Raises FiguresError if that tells too much."""
        wave, least, now = waves[-1], self._settings.monitoring_min_people, self._clock.now()
        try:
            await self._store.aread(lambda connection: publication.may_differ(connection, wave, least))
        except publication.TooFewGoneError:
            raise FiguresError(TOO_FEW_GONE) from None
        async with self._answers(waves) as source:
            text = await self._run(source.path, "report", ".json", "--strict", "--wave", wave, *source.options)
        earlier = {code: before[code] for code in waves[:-1]}
        found = publication.composed(json.loads(text), wave, earlier)
        await self._store.awrite(lambda connection: publication.keep(connection, wave, found, now))
        before[wave] = found

    def _remember(self, key: tuple[str, str, str], found: Figures) -> None:
        self._reports[key] = found
        self._reports.move_to_end(key)
        while len(self._reports) > KEPT:
            self._reports.popitem(last=False)

    @contextlib.asynccontextmanager
    async def _answers(self, waves: list[str]) -> AsyncIterator[Source]:
        """The answers of our own waves as a file, and who was asked for the last one. Both live as long as the use."""
        with tempfile.TemporaryDirectory() as folder:
            path, asked = Path(folder) / "answers.csv", Path(folder) / "invitations.json"

            def write(connection: Connection) -> None:
                survey_figures.write_csv(connection, waves, path)
                rows = survey_figures.invitations(connection, waves[-1:])
                asked.write_text(json.dumps(rows, default=str), encoding="utf-8")

            await self._store.aread(write)
            yield Source(path, "", ("--invitations", str(asked)))

    def _file(self) -> Source:
        """The file that the setting names, else invented answers for the demonstration. Raises NoAnswersError."""
        fixed = self._settings.monitoring_answers
        path = Path(fixed) if fixed else DEMO
        if not fixed and not self._settings.has_demo_accounts:
            raise NoAnswersError
        try:
            seen = path.stat()
        except OSError:
            raise NoAnswersError from None
        options = () if fixed else ("--invitations", str(DEMO_ASKED))
        return Source(path, f"{path}:{seen.st_mtime_ns}:{seen.st_size}", options)

    async def _of_file(self, wave: str) -> Figures:
        async with self._one_at_a_time:
            source = self._file()
            key = (source.mark, str(self._settings.monitoring_min_people), wave)
            if key not in self._reports:
                text = await self._run(source.path, "report", ".json", "--strict", "--wave", wave, *source.options)
                self._remember(key, json.loads(text))
            return self._reports[key]

    async def quarter_pdf(self, wave: str, language: str) -> bytes:
        """The quarterly page as PDF, from the report that is shown."""
        found = await self.report(wave)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report.json"
            path.write_text(json.dumps(found | {"demo": await self.is_demo()}), encoding="utf-8")
            return await self._run(path, "quarter", ".pdf", "--language", language, source="--report")

    async def export(self, wave: str) -> bytes:
        """Every file of an export, zipped. Raises FiguresError while a few people more or less would be told by it."""
        if not await self.waves():
            return await self._run(self._file().path, "export", ".zip", "--wave", wave)
        least, now = self._settings.monitoring_min_people, self._clock.now()
        try:
            await self._store.awrite(lambda connection: publication.exported(connection, wave, least, now))
        except publication.TooFewGoneError:
            raise FiguresError(TOO_FEW_GONE) from None
        async with self._answers([wave]) as source:
            return await self._run(source.path, "export", ".zip", "--wave", wave)

    async def _run(self, answers: Path, what: str, ending: str, *options: str, source: str = "--answers") -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / f"out{ending}"
            least = ("--min-people", str(self._settings.monitoring_min_people))
            command = (
                "-m",
                "bot.cli",
                "monitoring",
                what,
                source,
                str(answers),
                "--output",
                str(output),
                *(least if source == "--answers" else ()),
            )
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *command,
                *options,
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                _, errors = await asyncio.wait_for(process.communicate(), SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()
                raise FiguresError("it took too long") from None
            if process.returncode:
                raise FiguresError(errors.decode(errors="replace").strip().splitlines()[-1][:300])
            return await asyncio.to_thread(output.read_bytes)
