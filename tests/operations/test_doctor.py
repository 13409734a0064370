"""The doctor finds what is wrong, says what to do, and prints no secret."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
import respx
import sqlalchemy as sa

from bot import cli, doctor, retention
from bot import content as texts
from bot.development_keys import new_keys
from bot.doctor_templates import words
from bot.errors import ContentError
from bot.findings import Grade
from bot.locales import LANGUAGES
from bot.messages import Address, InboundMessage, Kind
from bot.settings import TEMPLATES, load_settings
from bot.storage.models import InboxRow
from tests.conftest import KEYS, make_service
from tests.talk import Talk

INFO = "https://api.telegram.org/bot123:ABC/getWebhookInfo"
TWILIO = f"https://api.twilio.com/2010-04-01/Accounts/AC{'0' * 32}/Messages.json"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def read_once(content, monkeypatch):
    """The content is read once for all looks; the command, below, reads it itself."""
    monkeypatch.setattr(texts, "load", lambda _: content)


@pytest.fixture
def examine(settings, sqlite_store, read_once):
    """The findings, with platforms that answer as told."""
    settings = settings.model_copy(
        update={
            "telegram_token": "123:ABC",
            "database_url": sqlite_store.engine.url.render_as_string(hide_password=False),
        }
    )

    def run(info=None, *, twilio=200, at=NOW, now=NOW, templates=None, clock=None, **changes):
        body = {"url": "https://bot.example.org/telegram", "pending_update_count": 0} | (info or {})
        date = {"date": format_datetime(at, usegmt=True)}
        with respx.mock:
            respx.post(INFO).mock(httpx.Response(200, json={"ok": True, "result": body}, headers=date))
            respx.get(TWILIO).respond(twilio, json={}, headers=date)
            for (template, language), (words, status) in at_twilio(settings, templates or {}).items():
                there = {"language": language, "types": {"twilio/quick-reply": {"body": words}}}
                base = f"https://content.twilio.com/v1/Content/{settings.template_sid(template, language)}"
                respx.get(base).respond(404 if status == "gone" else 200, json=there)
                said = {"whatsapp": {"status": status, "category": "UTILITY", "rejection_reason": "too short"}}
                respx.get(f"{base}/ApprovalRequests").respond(200, json=said)
            return list(doctor.examine(settings.model_copy(update=changes), clock or (lambda: now)))

    return run


def at_twilio(settings, changed):
    """The words and the state of each template at Twilio: as they should be, but for what is told."""
    loaded = texts.load(settings.content_dir)
    pairs = [(template, language) for template in TEMPLATES for language in LANGUAGES]
    return {pair: (words(loaded, *pair), "approved") for pair in pairs} | changed


def wrong(findings, grade=Grade.BAD):
    return [(f.area, f.what) for f in findings if f.grade is grade]


def test_a_healthy_service_has_nothing_to_mend(examine):
    findings = examine()
    assert wrong(findings) == []
    assert {f.area for f in findings if f.grade is Grade.GOOD} >= {
        "content",
        "database",
        "Telegram",
        "WhatsApp",
        "clock",
    }


def test_templates_are_compared_with_what_is_at_twilio(examine):
    templates = {
        ("answer", "nl"): ("Iets anders.", "approved"),
        ("survey", "en"): ("", "rejected"),
        ("survey", "ar"): ("", "gone"),
    }
    findings = examine(templates=templates, twilio_template_survey_nl="")
    assert wrong(findings) == [
        ("template survey, en", "it is rejected, not approved: too short"),
        ("template survey, ar", "Twilio has no template of this ContentSid"),
    ]
    assert [(a, w) for a, w in wrong(findings, Grade.WARN) if a.startswith("template")] == [
        ("template answer, nl", "its words differ from those of our content"),
        ("template survey, nl", "there is none: nobody is asked outside the window"),
    ]
    assert ("template answer, ar", "approved as utility") in wrong(findings, Grade.GOOD)
    assert "price of an invitation" in dict(wrong(findings, Grade.WARN))
    known = examine(price_survey_template_set_on=date(2026, 11, 26))
    assert "price of an invitation" not in dict(wrong(known, Grade.WARN))


def test_every_bad_finding_says_what_to_do_and_no_secret(examine):
    findings = examine(
        {"url": "", "last_error_date": int(NOW.timestamp()), "last_error_message": "SSL error"},
        twilio=401,
        at=NOW - timedelta(minutes=2),
    )
    assert ("Telegram", "the webhook is not set, not https://bot.example.org/telegram") in wrong(findings)
    assert ("WhatsApp", "Twilio refuses the key") in wrong(findings)
    assert ("clock", "120 s from Telegram's") in wrong(findings)
    assert ("Telegram", "its last delivery failed: SSL error") in wrong(findings, Grade.WARN)
    for finding in findings:
        assert finding.grade is Grade.GOOD or finding.mend
        assert "123:ABC" not in str(finding)
        assert "test-auth-token" not in str(finding)


def test_a_slow_check_makes_no_clock_wrong(examine):
    """Reading the content takes seconds on a busy machine, before the clocks are compared."""
    later, times = NOW + timedelta(minutes=1), iter([NOW])
    found = examine(at=later, clock=lambda: next(times, later))
    assert ("clock", "agrees with Telegram's") in wrong(found, Grade.GOOD)


def test_parts_that_are_off_are_told(examine):
    looked = wrong(examine(desk=False, surveys=False), Grade.WARN)
    assert ("settings", "switched off: desk, surveys") in looked


def test_a_job_that_deletes_nothing_any_more_is_told(examine, sqlite_store, content):
    never = ("retention", "what is past its time was deleted never")
    assert never in wrong(examine(), Grade.WARN)
    retention.sweep(content, sqlite_store.write, NOW)
    assert "retention" in {f.area for f in examine() if f.grade is Grade.GOOD}
    later = NOW + timedelta(hours=4)
    last = ("retention", "what is past its time was deleted last on 25-11-2026")
    assert last in wrong(examine(at=later, now=later), Grade.WARN)


def test_a_platform_that_is_away_does_not_stop_the_others(settings, sqlite_store, read_once):
    settings = settings.model_copy(
        update={
            "telegram_token": "123:ABC",
            "database_url": sqlite_store.engine.url.render_as_string(hide_password=False),
        }
    )
    with respx.mock:
        respx.post(INFO).mock(side_effect=httpx.ConnectError("123:ABC"))
        respx.get(TWILIO).mock(side_effect=httpx.ReadTimeout("slow"))
        findings = list(doctor.examine(settings, lambda: NOW))
    assert ("Telegram", "not reached (ConnectError)") in wrong(findings)
    assert ("WhatsApp", "Twilio is not reached (ReadTimeout)") in wrong(findings)


def test_keys_that_open_nothing_or_find_nobody_are_told(
    examine, settings, sqlite_store, vault, clock, content, understander
):
    service = make_service(settings, sqlite_store, vault, clock, content, understander)
    Talk(service, "telegram").agrees("nl")
    assert ("keys", "addresses open, and are found") in [(f.area, f.what) for f in examine()]
    other = examine(secret_keys=new_keys()["secret_keys"])
    assert ("keys", "the newest address can't be opened") in wrong(other)
    other = examine(hash_key=new_keys()["hash_key"])
    assert ("keys", "people are not found again: the hash key is another one") in wrong(other)


def test_a_message_that_waits_too_long_is_told(examine, sqlite_store, settings, vault, clock, content, understander):
    import asyncio

    service = make_service(settings, sqlite_store, vault, clock, content, understander)
    asyncio.run(service.inbox.accept(InboundMessage("k", Address("console", "a"), Kind.TEXT, "x")))
    at = sqlite_store.read(lambda c: c.execute(sa.select(InboxRow.due_at)).scalar_one())
    found = examine(now=at + timedelta(minutes=30), at=at + timedelta(minutes=30))
    assert ("queues", "a message waits for 30 minutes") in wrong(found)


def test_old_answers_are_told(examine):
    later = NOW + timedelta(days=3000)
    areas = [what for area, what in wrong(examine(now=later, at=later)) if area == "content"]
    assert len(areas) == 1
    assert "past their date and withheld" in areas[0]


def test_the_command_ends_with_1_when_something_must_be_mended(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WEGWIJS_DATA_DIR", str(tmp_path))
    assert cli.main(["doctor"]) == 0
    (tmp_path / "content").mkdir()
    monkeypatch.setenv("WEGWIJS_CONTENT_DIR", str(tmp_path / "content"))
    assert cli.main(["doctor"]) == 1
    assert "MEND  content:" in capsys.readouterr().out
    monkeypatch.setenv("WEGWIJS_TELEGRAM_TOKEN", "123:ABC")
    assert cli.main(["doctor"]) == 1
    assert "MEND  settings: WEGWIJS_TELEGRAM_WEBHOOK_SECRET is missing" in capsys.readouterr().out


def test_a_file_that_nobody_may_read_is_named(tmp_path):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack/topics.yaml").mkdir()  # as good as one without rights: those don't hold for root
    with pytest.raises(ContentError, match=r"topics\.yaml: can't be read \(Is a directory\); the user of the service"):
        texts.load(tmp_path / "pack")


def test_a_database_that_is_away_is_told_with_its_mend(settings, read_once):
    away = {"database_url": "postgresql://u:secret-word@127.0.0.1:1/d", "telegram": False, "whatsapp": False}
    found = list(doctor.examine(settings.model_copy(update=away), lambda: NOW))
    (about,) = [finding for finding in found if finding.area == "database"]
    assert "start PostgreSQL there" in about.mend
    assert "secret-word" not in str(about)


def test_own_keys_are_told_from_those_of_development(tmp_path):
    assert not load_settings(data_dir=tmp_path).has_own_keys
    assert load_settings(data_dir=tmp_path, **KEYS).has_own_keys


def test_backup_restore_and_rotate_from_the_command_line(tmp_path, monkeypatch, capsys):
    keys = new_keys()
    monkeypatch.setenv("WEGWIJS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("WEGWIJS_SECRET_KEYS", keys["secret_keys"])
    monkeypatch.setenv("WEGWIJS_HASH_KEY", keys["hash_key"])
    from bot.storage.migrate import upgrade
    from bot.storage.store import Store

    store = Store(f"sqlite:///{tmp_path / 'wegwijs.sqlite3'}")
    upgrade(store.engine)
    store.close()
    assert cli.main(["backup", "--folder", str(tmp_path / "copies")]) == 0
    (made,) = (tmp_path / "copies").glob("*.sqlite3")
    assert cli.main(["restore", str(made)]) == 0
    assert cli.main(["keys", "rotate", "--new-hash-key"]) == 0
    printed = capsys.readouterr().out
    assert "restored the copy of" in printed
    assert "WEGWIJS_HASH_KEY=" in printed
