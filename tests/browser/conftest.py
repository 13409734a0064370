"""Browsers that drive the real service. Only when asked for: `make test-browser`, or pytest with this folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bot.settings import ROOT

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
ARGUMENTS = [
    "--no-sandbox",  # the tests may run as root, and only ever open our own pages
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 180  # on a busy machine
WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: drives Chromium")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Plain `make test` needs no browser."""
    asked = any("tests/browser" in argument for argument in config.args)
    return None if asked or collection_path.name == "conftest.py" else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Site:
    """A service that runs: its address."""

    def __init__(self, folder: Path, upgraded: Path, *arguments: str) -> None:
        shutil.copyfile(upgraded, folder / "wegwijs.sqlite3")  # running the migrations takes longer than the tests
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WEGWIJS_")}
        environment |= {"PYTHONPATH": str(ROOT), "WEGWIJS_DATA_DIR": str(folder), "WEGWIJS_PORT": str(self.port)}
        command = [sys.executable, "-m", "tests.browser.serve", *arguments]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stderr=log)

    def wait(self) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if httpx.get(f"{self.base}/health/ready").is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        pytest.fail(f"the service does not start:\n{self.log.read_text()[-3000:]}")

    def stop(self) -> float:
        """Tell it to stop; returns how many seconds it took."""
        started = time.monotonic()
        self.process.terminate()
        self.process.wait(30)
        return time.monotonic() - started


def running_site(factory: pytest.TempPathFactory, upgraded: Path, *arguments: str) -> Iterator[Site]:
    made = Site(factory.mktemp("site"), upgraded, *arguments)
    made.wait()
    yield made
    if made.process.poll() is None:
        made.stop()


@pytest.fixture(scope="session")
def shared_site(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Iterator[Site]:
    """One service for all tests that only look."""
    yield from running_site(tmp_path_factory, upgraded_file)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Iterator[Site]:
    """A service for the tests of a file: each of them answers a question or two of its own."""
    yield from running_site(tmp_path_factory, upgraded_file)


@pytest.fixture
def fresh_site(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Iterator[Site]:
    """A service of one test alone."""
    yield from running_site(tmp_path_factory, upgraded_file)


@pytest.fixture
def encoding_site(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Iterator[Site]:
    """A service of one test alone, with the real encoder, which takes seconds to load."""
    yield from running_site(tmp_path_factory, upgraded_file, "use")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.exit("no Chromium: apt-get install chromium, or name one: CHROMIUM=/path/to/chromium", returncode=3)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Visitor:
    """Somebody at a browser. Everything that goes wrong on a page, also quietly, fails the test at its end."""

    def __init__(self, chromium: Browser, site: Site, **options: object) -> None:
        options = {"locale": "nl-NL", "viewport": WIDE, "timezone_id": "Europe/Amsterdam"} | options
        self.site = site
        self.context: BrowserContext = chromium.new_context(base_url=site.base, **options)
        self.context.set_default_timeout(30_000)  # milliseconds, on a busy machine
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda said: self._said(said.type, said.text))

    def _said(self, kind: str, text: str) -> None:
        if kind == "error" and "the server responded with a status of 4" not in text:
            self.faults.append(text)  # above all what the content security policy refused

    def log_in(self, login: str, password: str = "demo") -> Visitor:
        self.page.goto("/desk/login")
        form = self.page.locator("main form").filter(has=self.page.locator("input[name=login][required]"))
        form.locator("[name=login]").fill(login)
        form.locator("[name=password]").fill(password)
        form.locator("button").click()
        self.page.wait_for_url(lambda url: "/login" not in url)
        return self

    def close(self) -> None:
        self.context.close()
        assert self.faults == []


@pytest.fixture
def visit(chromium: Browser) -> Iterator[object]:
    """Makes visitors: `visit(site, viewport=PHONE)`."""
    visitors: list[Visitor] = []

    def make(site: Site, **options: object) -> Visitor:
        visitors.append(Visitor(chromium, site, **options))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.close()
