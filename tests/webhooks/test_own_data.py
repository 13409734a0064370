"""See everything that is kept: a link for an hour, in the own language, as a page or a file."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from bot import pushes
from bot.desk import drafts, prepared
from bot.locales import LANGUAGES
from bot.messages import Push
from bot.policy.survey_facts import Ending
from tests.caseload.people import make_actor, make_party, newest_contact
from tests.desk.asking import SANNE, answer, ask, deed
from tests.surveys.helping import contact_of, invite
from tests.talk import Talk
from webhooks.app import create_app


def link(talk):
    got = talk.taps("data:file")
    return re.search(r"/my-data/[\w-]+", got[0].text)[0]


@pytest.fixture
def client(service):
    return TestClient(create_app(service))


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_there_in_the_own_language(service, client, language):
    talk, ticket_id = ask(service, "Mag ik <b>zaterdag</b> les?", language=language)
    make_party(service, make_actor(service), contact_id=newest_contact(service), birth_year=1990)
    answer(service, ticket_id, "Ja, dat mag.")
    talk.waits()
    page = client.get(link(talk))
    assert page.status_code == 200
    assert f'lang="{language}"' in page.text
    assert ('dir="rtl"' in page.text[:80]) == (language == "ar")
    assert "Mag ik &lt;b&gt;zaterdag&lt;/b&gt; les?" in page.text
    assert "Ja, dat mag." in page.text
    assert "Sanne de Wit" in page.text
    assert "1990" in page.text
    assert service.content.replies[language]["mydata.title"] in page.text
    assert page.headers["cache-control"] == "no-store"


def test_the_same_as_a_file(service, client):
    talk, _ = ask(service, "Mag ik zaterdag les?")
    answered = client.get(link(talk), params={"file": "1"})
    assert "attachment" in answered.headers["content-disposition"]
    data = answered.json()
    assert "Mag ik zaterdag les?" in [message["text"] for message in data["messages"]]
    assert data["questions"][0]["entries"][0]["text"] == "Mag ik zaterdag les?"
    assert data["channels"] == ["telegram"]
    assert talk.address.value not in answered.text


def test_what_colleagues_wrote_and_did_not_send_is_there_too(service, client):
    talk, ticket_id = ask(service, "Mag ik zaterdag les?", language="en")
    now, content = service.clock.now(), service.content
    service.store.write(lambda c: prepared.prepare(c, deed(service, ticket_id), content, topic="pip.what"))
    service.store.write(lambda c: drafts.save(c, ticket_id, SANNE, "Dit is nog niet af", now) and None)
    page = client.get(link(talk)).text
    words = service.content.replies["en"]
    assert page.index(words["mydata.draft"]) < page.index("Dit is nog niet af") < page.index(words["mydata.prepared"])
    assert content.answer("pip.what", "en").question in page
    kinds = [e["kind"] for e in client.get(link(talk), params={"file": "1"}).json()["questions"][0]["entries"]]
    assert kinds == ["question", "draft", "prepared"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_surveys_what_we_sent_and_the_day_of_bad_news_are_there_and_no_answer(service, client, language):
    talk = Talk(service, "telegram").agrees(language)
    invite(talk, "lessons_now", {})
    talk.taps("survey:yes:1")
    talk.taps("survey:a:1:lessons_taken:pvt")
    now, someone = service.clock.now(), contact_of(talk)
    service.store.write(lambda c: pushes.bad_news(c, someone, now))
    place, say = link(talk), service.content.replies[language]
    page = client.get(place).text
    titles = service.content.surveys.texts[language].surveys
    assert f"{titles['lessons_now'].title}: {say['mydata.survey_started']}" in page
    for key in ("surveys_given", "bad_news", "pushes", "push_pulse"):
        assert say[f"mydata.{key}"] in page
    found = client.get(place, params={"file": "1"})
    kept = found.json()["surveys"]
    assert kept["consent"]["state"] == "given"
    assert [(one["survey"], one["state"]) for one in kept["invitations"]] == [("lessons_now", "started")]
    assert [one["kind"] for one in kept["messages_of_our_own_accord"]] == ["pulse"]
    assert kept["bad_news_at"]
    assert "lessons_taken" not in found.text
    assert "pvt" not in found.text


def test_every_kind_and_state_has_its_words(service):
    """One that has none would break the page of whoever asks what is kept."""
    say, states = service.content.replies["nl"], [*Ending, "waiting", "asked", "started", "silent"]
    assert {f"mydata.survey_{state}" for state in states} | {f"mydata.push_{kind}" for kind in Push} <= set(say)


def test_a_link_ends_after_an_hour_with_the_next_one_and_with_the_person(service, client):
    talk, _ = ask(service)
    first = link(talk)
    second = link(talk)
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200
    service.clock.forward(timedelta(minutes=61))
    gone = client.get(second, headers={"accept-language": "ar"})
    assert gone.status_code == 404
    assert service.content.replies["ar"]["mydata.gone"] in gone.text
    third = link(talk)
    talk.taps("erase:yes")
    assert client.get(third).status_code == 404


@pytest.mark.parametrize("token", ["x", "'; DROP TABLE contact", "%00", "a" * 900])
def test_a_made_up_link_opens_nothing(client, token):
    assert client.get(f"/my-data/{token}").status_code == 404
