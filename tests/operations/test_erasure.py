"""After "delete everything" nothing of a person is left: the bytes of the whole database are searched.

A life through every path that keeps something; then the wish in the chat; then SQLite's file with its journal, or a
dump of PostgreSQL, must hold neither words nor identifiers. Every word below is one of a kind: a find is a leak.
"""

from __future__ import annotations

import logging
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.storage.models import AddressRow
from tests.conftest import make_service
from tests.desk.asking import answer, ask
from tests.operations.test_backup import programs_of_postgresql, url_of
from tests.talk import Talk

__all__ = ["programs_of_postgresql"]  # a fixture

WORDS = ["kwetterzwaluw", "glimwormpje", "ratelpopulier", "duindoornbes", "zandhagedis"]


@pytest.fixture
def service(settings, store, vault, clock, content, understander):
    return make_service(settings, store, vault, clock, content, understander)


def live(service, channel):
    """Everything that somebody can do here, with a word of its own in each thing that is said."""
    talk, ticket_id = ask(service, f"Wie helpt mij met {WORDS[0]}?", channel=channel)
    service.conversation.understander.means(f"en {WORDS[1]}?", "answer", "pip.what", "route.z")
    talk.says(f"en {WORDS[1]}?")
    talk.says("/start" if channel == "telegram" else "menu")
    answer(service, ticket_id, f"Neem je {WORDS[2]} mee.")
    talk.waits()
    talk.taps(f"rated:no:{ticket_id}")
    service.conversation.understander.means(f"ik wil niet meer {WORDS[3]}", "crisis", "health.crisis")
    talk.says(f"ik wil niet meer {WORDS[3]}")
    talk.taps("human")
    talk.says(f"Nog een vraag over {WORDS[4]}")
    service.clock.forward(timedelta(hours=30))  # promises pass, reminders go
    talk.waits()
    return talk


def everything_kept(store, tmp_path):
    """All bytes that the database keeps."""
    if store.is_sqlite:
        store.close()
        path = Path(store.engine.url.database)
        return b"".join(found.read_bytes() for found in path.parent.glob(f"{path.name}*") if found.suffix != ".lock")
    url = url_of(store).replace("postgresql+psycopg", "postgresql")
    return subprocess.run(["pg_dump", "--inserts", f"--dbname={url}"], check=True, capture_output=True).stdout


def traces(talk):
    """What a person could be known by."""
    return [talk.address.value, talk.address.value.removeprefix("whatsapp:+"), talk.who]


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
def test_nothing_of_a_person_is_left(service, store, tmp_path, caplog, channel):
    caplog.set_level(logging.DEBUG, logger="bot")
    other = Talk(service, channel, who="somebody else").agrees("nl")
    talk = live(service, channel)
    lookups = [row.lookup for row in store.read(lambda c: c.execute(sa.select(AddressRow.__table__)).all())]
    talk.taps("erase")
    talk.taps("erase:yes")
    other.taps("menu")
    mine = set(lookups) & set(service.vault.lookups(talk.address))
    assert mine, "the look-up hash was there before"
    data = everything_kept(store, tmp_path)
    assert data
    for trace in [*WORDS, *traces(talk)[:2], *mine]:
        assert trace.encode() not in data, f"{trace} is left"
    for trace in [*WORDS, *traces(talk)[:2]]:
        assert trace not in caplog.text, f"{trace} is in the log"


def test_before_that_everything_was_there(service, store, tmp_path):
    """So that the search above can find something."""
    live(service, "telegram")
    data = everything_kept(store, tmp_path)
    for word in WORDS:
        assert word.encode() in data, word
