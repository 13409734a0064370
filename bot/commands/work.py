"""`wegwijs worker`: a worker without the web, on PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import TYPE_CHECKING

from bot import logs
from bot.settings import Settings, load_settings
from bot.understanding.apart import Apart

if TYPE_CHECKING:
    from bot.service import Service

log = logging.getLogger(__name__)


def apart(settings: Settings) -> Apart:
    """The understanding of the content of the settings, being loaded by a process of its own."""
    return Apart(settings.content_dir, settings.data_dir / "models", as_json=settings.log_json)


def work() -> int:
    """Work until a signal says stop; what is under way then is finished first."""
    settings = load_settings()
    understander = apart(settings)
    from bot.service import build  # noqa: PLC0415  # a second of imports, while the understanding loads

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
