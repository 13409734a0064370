"""Every page for every role: no finding of axe, no sideways scrolling on a phone, no error that a page hides."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import PHONE, WIDE
from tests.browser.walk import pages
from webhooks.app import create_app

ROLES = {
    "sanne": "klantregisseur",
    "desk": "desk",
    "coordinator": "coordinator",
    "editor": "editor",
    "researcher": "researcher",
    "admin": "admin",
}
OWN_LOOK = ("/desk", "/desk/me", "/desk/tickets/21")  # these hold something else for each role
# All rules of axe, and the one of WCAG 2.2 that is off by default.
OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
MAKING = 180_000  # milliseconds, on a busy machine: the first look at figures starts a process that computes them
# Axe sees each page in both languages, and in both sizes. Dutch on a phone has the longest words: it is measured only.
VIEWS = {"wide-nl": ("nl", WIDE, True), "phone-en": ("en", PHONE, True), "phone-nl": ("nl", PHONE, False)}


def findings(page):
    """What axe says of a page, in lines that tell where to look."""
    result = Axe().run(page, options=OPTIONS)
    return [
        f"{violation['id']}: {node['target']} {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for violation in result.response["violations"]
        for node in violation["nodes"]
    ]


def places(app, login, view):
    """The pages of a role that no role before it walks in this view; on a desktop also those that differ by role."""
    mine = [place for place in pages(app) if place.is_for(ROLES[login])]
    before = list(ROLES.values())[: list(ROLES).index(login)]
    return [
        place.path
        for place in mine
        if not any(place.is_for(role) for role in before) or (view == "wide-nl" and place.path in OWN_LOOK)
    ]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("login", ROLES)
def test_every_page_of_a_role_is_accessible(shared_site, visit, service, login, view):
    language, viewport, with_axe = VIEWS[view]
    walk, found, seen = places(create_app(service), login, view), [], 0
    if not walk:
        return  # others walk them all
    page = visit(shared_site, viewport=viewport).log_in(login).page
    for path in walk:
        response = page.goto(f"{path}?lang={language}", timeout=MAKING)
        if response.status == 404:
            continue  # of something that this population doesn't have
        seen += 1
        assert response.status == 200, path
        assert page.locator("html").get_attribute("lang") == language, path
        found += [f"{path}: {line}" for line in findings(page)] if with_axe else []
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > viewport["width"]:
            found.append(f"{path}: is {width} pixels wide in a window of {viewport['width']}")
    assert found == []
    assert seen


@pytest.mark.parametrize(
    "path", ["/desk/login", "/my-data/none", "/simulator", "/simulator?language=ar", "/simulator?language=en"]
)
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_pages_without_a_login_are_accessible(shared_site, visit, path, viewport):
    page = visit(shared_site, viewport=viewport).page
    page.goto(path)
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_a_refusal_is_accessible_too(shared_site, visit):
    page = visit(shared_site).log_in("researcher").page
    for path in ("/desk", "/desk/tickets/999999"):
        response = page.goto(path)
        assert response.status in {403, 404}
        assert findings(page) == []


@pytest.mark.parametrize("path", ["/desk", "/desk/tickets/21"])
def test_text_twice_as_large_fits(shared_site, visit, path):
    """200 % zoom of a window of 1280 is a window of 640 (WCAG 1.4.4); 400 % is one of 320 (1.4.10)."""
    for width in (640, 320):
        page = visit(shared_site, viewport={"width": width, "height": 800}).log_in("desk").page
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width


def test_a_page_in_forced_colours_and_on_paper_shows_what_it_must(shared_site, visit):
    visitor = visit(shared_site, forced_colors="active", reduced_motion="reduce").log_in("desk")
    page = visitor.page
    page.goto("/desk/tickets/21")
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    page.locator("main a").first.focus()
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.emulate_media(media="print")
    assert page.locator("main h1").is_visible()
    assert not page.locator(".menu").is_visible()
    assert not page.locator(".foot").is_visible()
