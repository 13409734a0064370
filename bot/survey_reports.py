"""Where the survey figures of the pages come from: a process of its own computes them, a table keeps them.

The libraries for statistics take more memory than the whole server and seconds to load; so they live only as long as a
computation does, and no page waits for one: `KeepReports` makes a report when a wave is over, a page reads it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
from collections import OrderedDict
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy.engine import Connection

from bot import publication, survey_figures
from bot.clock import Clock
from bot.content import Content
from bot.errors import StoreUnavailableError, WegwijsError
from bot.monitoring.quarter import quarter_of
from bot.monitoring.vocabulary import FORMAT
from bot.settings import ROOT, Settings
from bot.storage.store import Store

log = logging.getLogger(__name__)

IN_MEMORY = 4  # reports: some 300 kB each
SECONDS = 120.0  # that a file may take, which somebody waits for
REPORT_SECONDS = 600.0  # that a report may take on a busy machine, and that another process keeps off it
PATIENCE = 1.0  # seconds that a page waits for figures that are being made
AT_FIRST, EVERY, AFTER_A_FAULT = 20.0, 60.0, 3600.0  # seconds between looks whether a report is missing
DEMO = ROOT / "bot" / "monitoring" / "demo_answers.csv"
DEMO_ASKED = DEMO.with_name("demo_invitations.json")
LATEST = "latest"
TOO_FEW_GONE, TOO_FEW = "too_few_gone", "too_few"
Figures = dict[str, Any]


class NoAnswersError(WegwijsError):
    """There is no file of answers to make figures of."""


class FiguresError(WegwijsError):
    """The figures could not be made. Says why, in one line."""


class BeingMadeError(WegwijsError):
    """The figures are being made, here or in another process; look again in some seconds."""


class Wired(Protocol):
    """What is needed of a service."""

    settings: Settings
    store: Store
    clock: Clock
    content: Content


@dataclass(frozen=True)
class Source:
    """A file of answers, a mark that is another one as soon as the file is, and who was invited."""

    path: Path
    mark: str
    options: tuple[str, ...] = ()


class SurveyFigures:
    """Reports by wave, always strict: nothing that leaves here is of fewer people than the rules say.

    Those of our own closed waves are kept as they were first shown (`bot/publication.py`). Those of a file that the
    setting names, or of the demonstration, are kept until the file, the content or the program is another one.
    """

    def __init__(self, service: Wired) -> None:
        self._settings, self._store, self._clock = service.settings, service.store, service.clock
        self._version = f"{version('wegwijs')}:{service.content.version}:{FORMAT}"
        self._reports: OrderedDict[str, Figures] = OrderedDict()
        self._making: dict[str, asyncio.Task[Figures]] = {}

    async def waves(self) -> list[str]:
        """Our own closed waves; none where figures come from a file."""
        return [] if self._settings.monitoring_answers else await self._store.aread(survey_figures.closed_waves)

    async def is_demo(self) -> bool:
        """Whether the figures are of invented people."""
        if self._settings.monitoring_answers or not self._settings.has_demo_accounts:
            return False
        return not await self.waves()

    async def report(self, wave: str = LATEST, patience: float | None = None) -> Figures:
        """The report of a wave, by default the latest.

        Where it was never made, that begins now; it goes on when nobody waits for it any more. `patience`: seconds to
        wait, None for as long as it takes. Raises NoAnswersError, FiguresError or BeingMadeError.
        """
        own = await self.waves()
        if own:
            wave = own[-1] if wave == LATEST else wave
            if wave not in own:
                raise FiguresError(f"'{wave}' is no closed wave; there are {', '.join(own)}")
            found = await self._found(wave, lambda: self._make_own(own[: own.index(wave) + 1]), patience)
            closed = await self._store.aread(survey_figures.closing_days)
            quarters = {code: quarter_of(closed[code]) for code in own}
            return found | {"source": found["source"] | {"waves": own, "quarters": quarters}}
        source = self._file()
        latest = await self._found(self._key(source, LATEST), lambda: self._make_of_file(source, LATEST), patience)
        if wave == LATEST:
            return latest
        there = latest["source"]["waves"]
        if wave not in there:  # told at once: a word in an address must start no process
            raise FiguresError(f"--wave: '{wave}' is not in the file; it has {', '.join(map(str, there))}")
        return await self._found(self._key(source, wave), lambda: self._make_of_file(source, wave), patience)

    async def missing(self) -> list[str]:
        """Our own closed waves without a report of today's form; of a file `LATEST` first, then its other waves."""
        own = await self.waves()
        if own:
            kept = await self._store.aread(lambda connection: publication.formats(connection, own))
            return [wave for wave in own if kept.get(wave) != FORMAT]
        try:
            source = self._file()
        except NoAnswersError:
            return []
        key = self._key(source, LATEST)
        latest = (await self._store.aread(lambda connection: publication.reports(connection, [key]))).get(key)
        if latest is None:
            return [LATEST]
        keys = {self._key(source, wave): wave for wave in latest["source"]["waves"]}
        kept = await self._store.aread(lambda connection: publication.formats(connection, list(keys)))
        return [wave for key, wave in keys.items() if key not in kept]

    async def recover(self) -> None:
        """What was being made when the only process there is was stopped, is made anew."""
        if self._store.is_sqlite:
            with contextlib.suppress(StoreUnavailableError):
                await self._store.awrite(publication.release_all)

    async def _found(self, key: str, make: Any, patience: float | None) -> Figures:
        """The report in memory, as it is kept, or made now."""
        if key in self._reports:
            self._reports.move_to_end(key)
            return self._reports[key]
        kept = (await self._store.aread(lambda connection: publication.reports(connection, [key]))).get(key)
        if kept is None or kept.get("format") != FORMAT:
            kept = await self._made(key, make(), patience)
        self._reports[key] = kept
        while len(self._reports) > IN_MEMORY:
            self._reports.popitem(last=False)
        return kept

    async def _made(self, key: str, work: Coroutine[Any, Any, Figures], patience: float | None) -> Figures:
        """Wait for a computation, one for all who wait."""
        if key in self._making:
            work.close()
        else:
            self._making[key] = asyncio.create_task(self._alone(key, work))
        task = self._making[key]
        done, _ = await asyncio.wait({task}, timeout=patience)
        if not done:
            task.add_done_callback(lambda one: one.cancelled() or one.exception())  # told to whoever looks next
            raise BeingMadeError
        return task.result()

    async def _alone(self, key: str, work: Coroutine[Any, Any, Figures]) -> Figures:
        """Make a report while no other process makes it. Raises BeingMadeError where one does."""
        try:
            now = self._clock.machine_now()
            if not await self._store.awrite(lambda connection: publication.claim(connection, key, now, REPORT_SECONDS)):
                work.close()
                raise BeingMadeError
            try:
                return await work
            finally:
                await self._store.awrite(lambda connection: publication.release(connection, key))
        finally:
            self._making.pop(key, None)

    async def _make_own(self, waves: list[str]) -> Figures:
        """The report of the last of these waves, and first of each before it that was never shown."""
        kept = await self._store.aread(lambda connection: publication.reports(connection, waves))
        for place, wave in enumerate(waves, 1):
            if kept.get(wave, {}).get("format") != FORMAT:
                kept[wave] = await self._publish(waves[:place], kept)
        return kept[waves[-1]]

    async def _publish(self, waves: list[str], before: dict[str, Figures]) -> Figures:
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

        def keep(connection: Connection) -> Figures:
            publication.keep(connection, wave, found, now)
            return publication.reports(connection, [wave])[wave]  # another process may have been first

        return await self._store.awrite(keep)

    async def _make_of_file(self, source: Source, wave: str) -> Figures:
        text = await self._run(source.path, "report", ".json", "--strict", "--wave", wave, *source.options)
        found: Figures = json.loads(text)
        mine, now = found["source"]["wave"], self._clock.machine_now()
        names = {wave, mine, *([LATEST] if mine in found["source"]["waves"][-1:] else [])}

        def keep(connection: Connection) -> None:
            for name in names:
                publication.keep_of_file(connection, self._key(source, name), found, now)

        await self._store.awrite(keep)
        return found

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

    def _key(self, source: Source, wave: str) -> str:
        """Under which the report of a file is kept: another one as soon as anything that it hangs on is."""
        whole = f"{source.mark}:{self._settings.monitoring_min_people}:{self._version}:{wave}"
        return publication.OF_FILE + hashlib.sha256(whole.encode()).hexdigest()[:32]

    async def quarter_pdf(self, page: Figures, language: str) -> bytes:
        """The page of a quarter as PDF: the same figures that the page shows."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report.json"
            path.write_text(json.dumps({"quarter": page, "demo": await self.is_demo()}), encoding="utf-8")
            return await self._run(path, "quarter", ".pdf", "--language", language, source="--report")

    async def export(self, wave: str) -> bytes:
        """Every file of an export, zipped. Raises FiguresError where it would tell about a few people.

        That is a wave of fewer people than the least, and one that a few left since something of it was shown.
        """
        if not await self.waves():
            return await self._run(self._file().path, "export", ".zip", "--wave", wave)
        least, now = self._settings.monitoring_min_people, self._clock.now()
        try:
            await self._store.awrite(lambda connection: publication.exported(connection, wave, least, now))
        except publication.TooFewGoneError:
            raise FiguresError(TOO_FEW_GONE) from None
        except publication.TooFewError:
            raise FiguresError(TOO_FEW) from None
        async with self._answers([wave]) as source:
            return await self._run(source.path, "export", ".zip", "--wave", wave)

    async def _run(self, answers: Path, what: str, ending: str, *options: str, source: str = "--answers") -> bytes:
        """What a process of its own writes. For a report nobody waits, so it is nice: answers to people go first."""
        nice = shutil.which("nice") if what == "report" else None
        limit = REPORT_SECONDS if what == "report" else SECONDS
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / f"out{ending}"
            least = ("--min-people", str(self._settings.monitoring_min_people)) if source == "--answers" else ()
            command = ("-m", "bot.cli", "monitoring", what, source, str(answers), "--output", str(output), *least)
            process = await asyncio.create_subprocess_exec(
                *((nice, "-n", "5") if nice else ()),
                sys.executable,
                *command,
                *options,
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                _, errors = await asyncio.wait_for(process.communicate(), limit)
            except (TimeoutError, asyncio.CancelledError) as why:
                process.kill()
                await process.communicate()
                if isinstance(why, asyncio.CancelledError):
                    raise
                raise FiguresError("it took too long") from None
            if process.returncode:
                raise FiguresError(errors.decode(errors="replace").strip().splitlines()[-1][:300])
            return await asyncio.to_thread(output.read_bytes)


@dataclass(frozen=True)
class KeepReports:
    """A chore: makes the report of a wave that is over, so that no page has to. One process of several does it."""

    figures: SurveyFigures

    async def run(self) -> None:
        await self.figures.recover()
        await asyncio.sleep(AT_FIRST)  # whoever starts has better things to do
        while True:
            fine = await self.once()
            await asyncio.sleep(EVERY if fine else AFTER_A_FAULT)

    async def once(self) -> bool:
        """Make what is missing. False when something could not be made: what is wrong stays wrong for a while."""
        try:
            for wave in await self.figures.missing():
                await self.figures.report(wave)
        except (BeingMadeError, StoreUnavailableError):
            return True
        except FiguresError as error:
            log.warning("a report could not be made: %s", error)
            return False
        return True
