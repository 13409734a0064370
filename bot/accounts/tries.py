"""Wrong tries to log in, counted in the database, so that the limit holds over all processes and restarts.

Counted twice: per network (30 in ten minutes, because a whole office shares one), and per account (10). A browser in
which somebody logged in before has a count of its own ("device cookie", OWASP Blocking Brute Force Attacks): whoever
guesses at a colleague's account elsewhere shuts out other unknown browsers, never the colleague's own. Tries while it
is shut don't count, so it opens again ten minutes after the first of the counted ones, however long the guessing goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.storage.account_models import LoginTryRow

NETWORK_TRIES = 30
ACCOUNT_TRIES = 10
WINDOW = timedelta(minutes=10)


@dataclass(frozen=True)
class Keys:
    """Keyed hashes: of the network, and of the account or of the browser that it knows."""

    network: str
    account: str


@dataclass(frozen=True)
class Try:
    """A try that may be made (`seconds_shut` is 0), or not yet. It counts as wrong until it is taken back."""

    seconds_shut: int = 0
    row_ids: tuple[int, ...] = ()


def take(connection: Connection, keys: Keys, now: datetime) -> Try:
    """Count a try beforehand, so that many at once don't all slip through."""
    shut = max(_shut(connection, keys.network, NETWORK_TRIES, now), _shut(connection, keys.account, ACCOUNT_TRIES, now))
    if shut > timedelta():
        return Try(max(1, round(shut.total_seconds())))
    rows = [{"key": key, "at": now} for key in (keys.network, keys.account)]
    insert = sa.insert(LoginTryRow).returning(LoginTryRow.id)
    return Try(row_ids=tuple(connection.execute(insert.values(row)).scalar_one() for row in rows))


def _shut(connection: Connection, key: str, allowed: int, now: datetime) -> timedelta:
    query = sa.select(LoginTryRow.at).where(LoginTryRow.key == key, LoginTryRow.at > now - WINDOW)
    moments = connection.execute(query.order_by(LoginTryRow.at.desc()).limit(allowed)).scalars().all()
    return moments[-1] + WINDOW - now if len(moments) == allowed else timedelta()


def take_back(connection: Connection, made: Try) -> None:
    """The try was right for the network. For the account it counts on until the login is complete.

    Or a known password would be a way to try codes without end.
    """
    connection.execute(sa.delete(LoginTryRow).where(LoginTryRow.id == made.row_ids[0]))


def forget(connection: Connection, key: str) -> None:
    """The login is complete, or an admin gave a new password."""
    connection.execute(sa.delete(LoginTryRow).where(LoginTryRow.key == key))
