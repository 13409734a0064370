"""The whole service as a process against stand-ins for Telegram and Twilio that check what they are sent.

They lie beside this repository in `../shared/doubles`; where they are missing these tests are left out.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.settings import ROOT
from tests.conftest import KEYS, SHARED

DOUBLES = SHARED / "doubles"
pytestmark = pytest.mark.skipif(not DOUBLES.is_dir(), reason="the stand-ins lie outside this repository")

NUMBER, NO_NUMBER = "whatsapp:+31612345678", "whatsapp:NL.1A2B3C"
PUBLIC = "https://bot.example.org"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: Callable[[], Any], seconds: float = 20) -> Any:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            if found := what():
                return found
        except httpx.HTTPError:
            pass
        time.sleep(0.05)  # another process works meanwhile
    raise AssertionError("it did not happen in time")


class World:
    """The two platforms and the service between them."""

    def __init__(self, tmp_path: Path) -> None:
        self.telegram_port, self.twilio_port, self.port = free_port(), free_port(), free_port()
        self.telegram = f"http://127.0.0.1:{self.telegram_port}"
        self.twilio = f"http://127.0.0.1:{self.twilio_port}"
        self.processes: list[subprocess.Popen[bytes]] = []
        here = f"http://127.0.0.1:{self.port}"
        self.log = tmp_path / "service.log"
        try:
            self._start_all(tmp_path, here)
        except BaseException:
            self.stop()
            raise

    def _start_all(self, tmp_path: Path, here: str) -> None:
        self._start("telegram.py", self.telegram_port, "--token", "123:TEST", "--webhook-secret", "S-3cret_",
                    "--via", here, "--time-scale", "0.05")  # fmt: skip
        self._start("twilio.py", self.twilio_port, "--webhook-url", f"{PUBLIC}/whatsapp#rc=3&rp=all", "--via", here)
        self._serve(tmp_path)
        wait_for(lambda: httpx.get(f"{here}/health/live").status_code == 200, 60)
        webhook = self._command("telegram", "set-webhook")
        assert webhook.returncode == 0, webhook.stderr

    def _start(self, script: str, port: int, *arguments: str) -> None:
        command = [sys.executable, str(DOUBLES / script), "--port", str(port), *arguments]
        self.processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        base = f"http://127.0.0.1:{port}/control/sent"
        wait_for(lambda: httpx.get(base).status_code < 500)

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "WEGWIJS_DATA_DIR": str(self.log.parent / "data"),
            "WEGWIJS_PORT": str(self.port),
            "WEGWIJS_PUBLIC_BASE_URL": PUBLIC,
            "WEGWIJS_TELEGRAM_TOKEN": "123:TEST",
            "WEGWIJS_TELEGRAM_WEBHOOK_SECRET": "S-3cret_",
            "WEGWIJS_TELEGRAM_API_URL": self.telegram,
            "WEGWIJS_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "WEGWIJS_TWILIO_AUTH_TOKEN": "test-auth-token",
            "WEGWIJS_TWILIO_SENDER": "whatsapp:+14155238886",
            "WEGWIJS_TWILIO_API_URL": self.twilio,
            "WEGWIJS_SECRET_KEYS": KEYS["secret_keys"],
            "WEGWIJS_HASH_KEY": KEYS["hash_key"],
        }

    def _serve(self, tmp_path: Path) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "tests.serve_scripted"]
            process = subprocess.Popen(command, cwd=ROOT, env=self._environment(), stdout=log, stderr=log)
        self.processes.append(process)

    def _command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bot.cli", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self._environment(), capture_output=True, text=True, check=False)

    def control(self, base: str, what: str, **body: Any) -> Any:
        answer = httpx.post(f"{base}/control/{what}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def on_telegram(self, chat: int) -> list[dict[str, Any]]:
        calls = httpx.get(f"{self.telegram}/control/sent", params={"chat_id": chat}).json()
        return [call for call in _list(calls) if call.get("method") == "sendMessage"]

    def on_whatsapp(self, person: str) -> list[dict[str, Any]]:
        return _list(httpx.get(f"{self.twilio}/control/sent", params={"to": person}).json())

    def refused(self, base: str) -> list[Any]:
        return _list(httpx.get(f"{base}/control/refused").json())

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


def _list(answer: Any) -> list[Any]:
    return answer if isinstance(answer, list) else next(value for value in answer.values() if isinstance(value, list))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.stop()


def test_the_main_job_on_telegram(world: World):
    world.control(world.telegram, "start", chat_id=7, language_code="ar")
    first = wait_for(lambda: world.on_telegram(7))[-1]
    message_id = first["result"]["message_id"]
    world.control(world.telegram, "tap", chat_id=7, message_id=message_id, data="lang:ar")
    second = wait_for(lambda: len(world.on_telegram(7)) >= 2 and world.on_telegram(7))[-1]
    world.control(world.telegram, "tap", chat_id=7, message_id=second["result"]["message_id"], data="consent:yes")
    wait_for(lambda: len(world.on_telegram(7)) == 3)
    world.control(world.telegram, "message", chat_id=7, text="pip.what", language_code="ar")
    answer = wait_for(lambda: len(world.on_telegram(7)) == 4 and world.on_telegram(7))[-1]
    assert "PIP" in answer["params"]["text"]
    world.control(world.telegram, "tap", chat_id=7, message_id=123, data="nonsense:1", forged=True)
    wait_for(lambda: len(world.on_telegram(7)) == 5)
    world.control(world.telegram, "voice", chat_id=7, duration=4, file_size=12000)
    wait_for(lambda: len(world.on_telegram(7)) == 6)
    assert world.refused(world.telegram) == []


@pytest.mark.parametrize("person", [NUMBER, NO_NUMBER])
def test_the_main_job_on_whatsapp(world: World, person: str):
    for number, text in enumerate(["hallo", "1", "1", "pip.what", "٢"], 1):
        world.control(world.twilio, "message", **{"from": person, "body": text})
        wait_for(lambda n=number: len(world.on_whatsapp(person)) == n)
    bodies = [message["form"]["Body"][0] for message in world.on_whatsapp(person)]
    assert "1. Nederlands\n2. English\n3. " in bodies[0]
    assert "PIP" in bodies[3]
    assert world.refused(world.twilio) == []


def test_updates_twice_and_a_telegram_that_asks_to_wait(world: World):
    world.control(world.telegram, "chaos", duplicate=1, rate_limit_next=1, retry_after=1)
    world.control(world.telegram, "message", chat_id=8, text="hallo", language_code="nl")
    wait_for(lambda: len(world.on_telegram(8)) == 1)
    world.control(world.telegram, "replay", n=2)
    world.control(world.telegram, "chaos")
    world.control(
        world.telegram, "tap", chat_id=8, message_id=world.on_telegram(8)[0]["result"]["message_id"], data="lang:nl"
    )
    wait_for(lambda: len(world.on_telegram(8)) == 2)


def test_a_lost_answer_of_twilio_is_not_sent_twice(world: World):
    person = "whatsapp:+31687654321"
    world.control(world.twilio, "chaos", fail_after_accept=1)
    world.control(world.twilio, "message", **{"from": person, "body": "hallo"})
    wait_for(lambda: len(world.on_whatsapp(person)) == 1)
    world.control(world.twilio, "chaos")
    world.control(world.twilio, "message", **{"from": person, "body": "1"})
    wait_for(lambda: len(world.on_whatsapp(person)) == 2)


def test_names_and_commands_are_accepted_in_three_languages(world: World):
    done = world._command("telegram", "set-commands")
    assert done.returncode == 0, done.stderr
    assert not [call for call in world.refused(world.telegram) if call["method"] != "sendMessage"]


def test_no_token_and_no_address_in_the_log(world: World):
    log = world.log.read_text()
    for secret in ("123:TEST", "31612345678", "1A2B3C", "test-auth-token", "pip.what"):
        assert secret not in log
