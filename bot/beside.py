"""Loading the understanding beside the rest of a start, on the second processor: half of it is unpacking files."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from bot.settings import Settings
from bot.understanding import Understander


def load(settings: Settings) -> Understander:
    """The understanding of the content of the settings; where it was never fitted to that, this takes minutes."""
    from bot.understanding.engine import load_understander  # noqa: PLC0415  # the encoders load only where messages are understood

    return load_understander(settings.content_dir, settings.data_dir / "models")


def begin(settings: Settings) -> Callable[[], Understander]:
    """Begin to load in a thread; the function waits for it. Raises then what loading raised.

    Nothing begins where a fit is needed: content that can't be read is told first, by who asks for the content.
    """
    future: Future[Understander | None] = Future()

    def run() -> None:
        try:
            future.set_result(load(settings) if _is_fitted(settings) else None)
        except BaseException as error:  # noqa: BLE001  # goes to who waits
            future.set_exception(error)

    threading.Thread(target=run, name="beside", daemon=True).start()
    return lambda: future.result() or load(settings)


def _is_fitted(settings: Settings) -> bool:
    from bot.understanding.model import model_path  # noqa: PLC0415  # as above

    return model_path(settings.content_dir, settings.data_dir / "models").exists()
