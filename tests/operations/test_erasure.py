"""After "delete everything" nothing of a person is left: the bytes of the whole database are searched.

A life through every path that keeps something (`life.py`); then the wish in the chat; then SQLite's file with its
journal, or a dump of PostgreSQL, must hold neither words nor identifiers, and no line of a log may have held them.
"""

from __future__ import annotations

import logging
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.storage.models import AddressRow, Base
from bot.storage.survey_models import SurveyInvitationRow
from tests.caseload.people import rows
from tests.conftest import make_service
from tests.operations.life import WORDS, live
from tests.operations.test_backup import programs_of_postgresql, url_of
from tests.talk import Talk

__all__ = ["programs_of_postgresql"]  # a fixture


@pytest.fixture
def service(settings, store, vault, clock, content, understander):
    return make_service(settings, store, vault, clock, content, understander)


def everything_kept(store):
    """All bytes that the database keeps, at this moment, while the service runs."""
    if store.is_sqlite:
        path = Path(store.engine.url.database)
        return b"".join(found.read_bytes() for found in path.parent.glob(f"{path.name}*") if found.suffix != ".lock")
    url = url_of(store).replace("postgresql+psycopg", "postgresql")
    return subprocess.run(["pg_dump", "--inserts", f"--dbname={url}"], check=True, capture_output=True).stdout


def addresses(life):
    """What a person is known by at the platforms."""
    values = [talk.address.value for talk in (life.talk, life.second)]
    return [*values, *(value.removeprefix("whatsapp:+") for value in values)]


def empty_tables(store):
    def is_empty(connection, table):
        return connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is None

    return store.read(lambda c: {name for name, table in Base.metadata.tables.items() if is_empty(c, table)})


def holding(store, number):
    """The tables with a row that names somebody by the number of the contact."""
    tables = [table for table in Base.metadata.tables.values() if "contact_id" in table.c]

    def look(connection, table):
        return connection.execute(sa.select(sa.literal(1)).where(table.c.contact_id == number).limit(1)).first()

    return store.read(lambda c: {table.name for table in tables if look(c, table)})


def test_nothing_of_a_person_is_left(service, store, caplog):
    channel = "telegram" if store.is_sqlite else "whatsapp"
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # of the browser that the test plays, not of the service
    other = Talk(service, channel, who="somebody else").agrees("nl")
    life = live(service, channel)
    before, known = everything_kept(store), {row.lookup for row in rows(service, AddressRow)}
    mine = known - set(service.vault.lookups(other.address))
    assert len(mine) == 2
    # An invented phone's screen, days off, facts of the installation, figures of the night and of money, a receipt that
    # came early, wrong logins of people who work here: none is of a newcomer, or it holds the platform's number alone.
    assert empty_tables(store) <= {
        "screen",
        "absence",
        "marker",
        "fact",
        "spend",
        "early_receipt",
        "login_try",
        "published",
    }
    for trace in [*WORDS.values(), *mine]:
        assert trace.encode() in before, f"{trace} was never there: the search below would find nothing"
    for said in ("question", "translation of the answer", "reply to it", "second chat"):
        assert WORDS[said] in life.page.text, "the person sees it too"
    (number,) = {row.contact_id for row in rows(service, AddressRow) if row.lookup in mine}
    assert {"push", "bad_news", "survey_invitation", "survey_consent", "survey_phase"} <= holding(store, number)
    life.talk.taps("erase")
    life.talk.taps("erase:yes")
    other.taps("menu")
    assert [row.state for row in rows(service, SurveyInvitationRow)] == ["erased"], "the figures of the wave stay"
    assert holding(store, number) == set(), "no row says whose it was"
    data = everything_kept(store)
    for trace in [*WORDS.values(), *addresses(life), *mine, *life.secrets]:
        assert trace.encode() not in data, f"{trace} is left"
    for trace in [*WORDS.values(), *addresses(life), *life.secrets]:
        assert trace not in caplog.text, f"{trace} is in the log"
