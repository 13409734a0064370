"""Two browsers at once: what one does, the other sees by itself."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.browser.population import OWN


def links(page):
    return page.locator("#live .words").evaluate_all("links => links.map(link => link.getAttribute('href'))")


def of_desk(page):
    """A question of the back-up desk: the first ones in the database are Sanne's."""
    return next(link for link in links(page) if int(link.rpartition("/")[2]) > len(OWN))


def wait_until(page, condition, argument=None, timeout=15_000):
    page.wait_for_function(condition, arg=argument, timeout=timeout)


def answer(page, place, words="Ja, dat kan."):
    page.goto(place)
    page.locator("#text").fill(words)
    page.get_by_role("button", name=re.compile("Verstuur mijn antwoord")).click()


GONE = "place => !document.querySelector(`#live a[href='${place}']`)"


def test_what_one_answers_leaves_the_list_of_the_other_by_itself(site, visit):
    one, other = visit(site).log_in("desk").page, visit(site).log_in("coordinator").page
    one.goto("/desk")
    other.goto("/desk")
    place = of_desk(one)
    assert place in links(other)
    answer(one, place)
    wait_until(other, GONE, place)
    assert place not in links(other)
    assert other.locator("#news").inner_text() == ""


def test_who_reads_further_down_is_told_and_decides(site, visit):
    one, other = visit(site).log_in("desk").page, visit(site).log_in("coordinator").page
    one.goto("/desk")
    other.goto("/desk")
    place = of_desk(one)
    other.locator("#live .words").first.focus()
    answer(one, place)
    wait_until(other, "() => document.querySelector('#news').textContent.includes('1 vraag is afgehandeld')")
    other.wait_for_timeout(6000)  # longer than it waits for somebody who does nothing
    assert place in links(other), "the list does not move under somebody who stands in it"
    assert other.evaluate("document.activeElement.matches('#live .words')"), "nor takes the focus away"
    other.keyboard.press("n")
    wait_until(other, GONE, place)
    assert other.evaluate("document.activeElement.closest('#live') !== null"), "the focus is at the list that changed"


def test_a_new_question_comes_in_by_itself(site, visit):
    page = visit(site).log_in("desk").page
    page.goto("/desk")
    before = len(links(page))
    ask(site, "newcomer", "Mag ik mijn hond meenemen naar les?")
    wait_until(page, "before => document.querySelectorAll('#live .words').length > before", before, 20_000)
    assert "hond" in page.locator("#live").inner_text()


def ask(site, phone, text):
    """Somebody new asks, over the chat page, and wants a person."""
    address = f"{site.base}/simulator/phones/{phone}/messages"

    def post(**what):
        body = {"id": f"test-{phone}-{post.number}", "channel": "console", "language": "nl", **what}
        post.number += 1
        assert httpx.post(address, json=body).is_success

    def options():
        rows = httpx.get(address, params={"channel": "console"}).json()["messages"]
        return [(row["id"], option) for row in rows for option in row["options"]]

    def tap(token):
        for _ in range(200):
            for message, option in reversed(options()):
                if re.match(token, option["token"]):
                    return post(kind="tap", message=message, token=option["token"])
        pytest.fail(f"no button {token}: {options()}")

    post.number = 0
    post(kind="start")
    tap("lang:nl")
    tap("consent:yes")
    post(kind="text", text=text)
    tap("pass:yes")


def test_two_people_answer_one_question_and_nobody_loses_words(site, visit):
    one, other = visit(site).log_in("desk").page, visit(site).log_in("coordinator").page
    one.goto("/desk")
    place = of_desk(one)
    other.goto(place)
    other.locator("#text").fill("Woorden van de tweede")
    one.goto(place)
    assert "Joost beantwoordt deze vraag" in one.locator("#claimed").inner_text()
    assert one.locator("#text").count() == 0, "so that two people never write the same"
    one.locator('form[action$="/claim"] button').click()
    one.locator("#text").fill("Woorden van de eerste")
    one.get_by_role("button", name=re.compile("Verstuur mijn antwoord")).click()
    one.wait_for_url("**/desk?done=*")
    other.get_by_role("button", name=re.compile("Verstuur mijn antwoord")).click()
    other.get_by_role("alert").wait_for()
    assert "Woorden van de tweede" in other.locator("main").inner_html()
    assert "Woorden van de eerste" in other.locator("main").inner_text()


def test_the_service_stops_at_once_although_browsers_listen(fresh_site, visit):
    visitors = [visit(fresh_site).log_in(login) for login in ("desk", "coordinator")]
    for visitor in visitors:
        visitor.page.goto("/desk")
        visitor.page.wait_for_timeout(500)
    assert fresh_site.stop() < 6
    for visitor in visitors:
        visitor.faults.clear()  # the browser says that its line broke, as it should


def test_who_is_logged_out_elsewhere_gets_the_login_and_no_empty_list(site, visit):
    visitor = visit(site).log_in("desk")
    page = visitor.page
    page.goto("/desk")
    page.locator("#live .words").first.focus()
    answer(visit(site).log_in("coordinator").page, of_desk(page))
    wait_until(page, "() => document.querySelector('[data-show-news]')")
    visitor.context.clear_cookies()
    page.locator("[data-show-news]").click()
    page.wait_for_url("**/desk/login*")
    visitor.faults.clear()  # the browser says that the stream is no stream any more, as it should
