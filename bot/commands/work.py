"""`wegwijs worker`: a worker without the web, on PostgreSQL."""

from __future__ import annotations

import asyncio

from bot import logs
from bot.settings import Settings, load_settings
from bot.understanding.apart import Apart


def apart(settings: Settings) -> Apart:
    """The understanding of the content of the settings, being loaded by a process of its own."""
    return Apart(settings.content_dir, settings.data_dir / "models", as_json=settings.log_json)


def work() -> int:
    """Work until a signal says stop; what is under way then is finished first."""
    settings = load_settings()
    understander = apart(settings)
    from bot.service import build  # noqa: PLC0415  # a second of imports, while the understanding loads
    from bot.worker import settle  # noqa: PLC0415  # as above

    async def working() -> None:
        service = build(settings, understander=understander.wait())
        settle()
        logs.configure(as_json=settings.log_json)
        try:
            await service.worker.run()
        finally:
            await service.close()

    asyncio.run(working())
    return 0
