"""Alembic's entry: migrations run on the connection that `migrate.upgrade` hands over."""

from alembic import context

from bot.storage import research_models  # noqa: F401  # its table too
from bot.storage.models import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
