"""What the chat page is made of: its languages, and that nothing in it runs what people wrote."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bot.locales import LANGUAGES
from tests.webhooks.phone import with_page
from webhooks import simulator
from webhooks.app import create_app


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("channel", ["console", "console-numbers"])
def test_the_page_is_in_its_language_and_runs_nothing_that_stands_in_it(service, language, channel):
    async def use(client):
        answer = await client.get(f"/simulator?contact=amina&channel={channel}&language={language}")
        html = answer.text
        assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in html
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in answer.headers["content-security-policy"]
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html)
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", html))
        assert ('data-send="start"' in html) is (channel == "console")
        phone = "amina" if channel == "console" else "amina-numbers"
        assert f'data-phone="{phone}"' in html

    with_page(service, use, works=False)


def test_the_page_speaks_the_language_of_the_browser_or_dutch(service):
    async def use(client):
        for header, language in (("fr-FR, ar;q=0.8, en", "ar"), ("en-GB", "en"), ("ti, fr", "nl"), ("", "nl")):
            answer = await client.get("/simulator", headers={"accept-language": header})
            assert f'<html lang="{language}"' in answer.text

    with_page(service, use, works=False)


def test_a_new_phone_is_another_one_each_time(service):
    async def use(client):
        found = [re.findall(r"contact=(new-\w+)", (await client.get("/simulator")).text) for _ in range(2)]
        assert len({phone for phones in found for phone in phones}) == 2

    with_page(service, use, works=False)


@pytest.mark.parametrize("is_on", [True, False])
def test_the_page_is_there_only_where_the_settings_allow_it(service, is_on):
    app = create_app(replace(service, settings=service.settings.model_copy(update={"simulator": is_on})))
    client = TestClient(app)
    paths = ("/simulator", "/simulator/phones/amina/messages?channel=console")
    assert {client.get(path).status_code for path in paths} == {200 if is_on else 404}
    assert client.post("/simulator/clock", json={"seconds": 1}).status_code == (200 if is_on else 404)


@pytest.mark.parametrize("name", ["simulator.js", "simulator.css"])
def test_what_the_page_loads_is_served(service, name):
    answer = TestClient(create_app(service)).get(f"/static/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] in ("text/javascript", "text/css")


def test_the_texts_have_the_same_keys_and_gaps_in_each_language():
    texts = simulator.load_texts()
    gaps = {code: {key: sorted(re.findall(r"{\w+}", text)) for key, text in texts[code].items()} for code in LANGUAGES}
    assert gaps["nl"] == gaps["en"] == gaps["ar"]
    assert all(text.strip() for code in LANGUAGES for text in texts[code].values())


def test_the_template_uses_every_text_there_is():
    folder = Path(simulator.__file__).parent
    used = set(re.findall(r"texts\.(\w+)", (folder / "templates" / "simulator.html").read_text()))
    used |= set(re.findall(r'texts(?:\[code\])?\["(\w+)"\]', (folder / "simulator.py").read_text()))
    used |= set(simulator.SCRIPT_TEXTS) | {"like_buttons", "like_numbers", "like_buttons_about", "like_numbers_about"}
    used |= {f"{name}{ending}" for name in simulator.PEOPLE for ending in ("", "_about")}
    assert used == set(simulator.load_texts()["nl"])


def test_the_script_never_makes_markup_of_words():
    script = (Path(simulator.__file__).parent / "static" / "simulator.js").read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", script)
