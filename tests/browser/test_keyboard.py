"""The work with a keyboard alone, and without a script."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import PHONE


def focused(page):
    return page.evaluate("document.activeElement.id || document.activeElement.textContent.trim().slice(0, 40)")


def tab_to(page, what, most=80):
    """Press Tab until something has the focus. Fails when it never gets it: then no keyboard reaches it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("what => document.activeElement.matches(what)", what):
            return
    pytest.fail(f"Tab never reaches {what}")


def test_the_first_tab_skips_to_the_content(shared_site, visit):
    page = visit(shared_site).log_in("desk").page
    page.goto("/desk")
    page.keyboard.press("Tab")
    skip = page.locator(".nl-skip-link")
    assert skip.bounding_box()["y"] >= 0, "seen while it has the focus"
    page.keyboard.press("Enter")
    assert focused(page) == "main"


def test_tab_goes_all_the_way_round_and_is_always_seen(shared_site, visit):
    page = visit(shared_site).log_in("desk").page
    page.goto("/desk/tickets/21")
    order = []
    for _ in range(150):
        page.keyboard.press("Tab")
        here = page.evaluate(
            """() => {
                const it = document.activeElement, box = it.getBoundingClientRect(), style = getComputedStyle(it);
                return [it === document.body, it.outerHTML.slice(0, 120), box.width > 0 && box.height > 0,
                        style.outlineStyle !== 'none' || style.boxShadow !== 'none'];
            }"""
        )
        if here[0]:
            break
        order.append(here[1])
        assert here[2], f"has the focus and can't be seen: {here[1]}"
        assert here[3], f"has the focus and doesn't show it: {here[1]}"
    else:
        pytest.fail("the focus never comes round: there is a trap")
    assert len(order) > 10


def test_a_question_is_answered_with_the_keyboard_alone(site, visit):
    page = visit(site).log_in("desk").page
    page.goto("/desk")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.evaluate("document.activeElement.getAttribute('href')")
    page.keyboard.press("k")
    first = page.evaluate("document.activeElement.getAttribute('href')")
    assert first != second
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{first}")
    tab_to(page, "#text")
    page.keyboard.type("U kunt morgen komen.")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/desk?done=*")
    assert page.locator(f'#live a[href="{first}"]').count() == 0


def test_keys_do_nothing_where_somebody_types_and_can_be_switched_off(shared_site, visit):
    page = visit(shared_site).log_in("desk").page
    page.goto("/desk/tickets/21")
    page.locator("#text").fill("")
    page.locator("#text").press_sequentially("jk/?")
    assert page.locator("#text").input_value() == "jk/?"
    assert not page.locator("#shortcuts").is_visible()
    page.goto("/desk")
    page.keyboard.press("?")
    assert page.locator("#shortcuts").is_visible()
    page.locator("#shortcuts-on").uncheck()
    page.keyboard.press("Escape")
    assert not page.locator("#shortcuts").is_visible()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('#live')") is None
    page.reload()
    page.keyboard.press("?")
    assert not page.locator("#shortcuts").is_visible(), "stays off in this browser"
    page.locator("#open-shortcuts").click()
    page.locator("#shortcuts-on").check()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('#live') !== null")


@pytest.mark.parametrize("viewport", [None, PHONE], ids=["wide", "phone"])
def test_without_a_script_everything_works(site, visit, viewport):
    options = {"java_script_enabled": False} | ({"viewport": viewport} if viewport else {})
    page = visit(site, **options).log_in("desk").page
    page.goto("/desk")
    assert not page.locator("#open-shortcuts").is_visible(), "no button that does nothing"
    if viewport:
        page.locator(".menu summary").click()
    assert page.locator(".menu nav a").first.is_visible()
    if viewport:
        page.locator(".menu summary").click()
    words = page.locator("#live .words").first
    place = words.get_attribute("href")
    words.click()
    page.locator("#text").fill("Dat kan.")
    page.get_by_role("button", name=re.compile("Verstuur mijn antwoord")).click()
    page.wait_for_url("**/desk?done=*")
    assert page.locator(f'#live a[href="{place}"]').count() == 0
    page.get_by_role("link", name="English").click()
    assert page.locator("html").get_attribute("lang") == "en"


def test_the_menu_of_a_phone_is_one_button(shared_site, visit):
    page = visit(shared_site, viewport=PHONE).log_in("coordinator").page
    page.goto("/desk")
    assert not page.locator(".menu nav").is_visible()
    page.locator(".menu summary").focus()
    page.keyboard.press("Enter")
    assert page.locator(".menu nav a[aria-current]").is_visible()
    for link in page.locator(".menu nav a").all():
        assert link.bounding_box()["height"] >= 44
