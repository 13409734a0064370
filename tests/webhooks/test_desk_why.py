"""The desk sees why the service thought of a topic: an engine fitted to the small made-up pack says it."""

from __future__ import annotations

import pytest

from bot.understanding.engine import Engine, load_understander
from bot.understanding.outcome import Reason
from tests.desk.asking import ask
from tests.fakes import ScriptedUnderstander
from tests.understanding.conftest import PACK
from tests.webhooks.browser import log_in, make_browser

QUESTION = "mijn hond is nieuw, moet ik belasting betalen"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return load_understander(PACK, tmp_path_factory.mktemp("models"))


def test_the_reasons_are_shown_to_whoever_asks_for_them(service, engine):
    _, ticket_id = ask(service, QUESTION)
    service.conversation.understander = engine
    browser = make_browser(service)
    log_in(browser)
    plain = browser.get(f"/desk/tickets/{ticket_id}").text
    assert '<a href="?why=1#carried">' in plain
    assert 'id="carried"' not in plain
    shown = browser.get(f"/desk/tickets/{ticket_id}?why=1").text
    part = shown.split('<details id="carried" open>')[1].split("</details>")[0]
    assert "dog.tax" in part
    assert "Voorbeeldvragen" in part
    assert "%" not in part  # of thousands of examples each carries next to nothing
    assert "<bdi>hond</bdi>" in part or "<bdi>belasting</bdi>" in part


def test_without_an_engine_nothing_is_offered(service):
    _, ticket_id = ask(service, QUESTION)
    browser = make_browser(service)
    log_in(browser)
    shown = browser.get(f"/desk/tickets/{ticket_id}?why=1").text
    assert "#carried" not in shown
    assert 'id="carried"' not in shown


def test_a_class_that_is_no_topic_is_told_in_words(service):
    class Says(ScriptedUnderstander):
        def explain(self, text, language):
            examples = (("een voorbeeld", "crisis", 0.01), ("nog een", "pip.what", 0.01), ("derde", "person", 0.0))
            return Reason("pip.what", text, language, "", 0.2, examples, ())

    _, ticket_id = ask(service, QUESTION)
    service.conversation.understander = Says()
    browser = make_browser(service)
    log_in(browser)
    shown = browser.get(f"/desk/tickets/{ticket_id}?why=1").text
    part = shown.split('<details id="carried" open>')[1].split("</details>")[0]
    assert "(gevaar)" in part
    assert "(voor een persoon)" in part
    assert "pip.what" not in part
