"""Where the survey figures of the pages come from: a process of its own computes them, a small cache keeps them.

The libraries for statistics take more memory than the whole server; so they live only as long as a computation does.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

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


class SurveyFigures:
    """Reports by wave, always strict: nothing that leaves here is of fewer people than the rules say."""

    def __init__(self, service: Service) -> None:
        self._settings = service.settings
        self._reports: OrderedDict[tuple[str, int, int, str], Figures] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    @property
    def path(self) -> Path:
        """The answers: what the setting names, or invented ones beside the chat page. Raises NoAnswersError."""
        if self._settings.monitoring_answers:
            return Path(self._settings.monitoring_answers)
        if self._settings.has_demo_accounts:
            return DEMO
        raise NoAnswersError

    @property
    def is_demo(self) -> bool:
        return self.path == DEMO

    async def report(self, wave: str = LATEST) -> Figures:
        """The report of a wave, by default the latest. Raises NoAnswersError or FiguresError."""
        try:
            seen = self.path.stat()
        except OSError:
            raise NoAnswersError from None
        key = (str(self.path), seen.st_mtime_ns, seen.st_size, wave)
        async with self._one_at_a_time:
            if key not in self._reports:
                text = await self._run("report", ".json", "--strict", "--wave", wave)
                self._reports[key] = json.loads(text)
                while len(self._reports) > KEPT:
                    self._reports.popitem(last=False)
        return self._reports[key]

    async def quarter_pdf(self, wave: str, language: str) -> bytes:
        """The quarterly page as PDF."""
        return await self._run("quarter", ".pdf", "--wave", wave, "--language", language)

    async def export(self, wave: str) -> bytes:
        """Every file of an export, zipped."""
        return await self._run("export", ".zip", "--wave", wave)

    async def _run(self, what: str, ending: str, *options: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / f"out{ending}"
            least = ("--min-people", str(self._settings.monitoring_min_people))
            command = (
                "-m",
                "bot.cli",
                "monitoring",
                what,
                "--answers",
                str(self.path),
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
