"""The understanding in a process of its own: the same answers, and what happens when either side is gone."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from bot.settings import ROOT
from bot.understanding.apart import Apart, Door, UnderstandingGoneError, serve
from bot.understanding.engine import Engine
from bot.understanding.outcome import Understanding
from tests.understanding.conftest import PACK

TEXT = "Hoe laat gaat de bibliotheek open?"
SECONDS = 30


@pytest.fixture(scope="module")
def apart(engine: Engine, cache: Path) -> Iterator[Apart]:  # the engine is fitted first
    made = Apart(PACK, cache)
    yield made.wait()
    made.close()


def said(found: Understanding) -> tuple[object, ...]:
    """What must be the same however many threads the linear algebra has: not the last digits of a chance."""
    return found.outcome, found.language, found.candidates[0].topic, found.smalltalk, found.also


def ended(pid: int) -> bool:
    """Whether a process ends within some seconds. The system tells, also of one that is not ours."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], SECONDS)[0])
    finally:
        os.close(process)


def test_it_says_what_the_engine_says(apart: Apart, engine: Engine) -> None:
    for hurry in (False, True):
        assert said(apart.understand(TEXT, "nl", hurry=hurry)) == said(engine.understand(TEXT, "nl", hurry=hurry))
    assert apart.explain(TEXT, "nl").topic == engine.explain(TEXT, "nl").topic
    assert np.allclose(apart.encode([TEXT, "x"]), engine.encode([TEXT, "x"]), atol=1e-5)


def test_signals_that_are_meant_for_the_service_do_not_end_it(apart: Apart, engine: Engine) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(apart.pid, number)
    assert said(apart.understand(TEXT, "nl")) == said(engine.understand(TEXT, "nl"))


def test_a_new_one_starts_when_it_was_killed(apart: Apart, engine: Engine) -> None:
    before = apart.pid
    os.kill(before, signal.SIGSTOP)  # so that a question surely waits
    waits = apart._begun("understand", TEXT, "nl")
    os.kill(before, signal.SIGKILL)
    with pytest.raises(UnderstandingGoneError):
        waits.result(SECONDS)
    assert said(apart.understand(TEXT, "nl")) == said(engine.understand(TEXT, "nl"))
    assert apart.pid != before


def test_a_late_word_of_an_old_process_says_nothing_of_the_new_one(apart: Apart) -> None:
    """The listener of a killed process may come to its end when the next one is already at work."""
    before, killed = apart.pid, subprocess.Popen(["true"])
    apart._listen(_closed(), {}, killed)
    apart.understand(TEXT, "nl")
    assert apart.pid == before


def test_nobody_waits_for_ever_for_what_can_not_be_read(apart: Apart) -> None:
    ours, theirs = Pipe()
    theirs.send_bytes(b"no pickle")
    waits: Future[object] = Future()
    apart._listen(ours, {7: waits}, subprocess.Popen(["true"]))
    with pytest.raises(UnderstandingGoneError):
        waits.result(SECONDS)
    assert ours.closed  # so the other side ends


def _closed() -> Connection:
    """A line whose other side is gone."""
    ours, theirs = Pipe()
    theirs.close()
    return ours


def test_it_ends_with_the_service_however_that_ends(cache: Path, engine: Engine) -> None:  # as above
    program = (
        "import os, sys; from pathlib import Path; from bot.understanding.apart import Apart\n"
        "pid = Apart(Path(sys.argv[1]), Path(sys.argv[2])).wait().pid; print(pid, flush=True); os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", program, str(PACK), str(cache)]
    said = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    assert said.returncode == -signal.SIGKILL
    assert ended(int(said.stdout))


def test_content_that_can_not_be_fitted_is_told_to_who_waits(tmp_path: Path) -> None:
    with pytest.raises(UnderstandingGoneError, match="its log says why"):
        Apart(tmp_path, tmp_path / "models").wait()


@pytest.fixture
def served() -> Iterator[Callable[..., Connection]]:
    """Serve tasks of our own in this process; gives our end of the line."""
    serving: list[tuple[Connection, threading.Thread]] = []

    def begin(**tasks: Callable[..., object]) -> Connection:
        ours, theirs = Pipe()
        thread = threading.Thread(target=serve, args=(Door(theirs), tasks))
        thread.start()
        serving.append((ours, thread))
        assert ours.recv() == (0, None, "")
        return ours

    yield begin
    for line, thread in serving:
        line.close()
        thread.join(SECONDS)
        assert not thread.is_alive()


