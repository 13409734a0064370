"""Pictures of every survey in three languages on both channels, and of the pages of a wave, to look at.

`python -m tests.browser.scales FOLDER`: the previews, which draw each message as the chat shows it.
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from bot.locales import LANGUAGES
from tests.browser.conftest import ARGUMENTS, CHROMIUM, PHONE, WIDE, Site, Visitor
from tests.browser.drawing import draw

SURVEYS = ("programme", "social_life", "wellbeing", "work", "initiatives", "taking_part", "job", "lessons_begun")


def take(site: Site, folder: Path) -> None:
    """A draft of each survey with its previews; one wave on to the test, wide and on a phone."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        visitor = Visitor(browser, site, viewport=WIDE)
        visitor.log_in("researcher")
        page = visitor.page
        for survey in SURVEYS:
            page.goto("/surveys")
            page.locator("#survey").select_option(survey)
            page.locator("#budget").fill("12,50")
            page.locator("form.stack button").click()
            here = page.url
            for language in LANGUAGES:
                page.goto(f"{here}/preview?as={language}")
                page.screenshot(path=folder / f"{survey}-{language}.png", full_page=True)
                page.locator('form[action$="/previewed"] button').click()
        page.screenshot(path=folder / "draft.png", full_page=True)
        page.locator('form[action$="/test"] button').click()
        for name, size in (("testing", WIDE), ("testing-phone", PHONE)):
            page.set_viewport_size(size)
            page.screenshot(path=folder / f"{name}.png", full_page=True)
        page.goto("/surveys")
        page.screenshot(path=folder / "list-phone.png", full_page=True)
        visitor.close()
        browser.close()


if __name__ == "__main__":
    draw(take)
