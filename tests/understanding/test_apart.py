"""The understanding in a process of its own: the same answers, and what happens when either side is gone."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from bot.settings import ROOT
from bot.understanding.apart import Apart, UnderstandingGoneError, serve
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
    os.kill(apart.pid, signal.SIGSTOP)  # so that a question surely waits
    before, found = apart.pid, []

    def ask() -> None:
        with pytest.raises(UnderstandingGoneError):
            apart.understand(TEXT, "nl")
        found.append(True)

    asking = threading.Thread(target=ask)
    asking.start()
    os.kill(before, signal.SIGKILL)
    asking.join(SECONDS)
    assert found
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


def test_a_fault_of_the_other_side_comes_without_its_words() -> None:
    ours, theirs = Pipe()
    serving = threading.Thread(target=serve, args=(theirs, {"understand": int}))
    serving.start()
    assert ours.recv() == (0, None, "")
    ours.send((7, "understand", ("secret",), {}))
    assert ours.recv() == (7, None, "ValueError")
    ours.close()
    serving.join(SECONDS)
    assert not serving.is_alive()
