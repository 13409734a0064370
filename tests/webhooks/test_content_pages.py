"""The page with all answers side by side, and the file made of it."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from bot.cli import main
from bot.content.load import read_content
from bot.settings import ROOT
from tests.webhooks.browser import BASE, log_in
from webhooks.app import create_app
from webhooks.content_pages import export


@pytest.fixture
def browser(service):
    return TestClient(create_app(service), base_url=BASE, follow_redirects=False)


@pytest.fixture(scope="module")
def content():
    return read_content(ROOT / "content")[0]


def test_nobody_sees_it_without_the_login_and_the_login_leads_back(browser):
    refused = browser.get("/desk/content?group=work")
    assert refused.status_code == 303
    assert refused.headers["location"] == "/desk/login?next=%2Fdesk%2Fcontent%3Fgroup%3Dwork"
    log_in(browser)
    assert browser.get(refused.headers["location"]).headers["location"] == "/desk/content?group=work"


def test_a_group_is_shown_in_three_languages_and_the_others_are_a_link_away(browser, service):
    log_in(browser)
    page = browser.get("/desk/content?group=work&lang=en")
    assert page.status_code == 200
    assert "style-src 'self'" in page.headers["content-security-policy"]
    shown = re.findall(r'<article class="answer" id="([^"]+)"', page.text)
    assert tuple(shown) == service.content.of_group("work")
    for topic in shown:
        for language, direction in (("nl", "ltr"), ("en", "ltr"), ("ar", "rtl")):
            assert f'<td lang="{language}" dir="{direction}"><strong>' in page.text, topic
    for group in service.content.groups:
        assert f'href="/desk/content?group={group}"' in page.text
    assert 'href="/desk/content?group=work" aria-current="page"' in page.text
    assert "/desk/content?group=work&amp;lang=nl" in page.text, "the language changes, the group stays"
    assert " style=" not in page.text
    assert not re.search("<script(?! src=)", page.text)


def test_it_opens_with_the_first_group_and_shows_all_when_asked(browser, service):
    log_in(browser)
    first = browser.get("/desk/content")
    assert f'group={service.content.groups[0]}" aria-current="page"' in first.text
    everything = browser.get("/desk/content?group=all")
    assert everything.text.count('<article class="answer"') == len(service.content.topics)
    style = re.search(r'href="(/static/content\.css\?v=\w+)"', first.text)[1]
    assert browser.get(style).status_code == 200


def test_each_status_has_words_beside_its_colour(browser, service):
    log_in(browser)
    page = browser.get("/desk/content?lang=nl").text
    for words in (
        "Concept: nog niet bevestigd",
        "Wacht op de gemeente",
        "Vertaling loopt achter",
        "Te oud: niet meer getoond",
    ):
        assert words in page


def test_the_file_needs_nothing_else_and_holds_everything(content):
    page = export(content, "en")
    assert page.startswith("<!doctype html>")
    assert page.count('<article class="answer"') == len(content.topics)
    assert not re.search(r"<link|<script|<img|src=|url\(|@import", page)
    links = set(re.findall(r'<a href="#([^"]+)"', page))
    assert {f"group-{group}" for group in content.groups} | {"all"} <= links
    assert all(f'id="{link}"' in page for link in links)
    assert "Draft: not confirmed yet" in page
    assert "Checked on" in page


def test_the_command_writes_the_file_and_refuses_broken_content(tmp_path, capsys):
    target = tmp_path / "all.html"
    assert main(["content", "export", "--output", str(target)]) == 0
    assert "90 answers" in capsys.readouterr().out
    assert "Alle antwoorden naast elkaar" in target.read_text(encoding="utf-8")
    assert main(["content", "export", "--output", str(target), "--content", str(tmp_path)]) == 1
    assert "the file is missing" in capsys.readouterr().err
