"""Surveys as newcomers see them: pictures of every kind of question on the chat page, and of a wave in each state.

`python -m tests.browser.chats FOLDER`. Three languages, a phone with buttons (as Telegram) and one without (as
WhatsApp), 390 pixels wide. Colleagues' trials are driven on the chat page itself, so what is drawn is what was sent.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from bot.locales import AMSTERDAM, LANGUAGES
from tests.browser.conftest import ARGUMENTS, CHROMIUM, PHONE, WIDE, Site, Visitor
from tests.browser.drawing import draw

# Of each survey: the name of a question's picture, which button is tapped, and what is typed where there are none.
CHATS: dict[str, tuple[tuple[str, int, str], ...]] = {
    "social_life": (("zero-to-ten", 7, "7"), ("comfortable", 3, "4"), ("satisfied", 4, "5")),
    "work": (("yes-no", 0, "1"), ("job-satisfied", 1, "2"), ("easy", 3, "4")),
    "job": (("single", 3, "4"), ("single-short", 1, "2"), ("number", -1, "32")),
    "taking_part": (("multiple", 0, "1, 3"), ("multiple-more", 1, "2")),
    "lessons_begun": (("agree", 3, "4"), ("stress", 10, "10"), ("open", -1, "...")),
    "wellbeing": (("health", 2, "3"), ("support", 5, "6"), ("stress-again", 0, "0")),
}
WORDS = {"nl": ("Hallo", "Nederlands", "ja"), "en": ("Hello", "English", "yes"), "ar": ("مرحبا", "العربية", "نعم")}
CHANNELS = ("console", "console-numbers")
OPEN = {"nl": "Meer oefenen met spreken", "en": "More speaking practice", "ar": "تدريب أكثر على الكلام"}
DONE = {"nl": "Klaar", "en": "Done", "ar": "انتهيت"}
ASKS = {"nl": "Mag ik je iets vragen?", "en": "May I ask you something?", "ar": "هل تسمح لي أن أسألك؟"}
EASTERN = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


class Chat:
    """An invented phone on the chat page."""

    def __init__(self, browser: Browser, site: Site, language: str, channel: str) -> None:
        self.visitor, self.site = Visitor(browser, site, viewport=PHONE), site
        self.page: Page = self.visitor.page
        self.language, self.has_buttons = language, channel == "console"
        self.page.goto(f"/simulator?contact=picture-{language}&channel={channel}&language={language}")
        self.page.locator('#log[aria-busy="false"]').wait_for()

    def meets(self) -> None:
        """The first contact: a greeting, the language, and yes."""
        for words in WORDS[self.language]:
            self.says(words)

    @property
    def is_asked(self) -> bool:
        last = self.page.locator("#log .message").last.inner_text()
        return ASKS[self.language] in last

    @property
    def bubbles(self) -> int:
        return self.page.locator("#log .message:not(.mine)").count()

    def says(self, words: str) -> None:
        before = self.bubbles
        self.page.locator("#text").fill(words)
        self.page.keyboard.press("Enter")
        self._waits(before)

    def taps(self, number: int) -> None:
        before = self.bubbles
        self.page.locator("#log .options").last.locator("button").nth(number).click()
        self._waits(before)

    def _waits(self, before: int) -> None:
        self.page.wait_for_function("n => document.querySelectorAll('#log .message:not(.mine)').length > n", arg=before)
        self.page.wait_for_function("() => document.querySelector('#typing span').hidden")

    def answers(self, name: str, button: int, words: str) -> None:
        if words == "...":
            self.says(OPEN[self.language])
        elif self.has_buttons and button >= 0:
            self.taps(button)
            if name.startswith(("multiple", "support")):
                self.says(DONE[self.language])
        else:
            self.says(words.translate(EASTERN) if self.language == "ar" else words)

    def draws(self, path: Path) -> None:
        self.page.locator("#log").evaluate("log => log.scrollTo(0, log.scrollHeight)")
        self.page.screenshot(path=path)


class Waves:
    """The pages of waves, as a researcher."""

    def __init__(self, browser: Browser, site: Site, folder: Path) -> None:
        self.visitor, self.folder = Visitor(browser, site, viewport=WIDE), folder
        self.page = self.visitor.log_in("researcher").page

    def draft(self, survey: str, budget: str = "") -> str:
        self.page.goto("/surveys")
        self.page.locator("#survey").select_option(survey)
        self.page.locator("#budget").fill(budget)
        self.page.locator("form.stack button").click()
        return self.page.url

    def test(self, survey: str, budget: str = "") -> tuple[str, str]:
        """A wave on to the test: its page, and what colleagues write."""
        here = self.draft(survey, budget)
        for language in LANGUAGES:
            self.page.goto(f"{here}/preview?as={language}")
            self.page.locator('form[action$="/previewed"] button').click()
        self.step("test")
        return here, self.page.locator(".code code").inner_text()

    def step(self, name: str) -> None:
        self.page.locator(f'form[action$="/{name}"] button').click()

    def draws(self, name: str) -> None:
        for size, viewport in (("wide", WIDE), ("phone", PHONE)):
            self.page.set_viewport_size(viewport)
            self.page.screenshot(path=self.folder / f"wave-{name}-{size}.png", full_page=True)
        self.page.set_viewport_size(WIDE)


def by_day(site: Site) -> None:
    """Move the clock to a morning of the week that is not long from now: nobody is asked at night."""
    now = datetime.now(UTC).astimezone(AMSTERDAM)
    then = (now + timedelta(days=1)).replace(hour=11, minute=0)
    while then.weekday() > 3:
        then += timedelta(days=1)
    forward(site, then - now)


def forward(site: Site, time: timedelta) -> None:
    seconds = round(time.total_seconds())
    httpx.post(f"{site.base}/simulator/clock", json={"seconds": seconds}).raise_for_status()


def take(site: Site, folder: Path) -> None:
    """Every question on six phones, then one wave live, answered, and stopped."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        by_day(site)
        waves = Waves(browser, site, folder)
        waves.draft("social_life", "12,50")
        waves.draws("draft")
        waves.page.goto(f"{waves.page.url}/preview?as=ar")
        waves.draws("preview")
        tests = {survey: waves.test(survey, "12,50") for survey in CHATS}
        for language, channel in product(LANGUAGES, CHANNELS):
            chat = Chat(browser, site, language, channel)
            chat.meets()
            for survey, (_, code) in tests.items():
                _trial(chat, survey, code, folder, f"{language}-{'buttons' if chat.has_buttons else 'numbers'}")
            chat.visitor.close()
        _live(browser, site, waves, tests["social_life"][0])
        waves.visitor.close()
        browser.close()


