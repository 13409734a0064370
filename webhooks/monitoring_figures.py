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

from bot import survey_figures
from bot.errors import WegwijsError
from bot.service import Service
from bot.settings import ROOT

KEPT = 12  # reports in memory: one for each wave, 300 kB each
SECONDS = 120.0
DEMO = ROOT / "bot" / "monitoring" / "demo_answers.csv"
LATEST = "latest"
Figures = dict[str, Any]


class NoAnswersError(WegwijsError):
    """There is no file of answers to make figures of."""


class FiguresError(WegwijsError):
    """The figures could not be made. Says why, in one line."""


@dataclass(frozen=True)
class Source:
    """A file of answers, and a mark that is another one as soon as its answers are."""

    path: Path
    mark: str


class SurveyFigures:
    """Reports by wave, always strict: nothing that leaves here is of fewer people than the rules say."""

    def __init__(self, service: Service) -> None:
        self._settings, self._store = service.settings, service.store
        self._reports: OrderedDict[tuple[str, str, str], Figures] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def source(self) -> AsyncIterator[Source]:
        """The answers: the file that the setting names, else those of closed waves, else invented ones for the demo.

        Waves that still run are left out: two looks at one of them would tell what one more person answered. The file
        of our own answers lives as long as a computation. Raises NoAnswersError.
        """
        fixed = self._settings.monitoring_answers
        closed = () if fixed else await self._store.aread(survey_figures.closed_waves)
        if closed:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "answers.csv"
                await self._store.aread(lambda c: survey_figures.write_csv(c, [wave.code for wave in closed], path))
                yield Source(path, ";".join(f"{wave.code}={wave.answers}" for wave in closed))
            return
        path = Path(fixed) if fixed else DEMO
        if not fixed and not self._settings.has_demo_accounts:
            raise NoAnswersError
        try:
            seen = path.stat()
        except OSError:
            raise NoAnswersError from None
        yield Source(path, f"{path}:{seen.st_mtime_ns}:{seen.st_size}")

    async def is_demo(self) -> bool:
        """Whether the figures are of invented people."""
        if self._settings.monitoring_answers or not self._settings.has_demo_accounts:
            return False
        return not await self._store.aread(survey_figures.closed_waves)

    async def report(self, wave: str = LATEST) -> Figures:
        """The report of a wave, by default the latest. Raises NoAnswersError or FiguresError."""
        async with self._one_at_a_time, self.source() as source:
            key = (source.mark, str(self._settings.monitoring_min_people), wave)
            if key not in self._reports:
                text = await self._run(source.path, "report", ".json", "--strict", "--wave", wave)
                self._reports[key] = json.loads(text)
                while len(self._reports) > KEPT:
                    self._reports.popitem(last=False)
            return self._reports[key]

    async def quarter_pdf(self, wave: str, language: str) -> bytes:
        """The quarterly page as PDF."""
        async with self.source() as source:
            return await self._run(source.path, "quarter", ".pdf", "--wave", wave, "--language", language)

    async def export(self, wave: str) -> bytes:
        """Every file of an export, zipped."""
        async with self.source() as source:
            return await self._run(source.path, "export", ".zip", "--wave", wave)

    async def _run(self, answers: Path, what: str, ending: str, *options: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / f"out{ending}"
            least = ("--min-people", str(self._settings.monitoring_min_people))
            command = (
                "-m",
                "bot.cli",
                "monitoring",
                what,
                "--answers",
                str(answers),
                "--output",
                str(output),
                *least,
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
