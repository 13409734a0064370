"""The understanding in a process of its own, so that the one that accepts and answers never waits for it.

Why: Python lets one thread run at a time. With threads for understanding the event loop was busy half of the time and
stood in line for the rest, while a processor was free (docs/adr/0014-understanding-apart.md).

The other process gets messages over a pair of sockets that nobody else can reach, and ends when they close: with the
service, however that ends. When it is gone itself, whoever waits for it gets UnderstandingGoneError (a message is tried
again), and the next one who asks starts it anew.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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
READY = 0  # the number of the first word from the other side
Question = tuple[int, str, tuple[Any, ...], dict[str, Any]]  # its number, what is asked, of what


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
        future: Future[Any] = Future()
        with self._lock:
            if self._closed:
                raise UnderstandingGoneError("the understanding was closed")
            if self._gone:
                self._begin()
            number = next(self._numbers)
            self._waiting[number] = future
            with contextlib.suppress(OSError):  # it ended just now: the listener tells all who wait
                self._line.send((number, what, arguments, named))
        return future.result()

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


def serve(line: Connection, tasks: dict[str, Callable[..., Any]]) -> None:
    """The other side: say that all is loaded, and do tasks until None comes or the line closes."""
    lock = threading.Lock()

    def reply(number: int, found: Any, error: str = "") -> None:
        try:
            with lock:
                line.send((number, found, error))
        except OSError:  # nobody waits for it any more
            return

    def do(question: Question) -> None:
        number, what, arguments, named = question
        try:
            reply(number, tasks[what](*arguments, **named))
        except Exception as error:  # noqa: BLE001  # its text may hold words of somebody
            reply(number, None, type(error).__name__)

    reply(READY, None)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="mind") as minds:
        while True:
            try:
                question = line.recv()
            except (EOFError, OSError):
                return
            if question is None:
                return
            minds.submit(do, question)


def main(content_dir: str, cache_dir: str, form: str, descriptor: str) -> int:
    """What the other process runs. `form`: of its log, json or plain."""
    gc.disable()
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
    serve(
        Connection(int(descriptor)),
        {"understand": engine.understand, "encode": engine.encode, "explain": engine.explain},
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
