"""The understanding in a process of its own, so that the one that accepts and answers never waits for it.

Why: Python lets one thread run at a time. With threads for understanding the event loop was busy half of the time and
stood in line for the rest, while a processor was free (docs/adr/0014-understanding-apart.md).

The other process gets messages over a pair of sockets that nobody else can reach, and ends when they close: with the
service, however that ends. When it is gone itself, whoever waits for it gets UnderstandingGoneError (a message is tried
again), and the next one who asks starts it anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import logging
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.errors import WegwijsError
from bot.understanding.outcome import Reason, Understanding

if TYPE_CHECKING:
    from bot.understanding.encoders import Vectors

log = logging.getLogger(__name__)

THREADS = 2  # messages understood at once: the encoders let go of the interpreter, and each thread costs memory
TOGETHER = 8  # hurried messages understood in one go: quick ones take 60 ms, and more of them gain little
READY = 0  # the number of the first word from the other side
Question = tuple[int, str, tuple[Any, ...], dict[str, Any]]  # its number, what is asked, of what
Tasks = Mapping[str, Callable[..., Any]]


class UnderstandingGoneError(WegwijsError):
    """The process that understands ended. A new one starts at the next question."""


class Apart:
    """An `Understander` that another process does the work of. Safe to call from several threads."""

    def __init__(self, content_dir: Path, cache_dir: Path, *, as_json: bool = False) -> None:
        """Start the other process; it loads meanwhile. `as_json`: how it writes its log."""
        self._arguments = [str(content_dir.resolve()), str(cache_dir.resolve()), "json" if as_json else "plain"]
        self._lock, self._numbers = threading.Lock(), itertools.count(READY + 1)
        self._closed = False
        self._begin()

    def understand(self, text: str, language: str, *, hurry: bool = False) -> Understanding:
        """As `Engine.understand`. Raises UnderstandingGoneError when the other process ends meanwhile."""
        found: Understanding = self._ask("understand", text, language, hurry=hurry)
        return found

    async def aunderstand(self, text: str, language: str, *, hurry: bool = False) -> Understanding:
        """The same without a thread that waits. In a hurry, those that wait together are understood together."""
        found: Understanding = await asyncio.wrap_future(self._begun("understand", text, language, hurry=hurry))
        return found

    def encode(self, texts: Sequence[str]) -> Vectors:
        """As `Engine.encode`. Raises UnderstandingGoneError."""
        found: Vectors = self._ask("encode", list(texts))
        return found

    def explain(self, text: str, language: str) -> Reason:
        """As `Engine.explain`. Raises UnderstandingGoneError."""
        found: Reason = self._ask("explain", text, language)
        return found

    def wait(self) -> Apart:
        """Wait until it has loaded, which takes minutes where nothing was fitted to the content. Returns itself.

        Raises UnderstandingGoneError when it could not.
        """
        self._ready.result()
        return self

    @property
    def pid(self) -> int:
        """The number of the other process."""
        return self._process.pid

    def close(self) -> None:
        """End the other process after what it is busy with."""
        with self._lock:
            self._closed = True
            with contextlib.suppress(OSError):
                self._line.send(None)
        self._process.wait()

    def _begin(self) -> None:
        ours, theirs = Pipe()
        root = str(Path(__file__).parents[2])
        paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        environment = {"OPENBLAS_NUM_THREADS": "1", **os.environ, "PYTHONPATH": paths}
        command = [sys.executable, "-m", __name__, *self._arguments, str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environment)  # noqa: S603  # our own module
        self._line, self._gone = ours, False
        self._ready: Future[Any] = Future()
        self._waiting: dict[int, Future[Any]] = {READY: self._ready}
        threading.Thread(
            target=self._listen, args=(ours, self._waiting, self._process), name="understanding", daemon=True
        ).start()

    def _ask(self, what: str, *arguments: Any, **named: Any) -> Any:
        return self._begun(what, *arguments, **named).result()

    def _begun(self, what: str, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()  # who does not wait any longer must not disturb the listener
        with self._lock:
            if self._closed:
                raise UnderstandingGoneError("the understanding was closed")
            if self._gone:
                self._begin()
            number = next(self._numbers)
            self._waiting[number] = future
            with contextlib.suppress(OSError):  # it ended just now: the listener tells all who wait
                self._line.send((number, what, arguments, named))
        return future

    def _listen(self, line: Connection, waiting: dict[int, Future[Any]], process: subprocess.Popen[bytes]) -> None:
        """In a thread, one for each process: hands out what comes back, until the other side is gone."""
        with line:  # nobody else closes it, so it never becomes the line of the next process under our hands
            try:
                while True:
                    number, found, error = line.recv()
                    future = waiting.pop(number)
                    if error:
                        future.set_exception(RuntimeError(error))
                    else:
                        future.set_result(found)
            except (EOFError, OSError):  # it ended
                pass
            except Exception as error:  # noqa: BLE001  # code that was changed under it: nobody may wait for ever
                log.error("the process that understands can't be understood (%s)", type(error).__name__)  # noqa: TRY400  # no words
            with self._lock:
                if line is self._line:  # a next one may be at work already
                    self._gone = True
                left = [waiting.pop(number) for number in list(waiting)]
        for future in left:
            future.set_exception(UnderstandingGoneError("the process that understands ended; its log says why"))
        process.wait()


class Door:
    """What waits at the door of the other process. Read as it comes, so that nobody has to wait for sending it."""

    def __init__(self, line: Connection) -> None:
        self.line = line
        self._waiting: deque[Question] = deque()
        self._changed, self._closed = threading.Condition(), False
        threading.Thread(target=self._read, name="door", daemon=True).start()

    def _read(self) -> None:
        """Until None comes: then what waits is done; or until the line ends: then nobody waits for it."""
        question: Question | None
        while True:
            gone = False
            try:
                question = self.line.recv()
            except Exception:  # noqa: BLE001  # it closed; or what came can't be read: this process ends, and all are told
                question, gone = None, True
            with self._changed:
                if question is not None:
                    self._waiting.append(question)
                    self._changed.notify()
                    continue
                if gone:
                    self._waiting.clear()
                self._closed = True
                self._changed.notify_all()
                return

    def take(self) -> list[Question]:
        """The next one with those behind it that are understood together with it; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            taken: list[Question] = []
            while self._waiting and len(taken) < TOGETHER:
                if taken and not (_hurried(taken[0]) and _hurried(self._waiting[0])):
                    break
                taken.append(self._waiting.popleft())
            return taken


