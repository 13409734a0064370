"""Whether a message of our own accord may go to a person now, or when next. The one place that says so.

Everything that nobody asked for asks here first: notices, nudges, reminders, templates, pulses, a welcome. Answers to
what a person wrote are no pushes. A push is booked under the lock of its contact, so that two processes can't both
take the last place of a week. What must wait is not put into the outbox, where it would hold up the replies behind it:
set a timer for `at` and ask again then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import chain

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot.contacts import Consent
from bot.locales import AMSTERDAM
from bot.messages import Push
from bot.storage.models import ContactRow, TicketRow, TicketState
from bot.storage.survey_models import BadNewsRow, PushRow
from bot.working_days import is_public_holiday, religious_days

WEEK = timedelta(days=7)
CRISIS_PAUSE = timedelta(days=1)  # ask again tomorrow: a person at the desk decides when a crisis is over
CALM_KINDS = frozenset({Push.PULSE})  # not in the first days after bad news
MAX_STEPS = 400  # of looking for a day: more than a year of days off


@dataclass(frozen=True)
class PushRules:
    """When the service may speak first. Times are Dutch.

    `holidays`: religious ones by their names in `bot/working_days.py`; `days_off`: further days.
    """

    quiet_from: time = time(20)
    quiet_until: time = time(9)
    days_off: frozenset[date] = frozenset()
    per_week: int = 3  # all kinds together, in any seven days
    calm_days: int = 14
    holidays: frozenset[str] = frozenset()


class Why(StrEnum):
    """Why not now."""

    FREE = ""
    NOBODY = "nobody"  # erased
    CONSENT = "consent"
    STOPPED = "stopped"
    CRISIS = "crisis"
    QUIET = "quiet"  # night, Sunday, holiday or a day off
    CAP = "cap"
    BAD_NEWS = "bad_news"


@dataclass(frozen=True)
class Permission:
    """`at` is the moment from which it may go: now, later, or None: never. Later means: ask again then."""

    at: datetime | None
    why: Why = Why.FREE

    @property
    def now(self) -> bool:
        return self.why is Why.FREE


def may_push(
    connection: Connection, contact_id: int, kind: Push, now: datetime, rules: PushRules, *, lock: bool = False
) -> Permission:
    """Whether a push of this kind may go now. Counts nothing: `book` does."""
    query = sa.select(ContactRow.consent, ContactRow.stopped).where(ContactRow.id == contact_id)
    contact = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if contact is None:
        return Permission(None, Why.NOBODY)
    if contact.consent != Consent.GIVEN:
        return Permission(None, Why.CONSENT)
    if contact.stopped:
        return Permission(None, Why.STOPPED)
    if _has_crisis(connection, contact_id):
        return Permission(now + CRISIS_PAUSE, Why.CRISIS)
    calm_until = _calm_until(connection, contact_id, rules) if kind in CALM_KINDS else None
    earlier = connection.execute(
        sa.select(PushRow.at).where(PushRow.contact_id == contact_id, PushRow.at > now - WEEK)
    ).scalars()
    return next_moment(now, rules, list(earlier), calm_until)


def book(connection: Connection, contact_id: int, kind: Push, now: datetime, rules: PushRules) -> Permission:
    """Like `may_push`, and where it may go now it is counted. The caller sends it in the same transaction."""
    permission = may_push(connection, contact_id, kind, now, rules, lock=True)
    if permission.now:
        connection.execute(sa.insert(PushRow).values(contact_id=contact_id, kind=kind.value, at=now))
    return permission


def bad_news(connection: Connection, contact_id: int, now: datetime) -> None:
    """The person was told bad news: no pulse in the first days after it."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(BadNewsRow).values(contact_id=contact_id, at=now)
    connection.execute(row.on_conflict_do_update(index_elements=["contact_id"], set_={"at": now}))


def next_moment(
    now: datetime, rules: PushRules, earlier: Sequence[datetime], calm_until: datetime | None = None
) -> Permission:
    """The first moment from now on that breaks no rule, and the first reason why it isn't now. Pure."""
    at, why = now, Why.FREE
    for _ in range(MAX_STEPS):
        later, reason = _first_obstacle(at, rules, earlier, calm_until)
        if reason is Why.FREE:
            return Permission(at, why)
        at, why = later, why or reason
    return Permission(None, why)


def _first_obstacle(
    at: datetime, rules: PushRules, earlier: Sequence[datetime], calm_until: datetime | None
) -> tuple[datetime, Why]:
    if calm_until is not None and at < calm_until:
        return calm_until, Why.BAD_NEWS
    if rules.per_week < 1:
        return at + WEEK, Why.CAP
    full = _full_until(at, rules.per_week, earlier)
    if full is not None:
        return full, Why.CAP
    opens = _opens_at(at, rules)
    return (opens, Why.QUIET) if opens > at else (at, Why.FREE)


def _full_until(at: datetime, per_week: int, earlier: Iterable[datetime]) -> datetime | None:
    """When a place is free again; None when there is one at this moment. Holds for every seven days around it."""
    taken = sorted(moment for moment in earlier if at - WEEK < moment < at + WEEK)
    for first in chain((moment for moment in taken if moment <= at), (at,)):
        inside = [moment for moment in taken if first <= moment < first + WEEK]
        if len(inside) >= per_week:
            return max(inside[-per_week] + WEEK, at + timedelta(microseconds=1))
    return None


def _opens_at(at: datetime, rules: PushRules) -> datetime:
    """The same moment when it is by day, on a day that is nobody's day of rest; else the start of the next one."""
    local = at.astimezone(AMSTERDAM)
    if not is_day_off(local.date(), rules):
        if rules.quiet_until <= local.time() < rules.quiet_from:
            return at
        if local.time() < rules.quiet_until:
            return datetime.combine(local.date(), rules.quiet_until, AMSTERDAM).astimezone(at.tzinfo)
    return datetime.combine(local.date() + timedelta(days=1), rules.quiet_until, AMSTERDAM).astimezone(at.tzinfo)


def is_day_off(day: date, rules: PushRules) -> bool:
    """A Sunday, a Dutch public holiday, or a religious day that the settings name."""
    if day.weekday() == 6 or is_public_holiday(day) or day in rules.days_off:
        return True
    return any(day in religious_days(name, day.year) for name in rules.holidays)


def _has_crisis(connection: Connection, contact_id: int) -> bool:
    where = (TicketRow.contact_id == contact_id, TicketRow.urgent, TicketRow.state == TicketState.OPEN)
    return connection.execute(sa.select(TicketRow.id).where(*where).limit(1)).first() is not None


def _calm_until(connection: Connection, contact_id: int, rules: PushRules) -> datetime | None:
    """The end of the days after bad news. A crisis, also one that is over, is bad news."""
    news = connection.execute(sa.select(BadNewsRow.at).where(BadNewsRow.contact_id == contact_id)).scalar_one_or_none()
    crisis = connection.execute(
        sa.select(sa.func.max(TicketRow.created_at)).where(TicketRow.contact_id == contact_id, TicketRow.urgent)
    ).scalar_one_or_none()
    moments = [moment for moment in (news, crisis) if moment is not None]
    return max(moments) + timedelta(days=rules.calm_days) if moments else None
