"""A mail at the start of an answering slot: how much waits, and a link. Also for the back-up desk when it opens.

One a slot, by its key, whatever is restarted; none on holidays, on days of absence, or when nothing waits. A start
that was missed is made up for in the first half hour; later the mail would come in the middle of the work.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import mailing
from bot.desk.calendar import to_utc
from bot.desk.routing import calendar_of
from bot.locales import AMSTERDAM
from bot.mailing import Mail
from bot.storage.models import ActorRow, SlotRow, TicketRow, TicketState
from bot.working_days import is_working_day

MADE_UP_FOR = timedelta(minutes=30)


@dataclass(frozen=True)
class DigestRules:
    """The back-up desk's address (empty: none) and hours, the language of mails, and where the desk is found."""

    desk_email: str = ""
    opens: time = time(9)
    closes: time = time(17)
    language: str = "nl"
    desk_url: str = ""


@dataclass(frozen=True)
class _Start:
    """An answering time that begins about now."""

    key: str
    kind: str
    recipient: str
    language: str
    starts: datetime
    ends: datetime
    actor_id: int | None


def put_due(connection: Connection, now: datetime, rules: DigestRules) -> None:
    """Put the mails of answering times that begin now into the queue."""
    day = now.astimezone(AMSTERDAM).date()
    if not is_working_day(day):
        return
    starts = [*_of_actors(connection, day, rules), *_of_desk(day, rules)]
    for start in starts:
        if start.starts <= now < min(start.starts + MADE_UP_FOR, start.ends):
            _put(connection, start, now, rules)


def _of_actors(connection: Connection, day: date, rules: DigestRules) -> list[_Start]:
    rows = connection.execute(
        sa.select(SlotRow.actor_id, SlotRow.starts, SlotRow.ends, ActorRow.email, ActorRow.languages)
        .join(ActorRow, ActorRow.id == SlotRow.actor_id)
        .where(SlotRow.weekday == day.weekday(), ActorRow.active, ActorRow.email.is_not(None))
        .order_by(SlotRow.actor_id, SlotRow.starts)
    ).all()
    return [
        _Start(
            key=f"digest:{row.actor_id}:{day.isoformat()}:{row.starts:%H:%M}",
            kind="digest",
            recipient=row.email,
            language="en" if "en" in row.languages and "nl" not in row.languages else rules.language,
            starts=to_utc(day, row.starts),
            ends=to_utc(day, row.ends),
            actor_id=row.actor_id,
        )
        for row in rows
    ]


def _of_desk(day: date, rules: DigestRules) -> list[_Start]:
    if not rules.desk_email:
        return []
    key = f"digest:desk:{day.isoformat()}"
    opens, closes = to_utc(day, rules.opens), to_utc(day, rules.closes)
    return [_Start(key, "desk_digest", rules.desk_email, rules.language, opens, closes, None)]


def _put(connection: Connection, start: _Start, now: datetime, rules: DigestRules) -> None:
    day = start.starts.astimezone(AMSTERDAM).date()
    if start.actor_id is not None and not calendar_of(connection, start.actor_id).works_on(day):
        return
    mine = TicketRow.actor_id == start.actor_id if start.actor_id is not None else TicketRow.actor_id.is_(None)
    due = sa.case((TicketRow.promise_at <= start.ends, 1), else_=0)
    late = sa.case((TicketRow.promise_at < now, 1), else_=0)
    counted = connection.execute(
        sa.select(sa.func.count(TicketRow.id), sa.func.sum(due), sa.func.sum(late)).where(
            TicketRow.state == TicketState.OPEN, mine
        )
    ).one()
    if not counted[0]:
        return
    params = {
        "n": counted[0],
        "due": int(counted[1]),
        "late": int(counted[2]),
        "starts": f"{start.starts.astimezone(AMSTERDAM):%H:%M}",
        "ends": f"{start.ends.astimezone(AMSTERDAM):%H:%M}",
        "link": f"{rules.desk_url}/desk",
    }
    mail = Mail(start.kind, start.recipient, start.language, params)
    mailing.put(connection, mail, key=start.key, now=now, expires_at=start.ends)
