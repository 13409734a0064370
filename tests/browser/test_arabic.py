"""Arabic inside Dutch pages: each text runs its own way."""

from __future__ import annotations

from tests.browser.conftest import PHONE


def edges(locator):
    """Where the words themselves stand inside their box: left and right, in pixels."""
    return locator.evaluate(
        """element => {
            const range = document.createRange();
            range.selectNodeContents(element);
            const words = range.getClientRects()[0], box = element.getBoundingClientRect();
            return [words.left - box.left, box.right - words.right];
        }"""
    )


def test_an_arabic_question_stands_at_the_right_and_a_dutch_one_at_the_left(shared_site, visit):
    for options in ({}, {"viewport": PHONE}):
        page = visit(shared_site, **options).log_in("desk").page
        page.goto("/desk")
        arabic = page.locator('#live bdi[lang="ar"]').first
        assert arabic.evaluate("element => getComputedStyle(element).direction") == "rtl"
        left, right = edges(arabic)
        assert right <= 1 < left
        other = page.locator('#live bdi[lang="nl"], #live bdi[lang="en"]').first
        assert other.evaluate("element => getComputedStyle(element).direction") == "ltr"
        assert page.locator("html").evaluate("element => getComputedStyle(element).direction") == "ltr"


def test_what_somebody_types_runs_the_way_of_its_letters(shared_site, visit):
    page = visit(shared_site).log_in("desk").page
    page.goto("/desk")
    page.locator("#live .words").first.click()
    field = page.locator("#text")
    for words, way in (("أهلا بك", "rtl"), ("Dag, tot morgen", "ltr")):
        field.fill(words)
        assert field.evaluate("element => element.matches(':dir(rtl)') ? 'rtl' : 'ltr'") == way
