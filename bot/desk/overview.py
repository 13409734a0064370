"""How the answering goes, for the coordinator: promises, waiting, what is coming, who needs help, signals, costs.

Named queries count; what a page says of it stands in the template. Names are those of colleagues, never of newcomers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import InstrumentedAttribute

from bot.contacts import Consent
from bot.desk.calendar import Absence, Calendar, Slot, to_utc
from bot.locales import AMSTERDAM
from bot.storage.follow_up_models import MailRow, SpendRow
from bot.storage.models import (
    AbsenceRow,
    ActorRow,
    ContactRow,
    LaneState,
    PartyRow,
    PromiseCountRow,
    SlotRow,
    TicketEntryRow,
    TicketRow,
    TicketState,
)

DAYS = 30  # looked back
AHEAD = 14  # days looked ahead
LISTED = 20
NEARLY_FULL = 0.8
OFTEN_MISSED = 3  # promises in `DAYS` from which somebody needs help


@dataclass(frozen=True)
class Waits:
    """How long people waited, from their question to the answer: of so many, half and nine in ten at most that long."""

    answered: int = 0
    median: timedelta | None = None
    p90: timedelta | None = None


NO_WAITS = Waits()


@dataclass(frozen=True)
class Owner:
    """What a klantregisseur (or the back-up desk: no actor) promised, has, answered and lets wait."""

    name: str
    actor_id: int | None
    kept: int = 0
    missed: int = 0
    open: int = 0
    late: int = 0
    waits: Waits = NO_WAITS


@dataclass(frozen=True)
class Load:
    """A slot that comes: how many answers are promised in it, and how many it takes."""

    name: str
    starts: datetime
    ends: datetime
    promised: int
    takes: int
    actor_id: int

    @property
    def is_nearly_full(self) -> bool:
        return self.promised >= NEARLY_FULL * self.takes


@dataclass(frozen=True)
class Due:
    """Answers that are promised before a moment at which no slot ends.

    By the back-up desk (no name), which has no slots, or by a klantregisseur whose times changed or who took a question
    over with its promise.
    """

    name: str
    before: datetime
    promised: int


@dataclass(frozen=True)
class Away:
    name: str
    first_day: date
    last_day: date


@dataclass(frozen=True)
class Signals:
    """Things to look at. Numbers of tickets, the newest first."""

    no_reply: tuple[int, ...]  # "my klantregisseur doesn't answer"
    missed_twice: tuple[int, ...]
    reopened: tuple[int, ...]  # answered at least twice, and it still did not help
    unlinked: int  # people who agreed and belong to nobody's caseload
    linked: int


@dataclass(frozen=True)
class Cost:
    """What a kind of message cost on a day: delivered or on its way, in millionths of a euro."""

    day: date
    kind: str
    n: int
    failed: int
    micro_eur: int


@dataclass(frozen=True)
class Overview:
    """All of it."""

    owners: tuple[Owner, ...]
    waits: Waits
    loads: tuple[Load, ...]
    outside: tuple[Due, ...]
    away: tuple[Away, ...]
    signals: Signals
    costs: tuple[Cost, ...]
    mail: Mapping[str, int]  # mails that did not arrive, by kind

    @property
    def need_help(self) -> tuple[Owner, ...]:
        """Who lets somebody wait, or often misses a promise."""
        return tuple(owner for owner in self.owners if owner.late or owner.missed >= OFTEN_MISSED)

    @property
    def busy(self) -> tuple[Load, ...]:
        """The slots that come in which something is promised."""
        return tuple(load for load in self.loads if load.promised)

    @property
    def free(self) -> tuple[Load, ...]:
        return tuple(load for load in self.loads if not load.promised)

    @property
    def full(self) -> tuple[Load, ...]:
        return tuple(load for load in self.loads if load.is_nearly_full)

    @property
    def cost(self) -> int:
        """In all, in millionths of a euro."""
        return sum(line.micro_eur for line in self.costs)


def read(connection: Connection, now: datetime) -> Overview:
    """Everything as it is now."""
    since = now - timedelta(days=DAYS)
    names = {row.id: row.name for row in connection.execute(sa.select(ActorRow.id, ActorRow.name))}
    promised = _promised(connection, now)
    slots = loads(connection, now, names, promised)
    return Overview(
        owners=tuple(owners(connection, now)),
        waits=waits(connection, since).get(None, NO_WAITS),
        loads=tuple(slots),
        outside=tuple(outside(slots, names, promised)),
        away=tuple(away(connection, now, names)),
        signals=signals(connection, since),
        costs=tuple(costs(connection, now)),
        mail=mail_trouble(connection, since),
    )


def owners(connection: Connection, now: datetime) -> list[Owner]:
    """Promises and waits of the last `DAYS` days and what is open, of each klantregisseur and the back-up desk.

    Who answered in the end has the wait: what the back-up desk took over counts there, from the first question on.
    """
    today = now.astimezone(AMSTERDAM).date()
    counted: dict[tuple[str, str], int] = defaultdict(int)
    rows = connection.execute(
        sa.select(PromiseCountRow.owner, PromiseCountRow.outcome, sa.func.sum(PromiseCountRow.n))
        .where(PromiseCountRow.day > today - timedelta(days=DAYS))
        .group_by(PromiseCountRow.owner, PromiseCountRow.outcome)
    )
    for owner, outcome, number in rows:
        counted[owner, outcome] = int(number)
    late = sa.func.sum(sa.case((TicketRow.promise_at < now, 1), else_=0))
    waiting = {
        actor_id: (total, int(overdue))
        for actor_id, total, overdue in connection.execute(
            sa.select(TicketRow.actor_id, sa.func.count(), late)
            .where(TicketRow.state == TicketState.OPEN)
            .group_by(TicketRow.actor_id)
        )
    }
    actors = connection.execute(sa.select(ActorRow.id, ActorRow.code, ActorRow.name).order_by(ActorRow.name)).all()
    everybody = [(None, DESK_CODE, ""), *((row.id, row.code, row.name) for row in actors)]
    waited = waits(connection, now - timedelta(days=DAYS), TicketRow.actor_id)
    found = [
        Owner(
            name,
            actor_id,
            counted[code, "kept"],
            counted[code, "missed"],
            *waiting.get(actor_id, (0, 0)),
            waits=waited.get(actor_id, NO_WAITS),
        )
        for actor_id, code, name in everybody
    ]
    return [one for one in found if one.actor_id is None or one.kept or one.missed or one.open or one.waits.answered]


DESK_CODE = "back-up desk"  # as promise_count has it


def _recently_answered(since: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return TicketRow.created_at > since, TicketRow.answered_at.is_not(None)


def waits(
    connection: Connection, since: datetime, owner: InstrumentedAttribute[int | None] | None = None
) -> dict[int | None, Waits]:
    """How long people waited who asked since then: by owner, or of all together under None. The database sorts."""
    whose = sa.null() if owner is None else owner
    seconds = _seconds(connection)
    ranked = (
        sa.select(
            whose.label("whose"),
            seconds.label("wait"),
            sa.func.row_number().over(partition_by=owner, order_by=seconds).label("place"),
            sa.func.count().over(partition_by=owner).label("n"),
        )
        .where(*_recently_answered(since))
        .subquery("ranked")
    )
    median, p90 = ((ranked.c.n * percent + 99) // 100 for percent in (50, 90))  # the nearest rank, rounded up
    query = sa.select(ranked).where(ranked.c.place.in_([median, p90])).order_by(ranked.c.whose, ranked.c.place)
    found: dict[int | None, Waits] = {}
    for row in connection.execute(query):
        long = timedelta(seconds=round(float(row.wait)))
        found[row.whose] = replace(found.get(row.whose, Waits(row.n, median=long)), p90=long)
    return found


def _seconds(connection: Connection) -> sa.ColumnElement[Any]:
    if connection.dialect.name == "sqlite":
        return (sa.func.julianday(TicketRow.answered_at) - sa.func.julianday(TicketRow.created_at)) * 86400
    return sa.extract("epoch", TicketRow.answered_at - TicketRow.created_at)


Promised = Mapping[tuple[int | None, datetime], int]  # by actor and moment; the back-up desk is no actor


def _promised(connection: Connection, now: datetime) -> Promised:
    """How many answers are promised for the next `AHEAD` days. Urgent questions have an alarm and no slot."""
    rows = connection.execute(
        sa.select(TicketRow.actor_id, TicketRow.promise_at, sa.func.count())
        .where(TicketRow.state == TicketState.OPEN, sa.not_(TicketRow.urgent), TicketRow.promise_at >= now)
        .where(TicketRow.promise_at < now + timedelta(days=AHEAD + 1))
        .group_by(TicketRow.actor_id, TicketRow.promise_at)
        .order_by(TicketRow.promise_at)
    )
    return {(actor_id, moment): count for actor_id, moment, count in rows}


def loads(connection: Connection, now: datetime, names: Mapping[int, str], promised: Promised) -> list[Load]:
    """The slots of the next `AHEAD` days with what is promised in them, the next one first."""
    slots: dict[int, list[Slot]] = defaultdict(list)
    absences: dict[int, list[Absence]] = defaultdict(list)
    active = sa.select(ActorRow.id).where(ActorRow.active)
    for row in connection.execute(sa.select(SlotRow.__table__).where(SlotRow.actor_id.in_(active))):
        slots[row.actor_id].append(Slot(row.weekday, row.starts, row.ends, row.max_answers))
    for row in connection.execute(sa.select(AbsenceRow.__table__)):
        absences[row.actor_id].append(Absence(row.first_day, row.last_day))
    found = []
    for actor_id, theirs in slots.items():
        calendar = Calendar(tuple(theirs), tuple(absences[actor_id]))
        for starts, ends, takes in _coming(calendar, now):
            found.append(Load(names[actor_id], starts, ends, promised.get((actor_id, ends), 0), takes, actor_id))
    return sorted(found, key=lambda load: (load.ends, load.name))


def _coming(calendar: Calendar, now: datetime) -> list[tuple[datetime, datetime, int]]:
    today = now.astimezone(AMSTERDAM).date()
    days = [today + timedelta(days=ahead) for ahead in range(AHEAD + 1)]
    every = [
        (to_utc(day, slot.starts), to_utc(day, slot.ends), slot.max_answers)
        for day in days
        if calendar.works_on(day)
        for slot in calendar.slots
        if slot.weekday == day.weekday()
    ]
    return [one for one in every if one[1] > now]


def outside(slots: Sequence[Load], names: Mapping[int, str], promised: Promised) -> list[Due]:
    """What is promised for a moment at which no slot of theirs ends, what comes first at the top."""
    ends = {(slot.actor_id, slot.ends) for slot in slots}
    return [
        Due("" if actor_id is None else names[actor_id], moment, number)
        for (actor_id, moment), number in promised.items()
        if (actor_id, moment) not in ends
    ]


def away(connection: Connection, now: datetime, names: Mapping[int, str]) -> list[Away]:
    """Who is away now or in the next `AHEAD` days."""
    today = now.astimezone(AMSTERDAM).date()
    rows = connection.execute(
        sa.select(AbsenceRow.__table__)
        .where(AbsenceRow.last_day >= today, AbsenceRow.first_day <= today + timedelta(days=AHEAD))
        .order_by(AbsenceRow.first_day, AbsenceRow.actor_id)
    )
    return [Away(names[row.actor_id], row.first_day, row.last_day) for row in rows]


def signals(connection: Connection, since: datetime) -> Signals:
    """What went wrong more than once, or says that somebody isn't helped."""
    recent = TicketRow.created_at > since
    answers = (
        sa.select(sa.func.count())
        .where(TicketEntryRow.ticket_id == TicketRow.id, TicketEntryRow.kind == "answer")
        .correlate(TicketRow)
        .scalar_subquery()
    )
    agreed = ContactRow.consent == Consent.GIVEN.value
    linked = sa.select(PartyRow.contact_id).where(PartyRow.contact_id.is_not(None))
    people = sa.select(sa.func.count()).select_from(ContactRow).where(agreed)
    return Signals(
        no_reply=_tickets(connection, recent, TicketRow.reason == "no_reply"),
        missed_twice=_tickets(connection, recent, TicketRow.promises_missed > 1),
        reopened=_tickets(connection, recent, TicketRow.helped.is_(False), answers > 1),
        unlinked=connection.execute(people.where(ContactRow.id.not_in(linked))).scalar_one(),
        linked=connection.execute(people.where(ContactRow.id.in_(linked))).scalar_one(),
    )


