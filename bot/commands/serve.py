"""`wegwijs serve`: web and worker in one process."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from bot import logs
from bot.commands.work import apart

if TYPE_CHECKING:
    from bot.service import Service
    from bot.settings import Settings

CHORES_AFTER = 2.0  # seconds: eleven of them at once held up the first answer by 0.2 s


def serve(*, demo: bool) -> int:
    """Serve until a signal says stop; returns the exit code. `demo`: load the invented people first."""
    with apart() as understander:  # loads beside the rest
        from bot.service import build  # noqa: PLC0415  # a second of imports, while the understanding loads
        from bot.settings import load_settings  # noqa: PLC0415  # as above

        settings = load_settings()
        service = build(settings, understander=understander)
        service.worker.chores_after = CHORES_AFTER
        web = importlib.import_module("webhooks.server")  # by name: it stands above this module in the import rules
        code = _demo(service) if demo else ""
        server = web.Server(service)
        understander.wait()  # the addresses below work from then on
        logs.configure(as_json=settings.log_json)  # uvicorn and the migrations set up their own
        _say_where(settings, code)
        return int(server.run())


def _demo(service: Service) -> str:
    """Load the invented people; a code to try, as in a letter."""
    from bot.demo import link_code, load_accounts, load_demo  # noqa: PLC0415  # only where it is asked for

    load_demo(service)
    load_accounts(service)
    return link_code(service)


def _say_where(settings: Settings, code: str) -> None:
    address = settings.public_base_url or f"http://{settings.host}:{settings.port}"
    lines = [f"Chat page    {address}/simulator"] if settings.simulator else []
    if lines and code:
        lines.append(f"             write {code} there, as from a letter: the person is linked to a klantregisseur")
    print("\n".join([*lines, f"Desk         {address}/desk", f"Monitoring   {address}/monitoring"]), flush=True)
