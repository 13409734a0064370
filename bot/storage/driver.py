"""A statement in the words of the driver, on a connection of SQLAlchemy, with the errors of SQLAlchemy."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection


def run(connection: Connection, words: str, values: Any) -> Any:
    """Run it; the driver's cursor. Raises what SQLAlchemy raises for it, without the values."""
    raw: Any = connection.connection.dbapi_connection
    try:
        return raw.execute(words, values)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_of_sqlalchemy(connection, raw, words, error) from error


def _as_of_sqlalchemy(connection: Connection, raw: Any, words: str, error: Exception) -> Exception:
    """The error of SQLAlchemy. Lines to a database that is gone are not used again."""
    dialect = connection.dialect
    is_gone = dialect.is_disconnect(error, raw, None)  # type: ignore[arg-type]  # any error of the driver
    if is_gone:
        connection.invalidate(error)
        connection.engine.dispose()
    base = dialect.loaded_dbapi.Error
    return sa.exc.DBAPIError.instance(
        words, None, error, base, hide_parameters=True, connection_invalidated=is_gone, dialect=dialect
    )
