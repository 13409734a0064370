"""`wegwijs worker`: a worker without the web, on PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bot import logs
from bot.folders import Folders
from bot.understanding.apart import Apart

if TYPE_CHECKING:
    from bot.service import Service

log = logging.getLogger(__name__)


@contextlib.contextmanager
def apart() -> Iterator[Apart]:
    """The understanding of the content of the settings, being loaded by a process of its own.

    When the start fails it is ended at once: it may be busy for minutes, and nobody needs it. Raises SettingsError.
    """
    folders = _folders()
    understander = Apart(folders.content_dir, folders.data_dir / "models", as_json=folders.log_json)
    try:
        yield understander
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.kill(understander.pid, signal.SIGKILL)
        raise


def _folders() -> Folders:
    with contextlib.suppress(ValidationError, UnicodeDecodeError):
        folders = Folders()
        if folders.content_dir.is_dir():
            return folders
    from bot.settings import load_settings  # noqa: PLC0415  # it raises, and tells all faults

    return load_settings()


def work() -> int:
    """Work until a signal says stop; what is under way then is finished first."""
    with apart() as understander:
        from bot.service import build  # noqa: PLC0415  # a second of imports, while the understanding loads
        from bot.settings import load_settings  # noqa: PLC0415  # as above

        settings = load_settings()
        service = build(settings, understander=understander)
        understander.wait()
        logs.configure(as_json=settings.log_json)
        asyncio.run(until_told(service))
    return 0


async def until_told(service: Service) -> None:
    """The worker of a service, until SIGTERM or SIGINT; then the service is closed."""
    from bot.worker import settle  # noqa: PLC0415  # as above

    settle()
    working = asyncio.create_task(service.worker.run())
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, working.cancel)
    try:
        await working
    except asyncio.CancelledError:
        log.info("told to stop; what was under way is finished")
    finally:
        await service.close()
