"""Pictures of the pages, to look at: `make screenshots`, or python -m tests.browser.screenshots FOLDER."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM, PHONE, WIDE, Site, Visitor
from tests.browser.drawing import draw

PICTURES = (
    # name, who, address, language
    ("login", "", "/desk/login", "nl"),
    ("batch", "sanne", "/desk", "nl"),
    ("batch-english", "sanne", "/desk", "en"),
    ("answer", "sanne", "/desk/tickets/5", "nl"),
    ("arabic-conversation", "sanne", "/desk/tickets/7?conversation=1", "nl"),
    ("together", "sanne", "GROUP", "nl"),
    ("coordinator", "coordinator", "/desk", "nl"),
    ("answers", "editor", "/desk/content", "nl"),
    ("monitoring", "researcher", "/monitoring", "nl"),
    ("accounts", "admin", "/desk/accounts", "nl"),
    ("audit", "admin", "/desk/audit", "nl"),
    ("chat", "", "/simulator", "nl"),
)


def take(site: Site, folder: Path) -> None:
    """Each page on a desktop and on a phone."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for size, viewport in (("wide", WIDE), ("phone", PHONE)):
            for name, login, place, language in PICTURES:
                visitor = Visitor(browser, site, viewport=viewport)
                if login:
                    visitor.log_in(login)
                visitor.page.goto(f"/desk?lang={language}" if place == "GROUP" else place)
                if language != "nl":
                    visitor.page.goto(f"{place}?lang={language}")
                if place == "GROUP":
                    visitor.page.locator('form[action="/desk/together"] button').first.click()
                visitor.page.screenshot(path=folder / f"{name}-{size}.png", full_page=place != "/desk/content")
                visitor.close()
        browser.close()


if __name__ == "__main__":
    draw(take, "use")
