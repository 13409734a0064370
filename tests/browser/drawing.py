"""A service that runs only to have its pages drawn."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bot.storage.migrate import upgrade
from bot.storage.store import Store
from tests.browser.conftest import Site


def draw(take: Callable[[Site, Path], None], *arguments: str) -> None:
    """Let `take` put its pictures into the folder that the command line names. `arguments` are the server's."""
    pictures = Path(sys.argv[1])
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.sqlite3"
        store = Store(f"sqlite:///{empty}")
        upgrade(store.engine)
        store.close()
        (Path(folder) / "data").mkdir()
        served = Site(Path(folder) / "data", empty, *arguments)
        served.wait()
        try:
            take(served, pictures)
        finally:
            served.stop()
    sys.stdout.write(f"pictures in {pictures}\n")
