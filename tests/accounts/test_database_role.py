"""The service's own role on PostgreSQL: everything works with it, and the audit log can't be changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot import audit, people, retention
from bot.commands.database import grants, print_roles
from bot.errors import SettingsError
from bot.messages import Address
from bot.roles import Principal
from bot.storage.migrate import upgrade
from bot.storage.store import Store

WHO = Principal("Sanne", frozenset(), account_id=1)


@pytest.fixture
def own_role(postgres_store, postgres):
    """A store that works as a role which owns nothing, on tables that somebody else made."""
    with postgres_store.engine.begin() as connection:
        connection.execute(sa.text("DROP ROLE IF EXISTS wegwijs_app"))
        connection.execute(sa.text("CREATE ROLE wegwijs_app LOGIN"))
        for statement in grants("wegwijs_app"):
            connection.execute(sa.text(statement))
    made = Store(postgres.replace("postgres@/postgres?", "wegwijs_app@/test?"))
    made.start()
    yield made
    made.close()
    with postgres_store.engine.begin() as connection:
        connection.execute(sa.text("DROP OWNED BY wegwijs_app"))
        connection.execute(sa.text("DROP ROLE wegwijs_app"))


def record(store, at):
    store.write(lambda c: audit.record(c, WHO, "ticket.view", at))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET who = 'nobody'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "DROP TABLE audit",
        "ALTER TABLE audit DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_kept ON audit",
        "CREATE OR REPLACE FUNCTION audit_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$",
        "SET session_replication_role = replica",
    ],
)
def test_the_role_of_the_service_can_not_change_the_log(own_role, change):
    record(own_role, datetime.now(UTC))
    with pytest.raises(sa.exc.DBAPIError):
        own_role.write(lambda c: c.execute(sa.text(change)))
    assert own_role.read(lambda c: c.execute(sa.text("SELECT who FROM audit")).scalars().all()) == ["Sanne"]


def test_the_service_starts_and_works_with_it(own_role, content, vault, clock):
    upgrade(own_role.engine)  # nothing to do, so no right is needed
    made = own_role.write(lambda c: people.find_or_create(c, vault, Address("telegram", "1"), "lane", clock.now()))
    own_role.write(lambda c: people.erase(c, made.contact.id, "lane"))


def test_the_nightly_job_still_deletes_what_is_old_enough(own_role, content):
    record(own_role, datetime.now(UTC) - timedelta(days=731))
    record(own_role, datetime.now(UTC))
    assert retention.sweep(content, own_role.write, datetime.now(UTC))["audit log"] == 1


def test_the_command_prints_what_is_tested_here(capsys):
    assert print_roles("wegwijs_app") == 0
    printed = capsys.readouterr().out
    assert all(f"{statement};" in printed for statement in grants("wegwijs_app"))


@pytest.mark.parametrize("name", ["a; DROP TABLE audit", "Wegwijs", 'x"', ""])
def test_a_name_that_would_need_quoting_is_refused(name):
    with pytest.raises(SettingsError):
        grants(name)
