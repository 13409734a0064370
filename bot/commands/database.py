"""`wegwijs database …`: the tables by their owner, and a role for the service that can't change the audit log."""

from __future__ import annotations

from bot.errors import SettingsError
from bot.settings import Settings
from bot.storage.account_models import AuditRow
from bot.storage.migrate import upgrade
from bot.storage.models import Base
from bot.storage.store import Store


def upgrade_tables(settings: Settings) -> int:
    """Make and change the tables, as the role in the settings, which then owns them."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = Store(settings.store_url)
    try:
        upgrade(store.engine)
    finally:
        store.close()
    print("The tables have the form that this version needs.")
    return 0


def grants(role: str) -> list[str]:
    """Statements for PostgreSQL, run by the owner of the tables: what the service's own role may do, and no more.

    On the audit log it may add and read, and delete what a trigger finds old enough (migration 0004). It can't change a
    line, empty the table or take the triggers away. Raises SettingsError for a name that would need quoting.
    """
    if not role.isidentifier() or not role.isascii() or role != role.lower():
        raise SettingsError([f"--role {role}: small letters, digits and _ only"])
    audit = AuditRow.__tablename__
    tables = ", ".join(sorted(set(Base.metadata.tables) - {audit}))
    return [
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {role}",
        f"GRANT SELECT, INSERT, DELETE ON {audit} TO {role}",
        f"GRANT SELECT ON alembic_version TO {role}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    ]


def print_roles(role: str) -> int:
    """The statements, after one that makes the role."""
    print("-- Run by the owner of the tables, after every `wegwijs database upgrade`.")
    print(f"-- Once before: CREATE ROLE {role} LOGIN PASSWORD '…';")
    print(";\n".join(grants(role)) + ";")
    return 0