def _trial(chat: Chat, survey: str, code: str, folder: Path, who: str) -> None:
    forward(chat.site, timedelta(minutes=1))  # more than thirty messages in a minute are a flood
    chat.says(code)
    chat.draws(folder / f"{who}-{survey}-0-leave.png")
    chat.says(WORDS[chat.language][2])
    for number, (name, button, words) in enumerate(CHATS[survey], 1):
        chat.draws(folder / f"{who}-{survey}-{number}-{name}.png")
        chat.answers(name, button, words)
    chat.draws(folder / f"{who}-{survey}-9-thanks.png")


def _live(browser: Browser, site: Site, waves: Waves, here: str) -> None:
    """Live, with answers of those of the phones that are in the sample; then stopped."""
    waves.page.goto(here)
    waves.draws("testing")
    waves.step("live")
    forward(site, timedelta(hours=1))
    waves.page.wait_for_timeout(12_000)  # two rounds of invitations
    for language, channel in product(LANGUAGES, CHANNELS):
        chat = Chat(browser, site, language, channel)
        if chat.is_asked:
            _answers(chat, CHATS["social_life"])
        chat.visitor.close()
    waves.page.goto(here)
    waves.draws("live")
    waves.step("stop")
    waves.draws("closed")
    waves.page.goto("/surveys")
    waves.draws("list")


def _answers(chat: Chat, questions: tuple[tuple[str, int, str], ...]) -> None:
    chat.says(WORDS[chat.language][2])
    for question in questions:
        chat.answers(*question)


if __name__ == "__main__":
    draw(take)
