"""The service can be closed for a while, or a part of it switched off, without losing a message or a life."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from bot import around, cli, opening
from bot.locales import LANGUAGES
from bot.service import _watches
from bot.settings import load_settings
from bot.storage.migrate import upgrade
from bot.storage.models import TicketRow
from bot.storage.store import Store
from tests.talk import Talk, keys
from tests.webhooks.browser import log_in, make_browser
from webhooks.app import create_app


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_closed_it_says_until_when_and_opens_by_itself(service, understander, language, channel):
    talk = Talk(service, channel).agrees(language)
    until = service.clock.now() + timedelta(hours=20)
    service.store.write(lambda c: opening.close(c, until))
    understander.means("pip?", "answer", "pip.what", language=language)
    got = talk.says("pip?")
    assert keys(got) == ["service.closed"]
    assert got[0].language == language
    assert "112" in got[0].text
    assert keys(talk.taps("topic:pip.what")) == ["service.closed"]
    service.clock.forward(timedelta(hours=20, minutes=1))
    assert "pip.what" in keys(talk.says("pip?"))[0]


def test_closed_somebody_in_danger_and_the_rights_of_people_go_on(service, understander):
    talk = Talk(service, "telegram").agrees("nl")
    service.store.write(lambda c: opening.close(c, service.clock.now() + timedelta(days=2)))
    understander.means("ik wil dood", "crisis", "health.crisis")
    assert keys(talk.says("ik wil dood")) == ["crisis.help"]
    assert service.store.read(lambda c: c.execute(sa.select(TicketRow.urgent)).scalar_one())
    assert keys(talk.taps("data")) == ["data.kept"]
    service.store.write(opening.reopen)
    assert keys(talk.taps("menu")) == ["menu.ask"]


def test_from_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WEGWIJS_DATA_DIR", str(tmp_path))
    store = Store(f"sqlite:///{tmp_path / 'wegwijs.sqlite3'}")
    upgrade(store.engine)
    assert cli.main(["close", "--until", "2099-12-28T09:00"]) == 0
    assert "closed until 28-12-2099 09:00" in capsys.readouterr().out

    def closed_until():
        kept = store.read(lambda c: around.look(c, 0, 0)).closed_until
        return opening.closed_until(kept, datetime(2099, 1, 1, tzinfo=UTC))

    assert closed_until() == datetime(2099, 12, 28, 8, tzinfo=UTC)
    assert cli.main(["open"]) == 0
    assert closed_until() is None
    store.close()


def test_parts_can_be_switched_off(service):
    service.settings = service.settings.model_copy(update={"desk": False, "whatsapp": False})
    client = TestClient(create_app(service))
    assert client.get("/desk").status_code == 404
    assert client.get("/health/live").status_code == 200
    assert client.post("/whatsapp", data={"From": "x"}).status_code == 403


def test_without_surveys_there_is_no_page_no_link_and_no_round_of_invitations(service):
    service.settings = service.settings.model_copy(update={"surveys": False})
    browser = make_browser(service)
    log_in(browser)
    assert browser.get("/surveys").status_code == 404
    assert 'href="/surveys"' not in browser.get("/desk/me").text
    surveyor = service.conversation.surveyor
    chores = _watches(service.settings, service.store, service.clock, surveyor)
    assert "the round of invitations" not in [getattr(chore, "name", "") for chore in chores]


def test_telegram_keeps_the_messages_of_a_channel_that_is_off(service):
    service.settings = service.settings.model_copy(update={"telegram": False})
    secret = {"x-telegram-bot-api-secret-token": service.settings.telegram_webhook_secret}
    answer = TestClient(create_app(service)).post("/telegram", json={"update_id": 1}, headers=secret)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "300")


def test_a_channel_that_is_off_keeps_its_settings():
    settings = load_settings(telegram_token="1:A", telegram_webhook_secret="s", telegram=False)
    assert not settings.has_telegram
