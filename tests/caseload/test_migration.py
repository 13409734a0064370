"""The caseload comes into a database that is in use."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from bot.storage.migrate import upgrade
from bot.storage.store import Store

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgres"])
def old_store(request, tmp_path):
    if request.param == "sqlite":
        made = Store(f"sqlite:///{tmp_path / 'old.sqlite3'}")
    else:
        made = Store(request.getfixturevalue("postgres"))
        with made.engine.begin() as connection:
            connection.execute(sa.text("DROP SCHEMA public CASCADE"))
            connection.execute(sa.text("CREATE SCHEMA public"))
    upgrade(made.engine, "0001")
    yield made
    made.close()


def test_tickets_keep_what_was_said_on_them(old_store):
    with old_store.engine.begin() as connection:
        at = {"at": AT.replace(tzinfo=None).isoformat(" ")}
        connection.execute(
            sa.text(
                "INSERT INTO contact (id, consent, stopped, thread, created_at, seen_at)"
                " VALUES (1, 'given', false, '{}', :at, :at)"
            ),
            at,
        )
        connection.execute(
            sa.text(
                "INSERT INTO ticket (id, contact_id, state, urgent, reason, language, candidates, owner,"
                " promises_missed, promise_at, created_at)"
                " VALUES (1, 1, 0, false, 'asked', 'nl', '[]', 'back-up desk', 0, :at, :at)"
            ),
            at,
        )
        connection.execute(
            sa.text(
                "INSERT INTO ticket_entry (ticket_id, kind, author, text, at)"
                " VALUES (1, 'question', 'newcomer', 'my words', :at)"
            ).bindparams(),
            at,
        )
    upgrade(old_store.engine)
    with old_store.engine.begin() as connection:
        assert connection.execute(sa.text("SELECT text FROM ticket_entry")).scalars().all() == ["my words"]
        assert connection.execute(sa.text("SELECT actor_id FROM ticket")).scalars().all() == [None]
