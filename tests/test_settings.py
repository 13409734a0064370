"""Settings: each fault is one clear line, and every setting is in `.env.example`."""

from __future__ import annotations

import re

import pytest

from bot.development_keys import new_keys
from bot.errors import SettingsError
from bot.settings import ROOT, Settings, load_settings

PRODUCTION = {
    "environment": "production",
    "smtp_host": "mail.example.org",
    "mail_from": "wegwijs@example.org",
    "urgent_email": "duty@example.org",
    "simulator": False,
    "public_base_url": "https://bot.example.org",
    **new_keys(),
}

WHATSAPP = {
    "twilio_account_sid": "AC1",
    "twilio_auth_token": "t",
    "twilio_sender": "whatsapp:+1",
    "public_base_url": "https://x",
}


def test_every_setting_is_explained_in_the_example():
    named = set(re.findall(r"^#? ?WEGWIJS_([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}


def test_the_example_copied_as_it_is_changes_nothing():
    """Whoever copies it and fills a few lines in starts with the defaults for the others."""
    assert Settings(_env_file=ROOT / ".env.example") == Settings(_env_file=None)


def test_development_starts_without_any_setting_and_keeps_its_keys(tmp_path):
    first, second = load_settings(data_dir=tmp_path), load_settings(data_dir=tmp_path)
    assert first.secret_keys == second.secret_keys != ""
    assert (tmp_path / "development-keys.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"port": "many"}, "WEGWIJS_PORT"),
        ({"environment": "staging"}, "WEGWIJS_ENVIRONMENT"),
        ({"content_dir": "no/such/folder"}, "WEGWIJS_CONTENT_DIR"),
        ({"database_url": "mysql://x"}, "WEGWIJS_DATABASE_URL"),
        ({"database_url": "postgresql://user:p@ss:word@host/name"}, "WEGWIJS_DATABASE_URL: can't be read"),
        ({"database_url": "sqlite:file"}, "WEGWIJS_DATABASE_URL: can't be read"),
        ({"database_url": "sqlite://"}, "names no file"),
        ({"secret_keys": "short", "hash_key": "x"}, "wegwijs keys new"),
        ({"hash_key": "x"}, "belong together"),
        ({"monitoring_answers": "no/such.csv"}, "is no file"),
        ({"monitoring_api_key": "short"}, "guesses it"),
        ({"retention_days": "silent=3"}, "'silent' is none of"),
        ({"retention_days": "codes=0"}, "from 1 to 3653"),
        ({"retention_days": "audit log=365"}, "from 730"),
        ({"oidc_issuer": "http://login.example"}, "must start with https://"),
        ({"telegram_webhook_secret": "x"}, "without WEGWIJS_TELEGRAM_TOKEN"),
        ({"telegram_token": "1:x"}, "anybody could write as Telegram"),
        ({"telegram_token": "1:x", "telegram_webhook_secret": "a b"}, "only letters"),
        ({"twilio_account_sid": "AC1", "twilio_sender": "whatsapp:+1", "public_base_url": "https://x"}, "signatures"),
        ({"twilio_account_sid": "AC1", "twilio_auth_token": "t", "public_base_url": "https://x"}, "whatsapp:+31"),
        ({"twilio_account_sid": "AC1", "twilio_auth_token": "t", "twilio_sender": "whatsapp:+1"}, "PUBLIC_BASE_URL"),
        (PRODUCTION | {"simulator": True}, "WEGWIJS_SIMULATOR"),
        (PRODUCTION | {"public_base_url": "http://x"}, "https://"),
        (PRODUCTION | {"secret_keys": "", "hash_key": ""}, "needed in production"),
        (PRODUCTION | {"twilio_api_url": "http://127.0.0.1"}, "for tests only"),
        (PRODUCTION | {"telegram_api_url": "http://127.0.0.1"}, "for tests only"),
        (PRODUCTION | {"smtp_host": ""}, "cry for help"),
        (PRODUCTION | {"urgent_email": ""}, "cry for help"),
        (PRODUCTION | {"smtp_security": "none"}, "starttls or tls"),
        ({"smtp_host": "mail.example.org"}, "WEGWIJS_MAIL_FROM"),
        ({"urgent_email": "duty\nBcc: x@example.org"}, "not an e-mail address"),
        ({"smtp_user": "x"}, "belong together"),
        ({"urgent_webhook": "http://chat.example.org/hook"}, "must start with https://"),
        ({"urgent_email_second": "x@example.org"}, "without WEGWIJS_URGENT_EMAIL"),
        (WHATSAPP | {"twilio_template_answer_ar": "HX12"}, "WEGWIJS_TWILIO_TEMPLATE_ANSWER_AR"),
        (WHATSAPP | {"twilio_template_survey_nl": "x"}, "WEGWIJS_TWILIO_TEMPLATE_SURVEY_NL"),
        ({"push_holidays": "eid_al_fitr,christmas"}, "'christmas' is not known; known are eid_al_fitr"),
    ],
)
def test_each_fault_is_one_clear_line(tmp_path, wrong, says):
    with pytest.raises(SettingsError) as caught:
        load_settings(data_dir=tmp_path, **wrong)
    assert any(says in line for line in caught.value.faults)
    assert all("\n" not in line for line in caught.value.faults)


def test_a_sound_production_setting_starts(tmp_path):
    assert load_settings(data_dir=tmp_path, **PRODUCTION).is_production


def test_without_a_mail_server_the_alarm_still_shows_in_the_log(tmp_path):
    assert list(load_settings(data_dir=tmp_path).duty.on_duty(1)) == [("first", "duty@localhost")]
    assert list(load_settings(data_dir=tmp_path, **PRODUCTION).duty.on_duty(1)) == [("first", "duty@example.org")]


def test_files_that_are_broken_are_named(tmp_path, monkeypatch):
    (tmp_path / "development-keys.json").write_text("{")
    with pytest.raises(SettingsError, match=r"development-keys\.json is broken; put its copy back"):
        load_settings(data_dir=tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(b"WEGWIJS_PORT=\xff\xfe")
    with pytest.raises(SettingsError, match=r"\.env: not UTF-8"):
        load_settings()


def test_the_short_name_of_postgresql_is_taken(tmp_path):
    settings = load_settings(data_dir=tmp_path, database_url="postgres://u@h:5432/d")
    assert settings.store_url == "postgresql://u@h:5432/d"
