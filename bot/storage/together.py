"""Changes that need no answer, collected on a line to PostgreSQL and sent as one statement before whatever comes next.

Why: each statement goes to another process and back, and the next waits for it. Under load that was 84 % of the
writer's time (docs/performance.md). SQLite is in this process and would gain nothing.

Nobody sees the difference: what runs next on the connection, and the commit, first send what was collected. The parts
of one statement all see the database as it was before it, so each changes a table of its own and reads none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from bot.storage import driver

Part = tuple[str, str, Mapping[str, Any]]  # the table that it changes, its words, its values by name

_COLLECTED = "collected"  # in what SQLAlchemy keeps with a line to the database
_NAMED = re.compile(r"%\((\w+)\)s")


def collect(connection: Connection, part: Part) -> None:
    """Keep a change for later. Two of the same table go one after the other."""
    collected: list[Part] = connection.info.setdefault(_COLLECTED, [])
    if any(part[0] == other[0] for other in collected):
        send(connection)
    collected.append(part)


def send(connection: Connection) -> None:
    """Send what was collected. Raises what the database raises for any of it."""
    collected: list[Part] | None = connection.info.get(_COLLECTED)
    if not collected:
        return
    parts = collected.copy()
    collected.clear()
    values = {f"p{place}_{name}": value for place, part in enumerate(parts) for name, value in part[2].items()}
    driver.run(connection, _as_one(tuple(part[1] for part in parts)), values)


@lru_cache(maxsize=256)
def _as_one(parts: tuple[str, ...]) -> str:
    """Statements as one, the values of each under names of their own."""
    named = [_NAMED.sub(rf"%(p{place}_\1)s", words) for place, words in enumerate(parts)]
    before = ", ".join(f"p{place} AS ({words})" for place, words in enumerate(named[:-1]))
    return f"WITH {before} {named[-1]}" if before else named[-1]


def listen(engine: Engine) -> None:
    """What SQLAlchemy runs on a line of this engine comes after what was collected there. There are no savepoints."""
    sa.event.listen(engine, "before_cursor_execute", lambda connection, *_: send(connection))
    sa.event.listen(engine, "commit", send)
    sa.event.listen(engine, "rollback", _forget)


def _forget(connection: Connection) -> None:
    if not connection.invalidated:
        connection.info.pop(_COLLECTED, None)
