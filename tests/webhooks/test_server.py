"""The server answers messages before the pages are there; whoever wants a page waits; a fault of the pages ends it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
import threading

import pytest

import webhooks.app
from bot.commands import work
from bot.errors import SettingsError
from bot.settings import ROOT
from tests.test_doubles import free_port
from webhooks.server import Server

BEFORE_IT_UNDERSTANDS = "sqlalchemy", "bot.settings", "aiohttp"
BEFORE_IT_LISTENS = (
    *("fastapi", "jinja2", "webhooks.pages", "prometheus_client", "argon2", "segno"),  # of the pages
    *("numpy", "scipy", "sklearn", "pandas", "statsmodels", "matplotlib"),  # of figures
    *(
        "httpx",
        "requests",
        "twilio.rest",
        "authlib",
        "holidays.countries.albania",
        "alembic",
    ),  # of some settings
)


@contextlib.asynccontextmanager
async def nothing_else(_service):
    yield


async def ask(server, method, path):
    """The status of an answer."""
    said = []

    async def receive():
        return {"type": "http.request", "body": b""}

    async def send(message):
        said.append(message)

    scope = {"type": "http", "http_version": "1.1", "method": method, "path": path, "raw_path": path.encode()}
    scope |= {"query_string": b"", "headers": [], "scheme": "http", "root_path": "", "client": None, "server": None}
    await server(scope, receive, send)
    return said[0]["status"]


def test_a_message_is_answered_while_a_page_still_waits(service, monkeypatch):
    make, build = webhooks.app.create_app, threading.Event()
    monkeypatch.setattr(webhooks.app, "create_app", lambda service: build.wait(10) and make(service))
    server = Server(service, life=nothing_else)

    async def run():
        async with server._live(None):
            page = asyncio.create_task(ask(server, "GET", "/health/live"))
            message = await ask(server, "POST", "/telegram")
            waited = not page.done()
            build.set()
            return message, waited, await page

    assert asyncio.run(run()) == (403, True, 200)


def test_a_fault_of_the_pages_ends_the_server_and_is_told(service, monkeypatch):
    def broken(_service):
        raise ValueError("templates/own_data.html, line 3")

    monkeypatch.setattr(webhooks.app, "create_app", broken)
    service.settings = service.settings.model_copy(update={"port": free_port()})
    server = Server(service, life=nothing_else)
    server._wanted.set()
    with pytest.raises(ValueError, match="line 3"):
        server.run()


def test_a_start_that_fails_ends_the_process_that_understands(monkeypatch):
    """It may be fitting for minutes, and each try to start would add one."""
    with subprocess.Popen(["sleep", "60"]) as understands:
        monkeypatch.setattr(work, "Apart", lambda *_, **__: understands)
        with pytest.raises(SettingsError), work.apart():
            raise SettingsError(["a fault that is found later"])
        assert understands.wait(10) == -signal.SIGKILL


def test_a_start_loads_nothing_that_only_some_pages_or_commands_need():
    """Each of these was paid by every start once: a second of processor and 40 MB together."""
    script = f"""
import sys
import bot.cli, bot.commands.work
print(*(name for name in {BEFORE_IT_UNDERSTANDS} if name in sys.modules))
from datetime import date
import bot.service, webhooks.server
from bot.settings import load_settings
from bot.working_days import is_public_holiday
load_settings(), is_public_holiday(date(2026, 11, 26))
print(*(name for name in {BEFORE_IT_LISTENS} if name in sys.modules))
"""
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "\n\n"
