"""A klantregisseur clears the whole batch in one sitting."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.browser.population import MEANINGS, OWN

TOPICS = {text: meaning for meaning, asks in MEANINGS.items() for _, text, _ in asks if "." in meaning}


class Sitting:
    """Answers what the page shows: a checked answer where one fits, else words of the own. Counts what was typed."""

    def __init__(self, page):
        self.page, self.typed, self.sent = page, 0, 0

    def answer(self):
        """The page with one question, or with several together."""
        asked = self.page.locator("main").inner_text()
        topic = next((topic for text, topic in TOPICS.items() if text in asked), None)
        if topic is None:
            self.typed += 1
            self.page.locator("#text").fill(f"Dat kan. Ik bel u morgen. ({self.typed})")
        else:
            self.page.locator("#topic").select_option(topic)
        self.page.locator(f"button[name=send][value={'text' if topic is None else 'topic'}]").click()
        self.page.wait_for_url("**/desk?done=*")
        self.sent += 1

    def clear(self):
        """Groups first, whatever the list says is due; a list that isn't put together yet is looked at again."""
        groups = self.page.locator('#live form[action="/desk/together"] button')
        singles = self.page.locator("#live .words")
        while singles.count():
            if self.page.locator("#ungrouped").count():
                self.page.reload()
            elif groups.count():
                groups.first.click()
                self.page.wait_for_url("**/desk/together*")
                self.answer()
            else:
                singles.first.click()
                self.page.wait_for_url("**/desk/tickets/*")
                self.answer()


def answers_on(site, number):
    """What the phone of a newcomer shows after the question was answered; the worker may be sending still."""
    for _ in range(100):
        if got := _shown(site, number):
            return got
        time.sleep(0.1)
    pytest.fail(f"p{number} got no answer")


def _shown(site, number):
    channel = "console" if number % 4 else "console-numbers"
    address = f"{site.base}/simulator/phones/p{number}/messages"
    rows = httpx.get(address, params={"channel": channel}).json()["messages"]
    return [row for row in rows if not row["mine"]]


def test_twenty_questions_of_six_meanings_are_cleared_with_at_most_six_texts_typed(encoding_site, visit):
    page = visit(encoding_site).log_in("sanne").page
    page.goto("/desk")
    assert len(OWN) == 20
    assert page.locator("#live .words").count() == 20, "her own questions, and nobody else's"
    sitting = Sitting(page)
    sitting.clear()
    assert sitting.typed <= 6
    assert sitting.sent <= 7, "groups: 6 meanings, and one that comes apart"
    assert page.locator("#live .words").count() == 0
    assert page.locator(".empty").is_visible()
    languages = [language for asks in MEANINGS.values() for language, _, _ in asks]
    for number, language in enumerate(languages):
        got = answers_on(encoding_site, number)
        if OWN[number] in TOPICS:
            assert got[-1]["language"] == language, "a checked answer goes out in the newcomer's own language"