def _hurried(question: Question) -> bool:
    _, what, _, named = question
    return what == "understand" and bool(named.get("hurry"))


def serve(door: Door, tasks: Tasks) -> None:
    """The other side: say that all is loaded, and do tasks until the door closes."""
    lock = threading.Lock()

    def reply(number: int, found: Any) -> None:
        """What was found, or of an error its kind: its text may hold words of somebody."""
        error = type(found).__name__ if isinstance(found, Exception) else ""
        try:
            with lock:
                door.line.send((number, None if error else found, error))
        except OSError:  # nobody waits for it any more
            return

    def work() -> None:
        while questions := door.take():
            for number, found in _done(questions, tasks):
                reply(number, found)

    reply(READY, None)
    minds = [threading.Thread(target=work, name=f"mind {number}") for number in range(THREADS)]
    for mind in minds:
        mind.start()
    for mind in minds:
        mind.join()


def _done(questions: list[Question], tasks: Tasks) -> Iterator[tuple[int, Any]]:
    """The number of each question and what was found, or an error, in the order in which they are known."""
    left = {place: number for place, (number, *_) in enumerate(questions)}
    try:
        if len(questions) > 1:
            for place, found in tasks["understand_many"]([arguments for _, _, arguments, _ in questions], hurry=True):
                yield left.pop(place), found
        else:
            _, what, arguments, named = questions[0]
            found = tasks[what](*arguments, **named)
            yield left.pop(0), found
    except Exception as error:  # noqa: BLE001  # told to who waits
        yield from ((number, error) for number in left.values())


def main(content_dir: str, cache_dir: str, form: str, descriptor: str) -> int:
    """What the other process runs. `form`: of its log, json or plain."""
    gc.disable()
    door = Door(Connection(int(descriptor)))
    from bot import logs  # noqa: PLC0415  # as below
    from bot.understanding.engine import load_understander  # noqa: PLC0415  # numpy and the encoders: not in the service

    logs.configure(as_json=form == "json")
    try:
        engine = load_understander(Path(content_dir), Path(cache_dir))
    except WegwijsError as error:
        log.error("%s", error)  # noqa: TRY400  # one line that says what to mend
        return 1
    gc.freeze()
    gc.enable()
    for name in (signal.SIGINT, signal.SIGTERM):  # meant for the service, which finishes first; then the line closes
        signal.signal(name, signal.SIG_IGN)
    asked = (engine.understand, engine.understand_many, engine.encode, engine.explain)
    serve(door, {task.__name__: task for task in asked})
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
