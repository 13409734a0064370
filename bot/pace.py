"""How fast a channel may send, over all processes: one row a pace, moved on by what was taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot.storage.base import table_of
from bot.storage.fixed import Fixed, in_list, listed
from bot.storage.models import PaceRow

_PACE = table_of(PaceRow)
_NAME: sa.BindParameter[str] = sa.bindparam("b_channel")
_USE = Fixed(sa.update(_PACE).where(_PACE.c.channel == _NAME).values(used_until=sa.bindparam("b_used")))


@dataclass(frozen=True)
class Pace:
    """How fast a channel may send: messages a second over all people, and seconds between two to one person.

    `invitations`: the share of it that what nobody waits for may take, so that an answer never stands behind a wave.
    """

    per_second: float
    gap: float
    burst: int = 5
    invitations: float = 0.2

    def of_invitations(self) -> Pace:
        """Their own pace, within that of the channel."""
        return Pace(self.per_second * self.invitations, self.gap, max(1, int(self.burst * self.invitations)))


def use(connection: Connection, name: str, start: datetime, seconds: float) -> None:
    """Take seconds of an allowance, from where `budgets` said that it counts."""
    if seconds:
        _USE.later(connection, {"b_channel": name, "b_used": start + timedelta(seconds=seconds)})


def budgets(connection: Connection, paces: Mapping[str, Pace], now: datetime) -> dict[str, tuple[int, datetime]]:
    """How many may go now at each pace, and from where its allowance counts. Unused allowance is kept up to the burst.

    Nobody else sends at these paces until this transaction ends.
    """
    names = sorted(paces)
    used = {row.channel: row.used_until for row in _used(len(names)).rows(connection, in_list(names))}
    found: dict[str, tuple[int, datetime]] = {}
    for name, pace in paces.items():
        earliest = now - timedelta(seconds=pace.burst / pace.per_second)
        if name not in used:
            _begin(connection, name, earliest)
        start = max(used.get(name, earliest), earliest)
        found[name] = int((now - start).total_seconds() * pace.per_second + 1e-6), start
    return found


@cache
def _used(names: int) -> Fixed:
    query = sa.select(_PACE.c.channel, _PACE.c.used_until).where(_PACE.c.channel.in_(listed(names)))
    return Fixed(query.order_by(_PACE.c.channel).with_for_update())


def _begin(connection: Connection, name: str, earliest: datetime) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(PaceRow).values(channel=name, used_until=earliest)
    connection.execute(row.on_conflict_do_nothing(index_elements=["channel"]))