def _tickets(connection: Connection, *where: sa.ColumnElement[bool]) -> tuple[int, ...]:
    query = sa.select(TicketRow.id).where(*where).order_by(TicketRow.created_at.desc()).limit(LISTED)
    return tuple(connection.execute(query).scalars())


def costs(connection: Connection, now: datetime) -> Sequence[Cost]:
    """Templates and nudges of the last `DAYS` days by day and kind, less what was not delivered."""
    today = now.astimezone(AMSTERDAM).date()
    sign = sa.case((SpendRow.outcome == "failed", -1), else_=1)
    failed = sa.func.sum(sa.case((SpendRow.outcome == "failed", SpendRow.n), else_=0))
    rows = connection.execute(
        sa.select(
            SpendRow.day, SpendRow.kind, sa.func.sum(SpendRow.n * sign), failed, sa.func.sum(SpendRow.micro_eur * sign)
        )
        .where(SpendRow.day > today - timedelta(days=DAYS))
        .group_by(SpendRow.day, SpendRow.kind)
        .order_by(SpendRow.day.desc(), SpendRow.kind)
    )
    return [Cost(day, kind, int(n), int(lost), int(micro)) for day, kind, n, lost, micro in rows]


def mail_trouble(connection: Connection, since: datetime) -> dict[str, int]:
    """Mails that did not go, or of which nobody knows it."""
    rows = connection.execute(
        sa.select(MailRow.kind, sa.func.count())
        .where(MailRow.created_at > since, MailRow.state.in_([LaneState.DEAD, LaneState.UNKNOWN]))
        .group_by(MailRow.kind)
        .order_by(MailRow.kind)
    )
    return {kind: count for kind, count in rows}  # noqa: C416  # dict() of rows is no dict of tuples to mypy