def test_a_fault_of_the_other_side_comes_without_its_words(served: Callable[..., Connection]) -> None:
    line = served(understand=int)
    line.send((7, "understand", ("secret",), {}))
    assert line.recv() == (7, None, "ValueError")


class Recorder:
    """Understands nothing, and keeps what it was asked together. `busy` waits until `free`."""

    def __init__(self) -> None:
        self.begun, self.free = threading.Semaphore(0), threading.Event()
        self.batches: list[list[str]] = []

    def understand(self, text: str, language: str, *, hurry: bool = False) -> str:
        if text == "busy":
            self.begun.release()
            assert self.free.wait(SECONDS)
        self.batches.append([text])
        return text

    def understand_many(self, messages: list[tuple[str, str]], *, hurry: bool) -> Iterator[tuple[int, object]]:
        assert hurry
        self.batches.append([text for text, _ in messages])
        for place, (text, _) in reversed(list(enumerate(messages))):
            yield place, ValueError("secret") if text == "13" else text
            if text == "32":
                raise RuntimeError("secret")


def test_what_waits_in_a_hurry_is_understood_together(served: Callable[..., Connection]) -> None:
    tasks = Recorder()
    line = served(understand=tasks.understand, understand_many=tasks.understand_many, encode=len)
    for number in (1, 2):  # both threads
        line.send((number, "understand", ("busy", "nl"), {"hurry": False}))
    hurried = {
        number: (number, "understand", (str(number), "nl"), {"hurry": True})
        for number in (*range(10, 20), *range(31, 34))
    }
    patient = {20: (20, "understand", ("20", "nl"), {"hurry": False}), 21: (21, "encode", (["x"],), {})}
    for _, question in sorted((hurried | patient).items()):
        line.send(question)
    line.send(None)
    _all_is_read()  # and waits
    tasks.free.set()
    said = {number: error or found for number, found, error in (line.recv() for _ in range(17))}
    assert sorted(map(len, tasks.batches), reverse=True)[:3] == [8, 3, 2]
    assert said == {
        **{number: str(number) for number in hurried},
        1: "busy",
        2: "busy",
        13: "ValueError",
        20: "20",
        21: 1,
        31: "RuntimeError",
    }


def _all_is_read() -> None:
    for thread in threading.enumerate():
        if thread.name == "door":
            thread.join(SECONDS)
            assert not thread.is_alive()


def test_what_waits_is_left_where_the_line_can_not_be_read(served: Callable[..., Connection]) -> None:
    tasks = Recorder()
    line = served(understand=tasks.understand)
    for number in (1, 2, 3):
        line.send((number, "understand", ("busy" if number < 3 else "late", "nl"), {}))
    assert tasks.begun.acquire(timeout=SECONDS)
    assert tasks.begun.acquire(timeout=SECONDS)
    line.send_bytes(b"no pickle")
    _all_is_read()
    tasks.free.set()
    assert sorted(line.recv()[0] for _ in range(2)) == [1, 2]
    for thread in threading.enumerate():
        if thread.name.startswith("mind "):
            thread.join(SECONDS)  # they end
    assert tasks.batches == [["busy"], ["busy"]]


def test_who_waits_in_a_rush_learns_that_it_was_killed(apart: Apart, engine: Engine) -> None:
    """Without a thread for each; and somebody who waits no longer disturbs nobody."""

    async def rush() -> list[object]:
        os.kill(apart.pid, signal.SIGSTOP)
        asked = [asyncio.ensure_future(apart.aunderstand(TEXT, "nl", hurry=True)) for _ in range(12)]
        await asyncio.sleep(0)  # sent
        asked[3].cancel()
        os.kill(apart.pid, signal.SIGKILL)
        return await asyncio.gather(*asked, return_exceptions=True)

    found = asyncio.run(asyncio.wait_for(rush(), SECONDS))
    assert isinstance(found.pop(3), asyncio.CancelledError)
    assert {type(error) for error in found} == {UnderstandingGoneError}


def test_a_rush_is_understood_as_one_by_one(apart: Apart, engine: Engine) -> None:
    texts = [TEXT, "hallo", "ik wil dood", "ding van die dinges daar", "", "wat kost hondenbelasting"] * 2

    async def rush() -> list[Understanding]:
        asked = [asyncio.ensure_future(apart.aunderstand(text, "nl", hurry=True)) for text in texts]
        await asyncio.sleep(0)
        asked[0].cancel()
        return await asyncio.gather(*asked[1:])

    found = asyncio.run(rush())
    assert [said(one) for one in found] == [said(engine.understand(text, "nl", hurry=True)) for text in texts[1:]]
