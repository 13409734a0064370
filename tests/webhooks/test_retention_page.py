"""The page that shows what goes when: every rule with its words, its time, and what was deleted."""

from __future__ import annotations

from datetime import timedelta

from bot import retention
from bot.roles import Role
from bot.settings import load_settings
from tests.talk import Talk
from tests.webhooks.browser import log_in, make_browser


def test_every_rule_is_shown_in_words_with_what_was_deleted(service, content):
    service.settings = service.settings.model_copy(update={"retention_days": {"codes": 7}})
    browser = make_browser(service)
    log_in(browser, Role.ADMIN)
    before = browser.get("/desk/retention").text
    assert "Draait er een worker?" in before
    Talk(service, "telegram").agrees("nl")
    service.clock.forward(timedelta(days=91))
    retention.sweep(content, service.store.write, service.clock.now())
    log_in(browser, Role.ADMIN)  # the login of three months ago went too
    page = browser.get("/desk/retention").text
    assert "Voor het laatst gekeken" in page
    assert page.count("<tr") == len(retention.rules(content)) + 1
    for rule in retention.rules(content):
        assert f">{rule.name}<" not in page, "its words are missing in retention.html"
    assert "7 dagen" in page
    assert "hier ingesteld" in page
    assert "What was said in the chat" in browser.get("/desk/retention?lang=en").text


def test_the_settings_of_the_environment_are_read(monkeypatch, tmp_path):
    monkeypatch.setenv("WEGWIJS_RETENTION_DAYS", "silent people=365, codes=7")
    assert load_settings(data_dir=tmp_path).retention_days == {"silent people": 365, "codes": 7}
